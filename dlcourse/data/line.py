"""Points about a straight line: the smallest set on which everything about fitting can be seen."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

__all__ = ["line"]


def line(
    num_examples: int = 100,
    *,
    slope: float = 3.0,
    intercept: float = 2.0,
    noise: Literal["uniform", "normal"] = "uniform",
    scale: float = 1.0,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return x (N, 1), uniform in [0, 1), and y = intercept + slope·x + noise (N, 1), both float64.

    The noise is uniform in [0, scale), whose mean is scale / 2 and not 0, or normal with mean 0 and standard deviation `scale`.
    With uniform noise the numbers are those of ``np.random.seed(seed)`` and two calls of ``np.random.rand(N, 1)``: NumPy keeps that
    generator as it is for good. Raises ValueError for fewer than 1 example, a negative `scale` or another `noise`.
    """
    if num_examples < 1:
        raise ValueError(f"num_examples={num_examples}: at least 1 is needed")
    if not scale >= 0:
        raise ValueError(f"scale={scale}: the noise cannot be less than none")
    if noise not in ("uniform", "normal"):
        raise ValueError(f'noise must be "uniform" or "normal", got {noise!r}')
    random = np.random.RandomState(seed)
    x = random.rand(num_examples, 1)
    drawn = random.rand(num_examples, 1) if noise == "uniform" else random.randn(num_examples, 1)
    return torch.from_numpy(x), torch.from_numpy(intercept + slope * x + scale * drawn)
