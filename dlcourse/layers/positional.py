"""Positions: attention sees a set of tokens; what tells it their order is put in by hand.

Axes: B batch, T tokens, D width, K width of a head, M = max_length, how many positions there are.
Positions count from 0. A position from M on is refused with a ValueError.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ADDITIVE", "LearnedPositions", "RotaryEmbedding", "SinusoidalPositions", "angles", "sinusoidal"]


def angles(num_positions: int, dim: int, *, base: float = 10_000.0) -> Tensor:
    """Return the angles t / base^(2i/D), in radians, of position t and pair of columns i: (T, D/2).

    The first pair turns by 1 at each step, the last by little more than 1 / base. Raises ValueError
    unless there is a position and D is even and at least 2.
    """
    if num_positions < 1 or dim < 2 or dim % 2:
        given = f"num_positions={num_positions}, dim={dim}"
        raise ValueError(f"{given}: at least 1 position and an even dim are wanted")
    rates = base ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)  # (D/2,)
    return torch.arange(num_positions)[:, None] * rates


def sinusoidal(num_positions: int, dim: int) -> Tensor:
    """Return the table (T, D) of Vaswani et al. (2017), section 3.5: sine and cosine, in turn.

    Columns 2i and 2i + 1 are the sine and cosine of ``angles``; row 0 is 0, 1, 0, 1, and so on.
    """
    a = angles(num_positions, dim)
    return torch.stack([a.sin(), a.cos()], dim=-1).flatten(1).to(torch.get_default_dtype())


class _Positions(nn.Module):
    """What the two additive tables share: token t gets row ``start`` + t."""

    table: Tensor  # (M, D)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Add to x (B, T, D) the positions from ``start`` to ``start`` + T − 1."""
        length, dim = self.table.shape
        if x.ndim != 3 or x.shape[2] != dim:
            raise ValueError(f"an input of shape {tuple(x.shape)} given; (B, T, {dim}) wanted")
        _check_positions(start, x.shape[1], length)
        return x + self.table[start : start + x.shape[1]].to(x.dtype)

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{self.table.shape[1]}, max_length={self.table.shape[0]}"


class SinusoidalPositions(_Positions):
    """Adds the fixed table of ``sinusoidal`` to a text; no parameters, and nothing to save."""

    def __init__(self, dim: int, *, max_length: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoidal(max_length, dim), persistent=False)


class LearnedPositions(_Positions):
    """Adds a learned vector for each position (Gehring et al., 2017; GPT and BERT).

    The table (M, D) starts normal with a standard deviation of 0.02.
    """

    def __init__(self, dim: int, *, max_length: int) -> None:
        super().__init__()
        if dim < 1 or max_length < 1:
            raise ValueError(f"dim={dim}, max_length={max_length}: both must be at least 1")
        self.table = nn.Parameter(torch.randn(max_length, dim) * 0.02)


ADDITIVE = {"learned": LearnedPositions, "sinusoidal": SinusoidalPositions}  # by name, for models


class RotaryEmbedding(nn.Module):
    """Turns pairs of columns by angles that grow with the position (Su et al., 2021).

    The inner product of a query turned at t with a key turned at s depends on t − s alone, not on t
    and s. Column i is paired with i + K/2; the paper (section 3.2.2) pairs
    neighbours, which is the same for another order of the columns. No parameters, and nothing to
    save. K = dim.
    """

    cos: Tensor  # (M, K): the two columns of a pair turn by one angle
    sin: Tensor  # (M, K), its first half with the sign of the formula, −

    def __init__(self, dim: int, *, max_length: int, base: float = 10_000.0) -> None:
        super().__init__()
        self.dim, self.max_length = dim, max_length
        a, dtype = angles(max_length, dim, base=base), torch.get_default_dtype()
        self.register_buffer("cos", torch.cat([a, a], dim=1).cos().to(dtype), persistent=False)
        self.register_buffer("sin", torch.cat([-a, a], dim=1).sin().to(dtype), persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Turn the vectors of x (..., T, K), which stand at ``start`` to ``start`` + T − 1."""
        if x.ndim < 2 or x.shape[-1] != self.dim:
            given = f"an input of shape {tuple(x.shape)} given"
            raise ValueError(f"{given}; (..., T, {self.dim}) wanted")
        _check_positions(start, x.shape[-2], self.max_length)
        rows = slice(start, start + x.shape[-2])
        cos, sin = self.cos[rows].to(x.dtype), self.sin[rows].to(x.dtype)  # (T, K)
        partner = x.roll(self.dim // 2, dims=-1)  # (a, b) becomes (b, a)
        return x * cos + partner * sin  # (a cos − b sin, b cos + a sin)

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        return f"{self.dim}, max_length={self.max_length}"


def _check_positions(start: int, num_tokens: int, max_length: int) -> None:
    if start < 0 or start + num_tokens > max_length:
        given = f"positions {start} to {start + num_tokens - 1} asked for"
        raise ValueError(f"{given}; there are 0 to {max_length - 1}")
