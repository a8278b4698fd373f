"""Skip-gram with negative sampling: a word's vector tells its true neighbours from drawn ones.

Axes: B batch, V = vocab_size, D = embedding_dim, K noise words for each true one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding

__all__ = ["SkipGram", "negative_sampling_loss"]


class SkipGram(nn.Module):
    """Two vectors a word: one as the word in the middle, one as the neighbour.

    The model of Mikolov et al. (2013b, section 2.2). ``centre`` and ``context`` are its tables,
    (V, D) each; the rows of ``centre`` are the word vectors one keeps. They start as word2vec's:
    centres uniform in ±1/(2D), contexts zero, so that every first score is 0 and every first
    probability 1/2. Raises ValueError for sizes below 1.
    """

    def __init__(self, vocab_size: int, embedding_dim: int) -> None:
        super().__init__()
        if vocab_size < 1 or embedding_dim < 1:
            sizes = f"vocab_size={vocab_size}, embedding_dim={embedding_dim}"
            raise ValueError(f"{sizes}: both must be at least 1")
        self.centre = Embedding(vocab_size, embedding_dim)
        self.context = Embedding(vocab_size, embedding_dim)
        nn.init.uniform_(self.centre.weight, -0.5 / embedding_dim, 0.5 / embedding_dim)
        nn.init.zeros_(self.context.weight)

    def forward(self, centres: Tensor, contexts: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map words centres (B,) and contexts (B, 1 + K), int64, to their products (B, 1 + K).

        With ``noise`` (K,) the whole batch shares K noise words, and contexts are (B, 1): B K
        products of vectors become one product of matrices, which is faster. Raises ValueError for
        other shapes and for an empty batch.
        """
        fits = centres.ndim == 1 and contexts.ndim == 2 and len(centres) == len(contexts)
        if not fits or contexts.numel() == 0:
            shapes = f"centres {tuple(centres.shape)} and contexts {tuple(contexts.shape)}"
            raise ValueError(f"{shapes} given; (B,) and (B, 1 + K) wanted, with B of at least 1")
        v = self.centre(centres)  # (B, D)
        if noise is None:
            u = self.context(contexts)  # (B, 1 + K, D)
            scores: Tensor = (u @ v[:, :, None]).squeeze(-1)  # (B, 1 + K)
            return scores
        if noise.ndim != 1 or contexts.shape[1] != 1:
            shapes = f"contexts {tuple(contexts.shape)} and noise {tuple(noise.shape)}"
            wanted = "(B, 1) and (K,) wanted where the batch shares its noise"
            raise ValueError(f"{shapes} given; {wanted}")
        true = (self.context(contexts[:, 0]) * v).sum(1, keepdim=True)  # (B, 1)
        return torch.cat([true, v @ self.context(noise).T], dim=1)  # (B, 1 + K)


def negative_sampling_loss(scores: Tensor, *, num_noise: float | None = None) -> Tensor:
    """Return the mean over the batch of −log σ(true score) − Σ log σ(−noise score), a scalar.

    Equation 4 of Mikolov et al. (2013b) with its sign turned. scores (B, 1 + K), floating point:
    the first column is the true pair's, the others are the noise's. It is the binary cross-entropy
    of "true or drawn?", summed over the columns. With ``num_noise`` the mean over the K noise
    words counts as that many: a batch that shares its noise can afford a large K. Raises ValueError
    for another shape, no noise or a ``num_noise`` not above 0, TypeError for another dtype.
    """
    if not scores.is_floating_point():
        raise TypeError(f"scores must be floating point, got {scores.dtype}")
    if scores.ndim != 2 or len(scores) == 0 or scores.shape[1] < 2:
        wanted = "(B, 1 + K) wanted, with B and K of at least 1"
        raise ValueError(f"scores of shape {tuple(scores.shape)} given; {wanted}")
    if num_noise is not None and not num_noise > 0:
        raise ValueError(f"num_noise={num_noise}: a number above 0 is wanted")
    true, noise = F.logsigmoid(scores[:, 0]), F.logsigmoid(-scores[:, 1:])  # (B,), (B, K)
    weight = 1.0 if num_noise is None else num_noise / noise.shape[1]
    return -true.mean() - weight * noise.sum(1).mean()
