"""Search a table of word vectors: nearest neighbours, analogies, and a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike, NDArray

from dlcourse.widgets import assets

__all__ = ["EmbeddingExplorer"]

MOST_WORDS, MOST_GROUPS = 4000, 5
LARGEST = 127  # of an int8
Analogy = tuple[str, str, str]
WORDS = {
    "name": "Explorer of word vectors",
    "try": "Type a word, or choose one on the map or in the list. The list says which words have the most similar vectors.",
    "notice": "Notice that nobody told the model what any word means: what is close was used alike in the text. And compare list "
    "and map. What is close in the full space need not be close on two of its axes.",
    "keys": "Keyboard: in the field, up and down arrows walk through the words offered and Enter takes one. On the map, arrows go "
    "from word to word, Enter takes the word, + and − zoom, 1 shows what is lit, 0 all.",
    "mode": "Show",
    "mode_neighbours": "Neighbours",
    "mode_analogy": "Analogy",
    "word": "Word",
    "offers": "Words to choose from",
    "about": "Word {rank} of {total}.",
    "about_counted": "Word {rank} of {total}, seen {count} times.",
    "unknown": "“{word}” is not among the {total} words here.",
    "alike": "Spelled alike: {offers}.",
    "nothing": "Type a word.",
    "neighbours": "Nearest words, with their cosines",
    "neighbours_of": "Nearest to “{word}”, with their cosines",
    "median": "The mark on each bar is at {median}: half of all {total} words have a higher cosine with “{word}”, half a lower "
    "one. A cosine of {cosine} is an angle of {angle}°.",
    "status_neighbours": "Nearest to {word}: {list}.",
    "status_one": "{word} {cosine}",
    "slot_a": "a",
    "slot_b": "is to b",
    "slot_c": "as c",
    "slot_d": "is to",
    "candidates": "Nearest to b − a + c, that is {b} − {a} + {c}",
    "leave_out": "Leave out the three given words",
    "given": "given",
    "left_out": "“{answer}” is nearest to {b} − {a} + {c}, once the three given words are left out.",
    "left_out_first": "“{answer}” is nearest to {b} − {a} + {c}; no given word was nearer.",
    "left_in": "Left in, “{given}” wins, though it was given: b − a + c is not far from it. “{answer}” comes in place {rank}.",
    "left_in_first": "Left in or out, “{answer}” is nearest.",
    "score": "Where {cosine} comes from: “{answer}” has cosines {from_b} with b, {from_a} with a and {from_c} with c, and "
    "({from_b} − {minus_a} + {from_c}) / {length} = {cosine}; {length} is the length of b − a + c.",
    "analogy_wanting": "Give three words that are known.",
    "presets": "Analogies to try",
    "preset": "{a} : {b} = {c} : ?",
    "target": "{b} − {a} + {c}",
    "map": "Map of the words; arrow keys go from word to word",
    "map_role": "map of words",
    "zoom_in": "Zoom in",
    "zoom_out": "Zoom out",
    "zoom_all": "Show all",
    "all": "All",
    "zoom_near": "Go near the words in force",
    "near": "Near",
    "hint": "Point at a dot to read its word.",
    "hover": "“{word}”: cosine with {chosen} {cosine}.",
    "hover_self": "“{word}”.",
    "map_caption": "The map keeps 2 of {dim} directions, those along which the words differ most: {kept} of the variance.",
}


class EmbeddingExplorer(anywidget.AnyWidget):
    """A search in `vectors` (V, D), one for each of `tokens`: a word's nearest neighbours by cosine, analogies, and a map.

    `word` is looked up at the start. `analogy` is (a, b, c), shown as a : b = c : ?, or several of these to choose from; None
    leaves analogies out. `counts` (V,) says how often each token was seen; the most frequent words are offered and labelled first,
    and without counts the first ones are. `groups` gives up to 5 names to lists of words, which the map marks. `title` is printed
    above. At most 4,000 tokens.

    The vectors travel as 8-bit numbers, each row on a scale of its own: on the tests' vectors a cosine in the page differs from
    the exact one by less than 0.01. The map shows the first two principal components of the vectors at length 1, so that
    b − a + c completes a parallelogram on it. In a notebook `word`, `mode` and `analogy` can be read and set. ValueError for
    arrays of other shapes, a word without a direction, and words that are no tokens.
    """

    _esm = assets.script("canvas", "embedding_explorer_math", "combobox", "embedding_map", "embedding_explorer")
    _css = assets.style("combobox", "embedding_explorer")

    tokens = traitlets.List(traitlets.Unicode(), help="The V words.").tag(sync=True)
    vectors = traitlets.Bytes(b"", help="int8 (V, D): each row divided by its largest entry and multiplied by 127.").tag(sync=True)
    places = traitlets.Bytes(b"", help="float32 (V, 2): the words on the map.").tag(sync=True)
    dim = traitlets.Int(help="D, the length of a vector.").tag(sync=True)
    kept = traitlets.Float(help="The share of the variance that the map keeps.").tag(sync=True)
    counts = traitlets.List(traitlets.Int(), help="How often each word was seen; empty where nobody counted.").tag(sync=True)
    groups: traitlets.List[Any] = traitlets.List(help="Name and words' numbers of each group.").tag(sync=True)
    analogies: traitlets.List[Any] = traitlets.List(help="Analogies to choose from, each a, b, c.").tag(sync=True)
    analogy = traitlets.List(traitlets.Unicode(), help="The analogy's a, b and c in force.").tag(sync=True)
    leave_out = traitlets.Bool(True, help="Whether an analogy's three given words are no answers.").tag(sync=True)
    word = traitlets.Unicode(help="The word looked up.").tag(sync=True)
    mode = traitlets.Enum(["neighbours", "analogy"], default_value="neighbours").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        vectors: ArrayLike | torch.Tensor,
        *,
        counts: Sequence[int] | torch.Tensor | None = None,
        word: str = "king",
        analogy: Analogy | Sequence[Analogy] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        title: str = "",
        words: Mapping[str, str] | None = None,
    ) -> None:
        tokens = list(tokens)
        unit = _unit_rows(vectors, tokens)
        numbers = {token: k for k, token in enumerate(tokens)}
        analogies = _several(analogy)
        groups = dict(groups or {})
        _check(tokens, counts, groups)
        _check_known([word, *(w for one in analogies for w in one), *(w for group in groups.values() for w in group)], numbers)
        places, kept = principal_axes(unit)
        super().__init__(
            tokens=tokens,
            vectors=np.rint(unit / np.abs(unit).max(axis=1, keepdims=True) * LARGEST).astype(np.int8).tobytes(),
            places=places.astype("<f4").tobytes(),
            dim=unit.shape[1],
            kept=kept,
            counts=[] if counts is None else [int(count) for count in counts],
            groups=[{"name": name, "members": [numbers[w] for w in group]} for name, group in groups.items()],
            analogies=analogies,
            analogy=analogies[0] if analogies else [],
            word=word,
            title=title,
            words=WORDS | dict(words or {}),
        )


def principal_axes(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return rows (V, D) on their first two principal components, (V, 2), and the share of the variance that these hold.

    Each component points to the side on which its largest entry is positive. D of 1 gives a second component of zeros.
    """
    centred = rows - rows.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    places = np.zeros((len(rows), 2))
    places[:, : len(axes)] = centred @ axes.T
    total = (sizes**2).sum()
    return places, float((sizes[:2] ** 2).sum() / total) if total > 0 else 1.0


def _unit_rows(vectors: ArrayLike | torch.Tensor, tokens: list[str]) -> NDArray[np.float64]:
    """Return the vectors at length 1; ValueError for another shape and for a vector without a direction."""
    rows = np.asarray(vectors.detach().cpu() if isinstance(vectors, torch.Tensor) else vectors, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] != len(tokens) or rows.shape[1] < 1:
        raise ValueError(f"vectors of shape {rows.shape} given for {len(tokens)} tokens; (V, D) wanted, a row for each token")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)  # (V, 1)
    wrong = ~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0))
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(
            f"the vector of {tokens[place]!r} has length {lengths[place, 0]:g}: it points nowhere; leave the token out"
        )
    unit: NDArray[np.float64] = rows / lengths
    return unit


def _several(analogy: Analogy | Sequence[Analogy] | None) -> list[list[str]]:
    """Return a list of analogies for one, several or none."""
    if not analogy:
        return []
    several = [analogy] if isinstance(analogy[0], str) else analogy
    for one in several:
        if isinstance(one, str) or len(one) != 3:
            raise ValueError(f"the analogy {one!r} given; wanted are three words: a, b and c of a : b = c : ?")
    return [[str(word) for word in one] for one in several]


def _check(tokens: list[str], counts: Sequence[int] | torch.Tensor | None, groups: Mapping[str, Sequence[str]]) -> None:
    """Raise ValueError for what a page cannot show."""
    if not 4 <= len(tokens) <= MOST_WORDS:
        raise ValueError(f"{len(tokens)} tokens given; the explorer takes 4 to {MOST_WORDS:,}: pass the most frequent ones")
    if len(set(tokens)) != len(tokens):
        raise ValueError("a token is given twice; each must be another")
    if counts is not None and len(counts) != len(tokens):
        raise ValueError(f"{len(counts)} counts given for {len(tokens)} tokens")
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"{len(groups)} groups given; at most {MOST_GROUPS} can be told apart")


def _check_known(wanted: Sequence[str], numbers: Mapping[str, int]) -> None:
    """Raise ValueError for words that are no tokens."""
    unknown = [word for word in dict.fromkeys(wanted) if word not in numbers]
    if unknown:
        raise ValueError(f"not among the {len(numbers):,} tokens: {', '.join(map(repr, unknown[:5]))}")
