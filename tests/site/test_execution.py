"""A chapter is run again when something changes that its outputs can depend on, and only then."""

import importlib.util
import json
from pathlib import Path

import pytest

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
    from types import SimpleNamespace

    from jupyter_cache import get_cache
    from nbformat import v4

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
    import nbformat
    from jupyter_cache import get_cache
    from nbformat import v4

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
