"""Byte-pair encoding: start from bytes, and make the most frequent pair of neighbours a token of its own, again and again.

Gage (1994) compressed files this way; Sennrich, Haddow and Birch (2016) cut rare words with it; on bytes rather than characters
(Radford et al., 2019) no text is unknown.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["BytePairEncoding"]

# Pairs do not cross the border between a word, with the space before it, and what follows. Every character is in one piece.
PIECE = re.compile(r" ?\w+| ?[^\w\s]+|\s+")
Pair = tuple[int, int]


class BytePairEncoding:
    """Tokens 0 to 255 are the bytes; token 256 + i is the pair of tokens ``merges[i]``."""

    def __init__(self, merges: Sequence[Pair]) -> None:
        """Take the merges in the order in which they were learnt. Raises ValueError for one that uses a token not yet made."""
        self.merges = list(merges)
        self.tokens = [bytes([byte]) for byte in range(256)]  # what each token stands for
        for left, right in self.merges:
            if not (0 <= left < len(self.tokens) and 0 <= right < len(self.tokens)):
                raise ValueError(f"merge {len(self.tokens) - 256} is of {left} and {right}, which are not both made before it")
            self.tokens.append(self.tokens[left] + self.tokens[right])
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}  # pieces already encoded: a text repeats its words

    @classmethod
    def train(cls, text: str, *, vocab_size: int) -> BytePairEncoding:
        """Learn from the training text: vocab_size − 256 merges, or fewer where no pair occurs twice.

        Of equally frequent pairs the one with the smaller numbers is merged, as in the tokenizers library. Raises ValueError for an
        empty text and for a vocabulary smaller than the 256 bytes.
        """
        if vocab_size < 256:
            raise ValueError(f"vocab_size={vocab_size}: the 256 bytes are tokens already")
        if not text:
            raise ValueError("an empty text given: there is no pair to count")
        pieces = Counter(PIECE.findall(text))
        parts = [list(piece.encode()) for piece in pieces]  # the tokens of each different piece
        times = list(pieces.values())
        counts: Counter[Pair] = Counter()
        places: defaultdict[Pair, set[int]] = defaultdict(set)  # in which pieces a pair has occurred
        for place, tokens in enumerate(parts):
            for pair in pairwise(tokens):
                counts[pair] += times[place]
                places[pair].add(place)
        heap = [(-count, pair) for pair, count in counts.items()]
        heapify(heap)
        merges: list[Pair] = []
        while heap and len(merges) < vocab_size - 256:
            negative, best = heappop(heap)
            if -negative != counts[best]:
                continue  # an old count: the pair is in the heap again with its new one
            if counts[best] < 2:
                break
            changed: set[Pair] = set()
            for place in places.pop(best):
                old, new = parts[place], _merge(parts[place], best, 256 + len(merges))
                for pair in pairwise(old):
                    counts[pair] -= times[place]
                for pair in pairwise(new):
                    counts[pair] += times[place]
                    places[pair].add(place)
                changed.update(pairwise(old), pairwise(new))
                parts[place] = new
            for pair in changed:
                heappush(heap, (-counts[pair], pair))
            merges.append(best)
        return cls(merges)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> Tensor:
        """Return the tokens of any text, int64 (T,): in each piece the earliest merge first. An empty text gives length 0."""
        return torch.tensor([token for piece in PIECE.findall(text) for token in self._encode(piece)], dtype=torch.int64)

    def decode(self, tokens: Tensor | Sequence[int]) -> str:
        """Return the text of tokens (T,). Bytes that are no UTF-8, as where a character was cut in two, become �.

        Raises ValueError for a number outside 0 to V − 1.
        """
        tokens = tokens.tolist() if isinstance(tokens, Tensor) else tokens
        for token in tokens:
            if not 0 <= token < len(self):
                raise ValueError(f"{token} is no token: there are 0 to {len(self) - 1}")
        return b"".join(self.tokens[token] for token in tokens).decode(errors="replace")

    def _encode(self, piece: str) -> list[int]:
        if piece not in self._known:
            tokens = list(piece.encode())
            while ranks := [self._rank[pair] for pair in pairwise(tokens) if pair in self._rank]:
                earliest = min(ranks)
                tokens = _merge(tokens, self.merges[earliest], 256 + earliest)
            self._known[piece] = tokens
        return self._known[piece]


def _merge(tokens: list[int], pair: Pair, number: int) -> list[int]:
    """Return the tokens with every occurrence of the pair, from the left, replaced by one token."""
    merged: list[int] = []
    for token in tokens:
        if merged and (merged[-1], token) == pair:
            merged[-1] = number
        else:
            merged.append(token)
    return merged
