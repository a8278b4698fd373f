"""What a unit of a language model follows: properties of a text, and how well each goes with each unit's cell."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from dlcourse.data.text import Vocabulary
from dlcourse.models.language_model import RecurrentLanguageModel

__all__ = ["PROPERTIES", "correlations", "properties"]

ROW, WARM = 160, 32  # characters that are read from an empty memory, and how many of them at its start do not count
NAME = re.compile(r"(?m)^[A-Z][^\n:.,;!?]{0,29}:(?=\n|\Z)")  # a line that holds a speaker's name


def _is(test: Callable[[str], bool]) -> Callable[[str], list[float]]:
    return lambda text: [float(test(character)) for character in text]


def _name(text: str) -> list[float]:
    """Return 1 from the first letter of a speaker's name to the last, before the colon."""
    values = [0.0] * len(text)
    for found in NAME.finditer(text):
        values[found.start() : found.end() - 1] = [1.0] * (found.end() - 1 - found.start())
    return values


def _since(mark: Callable[[str], bool]) -> Callable[[str], list[float]]:
    """Return how many characters ago the last character that `mark` accepts was."""

    def count(text: str) -> list[float]:
        values, since = [], 0
        for character in text:
            since = 0 if mark(character) else since + 1
            values.append(float(since))
        return values

    return count


PROPERTIES: dict[str, Callable[[str], list[float]]] = {
    "newline": _is(lambda c: c == "\n"),
    "name": _name,
    "capital": _is(str.isupper),
    "space": _is(lambda c: c == " "),
    "punctuation": _is(lambda c: c in ".,;:!?-"),
    "vowel": _is(lambda c: c.lower() in "aeiou"),
    "line": _since(lambda c: c == "\n"),
    "word": _since(lambda c: not (c.isalpha() or c == "'")),
}


def properties(text: str) -> NDArray[np.float64]:
    """Return each property of each character, (P, T), in the order of PROPERTIES; a property may look at what comes after."""
    return np.array([measure(text) for measure in PROPERTIES.values()])


@torch.no_grad()
def correlations(model: RecurrentLanguageModel, vocabulary: Vocabulary, text: str) -> NDArray[np.float64]:
    """Return Pearson's correlation (P, H) of each property with tanh of each unit's cell after the character, in a one-layer LSTM.

    The text is read in rows of 160 characters, each from an empty memory and a line's start, and the first 32 of a row do not
    count where there is more than one row. Where a property or a unit never changes the correlation is 0. Raises ValueError for
    a text that is empty or holds a character outside the vocabulary.
    """
    if not text:
        raise ValueError("an empty text given; at least one character is needed to see what a unit follows")
    numbers, values = vocabulary.encode(text), properties(text)
    rows = max(len(text) // ROW, 1)
    length = min(len(text), ROW)
    tokens = numbers[: rows * length].view(rows, length)
    cells, state = [], None
    for place in range(length):
        _, state = model.read(tokens[:, place : place + 1], state)
        cells.append(torch.tanh(state[1][-1]).double())  # (rows, H)
    start = WARM if rows > 1 else 0
    units = torch.stack(cells, dim=1)[:, start:].flatten(0, 1).numpy()  # (N, H)
    marks = values[:, : rows * length].reshape(len(values), rows, length)[:, :, start:].reshape(len(values), -1)  # (P, N)
    found: NDArray[np.float64] = _standardise(marks) @ _standardise(units.T).T / marks.shape[1]
    return found


def _standardise(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows with mean 0 and standard deviation 1; a row that never changes becomes 0."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9))
