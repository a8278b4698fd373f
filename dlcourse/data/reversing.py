"""Sequences of symbols and the same sequences read backwards, drawn from a seed: a task that is nothing but positions.

The answer at place t is the symbol at place T − 1 − t, whatever the symbols are, so that a model has to look at one certain place
and pay no heed to what it finds there. No sequence is drawn twice: what is held out has never been trained on.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data import Splits
from dlcourse.data.text import END, PAD, START, Vocabulary

__all__ = ["load", "vocabulary"]


def vocabulary(*, num_symbols: int = 10) -> Vocabulary:
    """Return the symbols "0", "1", ..., numbered from 3 on: 0 is padding, 1 starts an answer and 2 ends it."""
    _check_symbols(num_symbols)
    symbols = {str(symbol): 0 for symbol in range(num_symbols)}
    return Vocabulary(symbols, specials=(PAD, START, END))


def load(
    *,
    length: int = 16,
    num_symbols: int = 10,
    sizes: tuple[int, int, int] = (10_000, 1_000, 1_000),
    seed: int = 0,
) -> Splits:
    """Return sequences int64 (N, T) and answers int64 (N, T + 2): a start, the sequence backwards, an end; T = ``length``.

    ``sizes`` are the three parts' N; the numbers are those of ``vocabulary``. All sequences differ, within and between the parts.
    Sixteen digits are the reversing task in tutorial 6 of Phillip Lippe's UvA deep-learning tutorials. On the CPU. Raises
    ValueError for a length or a size below 1, fewer than 2 symbols, and more sequences than there are.
    """
    _check_symbols(num_symbols)
    if length < 1 or min(sizes) < 1:
        raise ValueError(f"length={length}, sizes={sizes}: all must be at least 1")
    total = sum(sizes)
    if total > num_symbols**length:
        raise ValueError(f"{total} sequences wanted, but only {num_symbols}^{length} = {num_symbols**length} differ")
    first = len(vocabulary(num_symbols=num_symbols)) - num_symbols
    sequences = first + _different(total, length, num_symbols, torch.Generator().manual_seed(seed))
    edge = torch.ones(total, 1, dtype=torch.int64)
    answers = torch.cat([edge, sequences.flip(1), 2 * edge], dim=1)  # <s> is 1 and </s> is 2
    parts = zip(torch.split(sequences, list(sizes)), torch.split(answers, list(sizes)), strict=True)
    return Splits(*(TensorDataset(*part) for part in parts))


def _different(total: int, length: int, num_symbols: int, generator: torch.Generator) -> Tensor:
    """Return sequences (total, length), no two alike, in the order in which they were drawn."""
    seen: dict[tuple[int, ...], None] = {}
    while len(seen) < total:
        drawn = torch.randint(num_symbols, (total - len(seen), length), generator=generator)
        seen.update(dict.fromkeys(map(tuple, drawn.tolist())))
    return torch.tensor(list(seen))


def _check_symbols(num_symbols: int) -> None:
    if num_symbols < 2:
        raise ValueError(f"num_symbols={num_symbols}: at least 2 are wanted, or all sequences are one")
