"""Each page says what it is: a description and a preview picture, for search engines and for links in messages.

The description is the page's own `description` (front matter, or the notebook's metadata), else its first paragraph.
"""

import os
import re
import textwrap
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CARD = "_static/social_card.png"
CARD_ALT = "The digit seven, drawn by hand, and the probabilities a convolutional network gives it"
LONGEST = 200


def first_paragraph(doctree: nodes.document) -> str:
    """Return the text of the first paragraph that says something, without its maths."""
    for paragraph in doctree.findall(nodes.paragraph):
        copy = paragraph.deepcopy()
        for node in [*copy.findall(nodes.math), *copy.findall(nodes.image)]:
            node.parent.remove(node)
        text = re.sub(r"\s+", " ", copy.astext()).strip()
        if len(text) > 40:
            return text
    return ""


def site_url(repository: str) -> str:
    """Return the address of the published site, from $BOOK_SITE_URL or by GitHub Pages' rule, or "" if unknown."""
    if url := os.environ.get("BOOK_SITE_URL", ""):
        return url.rstrip("/") + "/"
    match = re.match(r"https://github\.com/([^/]+)/([^/]+)$", repository)
    return f"https://{match[1].lower()}.github.io/{match[2]}/" if match else ""


def tags(app: Sphinx, title: str, description: str, picture: str, address: str) -> str:
    """Return the <meta> elements of one page."""
    named = {"description": description, "twitter:card": "summary_large_image"}
    properties = {
        "og:type": "website",
        "og:site_name": app.config.project,
        "og:title": title,
        "og:description": description,
        "og:image": picture,
        "og:image:alt": CARD_ALT,
    }
    if address:
        properties["og:url"] = address
    pairs = [("name", *pair) for pair in named.items()] + [("property", *pair) for pair in properties.items()]
    return "\n".join(f'<meta {kind}="{key}" content="{escape(value, quote=True)}" />' for kind, key, value in pairs)


def add_tags(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    own = app.env.metadata[pagename].get("description") if app.env and pagename in app.env.found_docs else None
    text = str(own or (first_paragraph(doctree) if doctree else "") or app.config.site_description)
    description = textwrap.shorten(text, LONGEST, placeholder=" …")
    title = re.sub(r"<[^>]+>", "", context.get("title", "")) or app.config.project
    base = site_url(app.config.html_theme_options.get("repository_url", ""))
    target = app.builder.get_target_uri(pagename)
    picture = base + CARD if base else context["pathto"](CARD, resource=True)
    context["metatags"] = context.get("metatags", "") + tags(app, title, description, picture, base and base + target)
    if pagename == app.config.root_doc:
        # the first page lies in a folder; the file at the root, whose address people share, sends the reader there
        head = tags(app, app.config.project, description, base + CARD, base)
        name = escape(app.config.project)
        (Path(app.outdir) / "index.html").write_text(
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8" /><title>{name}</title>\n{head}\n'
            f'<meta http-equiv="refresh" content="0; url={target}" /></head>'
            f'<body><a href="{target}">{name}</a></body></html>\n'
        )


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("site_description", "", "html")
    app.connect("html-page-context", add_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
