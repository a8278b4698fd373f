"""Save a training run and go on from it exactly."""

import contextlib
import dataclasses
import io
import os
import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dlcourse.train.loop import EpochRecord

_FORMAT = "dlcourse checkpoint 1"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stood: the last finished epoch and the records up to it. Go on with ``first_epoch=epoch + 1``."""

    epoch: int
    history: list[EpochRecord]


def save_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: nn.Module,
    optimizer: Optimizer,
    epoch: int,
    history: Sequence[EpochRecord] = (),
    scheduler: LRScheduler | None = None,
    train_batches: object = None,
    augment: object = None,
) -> None:
    """Write everything an exact resume needs: weights, optimizer, scheduler, random states.

    The random states are torch's (CPU and every GPU) and those of ``train_batches.generator`` and ``augment.generator``,
    where these have one. The file appears whole or not at all: a failure leaves an older one of that name as it was.

    Raises OSError (FileNotFoundError for a missing folder, PermissionError, ...) where it cannot be written, ValueError where
    a state holds more than tensors, numbers, strings, lists and dicts.
    """
    path = Path(path)
    content = {
        "format": _FORMAT,
        "epoch": epoch,
        "history": [dataclasses.asdict(record) for record in history],
        "model": model.state_dict(),
        "optimizer_type": type(optimizer).__name__,
        "optimizer": optimizer.state_dict(),
        "scheduler": None if scheduler is None else scheduler.state_dict(),
        "random": {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "train_batches": _generator_state(train_batches),
            "augment": _generator_state(augment),
        },
    }
    buffer = io.BytesIO()
    try:
        torch.save(content, buffer)
        torch.load(io.BytesIO(buffer.getbuffer()), weights_only=True)  # what could not be read back is not written
    except (pickle.PickleError, AttributeError, TypeError) as error:
        raise ValueError(f"not saved, because a state holds more than tensors and plain values: {error}") from error
    _write_whole(path, buffer.getbuffer())


def load_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    train_batches: object = None,
    augment: object = None,
) -> Checkpoint:
    """Put a saved run back into the objects given, each of the kind that was saved.

    With `model` alone: its weights, and nothing else is touched. With `optimizer` the run can go on, so torch's own random
    states come back as well. No code in the file is ever run.

    Raises FileNotFoundError, PermissionError; ValueError for a file that is damaged or not a checkpoint, for a model of another
    architecture (names the parameters), another optimizer, or a part that was not saved. After an error the model is as before.
    """
    path = Path(path)
    content = _read(path)
    _check_architecture(path, model, content["model"])
    if optimizer is not None and type(optimizer).__name__ != content["optimizer_type"]:
        raise ValueError(f"{path} was saved with {content['optimizer_type']}, got a {type(optimizer).__name__}")
    if scheduler is not None and content["scheduler"] is None:
        raise ValueError(f"{path} was saved without a scheduler")
    states = content["random"]
    for name, owner in (("train_batches", train_batches), ("augment", augment)):
        if _generator(owner) is not None and states[name] is None:
            raise ValueError(f"{path} was saved without the random state of {name}")

    if optimizer is not None:
        optimizer.load_state_dict(content["optimizer"])  # raises ValueError for other parameter groups
    model.load_state_dict(content["model"])
    if scheduler is not None:
        scheduler.load_state_dict(content["scheduler"])
    for name, owner in (("train_batches", train_batches), ("augment", augment)):
        generator = _generator(owner)
        if generator is not None:
            generator.set_state(states[name])
    if optimizer is not None:
        torch.set_rng_state(states["cpu"])
        if torch.cuda.is_available():
            for number, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
                torch.cuda.set_rng_state(state, number)
    return Checkpoint(content["epoch"], [EpochRecord(**record) for record in content["history"]])


def _write_whole(path: Path, content: memoryview) -> None:
    """Write beside, then rename: readers see the old file or the new one, never half of one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105  the call whose atomicity this rests on
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"the checkpoint was not written: {reason.lower()} (an older file of that name is as it was)"
        raise type(error)(error.errno, message, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _read(path: Path) -> dict[str, Any]:
    stored = io.BytesIO(path.read_bytes())
    content: Any = None
    try:
        with zipfile.ZipFile(stored) as archive:
            if (part := archive.testzip()) is not None:  # torch itself does not look at the checksums it writes
                raise zipfile.BadZipFile(f"{part} does not fit its checksum")
        stored.seek(0)
        content = torch.load(stored, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different class for each kind of damage
        raise ValueError(
            f"{path} is not a whole checkpoint: it is damaged, was not written by save_checkpoint, or holds more than "
            "tensors and plain values, which are never loaded because they could run code"
        ) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{path} can be read but is not a {_FORMAT!r}: it was not written by save_checkpoint")
    return content


def _check_architecture(path: Path, model: nn.Module, saved: dict[str, Tensor]) -> None:
    own = model.state_dict()
    differences = [
        *(f"missing {name}" for name in own if name not in saved),
        *(f"unexpected {name}" for name in saved if name not in own),
        *(
            f"{name} is {tuple(saved[name].shape)} in the file and {tuple(own[name].shape)} in the model"
            for name in own
            if name in saved and saved[name].shape != own[name].shape
        ),
    ]
    if differences:
        more = f"; and {len(differences) - 6} more" if len(differences) > 6 else ""
        raise ValueError(f"{path} is of another architecture than this {type(model).__name__}: {'; '.join(differences[:6])}{more}")


def _generator(owner: object) -> torch.Generator | None:
    generator = getattr(owner, "generator", None)
    return generator if isinstance(generator, torch.Generator) else None


def _generator_state(owner: object) -> Tensor | None:
    generator = _generator(owner)
    return None if generator is None else generator.get_state()
