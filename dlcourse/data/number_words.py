"""Numbers in words, English and German: a translation that is generated, has one right answer, and crosses over.

German says the ones before the tens, five and thirty, so that the order of the words changes with each group of three digits.
Words are cut where both languages have a part of their own ("thirty five", "fuenf und dreissig"), and written in ASCII.
"""

from __future__ import annotations

import torch
from torch.utils.data import TensorDataset

from dlcourse.data import Splits
from dlcourse.data.text import END, PAD, START, Vocabulary, pad

__all__ = ["LIMIT", "english", "english_words", "german", "german_words", "load"]

LIMIT = 1_000_000  # numbers are from 1 to one below
ENGLISH = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
ENGLISH += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
ENGLISH_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
GERMAN = ["", "ein", "zwei", "drei", "vier", "fuenf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwoelf"]
GERMAN += ["dreizehn", "vierzehn", "fuenfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"]
GERMAN_TENS = ["", "", "zwanzig", "dreissig", "vierzig", "fuenfzig", "sechzig", "siebzig", "achtzig", "neunzig"]


def english(number: int) -> list[str]:
    """Return the words of a number: 342 is three, hundred, forty, two. Raises ValueError outside 1 to LIMIT − 1."""
    thousands, rest = _split(number)
    return [*_english(thousands), "thousand", *_english(rest)] if thousands else _english(rest)


def german(number: int) -> list[str]:
    """Return the parts of the word: 342 is drei, hundert, zwei, und, vierzig. Raises ValueError as ``english``.

    Written together they are the word, dreihundertzweiundvierzig. One is "eins" at the end and "ein" before other parts.
    """
    thousands, rest = _split(number)
    parts = [*_german(thousands), "tausend", *_german(rest)] if thousands else _german(rest)
    return [*parts[:-1], "eins"] if parts[-1] == "ein" else parts


def english_words() -> Vocabulary:
    """Return the English words, numbered as in ``load``; 0 is padding."""
    return Vocabulary.build([[*ENGLISH[1:], *ENGLISH_TENS[2:], "hundred", "thousand"]], specials=(PAD,))


def german_words() -> Vocabulary:
    """Return the German parts, numbered as in ``load``; 0 is padding, 1 starts a number and 2 ends it."""
    parts = [*GERMAN[1:], *GERMAN_TENS[2:], "eins", "und", "hundert", "tausend"]
    return Vocabulary.build([parts], specials=(PAD, START, END))


def load(*, num_train: int = 6000, num_val: int = 500, num_test: int = 1000, seed: int = 0) -> Splits:
    """Return English words int64 (N, T) and German parts (N, S), padded with 0 at the end; each target has a start and an end.

    Each number is drawn once, its logarithm uniform, so that all lengths occur; then they are shared out at random, so that no
    number of a part is in another. Raises ValueError for a part without an example, and for more than half of all numbers.
    """
    sizes = (num_train, num_val, num_test)
    if min(sizes) < 1 or sum(sizes) > LIMIT // 2:
        raise ValueError(f"{sizes} examples given; at least 1 each, together at most {LIMIT // 2}, are wanted")
    generator = torch.Generator().manual_seed(seed)
    numbers: dict[int, None] = {}
    while len(numbers) < sum(sizes):
        draws = LIMIT ** torch.rand(sum(sizes), generator=generator, dtype=torch.float64)
        numbers.update(dict.fromkeys(draws.long().tolist()))
    chosen = list(numbers)[: sum(sizes)]
    order = torch.randperm(len(chosen), generator=generator).tolist()
    source, target = english_words(), german_words()
    parts = []
    for size in sizes:
        part = [chosen[order.pop()] for _ in range(size)]
        inputs, _ = pad([source.encode(english(number)) for number in part])
        targets, _ = pad([target.encode([START, *german(number), END]) for number in part])
        parts.append(TensorDataset(inputs, targets))
    return Splits(*parts)


def _split(number: int) -> tuple[int, int]:
    if not 1 <= number < LIMIT:
        raise ValueError(f"number={number}: from 1 to {LIMIT - 1} wanted")
    return divmod(number, 1000)


def _english(number: int) -> list[str]:
    """Return the words of a number below 1000; none of 0."""
    hundreds, rest = divmod(number, 100)
    words = [ENGLISH[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(ENGLISH_TENS[rest // 10])
        rest %= 10
    return [*words, ENGLISH[rest]] if rest else words


def _german(number: int) -> list[str]:
    """Return the parts of a number below 1000, with "ein" for one; none of 0."""
    hundreds, rest = divmod(number, 100)
    parts = [GERMAN[hundreds], "hundert"] if hundreds else []
    tens, ones = divmod(rest, 10)
    if tens < 2:
        return [*parts, GERMAN[rest]] if rest else parts
    return [*parts, *([GERMAN[ones], "und"] if ones else []), GERMAN_TENS[tens]]
