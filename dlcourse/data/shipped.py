"""Reads the files that travel with the package, and refuses a damaged one."""

from __future__ import annotations

import hashlib
import lzma
from importlib.resources import files

FILES = files("dlcourse.data") / "files"
CURE = "reinstall the package (pip install --force-reinstall dlcourse) or, in a clone, restore it with git checkout"


def checksums() -> dict[str, str]:
    """Return the sha256 of every shipped file by its name, as recorded when it was made."""
    lines = (FILES / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def read(name: str) -> bytes:
    """Return the decompressed bytes of the shipped file ``name`` (an .xz file).

    Raises FileNotFoundError if it is missing and ValueError if its bytes are not those that were shipped; both say the cure.
    """
    try:
        packed = (FILES / name).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"the data file {name} is missing from {FILES}: {CURE}") from None
    expected, found = checksums()[name], hashlib.sha256(packed).hexdigest()
    if found != expected:
        raise ValueError(f"the data file {FILES / name} is damaged: sha256 {found[:12]}…, expected {expected[:12]}…; {CURE}")
    return lzma.decompress(packed)
