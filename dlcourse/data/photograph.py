"""One photograph, for filters to work on: a man with a camera, by Lav Varshney (CC0), as scikit-image ships it."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcourse.data import shipped

__all__ = ["load"]


def load() -> Tensor:
    """Return the photograph: float32 (128, 128), 0 for black and 1 for white."""
    header, _, pixels = shipped.read("photograph.pgm.xz").partition(b"\n")
    magic, width, height, white = header.split()
    if magic != b"P5" or len(pixels) != int(width) * int(height):
        raise ValueError(f"not a grey image in PGM: it starts with {header[:20]!r} and holds {len(pixels)} values")
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(int(height), int(width)) / int(white)
