"""What is minimised: each loss is a mean over the batch, written out, and checked before it is computed.

The exponentials of large scores overflow; the losses from logits therefore work with the distances to the largest score.
"""

import math

import torch
from torch import Tensor


def mse(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error, ``mean((predictions - targets)**2)``, a scalar. Both of one shape (...), floating point.

    Raises ValueError for shapes that differ (torch would broadcast (N, 1) against (N,) to (N, N)) or an empty batch,
    TypeError for another dtype.
    """
    _check_floats("mse", "predictions", predictions, targets)
    return ((predictions - targets) ** 2).mean()


def mae(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute error, ``mean(|predictions - targets|)``, a scalar; its gradient is 0 where the two agree. Errors as `mse`."""
    _check_floats("mae", "predictions", predictions, targets)
    return (predictions - targets).abs().mean()


def huber(predictions: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """Mean of ``r**2 / 2`` where a residual r is at most `delta` and of ``delta (|r| - delta / 2)`` beyond, a scalar (Huber, 1964).

    `delta` is in the units of the targets. Raises ValueError for a `delta` that is not above 0 and finite; else as `mse`.
    """
    _check_floats("huber", "predictions", predictions, targets)
    if not 0 < delta < math.inf:
        raise ValueError(f"delta must be above 0 and finite, got {delta}")
    size = (predictions - targets).abs()
    return torch.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).mean()


def log_sum_exp(x: Tensor, dim: int = -1) -> Tensor:
    """Return ``log(sum(exp(x)))`` over the axis `dim` of x, which goes; its gradient is the softmax of x over that axis.

    Computed as ``m + log(sum(exp(x - m)))`` with m the largest value, so that no exponential exceeds 1.
    Raises TypeError for x that is not floating point, ValueError for an axis without values, IndexError for one x has not.
    """
    if not x.is_floating_point():
        raise TypeError(f"log_sum_exp: x must be floating point, got {x.dtype}")
    if x.dim() == 0 or x.shape[dim] == 0:
        raise ValueError(f"log_sum_exp needs at least one value along axis {dim}, got shape {tuple(x.shape)}")
    largest, below = _from_the_largest(x, dim)
    return largest.squeeze(dim) + below.exp().sum(dim).log()


def binary_cross_entropy_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``-t log σ(z) - (1 - t) log(1 - σ(z))`` in nats, a scalar; logits z and targets t of one shape (...), t in [0, 1].

    Computed from the logits and not from σ(z), which rounds to 0 or 1 from about |z| = 17 (float32) on.
    Raises ValueError for shapes that differ, targets outside [0, 1] or an empty batch, TypeError for another dtype.
    """
    _check_floats("binary_cross_entropy_with_logits", "logits", logits, targets)
    outside = ~((targets >= 0) & (targets <= 1))  # written so that nan counts as outside
    if outside.any():
        raise ValueError(f"targets must be in [0, 1], got {targets[outside][0].item()}")
    _, (zero, one) = _from_the_largest(torch.stack([torch.zeros_like(logits), logits]), 0)  # σ(z) is the softmax of (0, z)
    log_total = torch.log(zero.exp() + one.exp())
    return torch.mean(log_total - (1 - targets) * zero - targets * one)


def cross_entropy(logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0, ignore_index: int | None = None) -> Tensor:
    """Mean of ``-log softmax(logits)[target]`` in nats, a scalar.

    Shapes: logits (..., C), targets (...), int64, from 0 to C - 1; the class axis is the last, so that a batch of sequences
    (B, T, C) with targets (B, T) needs no transposing. With ``label_smoothing=e`` the target is ``(1 - e) one_hot + e / C``
    (Szegedy et al., 2016, section 7). Where a target is ``ignore_index``, padding for example, it counts nothing.

    Raises TypeError for logits that are not floating point or targets that are not int64; ValueError for shapes that do not
    fit, an empty batch, one of which all is ignored, a label outside 0 to C - 1 (says which and where) or a `label_smoothing`
    outside [0, 1).
    """
    if not logits.is_floating_point():
        raise TypeError(f"logits must be floating point, got {logits.dtype}")
    if targets.dtype != torch.int64:
        one_hot = "; for one-hot rows pass targets.argmax(-1)" if targets.shape == logits.shape else ""
        raise TypeError(f"targets must be class numbers of dtype torch.int64, got {targets.dtype}{one_hot}")
    if logits.dim() < 1 or logits.shape[:-1] != targets.shape:
        raise ValueError(f"logits (..., C) need targets (...): got logits {tuple(logits.shape)} and targets {tuple(targets.shape)}")
    if logits.numel() == 0:
        raise ValueError(f"the batch is empty: logits {tuple(logits.shape)}, targets {tuple(targets.shape)}")
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing must be in [0, 1), got {label_smoothing}")
    num_classes = logits.shape[-1]
    outside = (targets < 0) | (targets >= num_classes)
    if ignore_index is not None:
        outside &= targets != ignore_index
    if outside.any():  # on a GPU torch would end the process's CUDA context instead
        place = [int(index) for index in outside.nonzero()[0]]
        raise ValueError(
            f"targets must be from 0 to {num_classes - 1} for {num_classes} logits, got {int(targets[tuple(place)])} at {place}"
        )
    if ignore_index is not None:
        counted = targets != ignore_index  # (...)
        if not counted.any():
            raise ValueError(f"all targets are {ignore_index}, which is ignored: a mean over nothing has no value")
        logits, targets = logits[counted], targets[counted]  # (n, C) and (n,)
    _, below = _from_the_largest(logits, -1)  # (..., C)
    score = below.gather(-1, targets[..., None]).squeeze(-1)  # (...), of the target
    if label_smoothing:
        score = (1 - label_smoothing) * score + label_smoothing * below.mean(-1)
    return (below.exp().sum(-1).log() - score).mean()


def _from_the_largest(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return the largest value along `dim`, kept as an axis of 1 and constant to autograd, and x minus it: at most 0."""
    largest = x.detach().amax(dim, keepdim=True).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)  # ∞ − ∞ would be nan
    return largest, x - largest


def _check_floats(loss: str, name: str, predictions: Tensor, targets: Tensor) -> None:
    for what, tensor in ((name, predictions), ("targets", targets)):
        if not tensor.is_floating_point():
            raise TypeError(f"{loss}: {what} must be floating point, got {tensor.dtype}")
    if predictions.shape != targets.shape:
        raise ValueError(
            f"{loss}: {name} and targets must have one shape, got {tuple(predictions.shape)} and {tuple(targets.shape)}"
        )
    if predictions.numel() == 0:
        raise ValueError(f"{loss}: the batch is empty, shape {tuple(predictions.shape)}")
