"""The multilayer perceptron: linear layers with a non-linear function between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from dlcourse.layers.activations import ACTIVATIONS
from dlcourse.layers.linear import Linear

__all__ = ["MLP"]


class MLP(nn.Module):
    """Any number of hidden layers and a linear output (Goodfellow et al., 2016, chapter 6).

    h⁰ = x, hˡ = φ(hˡ⁻¹ Wˡᵀ + bˡ) for each hidden layer, and the output is linear: what links it to the target belongs to the
    loss. Takes (B, ...) with ``in_features`` numbers an example, of the weights' dtype, and returns logits (B, out_features);
    anything else raises ValueError or TypeError. Without hidden layers it is a linear model.
    """

    def __init__(
        self, in_features: int, out_features: int, *, hidden_sizes: Sequence[int] = (128, 64), activation: str = "relu"
    ) -> None:
        super().__init__()
        sizes = (in_features, *hidden_sizes, out_features)
        if any(isinstance(size, bool) or not isinstance(size, int) or size < 1 for size in sizes):
            raise ValueError(f"the layers have sizes {sizes}: whole numbers of at least 1 are wanted")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r} is not known; there are {', '.join(ACTIVATIONS)}")
        self.in_features = in_features
        self.num_hidden = len(hidden_sizes)
        for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes[:-1]), start=1):
            self.add_module(f"hidden{number}", Linear(inputs, outputs))
        self.activation = ACTIVATIONS[activation]()
        self.output = Linear(sizes[-2], out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, ...) to logits (B, out_features)."""
        h = self._flat(x)  # (B, in_features)
        for number in range(1, self.num_hidden + 1):
            h = self.activation(self.get_submodule(f"hidden{number}")(h))  # (B, size of this layer)
        return cast(Tensor, self.output(h))

    def _flat(self, x: Tensor) -> Tensor:
        """Return x as (B, in_features); an example of another size is refused, where a reshape would make other examples of it."""
        if x.ndim < 2 or math.prod(x.shape[1:]) != self.in_features:
            wanted = f"(B, ...) with {self.in_features} numbers an example"
            raise ValueError(f"an input of shape {tuple(x.shape)} given; this network takes {wanted}")
        if len(x) == 0:
            raise ValueError("an empty batch given: at least 1 example is needed")
        if x.dtype != self.output.weight.dtype:
            raise TypeError(f"an input of dtype {x.dtype} given; this network computes in {self.output.weight.dtype}")
        return x.flatten(1)
