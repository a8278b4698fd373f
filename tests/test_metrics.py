"""The metrics are scikit-learn's numbers."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics as sklearn_metrics

from dlcourse import metrics

REFERENCE = {
    "precision": sklearn_metrics.precision_score,
    "recall": sklearn_metrics.recall_score,
    "f1": sklearn_metrics.f1_score,
}


def labels(seed, num_examples=40, num_classes=5, absent=None):
    """Random predictions and targets; the class `absent` is never predicted, or nowhere at all."""
    draw = np.random.default_rng(seed)
    predicted, targets = draw.integers(0, num_classes, (2, num_examples))
    if absent in ("predicted", "both"):
        predicted[predicted == 2] = 0
    if absent in ("targets", "both"):
        targets[targets == 2] = 1
    return torch.from_numpy(predicted), torch.from_numpy(targets)


@pytest.mark.parametrize("absent", [None, "predicted", "targets", "both"])
@pytest.mark.parametrize("average", ["macro", "micro", None])
@pytest.mark.parametrize("name", REFERENCE)
def test_equal_to_scikit_learn(name, average, absent):
    for seed in range(5):
        predicted, targets = labels(seed, absent=absent)
        for num_classes in (None, 7):
            ours = getattr(metrics, name)(predicted, targets, average=average, num_classes=num_classes)
            wanted = REFERENCE[name](
                targets, predicted, average=average, labels=None if num_classes is None else range(7), zero_division=0
            )
            np.testing.assert_allclose(ours, wanted, rtol=1e-12)


def test_accuracy_and_confusion_matrix_equal_scikit_learn():
    for seed in range(5):
        predicted, targets = labels(seed)
        assert metrics.accuracy(predicted, targets) == sklearn_metrics.accuracy_score(targets, predicted)
        ours = metrics.confusion_matrix(predicted, targets, num_classes=6)
        np.testing.assert_array_equal(ours, sklearn_metrics.confusion_matrix(targets, predicted, labels=range(6)))


def test_rows_of_the_confusion_matrix_are_true_classes():
    matrix = metrics.confusion_matrix(torch.tensor([1, 1]), torch.tensor([0, 0]), num_classes=2)
    assert matrix.tolist() == [[0, 2], [0, 0]]


def test_logits_and_labels_give_the_same():
    logits = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(20) % 4
    for metric in (metrics.accuracy, metrics.precision, metrics.recall, metrics.f1):
        assert metric(logits, targets) == metric(logits.argmax(-1), targets)


def test_accuracy_of_sequences_counts_every_token():
    logits = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2], [2, 1, 0]]), 4).float()  # (B, T, V)
    assert metrics.accuracy(logits, torch.tensor([[0, 1, 0], [2, 1, 1]])) == pytest.approx(4 / 6)


@pytest.mark.parametrize("decimals", [0, 1, 6])  # 0: almost all scores are tied
def test_roc_curve_equals_scikit_learn_with_ties(decimals):
    for seed in range(5):
        draw = np.random.default_rng(seed)
        scores, targets = np.round(draw.normal(size=50), decimals), draw.integers(0, 2, 50)
        ours = metrics.roc_curve(torch.from_numpy(scores), torch.from_numpy(targets))
        wanted = sklearn_metrics.roc_curve(targets, scores, drop_intermediate=False)
        for one, other in zip(ours, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_area_under_our_roc_curve_is_scikit_learns():
    scores, targets = torch.tensor([0.1, 0.4, 0.35, 0.8, 0.4]), torch.tensor([0, 0, 1, 1, 1])
    curve = metrics.roc_curve(scores, targets)
    area = torch.trapezoid(curve.true_positive_rate, curve.false_positive_rate).item()
    assert area == pytest.approx(sklearn_metrics.roc_auc_score(targets, scores))


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        (torch.zeros(3), torch.ones(3, dtype=torch.int64), "one class only"),
        (torch.zeros(3), torch.zeros(3, dtype=torch.int64), "one class only"),
        (torch.zeros(3), torch.tensor([0, 1, 2]), r"0 or 1, got the values \[0, 1, 2\]"),
        (torch.tensor([0.0, math.nan]), torch.tensor([0, 1]), "finite"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 1]), r"\(3, 2\) and \(3,\)"),
        (torch.zeros(0), torch.zeros(0, dtype=torch.int64), "one class only"),
    ],
)
def test_roc_curve_says_what_it_cannot_use(scores, targets, message):
    with pytest.raises(ValueError, match=message):
        metrics.roc_curve(scores, targets)


def test_wilson_interval_equals_scipy():
    for correct, total in ((0, 1), (1, 1), (0, 20), (20, 20), (7, 20), (9810, 10_000)):
        for confidence in (0.5, 0.95, 0.99):
            wanted = stats.binomtest(correct, total).proportion_ci(confidence, method="wilson")
            ours = metrics.wilson_interval(correct, total, confidence=confidence)
            np.testing.assert_allclose(ours, (wanted.low, wanted.high), atol=1e-12)


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_interval_needs_a_share(correct, total):
    with pytest.raises(ValueError, match=f"got correct={correct}, total={total}"):
        metrics.wilson_interval(correct, total)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_wilson_interval_needs_a_confidence_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        metrics.wilson_interval(1, 2, confidence=confidence)


@pytest.mark.parametrize(
    ("predictions", "targets", "error", "message"),
    [
        (torch.zeros(3), torch.zeros(3, dtype=torch.int64), TypeError, "labels must be integers, got torch.float32"),
        (torch.zeros(3, dtype=torch.int64), torch.zeros(3), TypeError, "targets must be class numbers"),
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64), ValueError, r"got \(2, 3\) and \(3,\)"),
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), ValueError, "no example"),
    ],
)
def test_accuracy_says_what_it_cannot_use(predictions, targets, error, message):
    with pytest.raises(error, match=message):
        metrics.accuracy(predictions, targets)


def test_confusion_matrix_names_a_label_out_of_range():
    with pytest.raises(ValueError, match="predictions must be from 0 to 2 for num_classes=3, got 3"):
        metrics.confusion_matrix(torch.tensor([0, 3]), torch.tensor([0, 1]), num_classes=3)
    with pytest.raises(ValueError, match="targets must be from 0 to 2 for num_classes=3, got -1"):
        metrics.confusion_matrix(torch.tensor([0, 2]), torch.tensor([0, -1]), num_classes=3)


def test_an_unknown_average_is_refused():
    with pytest.raises(ValueError, match="'macro', 'micro' or None, got 'weighted'"):
        metrics.f1(torch.tensor([0]), torch.tensor([0]), average="weighted")
