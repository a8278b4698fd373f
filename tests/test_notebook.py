"""Chapters show the package's code and their results; they do not copy or draw them by hand."""

import textwrap

import pytest
import torch
from IPython.core.formatters import DisplayFormatter

from dlcourse import hooks, notebook, train
from dlcourse.models.cnn import CNN
from dlcourse.notebook import show_source, table


def shown(obj):
    """What a cell shows: the markdown, and the plain text beside it."""
    data, _ = DisplayFormatter().format(show_source(obj))
    return data["text/markdown"], data["text/plain"]


@pytest.mark.parametrize(
    ("obj", "head", "first"),
    [
        (CNN, "# dlcourse/models/cnn.py", "class CNN(nn.Module):"),
        (CNN.forward, "# dlcourse/models/cnn.py, class CNN", "def forward(self, "),
        (train.EpochRecord, "# dlcourse/train/loop.py", "@dataclass(frozen=True)"),
        (hooks.record, "# dlcourse/hooks.py", "@contextmanager"),
        (torch.nn.Linear, "# torch/nn/modules/linear.py", "class Linear(Module):"),
    ],
)
def test_code_is_shown_under_the_name_of_its_file(obj, head, first):
    markdown, plain = shown(obj)
    lines = markdown.splitlines()
    assert lines[0] == "```python"
    assert lines[1] == head
    assert lines[2].startswith(first)
    assert lines[-1] == "```"
    assert plain == "\n".join(lines[1:-1])


def test_what_is_shown_is_code_that_runs():
    text = repr(show_source(notebook.Source))
    space = {}
    exec(text, space)
    assert space["Source"]("x = 1")._repr_markdown_() == "```python\nx = 1\n```"
    compile(repr(show_source(CNN.forward)), "forward", "exec")


def test_several_objects_follow_one_another():
    text = repr(show_source(train.evaluate, train.predict))
    assert text.index("def evaluate(") < text.index("def predict(")
    assert text.count("# dlcourse/train/evaluation.py") == 2


def test_a_fence_in_the_code_does_not_end_the_block():
    markdown = notebook.Source(textwrap.dedent("a = '```'\nb = 1"))._repr_markdown_()
    assert markdown.splitlines()[0] == "````python"
    assert markdown.splitlines()[-1] == "````"


def test_a_model_in_the_place_of_its_class_is_refused():
    with pytest.raises(TypeError, match="needs a class or a function, got a CNN: pass the class itself"):
        show_source(CNN())
    with pytest.raises(TypeError, match=r"needs a class or a function$"):
        show_source()


@pytest.mark.parametrize("obj", [len, int, torch.conv2d])
def test_what_has_no_python_source_is_named(obj):
    with pytest.raises(ValueError, match=f"{obj.__name__}.* has no Python source to show"):
        show_source(obj)


def test_a_table_names_its_rows_on_the_left_and_sets_numbers_to_the_right():
    result = table(["network", "accuracy"], [["MLP", 0.981], ["a|b", "0.99"]], winner=1)
    assert result._repr_markdown_().splitlines() == [
        "| network | accuracy |",
        "| :--- | ---: |",
        "| MLP | 0.981 |",
        r"| **a\|b** | **0.99** |",
    ]
    assert repr(result).splitlines() == ["network  accuracy", "MLP         0.981", "a|b          0.99"]


def test_a_table_with_a_column_without_a_name_is_refused():
    with pytest.raises(ValueError, match=r"every column needs a name, got \['', 'accuracy'\]"):
        table(["", "accuracy"], [["MLP", 0.981]])


def test_a_table_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"a row of 1 cells under a header of 2: \['MLP'\]"):
        table(["network", "accuracy"], [["MLP"]])
    with pytest.raises(ValueError, match="one of the rows 0 to 0, got 1"):
        table(["network"], [["MLP"]], winner=1)
