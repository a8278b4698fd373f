"""An encoder reads one sequence, a decoder writes another, and attention is the way between them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dlcourse.layers.early_attention import AdditiveAttention, DotAttention
from dlcourse.layers.embedding import Embedding, token_mask
from dlcourse.layers.linear import Linear
from dlcourse.layers.recurrent import CELLS, GRU, LSTM, RNN

__all__ = ["DecoderState", "Seq2Seq"]


class DecoderState(NamedTuple):
    """What the decoder knows before a token; B, the batch, is the first axis of every tensor."""

    memory: Tensor  # (B, S, H): the encoder's outputs, one for each source token, 0 at padding
    mask: Tensor  # bool (B, S): True where the source has a token
    hidden: tuple[Tensor, ...]  # the recurrent state, (h,) or of an LSTM (h, c), each (B, H)


class Seq2Seq(nn.Module):
    """A recurrent encoder and decoder (Cho et al., 2014; Sutskever et al., 2014), and attention.

    Axes: B batch, S source tokens, T target tokens, D = embedding_dim, H = hidden_size, V =
    target_size. The encoder has ``num_layers`` layers; in both directions each has H / 2 units, so
    that side by side they are as wide as the decoder's state, and the decoder starts from the
    encoder's last state. It has one layer. With ``attention`` "additive" (Bahdanau et al., 2015),
    "dot" (Luong et al., 2015) or "scaled_dot" (Vaswani et al., 2017) each of its states h also
    reads all the encoder's outputs, and tanh(W [h, context]) goes on to the output (Luong et al.,
    2015, equation 5); as the context is not fed back, the states of all steps come first and then
    read at once. With None the last state is all it gets. ``dropout`` acts on the embeddings and
    before the output, in training only. Tokens are int64; sources are padded at the end with
    ``padding``, which is masked. Raises ValueError or TypeError for anything else.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        *,
        embedding_dim: int = 64,
        hidden_size: int = 128,
        attention: str | None = "scaled_dot",
        cell: str = "gru",
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        padding: int = 0,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r} is not known; there are {', '.join(CELLS)}")
        self.directions = 2 if bidirectional else 1
        if hidden_size % self.directions:
            raise ValueError(f"hidden_size={hidden_size} has no half for each of two directions")
        self.attention_name, self.cell, self.padding = attention, cell, padding
        self.source_embedding = Embedding(source_size, embedding_dim)
        self.target_embedding = Embedding(target_size, embedding_dim)
        settings: dict[str, Any] = {"num_layers": num_layers, "bidirectional": bidirectional}
        width = hidden_size // self.directions
        self.encoder: RNN | LSTM | GRU = CELLS[cell](embedding_dim, width, **settings)
        self.decoder: RNN | LSTM | GRU = CELLS[cell](embedding_dim, hidden_size)
        self.attention = _attention(attention, hidden_size)
        self.combine = None if self.attention is None else Linear(2 * hidden_size, hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.output = Linear(hidden_size, target_size)

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Map source (B, S) and target_in (B, T) to logits (B, T, V), those at t for token t + 1.

        Teacher forcing: a token is predicted from the right tokens before it.
        """
        if target_in.ndim != 2 or target_in.numel() == 0 or len(target_in) != len(source):
            given = f"sources {tuple(source.shape)} and targets {tuple(target_in.shape)} given"
            raise ValueError(f"{given}; (B, S) and (B, T) wanted, each at least 1")
        return self._read(target_in, self.encode(source))[0]

    def encode(self, source: Tensor) -> DecoderState:
        """Read source (B, S) and return the state from which the decoder starts."""
        mask = token_mask(source, padding=self.padding)  # (B, S)
        x = self.dropout(self.source_embedding(source))  # (B, S, D)
        memory, state = self.encoder(x, lengths=mask.sum(1))  # (B, S, H)
        parts = state if isinstance(state, tuple) else (state,)
        last = (torch.cat(list(part[-self.directions :]), dim=-1) for part in parts)  # (B, H)
        return DecoderState(memory, mask, tuple(last))

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read one token for each row, (B,): the log-probabilities (B, V) of the next, and a state."""
        logits, state = self._read(tokens[:, None], state)
        return logits[:, 0].log_softmax(dim=-1), state

    def _read(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        x = self.dropout(self.target_embedding(tokens))  # (B, T, D)
        hidden = tuple(part[None] for part in state.hidden)  # (1, B, H) each
        h, end = self.decoder(x, hidden if len(hidden) == 2 else hidden[0])  # (B, T, H)
        if self.attention is not None and self.combine is not None:
            context, _ = self.attention(h, state.memory, state.mask)  # (B, T, H)
            h = torch.tanh(self.combine(torch.cat([h, context], dim=-1)))
        parts = end if isinstance(end, tuple) else (end,)
        state = state._replace(hidden=tuple(part[0] for part in parts))
        return self.output(self.dropout(h)), state


def _attention(name: str | None, width: int) -> AdditiveAttention | DotAttention | None:
    if name is None:
        return None
    if name == "additive":
        return AdditiveAttention(width, width, hidden_size=width)
    if name in ("dot", "scaled_dot"):
        return DotAttention(scaled=name == "scaled_dot")
    raise ValueError(f"attention={name!r} is not known; there are additive, dot, scaled_dot, None")
