"""How far written sequences are from what they should be: edits, error rates, shared n-grams.

A sequence is a list of words or phonemes, or a string, whose tokens are its characters. For each of
N sequences there may be several that are right, its references.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

Tokens = Sequence[Hashable]


def edit_distance(a: Tokens, b: Tokens) -> int:
    """Return how many tokens to insert, delete or replace to turn a into b (Levenshtein, 1966)."""
    row = list(range(len(b) + 1))  # from the first 0 tokens of a to the first j of b
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def error_rate(predictions: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Return the edits needed, over all N predictions, a token that should be there.

    0 at best, above 1 at worst. ``references`` has for each prediction a list of the sequences that
    are right; the one with the fewest edits counts, and of equals the first. Of phonemes it is the
    phoneme error rate, of words the word error rate of speech recognition. Raises ValueError for no
    prediction, for references of another number, for a prediction without one and where no
    reference has a token; TypeError for references that are not lists of sequences.
    """
    _check(predictions, references)
    edits, size = 0, 0
    for prediction, right in zip(predictions, references, strict=True):
        distances = [edit_distance(prediction, reference) for reference in right]
        edits += min(distances)
        size += len(right[distances.index(min(distances))])
    if size == 0:
        raise ValueError("no reference has a token: there is nothing to count errors by")
    return edits / size


def exact_match(predictions: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Return the share, 0 to 1, of predictions that equal one of their references.

    1 minus this is the word error rate of spelling to sound, where each word is one prediction.
    Errors as ``error_rate``.
    """
    _check(predictions, references)
    pairs = zip(predictions, references, strict=True)
    right = [list(p) in [list(reference) for reference in some] for p, some in pairs]
    return sum(right) / len(right)


def ngram_precision(
    predictions: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    *,
    n: int,
) -> float:
    """Return the clipped n-gram precision (Papineni et al., 2002, section 2.1).

    The share of all predicted n-grams that are found in a reference, where an n-gram counts at most
    as often as the reference that has most of it. 0 where no prediction has n tokens. Raises
    ValueError for n below 1, else as ``error_rate``.
    """
    _check(predictions, references)
    if n < 1:
        raise ValueError(f"n={n}: at least 1 token is wanted")
    found, total = 0, 0
    for prediction, right in zip(predictions, references, strict=True):
        counts = _ngrams(prediction, n)
        most = Counter[tuple[Any, ...]]()
        for reference in right:
            most |= _ngrams(reference, n)  # of each n-gram the larger count
        found, total = found + (counts & most).total(), total + counts.total()
    return found / total if total else 0.0


def bleu(
    predictions: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    *,
    max_n: int = 4,
) -> float:
    """Return BLEU of a whole set, 0 to 1 (Papineni et al., 2002, section 2.3).

    The geometric mean of the clipped precisions of 1 to ``max_n`` tokens, times the brevity penalty
    exp(1 − r / c) where the predictions, c tokens together, are shorter than r, the references
    nearest in length (of equally near ones the shorter). No smoothing: one precision of 0 makes it
    0. Errors as ``ngram_precision``.
    """
    if max_n < 1:
        raise ValueError(f"max_n={max_n}: at least 1 token is wanted")
    precisions = [ngram_precision(predictions, references, n=n) for n in range(1, max_n + 1)]
    if min(precisions) == 0:
        return 0.0
    written, wanted = 0, 0
    for prediction, right in zip(predictions, references, strict=True):
        size = len(prediction)
        written += size
        wanted += min(map(len, right), key=lambda other: (abs(other - size), other))
    brevity = min(1.0, math.exp(1 - wanted / written))
    return brevity * math.exp(sum(map(math.log, precisions)) / max_n)


def _ngrams(tokens: Tokens, n: int) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def _check(predictions: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> None:
    if len(predictions) == 0 or len(predictions) != len(references):
        given = f"{len(predictions)} predictions and references for {len(references)} given"
        raise ValueError(f"{given}; at least 1, and as many of both, are wanted")
    for place, right in enumerate(references):
        if len(right) == 0:
            raise ValueError(f"prediction {place} has no reference: at least 1 is wanted")
        if isinstance(right, str) or not all(isinstance(reference, Sequence) for reference in right):
            raise TypeError(f"references[{place}] must be a list of sequences, got {right!r}: write [[...]] for one reference")
