"""A language model: the distribution of the next token, given all tokens before it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding
from dlcourse.layers.linear import Linear
from dlcourse.layers.recurrent import CELLS, State

__all__ = ["RecurrentLanguageModel"]


class RecurrentLanguageModel(nn.Module):
    """An embedding, recurrent layers and a linear output (Mikolov et al., 2010).

    Axes: B batch, T tokens, V = vocab_size, D = embedding_dim (H by default), H = hidden_size. The
    logits at token t are for token t + 1 and depend on the tokens up to t alone. ``dropout`` acts
    before, between and after the recurrent layers, in training only. Takes tokens int64 (B, T) from
    0 to V − 1; anything else raises ValueError or TypeError.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        embedding_dim: int | None = None,
        num_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r} is not known; there are {', '.join(CELLS)}")
        embedding_dim = hidden_size if embedding_dim is None else embedding_dim
        self.dropout = dropout
        self.embedding = Embedding(vocab_size, embedding_dim)
        settings = {"num_layers": num_layers, "dropout": dropout}
        self.recurrent = CELLS[cell](embedding_dim, hidden_size, **settings)
        self.output = Linear(hidden_size, vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to logits (B, T, V), reading from a state of zeros."""
        return self.read(tokens)[0]

    def read(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Map tokens (B, T) to logits (B, T, V) and the state after the last token.

        ``state`` is where to start: that of an earlier call to go on from there, None for zeros.
        """
        if tokens.ndim != 2 or tokens.numel() == 0:
            given = f"tokens of shape {tuple(tokens.shape)} given"
            raise ValueError(f"{given}; (B, T) wanted, both at least 1")
        x = F.dropout(self.embedding(tokens), self.dropout, self.training)  # (B, T, D)
        h, state = self.recurrent(x, state)  # (B, T, H)
        logits: Tensor = self.output(F.dropout(h, self.dropout, self.training))
        return logits, state
