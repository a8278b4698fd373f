"""Lines with their names at their ends."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from dlcourse.plots.look import CATEGORIES, COLORS
from dlcourse.train import EpochRecord

_LABEL = "direct label"
_NAMES = {"train_loss": "train loss", "val_loss": "validation loss"}


def direct_labels(ax: Axes) -> None:
    """Write the label of each line at its right end, in its colour, pushed apart where two would meet.

    Call it after the last line is drawn and the scales are set; calling it again moves the labels it wrote before.
    """
    for text in [text for text in ax.texts if text.get_gid() == _LABEL]:
        text.remove()
    ax.get_xlim(), ax.get_ylim()  # limits that wait for the next drawing are brought up to date
    points_per_pixel = 72 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    ends = []  # (height in points, line, its last point)
    for line in ax.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) and not str(line.get_label()).startswith("_"):
            ends.append((float(ax.transData.transform(points[-1])[1]) * points_per_pixel, line, points[-1]))
    ends.sort(key=lambda end: end[0])
    for (height, line, point), target in zip(ends, _apart([end[0] for end in ends], gap=13.0), strict=True):
        ax.annotate(
            str(line.get_label()),
            xy=(point[0], point[1]),
            xytext=(6, target - height),
            textcoords="offset points",
            color=line.get_color(),
            va="center",
            annotation_clip=False,
            gid=_LABEL,
        )


def band(ax: Axes, x: ArrayLike, ys: ArrayLike, *, label: str, color: str | None = None) -> None:
    """Draw the mean of several runs as a line, named at its end, over a shade from minimum to maximum.

    Shapes: x (K,), ys (runs, K). Without `color` the next of `CATEGORIES`. Raises ValueError for other shapes.
    """
    x, ys = np.asarray(x, dtype=float), np.asarray(ys, dtype=float)
    if ys.ndim != 2 or len(ys) == 0 or x.shape != ys.shape[1:]:
        raise ValueError(f"need x (K,) and ys (runs, K), got {x.shape} and {ys.shape}")
    (line,) = ax.plot(x, ys.mean(axis=0), label=label, color=color)
    if len(ys) > 1:
        ax.fill_between(x, ys.min(axis=0), ys.max(axis=0), color=line.get_color(), alpha=0.2, linewidth=0)
    direct_labels(ax)


def curves(
    histories: Mapping[str, Sequence[EpochRecord] | Sequence[Sequence[EpochRecord]]],
    *,
    metric: str = "val_loss",
    title: str = "",
) -> Figure:
    """Compare training runs: one line for each name, from one history or, with a shade from minimum to maximum, from several.

    `metric` is "train_loss", "val_loss" or a metric of the records. Names among `COLORS` take their colour from there.
    Raises ValueError for no history, an empty one, runs of one name that differ in length, or a metric the records lack.
    """
    if not histories:
        raise ValueError("there is no history to draw")
    figure = Figure()
    ax = figure.subplots()
    spare = iter(CATEGORIES * (len(histories) // len(CATEGORIES) + 1))
    for name, history in histories.items():
        runs: list[Sequence[EpochRecord]] = [history] if _is_one(history) else list(history)  # type: ignore[list-item,arg-type]
        if not runs or not all(runs):
            raise ValueError(f"the history of {name!r} is empty")
        if len({len(run) for run in runs}) > 1:
            raise ValueError(f"the runs of {name!r} differ in length: {[len(run) for run in runs]}")
        values = [[value_of(record, metric) for record in run] for run in runs]
        band(ax, [record.epoch for record in runs[0]], values, label=name, color=COLORS.get(name) or next(spare))
    name_axes(ax, _NAMES.get(metric, f"validation {metric.replace('_', ' ')}"))
    ax.set_title(title)
    direct_labels(ax)
    return figure


def value_of(record: EpochRecord, metric: str) -> float:
    """Return a loss of the record by its field's name, or one of its metrics."""
    if metric in _NAMES:
        return float(getattr(record, metric))
    if metric not in record.metrics:
        raise ValueError(f"metric must be one of {', '.join([*_NAMES, *record.metrics])}, got {metric!r}")
    return record.metrics[metric]


def name_axes(ax: Axes, quantity: str) -> None:
    """Prepare axes on which a quantity is read off against epochs."""
    ax.set_xlabel("epoch")
    ax.set_ylabel(quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.grid(axis="y")


def _is_one(history: Sequence[object]) -> bool:
    return len(history) > 0 and isinstance(history[0], EpochRecord)


def _apart(heights: list[float], *, gap: float) -> list[float]:
    """Move sorted heights until neighbours are at least `gap` apart, around the mean they had."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    shift = (sum(moved) - sum(heights)) / max(len(heights), 1)
    return [height - shift for height in moved]
