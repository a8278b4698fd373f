"""The losses are torch's, after checks that name what was given."""

import math

import pytest
import torch
import torch.nn.functional as F

from dlcourse import losses


def both(ours, reference, shape, *rest):
    """Value and gradient of two losses at the same random point."""
    results = []
    for loss in (ours, reference):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0), requires_grad=True)
        value = loss(x, *rest)
        value.backward()
        results.append((value.detach(), x.grad))
    return results


def test_mse_equals_torch():
    ours, reference = both(losses.mse, F.mse_loss, (4, 3), torch.linspace(-1, 1, 12).reshape(4, 3))
    torch.testing.assert_close(ours, reference, rtol=0, atol=0)


def test_binary_cross_entropy_equals_torch():
    targets = torch.tensor([0.0, 1.0, 0.25, 1.0])
    ours, reference = both(losses.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, (4,), targets)
    torch.testing.assert_close(ours, reference, rtol=0, atol=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_equals_torch(smoothing):
    targets = torch.tensor([2, 0, 1, 2, 4])
    ours, reference = both(
        lambda x, t: losses.cross_entropy(x, t, label_smoothing=smoothing),
        lambda x, t: F.cross_entropy(x, t, label_smoothing=smoothing),
        (5, 6),
        targets,
    )
    torch.testing.assert_close(ours, reference, rtol=0, atol=0)


def test_cross_entropy_of_sequences_has_the_class_axis_last():
    targets = torch.arange(6).reshape(2, 3) % 4
    ours, reference = both(losses.cross_entropy, lambda x, t: F.cross_entropy(x.transpose(1, 2), t), (2, 3, 4), targets)
    torch.testing.assert_close(ours, reference)


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_number_of_classes():
    assert losses.cross_entropy(torch.zeros(3, 10), torch.tensor([1, 5, 9])).item() == pytest.approx(math.log(10))


def test_a_very_wrong_logit_costs_its_size_and_not_infinity():
    assert losses.binary_cross_entropy_with_logits(torch.tensor([200.0]), torch.tensor([0.0])).item() == 200
    assert losses.cross_entropy(torch.tensor([[0.0, 1e4]]), torch.tensor([0])).item() == 1e4


@pytest.mark.parametrize(
    ("logits", "targets", "error", "message"),
    [
        (torch.zeros(2, 3), torch.tensor([0.0, 1.0]), TypeError, r"dtype torch.int64, got torch.float32$"),
        (torch.zeros(2, 3), torch.eye(3)[:2], TypeError, r"one-hot rows pass targets.argmax\(-1\)"),
        (torch.zeros(2, 3), torch.tensor([0, 1], dtype=torch.int32), TypeError, "got torch.int32"),
        (torch.zeros(2, 3, dtype=torch.int64), torch.tensor([0, 1]), TypeError, "logits must be floating point"),
        (torch.zeros(2, 3), torch.tensor([0, 3]), ValueError, r"0 to 2 for 3 logits, got 3 at \[1\]"),
        (torch.zeros(2, 3), torch.tensor([-100, 0]), ValueError, r"got -100 at \[0\]"),
        (torch.zeros(2, 2, 3), torch.tensor([[0, 1], [7, 9]]), ValueError, r"got 7 at \[1, 0\]"),
        (torch.zeros(2, 3), torch.tensor([0, 1, 2]), ValueError, r"logits \(2, 3\) and targets \(3,\)"),
        (torch.zeros(2, 3), torch.tensor([[0], [1]]), ValueError, r"targets \(2, 1\)"),
        (torch.tensor(1.0), torch.tensor(0), ValueError, r"logits \(\)"),
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), ValueError, "the batch is empty"),
    ],
)
def test_cross_entropy_says_what_it_cannot_use(logits, targets, error, message):
    with pytest.raises(error, match=message):
        losses.cross_entropy(logits, targets)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, math.nan])
def test_label_smoothing_outside_its_range_is_refused(smoothing):
    with pytest.raises(ValueError, match="label_smoothing must be in"):
        losses.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), label_smoothing=smoothing)


@pytest.mark.parametrize("loss", [losses.mse, losses.binary_cross_entropy_with_logits])
def test_shapes_that_torch_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"one shape, got \(3, 1\) and \(3,\)"):
        loss(torch.zeros(3, 1), torch.zeros(3))


@pytest.mark.parametrize("loss", [losses.mse, losses.binary_cross_entropy_with_logits])
def test_integers_and_empty_batches_are_refused(loss):
    with pytest.raises(TypeError, match=r"targets must be floating point, got torch\.int64"):
        loss(torch.zeros(3), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="the batch is empty"):
        loss(torch.zeros(0), torch.zeros(0))


@pytest.mark.parametrize("target", [-0.5, 2.0, math.nan])
def test_binary_targets_outside_0_to_1_are_refused(target):
    with pytest.raises(ValueError, match=rf"in \[0, 1\], got {target}"):
        losses.binary_cross_entropy_with_logits(torch.zeros(2), torch.tensor([1.0, target]))
