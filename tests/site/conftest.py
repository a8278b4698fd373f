"""The built site, as its tests read it."""

import os
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


class Element(NamedTuple):
    """A start tag with its attributes."""

    tag: str
    attributes: dict[str, str]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, {key: value or "" for key, value in attrs}))


@dataclass(frozen=True)
class Page:
    """One page of the table of contents: its source's name without the ending, and its HTML."""

    name: str
    file: Path

    @property
    def html(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def article(self) -> str:
        """The page's own part, without the sidebars."""
        return re.search(r"<article.*?</article>", self.html, re.DOTALL)[0]

    @property
    def elements(self) -> list[Element]:
        parser = _Elements()
        parser.feed(self.html)
        return parser.found

    def meta(self, key: str) -> str | None:
        found = (e.attributes for e in self.elements if e.tag == "meta")
        return next((a["content"] for a in found if key in (a.get("name"), a.get("property"))), None)


def contents() -> list[str]:
    """The names of all pages in the table of contents, the first page first."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def missing(what: str) -> None:
    """Skip on a person's machine; fail in CI, where a green run must have tested everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site; `make site` builds it first."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        missing("the site is not built: run make site")
    return folder


@pytest.fixture(scope="session")
def self_contained(site) -> Path:
    """The built site, where it has its own MathJax; without npm it was built to load it from a CDN."""
    if not (site / "_static" / "mathjax").is_dir():
        missing("the site was built without npm and is not self-contained: install Node.js with npm, then run make site")
    return site


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    file = ROOT / "_build" / "vendor" / "tests" / "axe-core" / "axe.min.js"
    if not file.is_file():
        missing("axe-core is not there: install Node.js with npm, then run make site")
    return file.read_text()


@pytest.fixture(scope="session")
def address(self_contained, serve) -> str:
    """The site's address on this machine."""
    return serve(self_contained)


def _grouped(names: list[str]) -> list[object]:
    """Keep all tests of a page in one process, one after the other, so that they can share what is open (--dist=loadgroup)."""
    return [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names]


@pytest.fixture(params=_grouped(contents()))
def built_page(request, site) -> Page:
    """Each page of the table of contents in turn."""
    return Page(request.param, site / f"{request.param}.html")


@pytest.fixture(params=_grouped([name for name in contents() if name.startswith("notebooks/")]))
def built_chapter(request, site) -> Page:
    """Each chapter in turn."""
    return Page(request.param, site / f"{request.param}.html")


@pytest.fixture(scope="session")
def home() -> str:
    """The name of the first page."""
    return contents()[0]
