"""Pages that hold one widget, started by the site's own live_widgets.js as on the built pages."""

import json
import shutil
from pathlib import Path

import pytest
from ipywidgets.embed import dependency_state

from dlcourse.widgets import assets

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
    """A function that opens a page with `widget` on it and returns the Tab.

    On a page that is `stopped`, time passes and frames come only by page.clock.run_for(milliseconds).
    """
    shutil.copy(ROOT / "book/_static/live_widgets.js", tmp_path)

    def show(widget, *, theme="light", stopped=False, **options):
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        state = {"version_major": 2, "version_minor": 0, "state": dependency_state([widget], drop_defaults=False)}
        html = PAGE.format(theme=theme, view=escape(view), state=escape(state))
        (tmp_path / "index.html").write_text(html, encoding="utf-8")
        address = serve(tmp_path.parent)  # one server for the pages of all tests: to end one takes half a second
        tab = new_page(**options)
        if stopped:
            tab.page.clock.install(time=0)
            tab.page.clock.pause_at(1000)
        tab.page.goto(f"{address}/{tmp_path.name}/index.html", wait_until="load")
        shown = tab.page.wait_for_selector(".dl-widget")
        if stopped:
            shown.evaluate("(node) => new Promise((done) => new IntersectionObserver(() => done()).observe(node))")  # it is seen
        return tab

    return show


@pytest.fixture
def axe():
    """Source of axe-core, which `make book` puts beside the site (npm)."""
    path = ROOT / "_build/vendor/tests/axe-core/axe.min.js"
    if not path.exists():
        pytest.skip("axe-core is not there; `make book` fetches it where npm is installed")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def module(new_page):
    """A function that loads a widget's JavaScript in an empty page and returns the page; the module is `window.module`."""

    def load(*names: str):
        page = new_page().page
        code = assets.script(*names)
        page.evaluate(
            """async (code) => {
              window.module = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
              window.bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
            }""",
            code,
        )
        return page

    return load


@pytest.fixture(scope="session")
def mnist():
    """The splits of MNIST."""
    from dlcourse.data import mnist

    return mnist.load()


@pytest.fixture(scope="session")
def reader(mnist):
    """A small network trained for a few seconds: most digits right, its probabilities often close to 0 and 1."""
    import torch
    from torch.nn.functional import cross_entropy

    from dlcourse.models.cnn import CNN

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CNN(channels=(8, 16), hidden_size=48)
        images, labels = mnist.train.tensors
        optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
        for batch in torch.randperm(len(images))[: 240 * 64].split(64):
            optimizer.zero_grad()
            cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval()


@pytest.fixture
def attention():
    """A function that returns the weights of all heads (L, N, T, T) of a GPT on tokens (1, T)."""
    import torch

    def weights(model, tokens):
        found = []
        for block in model.blocks:
            block.attention.fused = False
            block.attention.attend.register_forward_hook(lambda module, inputs, output: found.append(output[0]))
        with torch.no_grad():
            model(tokens)
        return torch.stack(found)

    return weights


@pytest.fixture
def hurry():
    """A function that lets the clock of a page go on by 100 ms a frame and not else, for what it would take long to reach."""

    def hasten(page) -> None:
        page.evaluate("""() => {
          const frame = window.requestAnimationFrame.bind(window);
          let now = performance.now();
          performance.now = () => now;
          window.requestAnimationFrame = (f) => frame(() => f(now += 100));
        }""")

    return hasten


@pytest.fixture
def frames():
    """A function that lets a page have `count` frames, by default about a third of a second: for what should not go on."""

    def wait(page, count: int = 20) -> None:
        page.evaluate("async (count) => { for (; count > 0; count--) await new Promise(requestAnimationFrame); }", count)

    return wait


@pytest.fixture
def out_of_sight():
    """A function that moves the widget of a page below what is to be seen, and waits until it knows and rests."""

    def move(page) -> None:
        page.evaluate("""() => new Promise((done) => {
          document.body.style.paddingTop = "9000px";
          const tell = ([{ isIntersecting }], watcher) => {
            if (isIntersecting) return;
            watcher.disconnect();
            requestAnimationFrame(() => requestAnimationFrame(done)); // a frame may have been due
          };
          new IntersectionObserver(tell).observe(document.querySelector(".dl-widget"));
        })""")

    return move


def violations(page, source: str) -> list[str]:
    """Return what axe-core finds wrong with the page, once it is painted and no colour is on its way to another."""
    page.evaluate("async () => { for (let k = 0; k < 2; k++) await new Promise(requestAnimationFrame); }")
    page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
    page.evaluate(source)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", rules)["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@pytest.fixture
def accessible(axe):
    """A function that asserts that axe-core finds nothing wrong with a page."""

    def check(page) -> None:
        assert violations(page, axe) == []

    return check
