"""The runs of a training panel, as a table and as curves."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlcourse.plots import COLORS
from dlcourse.train import EpochRecord
from dlcourse.widgets.train_settings import Choice, Slider


@dataclass
class Run:
    """One press of Train: the settings it was given, what came of them, and how it ended."""

    number: int
    settings: dict[str, Any]
    records: list[EpochRecord] = field(default_factory=list)
    outcome: str = "running"  # then finished, stopped or failed
    error: str = ""

    def best(self, metric: str, *, smaller: bool = False) -> EpochRecord | None:
        """Return the record with the largest (or, with `smaller`, the smallest) finite `metric`, or None."""
        finite = [record for record in self.records if math.isfinite(record.metrics.get(metric, math.nan))]
        return (min if smaller else max)(finite, key=lambda record: record.metrics[metric], default=None)


def table(
    runs: Sequence[Run], settings: Mapping[str, Choice | Slider], metric: str, words: Mapping[str, str], *, smaller: bool
) -> str:
    """Return all runs as an HTML table, the best in bold."""
    best = {run.number: record.metrics[metric] for run in runs if (record := run.best(metric, smaller=smaller))}
    winner = (min if smaller else max)(best.values(), default=None)
    labels = [words["run"], *(setting.label for setting in settings.values()), words["epochs"]]
    labels += [words["best"].format(metric=metric), words["seconds"], words["outcome"]]
    cell = 'style="padding:2px 12px 2px 0;text-align:right"'
    head = "".join(f'<th scope="col" {cell}>{html.escape(label)}</th>' for label in labels)
    rows = []
    for run in runs:
        value = f"{best[run.number]:.4f}" if run.number in best else "–"
        seconds = f"{run.records[-1].seconds:.1f}" if run.records else "–"
        chosen = [setting.shown(run.settings[name]) for name, setting in settings.items()]
        outcome = words[f"outcome_{run.outcome}"]
        values = [html.escape(text) for text in (str(run.number), *chosen, str(len(run.records)), value, seconds, outcome)]
        if run.number in best and best[run.number] == winner:
            values = [f"<strong>{text}</strong>" for text in values]
        rows.append("<tr>" + "".join(f"<td {cell}>{text}</td>" for text in values) + "</tr>")
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<div style="overflow-x:auto">{body}</div>'


def figure(runs: Sequence[Run], metric: str, words: Mapping[str, str]) -> str:
    """Return the curves as an SVG image: both losses of the last run that has any, and the metric of all runs."""
    run = next(run for run in reversed(runs) if run.records)
    drawing = Figure(figsize=(7.2, 2.7), layout="constrained", facecolor="white")
    left, right = drawing.subplots(1, 2)
    for role, label, values in (
        ("train", words["train_curve"], [record.train_loss for record in run.records]),
        ("val", words["val_curve"], [record.val_loss for record in run.records]),
    ):
        left.plot([record.epoch for record in run.records], values, color=COLORS[role], marker="o", markersize=3, label=label)
    left.legend(frameon=False)
    for other in runs:
        measured = [record for record in other.records if metric in record.metrics]
        if not measured:
            continue
        epochs, heights = [record.epoch for record in measured], [record.metrics[metric] for record in measured]
        line, text, width = (COLORS["val"], COLORS["val"], 2.0) if other is run else ("#9aa2aa", "#5a636b", 1.2)
        right.plot(epochs, heights, color=line, linewidth=width, marker="o", markersize=3)
        right.annotate(f" {other.number}", (epochs[-1], heights[-1]), color=text)
    left.set_title(words["loss_axis"].format(run=run.number), loc="left", fontsize="medium")
    right.set_title(words["metric_axis"].format(metric=metric), loc="left", fontsize="medium")
    for axes in (left, right):
        axes.set_xlabel(words["epoch_axis"])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    stream = io.BytesIO()
    drawing.savefig(stream, format="svg")
    last = run.records[-1]
    value = f"{last.metrics.get(metric, math.nan):.4f}"
    alt = words["curves_alt"].format(runs=len(runs), metric=metric, value=value, epoch=last.epoch)
    data = base64.b64encode(stream.getvalue()).decode()
    style = "width:100%;height:auto;aspect-ratio:7.2/2.7;border-radius:6px;background:#fff"
    return f'<img alt="{html.escape(alt)}" style="{style}" src="data:image/svg+xml;base64,{data}">'
