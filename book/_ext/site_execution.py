"""A chapter runs again when its cells change or anything of the package that it uses, and not otherwise.

jupyter-cache compares the cells. Here the rest is compared: the modules a chapter imports, what those import, the files beside
them, and the pinned requirements. One digest for each chapter lies in the cache's folder.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

PACKAGE = "dlcourse"


def configure(app: Sphinx, config: Config) -> None:
    config.nb_execution_cache_path = str(Path(app.confdir) / "_build" / ".jupyter_cache")


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Forget what was executed with another package than today's, and have those chapters read again."""
    root, folder = Path(app.confdir), Path(app.config.nb_execution_cache_path)
    chapters = {page: root / f"{page}.ipynb" for page in env.found_docs if (root / f"{page}.ipynb").is_file()}
    today = {page: digest(root, file) for page, file in chapters.items()}
    record = folder / "digests.json"
    before = json.loads(record.read_text()) if record.is_file() else {}
    stale = [page for page in chapters if today[page] != before.get(page)]
    forgotten = {str(chapters[page]) for page in stale}
    cache = get_cache(str(folder))
    for entry in cache.list_cache_records():
        if entry.uri in forgotten or not Path(entry.uri).is_file():
            cache.remove_cache(entry.pk)
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(today, indent=1))
    return stale


def digest(root: Path, notebook: Path) -> str:
    """Return a digest of everything but its own cells that the outputs of `notebook` can depend on."""
    total = hashlib.sha256((root / "requirements.txt").read_bytes())
    for file in dependencies(root, notebook):
        total.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def dependencies(root: Path, notebook: Path) -> list[Path]:
    """Return the package's files that `notebook` uses: modules, through any number of imports, and the files beside them."""
    found: set[Path] = set()
    waiting = [*_imports(root, _code(notebook)), *_module(root, f"{PACKAGE}.exercises.{notebook.stem}")]  # found by its name
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imports(root, file.read_text(encoding="utf-8"))
    for folder in {file.parent for file in found}:
        found |= set(_companions(folder, {file.stem for file in found}))
    return sorted(found)


def _code(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return re.sub(r"^(\s*)[%!].*", r"\1pass", code, flags=re.MULTILINE)  # IPython's own lines


def _imports(root: Path, code: str) -> Iterator[Path]:
    """Yield the files of the package that `code` imports by name."""
    tree = ast.parse(code)
    attributes: dict[str, set[str]] = {}  # what is taken from a name: widgets.KernelExplorer
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes.setdefault(node.value.id, set()).add(node.attr)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == PACKAGE:
                    yield from _module(root, alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from _member(root, node.module or "", alias.name)
                used = attributes.get(alias.asname or alias.name, set())
                for attribute in used:
                    yield from _member(root, name, attribute)
                if not used:  # used in some other way: all of it counts
                    yield from _module(root, name)


def _module(root: Path, name: str) -> list[Path]:
    path = root.joinpath(*name.split("."))
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]


def _member(root: Path, module: str, name: str) -> list[Path]:
    """Return the file that holds `name` of `module`: a module of its own, or where the package's __init__ takes it from."""
    if found := _module(root, f"{module}.{name}"):
        return [] if found[0].name == "__init__.py" and _re_exports(found[0]) else found
    own = _module(root, module)
    if own and own[0].name == "__init__.py":
        return _module(root, source) if (source := _re_exports(own[0]).get(name)) else own
    return own


def _re_exports(file: Path) -> dict[str, str]:
    """Return {name: module} for the names that an __init__.py takes from the package's own modules and does nothing else with."""
    return {
        alias.asname or alias.name: node.module
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE)
        for alias in node.names
    }


def _companions(folder: Path, stems: set[str]) -> Iterator[Path]:
    """Yield the files of other kinds in `folder`: those named like a module in use, and those named like no module."""
    modules = {file.stem for file in folder.glob("*.py")}
    for file in folder.glob("*"):
        if file.is_file() and file.suffix != ".py" and (file.stem in stems or file.stem not in modules):
            yield file
    yield from folder.glob("files/SHA256SUMS")  # stands for the data sets, which a test compares with it


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", configure, priority=900)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
