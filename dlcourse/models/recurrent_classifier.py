"""A recurrent network that reads a text from its first token to its last, and then says to which class it belongs."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding, token_mask
from dlcourse.layers.linear import Linear
from dlcourse.layers.recurrent import CELLS, GRU, LSTM, RNN

__all__ = ["RecurrentClassifier"]


class RecurrentClassifier(nn.Module):
    """Many to one: the state after the last token of each text goes through one dense layer (Elman, 1990; Cho et al., 2014).

    Axes: B batch, T tokens, D = embedding_dim, H = hidden_size, K = num_classes. Takes tokens int64 (B, T), padded at the end with
    ``padding``, and returns logits (B, K). A text's length is the number of its tokens that are no padding, so that a batch's width
    changes nothing; with ``use_lengths=False`` padding is read as if it were text, which is wrong and there to be looked at. In
    both directions the two last states stand side by side. ``dropout`` acts between the layers and before the dense one.
    Raises ValueError for an unknown cell, for tokens of another shape, for a text without a token and for padding before one.
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        *,
        cell: str = "lstm",
        embedding_dim: int = 64,
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        padding: int = 0,
        use_lengths: bool = True,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r} is not known; there are {', '.join(CELLS)}")
        self.padding, self.use_lengths = padding, use_lengths
        self.embedding = Embedding(vocab_size, embedding_dim, padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.mul_(0.1)  # or words that training rarely meets outweigh the others
        settings: dict[str, Any] = {"num_layers": num_layers, "bidirectional": bidirectional, "dropout": dropout}
        if cell == "lstm":
            settings["forget_bias"] = 1.0  # what is read at the start has to last until the end
        self.recurrent: RNN | LSTM | GRU = CELLS[cell](embedding_dim, hidden_size, **settings)
        self.dropout = nn.Dropout(dropout)
        self.directions = 2 if bidirectional else 1
        self.output = Linear(self.directions * hidden_size, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to logits (B, K)."""
        lengths = token_mask(tokens, padding=self.padding).sum(1)  # (B,)
        _, state = self.recurrent(self.embedding(tokens), lengths=lengths if self.use_lengths else None)
        h = state[0] if isinstance(state, tuple) else state  # (layers · directions, B, H): of LSTM's two the hidden state
        last = torch.cat(list(h[-self.directions :]), dim=-1)  # (B, directions · H), of the top layer
        return cast(Tensor, self.output(self.dropout(last)))
