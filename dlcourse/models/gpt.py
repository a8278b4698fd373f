"""A GPT: a stack of causal Transformer blocks that gives the next token's distribution."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dlcourse.layers.attention import KeysValues
from dlcourse.layers.embedding import Embedding
from dlcourse.layers.normalization import LayerNorm
from dlcourse.layers.positional import ADDITIVE, RotaryEmbedding
from dlcourse.layers.transformer import TransformerBlock

__all__ = ["GPT"]

POSITIONS = (*ADDITIVE, "rotary", "none")
ADDS = ("attention.out.weight", "feed_forward.output.weight")  # what a block adds to the stream


class GPT(nn.Module):
    """An embedding, causal pre-norm blocks, a last norm and a linear output (Radford et al., 2018; 2019).

    Axes: B batch, T tokens, V = vocab_size, D = dim. The logits at token t are for token t + 1 and
    depend on the tokens up to t alone. As it stands it is GPT-2: learned positions, LayerNorm,
    GELU, biases, weights normal with standard deviation 0.02, what the blocks add by √(2 num_layers)
    less. What later models changed are settings: ``positions`` may be sinusoidal, rotary or none;
    ``norm`` makes a normalisation from D; ``activation``, ``qk_norm`` and ``bias`` are the blocks';
    ``zero_outputs=True`` starts with blocks that add nothing and equal logits; ``tied=True`` makes
    the embedding's table the output's weight as well, as GPT-2's. ``dropout`` acts after the
    positions and in the blocks, in training only. Takes tokens int64 (B, T) from 0 to V − 1, T at
    most ``max_length``; anything else raises ValueError or TypeError.
    """

    def __init__(
        self,
        vocab_size: int,
        dim: int,
        *,
        num_heads: int,
        num_layers: int,
        max_length: int,
        positions: str = "learned",
        norm: Callable[[int], nn.Module] = LayerNorm,
        activation: str | nn.Module = "gelu",
        qk_norm: bool = False,
        bias: bool = True,
        tied: bool = False,
        zero_outputs: bool = False,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if num_layers < 1 or max_length < 1:
            given = f"num_layers={num_layers}, max_length={max_length}"
            raise ValueError(f"{given}: both must be at least 1")
        if positions not in POSITIONS:
            raise ValueError(f"positions={positions!r} is not known; there are {', '.join(POSITIONS)}")
        self.max_length = max_length
        self.embedding = Embedding(vocab_size, dim)
        additive = ADDITIVE.get(positions)
        self.positions = additive(dim, max_length=max_length) if additive else None
        turned = RotaryEmbedding(dim // num_heads, max_length=max_length) if positions == "rotary" else None
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                dim,
                num_heads=num_heads,
                activation=activation,
                norm=norm,
                causal=True,
                qk_norm=qk_norm,
                rotary=turned,
                bias=bias,
                dropout=dropout,
                fused=fused,
            )
            for _ in range(num_layers)
        )
        self.norm = norm(dim)
        self.output = nn.Linear(dim, vocab_size, bias=False)
        self._initialise(zero_outputs=zero_outputs)
        if tied:
            self.output.weight = self.embedding.weight

    def _initialise(self, *, zero_outputs: bool) -> None:
        """Draw all matrices anew, and set biases to 0."""
        for module in self.modules():
            if isinstance(module, nn.Linear | Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        scale = 0.0 if zero_outputs else (2 * len(self.blocks)) ** -0.5
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(ADDS):
                parameter.data *= scale
        if zero_outputs:
            nn.init.zeros_(self.output.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to logits (B, T, V)."""
        x = self._embed(tokens)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.output(self.norm(x))
        return logits

    def read(
        self,
        tokens: Tensor,
        state: list[KeysValues] | None = None,
    ) -> tuple[Tensor, list[KeysValues]]:
        """Map tokens (B, T) to logits (B, T, V) and a state, to go on from with the tokens after.

        ``state`` is what an earlier call returned, or None at the beginning: for every block the
        keys and values of the P tokens so far. Raises ValueError where P + T exceeds max_length:
        ``generation.sliding`` then forgets the oldest.
        """
        x = self._embed(tokens, start=0 if state is None else state[0][0].shape[2])
        states = []
        for number, block in enumerate(self.blocks):
            x, after = block.read(x, None if state is None else state[number])  # type: ignore[operator]
            states.append(after)
        return self.output(self.norm(x)), states

    def _embed(self, tokens: Tensor, start: int = 0) -> Tensor:
        """Return the vectors (B, T, D) of tokens that stand at ``start`` and after."""
        self._check(tokens, start)
        x = self.embedding(tokens)
        if self.positions is not None:
            x = self.positions(x, start)
        y: Tensor = self.dropout(x)
        return y

    def _check(self, tokens: Tensor, start: int) -> None:
        if tokens.ndim != 2 or tokens.numel() == 0:
            given = f"tokens of shape {tuple(tokens.shape)} given"
            raise ValueError(f"{given}; (B, T) wanted, both at least 1")
        if start + tokens.shape[1] > self.max_length:
            given = f"{tokens.shape[1]} tokens given" + (f" after {start}" if start else "")
            cure = "cut the text, or write with generation.sliding"
            raise ValueError(f"{given}; this model reads at most {self.max_length}: {cure}")
