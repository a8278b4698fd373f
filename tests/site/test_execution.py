"""A chapter is run again when something changes that its outputs can depend on, and only then."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_cache import get_cache
from nbformat import v4

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "requirements.txt": "torch==1\n",
    "dlcourse/__init__.py": "",
    "dlcourse/losses.py": "def mse(): ...\n",
    "dlcourse/metrics.py": "def accuracy(): ...\n",
    "dlcourse/train/__init__.py": "from dlcourse.train.loop import train_epochs\nfrom dlcourse.train.stopping import stop\n",
    "dlcourse/train/loop.py": "from dlcourse.metrics import accuracy\ndef train_epochs(): ...\n",
    "dlcourse/train/stopping.py": "def stop(): ...\n",
    "dlcourse/exercises/__init__.py": "def check(): ...\n",
    "dlcourse/exercises/chapter.py": "EXERCISES = {}\n",
    "dlcourse/exercises/other.py": "EXERCISES = {}\n",
    "dlcourse/widgets/__init__.py": "from dlcourse.widgets.a import A\nfrom dlcourse.widgets.b import B\n",
    "dlcourse/widgets/a.py": "class A: ...\n",
    "dlcourse/widgets/a.js": "",
    "dlcourse/widgets/b.py": "class B: ...\n",
    "dlcourse/widgets/b.js": "",
    "dlcourse/widgets/parts.js": "",
    "dlcourse/data/__init__.py": "def loaders(): ...\n",
    "dlcourse/data/files/SHA256SUMS": "",
}
CODE = """%pip install dlcourse
from dlcourse import data, exercises, train, widgets
train.train_epochs(), widgets.A(), data.loaders(), exercises.check()
"""
COUNT = {
    "requirements.txt",
    "dlcourse/metrics.py",
    "dlcourse/train/loop.py",
    "dlcourse/exercises/__init__.py",
    "dlcourse/exercises/chapter.py",
    "dlcourse/widgets/a.py",
    "dlcourse/widgets/a.js",
    "dlcourse/widgets/parts.js",
    "dlcourse/data/__init__.py",
    "dlcourse/data/files/SHA256SUMS",
}


@pytest.fixture(scope="module")
def execution():
    spec = importlib.util.spec_from_file_location("site_execution", ROOT / "book" / "_ext" / "site_execution.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def course(tmp_path):
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "chapter.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "code", "source": CODE.splitlines(keepends=True)}]})
    )
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_change_counts_where_the_chapter_uses_it(execution, course, name):
    before = execution.digest(course, course / "chapter.ipynb")
    with (course / name).open("a") as file:
        file.write("# changed\n")
    assert (execution.digest(course, course / "chapter.ipynb") != before) == (name in COUNT)


def test_a_package_used_in_an_unknown_way_counts_whole(execution, course):
    code = {"cells": [{"cell_type": "code", "source": ["from dlcourse import train\n", "print(train)\n"]}]}
    (course / "chapter.ipynb").write_text(json.dumps(code))
    found = {str(file.relative_to(course)) for file in execution.dependencies(course, course / "chapter.ipynb")}
    assert {"dlcourse/train/__init__.py", "dlcourse/train/loop.py", "dlcourse/train/stopping.py"} <= found


def test_every_module_that_a_real_chapter_loads_counts(execution):
    # what Python loads for the chapters' own imports, apart from packages that only pass names on
    for chapter in sorted((ROOT / "notebooks").glob("*.ipynb")):
        counted = execution.dependencies(ROOT, chapter)
        assert ROOT / "dlcourse" / "exercises" / f"{chapter.stem}.py" in counted
        assert ROOT / "dlcourse" / "device.py" in counted
        assert ROOT / "dlcourse" / "widgets" / "parts.js" in counted


def test_stale_executions_are_forgotten_and_fresh_ones_kept(execution, course, monkeypatch):
    for name, code in (("chapter", CODE), ("other", "from dlcourse.losses import mse\n")):
        (course / f"{name}.ipynb").write_text(v4.writes(v4.new_notebook(cells=[v4.new_code_cell(code)])))
    app = SimpleNamespace(confdir=course, config=SimpleNamespace(nb_execution_cache_path="", nb_execution_timeout=60))
    monkeypatch.setattr(execution, "run", lambda cache, files, *, timeout: None)
    execution.configure(app, app.config)
    env = SimpleNamespace(found_docs={"chapter", "other", "book/index"})

    def stale():
        return sorted(execution.outdated(app, env, set(), set(), set()))

    assert stale() == ["chapter", "other"]
    cache = get_cache(app.config.nb_execution_cache_path)
    for name in ("chapter", "other"):
        cache.cache_notebook_file(course / f"{name}.ipynb", check_validity=False)
    assert stale() == []
    assert len(cache.list_cache_records()) == 2
    (course / "dlcourse/losses.py").write_text("def mse(): return 1\n")
    assert stale() == ["other"]
    assert [Path(record.uri).stem for record in cache.list_cache_records()] == ["chapter"]


def test_chapters_run_side_by_side_and_one_that_fails_is_not_cached(execution, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    meet = (
        "from pathlib import Path; import time; Path('{me}').touch()\nwhile not Path('{other}').exists(): time.sleep(0.05)\n6 * 7"
    )
    code = {"a": meet.format(me="a", other="b"), "b": meet.format(me="b", other="a"), "c": "1 / 0"}
    files = [tmp_path / f"{name}.ipynb" for name in code]
    for file in files:
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        file.write_text(v4.writes(v4.new_notebook(cells=[v4.new_code_cell(code[file.stem])], metadata=kernel)))
    cache = get_cache(str(tmp_path / "cache"))
    execution.run(cache, files, timeout=60)  # a and b wait for each other: one after the other they would never end
    assert sorted(Path(record.uri).stem for record in cache.list_cache_records()) == ["a", "b"]
    _, merged = cache.merge_match_into_notebook(nbformat.read(files[0], as_version=4))
    assert merged.cells[0].outputs[0].data["text/plain"] == "42"


SHOWN = [
    """from IPython.display import clear_output, display
from ipywidgets import IntSlider
print("gone")
clear_output(wait=True)
print("left")""",
    """slider = IntSlider(3)
handle = display("first", display_id=True)
display(slider)
handle.update("second")
slider.value = 4""",
    """import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.title("hidden, but drawn");""",
    "6 * 7",
]


@pytest.fixture
def nbval(course):
    """A function that writes a chapter, runs nbval on it as `make notebooks` does, and returns whether all cells passed."""

    def run(*cells):
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        cells = [v4.new_markdown_cell("# A chapter"), *map(v4.new_code_cell, cells)]
        (course / "chapter.ipynb").write_text(v4.writes(v4.new_notebook(cells=cells, metadata=kernel)))
        (course / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "-p", "kept_outputs", "--nbval-lax", "--nbval-current-env", "chapter.ipynb"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "book/_ext"), "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=course, env=environment, capture_output=True, check=False).returncode == 0

    return run


def drawn(notebook):
    """What the cells show, without the numbers that are drawn anew in every run."""
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    values = [
        {key: state["state"].get(key) for key in ("_model_name", "value", "max")}
        for state in notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    ]
    text = json.dumps(outputs, sort_keys=True)
    numbers = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    return numbers, re.sub("[0-9a-f]{32}", "", text), sorted(values, key=str)


def test_what_nbval_saw_is_what_the_build_would_have_shown_and_need_not_be_run_again(execution, course, nbval):
    assert nbval(*SHOWN)
    kept = nbformat.read(course / execution.EXECUTED / "chapter.ipynb", as_version=4)
    notebook = nbformat.read(course / "chapter.ipynb", as_version=4)
    cache = get_cache(str(course / "cache"))
    digests = {course / "chapter.ipynb": execution.digest(course, course / "chapter.ipynb")}
    execution.take(cache, dict.fromkeys(digests, "another"), course / execution.EXECUTED)
    assert cache.list_cache_records() == []
    execution.take(cache, digests, course / execution.EXECUTED)
    _, merged = cache.merge_match_into_notebook(notebook)
    with ThreadPoolExecutor() as pool:  # as the build does: this thread's event loop may be a browser's
        assert pool.submit(execution._execute, (course / "chapter.ipynb", notebook), timeout=60).result() > 0
    assert drawn(merged) == drawn(kept) == drawn(notebook)
    assert "second" in drawn(merged)[1]
    assert "gone" not in drawn(merged)[1]
    assert "hidden" not in drawn(merged)[1]
    assert cache.list_cache_records()[0].data["execution_seconds"] > 0


def test_a_chapter_that_fails_under_nbval_is_not_kept_nor_an_earlier_run_of_it(execution, course, nbval):
    kept = course / execution.EXECUTED / "chapter.ipynb"
    assert nbval("1 + 1")
    assert kept.is_file()
    assert not nbval("1 + 1", "1 / 0")
    assert list(kept.parent.iterdir()) == []
