"""Batches of pairs: each pair once an epoch, cut to its batch, the target moved by one token."""

import pytest
import torch
from torch.utils.data import TensorDataset

from dlcourse.data.pairs import PairBatches
from dlcourse.data.text import pad

START, END = 1, 2


def make_pairs(num_pairs=23):
    """Pair i has 1 + i % 4 source tokens of 3 + i and a target of START, i % 3 tokens of 3 + i, END."""
    sources = [[3 + i] * (1 + i % 4) for i in range(num_pairs)]
    targets = [[START, *[3 + i] * (i % 3), END] for i in range(num_pairs)]
    return TensorDataset(pad(sources)[0], pad(targets)[0])


def test_each_pair_comes_once_an_epoch_and_belongs_together():
    batches = PairBatches(make_pairs(), batch_size=5, start=START, seed=0)
    for _ in range(2):
        seen = []
        for (source, target_in), target_out in batches:
            assert len(source) == len(target_in) == len(target_out)
            for first, body, ending in zip(source[:, 0].tolist(), target_in.tolist(), target_out.tolist(), strict=True):
                assert body[0] == START
                assert body[1:] == ending[:-1]
                assert [token for token in ending if token > END] == [first] * ((first - 3) % 3)
                seen.append(first - 3)
        assert sorted(seen) == list(range(23))


def test_a_batch_is_as_wide_as_its_longest_and_pairs_of_a_length_come_together():
    widths = set()
    for (source, target_in), target_out in PairBatches(make_pairs(24), batch_size=2, start=START, seed=0):
        assert (source != 0).all()
        assert (target_out != 0).all()
        assert target_in.shape == target_out.shape
        widths.add((source.shape[1], target_out.shape[1]))
    assert widths == {(s, t) for s in (1, 2, 3, 4) for t in (1, 2, 3)}


def test_without_a_seed_the_order_is_the_stored_one():
    batches = PairBatches(make_pairs(), batch_size=5, start=START)
    assert len(batches) == 5
    assert torch.cat([source[:, 0] for (source, _), _ in batches]).tolist() == [3 + i for i in range(23)]


def test_the_same_seed_gives_the_same_batches_and_every_epoch_others():
    def firsts(batches):
        return [source[:, 0].tolist() for (source, _), _ in batches]

    one, two = (PairBatches(make_pairs(), batch_size=5, start=START, seed=7) for _ in range(2))
    first, second = firsts(one), firsts(one)
    assert (first, second) == (firsts(two), firsts(two))
    assert first != second
    assert first != firsts(PairBatches(make_pairs(), batch_size=5, start=START, seed=8))


def test_an_epoch_may_end_before_the_data_and_the_next_brings_others():
    batches = PairBatches(make_pairs(), batch_size=5, start=START, seed=0, num_batches=2)
    assert len(batches) == 2
    epochs = [[source[:, 0].tolist() for (source, _), _ in batches] for _ in range(2)]
    assert [len(epoch) for epoch in epochs] == [2, 2]
    assert epochs[0] != epochs[1]
    assert len(PairBatches(make_pairs(), batch_size=5, start=START, num_batches=9)) == 5


def test_what_is_no_pair_is_refused():
    with pytest.raises(ValueError, match="batch_size=0, num_batches=None: at least 1 batch"):
        PairBatches(make_pairs(), batch_size=0, start=START)
    with pytest.raises(ValueError, match="batch_size=4, num_batches=0: at least 1 batch"):
        PairBatches(make_pairs(), batch_size=4, start=START, num_batches=0)
    with pytest.raises(ValueError, match=r"target 0 is \[1, 2\]; it must begin with 2, its start"):
        PairBatches(make_pairs(), batch_size=4, start=END)
    with pytest.raises(ValueError, match=r"target 1 is \[1\]; it must begin with 1, its start, and go on"):
        PairBatches(TensorDataset(torch.ones(2, 3).long(), torch.tensor([[1, 3], [1, 0]])), batch_size=4, start=START)
