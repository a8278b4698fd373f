"""Type a word and see it pronounced: letters in, phonemes out, and which letters each phoneme was read from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from dlcourse.data.text import END, PAD, START, Vocabulary
from dlcourse.models.seq2seq import Seq2Seq
from dlcourse.widgets import assets
from dlcourse.widgets.pronouncer_sounds import SOUNDS
from dlcourse.widgets.pronouncer_weights import pack, shape

__all__ = ["Pronouncer"]

LONGEST, WIDEST = 34, 5  # the longest word of the CMU dictionary has 34 letters
FIRST_SIGN = 0x3D  # in a reading that travels, phoneme 0 is this character, phoneme 1 the next

EXAMPLES = ("knight", "through", "colonel", "chaos", "hiccough", "blorft")
WORDS = {
    "name": "Pronouncer",
    "try": "Type any word, even one that you made up. Then point at a phoneme, or choose it with the arrow keys.",
    "notice": "Notice that nobody told the network which letters belong together. From spellings and readings alone it found that "
    "two letters may make one sound, and one letter two, as the x of “fox”.",
    "small_print": "A ribbon is as thick as the attention weight; orange phonemes are vowels, blue ones consonants. The weights "
    "say where the decoder looked, not why it wrote what it wrote: each place also knows of the letters around it.",
    "keys": "Keyboard: among the ribbons, left and right arrows go along a row, up to the letters, down to the phonemes. In the "
    "heat map, up and down go from phoneme to phoneme, left and right from letter to letter.",
    "word": "Word",
    "examples": "Or one of these",
    "picture": "Ribbons from the letters to the phonemes",
    "map": "Heat map of the weights, letters across, phonemes down",
    "picture_role": "alignment with a cursor",
    "play": "Watch it read",
    "pause": "Pause",
    "step": "One phoneme",
    "end": "end",
    "end_of_word": "end of the word",
    "rest": "all others",
    "as_in": "{phoneme} as in {example}",
    "weights": "Weights in percent",
    "next": "Probability of the phoneme at this step",
    "step_first": "Step 1: the first phoneme",
    "step_after": "Step {step}: after {before}",
    "taken": "▸ taken: {phoneme}, {percent}.",
    "reads": "It read {letters}.",
    "reads_all": "It read all letters a little.",
    "share": "{one} ({percent})",
    "feeds": "Letter “{letter}” was read for {phonemes}.",
    "feeds_none": "Letter “{letter}” was hardly read by any step.",
    "roughly": "Say roughly",
    "cut": "It found no end to this word, so the reading is cut.",
    "beam": "Beam width",
    "beam_1": "Greedy: the likeliest phoneme at every step, with no way back.",
    "beam_more": "The {beam} likeliest beginnings are kept side by side, so a phoneme that looked second best can still win.",
    "candidates": "Readings found, with their probabilities",
    "nothing": "(no phoneme)",
    "same": "✓ The dictionary says the same.",
    "other": "The dictionary says {readings}: {errors} of {total} phonemes wrong.",
    "other_many": "The dictionary says {readings}: at best {errors} of {total} phonemes wrong.",
    "or": "or",
    "unlisted": "Not among the {count} words that this page can look up.",
    "learnt": "The network was trained on this word.",
    "never": "The network had never seen this word.",
    "empty": "Nothing that the network can read: type a word.",
    "left_out": "Left out, for the network knows no such letter: {characters}",
    "space": "space",
    "newline": "new line",
    "too_long": "Only the first {count} letters are read: no word of the dictionary is longer.",
    "status": "{phoneme}, {percent}. {reads}",
    "status_word": "{word}: {reading}. {verdict} {seen}",
}


class Pronouncer(anywidget.AnyWidget):
    """A spelling-to-sound model at work on a typed word, in the page itself, without a kernel.

    `model` is a dlcourse.models.seq2seq.Seq2Seq with attention, of any kind it has, that maps `letters` to `phonemes`: two
    vocabularies as dlcourse.data.cmudict gives them. Ribbons join each phoneme to the letters it was read from, as thick as the
    weights; a heat map shows the same numbers; bars show what else could have come at the chosen step. `beam` (1 to 5) beginnings
    are followed side by side, as in dlcourse.decoding, and what they end in is listed. `examples` are offered beside the field.

    `known` maps words to their readings, each a sequence of phonemes; for these the page shows the dictionary's reading beside the
    network's. 10,000 words add about 0.2 MB. Words of it that are in `trained_on` are said to be learnt, the others never seen;
    with None nothing is said. The weights travel in 8 bits a number, each row of a matrix on a scale of its own, the biases in 16:
    of 3,000 words a trained model of 128 units then reads 1 in 100 otherwise, as often better as worse, and its phoneme error rate
    stays the same to 0.1 percentage points. In a notebook `word` and `beam` can be read and set; `reading` is the phonemes found.
    TypeError for another model; ValueError for one without attention, for vocabularies that do not fit it, for a word of more than
    34 letters, and for a beam outside 1 to 5.
    """

    _esm = assets.script(
        "canvas",
        "sampling",
        "recurrent_math",
        "next_characters",
        "pronouncer_math",
        "pronouncer_speech",
        "pronouncer_drawing",
        "pronouncer_page",
        "pronouncer",
    )
    _css = assets.style("next_characters", "pronouncer")

    weights = traitlets.Bytes(b"", help="As pronouncer_weights.pack gives them.").tag(sync=True)
    shape: traitlets.Dict[str, Any] = traitlets.Dict(help="Sizes, settings, tokens and their special numbers.").tag(sync=True)
    word = traitlets.Unicode("").tag(sync=True)
    beam = traitlets.Int(1, min=1, max=WIDEST).tag(sync=True)
    reading = traitlets.Unicode("", help="The phonemes shown, with spaces between; needs a kernel beside the page.").tag(sync=True)
    examples: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    known = traitlets.Unicode("", help="A word a line, with its readings, as `_listed` writes them.").tag(sync=True)
    tells = traitlets.Bool(False, help="Whether it is known which words were trained on.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        model: Seq2Seq,
        letters: Vocabulary,
        phonemes: Vocabulary,
        *,
        word: str = "knight",
        examples: Sequence[str] = EXAMPLES,
        beam: int = 5,
        known: Mapping[str, Sequence[Sequence[str]]] | None = None,
        trained_on: Collection[str] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        settings = shape(model) | _tokens(model, letters, phonemes)
        for given in (word, *examples):
            if len(given) > LONGEST:
                raise ValueError(f"{given!r} has {len(given)} letters; at most {LONGEST} fit")
        if not 1 <= beam <= WIDEST:
            raise ValueError(f"beam={beam}; wanted is a number from 1 to {WIDEST}")
        super().__init__(
            weights=pack(model),
            shape=settings,
            word=word,
            beam=beam,
            examples=list(examples),
            known=_listed(known or {}, phonemes, trained_on or ()),
            tells=trained_on is not None,
            words=WORDS | dict(words or {}),
        )


def _tokens(model: Seq2Seq, letters: Vocabulary, phonemes: Vocabulary) -> dict[str, Any]:
    """Return both alphabets, the numbers of start, end and padding, and for each phoneme what a reader needs to say it."""
    sizes = len(model.source_embedding.weight), len(model.target_embedding.weight)
    if sizes != (len(letters), len(phonemes)):
        given = f"{len(letters)} letters and {len(phonemes)} phonemes"
        raise ValueError(
            f"the model knows {sizes[0]} letters and {sizes[1]} phonemes, the vocabularies {given}; both must be the same"
        )
    missing = [token for token in (PAD, START, END) if token not in phonemes]
    if missing:
        raise ValueError(
            f"the phonemes have no {missing[0]}; wanted is a vocabulary built with specials=({PAD!r}, {START!r}, {END!r})"
        )
    longer = [token for token in letters.tokens if len(token) != 1 and token != PAD]
    if longer:
        raise ValueError(f"{longer[0]!r} is not one letter; wanted is a vocabulary of letters, built with specials={(PAD,)}")
    return {
        "letters": letters.tokens,
        "phonemes": phonemes.tokens,
        "hints": [SOUNDS.get(token.rstrip("012"), ("", token)) for token in phonemes.tokens],
        "start": phonemes.numbers[START],
        "end": phonemes.numbers[END],
        "padding": phonemes.numbers[PAD],
    }


def _listed(known: Mapping[str, Sequence[Sequence[str]]], phonemes: Vocabulary, trained_on: Collection[str]) -> str:
    """Write a line for each word: the word, with * before it if it was trained on, and its readings, a character a phoneme."""
    lines = []
    for word, readings in known.items():
        signs = ["".join(chr(FIRST_SIGN + number) for number in phonemes.encode(reading).tolist()) for reading in readings]
        lines.append("\t".join(["*" * (word in trained_on) + word, *signs]))
    return "\n".join(lines)
