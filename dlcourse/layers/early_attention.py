"""The two forms of attention that came before the Transformer: a decoder reads the states of an encoder.

Axes: B batch, T queries, D width of a query, S keys, E width of a key. The keys are their own
values. A mask is bool, True where a key is real.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dlcourse.layers.attention import MaskedSoftmax, check_mask

__all__ = ["AdditiveAttention", "DotAttention"]


class _Reader(nn.Module):
    """What both early forms of attention share: a query reads the states of an encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.attend = MaskedSoftmax()

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return how well queries (B, T, D) and keys (B, S, E) match: (B, T, S)."""
        raise NotImplementedError

    def forward(
        self,
        query: Tensor,
        keys: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Read keys (B, S, E) by a query (B, D): the context (B, E) and the weights (B, S).

        T queries at once, (B, T, D), give (B, T, E) and (B, T, S). The mask is bool (B, S), True
        where a key is real. Raises ValueError for shapes that do not fit, TypeError for the mask's
        dtype.
        """
        single = query.ndim == 2
        queries = query[:, None] if single else query  # (B, T, D)
        if queries.ndim != 3 or keys.ndim != 3 or len(queries) != len(keys):
            given = f"a query of shape {tuple(query.shape)} and keys of {tuple(keys.shape)} given"
            raise ValueError(f"{given}; (B, D) or (B, T, D), and (B, S, E) wanted")
        scores = self.score(queries, keys)
        if mask is not None:
            check_mask(mask, keys.shape[:2])
            mask = mask[:, None]  # (B, 1, S): the same for every query
        weights = self.attend(scores, mask)
        context = weights @ keys
        return (context[:, 0], weights[:, 0]) if single else (context, weights)


class AdditiveAttention(_Reader):
    """Scores by a small network, vᵀ tanh(W q + U k) (Bahdanau et al., 2015, appendix A.1.2).

    W maps queries of D = query_dim and U keys of E = key_dim to hidden_size numbers, which v
    weighs; no biases. Raises ValueError for sizes below 1.
    """

    def __init__(self, query_dim: int, key_dim: int, *, hidden_size: int) -> None:
        super().__init__()
        if min(query_dim, key_dim, hidden_size) < 1:
            sizes = f"query_dim={query_dim}, key_dim={key_dim}, hidden_size={hidden_size}"
            raise ValueError(f"{sizes}: all must be at least 1")
        self.query = nn.Linear(query_dim, hidden_size, bias=False)
        self.key = nn.Linear(key_dim, hidden_size, bias=False)
        self.output = nn.Linear(hidden_size, 1, bias=False)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return how well queries (B, T, D) and keys (B, S, E) match: (B, T, S)."""
        sizes = self.query.in_features, self.key.in_features
        if (query.shape[-1], keys.shape[-1]) != sizes:
            given = f"queries of width {query.shape[-1]} and keys of {keys.shape[-1]} given"
            raise ValueError(f"{given}; this layer takes {sizes[0]} and {sizes[1]}")
        q, k = self.query(query)[:, :, None], self.key(keys)[:, None]  # (B, T, 1, H), (B, 1, S, H)
        scores: Tensor = self.output(torch.tanh(q + k)).squeeze(-1)
        return scores


class DotAttention(_Reader):
    """Scores by the inner product q · k (Luong et al., 2015, section 3.1); no parameters.

    ``scaled=True`` divides it by √D, as Vaswani et al. (2017) do.
    """

    def __init__(self, *, scaled: bool = False) -> None:
        super().__init__()
        self.scaled = scaled

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return how well queries (B, T, D) and keys (B, S, D) match: (B, T, S)."""
        if query.shape[-1] != keys.shape[-1]:
            widths = f"{query.shape[-1]} and {keys.shape[-1]}"
            raise ValueError(f"queries and keys of widths {widths} given; equal ones are wanted")
        scores = query @ keys.mT
        return scores / math.sqrt(query.shape[-1]) if self.scaled else scores

    def extra_repr(self) -> str:
        """Say where the layer is printed whether scores are scaled."""
        return f"scaled={self.scaled}"
