"""anywidgets that run on the page without a kernel.

myst-nb leaves a <script> with the model's id where a widget was shown, and the state of all models of the notebook.
book/_static/live_widgets.js finds both and starts the widget's own JavaScript. Here the state is cut down to what that
script can start, and the directive `live-widget` shows a widget of a chapter on another page.
"""

import json
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
HOST = "live_widgets.js"
REFERENCE = "IPY_MODEL_"

logger = logging.getLogger(__name__)


class LiveWidgetNode(nodes.General, nodes.Element):
    """The place of a widget whose state comes from another page's notebook."""


class LiveWidget(SphinxDirective):
    """`live-widget CHAPTER CLASS`: show the chapter's first widget of that class, as the last execution left it.

    `:set: compact=true` sets a trait for this page, in JSON; `:min-height:` keeps the place free until the widget starts.
    """

    required_arguments = 2
    has_content = False
    option_spec = {"min-height": directives.unchanged, "set": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:  # noqa: D102
        chapter, name = self.arguments
        traits = dict(pair.split("=", 1) for pair in self.options.get("set", "").split())
        node = LiveWidgetNode(chapter=chapter, name=name, min_height=self.options.get("min-height", "0"))
        node["traits"] = {trait: json.loads(value) for trait, value in traits.items()}
        self.set_source_info(node)
        return [node]


def script(mime: str, content: object) -> str:
    """Return a <script> that carries JSON and cannot be ended by anything inside it."""
    body = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="{mime}">{body}</script>'


def models(env: BuildEnvironment, page: str) -> dict[str, dict[str, Any]]:
    """Return the models of a page's notebook by id, in the order in which they were made."""
    files = getattr(env, "nb_metadata", {}).get(page, {}).get("js_files", {})
    if "ipywidgets_state" not in files:
        return {}
    state: dict[str, dict[str, Any]] = json.loads(files["ipywidgets_state"][1]["body"])["state"]
    return state


def state_script(found: dict[str, dict[str, Any]], everything: dict[str, dict[str, Any]]) -> str:
    """Return the state of the models found and of those that they refer to, such as weights which two widgets share."""
    values = [value for model in found.values() for value in model["state"].values() if isinstance(value, str)]
    names = dict.fromkeys(value.removeprefix(REFERENCE) for value in values if value.startswith(REFERENCE))
    shared = {key: everything[key] for key in names if key in everything and everything[key]["model_name"] == "WidgetModel"}
    return script(STATE, {"version_major": 2, "version_minor": 0, "state": shared | found})


def fill_places(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(LiveWidgetNode)):
        chapter, name = node["chapter"], node["name"]
        found = {
            key: model
            for key, model in models(app.env, chapter).items()
            if model["state"].get("_anywidget_id", "").rpartition(".")[2] == name
        }
        if not found:
            logger.warning("the notebook %r shows no widget %r", chapter, name, location=node)
            node.parent.remove(node)
            continue
        key, model = next(iter(found.items()))
        model["state"] |= node["traits"]
        state = state_script({key: model}, models(app.env, chapter))
        html = (
            f'<div class="live-widget-place" style="min-height: {node["min_height"]}">'
            f"{script(VIEW, {'version_major': 2, 'version_minor': 0, 'model_id': key})}{state}"
            "<noscript><p>This is an interactive part: it needs JavaScript.</p></noscript></div>"
        )
        node.replace_self(nodes.raw("", html, format="html"))


def pages_with_places(app: Sphinx, env: BuildEnvironment) -> Iterator[str]:
    # written again in every build: what they show depends on the execution of another page
    return (page for page in env.found_docs if env.metadata[page].get("live_widgets"))


def note_places(app: Sphinx, doctree: nodes.document) -> None:
    if next(iter(doctree.findall(LiveWidgetNode)), None) is not None:
        app.env.metadata[app.env.docname]["live_widgets"] = True


def place_state(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document) -> None:
    scripts = context.get("script_files")
    if scripts is None or app.env is None:
        return
    scripts[:] = [s for s in scripts if getattr(s, "attributes", {}).get("type") != STATE]
    everything = models(app.env, pagename)
    found = {key: m for key, m in everything.items() if "_esm" in m["state"] and key in context.get("body", "")}
    if found:
        context["body"] += state_script(found, everything)
    if found or app.env.metadata[pagename].get("live_widgets"):
        app.add_js_file(HOST, loading_method="defer")


def configure(app: Sphinx, config: Config) -> None:
    config.nb_ipywidgets_js = {}  # neither require.js nor the manager of ipywidgets, which need a CDN or 4 MB


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(LiveWidgetNode)
    app.add_directive("live-widget", LiveWidget)
    app.connect("config-inited", configure, priority=900)
    app.connect("doctree-read", note_places)
    app.connect("env-updated", pages_with_places)
    app.connect("doctree-resolved", fill_places)
    app.connect("html-page-context", place_state, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
