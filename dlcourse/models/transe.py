"""TransE: a fact (head, relation, tail) is a step from the head, along the relation, to the tail.

Axes: B batch, E = num_entities, R = num_relations, D = embedding_dim. A fact is a triple of
numbers, int64.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.embedding import Embedding

__all__ = ["TransE", "hits_at", "margin_loss"]


class TransE(nn.Module):
    """Translation in the space of entities (Bordes et al., 2013): head + relation ≈ tail.

    ``entity`` (E, D) and ``relation`` (R, D) are the tables, rows of length 1 at the start.
    ``score`` puts entities back to length 1 each time it reads them, as the paper does, so that
    distances cannot grow by scaling all vectors. Raises ValueError for sizes below 1.
    """

    def __init__(self, num_entities: int, num_relations: int, *, embedding_dim: int) -> None:
        super().__init__()
        self.entity = Embedding(num_entities, embedding_dim)
        self.relation = Embedding(num_relations, embedding_dim)
        for table in (self.entity, self.relation):
            table.weight.data = F.normalize(table.weight.data, dim=1)

    def score(self, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        """Return minus the distance from head + relation to tail, (B,), for int64 numbers (B,).

        0 is the best score there is. Other shapes are broadcast: ``score(heads[:, None],
        relations[:, None], torch.arange(E))`` scores all tails, (B, E). Raises ValueError for
        shapes that cannot be, and for a number without a row.
        """
        shapes = [tuple(numbers.shape) for numbers in (heads, relations, tails)]
        try:
            torch.broadcast_shapes(*shapes)  # type: ignore[no-untyped-call]
        except RuntimeError:
            given = f"heads {shapes[0]}, relations {shapes[1]} and tails {shapes[2]}"
            raise ValueError(f"{given} given; one shape (B,) is wanted") from None
        h, t = (F.normalize(self.entity(numbers), dim=-1) for numbers in (heads, tails))
        step = self.relation(relations)
        distance: Tensor = torch.linalg.vector_norm(h + step - t, dim=-1)
        return -distance


def margin_loss(true: Tensor, corrupted: Tensor, *, margin: float = 1.0) -> Tensor:
    """Return the mean of max(0, margin − true + corrupted), a scalar (Bordes et al., 2013, eq. 1).

    Both are scores of one shape: of facts, and of the same facts with the head or the tail drawn
    anew. Raises ValueError for shapes that differ, an empty batch, or a margin that is not above 0.
    """
    if true.shape != corrupted.shape or true.numel() == 0:
        shapes = f"scores of shapes {tuple(true.shape)} and {tuple(corrupted.shape)}"
        raise ValueError(f"{shapes} given; one shape, not empty, is wanted")
    if not margin > 0:
        raise ValueError(f"margin={margin}: a number above 0 is wanted")
    return F.relu(margin - true + corrupted).mean()


def hits_at(k: int, scores: Tensor, tails: Tensor, *, known: Tensor | None = None) -> Tensor:
    """Return whether the true tail, int64 (B,), is among the k best of scores (B, E), bool (B,).

    ``known``, bool (B, E), marks entities that are right as well (Bordes et al., 2013, section 4.2,
    "filtered"): they do not count as better. An equal score counts as better, so that a constant
    earns nothing. Raises ValueError for other shapes, a k below 1, a tail outside 0 to E − 1, and
    scores that are nan, TypeError for other dtypes.
    """
    known = torch.zeros_like(scores, dtype=torch.bool) if known is None else known
    if scores.ndim != 2 or tails.shape != scores.shape[:1] or known.shape != scores.shape:
        shapes = ", ".join(str(tuple(x.shape)) for x in (scores, tails, known))
        wanted = "(B, E), (B,) and (B, E) wanted"
        raise ValueError(f"scores, tails and known of shapes {shapes} given; {wanted}")
    if k < 1:
        raise ValueError(f"k={k}: at least 1 is wanted")
    if tails.dtype != torch.int64 or known.dtype != torch.bool:
        given = f"tails of dtype {tails.dtype} and known of {known.dtype} given"
        raise TypeError(f"{given}; torch.int64 and torch.bool are wanted")
    outside = (tails < 0) | (tails >= scores.shape[1])
    if outside.any():
        tail, last = tails[outside][0].item(), scores.shape[1] - 1
        raise ValueError(f"tail {tail} has no score: there are scores of entities 0 to {last}")
    if scores.isnan().any():  # no score would be better than a nan, and every tail a hit
        raise ValueError("the scores hold nan: no ranking follows from them")
    better = (scores >= scores.gather(1, tails[:, None])) & ~known  # (B, E)
    better[torch.arange(len(tails)), tails] = True  # it counts itself, known or not
    return better.sum(1) <= k
