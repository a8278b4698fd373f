"""The course's convolution, by unfolding, against PyTorch's own: the time of one forward and backward pass."""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.table import table
from dlcourse.layers.convolution import conv2d

SHAPES = [  # batch, channels in, size, channels out: the two convolutions of the chapter's network, and a wider one
    (128, 1, 28, 16),
    (128, 16, 14, 32),
    (32, 64, 28, 64),
]


def main() -> str:
    """Return the table, 3×3 kernels with padding 1."""
    rows = []
    for B, C, S, K in SHAPES:
        x = torch.randn(B, C, S, S, requires_grad=True)
        weight = torch.randn(K, C, 3, 3, requires_grad=True)
        ours, torchs = (_milliseconds(f, x, weight) for f in (conv2d, F.conv2d))
        rows.append([f"{B}×{C}×{S}×{S} to {K} channels", f"{ours:.1f}", f"{torchs:.1f}", f"{ours / torchs:.1f}"])
    return table(["3×3 convolution, forward and backward", "ours, ms", "`F.conv2d`, ms", "ratio"], rows)


def _milliseconds(convolution: Callable[..., Tensor], x: Tensor, weight: Tensor, repeats: int = 15) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        convolution(x, weight, padding=1).sum().backward()  # type: ignore[no-untyped-call]
        seconds.append(time.perf_counter() - started)
    return 1000 * min(seconds)  # the smallest is the one that other programs disturbed least


if __name__ == "__main__":
    print(main())
