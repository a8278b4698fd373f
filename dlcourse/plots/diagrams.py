"""Diagrams of networks: what lies between the layers, with its shape, and what each layer does."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dlcourse.plots.look import COLORS, MUTED, WIDTH

_STEP, _TALLEST, _SHEET = 60.0, 28.0, 1.4  # in the diagram's own units
_FILL = "#DCEBF5"


def pipeline(stages: Sequence[tuple[str, tuple[int, ...]]], operations: Sequence[str]) -> Figure:
    """Draw a network as its stages from left to right, joined by arrows that carry the operations.

    Each stage is (name, shape): a shape (C, H, W) is drawn as a stack of maps, one sheet for every four channels, and a shape
    (D,) as a bar. Heights are to scale among maps. Raises ValueError unless there is one operation fewer than stages.
    """
    if len(operations) != len(stages) - 1 or not operations:
        raise ValueError(f"{len(stages)} stages need {max(len(stages) - 1, 1)} operations between them, got {len(operations)}")
    figure = Figure(figsize=(WIDTH, 2.1))
    ax = figure.subplots()
    largest = max([shape[1] for _, shape in stages if len(shape) == 3], default=1)
    for place, (name, shape) in enumerate(stages):
        is_map = len(shape) == 3
        sheets = max(1, shape[0] // 4) if is_map else 1
        height = _TALLEST * shape[1] / largest if is_map else _TALLEST * min(1.0, 0.3 + shape[0] / 100)
        width = height if is_map else 3.0
        for sheet in reversed(range(sheets)):  # the sheet behind first
            offset = _SHEET * (sheet - (sheets - 1) / 2)
            corner = (_STEP * place - width / 2 + offset, -height / 2 + offset)
            ax.add_patch(Rectangle(corner, width, height, facecolor=_FILL, edgecolor=COLORS["train"], linewidth=0.8))
        text = f"{name}\n{'×'.join(map(str, shape))}"
        ax.text(_STEP * place, -_TALLEST / 2 - 8, text, ha="center", va="top", fontsize=9)
    for place, operation in enumerate(operations):
        left, right = _STEP * place + 20, _STEP * place + 43
        ax.annotate("", (right, 0), (left, 0), arrowprops={"arrowstyle": "->", "color": MUTED})
        ax.text((left + right) / 2, 3, operation, ha="center", va="bottom", fontsize=8)
    ax.set(xlim=(-20, _STEP * (len(stages) - 1) + 18), ylim=(-42, 26), aspect="equal")
    ax.axis("off")
    return figure
