"""The training loop, as a generator of one record an epoch."""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dlcourse.train.arguments import check_arguments
from dlcourse.train.evaluation import Batches, Inputs, LossFunction, Metrics, device_of, evaluate, forward, loss_value, unpack


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch gave. Losses are means over examples, as the loss function measures them (cross-entropy: nats)."""

    epoch: int  # counted from 1
    train_loss: float  # while the weights were changing, with dropout and augmentation on
    val_loss: float  # after the epoch
    metrics: dict[str, float] = field(default_factory=dict)  # on the validation batches, after the epoch
    learning_rate: float = math.nan  # of the first parameter group, at the epoch's last step
    seconds: float = math.nan  # of training since its start; evaluation and the consumer's own time left out


class NonFiniteLossError(ValueError):
    """Training ran into a loss or a gradient that is not finite. The weights are those before the step that was refused."""

    def __init__(self, what: str, cure: str, *, epoch: int, batch: int, loss: float, learning_rate: float) -> None:
        super().__init__(f"{what} at learning rate {learning_rate:g} in epoch {epoch}, batch {batch}. {cure}")
        self.epoch, self.batch, self.loss, self.learning_rate = epoch, batch, loss, learning_rate


def train_epochs(
    model: nn.Module,
    train_batches: Batches,
    val_batches: Batches,
    optimizer: Optimizer,
    *,
    epochs: int,
    loss_fn: LossFunction,
    metrics: Metrics | None = None,
    scheduler: LRScheduler | None = None,
    augment: Callable[[Any], Any] | None = None,
    max_grad_norm: float | None = None,
    first_epoch: int = 1,
) -> Generator[EpochRecord, None, None]:
    """Train for `epochs` epochs and yield an `EpochRecord` after each. Stop early by no longer iterating.

    `train_batches` and `val_batches` give pairs (inputs, targets), anew every epoch; inputs are a tensor, or a tuple of
    tensors for a model that takes several. Each moves to the model's own device, where `augment` may change the inputs.
    `loss_fn(outputs, targets)` is a mean over its batch. `scheduler` steps after every batch. `max_grad_norm` caps the
    Euclidean norm of all gradients together. `first_epoch` numbers the first record, for training that goes on from a
    checkpoint.

    Whatever ends the training (the last epoch, a consumer that stops, Ctrl-C, an error), the model is left in eval mode with
    the weights of its last whole step.

    Raises at the call: ValueError or TypeError for arguments that cannot work. Raises while training: `NonFiniteLossError`
    for a loss, or with `max_grad_norm` a gradient, that is nan or infinite, before it reaches the weights; ValueError for an
    empty batch. That check reads the loss of every batch, which on a GPU waits for the forward pass.
    """
    check_arguments(
        model=model,
        train_batches=train_batches,
        val_batches=val_batches,
        optimizer=optimizer,
        epochs=epochs,
        loss_fn=loss_fn,
        metrics=metrics,
        scheduler=scheduler,
        augment=augment,
        max_grad_norm=max_grad_norm,
        first_epoch=first_epoch,
    )

    def run() -> Generator[EpochRecord, None, None]:
        seconds = 0.0
        try:
            for epoch in range(first_epoch, first_epoch + epochs):
                started = time.perf_counter()
                train_loss, learning_rate, batch = _train_one_epoch(
                    model,
                    train_batches,
                    optimizer,
                    epoch=epoch,
                    loss_fn=loss_fn,
                    scheduler=scheduler,
                    augment=augment,
                    max_grad_norm=max_grad_norm,
                )
                seconds += time.perf_counter() - started
                model.eval()
                val_loss, values = evaluate(model, val_batches, loss_fn=loss_fn, metrics=metrics)
                if not math.isfinite(val_loss):
                    what = f"the validation loss is {val_loss}"
                    raise NonFiniteLossError(what, _DIVERGED, epoch=epoch, batch=batch, loss=val_loss, learning_rate=learning_rate)
                yield EpochRecord(epoch, train_loss, val_loss, values, learning_rate, seconds)
        finally:
            model.eval()

    return run()


def _train_one_epoch(
    model: nn.Module,
    batches: Batches,
    optimizer: Optimizer,
    *,
    epoch: int,
    loss_fn: LossFunction,
    scheduler: LRScheduler | None,
    augment: Callable[[Any], Any] | None,
    max_grad_norm: float | None,
) -> tuple[float, float, int]:
    """Return the mean loss over examples, the learning rate of the last step, and the number of batches."""
    device = device_of(model)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    total, count, number, learning_rate = 0.0, 0, 0, math.nan
    model.train()
    for number, batch in enumerate(batches, start=1):
        inputs, targets = unpack(batch, device, f"epoch {epoch}: train batch {number}")
        if augment is not None:
            inputs = augment(inputs)
        learning_rate = float(optimizer.param_groups[0]["lr"])
        loss = loss_fn(forward(model, inputs), targets)
        value = loss_value(loss)
        if not math.isfinite(value):
            what, cure = f"the loss is {value}", _cure(inputs, targets, is_first_step=epoch == 1 and number == 1)
            raise NonFiniteLossError(what, cure, epoch=epoch, batch=number, loss=value, learning_rate=learning_rate)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if max_grad_norm is not None:
            norm = float(clip_grad_norm_(parameters, max_grad_norm))
            if not math.isfinite(norm):
                optimizer.zero_grad(set_to_none=True)
                what = f"the loss is {value:g}, but the norm of its gradient is {norm}"
                raise NonFiniteLossError(what, _DIVERGED, epoch=epoch, batch=number, loss=value, learning_rate=learning_rate)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        total += value * len(targets)
        count += len(targets)
    if number == 0:
        raise ValueError(f"epoch {epoch}: train_batches gave no batch")
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # the last step belongs to the time that was measured
    return total / count, learning_rate, number


_DIVERGED = "The likely cure is a lower learning rate (try a tenth), a warm-up, or max_grad_norm=1.0."


def _cure(inputs: Inputs, targets: Tensor, *, is_first_step: bool) -> str:
    parts = (inputs,) if isinstance(inputs, Tensor) else inputs
    for name, tensor in (*(("inputs", part) for part in parts), ("targets", targets)):
        if not torch.isfinite(tensor).all():
            return f"The {name} of this batch hold nan or infinity: clean the data."
    if is_first_step:
        return "No step has been taken yet, so look at the scale of the inputs, the initial weights, and the loss function."
    return _DIVERGED
