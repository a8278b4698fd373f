"""The answer is the sequence backwards, and nothing that is held out was ever trained on."""

import pytest
import torch

from dlcourse.data import reversing


def test_the_answer_is_the_sequence_backwards_between_a_start_and_an_end():
    splits = reversing.load(length=4, num_symbols=5, sizes=(50, 7, 6), seed=0)
    assert [len(part) for part in splits] == [50, 7, 6]
    for part in splits:
        sequences, answers = part.tensors
        assert sequences.dtype == answers.dtype == torch.int64
        assert sequences.shape[1:] == (4,)
        assert (answers[:, 0] == 1).all()
        assert (answers[:, -1] == 2).all()
        assert torch.equal(answers[:, 1:-1], sequences.flip(1))
    assert set(splits.train.tensors[0].flatten().tolist()) == set(range(3, 8))


def test_no_sequence_is_drawn_twice_even_when_nearly_all_there_are_are_drawn():
    splits = reversing.load(length=3, num_symbols=4, sizes=(40, 12, 12), seed=1)
    rows = [tuple(row) for part in splits for row in part.tensors[0].tolist()]
    assert len(set(rows)) == 64 == 4**3


def test_every_symbol_is_as_likely_at_every_place():
    sequences = reversing.load(length=6, num_symbols=4, sizes=(3000, 1, 1), seed=0).train.tensors[0]
    shares = torch.stack([(sequences == symbol).double().mean(0) for symbol in range(3, 7)])
    assert (shares - 0.25).abs().max() < 0.04


def test_the_vocabulary_reads_the_numbers_back():
    numbers = reversing.vocabulary(num_symbols=3)
    assert numbers.tokens == ["<pad>", "<s>", "</s>", "0", "1", "2"]
    source, answer = reversing.load(length=2, num_symbols=3, sizes=(1, 1, 1), seed=0).train[0]
    assert numbers.decode(answer) == ["<s>", *reversed(numbers.decode(source)), "</s>"]


def test_the_seed_decides():
    one, same, other = (reversing.load(length=5, sizes=(9, 1, 1), seed=seed).train.tensors[0] for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": 0}, "length=0"),
        ({"sizes": (5, 0, 1)}, r"sizes=\(5, 0, 1\): all must be at least 1"),
        ({"num_symbols": 1}, "num_symbols=1: at least 2 are wanted"),
        ({"length": 2, "num_symbols": 3, "sizes": (8, 1, 1)}, r"10 sequences wanted, but only 3\^2 = 9 differ"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        reversing.load(**settings)
