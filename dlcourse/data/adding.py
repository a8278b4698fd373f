"""Two tasks made to measure memory: add two marked numbers, or repeat symbols after a wait. Both are drawn from a seed.

Neither can be done from the last steps alone, and the delay is whatever one asks for.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["adding", "copying"]


def adding(num_examples: int, *, length: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return x float32 (N, T, 2) and y float32 (N,): y is the sum of the two numbers that are marked (T = ``length``).

    The first column holds numbers uniform in [0, 1), the second marks with 1 one step of the first half and one of the second,
    and is 0 elsewhere (Hochreiter and Schmidhuber, 1997, section 5.4, in the form of Arjovsky et al., 2016). To answer 1 always has
    a mean squared error of 1/6. Raises ValueError for fewer than 1 example and fewer than 2 steps.
    """
    _check_size(num_examples)
    if length < 2:
        raise ValueError(f"length={length}: two marked steps need at least 2")
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(num_examples, length, generator=generator)
    half = length // 2
    first = torch.randint(half, (num_examples, 1), generator=generator)
    second = torch.randint(half, length, (num_examples, 1), generator=generator)
    marks = torch.zeros(num_examples, length).scatter_(1, torch.cat([first, second], 1), 1.0)
    return torch.stack([values, marks], dim=-1), (values * marks).sum(1)


def copying(num_examples: int, *, delay: int, seed: int, num_symbols: int = 8, size: int = 1) -> tuple[Tensor, Tensor]:
    """Return tokens int64 (N, T) and symbols int64 (N, S): S symbols, a wait, a signal, and then they are to be repeated.

    S is ``size`` and T is S + ``delay`` + S: the S symbols, each one of ``num_symbols`` (numbers 0 to num_symbols − 1), then
    ``delay`` tokens of which the last is the signal (number num_symbols + 1) and the others blank (num_symbols), then S blanks, at
    which the answer is due (Hochreiter and Schmidhuber, 1997, in the form of Arjovsky et al., 2016, section 5.1). To guess is right
    once in num_symbols times. Raises ValueError where one of the numbers leaves nothing to do.
    """
    _check_size(num_examples)
    if delay < 1 or size < 1 or num_symbols < 2:
        raise ValueError(f"delay={delay}, size={size} and num_symbols={num_symbols} given; at least 1, 1 and 2 wanted")
    generator = torch.Generator().manual_seed(seed)
    symbols = torch.randint(num_symbols, (num_examples, size), generator=generator)
    tokens = torch.full((num_examples, size + delay + size), num_symbols)
    tokens[:, :size] = symbols
    tokens[:, size + delay - 1] = num_symbols + 1
    return tokens, symbols


def _check_size(num_examples: int) -> None:
    if num_examples < 1:
        raise ValueError(f"num_examples={num_examples}: at least 1 is needed")
