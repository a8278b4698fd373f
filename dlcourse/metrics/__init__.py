"""What is reported: of classes, counts of right and wrong; of written sequences, edits and shared n-grams."""

from dlcourse.metrics.classification import (
    RocCurve,
    accuracy,
    confusion_matrix,
    f1,
    precision,
    recall,
    roc_curve,
    wilson_interval,
)
from dlcourse.metrics.sequences import bleu, edit_distance, error_rate, exact_match, ngram_precision

__all__ = [
    "RocCurve",
    "accuracy",
    "bleu",
    "confusion_matrix",
    "edit_distance",
    "error_rate",
    "exact_match",
    "f1",
    "ngram_precision",
    "precision",
    "recall",
    "roc_curve",
    "wilson_interval",
]
