"""The linear models: one dense layer each, told apart by the loss they are fitted with; and what can be computed without fitting.

Axes: B batch, N examples, D = in_features, O = out_features, K = num_classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcourse.layers.linear import Linear

__all__ = ["LinearRegression", "LogisticRegression", "SoftmaxRegression", "largest_stable_rate", "least_squares"]


class LinearRegression(nn.Module):
    """``x @ weight.T + bias``, to be fitted with the squared error. Takes (B, D), returns (B, O); else ValueError or TypeError."""

    def __init__(self, in_features: int, out_features: int = 1) -> None:
        super().__init__()
        self.linear = Linear(in_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, D) to predictions (B, O)."""
        predictions: Tensor = self.linear(_rows(x))
        return predictions


class LogisticRegression(nn.Module):
    """One logit z an example, to be fitted with the binary cross-entropy; σ(z) is the probability of class 1 (Cox, 1958).

    Takes (B, D), returns (B,); anything else raises ValueError or TypeError.
    """

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.linear = Linear(in_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, D) to logits (B,)."""
        logits: Tensor = self.linear(_rows(x))
        return logits.squeeze(-1)


class SoftmaxRegression(nn.Module):
    """One logit for each of K classes, to be fitted with the cross-entropy; row k of the weight is the picture of class k.

    Takes (B, ...) with D values an example, images for instance, returns (B, K); anything else raises ValueError or TypeError.
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = Linear(in_features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, ...) to logits (B, K)."""
        if x.ndim < 2:
            raise ValueError(f"an input of shape {tuple(x.shape)} given; (B, ...) wanted, one example a row")
        logits: Tensor = self.linear(x.flatten(1))
        return logits


def least_squares(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weight (O, D) and bias (O,) with the smallest squared error on x (N, D) and y (N, O) or, for one output, (N,).

    With A = (1, x) = QR, Q orthonormal and R triangular, the normal equations AᵀA θ = Aᵀy become R θ = Qᵀy. No product AᵀA is
    formed, which would square the condition number (Golub and Van Loan, 2013, section 5.3).

    Raises ValueError for shapes that do not fit, numbers that are not finite, or columns that depend on each other, since then
    many weights are equally good; TypeError for dtypes other than one and the same floating point type.
    """
    design = _design(x)  # (N, 1 + D)
    targets = y[:, None] if y.ndim == 1 else y
    if targets.ndim != 2 or len(targets) != len(x):
        raise ValueError(f"x (N, D) needs y (N, O) or (N,): got x {tuple(x.shape)} and y {tuple(y.shape)}")
    if y.dtype != x.dtype:
        raise TypeError(f"x and y must have one dtype, got {x.dtype} and {y.dtype}")
    if not torch.isfinite(targets).all():
        raise ValueError("y holds nan or infinity")
    if design.shape[0] < design.shape[1]:
        raise ValueError(f"{design.shape[0]} examples do not determine {design.shape[1]} parameters, bias included")
    q, r = torch.linalg.qr(design)  # (N, 1 + D), (1 + D, 1 + D)
    depends = r.diagonal().abs() <= torch.finfo(x.dtype).eps * len(x) * torch.linalg.vector_norm(design, dim=0)
    if depends.any():  # what is left of a column after taking away its part along those before it is nothing but rounding
        raise ValueError(f"column {int(depends.nonzero()[0]) - 1} of x follows from the bias and the columns before it")
    solution = torch.linalg.solve_triangular(r, q.T @ targets, upper=True)  # (1 + D, O)
    return solution[1:].T, solution[0]


def largest_stable_rate(x: Tensor) -> float:
    """Return 2 / λmax, from which on gradient descent on the mean squared error of one output diverges; x (N, D).

    λmax is the largest eigenvalue of the Hessian (2/N)·AᵀA in the D weights and the bias, A = (x, 1). With O outputs the mean
    runs over N·O numbers, and the limit is O times as large. Raises ValueError and TypeError as `least_squares`.
    """
    longest = float(torch.linalg.matrix_norm(_design(x), ord=2))  # the largest singular value of A: λmax = 2·longest²/N
    return len(x) / longest**2


def _rows(x: Tensor) -> Tensor:
    if x.ndim != 2:
        raise ValueError(f"an input of shape {tuple(x.shape)} given; (B, in_features) wanted, one example a row")
    return x


def _design(x: Tensor) -> Tensor:
    """Return x (N, D) with a column of ones before it, after checking it."""
    if x.ndim != 2 or len(x) == 0:
        raise ValueError(f"x must be (N, D) with N ≥ 1, got {tuple(x.shape)}")
    if not x.is_floating_point():
        raise TypeError(f"x must be floating point, got {x.dtype}")
    if not torch.isfinite(x).all():
        raise ValueError("x holds nan or infinity")
    return torch.cat([x.new_ones(len(x), 1), x], dim=1)
