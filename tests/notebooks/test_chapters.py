"""The form that every chapter shares (CONTRIBUTING.md, "A chapter"), checked on the stored notebook without running it."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
import yaml
from pybtex.database import parse_file

import dlcourse

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = [
    "Background",
    "Concepts",
    "Maths",
    "Code",
    "Experiments",
    "What goes wrong",
    "Exercises",
    "Outlook",
    "FAQ",
    "References",
]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_CELLS = 60
MOST_LINES = 25
MOST_COLUMNS = 100  # what the page's column shows without scrolling sideways


class Chapter(NamedTuple):
    name: str
    path: Path
    notebook: nbformat.NotebookNode

    @property
    def code(self):
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def prose(self):
        """All markdown, without its code blocks and code spans."""
        text = "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        return re.sub(r"`[^`\n]+`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))

    def section(self, title):
        """The cells of one section, its heading included."""
        cells, inside = [], False
        for cell in self.notebook.cells:
            heading = re.match(r"## +(.*)", cell.source) if cell.cell_type == "markdown" else None
            if heading:
                inside = heading[1].strip() == title
            if inside:
                cells.append(cell)
        return cells


def tree(cell):
    """The cell's Python without IPython's own lines."""
    return ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", cell.source, flags=re.MULTILINE))


@pytest.fixture(params=CHAPTERS, ids=[path.stem for path in CHAPTERS])
def chapter(request):
    return Chapter(request.param.stem, request.param, nbformat.read(request.param, as_version=4))


@pytest.fixture(scope="session")
def bibliography():
    """All entries of book/references.bib."""
    return parse_file(str(ROOT / "book" / "references.bib")).entries.values()


def test_there_is_a_chapter():
    assert CHAPTERS


def test_every_chapter_is_in_the_table_of_contents_and_no_other():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [c["file"] for part in toc["parts"] for c in part["chapters"] if c["file"].startswith("notebooks/")]
    assert sorted(listed) == [f"notebooks/{path.stem}" for path in CHAPTERS]


def test_the_notebook_is_valid_and_stored_without_outputs(chapter):
    nbformat.validate(chapter.notebook)
    assert "widgets" not in chapter.notebook.metadata
    for cell in chapter.code:
        assert cell.outputs == []
        assert cell.execution_count is None
    ids = [cell.id for cell in chapter.notebook.cells]
    assert len(set(ids)) == len(ids)


def test_sections_come_in_the_courses_order(chapter):
    headings = re.findall(r"^## +(.+?)\s*$", chapter.prose, re.MULTILINE)
    assert headings == SECTIONS


def test_the_chapter_has_one_title_and_opens_with_it(chapter):
    assert chapter.notebook.cells[0].source.startswith("# ")
    assert len(re.findall(r"^# ", chapter.prose, re.MULTILINE)) == 1


def test_the_opening_says_what_one_will_be_able_to_do_and_how_long_it_takes(chapter):
    opening = chapter.notebook.cells[0].source
    assert re.search(r"able to", opening)
    assert re.search(r"CPU", opening)
    assert re.search(r"GPU", opening)


def test_a_chapter_is_short_enough(chapter):
    assert len(chapter.notebook.cells) <= MOST_CELLS
    for cell in chapter.code:
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        assert max(map(len, cell.source.splitlines())) <= MOST_COLUMNS, cell.source


def test_prose_is_plain_markdown_that_every_reader_of_notebooks_shows(chapter):
    text = chapter.prose
    assert not re.search(r"^(```|:::)\{", "\n".join(c.source for c in chapter.notebook.cells), re.MULTILINE), "a directive"
    assert not re.search(r"\{[a-z:_-]+\}`", "\n".join(c.source for c in chapter.notebook.cells)), "a role"
    assert not re.search(r"^\([\w-]+\)=$", text, re.MULTILINE), "a target"
    assert not re.search(r"<(script|iframe|style|div)\b", text), "HTML"


def test_paragraphs_are_short(chapter):
    for paragraph in re.split(r"\n\s*\n", re.sub(r"\$\$.*?\$\$", "", chapter.prose, flags=re.DOTALL)):
        if not re.match(r"\s*(#|[-*|>]|\d+\.)", paragraph):
            sentences = re.findall(r"[.?](?:\s|$)", paragraph)
            assert len(sentences) <= 7, paragraph


def draws(cell):
    """Whether the cell's last act or a call in it makes a picture."""
    return re.search(
        r"\bplt\.(?!style|rc)|\bplots\.(?!style|COLORS|CATEGORIES|\w+\s*=)|\blive\(|\bimage_grid\(|\bcurves\(|\bconfusion\(",
        cell.source,
    )


def test_every_picture_has_an_alternative_text(chapter):
    for cell in chapter.code:
        if draws(cell) and not defines_only(cell):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 30, f"no alternative text: {cell.source}"
            assert not alt.lower().startswith(("image of", "figure", "picture of", "a plot of")), alt


def defines_only(cell):
    """Whether the cell defines and imports, and does nothing yet."""
    return all(isinstance(s, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom) for s in tree(cell).body)


def test_the_set_up_cell_installs_only_what_is_missing_and_switches_widgets_on_in_colab(chapter):
    set_up = chapter.code[0].source
    assert re.search(r"find_spec|ImportError|ModuleNotFoundError", set_up)
    assert "pip install" in set_up
    assert "enable_custom_widget_manager" in set_up


def test_the_device_and_the_seed_are_set_at_the_start(chapter):
    start = "\n".join(cell.source for cell in chapter.code[:3])
    assert "seed_everything(" in start
    assert "describe_device(" in start


def test_no_name_is_defined_that_the_package_has(chapter):
    public = set()
    for info in pkgutil.walk_packages(dlcourse.__path__, "dlcourse."):
        if ".exercises." in info.name or ".widgets." in info.name:
            continue
        module = importlib.import_module(info.name)
        public |= {n for n, v in vars(module).items() if getattr(v, "__module__", "") == info.name and not n.startswith("_")}
    for cell in chapter.code:
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.col_offset == 0:
                assert node.name not in public, f"{node.name} is in the package: import it, or show it by show_source"


def bound(body):
    """The names that statements bind where they stand, outside of functions, classes and comprehensions."""
    names, waiting = set(), list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            waiting += ast.iter_child_nodes(node)
    return names


def read_by(function):
    """The names that a function reads and does not bind itself."""
    nodes = list(ast.walk(function))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names - own - {node.arg for node in nodes if isinstance(node, ast.arg)}


def test_what_the_panel_reads_is_still_what_it_was_when_the_reader_presses_train(chapter):
    # a panel runs after the last cell: a name that a later cell uses for something else would be that something else
    cells = {cell.id: tree(cell).body for cell in chapter.code}
    functions = {node.name: node for body in cells.values() for node in body if isinstance(node, ast.FunctionDef)}
    panels = {
        node.args[0].id
        for body in cells.values()
        for node in ast.walk(ast.Module(body, []))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "widgets.TrainPanel"
    }
    assert panels
    read, waiting = set(), set(panels)
    while waiting:
        new = read_by(functions[waiting.pop()]) - read
        read |= new
        waiting |= new & functions.keys()
    binders = {name: [cell for cell, body in cells.items() if name in bound(body)] for name in read - {"device"}}
    assert {name: found for name, found in binders.items() if len(found) > 1} == {}


def test_there_are_at_least_five_exercises_each_with_a_check_and_a_hidden_solution(chapter):
    exercises = importlib.import_module(f"dlcourse.exercises.{chapter.name}").EXERCISES
    cells = [cell for cell in chapter.section("Exercises") if cell.cell_type == "code"]
    asked = [i for i, cell in enumerate(cells) if re.search(r"check\(\s*[\"'][\w-]+[\"']\s*,\s*\.\.\.\s*\)", cell.source)]
    names = [re.search(r"check\(\s*[\"']([\w-]+)[\"']", cells[i].source)[1] for i in asked]
    assert len(asked) >= 5
    assert sorted(name.rpartition("-")[2] for name in names) == sorted(str(key).rpartition("-")[2] for key in exercises)
    for i, name in zip(asked, names, strict=True):
        solution = cells[i + 1]
        assert name in solution.source, f"the cell after {name} does not check its own answer"
        assert "..." not in re.search(rf"check\(\s*[\"']{name}[\"'](.*)", solution.source)[1]
        assert {"hide-input", "hide-cell"} & set(solution.metadata.get("tags", [])), name
        assert solution.metadata.get("jupyter", {}).get("source_hidden") is True, name
        assert solution.metadata.get("cellView") == "form", name
        assert solution.source.startswith("# @title") or solution.source.startswith("#@title"), name


def test_relative_links_lead_somewhere(chapter):
    for target in re.findall(r"\]\(([^)\s]+)\)", chapter.prose):
        if not re.match(r"(https?:|#|mailto:)", target):
            assert (chapter.path.parent / target.partition("#")[0]).exists(), target


def plain(text):
    return re.sub(r"[^a-z0-9]+", " ", text.replace("{", "").replace("}", "").lower()).strip()


def test_every_reference_is_in_the_bibliography(chapter, bibliography):
    text = "\n".join(cell.source for cell in chapter.section("References"))
    entries = [line for line in text.splitlines() if re.match(r"\s*([-*]|\d+\.)\s", line)]
    assert entries
    known = [
        [e.fields.get("doi", "").lower(), e.fields.get("eprint", ""), e.fields.get("url", ""), plain(e.fields["title"])]
        for e in bibliography
    ]
    for line in entries:
        identified = any(any(key and key in line.lower() for key in keys[:3]) or keys[3] in plain(line) for keys in known)
        assert identified, f"not in book/references.bib: {line}"
        assert re.search(r"\]\(https?://", line), f"no link: {line}"


def test_the_chapter_leaves_nothing_of_the_machine_it_was_written_on(chapter):
    text = chapter.path.read_text()
    assert not re.search(r"/(home|root|Users|tmp)/", text)
    assert chapter.notebook.metadata.kernelspec.name == "python3"
