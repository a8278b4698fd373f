"""The directive `package-modules`: the documentation of every public module of dlcourse, found, not listed."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PACKAGE = "dlcourse"


def public_modules() -> Iterator[str]:
    """Yield the dotted names of the modules that have something of their own to show."""
    package = importlib.import_module(PACKAGE)
    for info in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        module = importlib.import_module(info.name)
        own = (getattr(value, "__module__", "") for name, value in vars(module).items() if not name.startswith("_"))
        if "._" not in info.name and info.name in own:
            yield info.name


class PackageModules(SphinxDirective):
    """Document all public modules, each in a section of its own."""

    def run(self) -> list[nodes.Node]:  # noqa: D102
        lines = StringList()
        for name in sorted(public_modules()):
            title = name.removeprefix(f"{PACKAGE}.")
            for line in (title, "-" * len(title), "", f".. automodule:: {name}", "   :members:", ""):
                lines.append(line, self.env.doc2path(self.env.docname))
        parent = nodes.section()
        self.state.nested_parse(lines, self.content_offset, parent, match_titles=True)
        return parent.children


def escape(line: str) -> str:
    """Return one line of plain text as reStructuredText that shows the same; what stands between backticks is code."""
    parts = re.split(r"(``.+?``|`[^`]+`)", line.strip())
    return "".join(f"``{part.strip('`')}``" if part.startswith("`") else re.sub(r"([\\*`|_])", r"\\\1", part) for part in parts)


def keep_plain(app: Sphinx, *described: object) -> None:
    # our docstrings are plain text with shapes, stars and bars in them: paragraphs, and indented lines kept as lines
    lines = described[-1]
    assert isinstance(lines, list)
    shown: list[str] = []
    for line in lines:
        kept = line.startswith(" ")
        if shown and shown[-1] and line.strip() and kept != shown[-1].startswith("| "):
            shown.append("")
        shown.append(f"| {escape(line)}" if kept else escape(line))
    lines[:] = shown


def leave_out(app: Sphinx, what: str, name: str, *rest: object) -> bool | None:
    # a NamedTuple documents its fields as "Alias for field number 0": its own docstring says more
    return True if type(rest[0]).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("package-modules", PackageModules)
    app.connect("autodoc-process-docstring", keep_plain)
    app.connect("autodoc-skip-member", leave_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
