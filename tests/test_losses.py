"""The losses are written out and equal torch's, value and gradient, after checks that name what was given."""

import math

import pytest
import torch
import torch.nn.functional as F

from dlcourse import losses

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-10}
SCALES = [0.0, 1e-3, 1.0, 30.0, 1e4]  # of the predictions or logits: all equal, ordinary, extreme


def point(shape, *, scale=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)


def both(ours, reference, x, *rest):
    """Value and gradient of two losses at the same point."""
    results = []
    for loss in (ours, reference):
        leaf = x.clone().requires_grad_()
        value = loss(leaf, *rest)
        value.backward()
        results.append((value.detach(), leaf.grad))
    return results


def assert_equal(ours, reference, x, *rest):
    tolerance = TOLERANCE[x.dtype]
    torch.testing.assert_close(*both(ours, reference, x, *rest), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("ours", "reference"), [(losses.mse, F.mse_loss), (losses.mae, F.l1_loss), (losses.huber, F.huber_loss)])
def test_the_losses_of_regression_equal_torchs(ours, reference, scale, dtype):
    assert_equal(ours, reference, point((4, 3), scale=scale, dtype=dtype), torch.linspace(-1, 1, 12, dtype=dtype).reshape(4, 3))


@pytest.mark.parametrize("delta", [0.01, 0.5, 3.0])
def test_huber_changes_from_square_to_absolute_where_it_is_told(delta):
    x, targets = point((4, 3)), torch.zeros(4, 3, dtype=torch.float64)
    x[0] = torch.tensor([delta, -delta, 0.0])  # the joints themselves
    assert_equal(lambda p, t: losses.huber(p, t, delta=delta), lambda p, t: F.huber_loss(p, t, delta=delta), x, targets)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scale", SCALES)
def test_binary_cross_entropy_equals_torchs(scale, dtype):
    targets = torch.tensor([0.0, 1.0, 0.25, 1.0, 0.0, 0.5], dtype=dtype)
    x = point((6,), scale=scale, dtype=dtype)
    assert_equal(losses.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, x, targets)


def test_the_gradient_of_the_binary_loss_at_a_logit_of_zero_is_a_half_minus_the_target():
    logits = torch.zeros(2, requires_grad=True)  # where max(z, 0) and |z| have kinks, and where training often starts
    losses.binary_cross_entropy_with_logits(logits, torch.tensor([0.0, 1.0])).backward()
    assert (logits.grad * 2).tolist() == [0.5, -0.5]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_equals_torchs(smoothing, scale, dtype):
    targets = torch.tensor([2, 0, 1, 2, 4])
    assert_equal(
        lambda x, t: losses.cross_entropy(x, t, label_smoothing=smoothing),
        lambda x, t: F.cross_entropy(x, t, label_smoothing=smoothing),
        point((5, 6), scale=scale, dtype=dtype),
        targets,
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("ignored", [0, -100])
def test_targets_that_are_ignored_count_nothing_as_in_torch(ignored, smoothing):
    targets = torch.tensor([[2, ignored, 1], [ignored, ignored, 3]])
    settings = {"label_smoothing": smoothing, "ignore_index": ignored}
    ours, theirs = (point((2, 3, 4)).requires_grad_() for _ in range(2))
    loss, wanted = losses.cross_entropy(ours, targets, **settings), F.cross_entropy(theirs.mT, targets, **settings)
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    wanted.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    assert (ours.grad[targets == ignored] == 0).all()


def test_a_batch_of_nothing_but_ignored_targets_is_refused_and_other_labels_stay_checked():
    with pytest.raises(ValueError, match="all targets are 0, which is ignored"):
        losses.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 0]), ignore_index=0)
    with pytest.raises(ValueError, match=r"got 3 at \[1\]"):
        losses.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 3]), ignore_index=0)


def test_a_common_offset_of_the_logits_costs_no_accuracy():
    logits, targets = point((5, 6)).round(decimals=1), torch.tensor([2, 0, 1, 2, 4])
    raised = (logits * 8 + 4096).float()  # exact in float32, and exp(4096) is not
    torch.testing.assert_close(losses.cross_entropy(raised, targets), losses.cross_entropy(raised.double(), targets).float())


def test_classes_that_are_excluded_by_minus_infinity_count_nothing():
    logits = torch.tensor([[1.0, -math.inf, 2.0]])
    assert_equal(losses.cross_entropy, F.cross_entropy, logits, torch.tensor([2]))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_log_sum_exp_equals_torchs(dim, scale, dtype):
    x = point((4, 3, 2), scale=scale, dtype=dtype)
    assert losses.log_sum_exp(x, dim).shape == torch.logsumexp(x, dim).shape
    assert_equal(lambda a: losses.log_sum_exp(a, dim).sum(), lambda a: torch.logsumexp(a, dim).sum(), x)


def test_log_sum_exp_of_infinities_is_infinite_and_not_nan():
    x = torch.tensor([[-math.inf, -math.inf], [-math.inf, 3.0], [math.inf, 0.0]])
    assert losses.log_sum_exp(x).tolist() == [-math.inf, 3.0, math.inf]
    assert math.isnan(losses.log_sum_exp(torch.tensor([math.nan, 0.0])))


def test_log_sum_exp_says_what_it_cannot_use():
    with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
        losses.log_sum_exp(torch.arange(3))
    with pytest.raises(ValueError, match=r"along axis 1, got shape \(2, 0\)"):
        losses.log_sum_exp(torch.zeros(2, 0), 1)
    with pytest.raises(ValueError, match=r"got shape \(\)"):
        losses.log_sum_exp(torch.tensor(1.0))
    with pytest.raises(IndexError):
        losses.log_sum_exp(torch.zeros(2), 2)


def test_cross_entropy_of_sequences_has_the_class_axis_last():
    targets = torch.arange(6).reshape(2, 3) % 4
    assert_equal(losses.cross_entropy, lambda x, t: F.cross_entropy(x.transpose(1, 2), t), point((2, 3, 4)), targets)


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


@pytest.mark.parametrize("loss", [losses.mse, losses.mae, losses.huber, losses.binary_cross_entropy_with_logits])
def test_shapes_that_torch_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"one shape, got \(3, 1\) and \(3,\)"):
        loss(torch.zeros(3, 1), torch.zeros(3))


@pytest.mark.parametrize("loss", [losses.mse, losses.mae, losses.huber, losses.binary_cross_entropy_with_logits])
def test_integers_and_empty_batches_are_refused(loss):
    with pytest.raises(TypeError, match=r"targets must be floating point, got torch\.int64"):
        loss(torch.zeros(3), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="the batch is empty"):
        loss(torch.zeros(0), torch.zeros(0))


@pytest.mark.parametrize("target", [-0.5, 2.0, math.nan])
def test_binary_targets_outside_0_to_1_are_refused(target):
    with pytest.raises(ValueError, match=rf"in \[0, 1\], got {target}"):
        losses.binary_cross_entropy_with_logits(torch.zeros(2), torch.tensor([1.0, target]))


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf, math.nan])
def test_a_delta_that_is_no_positive_number_is_refused(delta):
    with pytest.raises(ValueError, match=f"above 0 and finite, got {delta}"):
        losses.huber(torch.zeros(2), torch.zeros(2), delta=delta)
