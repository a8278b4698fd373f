"""The small convolutional network of the course: two convolutions, two poolings, two dense layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.inputs import check_images

__all__ = ["CNN"]


class CNN(nn.Module):
    """A network in the line of LeNet-5 (LeCun et al., 1998, section II.B) with ReLU and max pooling.

    Axes: B batch, C = in_channels, S = image_size (a multiple of 4), c1 and c2 = channels, M = hidden_size, K = num_classes.
    Takes images (B, C, S, S) of the weights' dtype and returns logits (B, K); anything else raises ValueError or TypeError.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        channels: tuple[int, int] = (32, 64),
        hidden_size: int = 128,
        image_size: int = 28,
    ) -> None:
        super().__init__()
        if image_size < 4 or image_size % 4:
            raise ValueError(f"image_size={image_size}: two poolings by 2 need a positive multiple of 4")
        self.input_shape = (in_channels, image_size, image_size)
        self.conv1 = nn.Conv2d(in_channels, channels[0], kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.fc1 = nn.Linear(channels[1] * (image_size // 4) ** 2, hidden_size)
        self.fc2 = nn.Linear(hidden_size, num_classes)
        # The same numbers in the order in which CPUs convolve about 1.5 times as fast; torch's types do not know the argument.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, S, S) to logits (B, K)."""
        check_images(images, like=self.conv1.weight, shape=self.input_shape)
        # The maximum of rectified values is the rectified maximum: pooling first gives the same numbers for a quarter of the work.
        x = F.relu(self.pool(self.conv1(images)))  # (B, c1, S/2, S/2)
        x = F.relu(self.pool(self.conv2(x)))  # (B, c2, S/4, S/4)
        x = F.relu(self.fc1(x.flatten(1)))  # (B, M)
        logits: Tensor = self.fc2(x)  # (B, K)
        return logits
