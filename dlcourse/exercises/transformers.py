"""The exercises of the chapter on Transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from dlcourse.exercises import Exercise, function, number, sequence
from dlcourse.layers.positional import RotaryEmbedding

_ORDER = ("first", "second", "third", "fourth", "fifth")


def _each(wanted: Sequence[float], hints: Sequence[tuple[Mapping[float, str], str]], *, tolerance: float = 1e-6) -> Exercise:
    """Want several numbers and judge each by itself: `hints` has, for each, those of known mistakes and the one for all others."""

    def verdict(answer: object) -> str | None:
        parts = answer.tolist() if isinstance(answer, Tensor) else answer
        if not isinstance(parts, list | tuple) or len(parts) != len(wanted):
            return f"{len(wanted)} numbers are wanted, as a list or tuple."
        judges = [
            number(value, hints=known, hint=hint, tolerance=tolerance) for value, (known, hint) in zip(wanted, hints, strict=True)
        ]
        for place, judge, part in zip(_ORDER, judges, parts, strict=False):
            hint = judge.check(part)
            if hint is not None:
                return f"The {place}: {hint}"
        return None

    return Exercise(verdict)


_NUMBERS = _each(
    [512, 36, 15, 17, 4608],
    [
        (
            {
                64: "That is one head; each has weights of its own.",
                256: "That is two bytes a number; 32 bits are four.",
                536.870912: "Right in millions of bytes; a MiB is 1024 × 1024.",
                128: "That is the count of weights in units of 1024 × 1024; each takes four bytes.",
                4096: "Count again: heads × queries × keys × 4 bytes, and a MiB is 1024 × 1024 bytes.",
            },
            "One weight for each head, query and key, four bytes each; a MiB is 1024 × 1024 bytes.",
        ),
        (
            {
                18: "Keys and values are both kept.",
                72: "That is four bytes a number; 16 bits are two.",
                3: "That is one layer; each keeps its own.",
                432: "The width is already that of all heads together.",
            },
            "For each layer and token, D numbers of keys and D of values, two bytes each.",
        ),
        (
            {10: "A token may also attend to itself.", 25: "That is without the mask.", 20: "Half of that is the future."},
            "Token t, counted from 1, may attend to t tokens: 1 + 2 + 3 + 4 + 5.",
        ),
        (
            {16: "Those are the patches; there is one token more.", 5: "That is one row of patches and the class token."},
            "Count the patches along one side, take the square, and add the class token.",
        ),
        (
            {
                768: "There D·T² is D²·T; but scores and mixing have a 2 before them, and the rest a 12.",
                9216: "Scores and mixing are two products.",
            },
            "Set 2T²D equal to 12TD² and solve for T.",
        ),
    ],
    tolerance=0.005,
)


def _mask_cases() -> list[tuple[tuple[Tensor], Tensor]]:
    """Return batches of tokens, 0 for padding, with the bool masks (B, T, T) of who may read whom."""
    one = torch.tensor([[[1, 0, 0], [1, 1, 0], [1, 1, 1]]])
    two = torch.tensor([[[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]], torch.ones(4, 4).tril().tolist()])
    return [
        ((torch.tensor([[4, 2, 7]]),), one.bool()),
        ((torch.tensor([[5, 3, 0, 0], [8, 1, 6, 2]]),), two.bool()),
    ]


def _turned(*shape: int, seed: int) -> tuple[tuple[Tensor], Tensor]:
    """Return queries (..., T, K), and what the package's rotary positions make of them."""
    q = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (q,), RotaryEmbedding(shape[-1], max_length=shape[-2])(q)


EXERCISES = {
    "transformers-1": _NUMBERS,
    "transformers-2": number(
        33_472,
        hints={
            33_344: "The two normalisations have 2·64 each: a scale and a shift.",
            33_216: "The normalisations have parameters too, a scale and a shift for each of the 64 numbers, twice.",
            33_024: "Each of the six dense layers has a bias for every number that comes out.",
            32_768: "Those are the weight matrices; biases and normalisations are missing.",
            49_984: "That is with a hidden layer of 256; here it is 128.",
            29_312: "Four matrices belong to attention: queries, keys, values, and the output.",
            66_944: "That is two blocks.",
            83_200: "Each head maps 64 numbers to 16, not to 64.",
        },
        hint="Attention: four matrices 64 × 64 with biases. Feed-forward: 64 → 128 → 64 with biases. Two normalisations of 2·64.",
    ),
    "transformers-3": sequence(
        [0, 1, 0, 1, 0, 1, 3],
        hints={
            (1, 0, 1, 0, 1, 0, 3): "Sine first: at angle 0 it is 0.",
            (0, 0, 0, 1, 1, 1, 3): "Sine and cosine stand side by side, pair after pair.",
            (0, 0, 0, 0, 0, 0, 0): "The cosine of 0 is not 0.",
            (0, 1, 0, 1, 0, 1, 6): "The row is right. In each pair sin² + cos² is 1; how many pairs are there?",
            (0, 1, 0, 1, 0, 1, 1000): "The row is right. Every entry lies between −1 and 1: use sin² + cos² = 1.",
            (0, 1, 0, 1, 0, 1): "The row is right. One number more: the inner product of row 1000 with itself.",
        },
        hint="At position 0 every angle is 0, whatever its rate. For the last number use sin² + cos² = 1 in each pair.",
        tolerance=1e-6,
    ),
    "transformers-4": function(
        _mask_cases(),
        hint="(T, T) says that a key is no later than the query, (B, 1, T) that it is no padding; a pair must pass both.",
    ),
    "transformers-5": function(
        [_turned(1, 4, seed=0), _turned(5, 2, seed=1), _turned(2, 3, 7, 8, seed=2)],
        hint="Pair i is column i and column i + K/2; at position t it turns, as a vector in the plane, by t · 10000^(−2i/K).",
        tolerance=1e-4,
    ),
    "transformers-6": sequence(
        [3, 5 / 9, 2 / 3],
        hints={
            (2, 2 / 3, 2 / 3): "Two tokens hold 0.75, which is below 0.8: the set has to reach it.",
            (3, 0.5, 0.5): "What is kept has to sum to one again: divide.",
            (3, 0.5, 2 / 3): "What top-p keeps has to sum to one again, too.",
            (4, 0.5 / 0.97, 2 / 3): "Three tokens already hold 0.9.",
            (3, 5 / 9, 5 / 9): "The first two are right. Top-k keeps two tokens, however much they hold.",
        },
        hint="Top-p: add up from the likeliest until 0.8 is reached. Either way, divide what is kept by its sum.",
        tolerance=5e-3,
    ),
}
