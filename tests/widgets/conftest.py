"""Pages that hold one widget, started by the site's own live_widgets.js as on the built pages."""

import json
import shutil
from pathlib import Path

import pytest
from ipywidgets.embed import dependency_state

ROOT = Path(__file__).parents[2]
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="{theme}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A widget</title>
<link rel="icon" href="data:,">
<style>
body {{ margin: 0 auto; max-width: 736px; padding: 16px; font: 16px/1.6 system-ui, sans-serif; }}
html[data-theme=dark] body {{ background: #14181b; color: #ddd; }}
</style>
<script defer src="live_widgets.js"></script>
</head>
<body><main><h1>A widget</h1>
<script type="application/vnd.jupyter.widget-view+json">{view}</script>
</main>
<script type="application/vnd.jupyter.widget-state+json">{state}</script>
</body></html>
"""


def escape(content: object) -> str:
    return json.dumps(content).replace("<", "\\u003c")


@pytest.fixture
def widget_page(tmp_path, serve, new_page):
    """A function that opens a page with `widget` on it and returns the Tab."""
    shutil.copy(ROOT / "book/_static/live_widgets.js", tmp_path)

    def show(widget, *, theme="light", **options):
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        state = {"version_major": 2, "version_minor": 0, "state": dependency_state([widget], drop_defaults=False)}
        html = PAGE.format(theme=theme, view=escape(view), state=escape(state))
        (tmp_path / "index.html").write_text(html, encoding="utf-8")
        tab = new_page(f"{serve(tmp_path)}/index.html", **options)
        tab.page.wait_for_selector(".dl-widget")
        return tab

    return show


@pytest.fixture
def axe():
    """Source of axe-core, which `make book` puts beside the site (npm)."""
    path = ROOT / "_build/vendor/tests/axe-core/axe.min.js"
    if not path.exists():
        pytest.skip("axe-core is not there; `make book` fetches it where npm is installed")
    return path.read_text(encoding="utf-8")
