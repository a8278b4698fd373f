"""Write with a language model: draw one token after another, each from the distribution that the tokens before it give."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["generate", "sample"]

Read = Callable[[Tensor, Any], tuple[Tensor, Any]]


def sample(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one token, int64 (B,), for each row of logits (B, V), from softmax(logits / temperature).

    Below 1 the likely become likelier; at 0 the likeliest is taken, the first of equal ones; above 1
    the rare come more often. A logit of −∞ is never drawn. Raises ValueError for another shape, for
    a row with nan or +∞ or with nothing but −∞, and for a temperature that is negative or not
    finite; TypeError for logits that are not floating point.
    """
    _check_temperature(temperature)
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
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)


@torch.no_grad()
def generate(
    read: Read,
    prompt: Tensor,
    *,
    num_tokens: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Continue each row of prompt, int64 (B, T); returns (B, T + num_tokens), the prompt first.

    ``read(tokens, state)`` returns logits (B, T, V) and the state after the tokens. It is given the
    prompt with the state None, then each new token with the state that it returned last, so that
    nothing is read twice. Put the model in eval mode before. Raises ValueError for a prompt that is
    empty or no (B, T), for a negative number of tokens, and as ``sample`` does; TypeError for a
    prompt of another dtype.
    """
    _check_temperature(temperature)
    if prompt.ndim != 2 or prompt.numel() == 0:
        given = f"a prompt of shape {tuple(prompt.shape)} given"
        raise ValueError(f"{given}; (B, T) wanted, with at least 1 token to go on from")
    if prompt.dtype != torch.int64:
        raise TypeError(f"the prompt must be tokens of dtype torch.int64, got {prompt.dtype}")
    if num_tokens < 0:
        raise ValueError(f"num_tokens={num_tokens}: at least 0 is wanted")
    pieces, state = [prompt], None
    for _ in range(num_tokens):
        logits, state = read(pieces[-1], state)
        new = sample(logits[:, -1], temperature=temperature, generator=generator)  # (B,)
        pieces.append(new[:, None])
    return torch.cat(pieces, dim=1)


def _check_temperature(temperature: float) -> None:
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature={temperature}: a finite number of at least 0 is wanted")
