"""Skip-gram with negative sampling: a word's vector is what tells its true neighbours from drawn ones.

Axes: B batch, V = vocab_size, D = embedding_dim, K noise words for each true one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding

__all__ = ["SkipGram", "negative_sampling_loss"]


class SkipGram(nn.Module):
    """Two vectors a word: one for when it stands in the middle, one for when it stands beside (Mikolov et al., 2013b, section 2.2).

    ``centre`` and ``context`` are the two tables, (V, D) each; the rows of ``centre`` are the word vectors one keeps. They start
    as word2vec's: centres uniform in ±1/(2D), contexts zero, so that every first score is 0 and every first probability 1/2.
    Raises ValueError for sizes below 1.
    """

    def __init__(self, vocab_size: int, embedding_dim: int) -> None:
        super().__init__()
        if vocab_size < 1 or embedding_dim < 1:
            raise ValueError(f"vocab_size={vocab_size}, embedding_dim={embedding_dim}: both must be at least 1")
        self.centre = Embedding(vocab_size, embedding_dim)
        self.context = Embedding(vocab_size, embedding_dim)
        nn.init.uniform_(self.centre.weight, -0.5 / embedding_dim, 0.5 / embedding_dim)
        nn.init.zeros_(self.context.weight)

    def forward(self, centres: Tensor, contexts: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map word numbers centres (B,) and contexts (B, 1 + K), int64, to scores (B, 1 + K): the products of their vectors.

        With ``noise`` (K,), the same K words serve as noise for the whole batch, contexts are (B, 1), and K B products of vectors
        become one of matrices: several times faster. Raises ValueError for other shapes and for an empty batch.
        """
        if centres.ndim != 1 or contexts.ndim != 2 or len(centres) != len(contexts) or contexts.numel() == 0:
            shapes = f"centres {tuple(centres.shape)} and contexts {tuple(contexts.shape)}"
            raise ValueError(f"{shapes} given; (B,) and (B, 1 + K) wanted, with B of at least 1")
        v = self.centre(centres)  # (B, D)
        if noise is None:
            scores: Tensor = (self.context(contexts) @ v[:, :, None]).squeeze(-1)  # (B, 1 + K, D) times (B, D, 1)
            return scores
        if noise.ndim != 1 or contexts.shape[1] != 1:
            shapes = f"contexts {tuple(contexts.shape)} and noise {tuple(noise.shape)}"
            raise ValueError(f"{shapes} given; (B, 1) and (K,) wanted where the batch shares its noise")
        true = (self.context(contexts[:, 0]) * v).sum(1, keepdim=True)  # (B, 1)
        return torch.cat([true, v @ self.context(noise).T], dim=1)  # (B, 1 + K)


def negative_sampling_loss(scores: Tensor, *, num_noise: float | None = None) -> Tensor:
    """Return −log σ(true score) − Σ log σ(−noise score), a scalar: the mean over the batch (Mikolov et al., 2013b, eq. 4).

    scores (B, 1 + K), floating point: the first column is the true pair's, the others are those of the noise. It is the binary
    cross-entropy of "true or drawn?", summed over the columns. With ``num_noise`` the K noise words only estimate the sum over so
    many: K shared by a batch are cheap, and a mean over more of them is less noisy. Raises ValueError for another shape, no noise
    or a ``num_noise`` that is not above 0, TypeError for another dtype.
    """
    if not scores.is_floating_point():
        raise TypeError(f"scores must be floating point, got {scores.dtype}")
    if scores.ndim != 2 or len(scores) == 0 or scores.shape[1] < 2:
        raise ValueError(f"scores of shape {tuple(scores.shape)} given; (B, 1 + K) wanted, with B and K of at least 1")
    if num_noise is not None and not num_noise > 0:
        raise ValueError(f"num_noise={num_noise}: a number above 0 is wanted")
    true, noise = F.logsigmoid(scores[:, 0]), F.logsigmoid(-scores[:, 1:])  # (B,), (B, K)
    weight = 1.0 if num_noise is None else num_noise / noise.shape[1]
    return -true.mean() - weight * noise.sum(1).mean()
