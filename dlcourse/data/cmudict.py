"""Spelling to sound: 124,000 English words in the Carnegie Mellon Pronouncing Dictionary (CMU, 1993–2015)."""

from __future__ import annotations

import functools
import zlib
from itertools import chain
from typing import NamedTuple

import torch
from torch.utils.data import TensorDataset

from dlcourse.data import Splits, shipped
from dlcourse.data.text import END, PAD, START, Vocabulary, fill

__all__ = ["Readings", "Words", "letters", "load", "phonemes", "read"]

Readings = tuple[tuple[str, ...], ...]  # of one word: each a sequence of phonemes, the most usual first
STRESS = str.maketrans("", "", "012")


class Words(NamedTuple):
    """The dictionary in its three fixed parts: each word, in lower case, with all its readings. A word is in one part only."""

    train: dict[str, Readings]
    val: dict[str, Readings]
    test: dict[str, Readings]


def read(*, stress: bool = False) -> Words:
    """Return the words with their readings: about 85, 5 and 10 %, chosen by the word's CRC-32, which draws no random number.

    Without ``stress`` the phonemes are the 39 of the published comparisons; with it each vowel carries 0, 1 or 2 (AH0, AH1, AH2).
    Readings that differ in stress alone are then one. A prediction that equals any reading is right. The inflected forms of a word
    may lie in other parts than the word, as they do in every random split.
    """
    return Words(*(part.copy() for part in _read(stress)))


def letters() -> Vocabulary:
    """Return the 26 letters and the apostrophe, numbered as in ``load``; 0 is padding."""
    return Vocabulary.build(_read(False).train, specials=(PAD,))


def phonemes(*, stress: bool = False) -> Vocabulary:
    """Return the phonemes, numbered as in ``load``; 0 is padding, 1 starts a reading and 2 ends it."""
    return Vocabulary.build(chain.from_iterable(_read(stress).train.values()), specials=(PAD, START, END))


def load(*, stress: bool = False) -> Splits:
    """Return spellings int64 (N, T) and readings int64 (N, S), padded with 0 at the end; each reading has a start and an end.

    In the training part a word stands once for each of its readings; in the others once, with its first. On the CPU.
    """
    words, spelling, sounds = read(stress=stress), letters(), phonemes(stress=stress)
    parts = []
    for part in words:
        most = None if part is words.train else 1
        pairs = [(word, (START, *reading, END)) for word, readings in part.items() for reading in readings[:most]]
        inputs = fill(spelling.encode("".join(word for word, _ in pairs)), torch.tensor([len(word) for word, _ in pairs]))
        flat = list(chain.from_iterable(reading for _, reading in pairs))
        parts.append(TensorDataset(inputs, fill(sounds.encode(flat), torch.tensor([len(reading) for _, reading in pairs]))))
    return Splits(*parts)


@functools.cache
def _read(stress: bool) -> Words:
    text = shipped.read("cmudict.tsv.xz").decode("ascii")
    parts = Words({}, {}, {})
    for line in (text if stress else text.translate(STRESS)).splitlines():
        word, _, sounds = line.partition("\t")
        remainder = zlib.crc32(word.encode()) % 20
        part = parts.test if remainder < 2 else parts.val if remainder == 2 else parts.train
        reading, known = tuple(sounds.split()), part.get(word, ())
        if reading not in known:
            part[word] = (*known, reading)
    return parts
