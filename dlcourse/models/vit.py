"""The Vision Transformer: an image is cut into patches, and the patches are read as a sentence is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcourse.layers.inputs import check_images
from dlcourse.layers.normalization import LayerNorm
from dlcourse.layers.positional import LearnedPositions
from dlcourse.layers.transformer import TransformerBlock

__all__ = ["ViT", "patches"]


def patches(images: Tensor, patch_size: int) -> Tensor:
    """Cut images (B, C, H, W) into squares and lay each out as a row: (B, H/p · W/p, C · p · p).

    Patches go from left to right and then down; p = ``patch_size``. A dense layer on the rows is a
    convolution with kernel p and stride p. Raises ValueError unless p divides H and W.
    """
    if images.ndim != 4 or images.numel() == 0:
        given = f"images of shape {tuple(images.shape)} given"
        raise ValueError(f"{given}; (B, C, H, W) wanted, all at least 1")
    p, (height, width) = patch_size, images.shape[2:]
    if p < 1 or height % p or width % p:
        raise ValueError(f"images of {height} × {width} pixels have no whole patches of {p} × {p}")
    x = images.reshape(*images.shape[:2], height // p, p, width // p, p)  # (B, C, H/p, p, W/p, p)
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


class ViT(nn.Module):
    """A Transformer's encoder over patches (Dosovitskiy et al., 2021).

    Axes: B batch, C = channels, I = image_size, p = patch_size, P = (I / p)² patches, D = dim, K =
    num_classes. Each patch becomes a token by one dense layer; a learned class token goes before
    them, a learned position is added to each of the P + 1, and after pre-norm blocks the class
    token's output is what the classes are read from. Nothing tells the model which patches are
    neighbours. ``dropout`` acts after the positions and in the blocks, in training only. Takes
    images (B, C, I, I) of the weights' dtype; anything else raises ValueError or TypeError, and so
    does a patch size that does not divide the image's.
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        *,
        image_size: int = 28,
        patch_size: int = 7,
        channels: int = 1,
        num_heads: int,
        num_layers: int,
        hidden_size: int | None = None,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if patch_size < 1 or image_size < 1 or image_size % patch_size:
            given = f"image_size={image_size}, patch_size={patch_size}"
            raise ValueError(f"{given}: an image must be a whole number of patches wide")
        if num_classes < 1 or num_layers < 1 or channels < 1:
            given = f"num_classes={num_classes}, num_layers={num_layers}, channels={channels}"
            raise ValueError(f"{given}: all must be at least 1")
        self.input_shape = (channels, image_size, image_size)
        self.patch_size = patch_size
        self.embedding = nn.Linear(channels * patch_size**2, dim)
        self.class_token = nn.Parameter(torch.randn(dim) * 0.02)
        num_tokens = (image_size // patch_size) ** 2 + 1
        self.positions = LearnedPositions(dim, max_length=num_tokens)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                dim,
                num_heads=num_heads,
                hidden_size=hidden_size,
                dropout=dropout,
                fused=fused,
            )
            for _ in range(num_layers)
        )
        self.norm = LayerNorm(dim)
        self.output = nn.Linear(dim, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, I, I) to logits (B, K)."""
        check_images(images, like=self.output.weight, shape=self.input_shape)
        x = self.embedding(patches(images, self.patch_size))  # (B, P, D)
        first = self.class_token.expand(len(x), 1, -1)
        x = self.dropout(self.positions(torch.cat([first, x], dim=1)))  # (B, P + 1, D)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.output(self.norm(x[:, 0]))
        return logits
