"""Embedding: one learned vector for each token of a vocabulary.

Axes: B batch, T tokens, V = num_embeddings, D = embedding_dim.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

__all__ = ["Embedding", "token_mask"]


class Embedding(nn.Module):
    """A table with a row for each token; the layer reads rows out. Twin: ``torch.nn.Embedding``.

    Row i is the product of a one-hot vector with the table, without the V − 1 products with 0. The
    weight (V, D) starts standard normal, as torch's; the row of ``padding_idx`` starts at 0 and
    gets no gradient. Raises ValueError for fewer than one row or column, and for a ``padding_idx``
    that is no row.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        if num_embeddings < 1 or embedding_dim < 1:
            sizes = f"num_embeddings={num_embeddings}, embedding_dim={embedding_dim}"
            raise ValueError(f"{sizes}: both must be at least 1")
        if padding_idx is not None and not 0 <= padding_idx < num_embeddings:
            raise ValueError(f"padding_idx={padding_idx} is none of rows 0 to {num_embeddings - 1}")
        self.padding_idx = padding_idx
        self.weight = nn.Parameter(torch.randn(num_embeddings, embedding_dim))
        if padding_idx is not None:
            nn.init.zeros_(self.weight[padding_idx])

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (...), int64, to vectors (..., D).

        Raises TypeError for another dtype, and ValueError for a number that has no row.
        """
        if tokens.dtype != torch.int64:
            raise TypeError(f"tokens of dtype {tokens.dtype} given; torch.int64 numbers are wanted")
        last, width = self.weight.shape[0] - 1, self.weight.shape[1]
        outside = (tokens < 0) | (tokens > last)
        if outside.any():
            token = tokens[outside][0].item()
            raise ValueError(f"token {token} has no vector: this table has rows 0 to {last}")
        rows = self.weight.index_select(0, tokens.flatten())  # (number of tokens, D)
        vectors = rows.view(*tokens.shape, width)  # (..., D)
        if self.padding_idx is None:
            return vectors
        is_padding = (tokens == self.padding_idx)[..., None]
        return torch.where(is_padding, vectors.detach(), vectors)  # no gradient to that row

    @classmethod
    def from_torch(cls, module: nn.Embedding) -> Self:
        """Copy a ``torch.nn.Embedding``; ValueError for another layer and for settings unknown here."""
        if not isinstance(module, nn.Embedding):
            raise ValueError(f"torch.nn.Embedding wanted, {module} given")
        if module.max_norm is not None or module.scale_grad_by_freq or module.sparse:
            unknown = "max_norm, scale_grad_by_freq and sparse are not known here"
            raise ValueError(f"{unknown}: {module}")
        twin = cls(module.num_embeddings, module.embedding_dim, padding_idx=module.padding_idx)
        twin.to(module.weight.device, module.weight.dtype).load_state_dict(module.state_dict())
        return twin

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}{padding}"


def token_mask(tokens: Tensor, *, padding: int = 0) -> Tensor:
    """Return bool (B, T), True where tokens (B, T) are text and False where they are padding.

    Raises ValueError for another shape, for padding before a token, and for a row of nothing but padding: a mean or a maximum over
    no token has no value.
    """
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(f"tokens of shape {tuple(tokens.shape)} given; (B, T) wanted, both at least 1")
    real = tokens != padding
    empty, late = ~real.any(1), (real[:, 1:] & ~real[:, :-1]).any(1)
    if empty.any():
        raise ValueError(f"text {int(empty.nonzero()[0, 0])} of the batch has no token, only padding: at least 1 is needed")
    if late.any():
        raise ValueError(f"text {int(late.nonzero()[0, 0])} of the batch has padding before a token: pad at the end")
    return real
