"""A chapter runs again when its cells change or anything of the package that it uses, and not otherwise.

jupyter-cache compares the cells. Here the rest is compared: the modules a chapter imports, what those import, the files beside
them, and the pinned requirements. One digest for each chapter lies in the cache's folder. Chapters that have to run do so side
by side, before Sphinx reads them one after the other.
"""

import ast
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import single_nb_execution
from jupyter_core.utils import ensure_event_loop
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

PACKAGE = "dlcourse"
EXECUTED = Path("_build", "executed")  # what nbval has run
MOST_AT_ONCE = 4  # each keeps a gigabyte or so

logger = logging.getLogger(__name__)


def configure(app: Sphinx, config: Config) -> None:
    config.nb_execution_cache_path = str(Path(app.confdir) / "_build" / ".jupyter_cache")


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Forget what was executed with another package than today's, run what has to run, and have those chapters read again."""
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
    take(cache, {file: today[page] for page, file in chapters.items()}, root / EXECUTED)
    longest_first = sorted(chapters.values(), key=lambda file: -file.stat().st_size)
    run(cache, longest_first, timeout=app.config.nb_execution_timeout)
    return stale


def take(cache: JupyterCacheAbstract, digests: dict[Path, str], folder: Path) -> None:
    """Cache the notebooks in `folder` that were executed with the digests of today; those with other cells would not be found."""
    read = partial(nbformat.read, as_version=4)
    for file, today in digests.items():
        if (folder / file.name).is_file():
            notebook = read(folder / file.name)
            executed = notebook.metadata.pop("executed")
            if executed["digest"] == today and not _known(cache, notebook):
                _keep(cache, file, notebook, executed["seconds"])


def run(cache: JupyterCacheAbstract, files: Sequence[Path], *, timeout: int) -> None:
    """Execute those of `files` that the cache lacks, side by side, and cache them; one that fails is left to Sphinx to report."""
    read = partial(nbformat.read, as_version=4)
    waiting = [(file, notebook) for file in files if not _known(cache, notebook := read(file))]
    workers = min(len(waiting), os.cpu_count() or 1, MOST_AT_ONCE)
    if workers < 2:
        return  # nothing to share the machine with
    logger.info("executing %d chapters, %d at a time", len(waiting), workers)
    threads = max(1, (os.cpu_count() or 1) // workers)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # for the kernels; Sphinx itself has no use for it
    execute = partial(_execute, timeout=timeout)
    with ThreadPoolExecutor(workers) as pool:
        for (file, notebook), seconds in zip(waiting, pool.map(execute, waiting), strict=True):
            if seconds is not None:
                _keep(cache, file, notebook, seconds)


def _known(cache: JupyterCacheAbstract, notebook: nbformat.NotebookNode) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def _keep(cache: JupyterCacheAbstract, file: Path, notebook: nbformat.NotebookNode, seconds: float) -> None:
    bundle = CacheBundleIn(notebook, str(file), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _execute(item: tuple[Path, nbformat.NotebookNode], *, timeout: int) -> float | None:
    """Execute a notebook in place, in a process of its own; return the seconds it took, or None if a cell failed."""
    file, notebook = item
    result = single_nb_execution(notebook, cwd=str(file.parent), allow_errors=False, timeout=timeout, meta_override=True)
    ensure_event_loop().close()  # this thread's own, which the execution opened
    return None if result.err else result.time


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
