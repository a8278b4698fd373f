"""Figures have one look, say what they cannot draw, and follow a run while it goes on."""

import contextlib
import io
import itertools
import re
import subprocess
import sys
import time
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from dlcourse import plots
from dlcourse.plots import progress
from dlcourse.train import EpochRecord


def run(epochs=4, offset=0.0, **metrics):
    metrics = metrics or {"accuracy": 0.9}
    return [
        EpochRecord(e, 1 / e + offset, 1.2 / e + offset, {name: v - 0.1 / e for name, v in metrics.items()}, 0.1, 2.0 * e)
        for e in range(1, epochs + 1)
    ]


def svg(figure):
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


# The look


def test_importing_plots_sets_the_style_and_setting_it_again_changes_nothing():
    before = dict(mpl.rcParams)
    plots.style()
    assert dict(mpl.rcParams) == before
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == plots.CATEGORIES
    assert not mpl.rcParams["axes.spines.top"]
    assert not mpl.rcParams["axes.grid"]


def test_colours_of_roles_differ_and_can_be_seen_on_paper():
    def luminance(color):
        parts = np.array(mpl.colors.to_rgb(color))
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    assert len(set(plots.COLORS.values())) == len(plots.COLORS) == 4
    for color in plots.COLORS.values():
        assert 1.05 / (luminance(color) + 0.05) > 3  # WCAG 1.4.11: graphics need a contrast of 3


def test_the_same_figure_gives_the_same_svg_with_its_text_as_text():
    first, second = (svg(plots.curves({"ours": run(), "torch": run(offset=0.1)}, title="A title")) for _ in range(2))
    assert first == second
    shown = [element.text for element in ElementTree.fromstring(first).iter("{http://www.w3.org/2000/svg}text")]
    assert {"A title", "epoch", "validation loss", "ours", "torch"} <= set(shown)


def test_figures_keep_their_paper_and_no_function_leaves_one_open():
    figures = [
        plots.curves({"a": run()}),
        plots.image_grid(torch.rand(3, 4, 5)),
        plots.confusion(torch.eye(3, dtype=torch.int64)),
        progress.draw_history(run()),
    ]
    assert all(mpl.colors.to_hex(figure.get_facecolor()) == "#ffffff" for figure in figures)
    assert plt.get_fignums() == []


def test_figures_are_no_wider_than_the_page():
    grids = [plots.image_grid(torch.rand(n, 1, 9, 7), columns=c, scale=9) for n, c in ((1, 1), (3, None), (30, 20))]
    assert all(figure.get_size_inches()[0] <= 7.01 for figure in [*grids, plots.confusion(torch.eye(30))])


# Lines


def test_a_band_is_a_mean_between_minimum_and_maximum():
    ax = Figure().subplots()
    ys = np.array([[1.0, 2.0, 6.0], [3.0, 2.0, 0.0]])
    plots.band(ax, [1, 2, 3], ys, label="ours", color="#123456")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2, 2, 3])
    vertices = ax.collections[0].get_paths()[0].vertices
    for x, low, high in ((1, 1, 3), (3, 0, 6)):
        heights = vertices[vertices[:, 0] == x][:, 1]
        assert (heights.min(), heights.max()) == (low, high)
    assert mpl.colors.to_hex(ax.texts[0].get_color()) == "#123456"


def test_one_run_is_a_line_without_a_shade():
    ax = Figure().subplots()
    plots.band(ax, [1, 2], [[1.0, 2.0]], label="one")
    assert len(ax.collections) == 0


@pytest.mark.parametrize(("x", "ys"), [([1, 2], [1, 2]), ([1, 2], [[1, 2, 3]]), ([], np.zeros((0, 0)))])
def test_a_band_of_the_wrong_shape_is_refused(x, ys):
    with pytest.raises(ValueError, match=r"x \(K,\) and ys \(runs, K\)"):
        plots.band(Figure().subplots(), x, ys, label="a")


def test_labels_stand_at_the_ends_of_lines_and_do_not_meet():
    figure = Figure()
    ax = figure.subplots()
    for number in range(5):
        ax.plot([0, 1], [0, 1 + number / 1000], label=f"line {number}")
    ax.plot([0, 1], [0, 0.5])  # without a label
    plots.direct_labels(ax)
    plots.direct_labels(ax)  # again: no second set
    assert words(figure) == [f"line {number}" for number in range(5)]
    figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 + 2 for lower, upper in itertools.pairwise(boxes))
    assert all(box.x0 > ax.transData.transform((1, 0))[0] for box in boxes)


def test_labels_of_lines_that_end_in_nan_stand_at_their_last_number():
    ax = Figure().subplots()
    ax.plot([0, 1, 2], [0, 1, np.nan], label="broken")
    ax.plot([0, 1, 2], [np.nan] * 3, label="nothing")
    plots.direct_labels(ax)
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("broken", (1, 1))]


def test_curves_compare_runs_by_any_metric():
    figure = plots.curves({"ours": run(), "seeds": [run(), run(offset=0.2)]}, metric="train_loss", title="Two runs")
    ours, seeds = figure.axes[0].lines
    np.testing.assert_allclose(ours.get_ydata(), [1, 1 / 2, 1 / 3, 1 / 4])
    np.testing.assert_allclose(seeds.get_ydata(), [1.1, 0.6, 1 / 3 + 0.1, 0.35])
    assert mpl.colors.to_hex(ours.get_color()) == plots.COLORS["ours"].lower()
    assert words(figure) == ["ours", "seeds"]
    assert plots.curves({"a": run()}, metric="accuracy").axes[0].get_ylabel() == "validation accuracy"


@pytest.mark.parametrize(
    ("histories", "metric", "message"),
    [
        ({}, "val_loss", "no history"),
        ({"a": []}, "val_loss", "history of 'a' is empty"),
        ({"a": [[], []]}, "val_loss", "history of 'a' is empty"),
        ({"a": [run(2), run(3)]}, "val_loss", r"runs of 'a' differ in length: \[2, 3\]"),
        ({"a": run()}, "f1", "one of train_loss, val_loss, accuracy, got 'f1'"),
    ],
)
def test_curves_say_what_they_cannot_draw(histories, metric, message):
    with pytest.raises(ValueError, match=message):
        plots.curves(histories, metric=metric)


# Images


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 1, 4, 3), (5, 3, 4, 3)])
def test_images_of_every_shape_are_drawn_with_their_titles(shape):
    figure = plots.image_grid(torch.rand(shape), titles=range(5), columns=2)
    ax = figure.axes[0]
    assert len(ax.images) == 5
    assert words(figure) == list("01234")
    assert ax.images[0].get_array().shape[:2] == (4, 3)


def test_a_list_of_images_is_a_grid_too_and_gradients_do_no_harm():
    figure = plots.image_grid([torch.rand(4, 4, requires_grad=True) for _ in range(3)])
    assert len(figure.axes[0].images) == 3


def test_all_images_share_one_scale_from_paper_to_ink():
    images = torch.stack([torch.zeros(2, 2), torch.full((2, 2), 0.5), torch.full((2, 2), 4.0)])
    ax = plots.image_grid(images).axes[0]
    assert {(image.norm.vmin, image.norm.vmax) for image in ax.images} == {(0, 4)}
    assert ax.images[0].cmap(0.0)[:3] == (1, 1, 1)


def test_signed_images_are_white_at_zero_and_have_a_scale():
    figure = plots.image_grid(torch.tensor([[[-1.0, 3.0]]]), signed=True)
    norm = figure.axes[0].images[0].norm
    assert (norm.vmin, norm.vmax) == (-3, 3)
    assert len(figure.axes) == 2
    assert plots.image_grid(torch.zeros(1, 2, 2), signed=True).axes[0].images[0].norm.vmax == 1


def test_pixels_are_stored_as_they_are_and_not_blown_up():
    text = svg(plots.image_grid(torch.rand(20, 28, 28)))
    assert text.count("data:image/png") == 20
    assert "image-rendering:pixelated" in text
    assert len(text) < 100_000  # noise, which hardly compresses: 28 × 28 pixels take about 4 kB


@pytest.mark.parametrize(
    ("images", "arguments", "message"),
    [
        (torch.zeros(4, 4), {}, r"got \(4, 4\)"),
        (torch.zeros(2, 2, 4, 4), {}, r"got \(2, 2, 4, 4\)"),
        (torch.zeros(0, 4, 4), {}, r"got \(0, 4, 4\)"),
        (torch.zeros(2, 4, 4), {"titles": ["a"]}, "one title for each of 2 images, got 1"),
        (torch.zeros(2, 3, 4, 4), {"signed": True}, "signed=True is for one channel"),
        (torch.zeros(2, 4, 4), {"columns": -1}, "columns must be at least 1"),
    ],
)
def test_image_grid_says_what_it_cannot_draw(images, arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.image_grid(images, **arguments)


def test_confusion_colours_errors_only_and_writes_every_count():
    matrix = torch.tensor([[900, 3, 0], [0, 800, 1], [2, 0, 700]])
    figure = plots.confusion(matrix, labels=["a", "b", "c"], title="Errors")
    ax = figure.axes[0]
    assert ax.images[0].get_array().diagonal().tolist() == [0, 0, 0]
    assert ax.images[0].get_clim() == (0, 3)
    assert sorted(words(figure)) == sorted(["900", "3", "800", "1", "2", "700"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [
        (torch.zeros(2, 3), None, r"must be \(C, C\), got \(2, 3\)"),
        (torch.zeros(0, 0), None, r"must be \(C, C\)"),
        (torch.tensor([[-1]]), None, "must hold counts, got -1"),
        (torch.eye(2), ["a"], "one label for each of 2 classes, got 1"),
    ],
)
def test_confusion_says_what_it_cannot_draw(matrix, labels, message):
    with pytest.raises(ValueError, match=message):
        plots.confusion(matrix, labels=labels)


# Live


def interrupted(records, error=KeyboardInterrupt):
    yield from records
    raise error


def test_without_a_notebook_live_prints_one_line_an_epoch(capsys):
    history = run(2)
    assert plots.live(iter(history), title="A run") == history
    title, first, second = capsys.readouterr().out.splitlines()
    assert title == "A run"
    assert first == "epoch   1: train loss 1.0000, validation loss 1.2000, accuracy 0.8000, 2.0 s"
    assert second.startswith("epoch   2: ")


def test_an_exhausted_iterator_gives_an_empty_history_at_once(capsys):
    assert plots.live(iter([]), title="Nothing") == []
    assert capsys.readouterr().out == ""


def test_stop_returns_the_history_so_far_and_says_where(capsys):
    history = run(3)
    assert plots.live(interrupted(history)) == history
    assert capsys.readouterr().out.endswith("Stopped after epoch 3.\n")
    assert plots.live(interrupted([])) == []
    assert capsys.readouterr().out == "Stopped before the end of the first epoch.\n"


def test_other_errors_go_on():
    with pytest.raises(ZeroDivisionError):
        plots.live(interrupted(run(1), ZeroDivisionError))


def test_stop_while_drawing_closes_the_records(monkeypatch):
    closed = []

    def records():
        try:
            yield from run(3)
        finally:
            closed.append(True)

    def stop(self, history):
        raise KeyboardInterrupt

    monkeypatch.setattr(progress._Lines, "update", stop)
    assert len(plots.live(records())) == 1
    assert closed == [True]


class Display:
    """In the place of IPython's display: keeps every figure that is shown."""

    def __init__(self, seconds=0.0):
        self.figures, self.seconds = [], seconds

    def __call__(self, figure, display_id):
        self.update(figure)
        return self

    def update(self, figure):
        time.sleep(self.seconds)
        self.figures.append(figure)


@pytest.fixture
def shown(monkeypatch):
    display = Display()
    monkeypatch.setattr(progress, "notebook_shell", object)
    monkeypatch.setattr("IPython.display.display", display)
    return display.figures


def test_in_a_notebook_one_figure_is_drawn_and_ends_complete(shown):
    history = run(50)
    assert plots.live(iter(history), title="A run") == history
    assert 2 <= len(shown) < 10  # the first record at once, the last at the end, few between
    losses, metric = shown[-1].axes
    assert len(losses.lines[0].get_xdata()) == 50
    assert metric.get_ylabel() == "validation accuracy"
    assert words(shown[-1]) == ["train", "validation"]
    assert shown[-1].get_suptitle() == "A run"


def test_drawing_takes_about_a_tenth_of_the_time_at_most(monkeypatch):
    display = Display(seconds=0.05)
    monkeypatch.setattr(progress, "notebook_shell", object)
    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(progress, "draw_history", lambda history, title: history[-1].epoch)

    def records():
        for record in run(30):
            time.sleep(0.05)
            yield record

    plots.live(records())
    assert len(display.figures) <= 5
    assert display.figures[0] == 1
    assert display.figures[-1] == 30


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_after_an_error_the_figure_shows_how_far_it_came(shown, error):
    with contextlib.suppress(ZeroDivisionError):
        plots.live(interrupted(run(7), error))
    assert len(shown[-1].axes[0].lines[0].get_xdata()) == 7


def test_without_metrics_there_is_one_panel_and_with_two_each_has_its_label(shown):
    plots.live([EpochRecord(1, 1.0, 2.0)])
    assert len(shown[-1].axes) == 1
    plots.live(run(3, accuracy=0.9, f1=0.8))
    assert words(shown[-1]) == ["train", "validation", "f1", "accuracy"]


def test_an_empty_run_shows_nothing_in_a_notebook(shown):
    assert plots.live([]) == []
    assert shown == []


NOTEBOOK = """
import matplotlib.pyplot as plt
from dlcourse import plots
from dlcourse.train import EpochRecord
def records():
    for e in range(1, 6):
        yield EpochRecord(e, 1 / e, 1.1 / e, {"accuracy": 1 - 0.3 / e}, 0.1, 1.0 * e)
    raise KeyboardInterrupt
history = plots.live(records(), title="A run")
"""


def test_in_a_real_notebook_figures_are_svg_and_live_leaves_exactly_one():
    cells = [NOTEBOOK, "fig, ax = plt.subplots()\nax.plot([1, 2]);", "plots.curves({'a': history})", "plt.get_fignums()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    live, pyplot, returned, open_figures = (cell.outputs for cell in notebook.cells)
    figures = [output for output in live if output.output_type == "display_data"]
    assert len(figures) == 1
    assert len([output for output in live if output.output_type == "stream"]) == 1
    assert "Stopped after epoch 5." in "".join(output.get("text", "") for output in live)
    for output in (figures[0], pyplot[-1], returned[-1]):
        assert "image/svg+xml" in output.data
        assert "image/png" not in output.data
        assert re.search(r"<dc:date>", output.data["image/svg+xml"]) is None
        assert 'width="504pt"' in output.data["image/svg+xml"]  # 7 inches, whatever is drawn
    assert figures[0].data["image/svg+xml"].count("#m") >= 10  # the marks of the last record are there
    assert open_figures[-1].data["text/plain"] == "[]"


def test_without_a_notebook_ipython_is_not_imported():
    code = (
        "import sys, dlcourse.plots; sys.exit(any(name in sys.modules for name in ('IPython', 'ipywidgets', 'matplotlib.pyplot')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_pipeline_names_every_stage_with_its_shape_and_every_operation():
    figure = plots.pipeline([("image", (1, 8, 8)), ("maps", (16, 4, 4)), ("logits", (10,))], ["conv, pool", "dense"])
    written = [text.get_text() for text in figure.axes[0].texts]
    assert {"image\n1×8×8", "maps\n16×4×4", "logits\n10", "conv, pool", "dense"} <= set(written)
    assert len(figure.axes[0].patches) == 1 + 4 + 1  # one sheet for every four channels, a bar for the vector


@pytest.mark.parametrize("operations", [[], ["one", "two"]])
def test_a_pipeline_with_another_number_of_operations_is_refused(operations):
    with pytest.raises(ValueError, match="2 stages need 1 operations"):
        plots.pipeline([("a", (1, 8, 8)), ("b", (10,))], operations)
