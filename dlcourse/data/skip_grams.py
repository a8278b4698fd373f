"""What skip-gram reads: words with their neighbours, fewer frequent words, and noise.

Words are numbers, int64, from 0 to V − 1; the settings are those of Mikolov et al. (2013b, sections
2.2 and 2.3).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["noise_distribution", "pairs", "subsample"]


def pairs(tokens: Tensor, *, window: int) -> tuple[Tensor, Tensor]:
    """Return each word with each neighbour within ``window`` places: centres, contexts, int64 (P,).

    In the order of the text: all pairs of its first word, then of its second. tokens are (M,); a
    text of one word has no pair. Raises ValueError for another shape, a negative number and a
    window below 1, TypeError for another dtype.
    """
    _check_tokens(tokens)
    if window < 1:
        raise ValueError(f"window={window}: at least 1 neighbour to each side is needed")
    places = torch.arange(len(tokens), device=tokens.device)
    steps = torch.arange(-window, window + 1, device=tokens.device)
    neighbours = places[:, None] + steps[steps != 0]  # (M, 2 window)
    inside = (neighbours >= 0) & (neighbours < len(tokens))
    centre, side = inside.nonzero(as_tuple=True)
    return tokens[centre], tokens[neighbours[centre, side]]


def subsample(
    tokens: Tensor,
    *,
    threshold: float = 1e-4,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the text without some of its frequent words (Mikolov et al., 2013b, eq. 5).

    A word whose share of tokens (M,) is f stays each time with probability √(threshold / f), or 1
    where f is below it. Done before ``pairs``, it also brings the rarer words closer together.
    Raises ValueError for a threshold that is not above 0, else as ``pairs``.
    """
    _check_tokens(tokens)
    if not threshold > 0:
        raise ValueError(f"threshold={threshold}: a share above 0 is wanted")
    share = torch.bincount(tokens).double() / max(len(tokens), 1)  # (V,)
    stays = (threshold / share).sqrt()[tokens]  # (M,), above 1 for rare words
    drawn = torch.rand(len(tokens), generator=generator, device=tokens.device)
    return tokens[drawn < stays]


def noise_distribution(counts: Tensor, power: float = 0.75) -> Tensor:
    """Return the probabilities, float32 (V,), of noise words: counts (V,) to a power, scaled.

    A power below 1 lifts rare words. A word with count 0, such as padding, is never drawn, whatever
    the power. Raises ValueError for another shape, a count that is negative or not finite, none
    above 0, and a power that is not finite or so large that no float64 holds the result.
    """
    counts_fit = counts.ndim == 1 and (counts >= 0).all() and counts.isfinite().all()
    if not counts_fit or not (counts > 0).any():
        wanted = "(V,) wanted, all finite, none negative and one above 0"
        raise ValueError(f"counts of shape {tuple(counts.shape)} given; {wanted}")
    weights = torch.where(counts > 0, counts.double() ** power, 0.0)
    if not weights.sum().isfinite() or not weights.sum() > 0:
        raise ValueError(f"power={power}: counts to that power have no finite sum above 0")
    return (weights / weights.sum()).float()


def _check_tokens(tokens: Tensor) -> None:
    if tokens.ndim != 1:
        raise ValueError(f"tokens of shape {tuple(tokens.shape)} given; one text (M,) wanted")
    if tokens.dtype != torch.int64:
        raise TypeError(f"tokens must be word numbers of dtype torch.int64, got {tokens.dtype}")
    if (tokens < 0).any():
        raise ValueError(f"{tokens.min().item()} is the number of no word: at least 0 is wanted")
