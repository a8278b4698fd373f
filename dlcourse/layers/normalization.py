"""Normalisation: numbers get mean 0 and variance 1, and then a learned scale and shift.

What differs is what the mean is taken over: the numbers of one token (LayerNorm, RMSNorm), or one
channel over all examples of a batch (BatchNorm1d, BatchNorm2d).
Axes: B batch, C = num_features channels, T tokens, H and W image, D = dim.
"""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["BatchNorm1d", "BatchNorm2d", "LayerNorm", "RMSNorm"]

Layer = TypeVar("Layer", bound=nn.Module)


class LayerNorm(nn.Module):
    """(x − mean) / √(variance + eps) over the last axis, times weight plus bias (Ba et al., 2016).

    Weight and bias (D,) start as 1 and 0. ``fused=True`` computes the same in torch's one kernel,
    about seven times as fast. Twin: ``torch.nn.LayerNorm``. Raises ValueError for D below 1.
    """

    def __init__(
        self,
        dim: int,
        *,
        eps: float = 1e-5,
        bias: bool = True,
        fused: bool = True,
    ) -> None:
        super().__init__()
        _check_settings(dim, eps)
        self.eps, self.fused = eps, fused
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., D) to (..., D); ValueError for another last axis, TypeError for a dtype."""
        _check_width(x, self.weight)
        if self.fused:
            return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)  # (..., 1)
        y = centred * torch.rsqrt(variance + self.eps) * self.weight
        return y if self.bias is None else y + self.bias

    @classmethod
    def from_torch(cls, module: nn.LayerNorm) -> Self:
        """Copy a ``torch.nn.LayerNorm`` over one axis; ValueError for more axes or no weight."""
        if not isinstance(module, nn.LayerNorm):
            raise ValueError(f"torch.nn.LayerNorm wanted, {module} given")
        if len(module.normalized_shape) != 1 or not module.elementwise_affine:
            raise ValueError(f"only the last axis, with a weight, is known here: {module}")
        twin = cls(len(module.weight), eps=module.eps, bias=module.bias is not None)
        return _copy(twin, module)

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{len(self.weight)}, eps={self.eps}, bias={self.bias is not None}"


class RMSNorm(nn.Module):
    """x / √(mean of squares + eps) over the last axis, times weight (Zhang and Sennrich, 2019).

    The mean is not taken away, and nothing is added. The weight (D,) starts as 1; ``eps=None`` is
    the dtype's step at 1, as in torch. Twin: ``torch.nn.RMSNorm``. Raises ValueError for D below 1.
    """

    def __init__(self, dim: int, *, eps: float | None = None) -> None:
        super().__init__()
        _check_settings(dim, 0.0 if eps is None else eps)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., D) to (..., D); ValueError for another last axis, TypeError for a dtype."""
        _check_width(x, self.weight)
        eps = torch.finfo(x.dtype).eps if self.eps is None else self.eps
        return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + eps) * self.weight

    @classmethod
    def from_torch(cls, module: nn.RMSNorm) -> Self:
        """Copy a ``torch.nn.RMSNorm`` over one axis; ValueError for more axes or no weight."""
        if not isinstance(module, nn.RMSNorm):
            raise ValueError(f"torch.nn.RMSNorm wanted, {module} given")
        if len(module.normalized_shape) != 1 or not module.elementwise_affine:
            raise ValueError(f"only the last axis, with a weight, is known here: {module}")
        return _copy(cls(len(module.weight), eps=module.eps), module)

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{len(self.weight)}, eps={self.eps}"


class _BatchNorm(nn.Module):
    """What both share: each channel is normalised over all other axes (Ioffe and Szegedy, 2015).

    In training by the mean and variance of the batch, of which running means are kept:
    running ← (1 − momentum) · running + momentum · batch, the variance there divided by the number
    of values less 1. In evaluation by those running means, so that an example does not depend on
    the others. Weight and bias (C,) start as 1 and 0.
    """

    axes: ClassVar[tuple[int, ...]]  # how many axes an input may have
    wanted: ClassVar[str]
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, num_features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        _check_settings(num_features, eps, name="num_features")
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum={momentum}: a share from 0 to 1 is wanted")
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every channel of x and keep its shape.

        Raises ValueError for another shape, and in training where a channel has one value only,
        whose variance says nothing; TypeError for another dtype than the weight's.
        """
        self._check(x)
        mean, variance = self._batch(x) if self.training else (self.running_mean, self.running_var)
        scale = self.weight * torch.rsqrt(variance + self.eps)  # (C,)
        shape = (1, -1) + (1,) * (x.ndim - 2)  # along the axis of the channels
        return (x - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)

    def _batch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance (C,) of the batch, and take them into the running means."""
        rest = [axis for axis in range(x.ndim) if axis != 1]
        count = x.numel() // x.shape[1]  # how many values a channel has
        variance, mean = torch.var_mean(x, dim=rest, correction=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            self.num_batches_tracked.add_(1)
        return mean, variance

    def _check(self, x: Tensor) -> None:
        channels = len(self.weight)
        if x.ndim not in self.axes or x.shape[1] != channels or 0 in x.shape:
            wanted = self.wanted.replace("C", str(channels))
            given = f"an input of shape {tuple(x.shape)} given"
            raise ValueError(f"{given}; {wanted} wanted, none empty")
        _check_dtype(x, self.weight)
        if self.training and x.numel() == channels:
            given = f"an input of shape {tuple(x.shape)} given"
            raise ValueError(f"{given}; training needs 2 values of each channel")

    @classmethod
    def from_torch(cls, module: nn.BatchNorm1d | nn.BatchNorm2d) -> Self:
        """Copy the layer of this name in torch.nn, running means and mode included.

        Raises ValueError for another layer, and for affine=False, track_running_stats=False and
        momentum=None, which are not known here.
        """
        if not isinstance(module, getattr(nn, cls.__name__)):
            raise ValueError(f"torch.nn.{cls.__name__} wanted, {module} given")
        if not module.affine or not module.track_running_stats or module.momentum is None:
            unknown = "affine=False, track_running_stats=False and momentum=None are not known here"
            raise ValueError(f"{unknown}: {module}")
        twin = cls(module.num_features, eps=module.eps, momentum=module.momentum)
        return _copy(twin, module)

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of x (B, C) or (B, C, T). Twin: ``torch.nn.BatchNorm1d``."""

    axes, wanted = (2, 3), "(B, C) or (B, C, T)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (B, C, H, W). Twin: ``torch.nn.BatchNorm2d``."""

    axes, wanted = (4,), "(B, C, H, W)"


def _copy(twin: Layer, module: nn.Module) -> Layer:
    first = next(module.parameters())
    twin.to(first.device, first.dtype).load_state_dict(module.state_dict())
    return twin.train(module.training)


def _check_settings(dim: int, eps: float, *, name: str = "dim") -> None:
    if dim < 1:
        raise ValueError(f"{name}={dim}: at least 1 is wanted")
    if eps < 0:
        raise ValueError(f"eps={eps}: at least 0 is wanted")


def _check_width(x: Tensor, weight: Tensor) -> None:
    if x.ndim == 0 or x.shape[-1] != len(weight):
        wanted = f"this layer takes (..., {len(weight)})"
        raise ValueError(f"an input of shape {tuple(x.shape)} given; {wanted}")
    _check_dtype(x, weight)


def _check_dtype(x: Tensor, weight: Tensor) -> None:
    if x.dtype != weight.dtype:
        wanted = f"this layer computes in {weight.dtype}"
        raise TypeError(f"an input of dtype {x.dtype} given; {wanted}")
