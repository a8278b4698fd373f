"""Watch a training run while it goes on."""

import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from matplotlib.figure import Figure

from dlcourse.plots.lines import direct_labels, name_axes
from dlcourse.plots.look import CATEGORIES, COLORS, WIDTH, notebook_shell
from dlcourse.train import EpochRecord

_MIN_SECONDS_BETWEEN = 0.25
_MAX_SHARE = 0.1  # of the time may go into drawing


def live(records: Iterable[EpochRecord], *, title: str = "") -> list[EpochRecord]:
    """Run through the records, show each, and return them all: a figure that grows in a notebook, one line an epoch elsewhere.

    The figure has the losses on the left and the validation metrics on the right. It is redrawn at most four times a second,
    and so that drawing takes no more than a tenth of the time.

    Stop (Ctrl-C) ends the training, not the notebook: it says after which epoch, and returns the history so far. Any other
    error goes on to the caller, with the figure showing how far it came.
    """
    history: list[EpochRecord] = []
    show = _Figure(title) if notebook_shell() is not None else _Lines(title)
    try:
        for record in records:
            history.append(record)
            show.update(history)
    except KeyboardInterrupt:
        show.finish(history)
        print(f"Stopped after epoch {history[-1].epoch}." if history else "Stopped before the end of the first epoch.")  # noqa: T201
    except BaseException:
        show.finish(history)
        raise
    else:
        show.finish(history)
    finally:
        if isinstance(records, Generator):
            records.close()  # interrupted while drawing: the training loop tidies up now
    return history


class _Lines:
    """One printed line an epoch."""

    def __init__(self, title: str) -> None:
        self.title = title

    def update(self, history: list[EpochRecord]) -> None:
        if self.title and len(history) == 1:
            print(self.title)  # noqa: T201
        record = history[-1]
        metrics = "".join(f", {name} {value:.4f}" for name, value in record.metrics.items())
        losses = f"train loss {record.train_loss:.4f}, validation loss {record.val_loss:.4f}"
        print(f"epoch {record.epoch:3d}: {losses}{metrics}, {record.seconds:.1f} s", flush=True)  # noqa: T201

    def finish(self, history: list[EpochRecord]) -> None:
        pass


class _Figure:
    """One figure in the cell's output, drawn again and again."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.handle: Any = None
        self.drawn = 0  # records in the figure that is shown
        self.next_time = 0.0

    def update(self, history: list[EpochRecord]) -> None:
        if time.monotonic() >= self.next_time:
            self.draw(history)

    def finish(self, history: list[EpochRecord]) -> None:
        if len(history) > self.drawn:
            self.draw(history)

    def draw(self, history: list[EpochRecord]) -> None:
        from IPython.display import display  # noqa: PLC0415  only where there is a notebook

        started = time.monotonic()
        figure = draw_history(history, title=self.title)
        if self.handle is None:
            self.handle = display(figure, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.handle.update(figure)
        self.drawn = len(history)
        now = time.monotonic()
        self.next_time = now + max(_MIN_SECONDS_BETWEEN, (now - started) / _MAX_SHARE)


def draw_history(history: list[EpochRecord], *, title: str = "") -> Figure:
    """Draw losses on the left and, where the records have metrics, these on the right."""
    names = list(history[-1].metrics)
    figure = Figure(figsize=(WIDTH, 3.0))
    axes = iter(figure.subplots(1, 2 if names else 1, squeeze=False)[0])
    epochs = [record.epoch for record in history]
    ax = next(axes)
    for label, color, values in (
        ("train", COLORS["train"], [record.train_loss for record in history]),
        ("validation", COLORS["val"], [record.val_loss for record in history]),
    ):
        ax.plot(epochs, values, label=label, color=color, marker=_marker(history))
    name_axes(ax, "loss")
    direct_labels(ax)
    if names:
        ax = next(axes)
        for name, color in zip(names, _metric_colors(), strict=False):
            ax.plot(epochs, [record.metrics[name] for record in history], label=name, color=color, marker=_marker(history))
        name_axes(ax, f"validation {names[0].replace('_', ' ')}" if len(names) == 1 else "on validation")
        if len(names) > 1:
            direct_labels(ax)
    if title:
        figure.suptitle(title, x=0.01, ha="left")
    return figure


def _marker(history: list[EpochRecord]) -> str | None:
    return "o" if len(history) <= 20 else None  # a line needs two points to be seen


def _metric_colors() -> Iterator[str]:
    yield COLORS["val"]
    while True:
        yield from (color for color in CATEGORIES if color not in (COLORS["train"], COLORS["val"]))
