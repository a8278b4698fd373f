"""The two tasks are what their papers say, and the answer is in the sequence and nowhere else."""

import pytest
import torch

from dlcourse.data.adding import adding, copying


def test_the_target_is_the_sum_of_the_two_marked_numbers():
    x, y = adding(50, length=9, seed=0)
    assert x.shape == (50, 9, 2)
    assert y.shape == (50,)
    assert x.dtype == y.dtype == torch.float32
    for sequence, target in zip(x, y, strict=True):
        values, marks = sequence.T
        torch.testing.assert_close(values[marks == 1].sum(), target)
        assert set(marks.tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("length", [2, 7, 10])
def test_one_step_of_each_half_is_marked_and_every_step_can_be(length):
    marks = adding(2000, length=length, seed=0)[0][..., 1]
    half = length // 2
    assert (marks[:, :half].sum(1) == 1).all()
    assert (marks[:, half:].sum(1) == 1).all()
    assert (marks.sum(0) > 0).all()


def test_answering_one_has_an_error_of_a_sixth():
    x, y = adding(50_000, length=5, seed=0)
    assert ((y - 1) ** 2).mean().item() == pytest.approx(1 / 6, abs=0.003)
    assert 0 <= x[..., 0].min() < 0.01
    assert 0.99 < x[..., 0].max() < 1


def test_the_symbols_come_first_then_blanks_then_a_signal_then_room_for_the_answer():
    tokens, symbols = copying(40, delay=6, seed=0, num_symbols=5, size=3)
    assert tokens.shape == (40, 3 + 6 + 3)
    assert symbols.shape == (40, 3)
    assert tokens.dtype == symbols.dtype == torch.int64
    assert torch.equal(tokens[:, :3], symbols)
    assert (tokens[:, 3:] == torch.tensor([5, 5, 5, 5, 5, 6, 5, 5, 5])).all()
    assert set(symbols.flatten().tolist()) == set(range(5))


def test_the_seed_decides():
    for make in (lambda seed: adding(3, length=4, seed=seed), lambda seed: copying(30, delay=2, seed=seed)):
        for one, same, other in zip(make(1), make(1), make(2), strict=True):
            assert torch.equal(one, same)
            assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adding(0, length=4, seed=0), "num_examples=0"),
        (lambda: adding(3, length=1, seed=0), "length=1: two marked steps"),
        (lambda: copying(-1, delay=4, seed=0), "num_examples=-1"),
        (lambda: copying(3, delay=0, seed=0), "delay=0, size=1 and num_symbols=8"),
        (lambda: copying(3, delay=1, size=0, seed=0), "size=0"),
        (lambda: copying(3, delay=1, num_symbols=1, seed=0), "num_symbols=1 given"),
    ],
)
def test_tasks_with_nothing_to_do_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
