"""A GPT that writes in the page, one character at a time, with its probabilities and all its heads in view."""

from __future__ import annotations

import math
from collections.abc import Mapping

import anywidget
import traitlets
from ipywidgets import widget_serialization

from dlcourse.data.text import Vocabulary
from dlcourse.widgets import assets
from dlcourse.widgets.head_viewer import HABITS
from dlcourse.widgets.transformer_weights import TransformerWeights, characters_of, check_head

__all__ = ["TransformerWriter"]

LONGEST_PROMPT = 200
WORDS = HABITS | {
    "name": "A GPT that writes",
    "try": "Let it write, pause, and choose a head: the text shows what that head reads. Then take a few characters back, change "
    "the temperature or top-k, and let it go on.",
    "notice": "Notice that heads differ: some always look one back, some far. Top-k and top-p cut off what is unlikely: a bar with "
    "nothing but its thin line can no longer be drawn. Where the text turns grey, the network has forgotten it.",
    "small_print": "The network sees at most {most} characters. When they are full it forgets all but the last {kept} and reads "
    "on; what it no longer sees is grey. Surprise is −log₂ of the probability that it gave, at temperature 1 and with nothing cut "
    "off, to the character that was drawn. It knows {count} kinds of characters.",
    "keys": "Keyboard: in the text, left and right arrows go back and forth over what was written, End returns to its end; in the "
    "maps arrow keys choose a head.",
    "prompt": "Prompt",
    "play": "Write",
    "pause": "Pause",
    "step": "One character",
    "back": "Take one back",
    "reset": "Start again",
    "other": "Other seed",
    "seed_shown": "Seed {seed}: the same seed, prompt and settings write the same text.",
    "speed": "Characters a second",
    "temperature": "Temperature",
    "topK": "Top-k: likeliest kept",
    "topP": "Top-p: share kept",
    "cold": "0: the likeliest",
    "hot": "2",
    "one_left": "1",
    "few": "5\u00a0%",
    "most": "100\u00a0%",
    "all": "all",
    "colour": "Colour shows",
    "colour_attention": "what the head reads",
    "colour_surprise": "surprise",
    "text": "The text so far; scroll or use the arrow keys",
    "legend_attention": "The head’s attention",
    "legend_surprise": "Surprise in bits",
    "rest": "all others",
    "next": "Probability of the next character",
    "bars_next": "What could come next",
    "bars_was": "Before “{character}” was drawn",
    "tick": "▸ drawn; thin line: at temperature 1, nothing cut off",
    "count": "{count} characters written",
    "bits": "{bits} bits per character",
    "one": "“{character}”: {percent}, {bits} bits",
    "reads": "“{character}” reads",
    "empty": "No character that the network knows: it starts as after a new line.",
    "full": "The page is full after {count} characters. Start again.",
    "state_playing": "Writing.",
    "state_paused": "Paused.",
}


class TransformerWriter(anywidget.AnyWidget):
    """A GPT that goes on from a prompt, in the page itself, without a kernel, while one watches what its heads read.

    `weights` are those of a dlcourse.models.gpt.GPT that reads the characters of `vocabulary`. The page draws each next character
    as dlcourse.generation.sample does: from softmax(logits / temperature), of it the `top_k` likeliest, of these the fewest that
    make up `top_p`; None keeps all. Where the text outgrows the model's max_length, all but its last half is forgotten, as in
    generation.sliding. Bars show the probabilities with the drawn character marked; the text is tinted by what the chosen head
    reads, or by surprise in bits; a map for each head grows with the text. `layer` and `head` count from 0; None takes the head
    with the strongest habit of looking far back. `seed` decides what is drawn. In a notebook all of these can be read and set, and
    `text` is what was written when it last paused. ValueError for a prompt of more than 200 characters, a temperature outside 0 to
    2, a top_k below 1, a top_p outside 0 to 1, a head that is not there, and a vocabulary of another size or with tokens that are
    not one character.
    """

    _esm = assets.script(
        "sampling",
        "transformer_math",
        "transformer_context",
        "next_characters",
        "writing",
        "head_habits",
        "head_maps",
        "transformer_writer_page",
        "transformer_writer",
    )
    _css = assets.style("next_characters", "head_maps", "writing", "transformer_writer")

    network: traitlets.Instance[TransformerWeights] = traitlets.Instance(TransformerWeights).tag(sync=True, **widget_serialization)
    tokens: traitlets.List[str] = traitlets.List(traitlets.Unicode(), help="The V characters, by number.").tag(sync=True)
    prompt = traitlets.Unicode("").tag(sync=True)
    temperature = traitlets.Float(0.8, min=0.0, max=2.0).tag(sync=True)
    top_k = traitlets.Int(None, allow_none=True, min=1, help="None: all.").tag(sync=True)
    top_p = traitlets.Float(None, allow_none=True, min=0.0, max=1.0, help="None: all.").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=2**31 - 1).tag(sync=True)
    layer = traitlets.Int(-1, min=-1, help="The chosen layer, from 0; −1 until the page has chosen.").tag(sync=True)
    head = traitlets.Int(-1, min=-1, help="The chosen head, from 0; −1 until the page has chosen.").tag(sync=True)
    text = traitlets.Unicode("", help="What was written after the prompt; needs a kernel beside the page.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        weights: TransformerWeights,
        vocabulary: Vocabulary,
        *,
        prompt: str = "ROMEO:",
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        layer: int | None = None,
        head: int | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        tokens = characters_of(weights, vocabulary)
        if len(prompt) > LONGEST_PROMPT:
            raise ValueError(f"a prompt of {len(prompt)} characters given; at most {LONGEST_PROMPT} wanted")
        if not (math.isfinite(temperature) and 0 <= temperature <= 2):
            raise ValueError(f"temperature={temperature}; wanted is a number from 0 to 2")
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k={top_k}: at least 1 is wanted, or None for all")
        if top_p is not None and not 0 < top_p <= 1:
            raise ValueError(f"top_p={top_p}: above 0 and at most 1 is wanted, or None for all")
        if not 0 <= seed < 2**31:
            raise ValueError(f"seed={seed}; wanted is a number from 0 to {2**31 - 1}")
        if (layer is None) != (head is None):
            raise ValueError(f"layer={layer}, head={head}: both are wanted, or neither")
        if layer is not None and head is not None:
            check_head(weights, layer, head)
        super().__init__(
            network=weights,
            tokens=tokens,
            prompt=prompt,
            temperature=temperature,
            top_k=None if top_k is None or top_k >= len(tokens) else top_k,
            top_p=None if top_p == 1 else top_p,
            seed=seed,
            layer=-1 if layer is None else layer,
            head=-1 if head is None else head,
            words=WORDS | dict(words or {}),
        )
