"""The exercises of the chapter on convolutional networks."""

from __future__ import annotations

from typing import Any

import torch

from dlcourse.exercises import Exercise, function, number, sequence


def _setting(answer: Any) -> str | None:
    """Want (kernel size, stride, padding) of a transposed convolution that doubles 7 and 14: any that does is right."""
    if not isinstance(answer, list | tuple) or len(answer) != 3 or not all(type(part) is int for part in answer):
        return "Three whole numbers are wanted: (kernel size, stride, padding)."
    kernel_size, stride, padding = answer
    if kernel_size < 1 or stride < 1 or padding < 0:
        return "Kernel size and stride are at least 1, padding is at least 0."
    sizes = [(size - 1) * stride - 2 * padding + kernel_size for size in (7, 14)]
    if sizes == [14, 28]:
        return None
    return f"That takes 7 to {sizes[0]} and 14 to {sizes[1]}. Which stride turns every further input into two further outputs?"


_KERNEL = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

EXERCISES = {
    "convolutional_networks-1": sequence(
        [26, 13, 11, 5, 3, 1, 55_744],
        hints={
            (
                28,
                14,
                14,
                7,
                7,
                3,
                55_744,
            ): "Those are the sizes with padding 1. This stack has none: a 3×3 kernel costs two pixels.",
            (26, 13, 11, 6, 4, 2, 55_744): "A window that sticks out does not count: formula (4) rounds down.",
            (26, 25, 23, 22, 20, 19, 55_744): "The poolings move by 2, not by 1.",
            (26, 13, 11, 5, 3, 1, 55_584): "The sizes are right. Each kernel has a bias.",
            (26, 13, 11, 5, 3, 1, 1_440): "The sizes are right. A kernel has a table for each channel of its input.",
        },
        hint="Six sizes by formula (4), layer by layer (convolutions: padding 0, stride 1; poolings: stride 2), then one count.",
    ),
    "convolutional_networks-2": number(
        18,
        hints={
            7: "That leaves out the poolings, whose windows count too, and all strides.",
            9: "That leaves out the strides: after a pooling, a step is two input pixels wide.",
            10: "That is the field before the last convolution.",
            15: "The windows of the poolings count too.",
            21: "A layer's own stride does not widen its own steps, only those of the layers after it.",
        },
        hint="Begin with 1; each layer adds (kernel size − 1) times the product of the strides before it.",
    ),
    "convolutional_networks-3": sequence(
        [-4, 4],
        hints={(4, -4): "The other way round: which of the two flips the kernel?"},
        hint="Write the four products down: the pixels 0, 1, 3, 4 under the four weights; then turn the kernel by half a circle.",
        tolerance=1e-9,
    ),
    "convolutional_networks-4": Exercise(_setting),
    "convolutional_networks-5": function(
        [
            ((_KERNEL, 1), _KERNEL),
            ((_KERNEL, 2), torch.tensor([[1.0, 0, 2, 0, 3], [0, 0, 0, 0, 0], [4, 0, 5, 0, 6]])),
            ((torch.tensor([[1.0], [2.0]]), 3), torch.tensor([[1.0], [0], [0], [2]])),
        ],
        hint="M cells that lie d apart span d·(M − 1) + 1; slicing with a step writes them all at once.",
    ),
}
