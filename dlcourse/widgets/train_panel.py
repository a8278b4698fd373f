"""Train it your way: choose settings, press Train, watch the curves, compare with the runs before."""

from __future__ import annotations

import html
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ipywidgets as widgets

from dlcourse.plots import COLORS
from dlcourse.train import EpochRecord
from dlcourse.widgets.train_runs import Run, figure, table
from dlcourse.widgets.train_settings import Choice, Slider

__all__ = ["TrainPanel"]

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


class TrainPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Controls for `settings`, buttons Train and Stop, live curves, and a table of all runs.

    `run` takes the chosen settings ({name: value}) and yields one EpochRecord per epoch, as train.train_epochs does; it is called
    anew by every press of Train, in a thread of its own, so that Stop answers while an epoch is computed: the run ends after that
    epoch and its generator is closed. `metric` names the entry of EpochRecord.metrics that is compared; larger is better unless
    `smaller_is_better`. An error is shown as a sentence, and the runs before it stay. `runs` holds everything; `wait()` returns
    when no run is under way.
    """

    def __init__(
        self,
        run: Callable[[dict[str, Any]], Iterator[EpochRecord]],
        settings: Mapping[str, Choice | Slider],
        *,
        metric: str = "accuracy",
        smaller_is_better: bool = False,
        words: Mapping[str, str] | None = None,
    ) -> None:
        if not settings:
            raise ValueError("no settings given; the panel needs at least one Choice or Slider")
        self.words = WORDS | dict(words or {})
        self.metric = metric
        self.smaller_is_better = smaller_is_better
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
        best = run.best(self.metric, smaller=self.smaller_is_better)
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
        self.table.value = table(self.runs, self.settings, self.metric, self.words, smaller=self.smaller_is_better)
        if any(run.records for run in self.runs):
            self.figure.value = figure(self.runs, self.metric, self.words)

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
