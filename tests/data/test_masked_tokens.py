"""Masking is BERT's: 15 % are asked for, of which 80 % are hidden, 10 % replaced and 10 % left."""

import pytest
import torch

from dlcourse.data.masked_tokens import IGNORED, MaskedBatches, mask_tokens

RULE = {"mask": 2, "vocab_size": 50, "num_specials": 3}


def some_texts(count, length):
    return torch.randint(3, 50, (count, length), generator=torch.Generator().manual_seed(1))


def masked(tokens, seed=0, **settings):
    return mask_tokens(tokens, generator=torch.Generator().manual_seed(seed), **{**RULE, **settings})


def test_what_is_asked_for_is_what_stood_there_and_all_else_stays_as_it_was():
    tokens = some_texts(30, 20)
    inputs, targets = masked(tokens)
    asked = targets != IGNORED
    assert inputs.shape == targets.shape == (30, 20)
    assert (asked.sum(1) == 3).all()  # 15 % of 20
    assert torch.equal(targets[asked], tokens[asked])
    assert torch.equal(inputs[~asked], tokens[~asked])


def test_eighty_in_a_hundred_are_hidden_ten_replaced_and_ten_left():
    tokens = some_texts(2000, 40)
    inputs, targets = masked(tokens)
    asked = targets != IGNORED
    found, stood = inputs[asked], tokens[asked]
    hidden, left = (found == 2).double().mean(), (found == stood).double().mean()
    assert hidden.item() == pytest.approx(0.8, abs=0.02)
    assert left.item() == pytest.approx(0.1 + 0.1 / 47, abs=0.02)
    replaced = found[(found != 2) & (found != stood)]
    assert set(replaced.tolist()) == set(range(3, 50))


def test_every_place_is_asked_for_as_often():
    asked = masked(some_texts(4000, 8), share=0.25)[1] != IGNORED
    assert (asked.double().mean(0) - 0.25).abs().max() < 0.03


def test_specials_are_never_asked_for_and_short_texts_are_asked_for_one():
    tokens = torch.tensor([[1, 4, 0, 0, 0, 0, 0], [1, 5, 6, 7, 8, 9, 1], [2, 3, 1, 1, 1, 3, 0]]).repeat(50, 1)
    inputs, targets = masked(tokens)
    asked = targets != IGNORED
    assert (asked.sum(1) == 1).all()
    assert (tokens[asked] >= 3).all()
    assert torch.equal(inputs[tokens < 3], tokens[tokens < 3])


def test_a_share_of_one_asks_for_everything():
    tokens = some_texts(3, 5)
    assert torch.equal(masked(tokens, share=1.0)[1], tokens)


def test_the_seed_decides():
    tokens = some_texts(4, 20)
    for one, same, other in zip(masked(tokens, 1), masked(tokens, 1), masked(tokens, 2), strict=True):
        assert torch.equal(one, same)
        assert not torch.equal(one, other)


def test_each_pass_has_every_text_once_with_other_tokens_hidden():
    tokens = some_texts(10, 20)
    batches, twin = (MaskedBatches(tokens, batch_size=4, seed=5, **RULE) for _ in range(2))
    assert len(batches) == 3
    passes = [list(batches), list(batches)]
    assert [len(inputs) for inputs, _ in passes[0]] == [4, 4, 2]
    wholes = []
    for batch in passes:
        inputs, targets = (torch.cat(parts) for parts in zip(*batch, strict=True))
        texts = targets.where(targets != IGNORED, inputs)
        assert sorted(texts.tolist()) == sorted(tokens.tolist())
        wholes.append(sorted(inputs.tolist()))
    assert wholes[0] != wholes[1]
    assert all(torch.equal(a, b) for one, other in zip(passes[0], twin, strict=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("tokens", "settings", "message"),
    [
        ([[4, 5], [0, 1]], {}, "text 1 of the batch has no token to ask for, only specials"),
        ([4, 5], {}, r"tokens of shape \(2,\) given; \(B, T\) wanted"),
        ([[4, 5]], {"share": 0.0}, "share=0.0: a part of the tokens is wanted"),
        ([[4, 5]], {"share": 1.5}, "share=1.5"),
        ([[4, 5]], {"mask": 3}, "mask=3, num_specials=3, vocab_size=50: 0 ≤ mask < num_specials < vocab_size"),
        ([[4, 5]], {"vocab_size": 3}, "vocab_size=3: 0 ≤ mask"),
    ],
)
def test_what_cannot_be_masked_is_refused(tokens, settings, message):
    with pytest.raises(ValueError, match=message):
        masked(torch.tensor(tokens), **settings)
    with pytest.raises(ValueError, match=message):
        MaskedBatches(torch.tensor(tokens), batch_size=2, **{**RULE, **settings})


def test_numbers_of_another_dtype_and_empty_batches_are_refused():
    with pytest.raises(TypeError, match=r"tokens of dtype torch.float32 given"):
        masked(torch.ones(2, 3))
    with pytest.raises(ValueError, match="batch_size=0"):
        MaskedBatches(some_texts(2, 3), batch_size=0, **RULE)
