"""The gates of a trained LSTM on a text that the reader types, unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets
from ipywidgets import widget_serialization

from dlcourse.data.text import Vocabulary
from dlcourse.models.language_model import RecurrentLanguageModel
from dlcourse.widgets import assets
from dlcourse.widgets.language_weights import LanguageWeights
from dlcourse.widgets.unit_properties import PROPERTIES, correlations

__all__ = ["GateViewer"]

LONGEST = 240
WORDS = {
    "name": "Gates of an LSTM",
    "try": "Type a text, point at a character, choose a unit. Then let the picture show another gate.",
    "notice": "Notice a forget gate that stays near 1: its cell carries a number along the line. Where the gate falls to 0, the "
    "cell forgets, and the input gate decides what is written in its place.",
    "keys": "Keyboard: in the picture, left and right arrows move along the text (Home and End: to its ends), up and down arrows "
    "from unit to unit, Page Up and Page Down by {rows} units.",
    "small_print": "Cells are coloured by tanh c, which is what the output gate lets through. Units are sorted by r, "
    "the correlation of tanh c with a property of the text over {count} characters: {order}",
    "order_all": "beside a unit stands the property it follows best; each property in turn brings its next unit.",
    "order_one": "the largest |r| with this property first.",
    "text": "Text",
    "picture": "The units along the text",
    "picture_role": "heat map with a cursor",
    "quantity": "Colour shows",
    "cell": "cell c",
    "hidden": "hidden h",
    "forget": "forget f",
    "input": "input i",
    "candidate": "candidate g",
    "output": "output o",
    "sort": "Sort units by",
    "sort_all": "all properties in turn",
    "property_newline": "new line",
    "property_name": "speaker’s name",
    "property_capital": "capitals",
    "property_space": "space",
    "property_punctuation": "punctuation",
    "property_vowel": "vowels",
    "property_line": "place in line",
    "property_word": "place in word",
    "newline": "new line",
    "space": "space",
    "rest": "all others",
    "units": "Units {first} to {last} of {count}",
    "previous": "Previous units",
    "following": "Next units",
    "move": "Move the cursor",
    "left": "Character before",
    "right": "Character after",
    "up": "Unit above",
    "down": "Unit below",
    "unit": "unit {unit}",
    "follows": "r = {r} with “{property}”: its cell {way} with it.",
    "rises": "rises",
    "falls": "falls",
    "at": "Unit {unit} at “{character}”",
    "step_cell": "cₜ = f · cₜ₋₁ + i · g = {f} · {before} + {i} · {g} = {c}",
    "step_hidden": "hₜ = o · tanh cₜ = {o} · {squashed} = {h}",
    "keeps": "The cell keeps {percent} of what it held.",
    "next": "Probability of the next character",
    "bars": "Expected after “{context}”",
    "typed_says": "▸ next in the text: “{character}”, {percent}, {bits} bits.",
    "typed_end": "Here the text ends.",
    "empty": "Nothing that the network can read: type a text.",
    "left_out": "Left out, for the network never saw them: {characters}",
    "status": "“{character}”, unit {unit}, {quantity} {value}. {step}",
}


class GateViewer(anywidget.AnyWidget):
    """What the gates of a one-layer LSTM do on a typed text, computed in the page itself, without a kernel.

    `model` is a dlcourse.models.language_model.RecurrentLanguageModel with cell="lstm" and one layer, that reads the characters of
    `vocabulary`; `text` (at most 240 characters) is what it reads first. Rows are units, columns characters, colours one of the
    gates, the candidate, cell or hidden state; of the chosen unit all six are drawn as lines, and below stands what the network
    expects next. Units come in the order of their correlation with properties of `sample`, a longer text (None: `text` itself).
    The weights travel in 16 bits, and once for all widgets that show the same model. In a notebook `text` and `unit` can be read
    and set. ValueError for another cell, more layers, a longer text, a sample without a known character, and as
    LanguageWeights.of for the model.
    """

    _esm = assets.script("sampling", "recurrent_math", "next_characters", "gate_drawing", "gate_viewer")
    _css = assets.style("next_characters", "gate_viewer")

    network: traitlets.Instance[LanguageWeights] = traitlets.Instance(LanguageWeights).tag(sync=True, **widget_serialization)
    text = traitlets.Unicode("").tag(sync=True)
    unit = traitlets.Int(0, min=0, help="The chosen unit.").tag(sync=True)
    properties: traitlets.List[str] = traitlets.List(traitlets.Unicode(), help="The P properties.").tag(sync=True)
    strengths: traitlets.List[Any] = traitlets.List(help="Correlations (P, H), in hundredths.").tag(sync=True)
    sample_size = traitlets.Int(help="Characters over which they were computed.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        model: RecurrentLanguageModel,
        vocabulary: Vocabulary,
        *,
        text: str,
        sample: str | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        network = LanguageWeights.of(model, vocabulary)
        if network.cell != "lstm" or network.num_layers != 1:
            raise ValueError(f"cell={network.cell!r}, num_layers={network.num_layers} given; wanted is an lstm of one layer")
        if len(text) > LONGEST:
            raise ValueError(f"a text of {len(text)} characters given; at most {LONGEST} fit")
        known = "".join(c for c in (text if sample is None else sample) if c in vocabulary)
        found = correlations(model, vocabulary, known)
        super().__init__(
            network=network,
            text=text,
            unit=int(abs(found).max(axis=0).argmax()),
            properties=list(PROPERTIES),
            strengths=(found * 100).round().astype(int).tolist(),
            sample_size=len(known),
            words=WORDS | dict(words or {}),
        )
