"""The exercises of the chapter on attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlcourse.exercises import choice, function, sequence

_WEIGHT = 1 / (1 + math.exp(-1 / math.sqrt(2)))  # of the first key in exercise 1
_UNSCALED = 1 / (1 + math.exp(-1))
_CORRECT = 4 / 13  # phonemes wrong in exercise 6


def _draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _masked_case(mask: list[bool], *, width: int, seed: int) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return (q, K, V, mask) and the context; a value that must not be read is so large that the smallest weight would show."""
    size = len(mask)
    q, keys, values = _draw(width, seed=seed), _draw(size, width, seed=seed + 1), _draw(size, 2, seed=seed + 2)
    seen = torch.tensor(mask)
    values = torch.where(seen[:, None], values, 1e30)
    weights = torch.softmax(keys[seen] @ q / math.sqrt(width), dim=0)
    return (q, keys, values, seen), weights @ values[seen]


EXERCISES = {
    "attention-1": sequence(
        [_WEIGHT, 1 - _WEIGHT, 2 - _WEIGHT],
        hints={
            (_UNSCALED, 1 - _UNSCALED, 2 - _UNSCALED): "Those are the scores 1 and 0: they are still to be divided by √2.",
            (1.0, 0.0, 1.0): "Softmax is soft: a key that does not match at all still gets a share.",
            (0.5, 0.5, 1.5): "The query is the first key, so the two scores differ.",
            (1 - _WEIGHT, _WEIGHT, 1 + _WEIGHT): "The other way round: which of the keys is the query like?",
        },
        hint="The scores are 1/√2 and 0; softmax makes weights of them, and the output is their mean of the values.",
        tolerance=1e-3,
    ),
    "attention-2": function(
        [
            _masked_case([True, False, True, True], width=3, seed=0),
            _masked_case([False, True, False, False, False], width=2, seed=10),
            _masked_case([True, True, True], width=4, seed=20),
            _masked_case([False, False, False], width=3, seed=30),
        ],
        hint="The masked scores have to be out before the softmax, which then shares 1 among the others; "
        "where nothing may be read, the result is 0.",
    ),
    "attention-3": sequence(
        [1 / 3, 1.0],
        hints={
            (1.0, 1.0): "Clipping: the reference has one “the”, so only one of the three counts.",
            (1 / 2, 1.0): "Precision divides by the words of the candidate, not of the reference.",
            (1 / 3, 1 / 3): "The first is right. In the second candidate every word occurs in the reference often enough.",
            (
                1 / 3,
                1 / 2,
            ): "The first is right. Precision does not ask for what is missing: that is the brevity penalty's business.",
            (1.0, 1 / 3): "Clip the count of “the” at that of the reference, in the first candidate.",
        },
        hint="For each word of the candidate: its count, but at most its count in the reference. Add up, divide by the length.",
        tolerance=2e-3,
    ),
    "attention-4": choice(
        "i",
        options=("i", "j"),
        hints={"j": "The sum runs over j, and what is summed are the values: j counts what is read. Who reads?"},
    ),
    "attention-5": sequence(
        [0.168, 0.21, 0.252],
        hints={
            (0.168, 0.252, 0.252): "The first and the last are right. Which two beginnings does a beam of 2 keep?",
            (0.42, 0.42, 0.42): "That is the first token alone: multiply by the probability of the second.",
            (0.21, 0.252, 0.252): "Greedy begins with the likeliest first token.",
            (0.252, 0.21, 0.168): "The other way round: greedy search finds least.",
        },
        hint="Multiply along each branch. Greedy keeps one beginning, the beam the two likeliest, the best may begin anyhow.",
        tolerance=1e-6,
    ),
    "attention-6": sequence(
        [_CORRECT, 2 / 3],
        hints={
            ((0.5 + 0 + 1 / 3) / 3, 2 / 3): "That is the mean of three rates. The phoneme error rate adds the errors up first.",
            (1 / 3, 2 / 3): "The rate divides by the phonemes of the dictionary's readings; there are 13.",
            (_CORRECT, 1 / 3): "That is the share of words that are right.",
            (3 / 13, 2 / 3): "Count once more: in two of the words there are two errors each.",
            (2 / 13, 2 / 3): "Something that is missing is an error as well.",
        },
        hint="An error is a phoneme changed, missing or too many. Add the errors of all words and divide by all phonemes wanted.",
        tolerance=2e-3,
    ),
}
