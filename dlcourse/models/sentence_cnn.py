"""The sentence CNN: detectors of short runs of words, each as strong as its best match in the text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.convolution import Conv1d
from dlcourse.layers.embedding import Embedding, token_mask
from dlcourse.layers.linear import Linear

__all__ = ["SentenceCNN"]


class SentenceCNN(nn.Module):
    """Convolutions of several widths over words, and the maximum over the text (Kim, 2014).

    Axes: B batch, T tokens, D = embedding_dim, F = num_filters of each width of kernel_sizes, K =
    num_classes, P places for a window. The maximum runs over windows inside the text, so that
    padding changes nothing; a text shorter than a window has one, filled up with zeros. With
    ``masked=False`` windows of padding compete as well, a mistake kept for the lesson on it.
    Raises ValueError for tokens that are not (B, T), for a text without a token, and unless there
    is a kernel size and each is at least 1.
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        *,
        embedding_dim: int = 64,
        kernel_sizes: Sequence[int] = (2, 3, 4),
        num_filters: int = 64,
        dropout: float = 0.5,
        padding: int = 0,
        masked: bool = True,
    ) -> None:
        super().__init__()
        if not kernel_sizes or min(kernel_sizes) < 1:
            raise ValueError(f"kernel_sizes={tuple(kernel_sizes)}: widths of at least 1 are wanted")
        self.padding, self.masked, self.kernel_sizes = padding, masked, tuple(kernel_sizes)
        self.embedding = Embedding(vocab_size, embedding_dim, padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.mul_(0.1)  # or words that training rarely meets outweigh the others
        convolutions = (Conv1d(embedding_dim, num_filters, size) for size in kernel_sizes)
        self.convolutions = nn.ModuleList(convolutions)
        self.dropout = nn.Dropout(dropout)
        self.output = Linear(num_filters * len(kernel_sizes), num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T), int64, to logits (B, K)."""
        real = token_mask(tokens, padding=self.padding)  # (B, T)
        if self.masked:  # columns of nothing but padding cost time and change nothing
            longest = int(real.sum(1).max())
            tokens, real = tokens[:, :longest], real[:, :longest]
        missing = max(0, max(self.kernel_sizes) - tokens.shape[1])
        tokens, real = F.pad(tokens, (0, missing), value=self.padding), F.pad(real, (0, missing))
        x = self.embedding(tokens).mT  # (B, D, T)
        strongest = [self._strongest(layer(x), real) for layer in self.convolutions]  # (B, F) each
        logits: Tensor = self.output(self.dropout(torch.cat(strongest, dim=1)))
        return logits

    def _strongest(self, scores: Tensor, real: Tensor) -> Tensor:
        """Return each filter's largest rectified score (B, F), of scores (B, F, P)."""
        if self.masked:
            inside = real[:, real.shape[1] - scores.shape[2] :].clone()  # (B, P), by the last token
            inside[:, 0] = True  # the one window there is of a shorter text
            penalty = torch.zeros_like(scores[:, 0]).masked_fill(~inside, -math.inf)  # (B, P)
            scores = scores + penalty[:, None]
        return F.relu(scores.amax(2))  # the rectified maximum is the maximum of rectified scores
