"""Turns a play, as Project Gutenberg sets it, into plain text: a speaker's name, a colon, the speech, a blank line."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The play begins after the list of persons, at the first line of this kind.
BODY = re.compile(r"^(?:ACT I\b|ACT 1\b|THE PROLOGUE|INDUCTION)", re.MULTILINE)
HEADING = re.compile(r"(?:ACT|SCENE|THE PROLOGUE|EPILOGUE|INDUCTION|SONG|THE TEMPEST)\b", re.IGNORECASE)
# "FIRST CITIZEN.", "1 KEEPER.", "VOLUMNIA, VIRGILIA.", "SENATORS and PATRICIANS."; in one play "Lady Capulet."
CAPITALS = re.compile(r"(?:\d )?[A-Z][A-Z']+(?:(?: |, | and | of )[A-Z][A-Z']+)*")
MIXED = re.compile(r"(?:\d )?[A-Z][a-z]+(?: [A-Z][a-z]+)?")
NAMES = {"1": "FIRST", "2": "SECOND", "3": "THIRD", "CHOR": "CHORUS"}
# Slips of the typist: wrong or missing brackets, italics, double for single quotes, a stroke for a question mark, a missing line.
SLIPS = {
    "{": "[",
    "[Enter MENENIUS\n": "[Enter MENENIUS.]\n",
    "[Enter a MESSENGER\n": "[Enter a MESSENGER.]\n",
    "they join]\nwith": "they join\nwith",
    "_": "",
    '"': "'",
    "doth she/": "doth she?",
    "people?\nCITIZENS.": "people?\n\nCITIZENS.",
}


def plain(play: str) -> str:
    """Return the speeches of a play, a blank line between two; stage directions, headings and indentation are left out."""
    for slip, right in SLIPS.items():
        play = play.replace(slip, right)
    beginning = BODY.search(play)
    if beginning is None:
        raise ValueError(f"neither a first act nor a prologue in the play that begins {play[:40]!r}")
    blocks = list(_blocks(re.sub(r"\[[^\[\]]*\]", "", play[beginning.start() :])))
    speakers = _speakers(blocks)
    speeches: list[tuple[str, list[str]]] = []
    for block in blocks:
        speaker, lines = _speech(block, speakers)
        if speaker and (not speeches or speeches[-1][0] != speaker):
            speeches.append((speaker, []))
        speeches[-1][1].extend(lines)  # without a name of its own, the speech goes on after a stage direction
    return "\n".join("\n".join([f"{speaker}:", *lines, ""]) for speaker, lines in speeches if lines)


def _blocks(play: str) -> Iterator[list[str]]:
    for block in re.split(r"\n\s*\n", play):
        lines = [" ".join(line.split()) for line in block.splitlines() if line.strip()]
        if lines and not HEADING.match(lines[0]):
            yield lines


def _speakers(blocks: list[list[str]]) -> set[str]:
    """Return the names that stand alone on the first line of a block."""
    capitals = {lines[0].rstrip(".") for lines in blocks if CAPITALS.fullmatch(lines[0].rstrip("."))}
    mixed = {lines[0].rstrip(".") for lines in blocks if len(lines) > 1 and MIXED.fullmatch(lines[0].rstrip("."))}
    return capitals if len(capitals) > 5 else mixed


def _speech(lines: list[str], speakers: set[str]) -> tuple[str, list[str]]:
    """Split a block into the speaker's name, empty where it has none, and the lines of the speech."""
    name, _, rest = lines[0].partition(".")
    if name not in speakers and not (name.upper() in speakers and not rest):
        return "", lines
    words = [NAMES.get(word, word) for word in name.upper().split()]
    return " ".join(words), [line for line in (rest.strip(), *lines[1:]) if line]
