"""Brings a drawing to the form of MNIST's images before a network sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIDE = 28  # pixels of the image
BOX = 20  # pixels of the box that the digit fills
PEN = 2.6  # width of the pen in those pixels; the median of MNIST's own strokes is 2.5
FINE = 4  # samples per pixel and axis
LARGEST_SCALE = 112.0  # pixels per pad: a drawing smaller than a sixth of the pad stays small, so that a dot stays a dot

Strokes = Sequence[Sequence[tuple[float, float]]]


def to_mnist(strokes: Strokes) -> NDArray[np.uint8]:
    """Return the uint8 image (28, 28) of a drawing, 0 for paper and 255 for ink, as MNIST's authors made theirs.

    `strokes` is a sequence of strokes, each a sequence of points (x, y) in units of the pad's side, y downwards. The drawing is
    scaled into a 20×20 box without changing its proportions, sampled four times finer than the pixels and averaged to grey levels,
    and the box is placed by whole pixels so that the centre of mass of the ink comes to lie at pixel 14 of each axis, as in MNIST.
    The lines are scaled and not their thickness: a small drawing gets a pen of MNIST's width too. No points: no ink.

    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (1998), section on the file format. The same steps
    in JavaScript: `toMnist` in mnist_form.js, equal to the last bit.
    """
    points = [point for stroke in strokes for point in stroke]
    image = np.zeros((SIDE, SIDE), dtype=np.uint8)
    if not points:
        return image
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    extent = max(right - left, bottom - top)
    scale = min(LARGEST_SCALE, (BOX - PEN) / extent) if extent > 0 else LARGEST_SCALE
    shift_x = BOX / 2 - scale * (left + right) / 2
    shift_y = BOX / 2 - scale * (top + bottom) / 2

    ink = np.zeros((BOX * FINE, BOX * FINE), dtype=bool)
    for stroke in strokes:
        path = [((scale * x + shift_x) * FINE, (scale * y + shift_y) * FINE) for x, y in stroke]
        for start, end in zip(path, path[1:] or path, strict=False):
            _ink_segment(ink, start, end)

    counts = ink.reshape(BOX, FINE, BOX, FINE).sum(axis=(1, 3))  # (20, 20), 0 to 16
    grey = np.floor(counts * 255 / FINE**2 + 0.5)
    total = grey.sum()
    row, column = _placement((grey.sum(axis=1) @ np.arange(BOX)) / total), _placement((grey.sum(axis=0) @ np.arange(BOX)) / total)
    image[row : row + BOX, column : column + BOX] = grey
    return image


def _placement(centre: float) -> int:
    """Return where the box starts so that `centre` comes to lie at pixel 14, as far as the box stays inside the image."""
    return min(max(math.floor(SIDE / 2 - centre + 0.5), 0), SIDE - BOX)


def _ink_segment(ink: NDArray[np.bool_], start: tuple[float, float], end: tuple[float, float]) -> None:
    """Set the samples of `ink` whose centres lie within half a pen of the segment; coordinates count samples."""
    radius = PEN / 2 * FINE
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    squared_length = dx * dx + dy * dy
    size = ink.shape[0]
    rows = np.arange(max(math.floor(min(y0, y1) - radius), 0), min(math.ceil(max(y0, y1) + radius), size))
    columns = np.arange(max(math.floor(min(x0, x1) - radius), 0), min(math.ceil(max(x0, x1) + radius), size))
    if not len(rows) or not len(columns):
        return
    x, y = columns[None, :] + 0.5 - x0, rows[:, None] + 0.5 - y0
    along = np.clip((x * dx + y * dy) / squared_length, 0.0, 1.0) if squared_length > 0 else np.zeros_like(x * y)
    off_x, off_y = x - along * dx, y - along * dy
    ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] |= off_x * off_x + off_y * off_y <= radius * radius
