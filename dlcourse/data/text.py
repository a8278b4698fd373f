"""Text to tensors: characters, words, a vocabulary, padding and masks. Byte pairs are in ``byte_pairs``.

The order is: split the data, cut the texts into tokens, build the vocabulary from the training split alone, encode all splits,
pad each batch. A vocabulary built before the split has already seen the test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import torch
from torch import Tensor

from dlcourse.data.byte_pairs import BytePairEncoding

__all__ = [
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "BytePairEncoding",
    "RandomWindows",
    "Vocabulary",
    "fill",
    "lengths",
    "mask",
    "pad",
    "windows",
    "words",
]

PAD, UNKNOWN, START, END = "<pad>", "<unk>", "<s>", "</s>"
# A placeholder such as <url>; a word, with its apostrophes; any other sign that is no space.
TOKEN = re.compile(r"<[a-z]+>|[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")


def words(text: str, *, punctuation: bool = True) -> list[str]:
    """Return the words of a text in lower case, in order; with ``punctuation`` every other sign is a token of its own.

    "Don't pay $5!" becomes don't, pay, $, 5, !. A placeholder in angle brackets, as in <url>, stays one token. A text without a
    word gives an empty list.
    """
    tokens = TOKEN.findall(text.lower())
    return tokens if punctuation else [token for token in tokens if token[0].isalnum() or len(token) > 1]


class Vocabulary:
    """Numbers the tokens of the training split: padding is 0, unknown is 1, then the most frequent token first.

    Attributes: ``tokens``, the V tokens in the order of their numbers; ``counts`` int64 (V,), how often each occurred when the
    vocabulary was built, under "unknown" what was left out; ``pad`` and ``unknown``, their numbers, or None where there are none.
    """

    def __init__(self, counts: dict[str, int], *, specials: Sequence[str] = (PAD, UNKNOWN)) -> None:
        """Give the first numbers to ``specials``, the next to the tokens of ``counts`` in its order.

        Raises ValueError for a special met twice.
        """
        self.tokens = [*specials, *(token for token in counts if token not in specials)]
        self.numbers = {token: number for number, token in enumerate(self.tokens)}
        if len(self.numbers) != len(self.tokens):
            raise ValueError(f"specials={tuple(specials)}: each must be another token")
        self.counts = torch.tensor([counts.get(token, 0) for token in self.tokens])
        self.pad, self.unknown = self.numbers.get(PAD), self.numbers.get(UNKNOWN)
        self._whole_words = any(len(token) > 1 for token in self.tokens[len(specials) :])

    @classmethod
    def build(
        cls,
        texts: Iterable[Iterable[str]],
        *,
        max_size: int | None = None,
        min_count: int = 1,
        specials: Sequence[str] = (PAD, UNKNOWN),
    ) -> Vocabulary:
        """Build from the training split: texts, each a list of tokens, or a string, whose tokens are its characters.

        Keeps tokens that occur at least ``min_count`` times, and of those the most frequent, so that with the specials there are
        at most ``max_size``; of equally frequent ones the first in code point order. Raises ValueError where no token is left,
        and where texts is one string rather than a list.
        """
        if isinstance(texts, str):
            raise ValueError("texts must be a list of texts, each a list of tokens; for characters write [text]")
        found = Counter(chain.from_iterable(texts))
        specials = tuple(specials)
        ranked = sorted((-count, token) for token, count in found.items() if token not in specials and count >= min_count)
        room = len(ranked) if max_size is None else max_size - len(specials)
        kept = {token: -count for count, token in ranked[: max(room, 0)]}
        if not kept:
            raise ValueError(f"no token to number: {len(found)} different ones with min_count={min_count}, max_size={max_size}")
        if UNKNOWN in specials:
            kept[UNKNOWN] = found.total() - sum(kept.values())
        return cls(kept, specials=specials)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self.numbers

    def encode(self, tokens: Sequence[str]) -> Tensor:
        """Return the numbers of the tokens, int64 (T,); of a string, those of its characters. No token gives a tensor of length 0.

        A token that the vocabulary does not know becomes "unknown"; ValueError, naming it, where the vocabulary has no such
        number. TypeError for a string where the vocabulary holds words: cut it with ``words`` first.
        """
        if isinstance(tokens, str) and self._whole_words:
            raise TypeError("this vocabulary holds words, and a string was given: cut it into tokens first, with text.words")
        if self.unknown is not None:
            return torch.tensor([self.numbers.get(token, self.unknown) for token in tokens], dtype=torch.int64)
        missing = sorted(set(tokens) - self.numbers.keys())
        if missing:
            raise ValueError(f"not in the vocabulary, which has no {UNKNOWN}: {', '.join(map(repr, missing[:5]))}")
        return torch.tensor([self.numbers[token] for token in tokens], dtype=torch.int64)

    def decode(self, numbers: Tensor | Sequence[int]) -> list[str]:
        """Return the tokens of numbers (T,), padding left out.

        Raises ValueError for a tensor of another shape, such as a batch, and for a number outside 0 to V − 1; TypeError for a
        tensor that is not int64.
        """
        if isinstance(numbers, Tensor):
            if numbers.ndim != 1:
                raise ValueError(f"numbers of shape {tuple(numbers.shape)} given; one text (T,) wanted: decode a batch row by row")
            if numbers.dtype != torch.int64:
                raise TypeError(f"numbers must be of dtype torch.int64, got {numbers.dtype}")
            numbers = numbers.tolist()
        for number in numbers:
            if not 0 <= number < len(self):
                raise ValueError(f"{number} is the number of no token: this vocabulary has 0 to {len(self) - 1}")
        return [self.tokens[number] for number in numbers if number != self.pad]


def pad(sequences: Sequence[Tensor | Sequence[int]], *, value: int = 0, size: int | None = None) -> tuple[Tensor, Tensor]:
    """Return tokens int64 (B, T), the shorter sequences filled up at their end with ``value``, and lengths int64 (B,).

    T is the longest length, or ``size``, and then a longer sequence is cut. Raises ValueError for no sequence and for an empty one:
    a mean over no token has no value, and a recurrent layer no state to return.
    """
    if len(sequences) == 0:
        raise ValueError("no sequence given: a batch needs at least 1")
    rows = [(s.tolist() if isinstance(s, Tensor) else s)[:size] for s in sequences]
    sizes = torch.tensor([len(row) for row in rows])
    return fill(torch.tensor(list(chain.from_iterable(rows))), sizes, value=value, size=size), sizes


def fill(flat: Tensor, lengths: Tensor, *, value: int = 0, size: int | None = None) -> Tensor:
    """Return tokens (B, T) from one row of tokens (M,), the first sequence's before the second's, cut by lengths (B,).

    What ``pad`` does, for a whole data set at once. Raises ValueError as ``mask`` does, and where the lengths do not add up to M.
    """
    filled = mask(lengths, size=size)  # (B, T)
    if flat.ndim != 1 or len(flat) != lengths.sum():
        raise ValueError(f"lengths that add up to {int(lengths.sum())} given for tokens of shape {tuple(flat.shape)}")
    tokens = torch.full(filled.shape, value, dtype=flat.dtype, device=flat.device)
    tokens[filled] = flat  # row after row
    return tokens


def mask(lengths: Tensor, *, size: int | None = None) -> Tensor:
    """Return bool (B, T), True where a token is and False where padding is, for lengths (B,); T is ``size`` or the longest.

    Raises ValueError for lengths that are not a non-empty vector, below 1, or above ``size``, TypeError for another dtype than
    int64.
    """
    if lengths.dtype != torch.int64:
        raise TypeError(f"lengths must be of dtype torch.int64, got {lengths.dtype}")
    if lengths.ndim != 1 or len(lengths) == 0:
        raise ValueError(f"lengths of shape {tuple(lengths.shape)} given; (B,) with B of at least 1 wanted")
    if lengths.min() < 1:
        place = int(lengths.argmin())
        raise ValueError(f"sequence {place} has length {int(lengths[place])}: at least 1 token is needed")
    size = int(lengths.max()) if size is None else size
    if lengths.max() > size:
        place = int(lengths.argmax())
        raise ValueError(f"sequence {place} has length {int(lengths[place])}, but the batch has {size} tokens")
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def lengths(tokens: Tensor, *, value: int = 0) -> Tensor:
    """Return the lengths int64 (B,) of tokens (B, T) that ``pad`` filled up with ``value``.

    Raises ValueError for another shape, for padding before a token, and for a row of nothing but padding.
    """
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens of shape {tuple(tokens.shape)} given; (B, T) wanted, both at least 1")
    filled = tokens != value
    sizes = filled.sum(1)
    wrong = (filled != mask(sizes, size=tokens.shape[1])).any(1)
    if wrong.any():
        raise ValueError(f"row {int(wrong.nonzero()[0, 0])} has padding before a token: pad at the end")
    return sizes


def windows(tokens: Tensor, *, length: int) -> tuple[Tensor, Tensor]:
    """Cut one long text, int64 (M,), into inputs and targets (N, T): each target is the token that follows its input.

    T is ``length`` and N is (M − 1) // T. Windows stand side by side, so that each token but the first is predicted once; what is
    left at the end, shorter than a window, is dropped. Raises ValueError for a length below 1 or too long for one window.
    """
    if tokens.ndim != 1 or length < 1 or len(tokens) <= length:
        raise ValueError(f"tokens of shape {tuple(tokens.shape)} and length={length} given; (M,) and 1 ≤ length < M wanted")
    used = (len(tokens) - 1) // length * length
    return tokens[:used].view(-1, length), tokens[1 : used + 1].view(-1, length)


class RandomWindows:
    """Cuts one long text, int64 (M,), into training batches: inputs and targets (B, T), windows at random.

    The text is read in passes. Each begins at a random offset below T, cuts windows side by side from there and hands them out in a
    random order, so that no token is seen twice before nearly all have been seen, and no window twice. Each iteration gives the
    next ``num_batches`` batches, by default about as many as a pass has; the passes go on where the last iteration stopped. Same
    seed, same batches. B is ``batch_size``, T is ``length``. Raises ValueError where a count is below 1, and for a text too short
    for one batch.
    """

    def __init__(self, tokens: Tensor, *, length: int, batch_size: int, num_batches: int | None = None, seed: int = 0) -> None:
        if tokens.ndim != 1 or length < 1 or batch_size < 1:
            given = f"tokens of shape {tuple(tokens.shape)}, length={length} and batch_size={batch_size} given"
            raise ValueError(f"{given}; (M,) and at least 1 wanted")
        whole = (len(tokens) - length) // (length * batch_size)  # of the latest offset, length − 1
        if whole < 1:
            raise ValueError(
                f"{len(tokens)} tokens given; a batch of {batch_size} windows of {length} needs {length * (batch_size + 1)}"
            )
        if num_batches is not None and num_batches < 1:
            raise ValueError(f"num_batches={num_batches}: at least 1 is wanted")
        self.tokens, self.length, self.batch_size = tokens, length, batch_size
        self.num_batches = whole if num_batches is None else num_batches
        self._generator = torch.Generator().manual_seed(seed)
        self._batches = self._read()

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return islice(self._batches, self.num_batches)

    def _read(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            offset = int(torch.randint(self.length, (), generator=self._generator))
            inputs, targets = windows(self.tokens[offset:], length=self.length)
            order = torch.randperm(len(inputs), generator=self._generator)
            for rows in order[: len(order) // self.batch_size * self.batch_size].view(-1, self.batch_size):
                yield inputs[rows], targets[rows]
