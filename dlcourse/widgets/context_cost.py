"""What a longer context costs a Transformer: work and memory, with and without a cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from dlcourse.widgets import assets

__all__ = ["ContextCost", "costs"]

LARGEST = {"context": 2**20, "dim": 2**16, "num_layers": 1024, "num_heads": 1024, "batch": 4096}
BYTES = (1, 2, 4)
VIEWS = ("work", "memory", "writing")
RADFORD = "Radford et al. (2019), table 2 and section 2.3; heads as in the released model."
BROWN = "Brown et al. (2020), table 2.1; every other layer read only a band of the context, but counts as dense here."
PRESETS = (  # name, context, dim, num_layers, num_heads, source
    ("GPT-2 small", 1024, 768, 12, 12, RADFORD),
    ("GPT-2 XL", 1024, 1600, 48, 25, RADFORD),
    ("GPT-3 175B", 2048, 12288, 96, 96, BROWN),
)
WORDS = {
    "name": "Context cost calculator",
    "try": "Lengthen the context: move the slider, or drag in the chart. Then choose a model, and another of the three costs.",
    "notice": "Notice that doubling the context doubles whatever is done for each token and quadruples whatever is done for each "
    "pair. Which of the two you pay for depends on the width: the wider the model, the later the pairs take over.",
    "small_print": "Counted is what the blocks do, a multiplication and an addition as two operations, the feed-forward part being "
    "4 D wide; not counted are embedding, output layer, biases, norms, activations and softmax. Training costs about three times a "
    "pass, and keeps the stored weights of all layers.",
    "presets": "Models to start from",
    "own": "At the start",
    "source_own": "The settings this page began with.",
    "source_none": "Settings of your own.",
    "settings": "Settings",
    "context": "Context n",
    "dim": "Width D",
    "num_layers": "Layers L",
    "num_heads": "Heads N",
    "batch": "Batch B",
    "bytes": "Bytes a number, b",
    "pairs": "Pairs of tokens",
    "pairs_all": "all n²",
    "pairs_causal": "n(n + 1)/2, causal",
    "views": "What to look at",
    "view_work": "Attention pairs",
    "view_memory": "Attention weights",
    "view_writing": "Without a cache",
    "detail_work": "of the work of one pass",
    "detail_memory": "in each layer, if stored",
    "detail_writing": "the work to write n",
    "chart": "Chart of {view} against the context, both axes logarithmic",
    "axis_context": "context n, tokens",
    "axis_work": "operations for one pass",
    "axis_memory": "memory",
    "axis_writing": "operations for writing n tokens",
    "level": "equal at {n}",
    "line_tokens": "per token ∝ n",
    "line_pairs": "pairs ∝ n²",
    "line_weights": "weights ∝ n²",
    "line_cache": "cache ∝ n",
    "line_parameters": "parameters",
    "line_with": "with cache",
    "line_without": "without cache",
    "row_projections": "Four projections",
    "row_feed_forward": "Feed-forward",
    "row_pairs": "Attention pairs",
    "row_weights": "Attention weights of a layer",
    "row_cache": "Cache of keys and values",
    "row_parameters": "Parameters of the blocks",
    "row_with": "n tokens with a cache",
    "row_without": "n tokens without",
    "row_ratio": "Without / with",
    "between": "between {low} and {high}",
    "says_work": "At n = {context} there are {pairs} pairs a head and layer, and they take {share} of the work. They cost as much "
    "as all the rest at n = {formula} = {crossing}.",
    "says_memory": "At n = {context} the weights of a single layer take {times} times what the cache of all layers takes; they are "
    "level at n = {formula} = {crossing}. A fused kernel never stores them.",
    "says_writing": "Writing {context} tokens one by one takes {times} times the work without a cache, for every step then reads "
    "the whole text again. With one it costs no more than a single causal pass.",
    "says_one": "A text of a single token has nothing to keep: with and without a cache cost the same.",
    "units": ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"],
}


def costs(
    *, context: int, dim: int, num_layers: int, num_heads: int, bytes_per_number: int = 4, batch: int = 1, causal: bool = False
) -> dict[str, int]:
    """Return what a stack of Transformer blocks costs, exactly, for n = context tokens; D = dim, L = num_layers, B = batch.

    Operations, a multiplication and an addition being two: `projections` (q, k, v and output), `feed_forward` (4 D wide) and
    `pairs` (scores and weighted sums) of one pass; `with_cache` and `without_cache` for writing n tokens one by one. Bytes:
    `weights` of all heads of one layer if they are stored, `cache` of keys and values of all layers, `parameters` of the blocks
    with their biases and norms. `causal=True` counts only the n (n + 1) / 2 pairs that a causal mask allows where whole texts are
    read. Biases, norms, activations and softmax are not counted as work.
    """
    n, layer_tokens = context, batch * num_layers * context
    squares = n * (n + 1) * (n + 2) // 6 if causal else n * (n + 1) * (2 * n + 1) // 6  # pairs of texts of 1, 2, ..., n tokens
    return {
        "projections": 8 * layer_tokens * dim**2,
        "feed_forward": 16 * layer_tokens * dim**2,
        "pairs": 4 * batch * num_layers * dim * (n * (n + 1) // 2 if causal else n**2),
        "weights": batch * num_heads * n**2 * bytes_per_number,
        "cache": 2 * layer_tokens * dim * bytes_per_number,
        "parameters": num_layers * (12 * dim**2 + 13 * dim) * bytes_per_number,
        "with_cache": 24 * layer_tokens * dim**2 + 2 * layer_tokens * (n + 1) * dim,
        "without_cache": 12 * layer_tokens * (n + 1) * dim**2 + 4 * batch * num_layers * dim * squares,
    }


class ContextCost(anywidget.AnyWidget):
    """Sliders for a Transformer's sizes, and what they cost against the length of the context, computed in the page.

    `context` tokens (at most 2²⁰), width `dim`, `num_layers`, `num_heads`, which must divide the width, `batch` texts,
    `bytes_per_number` 1, 2 or 4. `view` is "work" (of one pass), "memory", or "writing" (token by token, with and without a
    cache); all numbers are those of `costs`, and stand beside their formulas. `causal` counts only the pairs that a causal mask
    allows. Among the models to start from is this one, under `label` and with `source`. In a notebook all settings can be
    read and set. ValueError for anything else.
    """

    _esm = assets.script("canvas", "timeline", "context_cost_math", "context_cost_chart", "context_cost")
    _css = assets.style("timeline", "context_cost")

    context = traitlets.Int(min=1, max=LARGEST["context"]).tag(sync=True)
    dim = traitlets.Int(min=1, max=LARGEST["dim"]).tag(sync=True)
    num_layers = traitlets.Int(min=1, max=LARGEST["num_layers"]).tag(sync=True)
    num_heads = traitlets.Int(min=1, max=LARGEST["num_heads"]).tag(sync=True)
    batch = traitlets.Int(min=1, max=LARGEST["batch"]).tag(sync=True)
    bytes_per_number = traitlets.Enum(BYTES, 4).tag(sync=True)
    causal = traitlets.Bool(False).tag(sync=True)
    view = traitlets.Enum(VIEWS, "work").tag(sync=True)
    presets: traitlets.List[Any] = traitlets.List(help="Models to start from.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        *,
        dim: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        context: int = 4096,
        batch: int = 1,
        bytes_per_number: int = 4,
        causal: bool = False,
        view: str = "work",
        label: str = "",
        source: str = "",
        words: Mapping[str, str] | None = None,
    ) -> None:
        sizes = {"context": context, "dim": dim, "num_layers": num_layers, "num_heads": num_heads}
        for name, value in (*sizes.items(), ("batch", batch)):
            if not 1 <= value <= LARGEST[name]:
                raise ValueError(f"{name}={value}; wanted is 1 to {LARGEST[name]}")
        if dim % num_heads:
            raise ValueError(f"dim={dim} is not a multiple of num_heads={num_heads}")
        if bytes_per_number not in BYTES:
            raise ValueError(f"bytes_per_number={bytes_per_number} is not known; there are {', '.join(map(str, BYTES))}")
        if view not in VIEWS:
            raise ValueError(f"view={view!r} is not known; there are {', '.join(VIEWS)}")
        names = ("name", *sizes, "source")
        own = (label, *sizes.values(), source)
        listed = any(own[1:-1] == preset[1:-1] for preset in PRESETS)
        super().__init__(
            **sizes,
            batch=batch,
            bytes_per_number=bytes_per_number,
            causal=causal,
            view=view,
            presets=[dict(zip(names, preset, strict=True)) for preset in (PRESETS if listed else (own, *PRESETS))],
            words=WORDS | dict(words or {}),
        )
