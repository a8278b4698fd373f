"""What every head of a trained GPT reads in a text that the reader types."""

from __future__ import annotations

from collections.abc import Mapping

import anywidget
import traitlets
from ipywidgets import widget_serialization

from dlcourse.data.text import Vocabulary
from dlcourse.widgets import assets
from dlcourse.widgets.transformer_weights import TransformerWeights, characters_of, check_head

__all__ = ["HABITS", "HeadViewer"]

LONGEST = 200
HABITS = {  # what both widgets say of a head
    "short_itself": "itself",
    "short_previous": "1 back",
    "short_near": "2–4 back",
    "short_same": "same letter",
    "short_after": "after same",
    "short_word": "word start",
    "short_line": "line start",
    "short_spread": "spread",
    "does_itself": "This head mostly looks at the character itself: {share} of its attention; spread evenly it would be {chance}.",
    "does_previous": "This head looks one back: {share} of its attention; spread evenly it would be {chance}.",
    "does_near": "This head looks two to four back: {share} of its attention; spread evenly it would be {chance}.",
    "does_same": "This head looks at the same letter further back: {share} of its attention; spread evenly it would be {chance}.",
    "does_after": "This head looks at what followed the same letter before: {share} of its attention; spread evenly it would "
    "be {chance}.",
    "does_word": "This head looks at the start of the word: {share} of its attention; spread evenly it would be {chance}.",
    "does_line": "This head looks at the start of the line: {share} of its attention; spread evenly it would be {chance}.",
    "does_spread": "This head has none of the habits that are measured.",
    "spread": "On average it reads about {count} characters at once.",
    "heads": "All heads, layer by layer, with their main habit",
    "head": "Layer {layer}, head {head}",
    "read": "What it reads most",
    "newline": "new line",
    "space": "space",
    "left_out": "Left out, for the network never saw them: {characters}",
}
WORDS = HABITS | {
    "name": "Heads of a GPT",
    "try": "Choose a head, then point at a character below: lines lead to the characters that it reads. Type a text of your own.",
    "notice": "Notice that heads share the work: one looks at the character before, another at the start of the line, though "
    "nobody told them to. But that a head reads a character does not yet mean that the network makes use of it.",
    "keys": "Keyboard: arrow keys choose a head; in the text with lines they move the character, and Home and End go to its ends.",
    "small_print": "In a map, rows are the characters that read, columns those that are read; both run from the start of the text, "
    "at most {limit} characters. Colour grows with the square root of the weight and is full at one half. Lines are drawn "
    "from 2\u00a0%. A habit’s share is a mean over the characters for which there is such a place; the last four count places "
    "at least two back.",
    "text": "Text",
    "map": "Down: the character that reads. Across: what it reads.",
    "lines": "The text, with lines from the chosen character to those it reads",
    "lines_role": "text with a cursor",
    "left": "Character before",
    "right": "Character after",
    "reads": "“{character}” reads",
    "habits": "Its habits over the whole text",
    "habits_tick": "thin line: if attention were spread evenly",
    "habit_itself": "itself",
    "habit_previous": "one back",
    "habit_near": "two to four back",
    "habit_same": "the same letter",
    "habit_after": "after the same",
    "habit_word": "start of the word",
    "habit_line": "start of the line",
    "empty": "Nothing that the network can read: type a text.",
}


class HeadViewer(anywidget.AnyWidget):
    """The attention of every head of a GPT on a typed text, computed in the page itself, without a kernel.

    `weights` are those of a dlcourse.models.gpt.GPT that reads the characters of `vocabulary`; `text` is what it reads first, at
    most its max_length and 200 characters. Small maps show all heads; of the chosen one (`layer` and `head` count from 0) a large
    map is drawn, and lines from one character to those that it reads. What each head tends to read is measured over the text: its
    mean attention to the character itself, to the one before, to the same letter, to the start of word and line, beside what an
    even spread would give. In a notebook `text`, `layer` and `head` can be read and set. ValueError for a longer text, a head that
    is not there, and a vocabulary of another size or with tokens that are not one character.
    """

    _esm = assets.script(
        "canvas",
        "sampling",
        "transformer_math",
        "next_characters",
        "head_habits",
        "head_maps",
        "head_lines",
        "head_viewer",
    )
    _css = assets.style("head_maps", "head_viewer")

    network: traitlets.Instance[TransformerWeights] = traitlets.Instance(TransformerWeights).tag(sync=True, **widget_serialization)
    tokens: traitlets.List[str] = traitlets.List(traitlets.Unicode(), help="The V characters, by number.").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    limit = traitlets.Int(help="The most characters that can be typed.").tag(sync=True)
    layer = traitlets.Int(0, min=0, help="The chosen layer, from 0.").tag(sync=True)
    head = traitlets.Int(0, min=0, help="The chosen head, from 0.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        weights: TransformerWeights,
        vocabulary: Vocabulary,
        *,
        text: str,
        layer: int = 0,
        head: int = 0,
        words: Mapping[str, str] | None = None,
    ) -> None:
        tokens = characters_of(weights, vocabulary)
        check_head(weights, layer, head)
        limit = min(LONGEST, weights.shape["max_length"])
        if len(text) > limit:
            raise ValueError(f"a text of {len(text)} characters given; at most {limit} fit")
        super().__init__(
            network=weights,
            tokens=tokens,
            text=text,
            limit=limit,
            layer=layer,
            head=head,
            words=WORDS | dict(words or {}),
        )
