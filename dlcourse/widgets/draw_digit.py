"""Draw a digit and watch a convolutional network read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from numpy.typing import NDArray

from dlcourse.models.cnn import CNN
from dlcourse.widgets import assets
from dlcourse.widgets.drawings import recorded
from dlcourse.widgets.mnist_form import SIDE, Strokes

__all__ = ["DrawDigit"]

WORDS = {
    "title": "Draw a digit",
    "try": "Draw a digit with the mouse, a finger or a pen.",
    "notice": "Notice where each feature map lights up. The network knows only digits and will call anything one: try a triangle.",
    "keys": "Keyboard: arrow keys move the pen (Shift: further), Space puts it down or lifts it, Backspace clears.",
    "pad": "Pad to draw a digit on",
    "pad_role": "drawing pad",
    "empty": "Draw a digit here",
    "seen": "What the network sees: 28 × 28 pixels",
    "seen_label": "The drawing as 28 by 28 grey pixels, as the network sees it",
    "bars": "Probability of each digit",
    "verdict_empty": "Waiting for a digit",
    "verdict_sure": "It reads",
    "verdict_likely": "Probably",
    "verdict_unsure": "Unsure:",
    "either": "{digit} or {second}",
    "status_empty": "The pad is empty.",
    "status_sure": "It reads {digit}, {percent}.",
    "status_likely": "Probably {digit}, {percent}.",
    "status_unsure": "Unsure: {digit}, {percent}, or {second}, {second_percent}.",
    "pen_down": "The pen is down.",
    "all_maps": "Layer {layer} after ReLU: {count} feature maps, {side} × {side}",
    "some_maps": "Layer {layer} after ReLU: {shown} of its {count} feature maps",
    "maps_label": "Layer {layer}: {shown} feature maps of {side} by {side}",
    "time": "{count} parameters, {milliseconds} ms",
    "clear": "Clear",
    "examples": "Try a",
    "example": "Draw the example {label}",
}


class DrawDigit(anywidget.AnyWidget):
    """A pad to draw on; `model` (models.cnn.CNN, 1×28×28 images) reads the drawing in the page itself, without a kernel.

    Shows the image that the network sees (28×28, by mnist_form.to_mnist), the probability of each class, and the feature maps of
    both layers after ReLU. `examples` maps labels to drawings (strokes of points in units of the pad, y downwards), of which the
    first is on the pad at the start; None stands for a few recorded digits. `compact` is the layout of the home page.

    The weights travel in 16 bits (`precision="float16"`, two bytes each): the probabilities in the page differ from PyTorch's by
    less than 1e-3, the distance that the tests allow on 100 images of MNIST. "float32" costs twice the bytes and leaves 1e-5.
    `words` holds everything the widget says; pass some of it to translate it. ValueError for a network of another shape.
    """

    _esm = assets.script("mnist_form", "draw_digit_network", "draw_digit")
    _css = assets.style("draw_digit")

    weights = traitlets.Bytes(b"", help="All parameters in PyTorch's order, little-endian.").tag(sync=True)
    precision = traitlets.Enum(["float16", "float32"], "float16", help="What a parameter is stored as.").tag(sync=True)
    channels = traitlets.List(traitlets.Int(), help="Channels of both convolutions.").tag(sync=True)
    hidden_size = traitlets.Int(help="Width of the hidden layer.").tag(sync=True)
    num_classes = traitlets.Int(10).tag(sync=True)
    examples: traitlets.List[Any] = traitlets.List(help="Recorded drawings: label and strokes.").tag(sync=True)
    compact = traitlets.Bool(False, help="The layout of the home page.").tag(sync=True)
    pixels: traitlets.List[int] = traitlets.List(help="The drawing as 784 grey levels; empty when the pad is.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        model: CNN,
        *,
        examples: Mapping[str, Strokes] | None = None,
        compact: bool = False,
        precision: str = "float16",
        words: Mapping[str, str] | None = None,
    ) -> None:
        drawings: Mapping[str, Any] = recorded() if examples is None else examples
        super().__init__(
            examples=[
                {"label": str(label), "strokes": [[[float(x), float(y)] for x, y in stroke] for stroke in strokes]}
                for label, strokes in drawings.items()
            ],
            compact=compact,
            words=WORDS | dict(words or {}),
            **_traits(model, precision),
        )

    def set_model(self, model: CNN) -> None:
        """Show `model` from now on; what is drawn stays."""
        traits = _traits(model, self.precision)
        with self.hold_sync():  # one message: the page never sees new weights with an old shape
            for name, value in traits.items():
                self.set_trait(name, value)

    @property
    def image(self) -> NDArray[np.float32]:
        """The drawing as the network saw it, float32 (28, 28) from 0 to 1; needs a kernel beside the page."""
        if not self.pixels:
            return np.zeros((SIDE, SIDE), dtype=np.float32)
        return np.asarray(self.pixels, dtype=np.float32).reshape(SIDE, SIDE) / np.float32(255)


def _traits(model: CNN, precision: str) -> dict[str, Any]:
    """Return what the page needs to know of `model`."""
    if not isinstance(model, CNN):
        raise TypeError(f"a {type(model).__name__} given; DrawDigit draws for dlcourse.models.cnn.CNN")
    if model.input_shape != (1, SIDE, SIDE):
        raise ValueError(f"this network takes images of shape {model.input_shape}; the pad gives (1, {SIDE}, {SIDE})")
    values = torch.cat([p.detach().flatten() for p in model.parameters()]).cpu().float().numpy()
    if not np.isfinite(values).all():
        raise ValueError("the network has weights that are not finite; train it again with a smaller learning rate")
    if precision == "float16" and np.abs(values).max() > np.finfo(np.float16).max:
        raise ValueError('a weight is too large for 16 bits; pass precision="float32"')
    return {
        "weights": values.astype({"float16": "<f2", "float32": "<f4"}[precision]).tobytes(),
        "precision": precision,
        "channels": [model.conv1.out_channels, model.conv2.out_channels],
        "hidden_size": model.fc1.out_features,
        "num_classes": model.fc2.out_features,
    }
