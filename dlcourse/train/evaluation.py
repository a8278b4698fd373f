"""Run a model over batches without training it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Inputs = Tensor | tuple[Tensor, ...]
Batches = Iterable[Sequence[Any]]
LossFunction = Callable[[Tensor, Tensor], Tensor]
Metrics = Mapping[str, Callable[[Tensor, Tensor], float]]


def evaluate(
    model: nn.Module, batches: Batches, *, loss_fn: LossFunction, metrics: Metrics | None = None
) -> tuple[float, dict[str, float]]:
    """Return the mean loss over all examples and the value of each metric.

    `batches` gives pairs (inputs, targets); inputs are a tensor, or a tuple of tensors for a model that takes several, such
    as ((source, target_in), target_out). `loss_fn(outputs, targets)` is a mean over its batch, and a short last batch
    counts by its size. Each metric sees all outputs and all targets at once, on the CPU. The model computes on its own
    device in eval mode, and gets its mode back. Raises ValueError where there is no batch or an empty one, and, with
    metrics, as `predict`.
    """
    total, count = 0.0, 0
    kept: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode(), eval_mode(model):
        for outputs, targets in _forward(model, batches):
            total += loss_value(loss_fn(outputs, targets)) * len(targets)
            count += len(targets)
            if metrics:
                kept.append((outputs.cpu(), targets.cpu()))
    if not metrics:
        return total / count, {}
    all_outputs, all_targets = _joined(kept)
    return total / count, {name: float(metric(all_outputs, all_targets)) for name, metric in metrics.items()}


def predict(model: nn.Module, batches: Batches) -> tuple[Tensor, Tensor]:
    """Return the outputs (N, ...) and targets (N, ...) of all batches, in order, on the CPU; otherwise as `evaluate`.

    Raises ValueError for batches that differ in more than their first axis, such as sequences of different widths.
    """
    with torch.inference_mode(), eval_mode(model):
        kept = [(outputs.cpu(), targets.cpu()) for outputs, targets in _forward(model, batches)]
    return _joined(kept)


def device_of(model: nn.Module) -> torch.device:
    """Return the device of the model's first parameter or buffer; the CPU for a model that has neither."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


def unpack(batch: Sequence[Any], device: torch.device, place: str) -> tuple[Inputs, Tensor]:
    """Move a batch (inputs, targets) to the device; `place` says in errors which batch it is."""
    inputs: Any
    targets: Any
    inputs, targets = batch if isinstance(batch, tuple | list) and len(batch) == 2 else (None, None)
    several = tuple(inputs) if isinstance(inputs, tuple | list) and len(inputs) > 0 else (inputs,)
    if not all(isinstance(part, Tensor) for part in (*several, targets)):
        parts = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
        wanted = "a pair of tensors (inputs, targets), or ((input, input, ...), targets)"
        raise TypeError(f"{place} must be {wanted}, got a {type(batch).__name__}{parts}")
    for part in several:
        if len(part) == 0:
            raise ValueError(f"{place} is empty: inputs {tuple(part.shape)}")
        if len(part) != len(targets):
            raise ValueError(f"{place} has {len(part)} inputs but {len(targets)} targets")
    moved = tuple(part.to(device, non_blocking=True) for part in several)
    return moved if isinstance(inputs, tuple | list) else moved[0], targets.to(device, non_blocking=True)


def forward(model: nn.Module, inputs: Inputs) -> Tensor:
    """Call a model with its one input, or with each of several."""
    outputs: Tensor = model(inputs) if isinstance(inputs, Tensor) else model(*inputs)
    return outputs


def loss_value(loss: Tensor) -> float:
    """Return a loss as a number. On a GPU this waits until the loss has been computed."""
    if loss.numel() != 1:
        raise ValueError(f"loss_fn must return one number, the mean over the batch; got shape {tuple(loss.shape)}")
    return loss.item()


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put every module in eval mode, and each one's own mode back at the end."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _forward(model: nn.Module, batches: Batches) -> Iterator[tuple[Tensor, Tensor]]:
    device = device_of(model)
    number = 0
    for number, batch in enumerate(batches, start=1):
        inputs, targets = unpack(batch, device, f"batch {number}")
        yield forward(model, inputs), targets
    if number == 0:
        raise ValueError("there is nothing to evaluate: batches are empty")


def _joined(kept: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    for parts in zip(*kept, strict=True):
        shapes = sorted({tuple(part.shape[1:]) for part in parts})
        if len(shapes) > 1:
            raise ValueError(f"batches of different shapes cannot be put together: rows of {shapes[0]} and {shapes[-1]}")
    outputs, targets = (torch.cat(parts) for parts in zip(*kept, strict=True))
    return outputs, targets
