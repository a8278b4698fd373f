"""Hide some tokens of a text and ask for them: examples with targets, made from texts that nobody has labelled.

The rule is BERT's (Devlin et al., 2019, section 3.1 and appendix A.1): of 15 % of the tokens, 80 % become a mask, 10 % another
token drawn at random and 10 % stay as they are, and the model has to say what stood at all of them. Fine-tuning shows no masks; a
model that had seen nothing else would have states only for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["IGNORED", "MASK", "MaskedBatches", "mask_tokens"]

MASK = "<mask>"
IGNORED = -100  # the target of a token that is not asked for; torch's cross-entropy leaves it out


def mask_tokens(
    tokens: Tensor,
    *,
    mask: int,
    vocab_size: int,
    num_specials: int,
    share: float = 0.15,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Return inputs and targets (B, T): the tokens with some hidden, and what stood there, ``IGNORED`` elsewhere.

    Of each text the nearest whole number to ``share`` of its tokens is asked for, at least 1. Tokens below ``num_specials``
    (padding, unknown, mask, ...) are neither asked for nor put in at random; ``mask`` is the mask's number. Raises ValueError for
    another shape, a share outside (0, 1], a mask that is no special, a vocabulary of specials alone, and a text without a token
    to ask for; TypeError for another dtype than int64.
    """
    if tokens.dtype != torch.int64:
        raise TypeError(f"tokens of dtype {tokens.dtype} given; torch.int64 numbers are wanted")
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens of shape {tuple(tokens.shape)} given; (B, T) wanted, both at least 1")
    if not 0 < share <= 1:
        raise ValueError(f"share={share}: a part of the tokens is wanted, above 0 and at most 1")
    if not 0 <= mask < num_specials < vocab_size:
        given = f"mask={mask}, num_specials={num_specials}, vocab_size={vocab_size}"
        raise ValueError(f"{given}: 0 ≤ mask < num_specials < vocab_size is wanted")
    plain = tokens >= num_specials  # (B, T)
    if not plain.any(1).all():
        row = int((~plain.any(1)).nonzero()[0, 0])
        raise ValueError(f"text {row} of the batch has no token to ask for, only specials")
    count = (plain.sum(1, keepdim=True) * share).round().clamp(min=1)  # (B, 1)
    lots = torch.rand(tokens.shape, generator=generator).masked_fill(~plain, math.inf)
    asked = lots.argsort(1).argsort(1) < count  # the lowest lots of each text, as many as its count
    targets = tokens.where(asked, IGNORED)
    fate = torch.rand(tokens.shape, generator=generator)
    other = torch.randint(num_specials, vocab_size, tokens.shape, generator=generator)
    inputs = tokens.masked_fill(asked & (fate < 0.8), mask)
    return other.where(asked & (fate >= 0.9), inputs), targets


class MaskedBatches:
    """Batches of ``mask_tokens`` from texts (N, T): each pass in another order and with other tokens hidden.

    Same seed, same passes. Arguments and errors as ``mask_tokens``; ValueError for a batch size below 1.
    """

    def __init__(
        self,
        tokens: Tensor,
        *,
        batch_size: int,
        mask: int,
        vocab_size: int,
        num_specials: int,
        share: float = 0.15,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: a batch needs at least 1 text")
        self.tokens, self.batch_size = tokens, batch_size
        self._settings = {"mask": mask, "vocab_size": vocab_size, "num_specials": num_specials}
        self._share = share
        self._generator = torch.Generator().manual_seed(seed)
        self._mask(tokens)  # what cannot be masked is refused at once

    def __len__(self) -> int:
        return math.ceil(len(self.tokens) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.tokens), generator=self._generator)
        for rows in torch.split(order, self.batch_size):
            yield self._mask(self.tokens[rows])

    def _mask(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return mask_tokens(tokens, share=self._share, generator=self._generator, **self._settings)
