"""Small notes, questions about them and their summaries, drawn from a seed: every answer is a run of the note's own words.

A note tells two things that were done, by whom, where and when, one thing that was decided, and one that does not matter, in any
order. Its people differ, and so do its objects, but two deeds may be alike and two objects share a colour or a noun: to find the
right one a reader has to match what the question says. The answer to "summary" is the whole sentence that was decided.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import torch
from torch.utils.data import TensorDataset

from dlcourse.data import Splits
from dlcourse.data.text import Vocabulary, pad

__all__ = ["Note", "draw", "load", "vocabulary"]

PEOPLE = ["ada", "boris", "clara", "emil", "flora", "greta", "hugh", "ivan", "julia", "leo", "mabel", "nora", "otto", "pearl"]
DONE = ["found", "lost", "sold", "painted", "repaired", "cleaned", "borrowed", "moved"]
TO_DO = ["find", "sell", "paint", "repair", "clean", "borrow", "move", "keep"]
COLOURS = ["red", "blue", "green", "black", "white", "yellow"]
NOUNS = ["bicycle", "clock", "lamp", "boat", "piano", "kite", "ladder", "camera"]
PLACES = ["in the garden", "behind the school", "near the old station", "at home", "on the bridge", "by the lake"]
TIMES = ["on monday", "on friday", "in april", "before noon", "at half past nine", "last winter"]
OPENINGS = ["we agreed to", "we decided to", "it was agreed to", "in the end we chose to"]
ASIDES = ["the tea was cold", "it rained all day", "nobody knew the song", "the soup was good", "we talked about the weather"]
QUESTIONS = ("who", "what", "where", "when", "summary")
PARTS = {"train": 2000, "val": 200, "test": 200}


class Note(NamedTuple):
    """A note as a list of words, and its questions: each (question as words, first and last place of its answer in the note)."""

    words: list[str]
    questions: list[tuple[list[str], int, int]]


def draw(num_notes: int, *, seed: int) -> list[Note]:
    """Return notes, each with one question of every kind of ``QUESTIONS``, in this order. Raises ValueError for less than 1."""
    if num_notes < 1:
        raise ValueError(f"num_notes={num_notes}: at least 1 is needed")
    rng = random.Random(seed)
    return [_note(rng) for _ in range(num_notes)]


def vocabulary() -> Vocabulary:
    """Return all words of notes and questions, numbered as in ``load``; 0 is padding."""
    phrases = [*PEOPLE, *DONE, *TO_DO, *COLOURS, *NOUNS, *PLACES, *TIMES, *OPENINGS, *ASIDES, *QUESTIONS, "by was the ."]
    return Vocabulary.build([sorted({word for phrase in phrases for word in phrase.split()})], specials=("<pad>",))


def load(*, seed: int = 0) -> Splits:
    """Return 2,000, 200 and 200 notes with five questions each, one row a question, in three tensors.

    These are the notes int64 (N, T) and the questions int64 (N, Q), both padded with 0 at the end, and the answers int64 (N, 2):
    the places of their first and last word in the note, counted from 0. The parts are drawn from seeds of their own.
    """
    numbers, parts = vocabulary(), []
    for part, size in enumerate(PARTS.values()):
        rows = [(note.words, *asked) for note in draw(size, seed=3 * seed + part) for asked in note.questions]
        texts, questions, first, last = zip(*rows, strict=True)
        encoded = (pad([[numbers.numbers[word] for word in words] for words in column])[0] for column in (texts, questions))
        parts.append(TensorDataset(*encoded, torch.tensor([first, last]).T.contiguous()))
    return Splits(*parts)


def _note(rng: random.Random) -> Note:
    people, deeds = rng.sample(PEOPLE, 2), rng.choices(DONE, k=2)
    objects = rng.sample([f"the {colour} {noun}" for colour in COLOURS for noun in NOUNS], 3)
    facts = [
        {"who": who, "deed": deed, "what": what, "where": rng.choice(PLACES), "when": when}
        for who, deed, what, when in zip(people, deeds, objects, rng.sample(TIMES, 2), strict=False)
    ]
    sentences = [_tell(fact, rng) for fact in facts]
    decided = f"{rng.choice(OPENINGS)} {rng.choice(TO_DO)} {objects[2]} {rng.choice(TIMES)} ."
    order = rng.sample([*sentences, decided, f"{rng.choice(ASIDES)} ."], 4)
    asked = []
    for kind in QUESTIONS:
        fact = rng.choice(facts)
        told = decided if kind == "summary" else sentences[facts.index(fact)]
        answer = decided if kind == "summary" else fact[kind]
        begin = sum(len(sentence.split()) for sentence in order[: order.index(told)])
        inside = len(told[: told.index(answer)].split())
        first = begin + inside
        asked.append((_ask(kind, fact).split(), first, first + len(answer.split()) - 1))
    return Note(" ".join(order).split(), asked)


def _tell(fact: dict[str, str], rng: random.Random) -> str:
    core = f"{fact['who']} {fact['deed']} {fact['what']}"
    orders = [f"{core} {fact['where']} {fact['when']}", f"{fact['when']} {core} {fact['where']}"]
    return f"{rng.choice(orders)} ."


def _ask(kind: str, fact: dict[str, str]) -> str:
    return {
        "who": f"who {fact['deed']} {fact['what']}",
        "what": f"what was {fact['deed']} by {fact['who']}",
        "where": f"where was {fact['what']} {fact['deed']}",
        "when": f"when was {fact['what']} {fact['deed']}",
        "summary": "summary",
    }[kind]
