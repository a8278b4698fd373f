"""MNIST: 70,000 handwritten digits, 28×28 grey levels, ten classes (LeCun, Cortes and Burges, 1998)."""

from __future__ import annotations

import functools
import struct

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data import Splits, shipped

__all__ = ["load"]

VALIDATION_STRIDE = 12  # every 12th image of the training file validates: 5,000 of 60,000, spread over the whole file


def load() -> Splits:
    """Return MNIST: 55,000 training, 5,000 validation and the 10,000 official test images.

    Images are float32 (N, 1, 28, 28), 0 for paper and 1 for ink; labels are int64 (N,), 0 to 9. On the CPU. The split is the same
    on every machine and in every version of PyTorch: it draws no random number.
    """
    images, labels = _read("train")
    validates = torch.arange(len(images)) % VALIDATION_STRIDE == VALIDATION_STRIDE - 1
    return Splits(
        _dataset(images[~validates], labels[~validates]),
        _dataset(images[validates], labels[validates]),
        _dataset(*_read("t10k")),
    )


def _dataset(images: Tensor, labels: Tensor) -> TensorDataset:
    return TensorDataset(images.unsqueeze(1) / 255, labels.long())  # (N, 1, 28, 28), (N,)


@functools.cache  # a second of decompression; the bytes are kept (55 MB), the tensors handed out are fresh
def _read(part: str) -> tuple[Tensor, Tensor]:
    return _parse_idx(shipped.read(f"{part}-images-idx3-ubyte.xz")), _parse_idx(shipped.read(f"{part}-labels-idx1-ubyte.xz"))


def _parse_idx(raw: bytes) -> Tensor:
    """Return the uint8 tensor in an IDX file: two zero bytes, type 8 (uint8), the number of axes, their sizes, the values."""
    zero, kind, axes = struct.unpack(">HBB", raw[:4])
    if zero != 0 or kind != 8:
        raise ValueError(f"not an IDX file of bytes: it starts with {raw[:4].hex()}, expected 0000 08 and the number of axes")
    sizes = struct.unpack(f">{axes}I", raw[4 : 4 + 4 * axes])
    values = torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=4 + 4 * axes)
    if values.numel() != torch.Size(sizes).numel():
        raise ValueError(f"an IDX file that announces {sizes} holds {values.numel()} values")
    return values.reshape(sizes)
