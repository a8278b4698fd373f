"""Colours that mean the same in every chapter, and the style of every figure."""

import sys
from typing import Any

import matplotlib.style
from cycler import cycler

# Okabe and Ito, 2008: told apart with every common form of colour blindness (their yellow is too pale for lines on white).
CATEGORIES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
COLORS = {"train": "#0072B2", "val": "#D55E00", "ours": "#009E73", "torch": "#555555"}
QUANTITY = "viridis"  # colour map for amounts
SIGNED = "RdBu_r"  # colour map for values around zero: blue below, white at zero, red above

WIDTH = 7.0  # inches; at the 96 pixels an inch of a browser about the width of the page's text
INK, MUTED, HAIRLINE, PAPER = "#222222", "#555555", "#DDDDDD", "#FFFFFF"

_STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 3.4),
    "figure.dpi": 96,
    "figure.facecolor": PAPER,  # figures keep their paper in dark mode, where the page sets them on a card
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.07,
    "figure.titlesize": 12,
    "savefig.dpi": 192,
    "savefig.facecolor": PAPER,
    "savefig.transparent": False,
    "svg.fonttype": "none",  # text stays text, in the fonts of the reader's system
    "svg.hashsalt": "dlcourse",  # names inside the file do not change from build to build
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 11,
    "text.color": INK,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 11,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=CATEGORIES),
    "axes.formatter.useoffset": False,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.6,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.8,
    "lines.markersize": 4,
    "legend.frameon": False,
    "image.cmap": QUANTITY,
    "image.interpolation": "none",  # pixels stay squares; an SVG stores each image once, compressed, at its own size
}

_SAVED: dict[str, Any] = {
    "bbox_inches": None,  # the size that was asked for, so that a figure drawn again does not jump
    "metadata": {"Date": None},  # the same figure gives the same bytes
}


def style() -> None:
    """Set the book's style for all figures from here on; in a notebook also make them SVG. Calling it again does no harm."""
    matplotlib.style.use(_STYLE)
    shell = notebook_shell()
    if shell is None:
        return
    from matplotlib_inline.backend_inline import set_matplotlib_formats  # noqa: PLC0415  only where there is a notebook
    from matplotlib_inline.config import InlineBackend  # noqa: PLC0415

    inline = InlineBackend.instance(parent=shell)
    inline.print_figure_kwargs = _SAVED
    inline.figure_formats = {"svg"}
    set_matplotlib_formats("svg")  # type: ignore[no-untyped-call]


def notebook_shell() -> Any | None:
    """Return IPython's shell where cells can show figures (Jupyter, Colab), else None. Never imports IPython."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None
