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
    height, width = images.shape[-2:]
    turn = torch.deg2rad(angle)
    cos, sin = turn.cos(), turn.sin()
    # grid_sample asks for each output pixel where it comes from: the inverse of the map, in coordinates from -1 to 1.
    # The map is rotation · shear · scale about the centre, then the shift; x is right, y is down.
    inverse = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)  # (B, 2, 2) turns back
    unshear = torch.eye(2, device=images.device).repeat(len(images), 1, 1)
    unshear[:, 0, 1] = -shear
    inverse = unshear @ inverse / scale[:, None, None]
    size = torch.tensor([width / 2, height / 2], device=images.device)
    offset = -(inverse @ shift[:, :, None]) / size[:, None]  # (B, 2, 1)
    matrix = torch.cat([inverse * (size[None, :] / size[:, None]), offset], -1)  # (B, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


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
