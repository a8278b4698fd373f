"""The exercises of the chapter on multilayer perceptrons."""

from __future__ import annotations

import math
from typing import Any

import torch

from dlcourse.exercises import function, number, sequence

_DELTA = torch.tensor([[1.0, -2.0], [0.5, 0.0], [3.0, 1.0]])  # (B, D) = (3, 2)
_WEIGHT = torch.tensor([[1.0, 2.0, -1.0, 0.0], [0.0, 1.0, 3.0, -2.0]])  # (D, E) = (2, 4)
_BELOW = torch.tensor([[0.5, 0.1, 0.9, 0.2], [0.3, 0.5, 0.7, 0.4], [0.8, 0.6, 0.2, 0.5]])  # (B, E)
_FIRST = (torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]]), torch.tensor([1.0, 0.0, -2.0]))  # (3, 2) and (3,)
_SECOND = (torch.tensor([[1.0, -1.0, 2.0], [0.5, 0.0, 1.0]]), torch.tensor([0.0, 3.0]))  # (2, 3) and (2,)


def _logistic(x: Any) -> Any:
    """Return σ(x) of a number or a tensor."""
    return torch.sigmoid(x) if isinstance(x, torch.Tensor) else 1 / (1 + math.exp(-x))


EXERCISES = {
    "multilayer_perceptron-1": sequence(
        [1, -2, 2],
        hints={
            (1, -2, 1): "At s = 3 that gives 0, and three ones have parity 1.",
            (1, -1, 1): "Those are the slopes. A hinge's weight is the change of slope where it begins.",
            (1, -2, 3): "At s = 3 that gives 2. How many units are active there, and what does each add?",
        },
        hint="Put s = 1, 2, 3 in, one after the other: each time only one more unit is active.",
        tolerance=1e-6,
    ),
    "multilayer_perceptron-2": number(
        109_386,
        hints={
            109_184: "Those are the weights. Every unit has a bias as well.",
            109_376: "The output units have biases too.",
            109_258: "The first hidden layer has biases too.",
            110_170: "The inputs are no units: they have no biases.",
        },
        hint="A layer with a inputs and b units has a·b weights and b biases; add three layers up.",
    ),
    "multilayer_perceptron-3": number(
        0.25**10,
        hints={
            0.25: "That is one slope. There are ten, and they are multiplied.",
            2.5: "The slopes are multiplied, not added.",
            1.0: "The slope of the sigmoid is never 1: σ′ = σ (1 − σ).",
            0.5**10: "1/2 is the value of σ where it is steepest. Its slope there is σ (1 − σ).",
        },
        hint="Where is σ (1 − σ) largest, and how large is it there? Then multiply ten of them.",
        tolerance=2e-9,
    ),
    "multilayer_perceptron-4": function(
        [
            ((_DELTA, _WEIGHT, _BELOW), (_DELTA @ _WEIGHT) * _BELOW * (1 - _BELOW)),
            ((_DELTA[:1], _WEIGHT, _BELOW[:1]), (_DELTA[:1] @ _WEIGHT) * _BELOW[:1] * (1 - _BELOW[:1])),
        ],
        hint="Formula (6) has one more factor, entry by entry: φ′(z), for the sigmoid h (1 − h).",
    ),
    "multilayer_perceptron-5": function(
        [
            (
                (*_FIRST, *_SECOND),
                torch.cat([_SECOND[0] @ _FIRST[0], (_SECOND[0] @ _FIRST[1] + _SECOND[1])[:, None]], dim=1),
            ),
        ],
        hint="Put h = W1 x + b1 into W2 h + b2 and sort: what multiplies x, and what is left? The bias is the last column.",
    ),
    "multilayer_perceptron-6": function(
        [
            ((_logistic, 0.0), 0.0),
            ((_logistic, 1.5), math.tanh(1.5)),
            ((_logistic, torch.linspace(-4, 4, 9)), torch.linspace(-4, 4, 9).tanh()),
        ],
        hint="tanh runs from −1 to 1 and has slope 1 at 0, σ runs from 0 to 1 and has slope 1/4: stretch twice.",
    ),
}
