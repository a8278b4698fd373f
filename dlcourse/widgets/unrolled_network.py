"""A recurrent network side by side with itself, and how far its gradient reaches back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from dlcourse.widgets import assets

__all__ = ["UnrolledNetwork"]

INPUTS, DRAWS = 3, 5  # numbers in one input; sets of weights that are sent
GATES = {"rnn": 1, "gru": 3, "lstm": 4}  # blocks of H rows in the weights of a cell, one for each gate
STEPS, RADII, SCALES, BIASES, SIZES = (2, 60), (0.0, 2.0), (0.0, 3.0), (-3.0, 6.0), (2, 16)
WORDS = {
    "title": "Unrolled recurrent network",
    "try": (
        "Press Play: states light up from left to right, then the gradient of the last one flows back. Then change the cell, or "
        "set the size of the inputs to 0 and push the radius over 1."
    ),
    "notice": (
        "Notice that each cell on the way back multiplies by one more Jacobian. Large inputs flatten tanh, so the RNN vanishes "
        "even at a radius above 1. A gate remembers only while it is open: at a bias of 0 the LSTM forgets too."
    ),
    "legend": (
        "Squares: the numbers of a state, blue above 0, orange below, stronger farther away. Arrows back: ten times the norm is "
        "drawn twice as thick, up to the height of a cell; the arrow that enters from the right is a norm of 1."
    ),
    "norm": (
        "The norm is the spectral norm of the Jacobian of the last state by the one at the arrow: its largest singular value, the "
        "most by which a small change, whatever its direction, can grow on the way. The whole state counts, in the LSTM h and c."
    ),
    "keys": "Keyboard: arrow keys change a slider or go to the next cell; Enter presses a button.",
    "cells": "Cell",
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
    "fold": "Fold",
    "unfold": "Unfold",
    "draw": "Other weights ({draw} of {draws})",
    "state_rnn": "h",
    "state_gru": "h",
    "state_lstm": "s",
    "formula_rnn": "hₜ = tanh(W xₜ + U hₜ₋₁)",
    "formula_gru": "hₜ = (1 − zₜ)⊙nₜ + zₜ⊙hₜ₋₁",
    "formula_lstm": "cₜ = fₜ⊙cₜ₋₁ + iₜ⊙gₜ, hₜ = oₜ⊙tanh cₜ",
    "jacobian_rnn": "One step back multiplies by ∂hₜ/∂hₜ₋₁ = diag(1 − hₜ²) U.",
    "jacobian_gru": "One step back multiplies by ∂hₜ/∂hₜ₋₁ = diag(zₜ) plus the roads through nₜ and the gates.",
    "jacobian_lstm": "The state is s = (h, c). One step back: diag(fₜ) from c to c, plus the roads through h and the gates.",
    "open": "{cell}: the same cell {steps} times side by side; states go right, the gradient of the last comes back as arrows",
    "folded": "{cell}: one cell with a loop; along it states go round and round, and the gradient of the last comes back",
    "inside": "U",
    "outside": "W",
    "input": "x",
    "time": "t = {k}",
    "one": "One cell, one set of weights",
    "count": "{count} numbers, the same at every step",
    "timeline": "Steps forward, then back",
    "play": "Play",
    "pause": "Pause",
    "back": "One step back",
    "forward": "One step on",
    "scrub": "Step shown",
    "step_of": "Step {step} of {steps}",
    "at_start": "Nothing has been read yet.",
    "start_detail": "The state before the first step, number 0, is all zeros.",
    "reading": "Forward: step {step} of {steps}.",
    "reading_detail": "The cell reads input {step} and state {before}, and makes state {step} of them.",
    "vanishing": "Vanishing: ‖∂{last}/∂{this}‖ = {norm}, on average {factor} a step.",
    "shrinking": "Shrinking: ‖∂{last}/∂{this}‖ = {norm}, on average {factor} a step.",
    "staying": "Staying: ‖∂{last}/∂{this}‖ = {norm}, on average {factor} a step.",
    "growing": "Growing: ‖∂{last}/∂{this}‖ = {norm}, on average {factor} a step.",
    "exploding": "Exploding: ‖∂{last}/∂{this}‖ = {norm}, on average {factor} a step.",
    "felt": "Back at state {k}: a small change of {this} is at most {norm} times as large when it reaches {last}.",
    "zero": "Nothing comes back: ‖∂{last}/∂{this}‖ is exactly 0.",
    "zero_detail": "Back at state {k}: one of the Jacobians on the way is 0, and so is every product with it.",
    "underflow": "Vanished: ‖∂{last}/∂{this}‖ = {norm}.",
    "underflow_detail": "Back at state {k}: below 1.4 · 10⁻⁴⁵ float32 holds nothing but 0, so training would see an exact 0.",
    "overflow": "Exploded: ‖∂{last}/∂{this}‖ = {norm}.",
    "overflow_detail": "Back at state {k}: above 3.4 · 10³⁸ float32 holds nothing but ∞; one update, and no weight is a number.",
    "chart": "How far the gradient reaches back",
    "chart_label": "Norm of the last state's Jacobian against the number of steps back, on a logarithmic axis, for all three cells",
    "distance": "steps back, T − k",
    "norm_axis": "norm",
    "sliders": "Settings of all three cells",
    "steps": "Steps T",
    "steps_note": "how often the cell is applied",
    "radius": "Spectral radius of U",
    "radius_note": "largest |eigenvalue|, of each gate's block",
    "input_scale": "Size of the inputs",
    "input_scale_note": "their standard deviation",
    "forget_bias": "Bias of the gate that keeps",
    "forget_bias_note": "f of the LSTM, z of the GRU; σ({bias}) = {share}",
}


class UnrolledNetwork(anywidget.AnyWidget):
    """One recurrent cell drawn `steps` times, stepped forward through its states and back through their Jacobians, in the page.

    `cell` is "rnn", "gru" or "lstm"; all three are computed, for the chart. Inputs are 3 random numbers a step, normal with
    standard deviation `input_scale` (0 to 3). Each gate's block of recurrent weights (H, H), H = `hidden_size` (2 to 16), is random
    normal, scaled to the spectral radius `radius` (0 to 2). `forget_bias` (−3 to 6) is added to the gate that keeps the old
    state: the LSTM's forget gate, the GRU's update gate; all other biases are 0. `seed` draws five sets of weights and inputs to
    choose from. What is shown is the spectral norm of ∂s_T/∂s_k for every k, s being the whole state: h, and for
    the LSTM (h, c). It equals that of autograd through dlcourse.layers.recurrent. In a notebook all settings can be read and set.
    ValueError for an unknown cell and for numbers out of range.
    """

    _esm = assets.script(
        "canvas", "loss_chart", "timeline", "unrolled_network_math", "unrolled_network_picture", "unrolled_network"
    )
    _css = assets.style("timeline", "unrolled_network")

    cell = traitlets.Enum(list(GATES), "rnn").tag(sync=True)
    steps = traitlets.Int(16, min=STEPS[0], max=STEPS[1]).tag(sync=True)
    radius = traitlets.Float(0.9, min=RADII[0], max=RADII[1]).tag(sync=True)
    input_scale = traitlets.Float(1.0, min=SCALES[0], max=SCALES[1]).tag(sync=True)
    forget_bias = traitlets.Float(3.0, min=BIASES[0], max=BIASES[1]).tag(sync=True)
    draw = traitlets.Int(0, min=0, max=DRAWS - 1, help="Which of the sets of weights is shown.").tag(sync=True)
    folded = traitlets.Bool(False, help="Drawn as one cell with a loop.").tag(sync=True)
    hidden_size = traitlets.Int(8, min=SIZES[0], max=SIZES[1]).tag(sync=True)
    weights = traitlets.Bytes(b"", help="Weights and inputs of every draw, float32.").tag(sync=True)
    ranges = traitlets.Dict(help="Least and largest value of every slider.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        *,
        cell: str = "rnn",
        steps: int = 16,
        radius: float = 0.9,
        hidden_size: int = 8,
        input_scale: float = 1.0,
        forget_bias: float = 3.0,
        seed: int = 0,
        words: Mapping[str, str] | None = None,
    ) -> None:
        if cell not in GATES:
            raise ValueError(f"cell={cell!r}; wanted is one of {', '.join(GATES)}")
        ranges: dict[str, tuple[float, float]] = {"steps": STEPS, "radius": RADII, "input_scale": SCALES, "forget_bias": BIASES}
        given = {"steps": steps, "radius": radius, "input_scale": input_scale, "forget_bias": forget_bias}
        for name, value in {**given, "hidden_size": hidden_size}.items():
            low, high = {**ranges, "hidden_size": SIZES}[name]
            if not low <= value <= high:
                raise ValueError(f"{name}={value}; wanted is a number from {low:g} to {high:g}")
        rng = np.random.default_rng(seed)
        settings: dict[str, Any] = given
        super().__init__(
            cell=cell,
            hidden_size=hidden_size,
            weights=b"".join(_draw(rng, hidden_size) for _ in range(DRAWS)),
            ranges={name: list(bounds) for name, bounds in ranges.items()},
            words=WORDS | dict(words or {}),
            **settings,
        )


def _draw(rng: np.random.Generator, hidden: int) -> bytes:
    """Return input and recurrent weights of every cell and then inputs for the most steps, float32, as the page reads them."""
    parts: list[NDArray[np.float64]] = []
    for gates in GATES.values():
        recurrent = rng.normal(size=(gates, hidden, hidden))
        recurrent /= np.abs(np.linalg.eigvals(recurrent)).max(axis=-1)[:, None, None]  # spectral radius 1
        parts += [rng.normal(size=(gates * hidden, INPUTS)) / np.sqrt(INPUTS), recurrent]
    parts.append(rng.normal(size=(STEPS[1], INPUTS)))
    return np.concatenate([part.ravel() for part in parts]).astype("<f4").tobytes()
