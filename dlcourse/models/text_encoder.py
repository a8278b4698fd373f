"""A text encoder: every token reads the whole text, both ways, to guess hidden tokens or to name the text's class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding, token_mask
from dlcourse.layers.normalization import LayerNorm
from dlcourse.layers.positional import ADDITIVE, RotaryEmbedding
from dlcourse.layers.transformer import TransformerBlock

__all__ = ["MaskedLanguageModel", "TextClassifier", "TextEncoder"]

POSITIONS = (*ADDITIVE, "rotary", "none")


class TextEncoder(nn.Module):
    """An embedding, positions and blocks in which every token reads all others (Devlin et al., 2019).

    Axes: B batch, T tokens, V = vocab_size, D = dim. BERT without its sentence pairs, with the norm
    before each part rather than after it. ``positions`` is "learned", "sinusoidal", "rotary" or
    "none". hidden_size is 4 D by default; ``dropout`` acts after the positions and in the blocks,
    in training only. Takes tokens int64 (B, T), T at most ``max_length``, padded at the end with
    ``padding``, which nothing reads; its own outputs mean nothing. With None every token is text.
    Anything else raises ValueError or TypeError, and so does a text of nothing but padding.
    """

    def __init__(
        self,
        vocab_size: int,
        dim: int,
        *,
        num_heads: int,
        num_layers: int,
        max_length: int,
        hidden_size: int | None = None,
        positions: str = "learned",
        dropout: float = 0.0,
        fused: bool = True,
        padding: int | None = 0,
    ) -> None:
        super().__init__()
        if num_layers < 1 or max_length < 1:
            given = f"num_layers={num_layers}, max_length={max_length}"
            raise ValueError(f"{given}: both must be at least 1")
        if positions not in POSITIONS:
            known = ", ".join(POSITIONS)
            raise ValueError(f"positions={positions!r} is not known; there are {known}")
        self.padding, self.max_length = padding, max_length
        self.embedding = Embedding(vocab_size, dim, padding_idx=padding)
        # Tokens enter as large as positions: the sinusoids are about 1, and learned ones start at 0.02.
        self.scale = math.sqrt(dim) if positions == "sinusoidal" else 1.0
        with torch.no_grad():
            self.embedding.weight.mul_(1 / self.scale if self.scale > 1 else 0.02)
        table, rotary = ADDITIVE.get(positions), None
        self.positions = table and table(dim, max_length=max_length)
        if positions == "rotary":
            rotary = RotaryEmbedding(dim // num_heads, max_length=max_length)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                dim,
                num_heads=num_heads,
                hidden_size=hidden_size,
                rotary=rotary,
                dropout=dropout,
                fused=fused,
            )
            for _ in range(num_layers)
        )
        self.norm = LayerNorm(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to states (B, T, D), each of a token in the light of its text."""
        real = self.real(tokens)  # (B, T)
        if tokens.shape[1] > self.max_length:
            given = f"{tokens.shape[1]} tokens given"
            raise ValueError(f"{given}; this model reads at most {self.max_length}")
        x = self.embedding(tokens) * self.scale  # (B, T, D)
        if self.positions is not None:
            x = self.positions(x)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, mask=None if self.padding is None else real[:, None])
        states: Tensor = self.norm(x)
        return states

    def real(self, tokens: Tensor) -> Tensor:
        """Return bool (B, T), True where tokens are text and False where they are padding."""
        return token_mask(tokens, padding=-1 if self.padding is None else self.padding)


class MaskedLanguageModel(nn.Module):
    """An encoder that says which token stands at each place (Devlin et al., 2019, section 3.1).

    ``data.masked_tokens`` hides some of them. The output's weights are the embedding's table, as
    BERT's: a token is likely where its vector fits the state. Without BERT's dense layer before it.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        vocab_size, dim = encoder.embedding.weight.shape
        self.output = nn.Linear(dim, vocab_size)
        self.output.weight = encoder.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to logits (B, T, V)."""
        logits: Tensor = self.output(self.encoder(tokens))
        return logits


class TextClassifier(nn.Module):
    """An encoder, the mean of its states over the text, and one dense layer: logits (B, K).

    K = num_classes. BERT reads the classes from a first token instead, which it trains by a second
    task. ``dropout`` acts on the mean, in training only. Errors as ``TextEncoder``.
    """

    def __init__(self, encoder: TextEncoder, num_classes: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(encoder.embedding.weight.shape[1], num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to logits (B, K)."""
        real = self.encoder.real(tokens)[..., None]  # (B, T, 1)
        mean = (self.encoder(tokens) * real).sum(1) / real.sum(1)  # (B, D)
        logits: Tensor = self.output(self.dropout(mean))
        return logits
