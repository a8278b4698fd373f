"""Write with a language model: draw one token after another, each from the distribution that the tokens before it give."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

__all__ = ["generate", "sample", "sliding"]

Read = Callable[[Tensor, Any], tuple[Tensor, Any]]


def sample(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one token, int64 (B,), for each row of logits (B, V), from softmax(logits / temperature).

    Below 1 the likely become likelier; at 0 the likeliest is taken, the first of equal ones; above 1
    the rare come more often. ``top_k`` keeps the k likeliest tokens (Fan et al., 2018, section 5.4),
    ``top_p`` the fewest whose probabilities add up to p (Holtzman et al., 2020, section 3.1), at the
    temperature, and among those that top_k has kept; of equal ones the first. A logit of −∞ is never drawn. Raises
    ValueError for another shape, for a row with nan or +∞ or with nothing but −∞, for a temperature
    that is negative or not finite, a top_k below 1, and a top_p outside (0, 1]; TypeError for
    logits that are not floating point.
    """
    _check_settings(temperature, top_k, top_p)
    if logits.ndim != 2 or logits.numel() == 0:
        given = f"logits of shape {tuple(logits.shape)} given"
        raise ValueError(f"{given}; (B, V) wanted, both at least 1")
    if not logits.is_floating_point():
        raise TypeError(f"logits must be floating point, got {logits.dtype}")
    largest = logits.amax(dim=-1, keepdim=True)  # (B, 1), nan where a row holds one
    if not largest.isfinite().all():
        wrong = largest[~largest.isfinite()][0].item()
        raise ValueError(f"the largest logit of a row is {wrong}: no probability follows from it")
    if temperature < torch.finfo(logits.dtype).tiny:  # 0, or so little that dividing takes it for 0
        return logits.argmax(dim=-1)
    below = logits - largest  # at most 0: divided, −∞ at worst, never ∞
    scale = min(temperature, torch.finfo(logits.dtype).max)  # an infinite one would make −∞ nan
    probabilities = torch.softmax(below / scale, dim=-1)  # (B, V)
    if top_k is not None or top_p is not None:
        probabilities = _keep_likely(probabilities, top_k, top_p)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)


def _keep_likely(probabilities: Tensor, top_k: int | None, top_p: float | None) -> Tensor:
    """Set to 0 what is not among the likeliest; the rest (B, V) need not add up to 1."""
    sorted_, order = probabilities.sort(dim=-1, descending=True, stable=True)  # the first of equal ones first
    if top_k is not None:
        sorted_[:, top_k:] = 0.0
    if top_p is not None:
        before = sorted_.cumsum(dim=-1) - sorted_  # (B, V), what the likelier ones add up to
        sorted_[before >= top_p * sorted_.sum(dim=-1, keepdim=True)] = 0.0
    return torch.zeros_like(probabilities).scatter_(-1, order, sorted_)


def generate(
    read: Read,
    prompt: Tensor,
    *,
    num_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Continue each row of prompt, int64 (B, T); returns (B, T + num_tokens), the prompt first.

    ``read(tokens, state)`` returns logits (B, T, V) and the state after the tokens. It is given the
    prompt with the state None, then each new token with the state that it returned last, so that
    nothing is read twice. Put the model in eval mode before. ``temperature``, ``top_k`` and
    ``top_p`` are those of ``sample``. Raises ValueError for a prompt that is
    empty or no (B, T), for a negative number of tokens, and as ``sample`` does; TypeError for a
    prompt of another dtype.
    """
    _check_settings(temperature, top_k, top_p)
    if prompt.ndim != 2 or prompt.numel() == 0:
        given = f"a prompt of shape {tuple(prompt.shape)} given"
        raise ValueError(f"{given}; (B, T) wanted, with at least 1 token to go on from")
    if prompt.dtype != torch.int64:
        raise TypeError(f"the prompt must be tokens of dtype torch.int64, got {prompt.dtype}")
    if num_tokens < 0:
        raise ValueError(f"num_tokens={num_tokens}: at least 0 is wanted")
    draw = partial(sample, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
    pieces, state = [prompt], None
    with torch.inference_mode():  # what is written stays out of every gradient; quicker than no_grad
        for _ in range(num_tokens):
            logits, state = read(pieces[-1], state)
            pieces.append(draw(logits[:, -1])[:, None])  # (B, 1)
    return torch.cat(pieces, dim=1)  # outside, so that one may train on it


def sliding(read: Read, *, max_length: int, keep: int | None = None) -> Read:
    """Wrap the ``read`` of a model that takes at most max_length tokens, so that a text may outgrow it.

    Where the next tokens no longer fit, the last ``keep`` tokens, half of max_length by default,
    and the new ones are read from the beginning; all before them is forgotten. Until then it is
    ``read`` itself. Its state is the tokens in view and the model's own state. Raises ValueError
    unless 0 ≤ keep < max_length, and for a text longer than max_length given at once.
    """
    keep = max_length // 2 if keep is None else keep
    if not 0 <= keep < max_length:
        raise ValueError(f"keep={keep}, max_length={max_length}: 0 ≤ keep < max_length is wanted")

    def slide(tokens: Tensor, state: tuple[Tensor, Any] | None) -> tuple[Tensor, Any]:
        seen, inner = (tokens[:, :0], None) if state is None else state
        view, size = torch.cat([seen, tokens], dim=1), tokens.shape[1]
        if size > max_length:
            raise ValueError(f"{size} tokens given at once; at most max_length={max_length} fit")
        if view.shape[1] <= max_length:
            logits, inner = read(tokens, inner)
        else:
            view = view[:, -min(keep + size, max_length) :]
            logits, inner = read(view, None)
        return logits[:, -size:], (view, inner)

    return slide


def _check_settings(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature={temperature}: a finite number of at least 0 is wanted")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k={top_k}: at least 1 is wanted, or None for all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p}: above 0 and at most 1 is wanted, or None for all")
