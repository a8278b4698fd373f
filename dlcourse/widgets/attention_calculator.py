"""Attention by hand: edit queries, keys, values and mask, and follow every number to the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from dlcourse.widgets import assets

__all__ = ["AttentionCalculator"]

QUERIES, KEYS, WIDTHS = (1, 4), (2, 6), (1, 4)  # fewest and most
LARGEST = 1000.0  # of a number
TEMPERATURES = (0.05, 20.0)
WORDS = {
    "name": "Attention calculator",
    "try": "Turn the query: drag the tip of q, or type other numbers. Then drag keys, values and the temperature.",
    "try_numbers": "Change any number of the query, the keys and the values; then move the temperature.",
    "notice": "Notice that the output never leaves the shaded hull of the values: it is a weighted mean of them. A longer query or "
    "a lower temperature drives it to one corner, a higher temperature to the plain mean.",
    "notice_line": "Notice that the output never leaves the stretch between the smallest and the largest value: it is a weighted "
    "mean of them. A longer query or a lower temperature drives it to one of them, a higher temperature to the plain mean.",
    "notice_numbers": "Notice that the weights are at least 0 and have the sum 1: the output is a weighted mean of the values. "
    "A longer query or a lower temperature drives it to one of them, a higher temperature to the plain mean.",
    "keys": "Keyboard: in a number, up and down arrows change it by 0.1 (Shift: by 1). Tab to a weight or an output to see how it "
    "is computed.",
    "query": "q",
    "query_of": "q{n}",
    "key_of": "k{n}",
    "value_of": "v{n}",
    "output": "output",
    "value": "value",
    "head_mask": "read",
    "head_key": "keys",
    "head_score": "q · k",
    "head_weight": "weight",
    "head_value": "values",
    "row": "Key and value of {name}",
    "number_query": "{name}, number {n}",
    "number_key": "Key of {name}, number {n}",
    "number_value": "Value of {name}, number {n}",
    "may_read": "{name} may be read",
    "weight_label": "{weight}, weight of {name}",
    "output_label": "{value}, output number {n}",
    "scaling": "Scores",
    "scaled": "divided by √d",
    "unscaled": "as they are",
    "temperature": "Temperature τ",
    "reset": "Reset",
    "plane_keys": "Where q points, scores are high",
    "plane_keys_label": "Plane with the query and the keys as arrows, shaded in the direction of the query",
    "plane_values": "The output lies among the values",
    "plane_values_label": "The values, as large as their weights, and the output among them",
    "turning": "the output as q turns once around",
    "cooling": "as τ goes from 0 to ∞",
    "hottest": "τ → ∞",
    "rule": "weights = softmax({logits})",
    "out_rule": "sum of weight × value",
    "quoted": "“{name}”",
    "all_weights": "All weights: a row for each query, a column for each key",
    "best": "{name} has the highest score and {percent} of the weight. The weights are as spread as an even choice among {count} "
    "of {total} keys.",
    "tie": "{names} share the highest score and get the same weight, {weight} each. The weights are as spread as an even choice "
    "among {count} of {total} keys.",
    "only": "Only {name} may be read: it gets the whole weight, whatever its score.",
    "blind": "Every key is masked: there is nothing to read. All weights are 0, and so is the output: 0, not NaN.",
    "sum": "sum {total}",
    "and": " and ",
    "trace_key": "How the weight of {name} comes about",
    "trace_output": "How number {n} of the output comes about",
    "step_score": "score",
    "step_scale": "scale",
    "step_power": "power",
    "step_weight": "weight",
    "step_sum": "weigh",
    "step_add": "add",
    "untouched": "{score}, as it is: no division, τ = 1",
    "masked_power": "masked: 0, whatever the score",
    "masked_weight": "{formula} = 0, exactly",
    "blind_weight": "0, for no key may be read",
    "shifted": "{formula} (every logit is lowered by the largest, {largest}: the weights stay the same, and nothing overflows)",
    "small": "< 0.001",
    "large": "> 0.999",
    "status": "Weights: {weights}. Output: {output}.",
}


class AttentionCalculator(anywidget.AnyWidget):
    """Scores, mask, softmax and weighted sum for a few keys, every number to be changed and traced, computed in the page.

    `q` (d,), or up to four queries (T, d); `K` (S, d) for 2 to 6 keys; `V` (S, e), or (S,) for values of one number; d and e from
    1 to 4. `mask`, bool (S,) or (T, S), is True where a query may read. Weights are softmax(q Kᵀ / (√d τ)), without √d where
    `scaled` is False, τ being the `temperature`, 0.05 to 20; as dlcourse.layers.attention.masked_softmax has it, a masked key
    weighs exactly 0, and a query that may read nothing gets 0. Queries and keys of two numbers are drawn as arrows, values of one
    or two numbers as places with the output among them. `labels` names the keys. In a notebook `q`, `k`, `v`, `mask`,
    `temperature`, `scaled` and `query`, the row in hand, can be read and set. ValueError for other shapes and numbers beyond
    ±1000, TypeError for a mask that is not bool.
    """

    _esm = assets.script("canvas", "timeline", "attention_calculator_math", "attention_calculator_picture", "attention_calculator")
    _css = assets.style("timeline", "attention_calculator")

    q: traitlets.List[Any] = traitlets.List(help="Queries (T, d).").tag(sync=True)
    k: traitlets.List[Any] = traitlets.List(help="Keys (S, d).").tag(sync=True)
    v: traitlets.List[Any] = traitlets.List(help="Values (S, e).").tag(sync=True)
    mask: traitlets.List[Any] = traitlets.List(help="Who may read whom, (T, S).").tag(sync=True)
    temperature = traitlets.Float(1.0, min=TEMPERATURES[0], max=TEMPERATURES[1]).tag(sync=True)
    scaled = traitlets.Bool(True).tag(sync=True)
    query = traitlets.Int(0, min=0, help="The query in hand.").tag(sync=True)
    labels: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        q: ArrayLike,
        K: ArrayLike,
        V: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        temperature: float = 1.0,
        scaled: bool = True,
        labels: Sequence[str] | None = None,
        title: str = "",
        words: Mapping[str, str] | None = None,
    ) -> None:
        queries, keys, values = (_numbers(name, x) for name, x in (("q", q), ("K", K), ("V", V)))
        queries = queries[None] if queries.ndim == 1 else queries
        values = values[:, None] if values.ndim == 1 else values
        _check(queries, keys, values)
        if not TEMPERATURES[0] <= temperature <= TEMPERATURES[1]:
            raise ValueError(f"temperature={temperature}; wanted is {TEMPERATURES[0]:g} to {TEMPERATURES[1]:g}")
        if labels is not None and (isinstance(labels, str) or len(labels) != len(keys)):
            raise ValueError(f"labels={labels!r} given for {len(keys)} keys; wanted is one for each")
        super().__init__(
            q=queries.tolist(),
            k=keys.tolist(),
            v=values.tolist(),
            mask=_mask(mask, len(queries), len(keys)).tolist(),
            temperature=float(temperature),
            scaled=scaled,
            labels=[] if labels is None else [str(label) for label in labels],
            title=title,
            words=WORDS | dict(words or {}),
        )

    @traitlets.validate("q", "k", "v", "mask")
    def _keep_the_shape(self, proposal: Any) -> list[Any]:
        """Return the new rows; the page was built for the shape at the start."""
        name, rows = proposal["trait"].name, proposal["value"]
        given, wanted = np.shape(rows), np.shape(getattr(self, name))
        if wanted not in ((0,), given):
            raise traitlets.TraitError(f"{name} of shape {given} given; {wanted} wanted")
        return list(rows)


def _numbers(name: str, x: ArrayLike) -> NDArray[np.float64]:
    """Return `x` as float64 numbers that a cell can hold."""
    values = np.asarray(x, dtype=np.float64)
    if not (np.abs(values) <= LARGEST).all():  # also what is no number
        raise ValueError(f"{name} holds numbers that are not finite or beyond ±{LARGEST:g}")
    return values


def _check(q: NDArray[np.float64], K: NDArray[np.float64], V: NDArray[np.float64]) -> None:
    """Raise ValueError unless queries (T, d), keys (S, d) and values (S, e) fit each other and the page."""
    shapes = f"q of shape {q.shape}, K of {K.shape}, V of {V.shape} given"
    if not (q.ndim == K.ndim == V.ndim == 2 and q.shape[1] == K.shape[1] and len(K) == len(V)):
        raise ValueError(f"{shapes}; (T, d), (S, d) and (S, e) wanted")
    limits = (
        (len(q), QUERIES, "queries"),
        (len(K), KEYS, "keys"),
        (q.shape[1], WIDTHS, "numbers a key"),
        (V.shape[1], WIDTHS, "numbers a value"),
    )
    for given, (least, most), what in limits:
        if not least <= given <= most:
            raise ValueError(f"{shapes}: {given} {what}; the calculator shows {least} to {most}")


def _mask(mask: ArrayLike | None, num_queries: int, num_keys: int) -> NDArray[np.bool_]:
    """Return the mask as bool (T, S)."""
    if mask is None:
        return np.ones((num_queries, num_keys), dtype=np.bool_)
    given = np.asarray(mask)
    if given.dtype != np.bool_:
        raise TypeError(f"a mask of dtype {given.dtype} given; bool wanted, True where a query may read")
    if given.shape not in ((num_keys,), (num_queries, num_keys)):
        raise ValueError(f"a mask of shape {given.shape} given; ({num_keys},) or ({num_queries}, {num_keys}) wanted")
    return np.broadcast_to(given, (num_queries, num_keys))
