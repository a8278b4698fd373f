"""Show the package's own code in a chapter, so that no code is copied."""

import inspect
import textwrap
from collections.abc import Callable
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
