"""Find the range of learning rates worth trying, in one short run."""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from dlcourse.train.evaluation import Batches, LossFunction, device_of, forward, loss_value, unpack

_BLOWN_UP = 4.0  # times the loss at the start: from there on a rate teaches nothing more
_FEW = 5  # losses are averaged, since one batch may be harder than another


def rate_range(
    model: nn.Module,
    batches: Batches,
    optimizer: Optimizer,
    *,
    loss_fn: LossFunction,
    low: float = 1e-5,
    high: float = 10.0,
    num_steps: int = 100,
) -> list[tuple[float, float]]:
    """Train while the learning rate rises from `low` to `high` by a constant factor a step, and return (rate, loss) of each.

    The loss is that of the step's own batch, before the step; `batches`, pairs (inputs, targets), are gone through as often as
    it takes. The run ends early where the loss is no longer finite (such a loss is left out), or where the mean of the last
    five is above four times that of the first five. Afterwards model and optimizer are as they were. A good rate lies where
    the loss falls fast, clearly below where it turns upwards (Smith, 2017, section 3.3).

    Raises ValueError unless 0 < low < high are finite and num_steps is at least 2, and where there is no batch.
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"need 0 < low < high, both finite, got low={low}, high={high}")
    if num_steps < 2:
        raise ValueError(f"num_steps must be at least 2, got {num_steps}")
    weights, state, was_training = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict()), model.training
    device, endless, measured = device_of(model), _again_and_again(batches), list[tuple[float, float]]()
    model.train()
    try:
        for step in range(num_steps):
            rate = low * (high / low) ** (step / (num_steps - 1))
            inputs, targets = unpack(next(endless), device, f"step {step + 1}: the batch")
            loss = loss_fn(forward(model, inputs), targets)
            value = loss_value(loss)
            if not math.isfinite(value):
                break
            measured.append((rate, value))
            if _mean(measured[-_FEW:]) > _BLOWN_UP * _mean(measured[:_FEW]):
                break
            _step(optimizer, loss, rate)
    finally:
        model.load_state_dict(weights)
        optimizer.load_state_dict(state)
        optimizer.zero_grad(set_to_none=True)
        model.train(was_training)
    return measured


def _mean(measured: list[tuple[float, float]]) -> float:
    return sum(loss for _, loss in measured) / len(measured)


def _step(optimizer: Optimizer, loss: Tensor, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _again_and_again(batches: Batches) -> Iterator[Sequence[Any]]:
    while True:
        batch = None
        for batch in batches:
            yield batch
        if batch is None:
            raise ValueError("batches gave no batch (an iterator that is used up? give a DataLoader or a list)")
