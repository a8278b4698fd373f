"""Type a text and see which runs of words a sentence CNN goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from numpy.typing import NDArray

from dlcourse.data.text import Vocabulary
from dlcourse.models.sentence_cnn import SentenceCNN
from dlcourse.widgets import assets

__all__ = ["NgramHighlighter"]

LARGEST = 127  # of an int8
WORDS = {
    "name": "A sentence CNN reads what you type",
    "try": "Change the text, or write your own. Which word tips the verdict? Which words could go without changing it?",
    "notice": "Notice that a filter counts only through its strongest window. Paste the text twice, and only the windows across "
    "the seam can change anything.",
    "keys": "Shaded: the share of the evidence that each word carries. Dotted line: a word the network does not know; it reads "
    "all of these alike. Choose a run of words in a list to select it in the text.",
    "text": "Text that the network reads",
    "placeholder": "Write a text here",
    "examples": "Examples",
    "clear": "Clear",
    "verdict": "{label}, {percent}",
    "verdict_empty": "Nothing to read yet",
    "gauge": "Probability of {label}: {percent}",
    "sum": "Windows towards {one} {positive}, towards {zero} {negative}, bias {bias}: log-odds {odds}, "
    "and σ({odds}) = {percent} {one}.",
    "sum_empty": "Type a word: a text without one has no window, and a maximum over no window has no value.",
    "towards": "Strongest towards {label}",
    "none": "No run of words pushes towards {label}.",
    "run": "towards {label}, won {filters} of {total} filters",
    "counts": "{words} words and signs",
    "counts_unknown": "{words} words and signs, {unknown} of them unknown to the network",
    "counts_all_unknown": "{words} words and signs, none of them known to the network",
    "counts_cut": "{counts}; only the first {limit} are read",
    "caret": "“{word}” pushes {value} towards {label}; windows with it won {filters} of {total} filters.",
    "caret_none": "“{word}” pushes nothing: no window with it won.",
    "caret_unknown": "Unknown: {rest}",
    "caret_cut": "“{word}” comes after the first {limit} words and signs, and is not read.",
    "caret_away": "Put the cursor on a word to read what it adds.",
}


class NgramHighlighter(anywidget.AnyWidget):
    """A text to type, read in the page by `model` (models.sentence_cnn.SentenceCNN with two classes), without a kernel.

    The text is cut as ``data.text.words`` cuts it and numbered by `vocabulary`; the first `max_length` tokens are read. Each
    filter counts through the one window that won its maximum. What it adds to the log-odds of ``labels[1]`` against ``labels[0]``
    is shared out evenly among the words of that window: the shares and the bias add up to the log-odds. Shown are the words'
    shares, the strongest windows towards either label, and the probability. `examples` maps names to texts.

    The embedding travels as 8-bit numbers, each row on a scale of its own, all else in 16 bits: the page computes what
    ``rounded(model)`` computes. On the tests' network that is within 0.01 of the model's own probability. In a notebook `text` can
    be read and set. TypeError for another model or vocabulary; ValueError for a model that does not fit the vocabulary, has other
    than two classes, was made with ``masked=False``, or has weights that are not finite.
    """

    _esm = assets.script("ngram_network", "ngram_highlighter")
    _css = assets.style("ngram_highlighter")

    text = traitlets.Unicode(help="What is typed.").tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode(), help="The vocabulary, in the order of its numbers.").tag(sync=True)
    unknown = traitlets.Int(help="The number of a word that the vocabulary does not hold.").tag(sync=True)
    embedding = traitlets.Bytes(b"", help="int8 (V, D): the rows over their scales.").tag(sync=True)
    parameters = traitlets.Bytes(b"", help="float16: scales (V,), weights and biases of the convolutions, of the output.").tag(
        sync=True
    )
    embedding_dim = traitlets.Int().tag(sync=True)
    num_filters = traitlets.Int().tag(sync=True)
    kernel_sizes = traitlets.List(traitlets.Int()).tag(sync=True)
    max_length = traitlets.Int(help="How many tokens are read.").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode(), help="The names of classes 0 and 1.").tag(sync=True)
    examples: traitlets.List[Any] = traitlets.List(help="Texts to try: name and text.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        model: SentenceCNN,
        vocabulary: Vocabulary,
        *,
        text: str,
        labels: tuple[str, str] = ("good mail", "spam"),
        examples: Mapping[str, str] | None = None,
        max_length: int = 200,
        words: Mapping[str, str] | None = None,
    ) -> None:
        _check(model, vocabulary)
        if len(labels) != 2:
            raise ValueError(f"{len(labels)} labels given; wanted are two, of class 0 and of class 1")
        if max_length < 1:
            raise ValueError(f"max_length={max_length}: at least 1 token must be read")
        embedding, parameters = _packed(model)
        super().__init__(
            text=text,
            tokens=vocabulary.tokens,
            unknown=vocabulary.unknown,
            embedding=embedding.tobytes(),
            parameters=parameters.tobytes(),
            embedding_dim=embedding.shape[1],
            num_filters=_num_filters(model),
            kernel_sizes=list(model.kernel_sizes),
            max_length=max_length,
            labels=list(labels),
            examples=[{"name": name, "text": example} for name, example in (examples or {}).items()],
            words=WORDS | dict(words or {}),
        )


def rounded(model: SentenceCNN) -> SentenceCNN:
    """Return a copy of `model`, ready to predict, with the weights that travel to the page."""
    embedding, parameters = _packed(model)
    values = torch.from_numpy(parameters.astype(np.float32))
    twin = SentenceCNN(
        len(embedding),
        model.output.weight.shape[0],
        embedding_dim=embedding.shape[1],
        kernel_sizes=model.kernel_sizes,
        num_filters=_num_filters(model),
        padding=model.padding,
    )
    scales, rest = values[: len(embedding)], values[len(embedding) :]
    with torch.no_grad():
        twin.embedding.weight.copy_(torch.from_numpy(embedding.astype(np.float32)) * scales[:, None])
        for parameter in _sixteen_bit(twin):
            parameter.copy_(rest[: parameter.numel()].view_as(parameter))
            rest = rest[parameter.numel() :]
    return twin.eval()


def _num_filters(model: SentenceCNN) -> int:
    """Return the number of filters of each width."""
    return int(model.output.weight.shape[1]) // len(model.kernel_sizes)


def _packed(model: SentenceCNN) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Return the embedding as int8 (V, D), and its scales with all other parameters as one row of float16."""
    table = model.embedding.weight.detach().cpu().double().numpy()  # (V, D)
    scales = (np.abs(table).max(axis=1) / LARGEST).astype("<f2")
    divisors = np.where(scales > 0, scales, 1).astype(np.float64)[:, None]
    whole = np.clip(np.rint(table / divisors), -LARGEST, LARGEST).astype(np.int8)
    others = [parameter.detach().cpu().float().numpy().ravel() for parameter in _sixteen_bit(model)]
    return whole, np.concatenate([scales, *others]).astype("<f2")


def _sixteen_bit(model: SentenceCNN) -> list[torch.Tensor]:
    """Return the parameters that travel in 16 bits, in their order."""
    layers = [*model.convolutions, model.output]
    return [parameter for layer in layers for parameter in (layer.weight, layer.bias)]


def _check(model: SentenceCNN, vocabulary: Vocabulary) -> None:
    """Raise an error for a model or a vocabulary that the page cannot read with."""
    if not isinstance(model, SentenceCNN):
        raise TypeError(f"a {type(model).__name__} given; NgramHighlighter reads with dlcourse.models.sentence_cnn.SentenceCNN")
    if not isinstance(vocabulary, Vocabulary):
        raise TypeError(f"a {type(vocabulary).__name__} given; wanted is a dlcourse.data.text.Vocabulary")
    rows, classes = model.embedding.weight.shape[0], model.output.weight.shape[0]
    if rows != len(vocabulary):
        raise ValueError(f"the model has {rows} word vectors, the vocabulary {len(vocabulary)} tokens: they belong to others")
    if vocabulary.unknown is None:
        raise ValueError("the vocabulary has no number for unknown words, and a reader may type any")
    if classes != 2:
        raise ValueError(f"a model of {classes} classes given; the page weighs one class against one other")
    if not model.masked:
        raise ValueError("a model made with masked=False given: windows of padding compete in it, and the page has no padding")
    if not all(parameter.isfinite().all() and parameter.abs().max() < 60_000 for parameter in model.parameters()):
        raise ValueError("the model has weights that are not finite, or too large for 16 bits; train it again with a smaller rate")
