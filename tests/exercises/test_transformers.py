"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import pytest
import torch
from torch import nn

from dlcourse.exercises.transformers import EXERCISES
from dlcourse.layers.attention import causal_mask
from dlcourse.layers.positional import RotaryEmbedding, sinusoidal
from dlcourse.layers.transformer import TransformerBlock


def verdict(number, answer):
    return EXERCISES[f"transformers-{number}"].check(answer)


RIGHT = (512, 36, 15, 17, 4608)


def test_memory_and_counts_are_those_of_tensors_of_their_shape():
    weights = torch.empty(8, 4096, 4096, device="meta")
    cache = torch.empty(12, 2, 1024, 768, dtype=torch.float16, device="meta")
    sizes = [t.numel() * t.element_size() / 2**20 for t in (weights, cache)]
    pairs = int(causal_mask(5).sum())
    patches = nn.Unfold(7, stride=7)(torch.zeros(1, 1, 28, 28)).shape[2]
    width = 768
    crossing = 12 * width**2 // (2 * width)
    answer = [*sizes, pairs, patches + 1, crossing]
    assert verdict(1, answer) is None
    assert verdict(1, torch.tensor(answer)) is None
    assert verdict(1, RIGHT) is None


@pytest.mark.parametrize(
    ("place", "answer", "hint"),
    [
        (0, 64, "first: That is one head"),
        (0, 256, "two bytes"),
        (0, 536.87, "millions"),
        (0, 8, "One weight for each"),
        (0, "512", "A number is wanted"),
        (1, 18, "second: Keys and values"),
        (1, 72, "four bytes"),
        (1, 3, "one layer"),
        (1, 1, "For each layer"),
        (2, 10, "third: A token may also"),
        (2, 25, "without the mask"),
        (3, 16, "fourth: Those are the patches"),
        (4, 768, "fifth"),
        (4, 9216, "two products"),
        (4, 1, "solve for T"),
    ],
)
def test_each_of_the_five_numbers_has_hints_of_its_own(place, answer, hint):
    assert hint in verdict(1, [*RIGHT[:place], answer, *RIGHT[place + 1 :]])


@pytest.mark.parametrize("answer", [RIGHT[:4], 512, None])
def test_five_numbers_are_wanted(answer):
    assert "5 numbers" in verdict(1, answer)


def test_a_block_has_as_many_parameters_as_torchs():
    ours = TransformerBlock(64, num_heads=4, hidden_size=128)
    theirs = nn.TransformerEncoderLayer(64, 4, 128)
    for block in (ours, theirs):
        assert verdict(2, sum(p.numel() for p in block.parameters())) is None
    weights = sum(p.numel() for p in ours.parameters() if p.ndim == 2)
    assert "biases" in verdict(2, weights)
    attention = sum(p.numel() for p in ours.attention.parameters())
    assert "normalisations" in verdict(2, attention + sum(p.numel() for p in ours.feed_forward.parameters()))
    wide = TransformerBlock(64, num_heads=4, hidden_size=256)
    assert "256" in verdict(2, sum(p.numel() for p in wide.parameters()))


def test_the_code_of_position_0_and_the_length_of_any_other():
    table = sinusoidal(1001, 6)
    right = [*table[0].tolist(), (table[1000] @ table[1000]).item()]
    assert verdict(3, right) is None
    assert verdict(3, torch.tensor(right)) is None
    assert "Sine first" in verdict(3, [1, 0, 1, 0, 1, 0, 3])
    assert "One number more" in verdict(3, table[0].tolist())
    assert "how many pairs" in verdict(3, [0, 1, 0, 1, 0, 1, 6])


def allowed(tokens):
    return causal_mask(tokens.shape[1]) & (tokens != 0)[:, None]


def test_a_mask_hides_the_future_and_the_padding():
    assert verdict(4, allowed) is None
    assert "values are wrong" in verdict(4, lambda tokens: causal_mask(tokens.shape[1]).expand(len(tokens), -1, -1))
    assert "values are wrong" in verdict(4, lambda tokens: (tokens != 0)[:, None].expand(-1, tokens.shape[1], -1))
    assert "values are wrong" in verdict(4, lambda tokens: allowed(tokens).mT)
    assert "values are wrong" in verdict(4, lambda tokens: ~allowed(tokens))
    assert "shape" in verdict(4, lambda tokens: causal_mask(tokens.shape[1]))


def turn(x):
    length, size = x.shape[-2:]
    rates = 10_000.0 ** (-torch.arange(0, size, 2) / size)
    pairs = torch.complex(*x.chunk(2, dim=-1)) * torch.polar(torch.ones(()), torch.arange(length)[:, None] * rates)
    return torch.cat([pairs.real, pairs.imag], dim=-1)


def test_pairs_are_turned_by_their_positions():
    assert verdict(5, turn) is None
    assert verdict(5, lambda x: RotaryEmbedding(x.shape[-1], max_length=99)(x)) is None


def test_turning_back_turning_by_one_and_not_turning_are_wrong():
    assert "values are wrong" in verdict(5, lambda x: RotaryEmbedding(x.shape[-1], max_length=99)(x, 1))
    assert "values are wrong" in verdict(5, lambda x: x)

    def the_other_way(x):
        a, b = turn(torch.cat([x.chunk(2, dim=-1)[0], -x.chunk(2, dim=-1)[1]], dim=-1)).chunk(2, dim=-1)
        return torch.cat([a, -b], dim=-1)

    assert "values are wrong" in verdict(5, the_other_way)


def test_what_top_p_and_top_k_keep():
    p = torch.tensor([0.5, 0.25, 0.15, 0.07, 0.03])
    kept = int((p.cumsum(0) < 0.8).sum()) + 1
    assert verdict(6, [kept, (p[0] / p[:kept].sum()).item(), (p[0] / p[:2].sum()).item()]) is None
    assert verdict(6, (3, 0.556, 0.667)) is None
    assert "has to reach it" in verdict(6, (2, 0.667, 0.667))
    assert "divide" in verdict(6, (3, 0.5, 0.5))
    assert "already hold" in verdict(6, (4, 0.515, 0.667))
    assert "divide" in verdict(6, (5, 0.5, 0.5))
