import itertools
import math
import threading

import pytest

from dlcourse.train import EpochRecord
from dlcourse.widgets import Choice, Slider, TrainPanel

SETTINGS = {
    "learning_rate": Slider("learning rate", 1e-4, 1.0, 1e-2, log=True),
    "epochs": Slider("epochs", 1, 20, 3),
    "optimizer": Choice("optimiser", {"plain descent": "sgd", "Adam": "adam"}, "adam"),
}


def record(epoch, *, loss=0.5, accuracy=0.9):
    return EpochRecord(epoch, loss, loss, {"accuracy": accuracy}, 0.01, 0.1 * epoch)


def pretend(settings):
    for epoch in range(1, settings["epochs"] + 1):
        explodes = settings["learning_rate"] > 0.5 and epoch == 3
        yield record(epoch, loss=math.nan if explodes else 1 / epoch, accuracy=1 - settings["learning_rate"] / epoch)


def press_and_wait(panel):
    panel.train.click()
    assert panel.wait(60)


@pytest.fixture
def panel():
    return TrainPanel(pretend, SETTINGS)


def test_train_runs_with_the_chosen_settings(panel):
    panel.controls["epochs"].value = 4
    panel.controls["optimizer"].value = "sgd"
    press_and_wait(panel)
    (run,) = panel.runs
    assert run.settings == {"learning_rate": pytest.approx(0.01), "epochs": 4, "optimizer": "sgd"}
    assert [r.epoch for r in run.records] == [1, 2, 3, 4]
    assert run.outcome == "finished"
    assert "best validation accuracy 0.9975 in epoch 4" in panel.status.value
    assert not panel.train.disabled
    assert panel.stop.disabled


def test_runs_are_compared_and_the_best_is_bold(panel):
    press_and_wait(panel)
    panel.controls["learning_rate"].value = 0.1
    press_and_wait(panel)
    assert [run.number for run in panel.runs] == [1, 2]
    assert panel.table.value.count("<tr>") == 3
    assert "<strong>0.9967</strong>" in panel.table.value
    assert ">0.9667<" in panel.table.value
    assert "plain descent" not in panel.table.value


def test_a_panel_may_prefer_the_smaller_value():
    panel = TrainPanel(pretend, SETTINGS, smaller_is_better=True)  # the pretended accuracy grows from epoch to epoch
    press_and_wait(panel)
    panel.controls["learning_rate"].value = 0.1
    press_and_wait(panel)
    assert "best validation accuracy 0.9000 in epoch 1" in panel.status.value
    assert "<strong>0.9000</strong>" in panel.table.value
    assert ">0.9900<" in panel.table.value


def test_the_curves_are_drawn_with_words_beside_them(panel):
    press_and_wait(panel)
    assert "data:image/svg+xml;base64," in panel.figure.value
    assert 'alt="Curves of 1 runs' in panel.figure.value


def test_stop_answers_while_an_epoch_is_computed():
    go_on, reached, closed = threading.Event(), threading.Event(), threading.Event()

    def endless(settings):
        try:
            for epoch in itertools.count(1):
                if epoch == 2:
                    reached.set()
                    go_on.wait(60)
                yield record(epoch)
        finally:
            closed.set()

    panel = TrainPanel(endless, SETTINGS)
    panel.train.click()
    assert reached.wait(60)
    assert panel.train.disabled
    assert not panel.stop.disabled
    panel.stop.click()  # an epoch is under way
    assert "stops after the epoch" in panel.status.value
    go_on.set()
    assert panel.wait(60)
    assert (panel.runs[0].outcome, len(panel.runs[0].records)) == ("stopped", 2)
    assert closed.is_set()  # early stopping has put its weights back
    assert "stopped after epoch 2" in panel.status.value
    press_and_wait_stopped(panel)


def press_and_wait_stopped(panel):
    panel.train.click()
    panel.stop.click()
    assert panel.wait(60)
    assert [run.outcome for run in panel.runs] == ["stopped", "stopped"]


def test_a_second_press_starts_no_second_run():
    go_on = threading.Event()

    def slow(settings):
        go_on.wait(60)
        yield record(1)

    panel = TrainPanel(slow, SETTINGS)
    panel.train.click()
    panel.train.click()
    go_on.set()
    assert panel.wait(60)
    assert len(panel.runs) == 1


def test_a_loss_that_is_not_finite_ends_the_run_and_loses_nothing(panel):
    press_and_wait(panel)
    panel.controls["learning_rate"].value = 1.0
    press_and_wait(panel)
    assert "Run 2 ended early" in panel.status.value
    assert 'role="alert"' in panel.status.value
    assert "smaller learning rate" in panel.status.value
    assert [len(run.records) for run in panel.runs] == [3, 2]
    assert not panel.train.disabled
    panel.controls["learning_rate"].value = 0.01
    press_and_wait(panel)
    assert panel.runs[2].outcome == "finished"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("batch_size=0: at least 1"), "ended early: batch_size=0: at least 1"),
        (RuntimeError("<out of memory>"), "ended early: RuntimeError: &lt;out of memory&gt;"),
    ],
)
def test_an_error_is_shown_as_a_sentence(error, sentence):
    def broken(settings):
        raise error

    panel = TrainPanel(broken, SETTINGS)
    press_and_wait(panel)
    assert sentence in panel.status.value
    assert panel.runs[0].outcome == "failed"


@pytest.mark.parametrize("run", [lambda settings: iter(()), lambda settings: None], ids=["no epoch", "no iterator"])
def test_a_run_without_epochs_says_so(run):
    panel = TrainPanel(run, SETTINGS)
    press_and_wait(panel)
    assert "ended early" in panel.status.value


def test_the_real_loop_runs_in_the_panel():
    import torch

    from dlcourse.metrics import accuracy
    from dlcourse.train import train_epochs

    inputs = torch.linspace(-1, 1, 40).view(-1, 1)
    batches = [(inputs, (inputs[:, 0] > 0).long())]

    def run(settings):
        model = torch.nn.Linear(1, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=settings["learning_rate"])
        loss_fn = torch.nn.functional.cross_entropy
        return train_epochs(
            model, batches, batches, optimizer, epochs=settings["epochs"], loss_fn=loss_fn, metrics={"accuracy": accuracy}
        )

    panel = TrainPanel(run, SETTINGS)
    press_and_wait(panel)
    assert panel.runs[0].outcome == "finished"


def test_a_page_without_a_kernel_says_what_it_would_do(panel):
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    page = bundle["text/html"]
    assert "JupyterLab" in page
    assert "<strong>learning rate</strong>: 0.0001 to 1, at the start 0.01" in page
    assert "plain descent, Adam; at the start Adam" in page


def test_words_can_be_translated():
    panel = TrainPanel(pretend, SETTINGS, words={"train": "Trainieren"})
    assert panel.train.description == "Trainieren"
    assert panel.stop.description == "Stop"


def test_a_panel_without_settings_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        TrainPanel(pretend, {})
