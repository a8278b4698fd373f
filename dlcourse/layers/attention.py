"""Attention: a query reads values by how well their keys match it.

One alphabet throughout: B batch, T queries, S keys, D width, N = num_heads, K = D // N the width of
a head. A mask is bool, True where a query may attend. A query that may attend to nothing reads 0,
and no gradient flows through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.normalization import RMSNorm
from dlcourse.layers.positional import RotaryEmbedding

__all__ = [
    "KeysValues",
    "MaskedSoftmax",
    "MultiHeadAttention",
    "causal_mask",
    "check_mask",
    "fused_dot_product",
    "masked_softmax",
    "scaled_dot_product",
]

KeysValues = tuple[Tensor, Tensor]  # the keys and values of P tokens read before, (B, N, P, K) each


def causal_mask(
    num_queries: int,
    num_keys: int | None = None,
    *,
    device: torch.device | None = None,
) -> Tensor:
    """Return the bool mask (T, S) of a text that is read from left to right; S = T by default.

    The queries are the last T of the S tokens; each may attend to itself and to all before it.
    Raises ValueError for fewer keys than queries.
    """
    num_keys = num_queries if num_keys is None else num_keys
    if not 0 < num_queries <= num_keys:
        given = f"num_queries={num_queries}, num_keys={num_keys}"
        raise ValueError(f"{given}: at least 1 query, and as many keys as queries, are wanted")
    everything = torch.ones(num_queries, num_keys, dtype=torch.bool, device=device)
    return everything.tril(num_keys - num_queries)


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn scores (..., T, S) into weights: at least 0, exactly 0 where masked, 1 in sum per row.

    A row that is masked throughout has weights of 0. Raises TypeError for a mask that is not bool,
    and ValueError for one that cannot be broadcast to the scores.
    """
    if mask is None:
        return torch.softmax(scores, dim=-1)
    check_mask(mask, scores.shape)
    blind = ~mask.any(dim=-1, keepdim=True)  # (..., T, 1): rows that are masked throughout
    # They see all, and lose their weights afterwards: a row of −∞ has no softmax. To add −∞ is
    # faster than to overwrite the scores, whose gradient would have to be overwritten as well.
    barred = torch.zeros_like(mask, dtype=scores.dtype).masked_fill_(~(mask | blind), -math.inf)
    weights = torch.softmax(scores + barred, dim=-1)
    return weights.masked_fill(blind, 0.0) if blind.any() else weights


class MaskedSoftmax(nn.Module):
    """``masked_softmax`` as a module, so that a hook on it can record the weights."""

    def forward(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map scores (..., T, S) to weights (..., T, S)."""
        return masked_softmax(scores, mask)


def scaled_dot_product(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    *,
    attend: Callable[[Tensor, Tensor | None], Tensor] = masked_softmax,
    dropout: float = 0.0,
) -> Tensor:
    """Return softmax(q kᵀ / √K) v (Vaswani et al., 2017, equation 1), each step written out.

    q (..., T, K), k (..., S, K) and v (..., S, any) give (..., T, any); bool mask, broadcastable to
    (..., T, S). ``dropout`` is the share of weights set to 0, the rest being scaled up.
    Raises ValueError and TypeError for a mask as ``masked_softmax`` does.
    """
    scores = (q / math.sqrt(q.shape[-1])) @ k.mT  # (..., T, S); q has fewer numbers to divide
    weights = attend(scores, mask)
    return F.dropout(weights, dropout) @ v


def fused_dot_product(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Return what ``scaled_dot_product`` does, from torch's one kernel, which stores no weights.

    ``causal=True`` stands for ``mask=causal_mask(T)``, which the kernel knows without being shown;
    it excludes another mask.
    """
    attention = F.scaled_dot_product_attention
    if mask is None:
        return attention(q, k, v, dropout_p=dropout, is_causal=causal)
    if causal:
        raise ValueError("causal=True and a mask given: hand over mask & causal_mask(...) instead")
    check_mask(mask, (*q.shape[:-1], k.shape[-2]))
    blind = ~mask.any(dim=-1, keepdim=True)  # (..., T, 1): these may attend to nothing
    # Not every kernel promises 0 for them: they see all, and what they read is dropped.
    y = attention(q, k, v, attn_mask=mask | blind, dropout_p=dropout)
    return y.masked_fill(blind, 0.0)


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al., 2017, section 3.2.2).

    ``causal=True`` lets a token attend to itself and to those before it only, and makes ``read``
    possible. ``qk_norm=True`` normalises queries and keys in each head by RMSNorm, which keeps
    scores from growing in training (Henry et al., 2020, by the Euclidean norm). ``rotary`` turns
    both by their positions. ``fused=True`` computes the same in torch's one kernel, faster and in
    less memory, but then ``attend`` has no weights to show; the attribute may be set at any time.
    ``dropout`` acts on the weights, in training only. All weights start as those of
    ``torch.nn.Linear``. Twin: ``torch.nn.MultiheadAttention``. Raises
    ValueError unless N divides D.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        causal: bool = False,
        qk_norm: bool = False,
        rotary: RotaryEmbedding | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        fused: bool = False,
    ) -> None:
        super().__init__()
        if dim < 1 or num_heads < 1 or dim % num_heads:
            raise ValueError(f"dim={dim} is not a positive multiple of num_heads={num_heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout}: a probability from 0 to below 1 is wanted")
        if rotary is not None and rotary.dim != dim // num_heads:
            raise ValueError(f"rotary turns vectors of {rotary.dim}; a head has {dim // num_heads}")
        self.dim, self.num_heads, self.causal, self.fused = dim, num_heads, causal, fused
        self.dropout = dropout
        self.query = nn.Linear(dim, dim, bias=bias)
        self.key = nn.Linear(dim, dim, bias=bias)
        self.value = nn.Linear(dim, dim, bias=bias)
        self.query_norm = RMSNorm(dim // num_heads) if qk_norm else None
        self.key_norm = RMSNorm(dim // num_heads) if qk_norm else None
        self.rotary = rotary
        self.attend = MaskedSoftmax()  # a module of its own: a hook on it records the weights
        self.out = nn.Linear(dim, dim, bias=bias)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | KeysValues | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Map x (B, T, D) to (B, T, D), reading memory (B, S, D), or x itself.

        In place of a memory that is read many times, hand over what ``remember`` made of it once.
        The mask is (T, S), (B, T, S) or has axes of 1 to be repeated: for a padded batch it is
        ``token_mask(tokens)[:, None]``, (B, 1, S). Raises ValueError for shapes that do not fit,
        and for a memory where the layer is causal or has rotary positions; TypeError for dtypes.
        """
        self._check(x, None if isinstance(memory, tuple) else memory)
        if isinstance(memory, tuple):
            self._check_state(x, memory)
        q, k, v = self._heads(x, memory)
        if mask is not None:
            check_mask(mask, (*x.shape[:2], k.shape[2]))
        return self._mix(q, k, v, mask)

    def remember(self, memory: Tensor) -> KeysValues:
        """Return the keys and values (B, N, S, K) of a memory (B, S, D); errors as ``forward``."""
        self._check(memory, memory)
        return self._keys_values(memory)

    def read(self, x: Tensor, state: KeysValues | None = None) -> tuple[Tensor, KeysValues]:
        """Map x (B, T, D) to (B, T, D) and a state, to go on from with the tokens that follow.

        ``state`` is what an earlier call returned, or None at the beginning: the keys and values of
        all P tokens so far, so that these need not be read again. It is never changed in place: one
        may go on from it more than once. Raises ValueError for a layer that is not causal, whose
        first tokens would have to wait for the last, and for a state of another shape.
        """
        if not self.causal:
            raise ValueError("only a layer with causal=True can read a text in parts")
        self._check(x)
        self._check_state(x, state)
        q, k, v = self._heads(x, start=0 if state is None else state[0].shape[2])
        if state is not None:
            k, v = (torch.cat(parts, dim=2) for parts in zip(state, (k, v), strict=True))
        return self._mix(q, k, v), (k, v)  # (B, N, P + T, K) each

    def _heads(
        self,
        x: Tensor,
        memory: Tensor | KeysValues | None = None,
        start: int = 0,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the queries of x (B, N, T, K), and keys and values of the memory (B, N, S, K)."""
        read = x if memory is None else memory
        q = self._split(self.query(x))
        if self.query_norm is not None:
            q = self.query_norm(q)
        k, v = read if isinstance(read, tuple) else self._keys_values(read)
        if self.rotary is not None:
            q, k = self.rotary(q, start), self.rotary(k, start)
        return q, k, v

    def _keys_values(self, memory: Tensor) -> KeysValues:
        k, v = self._split(self.key(memory)), self._split(self.value(memory))
        return (k if self.key_norm is None else self.key_norm(k)), v

    def _split(self, y: Tensor) -> Tensor:
        return y.view(*y.shape[:2], self.num_heads, -1).transpose(1, 2)  # (B, N, T, K)

    def _mix(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend in every head, and join the heads: (B, T, D)."""
        num_queries, num_keys = q.shape[2], k.shape[2]
        dropout = self.dropout if self.training else 0.0
        if mask is not None and mask.ndim == 3:
            mask = mask[:, None]  # (B, 1, T, S): the same for every head
        causal = self.causal and num_queries > 1  # the last token may attend to all
        shown = not self.fused or mask is not None or num_queries < num_keys
        if causal and shown:
            past = causal_mask(num_queries, num_keys, device=q.device)
            mask = past if mask is None else mask & past
        if self.fused:
            y = fused_dot_product(q, k, v, mask, causal=causal and not shown, dropout=dropout)
        else:
            y = scaled_dot_product(q, k, v, mask, attend=self.attend, dropout=dropout)
        joined: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return joined

    def _check(self, x: Tensor, memory: Tensor | None = None) -> None:
        named = {"an input": x} if memory is None else {"an input": x, "a memory": memory}
        for name, y in named.items():
            if y.ndim != 3 or y.shape[2] != self.dim or 0 in y.shape:
                given = f"{name} of shape {tuple(y.shape)} given"
                raise ValueError(f"{given}; (B, T, {self.dim}) wanted, all at least 1")
            if y.dtype != self.out.weight.dtype:
                wanted = f"this layer computes in {self.out.weight.dtype}"
                raise TypeError(f"{name} of dtype {y.dtype} given; {wanted}")
        if memory is None:
            return
        if len(memory) != len(x):
            raise ValueError(f"a memory of {len(memory)} given for a batch of {len(x)}")
        if self.causal or self.rotary is not None:
            raise ValueError("a memory given to a layer with causal=True or rotary positions")

    def _check_state(self, x: Tensor, state: KeysValues | None) -> None:
        if state is None:
            return
        wanted = (len(x), self.num_heads, self.dim // self.num_heads)
        shapes = [tuple(part.shape) for part in state]
        lengths = {shape[2] for shape in shapes if len(shape) == 4}
        fits = [len(shape) == 4 and (*shape[:2], shape[3]) == wanted for shape in shapes]
        if len(shapes) != 2 or not all(fits) or len(lengths) != 1:
            text = f"({wanted[0]}, {wanted[1]}, P, {wanted[2]})"
            raise ValueError(f"a state of shapes {shapes} given; keys and values {text} wanted")

    @classmethod
    def from_torch(cls, module: nn.MultiheadAttention) -> Self:
        """Copy a ``torch.nn.MultiheadAttention``, its dtype, device and mode included.

        The copy is batch first, whatever the module was. Raises ValueError for another layer, and
        for kdim, vdim, add_bias_kv and add_zero_attn, which are not known here.
        """
        if not isinstance(module, nn.MultiheadAttention):
            raise ValueError(f"torch.nn.MultiheadAttention wanted, {module} given")
        if module.in_proj_weight is None or module.bias_k is not None or module.add_zero_attn:
            unknown = "kdim, vdim, add_bias_kv and add_zero_attn are not known here"
            raise ValueError(f"{unknown}: {module}")
        bias = module.in_proj_bias is not None
        settings = {"num_heads": module.num_heads, "bias": bias, "dropout": module.dropout}
        twin = cls(module.embed_dim, **settings)
        state = {f"out.{name}": value for name, value in module.out_proj.state_dict().items()}
        for kind in ("weight", "bias") if bias else ("weight",):
            parts = module.get_parameter(f"in_proj_{kind}").chunk(3)  # stacked: q, k, v
            for name, part in zip(("query", "key", "value"), parts, strict=True):
                state[f"{name}.{kind}"] = part
        weight = module.out_proj.weight
        twin.to(weight.device, weight.dtype).load_state_dict(state)
        return twin.train(module.training)

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{self.dim}, num_heads={self.num_heads}, causal={self.causal}, fused={self.fused}"


def check_mask(mask: Tensor, shape: tuple[int, ...]) -> None:
    """Raise TypeError unless the mask is bool, ValueError unless it can be repeated to shape."""
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        given = f"dtype {mask.dtype}" if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"a mask of {given} given; torch.bool wanted, True where one may attend")
    sizes = zip(reversed(mask.shape), reversed(shape), strict=False)
    if not 2 <= mask.ndim <= len(shape) or any(size not in (1, full) for size, full in sizes):
        wanted = f"{tuple(shape)} wanted, or fewer axes from the left, or axes of 1"
        raise ValueError(f"a mask of shape {tuple(mask.shape)} given; {wanted}")
