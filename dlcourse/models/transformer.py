"""The Transformer: an encoder reads one sequence at once, a decoder writes another and reads the first as it goes."""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from dlcourse.layers.attention import KeysValues, MultiHeadAttention
from dlcourse.layers.embedding import Embedding, token_mask
from dlcourse.layers.normalization import LayerNorm
from dlcourse.layers.positional import ADDITIVE
from dlcourse.layers.transformer import TransformerBlock

__all__ = ["Transformer", "TransformerState"]

POSITIONS = (*ADDITIVE, "none")


class TransformerState(NamedTuple):
    """What the decoder knows before a token; B is the first axis of every tensor, so that rows can be picked."""

    mask: Tensor  # bool (B, S): True where the source has a token
    memory: tuple[KeysValues, ...]  # of each block: keys and values of the source, (B, N, S, K) each
    past: tuple[KeysValues, ...]  # of each block: keys and values of the P tokens so far, (B, N, P, K)


class Transformer(nn.Module):
    """An encoder and a decoder of num_layers blocks each (Vaswani et al., 2017).

    Axes: B batch, S source tokens, T target tokens, D = dim, V = target_size, N = num_heads. The
    encoder's tokens read each other; the decoder's read those before them, then the encoder's
    outputs. Blocks normalise what they read, as in most that came later; ``norm_first=False`` is
    the paper's order. Both stacks end with a norm, as ``torch.nn.Transformer`` has it.
    ``positions`` is "sinusoidal", with embeddings times √D as in section 3.4, "learned", with both
    starting small, or "none". hidden_size is 4 D by default; ``dropout`` acts after the positions and in
    the blocks, in training only. Tokens are int64, at most ``max_length`` a side; sources are padded at the end
    with ``padding``, which is masked. Raises ValueError or TypeError for anything else.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        dim: int,
        *,
        num_heads: int,
        num_layers: int,
        max_length: int,
        hidden_size: int | None = None,
        positions: str = "sinusoidal",
        activation: str | nn.Module = "relu",
        norm_first: bool = True,
        dropout: float = 0.0,
        fused: bool = True,
        padding: int = 0,
    ) -> None:
        super().__init__()
        if num_layers < 1 or max_length < 1:
            given = f"num_layers={num_layers}, max_length={max_length}"
            raise ValueError(f"{given}: both must be at least 1")
        if positions not in POSITIONS:
            known = ", ".join(POSITIONS)
            raise ValueError(f"positions={positions!r} is not known; there are {known}")
        self.padding, self.max_length = padding, max_length
        self.source_embedding = Embedding(source_size, dim)
        self.target_embedding = Embedding(target_size, dim)
        # Tokens enter as large as positions: the sinusoids are about 1, and learned ones start at 0.02.
        self.scale = math.sqrt(dim) if positions == "sinusoidal" else 1.0
        with torch.no_grad():
            for table in (self.source_embedding.weight, self.target_embedding.weight):
                table.mul_(1 / self.scale if self.scale > 1 else 0.02)
        kind = ADDITIVE.get(positions)
        self.source_positions = kind and kind(dim, max_length=max_length)
        self.target_positions = kind and kind(dim, max_length=max_length)
        self.dropout = nn.Dropout(dropout)

        def stack(*, decoder: bool) -> nn.ModuleList:
            return nn.ModuleList(
                TransformerBlock(
                    dim,
                    num_heads=num_heads,
                    hidden_size=hidden_size,
                    activation=activation,
                    norm_first=norm_first,
                    causal=decoder,
                    cross=decoder,
                    dropout=dropout,
                    fused=fused,
                )
                for _ in range(num_layers)
            )

        self.encoder, self.encoder_norm = stack(decoder=False), LayerNorm(dim)
        self.decoder, self.decoder_norm = stack(decoder=True), LayerNorm(dim)
        self.output = nn.Linear(dim, target_size)

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Map source (B, S) and the target up to each token (B, T) to logits (B, T, V) for the next.

        Teacher forcing, and all tokens at once: token t is predicted from the right ones before it.
        """
        if target_in.ndim != 2 or target_in.numel() == 0 or len(target_in) != len(source):
            given = f"sources {tuple(source.shape)} and targets {tuple(target_in.shape)} given"
            raise ValueError(f"{given}; (B, S) and (B, T) wanted, each at least 1")
        return self._read(target_in, self.encode(source))[0]

    def encode(self, source: Tensor) -> TransformerState:
        """Read source (B, S) and return the state from which the decoder starts."""
        mask = token_mask(source, padding=self.padding)  # (B, S)
        x = self._embed(source, self.source_embedding, self.source_positions)
        for block in self.encoder:
            x = block(x, mask=mask[:, None])  # (B, S, D)
        x = self.encoder_norm(x)
        readers = (cast(MultiHeadAttention, block.cross) for block in self.decoder)
        memory = tuple(reader.remember(x) for reader in readers)  # once for all tokens
        none = tuple((k[:, :, :0], v[:, :, :0]) for k, v in memory)
        return TransformerState(mask, memory, none)

    def step(self, tokens: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState]:
        """Read one token for each row, (B,): log-probabilities (B, V) of the next, and the state then."""
        logits, state = self._read(tokens[:, None], state)
        return logits[:, 0].log_softmax(dim=-1), state

    def _read(self, tokens: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState]:
        """Map tokens (B, T) that follow those of the state to logits (B, T, V), and the state then."""
        start = state.past[0][0].shape[2]
        x = self._embed(tokens, self.target_embedding, self.target_positions, start)
        mask, past = state.mask[:, None], []
        for block, before, memory in zip(self.decoder, state.past, state.memory, strict=True):
            x, after = cast(TransformerBlock, block).read(x, before, memory, mask)  # (B, T, D)
            past.append(after)
        logits: Tensor = self.output(self.decoder_norm(x))
        return logits, state._replace(past=tuple(past))

    def _embed(
        self,
        tokens: Tensor,
        embedding: Embedding,
        positions: nn.Module | None,
        start: int = 0,
    ) -> Tensor:
        if start + tokens.shape[1] > self.max_length:
            given = f"{tokens.shape[1]} tokens given" + (f" after {start}" if start else "")
            raise ValueError(f"{given}; this model reads at most {self.max_length}")
        x = embedding(tokens) * self.scale  # (B, T, D)
        if positions is not None:
            x = positions(x, start)
        dropped: Tensor = self.dropout(x)
        return dropped
