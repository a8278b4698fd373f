"""Digits of 8×8 pixels: 1,797 of them, small enough for every learner there is (Alpaydin and Kaynak, 1998).

They travel with scikit-learn, which needs no network to load them.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data import Splits

__all__ = ["load"]

PART_OF_FIFTH = {"train": (0, 1, 2), "val": (3,), "test": (4,)}  # of every five digits of a class, in stored order


def load() -> Splits:
    """Return the digits in three parts of about 60, 20 and 20 %, each with as many of every class as the whole has.

    Images are float32 (N, 1, 8, 8), 0 for paper and 1 for ink, in steps of 1/16; labels are int64 (N,), 0 to 9. On the CPU. Of
    every five digits of a class, in stored order, the fourth validates and the fifth tests: the split draws no random number.
    Raises ModuleNotFoundError, naming the cure, where scikit-learn is missing.
    """
    images, labels = _read()
    turn = torch.zeros_like(labels)  # which of its class each digit is, modulo 5
    for digit in range(10):
        places = (labels == digit).nonzero()[:, 0]
        turn[places] = torch.arange(len(places)) % 5
    return Splits(*(_part(images, labels, torch.isin(turn, torch.tensor(PART_OF_FIFTH[name]))) for name in Splits._fields))


def _part(images: Tensor, labels: Tensor, chosen: Tensor) -> TensorDataset:
    return TensorDataset(images[chosen], labels[chosen])  # indexing copies: what one caller changes the next does not see


@functools.cache
def _read() -> tuple[Tensor, Tensor]:
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415  a second of import, and only this set needs it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the digits of 8×8 pixels travel with scikit-learn: run `pip install scikit-learn`") from error
    bunch = load_digits()
    return torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16, torch.tensor(bunch.target, dtype=torch.int64)
