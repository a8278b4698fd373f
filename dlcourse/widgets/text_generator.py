"""A language model that writes in the page, one character at a time, with what it was about to write in view."""

from __future__ import annotations

import math
from collections.abc import Mapping

import anywidget
import traitlets
from ipywidgets import widget_serialization

from dlcourse.data.text import Vocabulary
from dlcourse.models.language_model import RecurrentLanguageModel
from dlcourse.widgets import assets
from dlcourse.widgets.language_weights import LanguageWeights

__all__ = ["TextGenerator"]

LONGEST_PROMPT = 200
WORDS = {
    "name": "Text generator",
    "try": "Type a prompt and let the network go on. Then write the same text at temperature 0, and at 2.",
    "notice": "Notice where the surprise sits: at the first letters of words. The letters after them the network mostly knows.",
    "small_print": "Surprise is −log₂ of the probability that the network itself, at temperature 1, gave the character it wrote: 1 "
    "bit for a half, 2 bits for a quarter. It has read {count} kinds of characters and knows no others.",
    "keys": "Keyboard: in the text, left and right arrows go back and forth over what was written; End returns to its end.",
    "prompt": "Prompt",
    "play": "Write",
    "pause": "Pause",
    "step": "One character",
    "reset": "Start again",
    "seed": "Other seed",
    "seed_shown": "Seed {seed}: the same seed, prompt and temperature write the same text.",
    "speed": "Characters a second",
    "temperature": "Temperature",
    "cold": "0: the likeliest",
    "learnt": "1: as learnt",
    "hot": "2",
    "text": "The text so far; scroll or use the arrow keys",
    "newline": "new line",
    "space": "space",
    "rest": "all others",
    "next": "Probability of the next character",
    "bars_next": "What could come next",
    "bars_was": "Before “{character}” was drawn",
    "tick": "▸ drawn; thin line: at temperature 1",
    "legend": "Surprise in bits",
    "count": "{count} characters written",
    "bits": "{bits} bits per character",
    "one": "“{character}”: {percent}, {bits} bits",
    "left_out": "Left out, for the network never saw them: {characters}",
    "empty": "No character that the network knows: it starts as after a new line.",
    "full": "The page is full after {count} characters. Start again.",
    "state_playing": "Writing.",
    "state_paused": "Paused.",
}


class TextGenerator(anywidget.AnyWidget):
    """A character language model that goes on from a prompt, in the page itself, without a kernel.

    `model` is a dlcourse.models.language_model.RecurrentLanguageModel that reads the characters of `vocabulary`. The page draws
    each next character from softmax(logits / temperature), as dlcourse.generation does; `temperature` is 0 to 2, and 0 takes the
    most likely. Bars show the probabilities with the drawn one marked; each character is tinted by its surprise in bits. `seed`
    decides what is drawn. The weights travel in 16 bits, and once for all widgets that show the same model. In a notebook `prompt`,
    `temperature` and `seed` can be read and set, and `text` is what was written when it last paused. ValueError for a prompt of
    more than 200 characters, a temperature outside 0 to 2, and as LanguageWeights.of for the model.
    """

    _esm = assets.script("sampling", "recurrent_math", "next_characters", "writing", "text_generator")
    _css = assets.style("next_characters", "writing", "text_generator")

    network: traitlets.Instance[LanguageWeights] = traitlets.Instance(LanguageWeights).tag(sync=True, **widget_serialization)
    prompt = traitlets.Unicode("").tag(sync=True)
    temperature = traitlets.Float(0.8, min=0.0, max=2.0).tag(sync=True)
    seed = traitlets.Int(0, min=0, max=2**31 - 1).tag(sync=True)
    text = traitlets.Unicode("", help="What was written after the prompt; needs a kernel beside the page.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        model: RecurrentLanguageModel,
        vocabulary: Vocabulary,
        *,
        prompt: str = "ROMEO:",
        temperature: float = 0.8,
        seed: int = 0,
        words: Mapping[str, str] | None = None,
    ) -> None:
        if len(prompt) > LONGEST_PROMPT:
            raise ValueError(f"a prompt of {len(prompt)} characters given; at most {LONGEST_PROMPT} wanted")
        if not (math.isfinite(temperature) and 0 <= temperature <= 2):
            raise ValueError(f"temperature={temperature}; wanted is a number from 0 to 2")
        if not 0 <= seed < 2**31:
            raise ValueError(f"seed={seed}; wanted is a number from 0 to {2**31 - 1}")
        super().__init__(
            network=LanguageWeights.of(model, vocabulary),
            prompt=prompt,
            temperature=temperature,
            seed=seed,
            words=WORDS | dict(words or {}),
        )
