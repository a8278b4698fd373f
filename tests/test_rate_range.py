"""The learning-rate range test finds the rates that work, and leaves no trace."""

import copy
import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from dlcourse.train import rate_range


def setting(seed=0, optimizer_class=torch.optim.SGD):
    torch.manual_seed(seed)
    model = nn.Linear(3, 1)
    x = torch.randn(40, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    return model, list(zip(x.split(8), y.split(8), strict=True)), optimizer_class(model.parameters(), lr=0.123)


def test_the_rates_rise_by_a_constant_factor_from_low_to_high():
    model, batches, optimizer = setting()
    rates = [rate for rate, _ in rate_range(model, batches, optimizer, loss_fn=F.mse_loss, low=1e-4, high=1e-2, num_steps=21)]
    assert len(rates) == 21
    assert (rates[0], rates[-1]) == pytest.approx((1e-4, 1e-2))
    assert [b / a for a, b in itertools.pairwise(rates)] == pytest.approx([100 ** (1 / 20)] * 20)


def test_the_first_losses_are_those_of_the_plain_loop():
    model, batches, optimizer = setting()
    measured = rate_range(model, batches, optimizer, loss_fn=F.mse_loss, low=0.01, high=0.04, num_steps=3)
    other, _, _ = setting()
    plain = torch.optim.SGD(other.parameters())
    for (rate, loss), (x, y) in zip(measured, batches, strict=False):
        plain.param_groups[0]["lr"] = rate
        value = F.mse_loss(other(x), y)
        assert loss == pytest.approx(value.item(), rel=1e-6)
        plain.zero_grad()
        value.backward()
        plain.step()


def test_it_ends_where_the_loss_blows_up():
    model, batches, optimizer = setting()
    measured = rate_range(model, batches, optimizer, loss_fn=F.mse_loss, low=1e-3, high=1e3, num_steps=200)
    assert len(measured) < 200
    assert all(math.isfinite(loss) for _, loss in measured)
    losses = [loss for _, loss in measured]
    assert sum(losses[-5:]) > 4 * sum(losses[:5]) > sum(losses[-6:-1])
    assert max(losses[:-10]) < 10 * losses[0]  # it did not go on for long
    largest_stable = 2 / torch.linalg.eigvalsh(2 * torch.cat([x for x, _ in batches]).T.cov()).max().item()
    assert largest_stable < measured[-1][0] < 30 * largest_stable


@pytest.mark.parametrize("optimizer_class", [torch.optim.SGD, torch.optim.Adam])
def test_model_and_optimizer_are_as_before(optimizer_class):
    model, batches, optimizer = setting(optimizer_class=optimizer_class)
    model.eval()
    for _ in range(3):
        optimizer.zero_grad()
        F.mse_loss(model(batches[0][0]), batches[0][1]).backward()
        optimizer.step()
    weights, state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    rate_range(model, batches, optimizer, loss_fn=F.mse_loss, low=1e-3, high=10.0, num_steps=30)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    after = optimizer.state_dict()
    assert after["param_groups"] == state["param_groups"]
    assert str(after["state"]) == str(state["state"])
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_failing_loss_leaves_no_trace_either():
    model, batches, optimizer = setting()
    before = copy.deepcopy(model.state_dict())
    calls = []

    def failing(outputs, targets):
        calls.append(1)
        if len(calls) == 4:
            raise RuntimeError("no more")
        return F.mse_loss(outputs, targets)

    with pytest.raises(RuntimeError, match="no more"):
        rate_range(model, batches, optimizer, loss_fn=failing, num_steps=10)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert optimizer.param_groups[0]["lr"] == 0.123


def test_every_group_gets_the_rate_and_its_own_back():
    model, batches, _ = setting()
    optimizer = torch.optim.SGD([{"params": [model.weight], "lr": 0.5}, {"params": [model.bias]}], lr=0.25)
    seen = []
    step = optimizer.step
    optimizer.step = lambda: (seen.append([group["lr"] for group in optimizer.param_groups]), step())
    rate_range(model, batches, optimizer, loss_fn=F.mse_loss, low=1e-3, high=1e-2, num_steps=2)
    assert seen == [[pytest.approx(1e-3)] * 2, [pytest.approx(1e-2)] * 2]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]


def test_few_batches_are_gone_through_again():
    model, batches, optimizer = setting()
    loader = DataLoader(TensorDataset(*batches[0]), batch_size=4)
    assert len(rate_range(model, loader, optimizer, loss_fn=F.mse_loss, low=1e-4, high=1e-3, num_steps=11)) == 11


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0.0}, "need 0 < low < high"),
        ({"low": 1.0, "high": 0.1}, r"got low=1\.0, high=0\.1"),
        ({"high": math.inf}, "both finite"),
        ({"num_steps": 1}, "num_steps must be at least 2, got 1"),
    ],
)
def test_bad_settings_are_named(options, message):
    model, batches, optimizer = setting()
    with pytest.raises(ValueError, match=message):
        rate_range(model, batches, optimizer, loss_fn=F.mse_loss, **options)


@pytest.mark.parametrize("batches", [[], iter([(torch.ones(2, 3), torch.ones(2, 1))])], ids=["none", "used up"])
def test_batches_that_run_out_are_named(batches):
    model, _, optimizer = setting()
    batches = iter(batches) if batches else batches
    if batches:
        next(batches)
    with pytest.raises(ValueError, match="gave no batch"):
        rate_range(model, batches, optimizer, loss_fn=F.mse_loss)
