"""Checks of what a network is given, in one place, so that every model says the same words."""

from __future__ import annotations

from torch import Tensor

__all__ = ["check_images"]


def check_images(images: Tensor, *, like: Tensor, shape: tuple[int, int, int]) -> None:
    """Raise ValueError unless images are (B, *shape) with B ≥ 1, and TypeError unless their dtype is that of ``like``, a weight.

    A network that reshapes its input without asking turns images of another size into other batches; this one asks.
    """
    if images.ndim != 4 or tuple(images.shape[1:]) != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"images of shape {tuple(images.shape)} given; this network takes (B, {wanted})")
    if len(images) == 0:
        raise ValueError("an empty batch given: at least 1 image is needed")
    if images.dtype != like.dtype:
        raise TypeError(f"images of dtype {images.dtype} given; this network computes in {like.dtype}")
