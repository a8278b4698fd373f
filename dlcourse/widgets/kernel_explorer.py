"""Edit a 3×3 kernel and watch the sliding inner product it computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from dlcourse.widgets import assets

__all__ = ["KernelExplorer"]

SMALLEST, LARGEST = 8, 160  # pixels: the widest kernel (dilation 3) covers 7
PRESETS: tuple[tuple[str, tuple[float, ...], bool], ...] = (  # name, weights row by row, does its output have a sign
    ("identity", (0, 0, 0, 0, 1, 0, 0, 0, 0), False),
    ("blur", (1 / 9,) * 9, False),
    ("sharpen", (0, -1, 0, -1, 5, -1, 0, -1, 0), False),
    ("sobel_x", (-1, 0, 1, -2, 0, 2, -1, 0, 1), True),
    ("sobel_y", (-1, -2, -1, 0, 0, 0, 1, 2, 1), True),
    ("laplacian", (0, 1, 0, 1, -4, 1, 0, 1, 0), True),
    ("emboss", (-2, -1, 0, -1, 1, 1, 0, 1, 2), False),
    ("edge", (-1, -1, -1, -1, 8, -1, -1, -1, -1), True),
)
WORDS = {
    "title": "Kernel explorer",
    "try": "Choose a kernel or type your own nine numbers; then move over the output.",
    "notice": "Notice how one output pixel is nine products and their sum, and how stride, padding and dilation change the size.",
    "keys": "Keyboard: up and down arrows change a weight by 0.25 (Shift: 1); on the output, arrows move the window.",
    "input": "Input, {rows} × {columns}",
    "input_label": "Input: {image}, with the window under the kernel outlined",
    "zeros": "Dashed: the zeros of the padding",
    "kernel": "Kernel",
    "weight": "Weight in row {row}, column {column}",
    "output": "Output, {rows} × {columns}",
    "output_label": "Output; arrow keys choose a pixel",
    "output_role": "picture of the output",
    "presets": "Kernels to start from",
    "preset_identity": "Identity",
    "preset_blur": "Blur",
    "preset_sharpen": "Sharpen",
    "preset_sobel_x": "Sobel x",
    "preset_sobel_y": "Sobel y",
    "preset_laplacian": "Laplacian",
    "preset_emboss": "Emboss",
    "preset_edge": "Edges",
    "stride": "Stride",
    "padding": "Padding",
    "dilation": "Dilation",
    "colours": "Show output as",
    "signed": "Signed",
    "grey": "Grey",
    "range_signed": "−{largest} to {largest}, cut off beyond",
    "range_grey": "0 to 1, cut off beyond",
    "formula": "Size of the output:",
    "both": "each side",
    "height": "height",
    "width": "width",
    "sum": "Output pixel at row {row}, column {column}: each pixel under the kernel times its weight",
    "total": "Sum: {value}",
    "status": "Row {row}, column {column}: {value}",
}


class KernelExplorer(anywidget.AnyWidget):
    """A 3×3 kernel to edit, with stride, padding and dilation, and what it makes of `image`, computed in the page.

    `image` is a 2-D array of 8 to 160 pixels a side: uint8, or floats from 0 (black) to 1 (white), which are kept to 1/255.
    About 30 to 60 pixels a side show the window best. `label` describes the image to those who cannot see it; `credit` is printed
    below it. The output equals torch.nn.functional.conv2d's for every setting. In a notebook `kernel`, `stride`, `padding` and
    `dilation` can be read and set. ValueError for anything else.
    """

    _esm = assets.script("kernel_explorer")
    _css = assets.style("kernel_explorer")

    pixels = traitlets.Bytes(b"", help="Grey levels 0 to 255, row by row.").tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    label = traitlets.Unicode("an image").tag(sync=True)
    credit = traitlets.Unicode("").tag(sync=True)
    kernel = traitlets.List(traitlets.Float(), minlen=9, maxlen=9, default_value=[0.0] * 9, help="Nine weights.").tag(sync=True)
    stride = traitlets.Int(1, min=1, max=3).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=3).tag(sync=True)
    dilation = traitlets.Int(1, min=1, max=3).tag(sync=True)
    presets: traitlets.List[Any] = traitlets.List(help="Kernels to start from.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        image: ArrayLike,
        *,
        label: str = "an image",
        credit: str = "",
        kernel: ArrayLike | None = None,
        stride: int = 1,
        padding: int = 1,
        dilation: int = 1,
        words: Mapping[str, str] | None = None,
    ) -> None:
        levels = _grey_levels(np.asarray(image))
        weights = np.asarray(PRESETS[3][1] if kernel is None else kernel, dtype=np.float64)
        if weights.size != 9 or not np.isfinite(weights).all():
            raise ValueError(f"a kernel of shape {weights.shape} given; wanted are 3×3 finite numbers")
        for name, value, low in (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1)):
            if not low <= value <= 3:
                raise ValueError(f"{name}={value}; the explorer offers {low} to 3")
        super().__init__(
            pixels=levels.tobytes(),
            height=levels.shape[0],
            width=levels.shape[1],
            label=label,
            credit=credit,
            kernel=weights.ravel().tolist(),
            stride=stride,
            padding=padding,
            dilation=dilation,
            presets=[{"name": name, "kernel": list(values), "signed": signed} for name, values, signed in PRESETS],
            words=WORDS | dict(words or {}),
        )


def _grey_levels(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return `image` (H, W) as grey levels 0 to 255."""
    if image.ndim != 2 or not all(SMALLEST <= side <= LARGEST for side in image.shape):
        raise ValueError(f"an image of shape {image.shape} given; wanted are two axes of {SMALLEST} to {LARGEST} pixels")
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image, dtype=np.uint8)
    values = image.astype(np.float64)
    if not (values.min() >= 0 and values.max() <= 1):  # also what is no number
        raise ValueError(f"floats from {values.min():g} to {values.max():g} given; wanted are 0 (black) to 1 (white), or uint8")
    return np.floor(values * 255 + 0.5).astype(np.uint8)
