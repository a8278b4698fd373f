"""The block that Transformers are stacked from: read the other tokens, then think for oneself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

from torch import Tensor, nn

from dlcourse.layers.activations import GELU, ReLU
from dlcourse.layers.attention import KeysValues, MultiHeadAttention
from dlcourse.layers.feed_forward import FeedForward
from dlcourse.layers.normalization import LayerNorm
from dlcourse.layers.positional import RotaryEmbedding

__all__ = ["TransformerBlock"]


class TransformerBlock(nn.Module):
    """Self-attention and a feed-forward part, each with a residual connection and a normalisation.

    Axes: B batch, T tokens, D = dim, S tokens of the memory. ``norm_first=True`` normalises what a
    part reads, x + f(norm(x)) (Xiong et al., 2020), else what comes out, norm(x + f(x)) (Vaswani et
    al., 2017). ``cross=True`` puts a part between the two that reads a memory, as a decoder does.
    ``norm`` makes a normalisation from D; hidden_size is 4 D by default; ``dropout`` acts on the
    weights, the hidden numbers and what each part adds. The rest is MultiHeadAttention's and
    FeedForward's. Twins: ``torch.nn.TransformerEncoderLayer`` and ``TransformerDecoderLayer``.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        hidden_size: int | None = None,
        activation: str | nn.Module = "gelu",
        norm: Callable[[int], nn.Module] = LayerNorm,
        norm_first: bool = True,
        causal: bool = False,
        cross: bool = False,
        qk_norm: bool = False,
        rotary: RotaryEmbedding | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        fused: bool = False,
    ) -> None:
        super().__init__()
        hidden_size = 4 * dim if hidden_size is None else hidden_size
        self.norm_first = norm_first
        attention = partial(MultiHeadAttention, dim, num_heads=num_heads, bias=bias, dropout=dropout, fused=fused)
        self.attention = attention(causal=causal, qk_norm=qk_norm, rotary=rotary)
        self.attention_norm = norm(dim)
        self.cross: MultiHeadAttention | None = None
        if cross:
            self.cross = attention()
            self.cross_norm = norm(dim)
        self.feed_forward = FeedForward(
            dim,
            hidden_size=hidden_size,
            activation=activation,
            bias=bias,
            dropout=dropout,
        )
        self.feed_forward_norm = norm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | KeysValues | None = None,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        """Map x (B, T, D) to (B, T, D).

        ``mask`` says who may read whom in x, ``memory_mask`` in the memory, as in
        MultiHeadAttention. The memory is (B, S, D), or what ``cross.remember`` made of it. Raises
        ValueError for a memory given without ``cross=True`` or missing with it.
        """
        y = self.attention(self._before(x, self.attention_norm), mask=mask)
        return self._rest(x, y, memory, memory_mask)

    def read(
        self,
        x: Tensor,
        state: KeysValues | None = None,
        memory: Tensor | KeysValues | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, KeysValues]:
        """Map x (B, T, D) to (B, T, D) and a state to go on from; see MultiHeadAttention.read."""
        y, state = self.attention.read(self._before(x, self.attention_norm), state)
        return self._rest(x, y, memory, memory_mask), state

    def _rest(
        self,
        x: Tensor,
        y: Tensor,
        memory: Tensor | KeysValues | None,
        memory_mask: Tensor | None,
    ) -> Tensor:
        """Return what the block makes of x and of what self-attention has read, y."""
        x = self._after(x, y, self.attention_norm)
        if (memory is None) != (self.cross is None):
            given = "no memory" if memory is None else "a memory"
            raise ValueError(f"{given} given to a block with cross={self.cross is not None}")
        if self.cross is not None:
            y = self.cross(self._before(x, self.cross_norm), memory, memory_mask)
            x = self._after(x, y, self.cross_norm)
        y = self.feed_forward(self._before(x, self.feed_forward_norm))
        return self._after(x, y, self.feed_forward_norm)

    def _before(self, x: Tensor, norm: nn.Module) -> Tensor:
        return norm(x) if self.norm_first else x

    def _after(self, x: Tensor, y: Tensor, norm: nn.Module) -> Tensor:
        x = x + self.dropout(y)
        return x if self.norm_first else norm(x)

    @classmethod
    def from_torch(cls, module: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer) -> Self:
        """Copy a layer of torch's encoder or decoder, its dtype, device and mode included.

        The copy is batch first, whatever the module was. Raises ValueError for another layer, and
        for activations other than relu and the exact gelu.
        """
        if not isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
            raise ValueError(f"a layer of torch's encoder or decoder wanted, {module} given")
        cross = isinstance(module, nn.TransformerDecoderLayer)
        names: dict[str, nn.Module] = {
            "feed_forward.hidden": module.linear1,
            "feed_forward.output": module.linear2,
        }
        norms = ["attention_norm", *(["cross_norm"] if cross else []), "feed_forward_norm"]
        bias, linear = module.linear1.bias is not None, module.linear1
        twin = cls(
            linear.in_features,
            num_heads=module.self_attn.num_heads,
            hidden_size=linear.out_features,
            activation=_activation(module.activation),
            norm=lambda dim: LayerNorm(dim, eps=module.norm1.eps, bias=bias),
            norm_first=module.norm_first,
            cross=cross,
            bias=bias,
            dropout=module.dropout1.p,
        ).to(linear.weight.device, linear.weight.dtype)
        names |= {name: getattr(module, f"norm{i}") for i, name in enumerate(norms, start=1)}
        names["attention"] = MultiHeadAttention.from_torch(module.self_attn)
        if isinstance(module, nn.TransformerDecoderLayer):
            names["cross"] = MultiHeadAttention.from_torch(module.multihead_attn)
        for name, source in names.items():
            twin.get_submodule(name).load_state_dict(source.state_dict())
        return twin.train(module.training)


def _activation(function: object) -> nn.Module:
    """Return our module for the function that a layer of torch holds."""
    known = {"relu": ReLU, "gelu": GELU}
    name = getattr(function, "__name__", type(function).__name__).lower()
    if name not in known or getattr(function, "approximate", "none") != "none":
        raise ValueError(f"only relu and the exact gelu can be copied, not {function}")
    return known[name]()
