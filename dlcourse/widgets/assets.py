"""What a widget sends to the page: its JavaScript and its styles, each after the part that all widgets share."""

from pathlib import Path

FOLDER = Path(__file__).parent


def script(*names: str) -> str:
    """Return the files `names`.js after parts.js as one module, for a page without a kernel can load only one file."""
    return "\n".join(_read(f"{name}.js") for name in ("parts", *names))


def style(*names: str) -> str:
    """Return the files `names`.css after widget.css."""
    return "\n".join(_read(f"{name}.css") for name in ("widget", *names))


def _read(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")
