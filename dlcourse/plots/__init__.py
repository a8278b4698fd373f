"""One look for every figure of the book, and the figures that more than one chapter draws.

Importing this module sets matplotlib's style. Its functions return a figure, and the last line of a cell shows it; none of
them is known to pyplot, so none needs closing.
"""

from dlcourse.plots.diagrams import pipeline
from dlcourse.plots.images import confusion, image_grid
from dlcourse.plots.lines import band, curves, direct_labels
from dlcourse.plots.look import CATEGORIES, COLORS, QUANTITY, SIGNED, WIDTH, style
from dlcourse.plots.progress import live

__all__ = [
    "CATEGORIES",
    "COLORS",
    "QUANTITY",
    "SIGNED",
    "WIDTH",
    "band",
    "confusion",
    "curves",
    "direct_labels",
    "image_grid",
    "live",
    "pipeline",
    "style",
]

style()
