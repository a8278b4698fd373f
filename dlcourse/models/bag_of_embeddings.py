"""The bag of embeddings: a text is the mean of its words, whatever their order."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding, token_mask
from dlcourse.layers.linear import Linear

__all__ = ["BagOfEmbeddings"]


class BagOfEmbeddings(nn.Module):
    """A mean of word vectors, and a linear layer on it (Joulin et al., 2017, without bigrams).

    Axes: B batch, T tokens, D = embedding_dim, K = num_classes. The mean is over the tokens of the
    text. With ``masked=False`` it divides by T and so counts the padding, whose vector is 0: then
    the answer depends on what the text is batched with, a mistake kept for the lesson on it.
    Raises ValueError for tokens that are not (B, T), and for a text without a token.
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        *,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        padding: int = 0,
        masked: bool = True,
    ) -> None:
        super().__init__()
        self.padding, self.masked = padding, masked
        self.embedding = Embedding(vocab_size, embedding_dim, padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.mul_(0.1)  # or words that training rarely meets outweigh the others
        self.dropout = nn.Dropout(dropout)
        self.output = Linear(embedding_dim, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T), int64, to logits (B, K)."""
        real = token_mask(tokens, padding=self.padding)  # (B, T)
        count = real.sum(1, keepdim=True) if self.masked else tokens.shape[1]
        mean = self.embedding(tokens).sum(1) / count  # (B, D); the padding adds zeros to the sum
        logits: Tensor = self.output(self.dropout(mean))
        return logits
