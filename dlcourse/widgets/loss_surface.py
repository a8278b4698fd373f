"""Gradient descent on the mean squared error of a line, with a start to drag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from dlcourse.widgets import assets

__all__ = ["LossSurface"]

MOST_POINTS, MOST_STEPS = 500, 200
WORDS = {
    "title": "Loss surface of a line",
    "try": "Drag the ring, the start of gradient descent; then push the rate over the mark at 2/λmax.",
    "notice": (
        "Notice how the path runs at right angles to the contours, so it crosses a narrow valley to and fro before it goes "
        "along it. From each contour to the next outward the loss above its minimum doubles."
    ),
    "keys": "Keyboard: on the surface, arrow keys move the start (Shift: five times as far); on a slider they change its value.",
    "surface": "Mean squared error",
    "surface_label": "Contours of the mean squared error; arrow keys move the start of gradient descent",
    "surface_role": "picture of the loss surface",
    "data": "The data, and the line after step {step}",
    "away": "the line is far outside",
    "data_label": "The data, the line of the present step and the line of least squares",
    "slope": "slope w",
    "intercept": "intercept b",
    "x": "x",
    "y": "y",
    "least_squares": "least squares",
    "chart_label": "Mean squared error against the step, on a logarithmic axis; dashed: that of least squares",
    "step": "step",
    "loss": "loss",
    "rate": "Rate η",
    "rate_value": "{rate}, which is {times} times the limit of {limit}",
    "limit": "2/λmax = {limit}",
    "steps": "Number of steps",
    "timeline": "Steps of gradient descent",
    "play": "Play",
    "pause": "Pause",
    "back": "One step back",
    "forward": "One step on",
    "scrub": "Step shown",
    "step_of": "Step {step} of {steps}",
    "reset": "Start at 0, 0",
    "read_loss": "Loss",
    "read_slope": "Slope w",
    "read_intercept": "Intercept b",
    "read_distance": "Distance to least squares",
    "read_product": "η · λmax",
    "converges": "Each step multiplies the error in the steepest direction by {steep} and in the flattest by {flat}: both shrink.",
    "overshoots": (
        "Each step multiplies the error in the steepest direction by {steep}, overshooting, and in the flattest by {flat}: "
        "both shrink."
    ),
    "oscillates": "Each step multiplies the error in the steepest direction by {steep}: it overshoots for ever and never shrinks.",
    "diverges": "Diverges: η is beyond 2/λmax, so each step makes the error in the steepest direction {factor} times as large.",
    "stays": "With a rate of 0 nothing moves.",
    "left": "The path leaves the picture at step {step}.",
    "status": "Step {step}: loss {loss}, slope {slope}, intercept {intercept}.",
}


class LossSurface(anywidget.AnyWidget):
    """The mean squared error of y ≈ w·x + b over (w, b), and gradient descent on it, computed in the page.

    `x` and `y` hold 2 to 500 finite numbers each, of shape (N,) or (N, 1); x holds two different ones at least, or the slope would
    be anybody's guess. `rate` is the learning rate η, `steps` (1 to 200) how many steps are taken, `start` the slope and the
    intercept to start from; without one, a place from which both the steep and the flat direction can be watched. In a notebook
    `rate`, `steps` and `start` can be read and set. ValueError for anything else.
    """

    _esm = assets.script("canvas", "contours", "loss_chart", "timeline", "loss_surface")
    _css = assets.style("timeline", "loss_surface")

    x: traitlets.List[Any] = traitlets.List(traitlets.Float()).tag(sync=True)
    y: traitlets.List[Any] = traitlets.List(traitlets.Float()).tag(sync=True)
    rate = traitlets.Float(0.5, min=0.0).tag(sync=True)
    steps = traitlets.Int(30, min=1, max=MOST_STEPS).tag(sync=True)
    start: traitlets.List[Any] = traitlets.List(traitlets.Float(), minlen=2, maxlen=2, help="Slope, intercept.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        rate: float = 0.5,
        steps: int = 30,
        start: tuple[float, float] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        inputs, targets = _column("x", x), _column("y", y)
        if len(inputs) != len(targets):
            raise ValueError(f"{len(inputs)} values of x and {len(targets)} of y given; wanted is one y for each x")
        if np.ptp(inputs) <= 1e-9 * np.abs(inputs).max():
            raise ValueError(f"all values of x are {inputs[0]:g}; wanted are two different ones at least")
        if not (np.isfinite(rate) and rate >= 0):
            raise ValueError(f"rate={rate}; wanted is a finite number of at least 0")
        if not 1 <= steps <= MOST_STEPS:
            raise ValueError(f"steps={steps}; wanted are 1 to {MOST_STEPS}")
        if start is None:
            start = _telling_start(inputs, targets)
        elif len(start) != 2 or not np.isfinite(start).all():
            raise ValueError(f"start={start!r}; wanted are a slope and an intercept, both finite")
        super().__init__(
            x=inputs.tolist(),
            y=targets.tolist(),
            rate=float(rate),
            steps=int(steps),
            start=[float(value) for value in start],
            words=WORDS | dict(words or {}),
        )


def _column(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` (N,) or (N, 1) as N numbers."""
    numbers = np.asarray(values, dtype=np.float64)
    shape = numbers.shape
    if not (numbers.ndim == 1 or (numbers.ndim == 2 and shape[1] == 1)) or not 2 <= shape[0] <= MOST_POINTS:
        raise ValueError(f"{name} of shape {shape} given; wanted is (N,) or (N, 1) with N from 2 to {MOST_POINTS}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} holds {np.count_nonzero(~np.isfinite(numbers))} values that are not finite")
    return numbers.ravel()


def _telling_start(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return a slope and an intercept away from the best ones along the flat direction, and half as far along the steep one."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    directions = np.linalg.eigh(design.T @ design)[1].T  # the flat one first
    flat, steep = (direction * (1 if direction[1] >= 0 else -1) for direction in directions)
    slope, intercept = best + max(np.abs(best).max(), 0.2 * np.abs(y).max()) * (0.9 * flat - 0.45 * steep)
    return float(f"{slope:.3g}"), float(f"{intercept:.3g}")
