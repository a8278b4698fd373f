"""Images side by side, and tables of confusion."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from torch import Tensor

from dlcourse.plots.look import HAIRLINE, INK, MUTED, SIGNED, WIDTH

_TITLE_INCHES, _GAP_INCHES = 0.24, 0.08
_ERRORS = LinearSegmentedColormap.from_list("errors", ["#FFFFFF", "#F0883E"])  # dark text can be read on all of it
_DIAGONAL = "#F0F0F0"


def image_grid(
    images: Tensor | Sequence[Tensor],
    *,
    titles: Sequence[object] | None = None,
    columns: int | None = None,
    signed: bool = False,
    scale: float = 1.0,
    title: str = "",
) -> Figure:
    """Draw images in rows of `columns`, all on one scale.

    Shapes: (N, H, W), (N, 1, H, W), or (N, 3, H, W) in [0, 1] for colour. Grey images go from white (0, or the smallest
    value below) to black (the largest value), as ink on paper; ``signed=True`` shows values around zero in blue and red, with
    a scale beside. `titles` are written above the images, `scale` enlarges them up to the width of the page.

    Raises ValueError for other shapes, no image, a number of titles that is not N, or colour images with ``signed=True``.
    """
    pixels = _pixels(images)  # (N, H, W) or (N, H, W, 3)
    if titles is not None and len(titles) != len(pixels):
        raise ValueError(f"need one title for each of {len(pixels)} images, got {len(titles)}")
    if signed and pixels.ndim == 4:
        raise ValueError(f"signed=True is for one channel, got colour images (N, 3, H, W) with N = {len(pixels)}")
    columns = min(columns or 10, len(pixels))
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    rows = math.ceil(len(pixels) / columns)
    height, width = pixels.shape[1:3]
    tile_width = min(scale * 0.9 * max(1.0, width / height), WIDTH / columns - _GAP_INCHES)
    tile_height = tile_width * height / width
    head = _TITLE_INCHES if titles is not None else 0.0
    step_x, step_y = tile_width + _GAP_INCHES, tile_height + head + _GAP_INCHES

    figure = Figure(figsize=(columns * step_x + (0.7 if signed else 0), rows * step_y + (0.35 if title else 0)))
    ax = figure.subplots()
    norm = _norm(pixels, signed=signed)
    cmap = SIGNED if signed else "gray_r"
    for number, image in enumerate(pixels):
        left, top = number % columns * step_x, number // columns * step_y + head
        ax.imshow(image, cmap=cmap, norm=norm, extent=(left, left + tile_width, top + tile_height, top))
        ax.add_patch(Rectangle((left, top), tile_width, tile_height, fill=False, edgecolor=HAIRLINE, linewidth=0.6))
        if titles is not None:
            ax.text(left + tile_width / 2, top - 0.05, str(titles[number]), ha="center", va="bottom", fontsize=10)
    ax.set(xlim=(0, columns * step_x - _GAP_INCHES), ylim=(rows * step_y - _GAP_INCHES, 0), aspect="equal", title=title)
    ax.axis("off")
    if signed:
        bar = figure.colorbar(ScalarMappable(norm, cmap), ax=ax, shrink=0.9, aspect=25, pad=0.02)
        bar.outline.set_visible(False)
    return figure


def confusion(matrix: Tensor, *, labels: Sequence[object] | None = None, title: str = "") -> Figure:
    """Draw a confusion matrix (C, C) of counts, true classes down, predicted classes across.

    Only the errors are coloured, on a scale of their own: the diagonal would drown them. Every count above 0 is written.
    Raises ValueError for a matrix that is not square or holds negative counts, or for a number of labels other than C.
    """
    counts = np.asarray(torch.as_tensor(matrix).detach().cpu())
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise ValueError(f"matrix must be (C, C), got {counts.shape}")
    if (counts < 0).any():
        raise ValueError(f"matrix must hold counts, got {counts.min()}")
    classes = len(counts)
    names = [str(name) for name in (range(classes) if labels is None else labels)]
    if len(names) != classes:
        raise ValueError(f"need one label for each of {classes} classes, got {len(names)}")

    errors = np.where(np.eye(classes, dtype=bool), 0, counts)
    side = min(WIDTH * 0.8, 1.2 + 0.46 * classes)
    figure = Figure(figsize=(side, side))
    ax = figure.subplots()
    ax.imshow(errors, cmap=_ERRORS, vmin=0, vmax=max(1, errors.max()))
    for (row, column), count in np.ndenumerate(counts):
        if row == column:
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=_DIAGONAL))
        if count:
            ax.text(column, row, f"{count}", ha="center", va="center", color=MUTED if row == column else INK, fontsize=9)
    ax.set_xticks(range(classes), names)
    ax.set_yticks(range(classes), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    _cell_lines(ax, classes)
    ax.set(xlabel="predicted", ylabel="true", title=title)
    return figure


def _pixels(images: Tensor | Sequence[Tensor]) -> NDArray[np.float32]:
    stacked = images if isinstance(images, Tensor) else torch.stack([torch.as_tensor(image) for image in images])
    stacked = stacked.detach().cpu().float()
    if stacked.dim() == 4 and stacked.shape[1] == 1:
        stacked = stacked.squeeze(1)
    is_colour = stacked.dim() == 4 and stacked.shape[1] == 3
    if not (stacked.dim() == 3 or is_colour) or stacked.numel() == 0:
        raise ValueError(f"images must be (N, H, W), (N, 1, H, W) or (N, 3, H, W), got {tuple(stacked.shape)}")
    return np.asarray(stacked.permute(0, 2, 3, 1).clamp(0, 1) if is_colour else stacked)


def _norm(pixels: NDArray[np.float32], *, signed: bool) -> Normalize:
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    if signed:
        largest = max(abs(low), abs(high)) or 1.0
        return Normalize(-largest, largest)
    return Normalize(min(low, 0.0), high if high > min(low, 0.0) else 1.0)


def _cell_lines(ax: Axes, classes: int) -> None:
    for edge in np.arange(classes + 1) - 0.5:
        ax.axhline(edge, color=HAIRLINE, linewidth=0.6)
        ax.axvline(edge, color=HAIRLINE, linewidth=0.6)
