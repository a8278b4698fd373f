"""The feed-forward part of a Transformer: what each token makes of what it has read, on its own."""

from __future__ import annotations

from torch import Tensor, nn

from dlcourse.layers.activations import ACTIVATIONS

__all__ = ["FeedForward"]


class FeedForward(nn.Module):
    """Two dense layers with an activation between them (Vaswani et al., 2017, section 3.3).

    D = dim; hidden_size is usually 4 D. ``activation`` is a name in ``activations.ACTIVATIONS``, or
    a module. ``dropout`` acts on the hidden numbers, in training only. Raises ValueError for sizes
    below 1, another name, and a dropout outside [0, 1).
    """

    def __init__(
        self,
        dim: int,
        *,
        hidden_size: int,
        activation: str | nn.Module = "gelu",
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if dim < 1 or hidden_size < 1:
            raise ValueError(f"dim={dim}, hidden_size={hidden_size}: both must be at least 1")
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation={activation!r} is not known; there are {known}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout}: a probability from 0 to below 1 is wanted")
        self.hidden = nn.Linear(dim, hidden_size, bias=bias)
        self.activation = ACTIVATIONS[activation]() if isinstance(activation, str) else activation
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden_size, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., D) to (..., D), every token by the same weights.

        Raises ValueError for another last axis, TypeError for another dtype than the weights'.
        """
        dim, dtype = self.hidden.in_features, self.hidden.weight.dtype
        if x.ndim == 0 or x.shape[-1] != dim:
            wanted = f"this layer takes (..., {dim})"
            raise ValueError(f"an input of shape {tuple(x.shape)} given; {wanted}")
        if x.dtype != dtype:
            raise TypeError(f"an input of dtype {x.dtype} given; this layer computes in {dtype}")
        y: Tensor = self.output(self.dropout(self.activation(self.hidden(x))))
        return y
