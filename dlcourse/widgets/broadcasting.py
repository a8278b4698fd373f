"""Edit two shapes and watch how broadcasting aligns them, or why it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from dlcourse.widgets import assets

__all__ = ["BroadcastingExplorer"]

MOST_AXES, LARGEST = 4, 9999
PRESETS: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = (
    ("four", (8, 1, 6, 1), (7, 1, 5)),
    ("bias", (32, 10), (10,)),
    ("outer", (5, 1), (7,)),
    ("images", (8, 3, 32, 32), (3, 1, 1)),
    ("trap", (100, 1), (100,)),
    ("pairs", (1000, 1, 784), (1000, 784)),
    ("scalar", (4, 6), ()),
    ("refused", (32, 10), (32,)),
)
WORDS = {
    "title": "Broadcasting explorer",
    "try": "Type two shapes, or start from a pair below; then move over the result.",
    "notice": "Notice that shapes are compared from the right, that only an axis of size 1 is stretched, and that nothing is "
    "copied: the stretched cells are one cell read again and again.",
    "keys": "Keyboard: in a cell, up and down arrows change the size (Shift: by 10); on the result, arrows choose an element, "
    "Page Up and Page Down move along the axis before the last two.",
    "presets": "Pairs of shapes to start from",
    "preset_four": "Four axes",
    "preset_bias": "Bias",
    "preset_outer": "Outer sum",
    "preset_images": "Images",
    "preset_trap": "The trap",
    "preset_pairs": "All pairs",
    "preset_scalar": "Scalar",
    "preset_refused": "Refused",
    "left": "a",
    "right": "b",
    "sum": "a + b",
    "shape": "Shape of {name}",
    "axis": "axis {axis}",
    "size": "Size of {name}'s axis {axis}",
    "add": "Add an axis on the left of {name}",
    "remove": "Remove the leftmost axis of {name}",
    "missing": "{name} has no axis {axis}; it counts as 1",
    "equal": "equal",
    "stretched": "{name}: 1 → {size}",
    "unequal": "{left} ≠ {right}",
    "fits": "They broadcast to {result}.",
    "fails": "They do not broadcast. {axes} Sizes must be equal, or one of them 1.",
    "fails_axis": "Axis {axis}: a has {left}, b has {right}.",
    "empty": "The result has no elements, for one of its axes has size 0.",
    "trap": "Careful: {count} sums, one for each pair. If {size} were meant, one for each row, no error will tell you.",
    "picture": "{name}, shape {shape}, the chosen element outlined",
    "picture_result": "Result; arrow keys choose an element",
    "picture_role": "picture of the result",
    "elements": "{count} elements, {memory}",
    "element": "1 element, {memory}",
    "no_result": "no result",
    "memory": "In float32 the result takes {result}, both inputs together {inputs}.",
    "memory_times": "In float32 the result takes {result}, {times} times as much as both inputs together ({inputs}).",
    "memory_fails": "Both inputs together take {inputs} in float32; nothing is computed.",
    "index": "element",
    "index_label": "Index of the chosen element along axis {axis}",
    "contents": "In the pictures a holds 0, 1, 2, … and b holds 0, 10, 20, …, row by row.",
    "bytes": "{value} B",
    "kilobytes": "{value} KiB",
    "megabytes": "{value} MiB",
    "gigabytes": "{value} GiB",
    "terabytes": "{value} TiB",
}


class BroadcastingExplorer(anywidget.AnyWidget):
    """Two shapes to edit, `left` and `right`, aligned from the right, and the shape of their sum or the reason why there is none.

    Each has 0 to 4 axes of size 0 to 9999. The rule is torch.broadcast_shapes', computed in the page; the pictures show one
    element of the result and the two it is computed from. In a notebook `left` and `right` can be read and set. ValueError for
    other shapes, TypeError for sizes that are no whole numbers.
    """

    _esm = assets.script("broadcasting_picture", "broadcasting")
    _css = assets.style("broadcasting")

    left: traitlets.List[Any] = traitlets.List(traitlets.Int(min=0, max=LARGEST), maxlen=MOST_AXES).tag(sync=True)
    right: traitlets.List[Any] = traitlets.List(traitlets.Int(min=0, max=LARGEST), maxlen=MOST_AXES).tag(sync=True)
    presets: traitlets.List[Any] = traitlets.List(help="Pairs of shapes to start from.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self, left: Sequence[int] = (8, 1, 6, 1), right: Sequence[int] = (7, 1, 5), *, words: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            left=_shape("left", left),
            right=_shape("right", right),
            presets=[{"name": name, "left": list(a), "right": list(b)} for name, a, b in PRESETS],
            words=WORDS | dict(words or {}),
        )


def _shape(name: str, sizes: Sequence[int]) -> list[int]:
    """Return `sizes` as a list of 0 to 4 whole numbers."""
    if isinstance(sizes, str | int) or not all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
        raise TypeError(f"{name}={sizes!r}; wanted is a tuple of whole numbers, such as (32, 10)")
    if len(sizes) > MOST_AXES:
        raise ValueError(f"{name}={tuple(sizes)} has {len(sizes)} axes; the explorer shows 0 to {MOST_AXES}")
    if not all(0 <= size <= LARGEST for size in sizes):
        raise ValueError(f"{name}={tuple(sizes)}; wanted are sizes from 0 to {LARGEST}")
    return list(sizes)
