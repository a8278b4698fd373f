"""Write a whole sequence with a decoder: the likeliest token at every step, or a few side by side.

A decoder is a function ``step(tokens, state)``: one token for each of B rows, int64 (B,), and the
state before it, to log-probabilities (B, V) of the next token and the state after it. A state is a
tensor, or a tuple or named tuple of states, and B is the first axis of every tensor in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["Hypotheses", "beam_search", "greedy"]

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


class Hypotheses(NamedTuple):
    """The K best sequences that a search found for each row, the best first."""

    tokens: Tensor  # int64 (B, K, T): without start and end, filled up with padding
    scores: Tensor  # (B, K): log p / length ** length_penalty; −∞ where there is none


@torch.no_grad()
def greedy(
    step: Step,
    state: Any,
    *,
    start: int,
    end: int,
    max_length: int,
    padding: int = 0,
) -> Tensor:
    """Take the likeliest token at every step until each row has ended, or ``max_length`` times.

    Returns int64 (B, T) without start and end, each row filled up with ``padding``, which is never
    chosen, nor is ``start``. Put the model in eval mode before. Raises ValueError for a
    ``max_length`` below 1, special tokens that are no three, a state without a row, and scores of
    another shape.
    """
    batch, device = _check(state, start, end, padding, max_length)
    tokens = torch.full((batch,), start, device=device)
    running = torch.ones(batch, dtype=torch.bool, device=device)
    written = []
    for _ in range(max_length):
        scores, state = step(tokens, state)
        tokens = _allowed(scores, batch, start, end, padding).argmax(dim=-1)  # (B,)
        running = running & (tokens != end)
        if not running.any():
            break
        written.append(tokens.where(running, padding))
    return torch.stack(written, dim=1) if written else tokens.new_empty(batch, 0)


@torch.no_grad()
def beam_search(
    step: Step,
    state: Any,
    *,
    start: int,
    end: int,
    max_length: int,
    beam: int = 4,
    length_penalty: float = 0.0,
    padding: int = 0,
) -> Hypotheses:
    """Keep the K = ``beam`` best beginnings at every step (Sutskever et al., 2014, section 3.2).

    A beginning that has ended keeps its place and its score for as long as it is among the best; a
    beam of 1 is ``greedy``. Scores are log p / length^``length_penalty``, the end counted: 0
    prefers short sequences, 1 takes the mean of a token (Wu et al., 2016, section 7, without its
    constant 5). What has not ended after ``max_length`` steps ranks behind all that has. Other
    arguments and errors as ``greedy``; ValueError also for a beam below 1 and a negative penalty.
    """
    batch, device = _check(state, start, end, padding, max_length)
    if beam < 1 or not 0 <= length_penalty < math.inf:
        given = f"beam={beam}, length_penalty={length_penalty}"
        raise ValueError(f"{given}: at least 1 beginning, and a penalty of at least 0, are wanted")
    first = torch.arange(batch, device=device)[:, None] * beam  # (B, 1): where each row's K begin
    state = _pick(state, torch.arange(batch, device=device).repeat_interleave(beam))  # B·K rows
    written = torch.empty(batch, beam, 0, dtype=torch.int64, device=device)
    tokens = torch.full((batch, beam), start, device=device)
    ended = torch.zeros(batch, beam, dtype=torch.bool, device=device)
    sizes = torch.zeros(batch, beam, device=device)  # tokens read, the end counted
    totals = torch.full((batch, beam), -math.inf, device=device)
    totals[:, 0] = 0.0  # at first all K are the same: one is enough
    for _ in range(max_length):
        news, state = step(tokens.flatten(), state)
        news = _allowed(news, batch * beam, start, end, padding).view(batch, beam, -1)  # (B, K, V)
        only = torch.full_like(news[0, 0], -math.inf)
        only[padding] = 0.0  # how an ended one goes on, at no cost
        totals = totals[..., None] + torch.where(ended[..., None], only, news)  # (B, K, V)
        sizes = sizes + (~ended).to(sizes.dtype)
        ranks = (totals / sizes[..., None] ** length_penalty).flatten(1)  # (B, K·V)
        best = ranks.topk(beam).indices  # (B, K)
        kept, tokens = best // news.shape[-1], best % news.shape[-1]
        totals, sizes = totals.flatten(1).gather(1, best), sizes.gather(1, kept)
        ended = ended.gather(1, kept) | (tokens == end)
        tokens = tokens.masked_fill(ended | totals.isneginf(), padding)
        written = torch.cat([written[first // beam, kept], tokens[..., None]], dim=-1)
        state = _pick(state, (first + kept).flatten())
        if ended.all():
            break
    scores = totals / sizes**length_penalty
    order = (~ended).long().argsort(dim=1, stable=True)  # ended first, else as they are
    written = written.gather(1, order[..., None].expand_as(written))
    return Hypotheses(written, scores.gather(1, order))


def _check(
    state: Any,
    start: int,
    end: int,
    padding: int,
    max_length: int,
) -> tuple[int, torch.device]:
    """Return how many rows a state has, and its device."""
    if max_length < 1:
        raise ValueError(f"max_length={max_length}: at least 1 token is wanted")
    if len({start, end, padding}) < 3 or min(start, end, padding) < 0:
        given = f"start={start}, end={end} and padding={padding} given"
        raise ValueError(f"{given}; three different token numbers are wanted")
    first = _first(state)
    if first is None or first.ndim == 0 or len(first) == 0:
        raise ValueError("a state without a row given: at least 1 tensor (B, ...) is wanted")
    return len(first), first.device


def _first(state: Any) -> Tensor | None:
    if isinstance(state, tuple):
        return next((found for part in state if (found := _first(part)) is not None), None)
    return state if isinstance(state, Tensor) else None


def _pick(state: Any, rows: Tensor) -> Any:
    """Take the rows, int64 (B',), of every tensor in a state."""
    if isinstance(state, Tensor):
        return state.index_select(0, rows)
    if not isinstance(state, tuple):
        return state
    parts = [_pick(part, rows) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


def _allowed(scores: Tensor, rows: int, start: int, end: int, padding: int) -> Tensor:
    """Check what a step gave, and give probability 0 to what can be no part of a sequence."""
    last = max(start, end, padding)
    if scores.ndim != 2 or len(scores) != rows or scores.shape[1] <= last:
        given = f"scores of shape {tuple(scores.shape)} given"
        raise ValueError(f"{given}; ({rows}, V) wanted, V above {last}")
    return scores.index_fill(1, torch.tensor([start, padding], device=scores.device), -math.inf)
