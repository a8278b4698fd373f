"""What is reported: counts of right and wrong, equal to scikit-learn's numbers.

Throughout: N examples, C classes. Predictions are class numbers (N,) or logits (N, C), targets are class numbers (N,).
A ratio with nothing below the line is 0, as with scikit-learn's ``zero_division=0``.
"""

import math
from statistics import NormalDist
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Average = Literal["macro", "micro"] | None


class RocCurve(NamedTuple):
    """One point per threshold, from "nothing is positive" to "everything is": three tensors (K,), float64."""

    false_positive_rate: Tensor
    true_positive_rate: Tensor
    thresholds: Tensor


def accuracy(predictions: Tensor, targets: Tensor) -> float:
    """Return the share, 0 to 1, of predictions that equal their targets.

    Shapes: labels (...) or logits (..., C) against targets (...). Raises ValueError for other shapes or no example at all,
    TypeError for labels that are not integers.
    """
    predicted, targets = _labels(predictions, targets)
    return (predicted == targets).double().mean().item()


def confusion_matrix(predictions: Tensor, targets: Tensor, *, num_classes: int) -> Tensor:
    """Count the pairs: entry (i, j) is how many examples of class i were taken for class j; (C, C), int64, on the CPU.

    Raises ValueError for a label outside 0 to num_classes - 1, else as `accuracy`.
    """
    predicted, targets = _labels(predictions, targets)
    for name, labels in (("predictions", predicted), ("targets", targets)):
        if labels.min() < 0 or labels.max() >= num_classes:
            wrong = labels[(labels < 0) | (labels >= num_classes)][0].item()
            raise ValueError(f"{name} must be from 0 to {num_classes - 1} for num_classes={num_classes}, got {wrong}")
    pairs = targets.reshape(-1) * num_classes + predicted.reshape(-1)
    return torch.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def precision(
    predictions: Tensor, targets: Tensor, *, average: Average = "macro", num_classes: int | None = None
) -> float | Tensor:
    """Of all examples taken for a class, the share that are of it.

    "macro" is the plain mean over classes, "micro" counts all classes together (for labels: the accuracy), None gives one
    number a class, (C,), float64. Classes are 0 to num_classes - 1, or, as in scikit-learn, those that occur. Errors as
    `confusion_matrix`.
    """
    right, predicted, _ = _counts(predictions, targets, num_classes, average)
    return _averaged(right, predicted, average)


def recall(predictions: Tensor, targets: Tensor, *, average: Average = "macro", num_classes: int | None = None) -> float | Tensor:
    """Of all examples of a class, the share that were taken for it. Arguments, result and errors as `precision`."""
    right, _, actual = _counts(predictions, targets, num_classes, average)
    return _averaged(right, actual, average)


def f1(predictions: Tensor, targets: Tensor, *, average: Average = "macro", num_classes: int | None = None) -> float | Tensor:
    """Return the harmonic mean of precision and recall, ``2 right / (predicted + actual)``; all else as `precision`."""
    right, predicted, actual = _counts(predictions, targets, num_classes, average)
    return _averaged(2 * right, predicted + actual, average)


def roc_curve(scores: Tensor, targets: Tensor) -> RocCurve:
    """Rates of false and of true alarms as the threshold falls: positive where ``score >= threshold``.

    Shapes: scores (N,), targets (N,), 0 or 1. Gives one point per distinct score, so ties move together, after a first point
    (0, 0) at threshold infinity: scikit-learn's curve with ``drop_intermediate=False``.
    Raises ValueError for other shapes, targets other than 0 and 1, only one class, or scores that are not finite.
    """
    if scores.dim() != 1 or scores.shape != targets.shape:
        raise ValueError(f"scores and targets must be (N,) both, got {tuple(scores.shape)} and {tuple(targets.shape)}")
    if not ((targets == 0) | (targets == 1)).all():
        raise ValueError(f"targets must be 0 or 1, got the values {sorted(set(targets.tolist()))[:10]}")
    if not torch.isfinite(scores).all():
        raise ValueError("scores must be finite, got nan or infinity")
    scores, targets = scores.detach().cpu().double(), targets.cpu().double()
    positives, negatives = targets.sum(), (1 - targets).sum()
    if positives == 0 or negatives == 0:
        raise ValueError("a ROC curve needs examples of both classes, got one class only")
    scores, order = scores.sort(descending=True)
    last_of_ties = torch.cat([scores[1:] != scores[:-1], torch.tensor([True])])  # (N,)
    hits = targets[order].cumsum(0)[last_of_ties]  # (K,)
    alarms = (1 - targets[order]).cumsum(0)[last_of_ties]  # (K,)
    start = torch.zeros(1, dtype=torch.float64)
    return RocCurve(
        torch.cat([start, alarms / negatives]),
        torch.cat([start, hits / positives]),
        torch.cat([start + math.inf, scores[last_of_ties]]),
    )


def wilson_interval(correct: int, total: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds (low, high) of a share of which `correct` of `total` were seen (Wilson, 1927; Brown, Cai and DasGupta, 2001).

    Unlike ``p ± z sqrt(p (1 - p) / n)`` it stays within 0 and 1 and does not shrink to a point at ``correct == total``.
    Raises ValueError unless 0 <= correct <= total, total >= 1 and 0 < confidence < 1.
    """
    if total < 1 or not 0 <= correct <= total:
        raise ValueError(f"need 0 <= correct <= total and total >= 1, got correct={correct}, total={total}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = correct / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _labels(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Bring logits (..., C) or labels (...) to labels (...), and both to the CPU."""
    if targets.is_floating_point():
        raise TypeError(f"targets must be class numbers, got {targets.dtype}")
    if targets.numel() == 0:
        raise ValueError("there is no example: targets are empty")
    if predictions.dim() == targets.dim() + 1 and predictions.shape[:-1] == targets.shape and predictions.shape[-1] > 0:
        return predictions.argmax(-1).cpu(), targets.cpu().long()
    if predictions.shape != targets.shape:
        shapes = f"{tuple(predictions.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"predictions must be labels (...) or logits (..., C) for targets (...), got {shapes}")
    if predictions.is_floating_point():
        raise TypeError(f"labels must be integers, got {predictions.dtype}: round or threshold them first")
    return predictions.cpu().long(), targets.cpu().long()


def _counts(predictions: Tensor, targets: Tensor, num_classes: int | None, average: Average) -> tuple[Tensor, Tensor, Tensor]:
    """For each class: how many were right, predicted, actual; three tensors (C,), float64."""
    if average not in ("macro", "micro", None):
        raise ValueError(f"average must be 'macro', 'micro' or None, got {average!r}")
    predicted, targets = _labels(predictions, targets)
    if num_classes is None:  # number the labels that occur from 0
        found = torch.tensor(sorted({*predicted.reshape(-1).tolist(), *targets.reshape(-1).tolist()}))
        predicted, targets = torch.searchsorted(found, predicted), torch.searchsorted(found, targets)
        num_classes = len(found)
    matrix = confusion_matrix(predicted, targets, num_classes=num_classes).double()
    return matrix.diagonal(), matrix.sum(0), matrix.sum(1)


def _averaged(above: Tensor, below: Tensor, average: Average) -> float | Tensor:
    if average == "micro":
        above, below = above.sum(), below.sum()
    ratios = above / below.clamp(min=1)  # nothing below means nothing above: 0 / 1
    return ratios if average is None else ratios.mean().item()
