"""Chooses among cleaned mails and splits them, so that no thread and no campaign lies in two splits."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from dlcourse.data.text import words

SHARES = {"train": 0.70, "val": 0.15, "test": 0.15}
SAME = 0.7  # above this share of common runs of words in all of both, two mails are one
RELATED = 0.3  # above this share of common runs in the shorter one, two mails belong to one thread or campaign


# A text in which these are less than 12 % of the words is not English, or no sentence. Nearly all foreign mail here is spam.
ENGLISH = 0.12
COMMON = (
    "the of and to a in is you that it for on are with as i be this have from or not by we your can if will my at do an but no our "
    "so all more was what me"
)


class Mail(NamedTuple):
    """A mail of the corpus: whether it is spam, the text that is left of it, and what came in."""

    spam: bool
    text: str
    raw: bytes


def choose_and_split(mails: list[Mail]) -> dict[str, list[Mail]]:
    """Drop what is too short, not in English, or met before; split the rest by class, group and hash of its words."""
    mails = [mail for mail in mails if _is_readable(mail.text)]
    runs = [_runs(mail.text) for mail in mails]
    repeated: set[int] = set()
    group = list(range(len(mails)))  # for each mail, one met before it in the same group, or itself

    def root(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    for place, other, common in _overlaps(runs):
        shorter = min(len(runs[place]), len(runs[other]))
        if common > SAME * (len(runs[place]) + len(runs[other]) - common):
            repeated.add(place)
        if common > RELATED * shorter:
            first, second = sorted((root(place), root(other)))
            group[second] = first
    members: defaultdict[int, list[Mail]] = defaultdict(list)
    for place, mail in enumerate(mails):
        if place not in repeated:
            members[root(place)].append(mail)
    return _split(list(members.values()))


def _is_readable(text: str) -> bool:
    """Tell whether a text has five words, is in English, and has at most 2 % of characters outside ASCII."""
    letters = _letters(text)
    if len(letters) < 5 or sum(ord(c) > 126 for c in text) > 0.02 * len(text):
        return False
    common = set(COMMON.split())
    return sum(word in common for word in letters) >= ENGLISH * len(letters)


def _letters(text: str) -> list[str]:
    return [word for word in words(text, punctuation=False) if word[0].isalpha()]


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    """Return the runs of four words."""
    letters = _letters(text)
    return frozenset(tuple(letters[i : i + 4]) for i in range(max(1, len(letters) - 3)))


def _overlaps(runs: list[frozenset[tuple[str, ...]]]) -> Iterator[tuple[int, int, int]]:
    """Yield each pair of mails that share runs, the later one first, and how many they share."""
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, own in enumerate(runs):
        for other, common in Counter(other for run in own for other in places[run]).items():
            yield place, other, common
        for run in own:
            places[run].append(place)


def _split(groups: list[list[Mail]]) -> dict[str, list[Mail]]:
    """Give each group to the split that has the least of its share of the group's class; the order comes from the words' hash."""
    parts: dict[str, list[Mail]] = {name: [] for name in SHARES}
    count: Counter[tuple[str, bool]] = Counter()
    for group in sorted(groups, key=lambda group: hashlib.sha256(" ".join(_letters(group[0].text)).encode()).hexdigest()):
        spam = 2 * sum(mail.spam for mail in group) > len(group)
        name = min(SHARES, key=lambda name: count[name, spam] / SHARES[name])
        count[name, spam] += len(group)
        parts[name].extend(group)
    return parts
