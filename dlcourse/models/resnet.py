"""A small residual network with batch normalisation: the last step of the line from LeNet, at MNIST's size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcourse.layers.inputs import check_images

__all__ = ["ResidualBlock", "SmallResNet"]


class ResidualBlock(nn.Module):
    """Adds to its input what two normalised 3×3 convolutions make of it (He et al., 2016, figure 2). (B, C, H, W) in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) to relu(x + change)."""
        change: Tensor = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))  # (B, C, H, W)
        return F.relu(x + change)


class SmallResNet(nn.Module):
    """Two normalised convolutions with pooling, one residual block on the coarse grid, one dense layer.

    Axes: B batch, C = in_channels, S = image_size (at least 8), c1 and c2 = channels, K = num_classes. Takes images (B, C, S, S)
    and returns logits (B, K); anything else raises ValueError or TypeError. The convolutions have no bias: the normalisation
    behind each would take it out again (Ioffe and Szegedy, 2015, section 3.2).
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int = 10, *, channels: tuple[int, int] = (16, 32), image_size: int = 28
    ) -> None:
        super().__init__()
        if image_size < 8:
            raise ValueError(f"image_size={image_size}: three poolings by 2 need at least 8")
        self.input_shape = (in_channels, image_size, image_size)
        self.conv1 = nn.Conv2d(in_channels, channels[0], kernel_size=3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels[0])
        self.conv2 = nn.Conv2d(channels[0], channels[1], kernel_size=3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels[1])
        self.block = ResidualBlock(channels[1])
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.fc = nn.Linear(channels[1] * (image_size // 2 // 2 // 2) ** 2, num_classes)
        # As in models.cnn: the layout in which CPUs convolve fastest; torch's types do not know the argument.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, S, S) to logits (B, K)."""
        check_images(images, like=self.conv1.weight, shape=self.input_shape)
        x = F.relu(self.norm1(self.pool(self.conv1(images))))  # (B, c1, S/2, S/2)
        x = F.relu(self.norm2(self.pool(self.conv2(x))))  # (B, c2, S/4, S/4)
        x = self.pool(self.block(x))  # (B, c2, S/8, S/8)
        logits: Tensor = self.fc(x.flatten(1))  # (B, K)
        return logits
