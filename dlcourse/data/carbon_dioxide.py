"""Carbon dioxide in the air over Mauna Loa, month by month from 1958 to 2001: a season on a rising curve.

Charles Keeling's series, in parts per million of the air (ppm). It falls while the northern forests grow, from May to October, and
rises again while they rest; and every year ends higher than the one before.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from dlcourse.data import Splits, shipped

__all__ = ["Series", "load", "read"]

FIRST = {"train": "1964-05", "val": "1986-01", "test": "1994-01"}  # the first target month of each part


class Series(NamedTuple):
    """Months such as "1958-03", in order and none left out, and values float64 (M,) in ppm, nan where nothing was measured."""

    months: list[str]
    values: Tensor


def read() -> Series:
    """Return the monthly means of the weekly values, March 1958 to December 2001. Five months, the last in 1964, have none."""
    rows = [line.split("\t") for line in _text().splitlines()]
    return Series([month for month, _ in rows], torch.tensor([float(value or math.nan) for _, value in rows], dtype=torch.float64))


def load(*, history: int = 24, horizon: int = 12) -> Splits:
    """Return windows of the series: x float32 (N, history), the months known, and y float32 (N, horizon), those that follow.

    In ppm, one window for each month at which a forecast can begin. A window belongs to the part in which all its targets lie
    (train: to 1985, val: 1986 to 1993, test: 1994 to 2001), so that no target lies in two parts; the known months may reach into
    the part before, as they do for whoever forecasts. The windows use the months from May 1964 on, which have no gap. On the
    CPU. Raises ValueError for sizes below 1 and for those that leave a part without a window.
    """
    if history < 1 or horizon < 1:
        raise ValueError(f"history={history} and horizon={horizon}: both must be at least 1")
    months, values = read()
    edges = [*(months.index(first) for first in FIRST.values()), len(months)]
    values = values.float()
    parts = []
    for name, begin, end in zip(FIRST, edges, edges[1:], strict=False):
        starts = range(max(begin, edges[0] + history), end - horizon + 1)
        if not starts:
            raise ValueError(f"history={history} and horizon={horizon} leave no window in the part {name!r}")
        known = torch.stack([values[start - history : start] for start in starts])
        parts.append(TensorDataset(known, torch.stack([values[start : start + horizon] for start in starts])))
    return Splits(*parts)


@functools.cache
def _text() -> str:
    return shipped.read("carbon-dioxide.tsv.xz").decode("ascii")
