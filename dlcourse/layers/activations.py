"""Activation functions, each written as its formula: what stands between two linear layers so that they do not become one.

All but Softmax act on every number alone and keep the shape. Written so that neither value nor gradient overflows, and so that a
nan stays a nan. None has parameters; each but SquaredReLU has a twin in torch.nn and is proved equal to it, gradient included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

__all__ = ["ACTIVATIONS", "GELU", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Softmax", "SquaredReLU", "Tanh", "sigmoid"]


def sigmoid(x: Tensor) -> Tensor:
    """Return σ(x) = 1 / (1 + e⁻ˣ), in (0, 1), of every number of x (...). Its derivative is σ(x) (1 − σ(x)), at most 1/4."""
    e = torch.exp(torch.where(x >= 0, -x, x))  # e^−|x|, at most 1: e⁻ˣ itself overflows from x = −89 (float32) down
    return torch.where(x >= 0, 1.0, e) / (1 + e)


class _Activation(nn.Module):
    """What all share: no parameters, and a copy of the twin in torch.nn that has the same name."""

    @classmethod
    def from_torch(cls, module: nn.Module) -> Self:
        """Copy the layer of the same name in ``torch.nn``; ValueError for another layer or a setting not known here."""
        cls._check_twin(module)
        return cls()

    @classmethod
    def _check_twin(cls, module: nn.Module) -> None:
        if type(module) is not getattr(nn, cls.__name__):
            raise ValueError(f"torch.nn.{cls.__name__} wanted, {module} given")


class Sigmoid(_Activation):
    """σ(x) = 1 / (1 + e⁻ˣ); see ``sigmoid``. Twin: ``torch.nn.Sigmoid``."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), in (0, 1)."""
        return sigmoid(x)


class Tanh(_Activation):
    """tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), in (−1, 1), with derivative 1 − tanh²(x). Twin: ``torch.nn.Tanh``."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), in (−1, 1)."""
        sign = torch.where(x >= 0, 1.0, -1.0).to(x.dtype)
        m = torch.expm1(-2 * sign * x)  # e^−2|x| − 1, exact for small x as well
        return -sign * m / (m + 2)


class ReLU(_Activation):
    """max(0, x), with derivative 1 above 0 and 0 below (Nair and Hinton, 2010); 0 at 0. Twin: ``torch.nn.ReLU``."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), at least 0."""
        return torch.where(x <= 0, 0.0, x)


class SquaredReLU(nn.Module):
    """max(0, x)², with derivative 2 max(0, x) (So et al., 2021); it has no twin in torch.nn."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), at least 0."""
        return torch.relu(x).square()


class LeakyReLU(_Activation):
    """x above 0 and a·x below, with a = ``negative_slope`` (Maas et al., 2013). Twin: ``torch.nn.LeakyReLU``."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        if not math.isfinite(negative_slope):
            raise ValueError(f"negative_slope={negative_slope}: a finite number is wanted")
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...)."""
        return torch.where(x > 0, x, self.negative_slope * x)

    @classmethod
    def from_torch(cls, module: nn.Module) -> Self:
        """Copy a ``torch.nn.LeakyReLU`` with its slope; ValueError for another layer."""
        cls._check_twin(module)
        return cls(float(module.negative_slope))  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """Say the slope where the layer is printed."""
        return f"negative_slope={self.negative_slope}"


class GELU(_Activation):
    """x Φ(x), with Φ the normal distribution function (Hendrycks and Gimpel, 2016). Twin: ``torch.nn.GELU``, not its tanh form."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), at least −0.17."""
        return x * (1 + torch.erf(x / math.sqrt(2))) / 2

    @classmethod
    def from_torch(cls, module: nn.Module) -> Self:
        """Copy a ``torch.nn.GELU``; ValueError for another layer or for ``approximate="tanh"``."""
        cls._check_twin(module)
        if module.approximate != "none":
            raise ValueError(f"only the exact GELU is known here, not {module}")
        return cls()


class SiLU(_Activation):
    """x σ(x), also called swish (Elfwing et al., 2018). Twin: ``torch.nn.SiLU``."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), at least −0.28."""
        return x * sigmoid(x)


class Softmax(_Activation):
    """e^xᵢ / Σⱼ e^xⱼ along ``dim``: positive numbers that sum to 1. Twin: ``torch.nn.Softmax``."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Map x (...) to (...), where every line along ``dim`` sums to 1."""
        e = torch.exp(x - x.amax(self.dim, keepdim=True))  # the same quotient, with exponents of at most 0
        return e / e.sum(self.dim, keepdim=True)

    @classmethod
    def from_torch(cls, module: nn.Module) -> Self:
        """Copy a ``torch.nn.Softmax`` with its axis; ValueError for another layer or one that does not name its axis."""
        cls._check_twin(module)
        if not isinstance(module.dim, int):
            raise ValueError(f"dim={module.dim}: the axis that sums to 1 is wanted")
        return cls(module.dim)

    def extra_repr(self) -> str:
        """Say the axis where the layer is printed."""
        return f"dim={self.dim}"


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,  # no activation at all, for comparison
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "squared_relu": SquaredReLU,
    "leaky_relu": LeakyReLU,
    "gelu": GELU,
    "silu": SiLU,
}
