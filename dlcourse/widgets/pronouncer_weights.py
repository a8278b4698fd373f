"""The weights of a spelling model as the page reads them, in 8 bits a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dlcourse.layers.early_attention import AdditiveAttention
from dlcourse.models.seq2seq import Seq2Seq

__all__ = ["pack", "parts", "rounded", "shape"]

MOST = 127  # of an int8
LARGEST = torch.finfo(torch.float16).max


def shape(model: Seq2Seq) -> dict[str, Any]:
    """Return the sizes and settings by which the page finds its way in the packed bytes.

    Raises TypeError for another model, ValueError for one without attention, which has no alignment to show.
    """
    if not isinstance(model, Seq2Seq):
        raise TypeError(f"a {type(model).__name__} given; wanted is a dlcourse.models.seq2seq.Seq2Seq")
    if model.attention_name is None:
        raise ValueError("a model with attention=None has no alignment to show; wanted is additive, dot or scaled_dot")
    return {
        "cell": model.cell,
        "width": model.encoder.hidden_size,
        "directions": model.directions,
        "layers": model.encoder.num_layers,
        "attention": model.attention_name,
    }


def parts(model: Seq2Seq) -> Iterator[tuple[str, Tensor]]:
    """Yield what the page computes with, by name, in the order of the bytes: matrices and, of one axis, biases.

    A token's embedding acts on nothing but the input weights of the first layer, so the two travel multiplied out: a table with a
    row of G·W numbers for each letter and direction, and of G·H for each phoneme, with G gates and W = H / directions.
    """
    weights = dict(model.named_parameters())
    for layer in range(model.encoder.num_layers):
        for end in (f"l{layer}", f"l{layer}_reverse")[: model.directions]:
            yield from _recurrent(f"encoder.{end}", model.encoder, end, None if layer else model.source_embedding.weight)
    yield from _recurrent("decoder", model.decoder, "l0", model.target_embedding.weight)
    if isinstance(model.attention, AdditiveAttention):
        for name in ("query", "key", "output"):
            yield f"attention.{name}", weights[f"attention.{name}.weight"]
    for name in ("combine.weight", "combine.bias", "output.weight", "output.bias"):
        yield name, weights[name]


def _recurrent(name: str, module: nn.Module, end: str, embedding: Tensor | None) -> Iterator[tuple[str, Tensor]]:
    weight, bias = getattr(module, f"weight_ih_{end}"), getattr(module, f"bias_ih_{end}")
    if embedding is None:
        yield from ((f"{name}.weight_ih", weight), (f"{name}.bias_ih", bias))
    else:
        yield f"{name}.table", embedding @ weight.T + bias  # (V, G·W)
    for kind in ("weight_hh", "bias_hh"):
        yield f"{name}.{kind}", getattr(module, f"{kind}_{end}")


def rounded(part: Tensor) -> tuple[Tensor, Tensor]:
    """Round a matrix (R, C) to 8 bits: int8 numbers (R, C), and for each row a float16 scale (R, 1) to multiply them by."""
    scales = (part.abs().amax(dim=1, keepdim=True) / MOST).half()
    steps = part / scales.float().clamp(min=2**-24)  # the smallest float16: a row of zeros stays one
    return steps.round().clamp(-MOST, MOST).to(torch.int8), scales


@torch.no_grad()
def pack(model: Seq2Seq) -> bytes:
    """Return the weights as bytes: of each matrix its rows' scales and then its numbers, of each bias float16, little-endian."""
    packed = []
    for name, part in parts(model):
        values = part.detach().cpu().float()
        _check(name, values)
        if values.ndim == 1:
            packed.append(values.half().numpy().astype("<f2").tobytes())
        else:
            numbers, scales = rounded(values)
            packed += [scales.numpy().astype("<f2").tobytes(), numbers.numpy().tobytes()]
    return b"".join(packed)


def _check(name: str, values: Tensor) -> None:
    largest = values.abs().max().item()
    if not largest <= LARGEST:  # nor is nan
        raise ValueError(f"{name} has a weight of {largest:g}; train the model again with a smaller learning rate")
