"""A trained GPT as the page reads it: its matrices in 8 bits a row, carried once however many widgets show it."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
import traitlets
from ipywidgets import Widget
from torch import Tensor, nn

from dlcourse.data.text import Vocabulary
from dlcourse.layers.activations import GELU, ReLU, SiLU, SquaredReLU
from dlcourse.layers.normalization import LayerNorm, RMSNorm
from dlcourse.layers.positional import RotaryEmbedding
from dlcourse.layers.transformer import TransformerBlock
from dlcourse.models.gpt import GPT

__all__ = ["TransformerWeights", "characters_of", "check_head", "rounded"]

ACTIVATIONS: dict[type, str] = {ReLU: "relu", SquaredReLU: "squared_relu", GELU: "gelu", SiLU: "silu"}
NORMS: dict[type, str] = {LayerNorm: "layer", nn.LayerNorm: "layer", RMSNorm: "rms", nn.RMSNorm: "rms"}
LARGEST = 127  # of 8 bits with a sign


class TransformerWeights(Widget):  # type: ignore[misc]  # ipywidgets has no types
    """The weights of a dlcourse.models.gpt.GPT, to which widgets refer; it shows nothing itself.

    Matrices travel as 8-bit numbers, each row on a scale of its own, and all else in 16 bits: about a byte for each weight, so that
    4 layers of width 128 add 1.1 MB to a page. The page computes with them in float64; ``rounded`` gives the model that it
    computes, to measure what rounding does to a loss. Make one for a model and hand it to all widgets that show it: the page then
    carries it once. Raises TypeError for another model, and ValueError for weights that are not finite or too large for 16 bits,
    and for a normalisation or an activation that the page does not know.
    """

    shape: traitlets.Dict[str, Any] = traitlets.Dict(help="Sizes and kinds of layers.").tag(sync=True)
    parts: traitlets.List[Any] = traitlets.List(help="Name, rows and columns (0: a vector) of each tensor.").tag(sync=True)
    weights = traitlets.Bytes(b"", help="Vectors and scales of rows in float16, then rows in int8.").tag(sync=True)

    def __init__(self, model: GPT) -> None:
        if not isinstance(model, GPT):
            raise TypeError(f"a {type(model).__name__} given; wanted is a dlcourse.models.gpt.GPT")
        shape, parts = _shape(model), _parts(model)
        packed = [_packed(part) for part in parts.values()]
        floats = torch.cat([numbers.flatten() for numbers, _ in packed]).numpy().astype("<f2")
        rows = torch.cat([rows.flatten() for _, rows in packed if rows is not None]).numpy()
        super().__init__(
            shape=shape,
            parts=[[name, len(part), part.shape[1] if part.ndim == 2 else 0] for name, part in parts.items()],
            weights=floats.tobytes() + rows.tobytes(),
        )


def rounded(model: GPT) -> GPT:
    """Return a copy of the model with the weights that the page computes with, on the CPU in float32, in eval mode."""
    twin = copy.deepcopy(model).cpu().float().eval()
    tables = [twin.positions.table] if twin.positions is not None else []
    with torch.no_grad():
        for part in (*twin.parameters(), *tables):
            floats, rows = _packed(part)
            part.copy_(floats if rows is None else floats.float() * rows)
    return twin


def characters_of(weights: TransformerWeights, vocabulary: Vocabulary) -> list[str]:
    """Return the characters by number.

    Raises ValueError where the model knows another number of them, and where a token is not one character.
    """
    vocab_size = next(rows for name, rows, _ in weights.parts if name == "embedding")
    if len(vocabulary) != vocab_size:
        raise ValueError(f"the model knows {vocab_size} tokens and the vocabulary {len(vocabulary)}; both must be the same")
    longer = [token for token in vocabulary.tokens if len(token) != 1]
    if longer:
        raise ValueError(f"{longer[0]!r} is not one character; wanted is a vocabulary of characters, built with specials=()")
    return list(vocabulary.tokens)


def check_head(weights: TransformerWeights, layer: int, head: int) -> None:
    """Raise ValueError unless the model has this head of this layer, both counted from 0."""
    layers, heads = weights.shape["num_layers"], weights.shape["num_heads"]
    if not (0 <= layer < layers and 0 <= head < heads):
        raise ValueError(f"layer={layer}, head={head}; the model has layers 0 to {layers - 1} and heads 0 to {heads - 1}")


def _packed(part: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return a vector as float16; of a matrix (R, C) the scales (R, 1), float16, and the rows as whole numbers, int8, to 127.

    Raises ValueError for numbers that are not finite, and for such as are too large for 16 bits.
    """
    part = part.detach()
    if not part.isfinite().all():
        raise ValueError("the model has weights that are not finite; train it again with a smaller learning rate")
    floats = (part if part.ndim == 1 else part.abs().amax(dim=1, keepdim=True) / LARGEST).half()
    if not floats.isfinite().all():
        raise ValueError(f"a weight of {part.abs().max():g} is too large for 16 bits")
    if part.ndim == 1:
        return floats, None
    divisors = floats.float().clamp(min=torch.finfo(torch.float32).tiny)  # a row of zeros stays one
    return floats, (part / divisors).round().clamp(-LARGEST, LARGEST).to(torch.int8)


def _blocks(model: GPT) -> list[TransformerBlock]:
    return cast(list[TransformerBlock], list(model.blocks))


def _shape(model: GPT) -> dict[str, Any]:
    """Return sizes and kinds of layers; ValueError for a kind that the page does not know."""
    blocks = _blocks(model)
    norms: list[Any] = [model.norm, *(norm for block in blocks for norm in (block.attention_norm, block.feed_forward_norm))]
    for norm in norms:
        if type(norm) not in NORMS or (type(norm), norm.eps) != (type(model.norm), model.norm.eps):
            raise ValueError(f"a norm={norm} given; the page knows LayerNorm and RMSNorm, the same everywhere")
    activation = blocks[0].feed_forward.activation
    if type(activation) not in ACTIVATIONS:
        raise ValueError(f"activation={activation} given; the page knows {', '.join(ACTIVATIONS.values())}")
    eps: Any = model.norm.eps
    return {
        "dim": blocks[0].attention.dim,
        "num_heads": blocks[0].attention.num_heads,
        "num_layers": len(blocks),
        "max_length": model.max_length,
        "norm": NORMS[type(model.norm)],
        "eps": torch.finfo(torch.float32).eps if eps is None else eps,
        "activation": ACTIVATIONS[type(activation)],
        "rates": _rates(blocks[0].attention.rotary),
    }


def _parts(model: GPT) -> dict[str, Tensor]:
    """Return all tensors that the page needs, float32 on the CPU, by the names that transformer_math.js knows them by."""
    found: dict[str, Any] = {"embedding": model.embedding.weight}
    if model.positions is not None:
        found["positions"] = model.positions.table
    for number, block in enumerate(_blocks(model)):
        layers = {name: getattr(block.attention, name) for name in ("query", "query_norm", "key", "key_norm", "value", "out")}
        layers |= {name: getattr(block.feed_forward, name) for name in ("hidden", "output")}
        layers |= {name: getattr(block, name) for name in ("attention_norm", "feed_forward_norm")}
        for name, layer in layers.items():
            found |= {f"{number}.{name}.{kind}": getattr(layer, kind, None) for kind in ("weight", "bias")}
    found |= {f"norm.{kind}": getattr(model.norm, kind, None) for kind in ("weight", "bias")}
    if model.output.weight is not model.embedding.weight:
        found["output.weight"] = model.output.weight
    return {name: part.detach().cpu().float() for name, part in found.items() if part is not None}


def _rates(rotary: RotaryEmbedding | None) -> list[float]:
    """Return the K/2 angles by which one step turns the pairs of columns; none without rotary positions."""
    if rotary is None:
        return []
    firsts = torch.cat([torch.ones(1, rotary.dim // 2), torch.zeros(1, rotary.dim // 2)], dim=1)  # of each pair
    turned: Tensor = copy.deepcopy(rotary).cpu()(firsts, start=min(1, rotary.max_length - 1))[0]
    cos, sin = turned.chunk(2)
    return sin.atan2(cos).tolist()
