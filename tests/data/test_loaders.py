"""Loaders give every example once an epoch, in an order that comes from the seed."""

import pytest
import torch
from torch.utils.data import TensorDataset

from dlcourse.data import Splits, loaders


def splits(train=13, val=5, test=7):
    return Splits(*(TensorDataset(torch.arange(n).float()[:, None], torch.arange(n)) for n in (train, val, test)))


def order(batches):
    return torch.cat([targets for _, targets in batches]).tolist()


def test_an_epoch_visits_every_training_example_once_in_a_new_order():
    train = loaders(splits(), batch_size=4, seed=0).train
    first, second = order(train), order(train)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(13))
    assert [len(y) for _, y in train] == [4, 4, 4, 1]
    assert len(train) == 4


def test_the_seed_fixes_the_order_and_another_seed_changes_it():
    assert order(loaders(splits(), batch_size=4, seed=1).train) == order(loaders(splits(), batch_size=4, seed=1).train)
    assert order(loaders(splits(), batch_size=4, seed=1).train) != order(loaders(splits(), batch_size=4, seed=2).train)


def test_validation_and_test_keep_their_order():
    batches = loaders(splits(), batch_size=4, seed=0)
    assert order(batches.val) == list(range(5))
    assert order(batches.test) == list(range(7))


def test_inputs_stay_with_their_targets():
    for inputs, targets in loaders(splits(), batch_size=4, seed=0).train:
        assert inputs[:, 0].tolist() == targets.tolist()


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch_size=0"):
        loaders(splits(), batch_size=0, seed=0)


def test_an_empty_split_is_named():
    with pytest.raises(ValueError, match="the val split is empty"):
        loaders(splits(val=0), batch_size=4, seed=0)
