"""TransE: a fact is a step. The tail of (head, relation, tail) lies where the relation's vector leads from the head.

Axes: B batch, E = num_entities, R = num_relations, D = embedding_dim. A fact is a triple of numbers, int64.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding

__all__ = ["TransE", "hits_at", "margin_loss"]


class TransE(nn.Module):
    """Translation in the space of entities (Bordes et al., 2013): head + relation ≈ tail where the fact is true.

    ``entity`` (E, D) and ``relation`` (R, D) are the tables, rows of length 1 at the start. ``score`` puts entities back to
    length 1 each time it reads them, as the paper does, so that distances cannot grow by scaling all vectors. Raises ValueError
    for sizes below 1.
    """

    def __init__(self, num_entities: int, num_relations: int, *, embedding_dim: int) -> None:
        super().__init__()
        self.entity = Embedding(num_entities, embedding_dim)
        self.relation = Embedding(num_relations, embedding_dim)
        for table in (self.entity, self.relation):
            table.weight.data = F.normalize(table.weight.data, dim=1)

    def score(self, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        """Return minus the distance from head + relation to tail, (B,); all three int64 and of one shape, or broadcast to it.

        0 is the best score there is. ``score(heads[:, None], relations[:, None], torch.arange(E))`` scores all tails, (B, E).
        """
        h, r, t = F.normalize(self.entity(heads), dim=-1), self.relation(relations), F.normalize(self.entity(tails), dim=-1)
        distance: Tensor = torch.linalg.vector_norm(h + r - t, dim=-1)
        return -distance


def margin_loss(true: Tensor, corrupted: Tensor, *, margin: float = 1.0) -> Tensor:
    """Return the mean of max(0, margin − true + corrupted), a scalar (Bordes et al., 2013, eq. 1).

    Both are scores of one shape: of facts, and of the same facts with the head or the tail drawn anew. Raises ValueError for
    shapes that differ, an empty batch, or a margin that is not above 0.
    """
    if true.shape != corrupted.shape or true.numel() == 0:
        raise ValueError(
            f"scores of shapes {tuple(true.shape)} and {tuple(corrupted.shape)} given; one shape, not empty, is wanted"
        )
    if not margin > 0:
        raise ValueError(f"margin={margin}: a number above 0 is wanted")
    return F.relu(margin - true + corrupted).mean()


def hits_at(k: int, scores: Tensor, tails: Tensor, *, known: Tensor | None = None) -> Tensor:
    """Return whether each true tail is among the k best, bool (B,): scores (B, E) of all entities, tails int64 (B,).

    ``known``, bool (B, E), marks entities that are right as well (Bordes et al., 2013, section 4.1, "filtered"): they do not
    count as better. An equal score counts as better, so that a constant earns nothing. Raises ValueError for other shapes and for
    a k below 1.
    """
    if scores.ndim != 2 or tails.shape != scores.shape[:1] or (known is not None and known.shape != scores.shape):
        mask = "" if known is None else f" and known {tuple(known.shape)}"
        raise ValueError(f"scores {tuple(scores.shape)}, tails {tuple(tails.shape)}{mask} given; (B, E), (B,) and (B, E) wanted")
    if k < 1:
        raise ValueError(f"k={k}: at least 1 is wanted")
    better = scores >= scores.gather(1, tails[:, None])  # (B, E), the true tail itself among them
    if known is not None:
        better &= ~known
    better[torch.arange(len(tails)), tails] = True
    return better.sum(1) <= k
