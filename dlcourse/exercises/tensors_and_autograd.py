"""The exercises of the chapter on tensors and automatic differentiation."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import torch

from dlcourse.exercises import Exercise, function, sequence

_CHANNELS, _PAIRS, _ROWS = 1, 5, 7  # the lines of the chapter's program that do not do what they say
_INNOCENT = {
    2: "Line 2 is fine: with keepdim the means have shape (1, 3, 1, 1), one for each channel.",
    3: "Line 3 is fine: flatten(1) keeps the first axis.",
    4: "Line 4 is fine: (6, 192) @ (192, 1) is (6, 1).",
    6: "Line 6 is fine: (6, 192) @ (192, 6) is (6, 6), and exp keeps shapes.",
    8: "Line 8 is fine: two lists of six indices pick six entries.",
}
_MOST_LINES = 5


def _step(answer: Any) -> str | None:
    """Want a function that takes one step of gradient descent on the mean squared error of a line."""
    if not callable(answer):
        return "A function step(W, b, X, Y, learning_rate) is wanted."
    for count in (100, 7):
        random = np.random.default_rng(count)
        X, W, b = random.random((count, 1)), random.random((1, 1)), random.random((1, 1))
        Y, rate = 3 * X + 2 + random.random((count, 1)), 0.1
        try:
            result = answer(W.copy(), b.copy(), X.copy(), Y.copy(), rate)
            new_W, new_b = (np.asarray(part, dtype=np.float64) for part in result)
        except Exception as error:  # whatever a reader's function raises
            return f"With {count} points: it raises {traceback.format_exception_only(error)[-1].strip()}"
        hint = _compare_step(new_W, new_b, W=W, b=b, X=X, Y=Y, rate=rate)
        if hint is not None:
            return f"With {count} points: {hint}"
    return None


def _compare_step(new_W: Any, new_b: Any, *, W: Any, b: Any, X: Any, Y: Any, rate: float) -> str | None:
    difference = X @ W + b - Y
    slopes = np.array([(X * difference).mean(), difference.mean()])  # half the gradient
    if new_W.shape != (1, 1) or new_b.shape != (1, 1):
        private = " That is a line for every point: the loss is a mean, so what the points say has to be added up."
        return f"W has shape {new_W.shape} and b {new_b.shape}, wanted is (1, 1).{private if len(new_W.shape) == 2 else ''}"
    moved = np.array([(W - new_W).item(), (b - new_b).item()]) / rate
    known = {
        "": 2 * slopes,
        "the steps go uphill: subtract the gradient.": -2 * slopes,
        "the steps are half as long as they should be: the derivative of a square has a factor of 2.": slopes,
        "the steps grow with the number of points: that is the gradient of the sum, not of the mean.": 2 * len(X) * slopes,
    }
    for hint, wanted in known.items():
        if np.allclose(moved, wanted, rtol=1e-6, atol=1e-9):
            return hint or None
    wrong = [name for name, a, c in zip(("W", "b"), moved, 2 * slopes, strict=True) if not np.isclose(a, c)]
    return f"the shapes are right, the step of {' and '.join(wrong)} is not: 2/n times the sum of what all points say."


def _lines(answer: Any) -> str | None:
    """Want the numbers of the three faulty lines, in any order."""
    if isinstance(answer, torch.Tensor):
        answer = answer.tolist()
    if not isinstance(answer, list | tuple | set) or not all(type(part) is int for part in answer):
        return "Three line numbers are wanted, such as (2, 3, 4)."
    given = set(answer)
    for line in sorted(given & set(_INNOCENT)):
        return _INNOCENT[line]
    found = given & {_CHANNELS, _PAIRS, _ROWS}
    if given - found:
        return "The lines are numbered from 1 to 8."
    if len(found) == 3:
        return None
    return f"{len(found)} of three. Write the shape behind every line, and ask what each axis counts after it."


def _minimal(answer: Any) -> str | None:
    """Want a short program, as text, that raises the error of the question when it runs on its own."""
    if not isinstance(answer, str):
        return "A program as text is wanted, in triple quotes."
    lines = [line for line in answer.splitlines() if line.strip() and not line.strip().startswith("#")]
    if len(lines) > _MOST_LINES or any(len(line) > 132 for line in lines):
        return f"At most {_MOST_LINES} lines of ordinary length are wanted, these are {len(lines)}."
    if "dlcourse" in answer or "mnist" in answer.lower():
        return "A stranger has neither this course nor its data: use random numbers of the right shape."
    return _judge_error(_error_of(answer))


def _judge_error(error: Exception | None) -> str | None:
    if error is None:
        return "It runs without an error, so there is nothing to ask about."
    if isinstance(error, NameError):
        return f"It stops early: {error}. Every name has to be imported or defined; that is what most questions lack."
    if isinstance(error, RuntimeError) and all(part in str(error) for part in ("mat1 and mat2", "1352", "1568")):
        return None
    line = traceback.format_exception_only(error)[-1].strip()
    return f"It raises another error: {line}. Wanted is the one about mat1 and mat2, with the sizes of the question."


def _error_of(program: str) -> Exception | None:
    """Run a program with no name defined, and return what it raises."""
    try:
        exec(compile(program, "minimal example", "exec"), {"__name__": "__main__"})
    except Exception as error:  # whatever a reader's program raises
        return error
    return None


_GRADIENT = torch.arange(24.0).reshape(2, 3, 4)

EXERCISES = {
    "tensors_and_autograd-1": sequence(
        [100, 100],
        hints={
            (100, 1): "The second shape has one axis; aligned at the right it stands below the 1.",
            (100,): "The result has as many axes as the longer shape.",
            (200, 1): "That would be a concatenation.",
        },
        hint="Write (100, 1) and, aligned at its right end, (100) below it. Missing axes count as 1.",
    ),
    "tensors_and_autograd-2": sequence(
        [8, 7, 6, 5],
        hints={
            (8, 7, 5, 1): "Align the shapes at the right, not at the left.",
            (8, 1, 6, 5): "The axis of length 1 meets a 7 and is stretched.",
            (7, 6, 5): "The axis that only one of them has is kept.",
        },
        hint="Align at the right; in each column take the length that is not 1.",
    ),
    "tensors_and_autograd-3": sequence(
        [6 * np.pi, 8.0],
        hints={
            (6 * np.pi, 9.0): "y is used twice: the sine sends a share too.",
            (6 * np.pi, 10.0): "The derivative of the sine is the cosine, and cos π is −1.",
            (6 * np.pi, -1.0): "y is used twice: the product sends a share too.",
            (3 * np.pi, 8.0): "x is used twice, by both factors of the square.",
            (8.0, 6 * np.pi): "The derivative by x comes first.",
        },
        hint="Hold y fixed and differentiate by x; then hold x fixed. Angles are in radians.",
        tolerance=6e-3,
    ),
    "tensors_and_autograd-4": Exercise(_step),
    "tensors_and_autograd-5": Exercise(_lines),
    "tensors_and_autograd-6": function(
        [
            ((_GRADIENT, (2, 3, 4)), _GRADIENT),
            ((_GRADIENT, (4,)), _GRADIENT.sum((0, 1))),
            ((_GRADIENT, (3, 1)), _GRADIENT.sum((0, 2))[:, None]),
            ((_GRADIENT, (2, 1, 4)), _GRADIENT.sum(1, keepdim=True)),
            ((_GRADIENT, ()), _GRADIENT.sum()),
            ((_GRADIENT[:, :1], (1, 1, 4)), _GRADIENT[:, :1].sum(0, keepdim=True)),
        ],
        hint="Sum over the axes that shape lacks on the left, then, with keepdim=True, over those where it has a 1.",
    ),
    "tensors_and_autograd-7": Exercise(_minimal),
}
