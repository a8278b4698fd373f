"""Refuse what cannot be trained before a minute is spent on it."""

from collections.abc import Iterator, Mapping, Sized

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau


def check_arguments(
    *,
    model: object,
    train_batches: object,
    val_batches: object,
    optimizer: object,
    epochs: object,
    loss_fn: object,
    metrics: object,
    scheduler: object,
    augment: object,
    max_grad_norm: float | None,
    first_epoch: object,
) -> None:
    """Raise ValueError or TypeError, saying what was given and what was wanted, for arguments `train_epochs` cannot use."""
    _check_count("epochs", epochs)
    _check_count("first_epoch", first_epoch)
    _check_callables(loss_fn, metrics, augment)
    if max_grad_norm is not None and not max_grad_norm > 0:
        raise ValueError(f"max_grad_norm must be above 0, or None for no cap, got {max_grad_norm}")
    _check_batches("train_batches", train_batches)
    _check_batches("val_batches", val_batches)
    _check_optimizer(model, optimizer)
    _check_scheduler(scheduler, optimizer, epochs, train_batches)


def _check_count(name: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} must be an int, got {number!r} of type {type(number).__name__}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1, got {number}")


def _check_callables(loss_fn: object, metrics: object, augment: object) -> None:
    if not callable(loss_fn):
        raise TypeError(f"loss_fn must be a function of (outputs, targets), got a {type(loss_fn).__name__}")
    if augment is not None and not callable(augment):
        raise TypeError(f"augment must be a function of the inputs or None, got a {type(augment).__name__}")
    if metrics is None:
        return
    if not isinstance(metrics, Mapping):
        raise TypeError(f'metrics must be a mapping, {{"accuracy": accuracy}} for example, got a {type(metrics).__name__}')
    for name, metric in metrics.items():
        if not callable(metric):
            raise TypeError(f"metrics[{name!r}] must be a function of (outputs, targets), got a {type(metric).__name__}")


def _check_batches(name: str, batches: object) -> None:
    if isinstance(batches, Iterator):
        raise TypeError(f"{name} is used up after one epoch ({type(batches).__name__}): give a DataLoader or a list of batches")
    if not hasattr(batches, "__iter__"):
        raise TypeError(f"{name} must be an iterable of (inputs, targets), got a {type(batches).__name__}")
    if _length(batches) == 0:
        raise ValueError(f"{name} is empty: no batch to run over (too few examples for the batch size with drop_last?)")


def _length(batches: object) -> int | None:
    try:
        return len(batches) if isinstance(batches, Sized) else None
    except TypeError:  # a DataLoader over a stream has a __len__ that raises
        return None


def _check_optimizer(model: object, optimizer: object) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got a {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch.optim.Optimizer, got a {type(optimizer).__name__}")
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not trainable:
        raise ValueError(f"{type(model).__name__} has no trainable parameters")
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [name for name, parameter in trainable.items() if id(parameter) not in held]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(
            f"the optimizer does not hold {', '.join(missing[:5])}{more} of the model: build it from this model's "
            "parameters, after the last change to its layers, or freeze them with requires_grad_(False)"
        )


def _check_scheduler(scheduler: object, optimizer: object, epochs: object, train_batches: object) -> None:
    if scheduler is None:
        return
    if isinstance(scheduler, ReduceLROnPlateau) or not isinstance(scheduler, LRScheduler):
        raise TypeError(f"scheduler must be an LRScheduler that steps after every batch, got a {type(scheduler).__name__}")
    if scheduler.optimizer is not optimizer:
        raise ValueError("the scheduler belongs to another optimizer: build it from the one you pass")
    length = _length(train_batches)
    if isinstance(scheduler, OneCycleLR) and length is not None and isinstance(epochs, int):
        left = scheduler.total_steps - scheduler.last_epoch
        if epochs * length > left:
            raise ValueError(f"OneCycleLR has {left} steps left, but {epochs} epochs of {length} batches take {epochs * length}")
