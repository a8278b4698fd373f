"""Check a reader's answer: ``check("convolutional_networks-2", 14)`` says right, or gives a hint.

Each chapter declares its exercises in a module of its name, as ``EXERCISES = {"<chapter>-1": number(28, hints={...}), ...}``.
A hint says what a wrong answer overlooks; it never says the answer.
"""

import copy
import math
import pkgutil
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

_TRY_AGAIN = "Look at the question once more."


@dataclass(frozen=True)
class Exercise:
    """One exercise: `check` takes an answer and returns None where it is right, else the hint."""

    check: Callable[[object], str | None]


def check(exercise: str, answer: object = None) -> None:
    """Print in one line whether the answer is right, or a hint. None and ``...`` count as not answered yet.

    Raises ValueError for an id that does not exist, and lists those that do.
    """
    found = _find(exercise)
    if answer is None or answer is ...:
        print(f"{exercise}: not answered yet.")
        return
    hint = found.check(answer)
    print(f"{exercise}: right." if hint is None else f"{exercise}: not yet. {hint}")


def number(
    expected: float, *, hints: Mapping[float, str] | None = None, hint: str = _TRY_AGAIN, tolerance: float = 0.0
) -> Exercise:
    """Want one number, to within `tolerance`; `hints` has the answers that a known mistake gives, `hint` is for all others."""

    def verdict(answer: object) -> str | None:
        value = _as_float(answer)
        if value is None:
            return f"A number is wanted, this is a {type(answer).__name__}."
        return _judge((value,), (expected,), {(wrong,): text for wrong, text in (hints or {}).items()}, hint, tolerance)

    return Exercise(verdict)


def sequence(
    expected: Sequence[float],
    *,
    hints: Mapping[tuple[float, ...], str] | None = None,
    hint: str = _TRY_AGAIN,
    tolerance: float = 0.0,
) -> Exercise:
    """Want several numbers in order, a shape for example, as a list, tuple or tensor; otherwise as `number`."""

    def verdict(answer: object) -> str | None:
        if isinstance(answer, Tensor):
            answer = answer.tolist()
        values = [_as_float(part) for part in answer] if isinstance(answer, list | tuple) else [None]
        known = tuple(value for value in values if value is not None)
        if len(known) < len(values):
            return f"A list or tuple of numbers is wanted, this is {_short(answer)}."
        if len(known) != len(expected):
            return (hints or {}).get(known, f"{len(expected)} numbers are wanted, got {len(known)}.")
        return _judge(known, tuple(expected), dict(hints or {}), hint, tolerance)

    return Exercise(verdict)


def choice(expected: str, *, options: Sequence[str], hints: Mapping[str, str] | None = None, hint: str = _TRY_AGAIN) -> Exercise:
    """Want one of the `options`, in upper or lower case; `hints` are by wrong option."""
    if _plain(expected) not in map(_plain, options):
        raise ValueError(f"expected must be one of the options {list(options)}, got {expected!r}")
    texts = {_plain(option): text for option, text in (hints or {}).items()}

    def verdict(answer: object) -> str | None:
        if not isinstance(answer, str) or _plain(answer) not in map(_plain, options):
            return f"One of {', '.join(map(repr, options))} is wanted, this is {_short(answer)}."
        return None if _plain(answer) == _plain(expected) else texts.get(_plain(answer), hint)

    return Exercise(verdict)


def function(cases: Sequence[tuple[tuple[Any, ...], Any]], *, hint: str = _TRY_AGAIN, tolerance: float = 1e-5) -> Exercise:
    """Want a function: each case is (arguments, result), results being tensors or numbers, compared to within `tolerance`.

    The function gets copies, so it may change its arguments. One that raises gets a hint with the error, not a traceback.
    """

    def verdict(answer: object) -> str | None:
        if not callable(answer):
            return f"A function is wanted, this is {_short(answer)}."
        for case, (arguments, expected) in enumerate(cases, start=1):
            where = f"Case {case} of {len(cases)}, arguments {', '.join(map(_short, arguments))}"
            try:
                difference = _difference(answer(*copy.deepcopy(arguments)), expected, tolerance)
            except Exception as error:  # whatever a reader's function raises
                return f"{where}: it raises {traceback.format_exception_only(error)[-1].strip()}"
            if difference is not None:
                return f"{where}: {difference}. {hint}"
        return None

    return Exercise(verdict)


def _judge(
    given: tuple[float, ...], wanted: tuple[float, ...], hints: Mapping[tuple[float, ...], str], hint: str, tolerance: float
) -> str | None:
    def near(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        return len(one) == len(other) and all(
            math.isclose(a, b, rel_tol=1e-9, abs_tol=tolerance) for a, b in zip(one, other, strict=True)
        )

    if near(given, wanted):
        return None
    return next((text for wrong, text in hints.items() if near(given, wrong)), hint)


def _as_float(answer: object) -> float | None:
    """Return a number of any kind (Python, NumPy, a tensor of one element) as a float, else None."""
    if isinstance(answer, bool | str | bytes):
        return None
    try:
        return float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        return None


def _difference(actual: object, expected: object, tolerance: float) -> str | None:
    """Say how a result differs from what was expected, without telling the values; None where it does not."""
    try:
        given, wanted = torch.as_tensor(actual).detach().cpu().double(), torch.as_tensor(expected).double()
    except (TypeError, ValueError, RuntimeError):
        return f"a number or tensor is wanted, it returns {_short(actual)}"
    if given.shape != wanted.shape:
        return f"the result has shape {tuple(given.shape)}, wanted is {tuple(wanted.shape)}"
    wrong = ~torch.isclose(given, wanted, rtol=1e-5, atol=tolerance)
    return f"{int(wrong.sum())} of {wrong.numel()} values are wrong" if wrong.any() else None


def _plain(text: str) -> str:
    return " ".join(text.replace("-", " ").replace("_", " ").casefold().split())


def _short(value: object) -> str:
    if isinstance(value, Tensor) and value.numel() > 1:
        return f"a tensor of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _find(exercise: str) -> Exercise:
    if not isinstance(exercise, str):
        raise TypeError(f'the first argument is the exercise\'s id, such as "convolutional_networks-2", got {exercise!r}')
    chapters = [module.name for module in pkgutil.iter_modules(__path__)]
    chapter = exercise.rpartition("-")[0]
    known: dict[str, Exercise] = {}
    for name in [chapter] if chapter in chapters else chapters:
        known |= import_module(f"{__name__}.{name}").EXERCISES
    if exercise not in known:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(known) or 'none'}")
    return known[exercise]
