"""Reviews made by a grammar, in which only the order of the words tells praise from blame.

Each review has a twin of the same words and the other label: "not dull but gripping" beside "not gripping but dull". Whatever does
not see order gives both the same score and is right about one of them, so that it is right about half of any part, exactly.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data import Splits
from dlcourse.data.text import Vocabulary, pad, words

__all__ = ["ReviewSplits", "Reviews", "load", "read", "vocabulary"]

PAIRS = {"train": 1000, "val": 250, "test": 250}  # two reviews each
LENGTH = 50  # words and signs; no review is longer

GOOD = ("gripping", "funny", "moving", "clever", "fresh", "charming", "brilliant", "warm", "honest", "lively", "subtle", "good")
BAD = ("dull", "silly", "tired", "clumsy", "stale", "tedious", "hollow", "cold", "false", "lifeless", "crude", "bad")
GOOD_THING = ("triumph", "delight", "gem", "success", "masterpiece", "treat")
BAD_THING = ("failure", "bore", "mess", "flop", "disaster", "disappointment")
GOOD_VERB = ("love", "enjoy", "admire", "praise", "recommend")
BAD_VERB = ("hate", "regret", "despise", "mock", "avoid")
SUBJECT = ("film", "plot", "acting", "music", "ending", "script", "story", "dialogue", "camera work", "second half")

# {same} agrees with the review's label and {other} does not; the twin has them the other way round. {s} is a subject.
ADJECTIVES = (
    "the {s} is not {other} but {same}",
    "the {s} is {same}, not {other}",
    "the {s} is not {other} at all, and even {same}",
    "the {s} is anything but {other}, and I call that {same}",
    "the {s} is hardly {other}, it is {same}",
    "the {s} is never {other} and always {same}",
    "the {s} is not only {same} but never {other}",
    "the {s} is more {same} than {other}",
    "the {s} is less {other} than {same}",
    "I was told that it is {other}, but the {s} is {same}",
    "the {s} could have been {other}, and yet it is {same}",
    "the {s} is far from {other} and close to {same}",
)
THINGS = (
    "I expected a {other} and got a {same}",
    "what looked like a {other} is a {same}",
    "this is hardly a {other}, rather a {same}",
    "the trailer promised a {other}, the {s} is a {same}",
    "call it a {same}, not a {other}",
    "no {other} at all, the {s} is a {same}",
)
VERBS = (
    "I expected to {other} it, but came to {same} it",
    "nobody should {other} the {s}, everybody should {same} it",
    "I wanted to {other} it, and yet I {same} the {s}",
    "do not {other} it, {same} it",
)
KINDS = ((ADJECTIVES, GOOD, BAD), (THINGS, GOOD_THING, BAD_THING), (VERBS, GOOD_VERB, BAD_VERB))
BEFORE = ("", "", "", "I saw it on Friday.", "We went with friends.", "My brother chose it.", "Two hours in the dark.")
AFTER = ("", "", "", "That is all.", "So much for the reviews.", "I will see it again on Monday and write more about the cast.")


class Reviews(NamedTuple):
    """Texts and labels int64 (N,): 1 for praise, 0 for blame. Twins are neighbours, in either order."""

    texts: list[str]
    labels: Tensor


class ReviewSplits(NamedTuple):
    """The reviews in their three parts; no text lies in two."""

    train: Reviews
    val: Reviews
    test: Reviews


def read(*, seed: int = 0) -> ReviewSplits:
    """Return 2,000, 500 and 500 reviews, half of each part praise. The same seed gives the same reviews."""
    draw, seen = random.Random(seed), set[str]()
    return ReviewSplits(*(_part(count, draw, seen) for count in PAIRS.values()))


def vocabulary(*, seed: int = 0) -> Vocabulary:
    """Return every word and sign of the training reviews, the most frequent first."""
    return Vocabulary.build(words(text) for text in read(seed=seed).train.texts)


def load(*, seed: int = 0) -> Splits:
    """Return the reviews as numbers: tokens int64 (N, 50), padded with 0 at the end, and labels int64 (N,).

    The numbers are those of ``vocabulary`` with the same seed. On the CPU.
    """
    numbers = vocabulary(seed=seed)
    parts = []
    for texts, labels in read(seed=seed):
        tokens, _ = pad([numbers.encode(words(text)) for text in texts], size=LENGTH)
        parts.append(TensorDataset(tokens, labels))
    return Splits(*parts)


def _part(num_pairs: int, draw: random.Random, seen: set[str]) -> Reviews:
    texts: list[str] = []
    labels: list[int] = []
    while len(texts) < 2 * num_pairs:
        praise, blame = _twins(draw)
        if praise in seen:
            continue
        seen.update((praise, blame))
        first = draw.randrange(2)
        texts += (praise, blame) if first else (blame, praise)
        labels += (first, 1 - first)
    return Reviews(texts, torch.tensor(labels))


def _twins(draw: random.Random) -> tuple[str, str]:
    """Return a review that praises and one of the same words that blames: one or two claims of one mind, and small talk."""
    praise: list[str] = []
    blame: list[str] = []
    for _ in range(draw.choice((1, 1, 2))):
        templates, good, bad = draw.choice(KINDS)
        template, subject = draw.choice(templates), draw.choice(SUBJECT)
        yes, no = draw.choice(good), draw.choice(bad)
        praise.append(template.format(same=yes, other=no, s=subject))
        blame.append(template.format(same=no, other=yes, s=subject))
    before, after = draw.choice(BEFORE), draw.choice(AFTER)
    return _review(before, praise, after), _review(before, blame, after)


def _review(before: str, claims: list[str], after: str) -> str:
    sentences = [before, *(claim[0].upper() + claim[1:] + "." for claim in claims), after]
    return " ".join(filter(None, sentences))
