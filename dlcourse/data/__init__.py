"""Data that travels with the package: real sets in ``files/``, read without a network, split once and for all.

Each set is a module with ``load() -> Splits``; ``loaders`` turns splits into batches. Nothing is read when a module is imported.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, SequentialSampler, TensorDataset

__all__ = ["Loaders", "Splits", "loaders"]

EVALUATION_BATCH_SIZE = 1000  # no gradients are kept, so that larger batches than in training are cheap


class Splits(NamedTuple):
    """A set in its three fixed parts: fit on ``train``, choose by ``val``, touch ``test`` once."""

    train: TensorDataset
    val: TensorDataset
    test: TensorDataset


class Loaders(NamedTuple):
    """The batches of the three parts; each is an iterable of (inputs, targets) with a length."""

    train: DataLoader[tuple[torch.Tensor, ...]]
    val: DataLoader[tuple[torch.Tensor, ...]]
    test: DataLoader[tuple[torch.Tensor, ...]]


def loaders(splits: Splits, *, batch_size: int, seed: int) -> Loaders:
    """Return batches: ``train`` reshuffled every epoch from ``seed``, ``val`` and ``test`` in their stored order.

    The last training batch may be smaller. ``train.generator`` is the source of the shuffling, for an exact resume.
    Raises ValueError for a batch size below 1 and for an empty part.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: a batch needs at least 1 example")
    for name, part in zip(Splits._fields, splits, strict=True):
        if len(part) == 0:
            raise ValueError(f"the {name} split is empty: there is nothing to draw a batch from")
    generator = torch.Generator().manual_seed(seed)
    shuffled = RandomSampler(splits.train, generator=generator)
    return Loaders(
        _batches(splits.train, shuffled, batch_size, generator),
        _batches(splits.val, SequentialSampler(splits.val), EVALUATION_BATCH_SIZE),
        _batches(splits.test, SequentialSampler(splits.test), EVALUATION_BATCH_SIZE),
    )


def _batches(
    part: TensorDataset, order: Sampler[int], batch_size: int, generator: torch.Generator | None = None
) -> DataLoader[tuple[torch.Tensor, ...]]:
    # batch_size=None and a sampler of index lists: one indexing operation a batch instead of one Python call an example
    return DataLoader(part, batch_size=None, sampler=BatchSampler(order, batch_size, drop_last=False), generator=generator)
