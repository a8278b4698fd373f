"""The site serves everything from its own _static folder."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

MATHJAX = "mathjax/tex-mml-chtml.js"

logger = logging.getLogger(__name__)


def configure(app: Sphinx, config: Config) -> None:
    root = Path(app.confdir)
    config.html_static_path.append(str(root / "book" / "_static"))
    options = config.html_theme_options
    options["navbar_persistent"] = []  # the theme would show a second search field on top of each page
    options["footer_content_items"] = "extra-footer.html, last-updated.html"
    options["logo"] = {"text": config.project, "alt_text": "", "image_light": config.html_logo, "image_dark": config.html_logo}
    if (root / "_build" / "vendor" / "site" / MATHJAX).is_file():
        config.html_static_path.append(str(root / "_build" / "vendor" / "site"))
        config.mathjax_path = MATHJAX
    else:
        logger.info("MathJax is not vendored (scripts/vendor.py): the pages will load it from a public CDN")


def drop_thebe(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document) -> None:
    # sphinx-thebe is always loaded; its script names a CDN, and is emitted twice on every page
    scripts = context.get("script_files")
    if scripts is not None:
        scripts[:] = [
            s
            for s in scripts
            if "THEBE_JS_URL" not in (getattr(s, "attributes", {}).get("body") or "")
            and not str(getattr(s, "filename", "")).endswith("sphinx-thebe.js")
        ]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_css_file("course.css", priority=900)
    app.add_js_file("a11y.js", loading_method="defer")
    app.connect("config-inited", configure, priority=900)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
