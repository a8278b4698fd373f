"""Show in a cell what is not a figure: the package's own code, so that no code is copied, and tables of results."""

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any


class Source:
    """Code that Jupyter, Colab and the site show highlighted; printed, it is plain text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        fence = "```"
        while fence in self.text:
            fence += "`"
        return f"{fence}python\n{self.text}\n{fence}"


def show_source(*objects: type | Callable[..., Any]) -> Source:
    """Return the source of classes, functions or methods (``CNN.forward``) for a cell to show, each under its file's name.

    Raises TypeError for anything else, an instance for example, and ValueError where there is no Python source.
    """
    if not objects:
        raise TypeError("show_source needs a class or a function")
    return Source("\n\n".join(_source(obj) for obj in objects))


def _source(obj: Any) -> str:
    if not (inspect.isclass(obj) or inspect.isroutine(obj)):
        raise TypeError(f"show_source needs a class or a function, got a {type(obj).__name__}: pass the class itself")
    try:
        code = textwrap.dedent(inspect.getsource(obj)).rstrip()
    except (OSError, TypeError) as error:
        raise ValueError(f"{getattr(obj, '__qualname__', obj)!r} has no Python source to show") from error
    return f"# {_place(obj)}\n{code}"


def _place(obj: Any) -> str:
    """Return the file as an import sees it, ``dlcourse/models/cnn.py``, and the class where the code is a method's."""
    module = inspect.getmodule(obj)
    if module is None or module.__name__ == "__main__":
        return "this notebook"
    path = module.__name__.replace(".", "/") + ("/__init__.py" if hasattr(module, "__path__") else ".py")
    owner = obj.__qualname__.rpartition(".")[0]
    return f"{path}, class {owner}" if owner and "<" not in owner else path


class Table:
    """A small table of results that Jupyter, Colab and the site show as a table; printed, it is plain text."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]], winner: int | None = None) -> None:
        self.header, self.rows, self.winner = header, rows, winner

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (self.header, *self.rows)]
        return "\n".join("  ".join(line).rstrip() for line in lines)

    def _repr_markdown_(self) -> str:
        cells = [[cell.replace("|", "\\|") for cell in row] for row in self.rows]
        if self.winner is not None:
            cells[self.winner] = [f"**{cell}**" for cell in cells[self.winner]]
        rule = [":---", *["---:"] * (len(self.header) - 1)]
        return "\n".join("| " + " | ".join(row) + " |" for row in (self.header, rule, *cells))


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, winner: int | None = None) -> Table:
    """Return a table for a cell to show: the first column names the rows, the others are set to the right, like numbers.

    `winner` is the row to set bold, counted from 0. Raises ValueError where a row has another length than the header, where
    there is no such row, and for a column without a name, which a screen reader could not announce.
    """
    if not all(name.strip() for name in header):
        raise ValueError(f"every column needs a name, got {list(header)}")
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under a header of {len(header)}: {list(row)}")
    if winner is not None and not 0 <= winner < len(rows):
        raise ValueError(f"winner must be one of the rows 0 to {len(rows) - 1}, got {winner}")
    return Table(list(header), [[str(cell) for cell in row] for row in rows], winner)
