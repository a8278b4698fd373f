"""A trained language model as the page reads it: its weights in 16 bits, carried once however many widgets show it."""

from __future__ import annotations

import hashlib
from weakref import WeakValueDictionary

import torch
import traitlets
from ipywidgets import Widget
from torch import Tensor

from dlcourse.data.text import Vocabulary
from dlcourse.models.language_model import RecurrentLanguageModel

__all__ = ["LanguageWeights"]

LARGEST = torch.finfo(torch.float16).max


class LanguageWeights(Widget):  # type: ignore[misc]  # ipywidgets has no types
    """The weights of a RecurrentLanguageModel over characters, to which widgets refer; it shows nothing itself.

    The embedding and the first layer's input weights act on a character one after the other with nothing between them, so they
    travel multiplied out: one row of G·H numbers a character, G = 1, 3 or 4 gates. All weights are float16, two bytes each, and the
    page computes with them in float64: probabilities change by less than 1e-3, the bound of the tests. H = 256 with V = 64 adds
    0.9 MB to a page. Make it with ``of``, which gives the same object for the same weights.
    """

    cell = traitlets.Enum(["rnn", "gru", "lstm"], "lstm").tag(sync=True)
    hidden_size = traitlets.Int(help="H").tag(sync=True)
    num_layers = traitlets.Int(help="L").tag(sync=True)
    tokens: traitlets.List[str] = traitlets.List(traitlets.Unicode(), help="The V characters, by number.").tag(sync=True)
    weights = traitlets.Bytes(b"", help="float16, little-endian, in the order of `rounded`.").tag(sync=True)

    @classmethod
    def of(cls, model: RecurrentLanguageModel, vocabulary: Vocabulary) -> LanguageWeights:
        """Pack `model`, which reads the characters of `vocabulary`, or find it packed.

        Raises TypeError for another model, ValueError where model and vocabulary disagree about V, where a token is not one
        character, and for weights that are not finite or too large for 16 bits.
        """
        if not isinstance(model, RecurrentLanguageModel):
            raise TypeError(f"a {type(model).__name__} given; wanted is a dlcourse.models.language_model.RecurrentLanguageModel")
        vocab_size = len(model.output.weight)
        if len(vocabulary) != vocab_size:
            raise ValueError(f"the model knows {vocab_size} tokens and the vocabulary {len(vocabulary)}; both must be the same")
        longer = [token for token in vocabulary.tokens if len(token) != 1]
        if longer:
            raise ValueError(f"{longer[0]!r} is not one character; wanted is a vocabulary of characters, built with specials=()")
        traits = {
            "cell": type(model.recurrent).__name__.lower(),
            "hidden_size": model.recurrent.hidden_size,
            "num_layers": model.recurrent.num_layers,
            "tokens": list(vocabulary.tokens),
            "weights": torch.cat([part.flatten() for part in rounded(model)]).numpy().astype("<f2").tobytes(),
        }
        key = hashlib.sha256(repr(sorted(traits.items())).encode()).hexdigest()
        if key not in _PACKED or _PACKED[key].comm is None:  # closed ones are of no use to a page
            _PACKED[key] = cls(**traits)
        return _PACKED[key]


_PACKED: WeakValueDictionary[str, LanguageWeights] = WeakValueDictionary()


def rounded(model: RecurrentLanguageModel) -> list[Tensor]:
    """Return what the page computes with, rounded to 16 bits, as float16 tensors.

    First the table of the first layer's inputs (V, G·H), `weight_ih @ embedding + bias_ih` for each character; then for each layer
    weight_ih (G·H, H) and bias_ih (G·H,), which the first does not need, weight_hh (G·H, H), bias_hh (G·H,); then the output's
    weight (V, H) and bias (V,). Gates in PyTorch's order. Raises ValueError as ``LanguageWeights.of`` does.
    """
    recurrent = model.recurrent
    with torch.no_grad():
        table = model.embedding.weight @ recurrent.weight_ih_l0.T + recurrent.bias_ih_l0  # (V, G·H)
        parts = [table]
        for layer in range(recurrent.num_layers):
            names = ("weight_hh", "bias_hh") if layer == 0 else ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
            parts += [getattr(recurrent, f"{name}_l{layer}") for name in names]
        parts += [model.output.weight, model.output.bias]
        parts = [part.detach().cpu().float() for part in parts]
    if not all(torch.isfinite(part).all() for part in parts):
        raise ValueError("the model has weights that are not finite; train it again with a smaller learning rate")
    largest = max(part.abs().max().item() for part in parts)
    if largest > LARGEST:
        raise ValueError(f"a weight of {largest:g} is too large for 16 bits, which end at {LARGEST:g}")
    return [part.half() for part in parts]
