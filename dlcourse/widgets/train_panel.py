"""Train it your way: choose settings, press Train, watch the curves, compare with the runs before."""

from __future__ import annotations

import base64
import html
import io
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlcourse.plots import COLORS
from dlcourse.train import EpochRecord

__all__ = ["Choice", "Run", "Slider", "TrainPanel"]

WORDS = {
    "title": "Train it your way",
    "try": "Change one setting, press Train, and compare with the run before.",
    "notice": "Notice which curve moves: the training loss, the validation loss, or both.",
    "train": "Train",
    "stop": "Stop",
    "idle": "Press Train: the curves come epoch by epoch.",
    "starting": "Run {run}: the first epoch is under way.",
    "epoch": "Run {run}, epoch {epoch}: validation {metric} {value}, {seconds} s of training.",
    "stopping": "Run {run} stops after the epoch that is under way.",
    "finished": "Run {run} is finished: best validation {metric} {value} in epoch {epoch}.",
    "stopped": "Run {run} was stopped after epoch {epoch}; its curves are kept.",
    "failed": "Run {run} ended early: {error}",
    "not_finite": "the loss is no longer a finite number; try a smaller learning rate.",
    "no_epochs": "it gave no epoch.",
    "outcome_running": "running",
    "outcome_finished": "finished",
    "outcome_stopped": "stopped",
    "outcome_failed": "failed",
    "run": "run",
    "epochs": "epochs done",
    "best": "best validation {metric}",
    "seconds": "seconds",
    "outcome": "outcome",
    "epoch_axis": "epoch",
    "loss_axis": "loss of run {run}",
    "metric_axis": "validation {metric}, all runs",
    "train_curve": "training",
    "val_curve": "validation",
    "curves_alt": "Curves of {runs} runs; last: validation {metric} {value} after {epoch} epochs",
    "static": "This panel trains the network with settings of your choice and compares the runs. It needs Python beside the page:",
    "static_how": "open this chapter in JupyterLab (make lab) or, where the page offers it, in Colab, and run its cells.",
    "static_settings": "Settings to choose from:",
    "static_range": "{low} to {high}, at the start {value}",
    "static_options": "{options}; at the start {value}",
}


@dataclass(frozen=True)
class Choice:
    """A setting with a few values; `options` are the values, or a mapping from what is shown to the value."""

    label: str
    options: Sequence[Any] | Mapping[str, Any]
    value: Any

    def control(self) -> widgets.Widget:
        """Return the dropdown."""
        options = list(self.options.items()) if isinstance(self.options, Mapping) else list(self.options)
        return widgets.Dropdown(options=options, value=self.value)

    def describe(self, words: Mapping[str, str]) -> str:
        """Return the options in words."""
        names = {value: name for name, value in self.options.items()} if isinstance(self.options, Mapping) else {}
        return words["static_options"].format(
            options=", ".join(str(option) for option in self.options), value=names.get(self.value, self.value)
        )


@dataclass(frozen=True)
class Slider:
    """A setting between two numbers: whole ones if all are int; with `log`, equal steps of the exponent, in tenths of a decade."""

    label: str
    low: float
    high: float
    value: float
    step: float | None = None
    log: bool = False

    def control(self) -> widgets.Widget:
        """Return the slider."""
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            return widgets.FloatLogSlider(value=self.value, min=low, max=high, step=self.step or 0.1, readout_format=".2g")
        limits = {"value": self.value, "min": self.low, "max": self.high}
        if all(isinstance(number, int) for number in (self.low, self.high, self.value)):
            return widgets.IntSlider(**limits, step=int(self.step or 1))
        return widgets.FloatSlider(**limits, step=self.step or (self.high - self.low) / 20)

    def describe(self, words: Mapping[str, str]) -> str:
        """Return the range in words."""
        return words["static_range"].format(low=f"{self.low:g}", high=f"{self.high:g}", value=f"{self.value:g}")


@dataclass
class Run:
    """One press of Train: the settings it was given, what came of them, and how it ended."""

    number: int
    settings: dict[str, Any]
    records: list[EpochRecord] = field(default_factory=list)
    outcome: str = "running"  # then finished, stopped or failed
    error: str = ""

    def best(self, metric: str) -> EpochRecord | None:
        """Return the record with the largest finite `metric`, or None."""
        finite = [record for record in self.records if math.isfinite(record.metrics.get(metric, math.nan))]
        return max(finite, key=lambda record: record.metrics[metric], default=None)


class TrainPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Controls for `settings`, buttons Train and Stop, live curves, and a table of all runs.

    `run` takes the chosen settings ({name: value}) and yields one EpochRecord per epoch, as train.train_epochs does; it is called
    anew by every press of Train, in a thread of its own, so that Stop answers while an epoch is computed: the run ends after that
    epoch and its generator is closed. `metric` names the entry of EpochRecord.metrics that is compared; larger is better. An error
    is shown as a sentence, and the runs before it stay. `runs` holds everything; `wait()` returns when no run is under way.
    """

    def __init__(
        self,
        run: Callable[[dict[str, Any]], Iterator[EpochRecord]],
        settings: Mapping[str, Choice | Slider],
        *,
        metric: str = "accuracy",
        words: Mapping[str, str] | None = None,
    ) -> None:
        if not settings:
            raise ValueError("no settings given; the panel needs at least one Choice or Slider")
        self.words = WORDS | dict(words or {})
        self.metric = metric
        self.settings = dict(settings)
        self.runs: list[Run] = []
        self._run = run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

        self.controls = {name: setting.control() for name, setting in self.settings.items()}
        for control in self.controls.values():
            control.layout = widgets.Layout(width="auto", min_height="40px", margin="0")
        button = widgets.Layout(width="auto", min_width="88px", height="40px")
        self.train = widgets.Button(description=self.words["train"], button_style="primary", layout=button)
        self.stop = widgets.Button(description=self.words["stop"], disabled=True, layout=button)
        self.status, self.figure, self.table = (widgets.HTML() for _ in range(3))
        self.train.on_click(lambda _: self._start())
        self.stop.on_click(lambda _: self._ask_to_stop())
        self._say(self.words["idle"])

        fields = [
            widgets.VBox([widgets.Label(self.settings[name].label), control], layout=widgets.Layout(min_width="150px", margin="0"))
            for name, control in self.controls.items()
        ]
        grid = widgets.Layout(display="grid", grid_template_columns="repeat(auto-fill, minmax(170px, 1fr))", grid_gap="8px 16px")
        super().__init__(
            [
                widgets.HTML(f"<strong>{html.escape(self.words['title'])}</strong><br>{html.escape(self.words['try'])}"),
                widgets.Box(fields, layout=grid),
                widgets.HBox([self.train, self.stop]),
                self.status,
                self.figure,
                self.table,
                widgets.HTML(html.escape(self.words["notice"])),
            ],
            layout=widgets.Layout(padding="12px", border="1px solid #b5bac0", max_width="760px"),
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no run is under way, at most `timeout` seconds; return whether that is so."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        chosen = {name: control.value for name, control in self.controls.items()}
        run = Run(len(self.runs) + 1, chosen)
        self.runs.append(run)
        self._stop.clear()
        self.train.disabled, self.stop.disabled = True, False
        self._say(self.words["starting"].format(run=run.number))
        self._thread = threading.Thread(target=self._work, args=(run,), name="TrainPanel", daemon=True)
        self._thread.start()

    def _ask_to_stop(self) -> None:
        if self.runs and self.runs[-1].outcome == "running":
            self._stop.set()
            self.stop.disabled = True
            self._say(self.words["stopping"].format(run=self.runs[-1].number))

    def _work(self, run: Run) -> None:
        """Carry out `run`; nothing that goes wrong in it leaves this thread."""
        try:
            self._iterate(run)
        except Exception as error:
            run.outcome, run.error = "failed", str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        self._show()
        self._say(self._ending(run), alarm=run.outcome == "failed")
        self.train.disabled, self.stop.disabled = False, True

    def _iterate(self, run: Run) -> None:
        records = iter(self._run(dict(run.settings)))
        try:
            for record in records:
                if not math.isfinite(record.train_loss):
                    raise ValueError(self.words["not_finite"])
                run.records.append(record)
                self._show()
                if self._stop.is_set():
                    run.outcome = "stopped"
                    return
                value = f"{record.metrics.get(self.metric, math.nan):.4f}"
                text = {"run": run.number, "epoch": record.epoch, "metric": self.metric, "value": value}
                self._say(self.words["epoch"].format(**text, seconds=f"{record.seconds:.1f}"))
            if not run.records:
                raise ValueError(self.words["no_epochs"])
            run.outcome = "finished"
        finally:
            if hasattr(records, "close"):
                records.close()  # early stopping puts the best weights back here

    def _ending(self, run: Run) -> str:
        best = run.best(self.metric)
        values = {
            "run": run.number,
            "metric": self.metric,
            "error": run.error,
            "value": f"{best.metrics[self.metric]:.4f}" if best else "–",
            "epoch": run.records[-1].epoch if run.outcome == "stopped" else best.epoch if best else 0,
        }
        return self.words[run.outcome].format(**values)

    def _say(self, sentence: str, *, alarm: bool = False) -> None:
        colour = f"color:{COLORS['val']};font-weight:600" if alarm else ""
        role = "alert" if alarm else "status"
        self.status.value = f'<div role="{role}" style="min-height:3em;{colour}">{html.escape(sentence)}</div>'

    def _show(self) -> None:
        self.table.value = self._table()
        if any(run.records for run in self.runs):
            self.figure.value = self._figure()

    def _table(self) -> str:
        """Return all runs as an HTML table, the best in bold."""
        best = {run.number: record.metrics[self.metric] for run in self.runs if (record := run.best(self.metric))}
        labels = [self.words["run"], *(setting.label for setting in self.settings.values()), self.words["epochs"]]
        labels += [self.words["best"].format(metric=self.metric), self.words["seconds"], self.words["outcome"]]
        cell = 'style="padding:2px 12px 2px 0;text-align:right"'
        head = "".join(f'<th scope="col" {cell}>{html.escape(label)}</th>' for label in labels)
        rows = []
        for run in self.runs:
            value = f"{best[run.number]:.4f}" if run.number in best else "–"
            seconds = f"{run.records[-1].seconds:.1f}" if run.records else "–"
            chosen = [self._name(name, run.settings[name]) for name in self.settings]
            outcome = self.words[f"outcome_{run.outcome}"]
            values = [html.escape(text) for text in (str(run.number), *chosen, str(len(run.records)), value, seconds, outcome)]
            if run.number in best and best[run.number] == max(best.values()):
                values = [f"<strong>{text}</strong>" for text in values]
            rows.append("<tr>" + "".join(f"<td {cell}>{text}</td>" for text in values) + "</tr>")
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return f'<div style="overflow-x:auto">{table}</div>'

    def _name(self, name: str, value: Any) -> str:
        setting = self.settings[name]
        if isinstance(setting, Choice) and isinstance(setting.options, Mapping):
            return next((shown for shown, option in setting.options.items() if option == value), str(value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    def _figure(self) -> str:
        """Return the curves as an SVG image: both losses of the last run that has any, and the metric of all runs."""
        run = next(run for run in reversed(self.runs) if run.records)
        figure = Figure(figsize=(7.2, 2.7), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2)
        for role, label, values in (
            ("train", self.words["train_curve"], [record.train_loss for record in run.records]),
            ("val", self.words["val_curve"], [record.val_loss for record in run.records]),
        ):
            left.plot([record.epoch for record in run.records], values, color=COLORS[role], marker="o", markersize=3, label=label)
        left.legend(frameon=False)
        for other in self.runs:
            measured = [record for record in other.records if self.metric in record.metrics]
            if not measured:
                continue
            epochs, heights = [record.epoch for record in measured], [record.metrics[self.metric] for record in measured]
            line, text, width = (COLORS["val"], COLORS["val"], 2.0) if other is run else ("#9aa2aa", "#5a636b", 1.2)
            right.plot(epochs, heights, color=line, linewidth=width, marker="o", markersize=3)
            right.annotate(f" {other.number}", (epochs[-1], heights[-1]), color=text)
        left.set_title(self.words["loss_axis"].format(run=run.number), loc="left", fontsize="medium")
        right.set_title(self.words["metric_axis"].format(metric=self.metric), loc="left", fontsize="medium")
        for axes in (left, right):
            axes.set_xlabel(self.words["epoch_axis"])
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.spines[["top", "right"]].set_visible(False)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg")
        last = run.records[-1]
        value = f"{last.metrics.get(self.metric, math.nan):.4f}"
        alt = self.words["curves_alt"].format(runs=len(self.runs), metric=self.metric, value=value, epoch=last.epoch)
        data = base64.b64encode(stream.getvalue()).decode()
        style = "width:100%;height:auto;aspect-ratio:7.2/2.7;border-radius:6px;background:#fff"
        return f'<img alt="{html.escape(alt)}" style="{style}" src="data:image/svg+xml;base64,{data}">'

    def _fallback(self) -> str:
        """Return what a page without a kernel shows in this place."""
        say = {name: html.escape(text) for name, text in self.words.items()}
        items = "".join(
            f"<li><strong>{html.escape(setting.label)}</strong>: {html.escape(setting.describe(self.words))}</li>"
            for setting in self.settings.values()
        )
        style = "border:1px solid var(--pst-color-border,#b5bac0);border-radius:10px;padding:1rem;margin:1rem 0"
        return (
            f'<div class="dl-static" style="{style}"><p><strong>{say["title"]}.</strong> {say["static"]} {say["static_how"]}</p>'
            f"<p>{say['static_settings']}</p><ul>{items}</ul></div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the widget's view and, for the static page, words about what it would do."""
        bundle: dict[str, Any] = dict(super()._repr_mimebundle_(**kwargs))
        return bundle | {"text/plain": f"{self.words['title']} (TrainPanel)", "text/html": self._fallback()}
