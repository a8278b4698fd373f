"""The dense layer: every output a weighted sum of all inputs, plus a bias.

Axes: B batch (any number of axes before the last), D = in_features, O = out_features.
"""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn

__all__ = ["Linear"]


class Linear(nn.Module):
    """A dense layer, ``x @ weight.T + bias``. Twin: ``torch.nn.Linear``, whose initialisation it shares.

    The weight (O, D) has one row for each output; it and the bias (O,) start uniform in ±1/√D.
    Raises ValueError for fewer than one input or output.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        super().__init__()
        if in_features < 1 or out_features < 1:
            raise ValueError(f"in_features={in_features}, out_features={out_features}: both must be at least 1")
        bound = 1 / math.sqrt(in_features)
        self.weight = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_features).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., D) to (..., O). Raises ValueError for another last axis, TypeError for another dtype than the weight's."""
        in_features = self.weight.shape[1]
        if x.ndim == 0 or x.shape[-1] != in_features:
            raise ValueError(f"an input of shape {tuple(x.shape)} given; this layer takes (..., {in_features})")
        if x.dtype != self.weight.dtype:
            raise TypeError(f"an input of dtype {x.dtype} given; this layer computes in {self.weight.dtype}")
        y = x @ self.weight.T  # (..., O)
        return y if self.bias is None else y + self.bias

    @classmethod
    def from_torch(cls, module: nn.Linear) -> Self:
        """Copy a ``torch.nn.Linear``, its dtype and device included."""
        twin = cls(module.in_features, module.out_features, bias=module.bias is not None)
        twin.to(module.weight.device, module.weight.dtype).load_state_dict(module.state_dict())
        return twin

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}, bias={self.bias is not None}"
