"""Batches for a model that reads one sequence and writes another: padded no more than they have to be."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data.text import lengths

__all__ = ["PairBatches"]

Batch = tuple[tuple[Tensor, Tensor], Tensor]


class PairBatches:
    """Batches ((source, target_in), target_out) of pairs, anew at every iteration.

    The pairs are sources int64 (N, S) and targets (N, T), padded with 0 at the end; each target
    begins with ``start``. target_in is a target without its last column and target_out without its
    first, so that each token is predicted from those before it. With a ``seed`` pairs of about
    equal lengths come together, which saves the time to compute padding, and the batches come in
    another order every time; without one the pairs come as they are stored. ``num_batches`` ends an
    iteration after so many, for epochs shorter than the data. ``generator`` is the source of the
    shuffling, None without a seed. Raises ValueError for a batch size or number below 1, for pairs
    of other shapes and for a target that does not begin with ``start``.
    """

    def __init__(
        self,
        pairs: TensorDataset,
        *,
        batch_size: int,
        start: int,
        seed: int | None = None,
        num_batches: int | None = None,
    ) -> None:
        if batch_size < 1 or (num_batches is not None and num_batches < 1):
            given = f"batch_size={batch_size}, num_batches={num_batches}"
            raise ValueError(f"{given}: at least 1 batch of at least 1 pair is wanted")
        self.sources, self.targets = pairs.tensors
        self.batch_size, self.num_batches = batch_size, num_batches
        self.sizes = torch.stack([lengths(part) for part in pairs.tensors])  # (2, N)
        wrong = (self.targets[:, 0] != start) | (self.sizes[1] < 2)
        if wrong.any():
            place = int(wrong.nonzero()[0, 0])
            given = f"target {place} is {self.targets[place, : self.sizes[1, place]].tolist()}"
            raise ValueError(f"{given}; it must begin with {start}, its start, and go on")
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(range(0, len(self.sources), self.batch_size)[: self.num_batches])

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._rows()[: self.num_batches]:
            source_size, target_size = self.sizes[:, rows].amax(1).tolist()
            target = self.targets[rows, :target_size]
            yield (self.sources[rows, :source_size], target[:, :-1]), target[:, 1:]

    def _rows(self) -> list[Tensor]:
        if self.generator is None:
            return self._cut(torch.arange(len(self.sources)))
        order = torch.randperm(len(self.sources), generator=self.generator)
        longest = int(self.sizes[1].max())
        sizes = self.sizes[0, order] * (longest + 1) + self.sizes[1, order]
        batches = self._cut(order[sizes.argsort(stable=True)])
        return [batches[i] for i in torch.randperm(len(batches), generator=self.generator)]

    def _cut(self, order: Tensor) -> list[Tensor]:
        return [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
