"""Nine plays of William Shakespeare (1564–1616), 1.2 million characters of 64 kinds, for language models.

They are the plays of "tiny Shakespeare" (Karpathy, 2015), in its order and its form: a name and a colon, the speech, a blank line.
The edition is another, and all nine are complete, so that bits per character are comparable but not equal.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from torch.utils.data import TensorDataset

from dlcourse.data import Splits, shipped
from dlcourse.data.text import Vocabulary, windows

__all__ = ["Texts", "load", "read", "vocabulary"]


class Texts(NamedTuple):
    """The plays in three fixed parts, each one long string."""

    train: str
    val: str
    test: str


def read() -> Texts:
    """Return the text: seven plays to train, The Taming of the Shrew to validate, The Tempest to test.

    Split by whole plays, since a model that has read the first half of a play knows its people. That is also nearly the last tenth
    by position, twice: 975, 117 and 92 thousand characters.
    """
    return Texts(*(_read(part) for part in Texts._fields))


def vocabulary() -> Vocabulary:
    """Return the 64 characters of the training plays, most frequent first; there is neither padding nor an unknown character."""
    return Vocabulary.build([_read("train")], specials=())


def load(*, length: int = 128) -> Splits:
    """Return windows of ``length`` characters, as numbers of ``vocabulary``: inputs and targets, both int64 (N, length).

    Each target is the character after its input. Windows stand side by side in the order of the text. On the CPU. Raises
    ValueError for a length below 1 or longer than a part.
    """
    numbers = vocabulary()
    return Splits(*(TensorDataset(*windows(numbers.encode(text), length=length)) for text in read()))


@functools.cache
def _read(part: str) -> str:
    return shipped.read(f"shakespeare-{part}.txt.xz").decode("ascii")
