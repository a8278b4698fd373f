"""What is minimised: each loss is a mean over the batch, checked before torch computes it."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mse(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error, ``mean((predictions - targets)**2)``, a scalar. Both of one shape (...), floating point.

    Raises ValueError for shapes that differ (torch would broadcast (N, 1) against (N,) to (N, N)) or an empty batch,
    TypeError for another dtype.
    """
    _check_floats("mse", "predictions", predictions, targets)
    return F.mse_loss(predictions, targets)


def binary_cross_entropy_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``-t log σ(z) - (1 - t) log(1 - σ(z))`` in nats, a scalar; logits z and targets t of one shape (...), t in [0, 1].

    Computed from the logits and not from σ(z), which rounds to 0 or 1 from about |z| = 17 (float32) on.
    Raises ValueError for shapes that differ, targets outside [0, 1] or an empty batch, TypeError for another dtype.
    """
    _check_floats("binary_cross_entropy_with_logits", "logits", logits, targets)
    outside = ~((targets >= 0) & (targets <= 1))  # written so that nan counts as outside
    if outside.any():
        raise ValueError(f"targets must be in [0, 1], got {targets[outside][0].item()}")
    return F.binary_cross_entropy_with_logits(logits, targets)


def cross_entropy(logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean of ``-log softmax(logits)[target]`` in nats, a scalar.

    Shapes: logits (..., C), targets (...), int64, from 0 to C - 1; the class axis is the last, so that a batch of sequences
    (B, T, C) with targets (B, T) needs no transposing. With ``label_smoothing=e`` the target is ``(1 - e) one_hot + e / C``
    (Szegedy et al., 2016, section 7).

    Raises TypeError for logits that are not floating point or targets that are not int64; ValueError for shapes that do not
    fit, an empty batch, a label outside 0 to C - 1 (says which and where) or a `label_smoothing` outside [0, 1).
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
    if outside.any():  # on a GPU torch would end the process's CUDA context instead
        place = [int(index) for index in outside.nonzero()[0]]
        raise ValueError(
            f"targets must be from 0 to {num_classes - 1} for {num_classes} logits, got {int(targets[tuple(place)])} at {place}"
        )
    return F.cross_entropy(logits.reshape(-1, num_classes), targets.reshape(-1), label_smoothing=label_smoothing)


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
