"""Augmentation: random changes of an image that leave its label true, applied to training batches only."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["RandomAffine", "affine"]


def affine(images: Tensor, *, angle: Tensor, shift: Tensor, scale: Tensor, shear: Tensor) -> Tensor:
    """Turn, stretch, slant and move each image of a batch about its centre; what comes in from outside is 0.

    images (B, C, H, W); angle (B,) in degrees, anticlockwise; shift (B, 2) in pixels, right and down; scale (B,), 1 keeps the
    size; shear (B,), pixels right per pixel down. Bilinear interpolation. Returns the shape of images.
    """
    if images.ndim != 4:
        raise ValueError(f"images of shape {tuple(images.shape)} given; (batch, channels, height, width) wanted")
    height, width = images.shape[-2:]
    cos, sin = torch.deg2rad(angle).cos(), torch.deg2rad(angle).sin()
    # grid_sample asks of each output pixel where it comes from: the inverse of the map x ↦ scale · turn · slant · x + shift
    # about the centre. Coordinates run from −1 to 1, x to the right and y down, so that "anticlockwise" turns x towards −y.
    x = _centres(width, images) * width / 2 - shift[:, 0, None]  # (B, W), pixels from the centre
    y = _centres(height, images) * height / 2 - shift[:, 1, None]  # (B, H)
    cos, sin, slant = (t[:, None] for t in (cos / scale, sin / scale, shear))
    down = (sin * x)[:, None, :] + (cos * y)[:, :, None]  # (B, H, W)
    right = (cos * x)[:, None, :] - (sin * y)[:, :, None] - slant[:, :, None] * down
    grid = torch.stack([right * (2 / width), down * (2 / height)], dim=-1)  # (B, H, W, 2)
    return F.grid_sample(images, grid, align_corners=False)


def _centres(size: int, like: Tensor) -> Tensor:
    return (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) * (2 / size) - 1  # pixel centres from -1 to 1


class RandomAffine:
    """Draws a new affine change for every image of every batch.

    degrees: largest turn either way; translate: largest shift in pixels, each way; scale: largest relative change of size;
    shear: largest slant, pixels per pixel. All are uniform. The draws come from ``seed`` alone.
    """

    def __init__(self, *, degrees: float = 0.0, translate: float = 0.0, scale: float = 0.0, shear: float = 0.0, seed: int) -> None:
        for name, value, limit in (
            ("degrees", degrees, 180),
            ("translate", translate, math.inf),
            ("scale", scale, 1),
            ("shear", shear, math.inf),
        ):
            if not 0 <= value <= limit or (name == "scale" and value == 1):
                raise ValueError(f"{name}={value}: expected 0 to {limit}")
        self.degrees, self.translate, self.scale, self.shear = degrees, translate, scale, shear
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, images: Tensor) -> Tensor:
        """Return images (B, C, H, W), each changed in its own way."""
        draws = torch.rand(len(images), 5, generator=self.generator).to(images.device) * 2 - 1  # (B, 5) in [-1, 1)
        return affine(
            images,
            angle=draws[:, 0] * self.degrees,
            shift=draws[:, 1:3] * self.translate,
            scale=1 + draws[:, 3] * self.scale,
            shear=draws[:, 4] * self.shear,
        )
