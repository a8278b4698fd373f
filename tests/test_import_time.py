"""Importing the package costs next to nothing beyond torch, and nothing that only figures and notebooks need."""

import json
import subprocess
import sys

import pytest

LIMIT = 0.3  # seconds beyond torch: the promise of the course, and the one time that a test asserts
SCRIPT = """
import json, sys, time
import torch
before = set(sys.modules)
start = time.perf_counter()
import dlcourse
import dlcourse.train
import dlcourse.models.cnn
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted({name.partition(".")[0] for name in set(sys.modules) - before})]))
"""


def measure():
    result = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)


@pytest.mark.timing
def test_the_package_is_imported_in_a_moment():
    assert min(measure()[0] for _ in range(3)) < LIMIT


def test_training_needs_no_figures_and_no_notebook():
    _, loaded = measure()
    heavy = {"matplotlib", "IPython", "ipywidgets", "anywidget", "traitlets", "sklearn", "scipy", "pandas", "PIL"}
    assert heavy.isdisjoint(loaded)


def test_the_package_itself_imports_nothing_not_even_torch():
    code = "import sys, dlcourse; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
