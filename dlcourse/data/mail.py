"""Mail, spam or not: 5,000 of the SpamAssassin project's public corpus (2002–2005), as plain text.

What gives the answer away for the wrong reason is gone: headers, tags and footers of mailing lists, quotations (``mail_text``).
What remains is language, and a shortcut that no cleaning removes: most of the good mail comes from a few lists about Linux and
programming. ``read_raw`` has a sample as it came in, for the lesson on shortcuts.
"""

from __future__ import annotations

import functools
import json
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data import Splits, shipped
from dlcourse.data.text import Vocabulary, fill, words

__all__ = ["MailSplits", "Mails", "load", "read", "read_raw", "vocabulary"]


class Mails(NamedTuple):
    """Texts, each a subject, a line break and the start of a body; labels int64 (N,), 1 for spam and 0 for good mail."""

    texts: list[str]
    labels: Tensor


class MailSplits(NamedTuple):
    """The mails in their three fixed parts. No thread and no campaign lies in two."""

    train: Mails
    val: Mails
    test: Mails


def read() -> MailSplits:
    """Return the cleaned mails, about 70, 15 and 15 %, each part with the same share of spam (22 %).

    A text has at most 2,000 characters; links, addresses and numbers are <url>, <address> and <number>.
    """
    return _read("mail.jsonl.xz")


def read_raw() -> MailSplits:
    """Return a sample of 400, 100 and 200 mails as they came in, half of them spam: headers, tags, footers and all.

    The first 4,000 characters of each; what stood before an @ reads "user". They are mails of the same parts of ``read``, and
    ``mail_text.clean(text.encode())`` takes away what gives the answer away.
    """
    return _read("mail-raw.jsonl.xz")


def vocabulary(*, vocab_size: int = 10_000, max_length: int = 200) -> Vocabulary:
    """Return the most frequent words and signs among the first ``max_length`` of each training mail, seen twice or more.

    Raises ValueError for a vocabulary without room for a word and for a length below 1.
    """
    if max_length < 1:
        raise ValueError(f"max_length={max_length}: at least 1 token is needed")
    return Vocabulary.build((tokens[:max_length] for tokens in _tokens().train), max_size=vocab_size, min_count=2)


def load(*, vocab_size: int = 10_000, max_length: int = 200) -> Splits:
    """Return the cleaned mails as numbers: tokens int64 (N, max_length), padded with 0 at the end, and labels int64 (N,).

    Label 1 is spam. The numbers are those of ``vocabulary`` with the same arguments; ``text.lengths`` gives the lengths back. On
    the CPU. Raises ValueError as ``vocabulary`` does.
    """
    numbers = vocabulary(vocab_size=vocab_size, max_length=max_length)
    parts = []
    for mails, (_, labels) in zip(_tokens(), read(), strict=True):
        cut = [tokens[:max_length] for tokens in mails]
        flat, sizes = numbers.encode(list(chain.from_iterable(cut))), torch.tensor([len(tokens) for tokens in cut])
        parts.append(TensorDataset(fill(flat, sizes, size=max_length), labels))
    return Splits(*parts)


class _Tokens(NamedTuple):
    train: list[list[str]]
    val: list[list[str]]
    test: list[list[str]]


@functools.cache  # most of the time that load takes
def _tokens() -> _Tokens:
    return _Tokens(*([words(text) for text in part.texts] for part in read()))


def _read(name: str) -> MailSplits:
    mails = _lines(name)
    return MailSplits(*(_part([mail for mail in mails if mail["split"] == split]) for split in MailSplits._fields))


def _part(mails: list[dict[str, str]]) -> Mails:
    return Mails([mail["text"] for mail in mails], torch.tensor([int(mail["spam"]) for mail in mails]))


@functools.cache
def _lines(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in shipped.read(name).decode("utf-8").splitlines()]
