"""Greedy and beam search: what they write, when they stop, and that a wide beam finds what trying everything finds."""

import itertools
import math
from typing import NamedTuple

import pytest
import torch

from dlcourse.decoding import beam_search, greedy

PAD, START, END = 0, 1, 2
SPECIAL = {"start": START, "end": END}


def chain(table):
    """A decoder whose next token depends on the last one alone; table (V, V), or (B, V, V) with one for each row."""

    def step(tokens, state):
        scores = table[tokens] if table.ndim == 2 else state[torch.arange(len(tokens)), tokens]
        return scores, state

    return step


def random_table(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).log_softmax(-1)


def everything(table, max_length, penalty=0.0):
    """All sequences that end within max_length tokens, the end counted, the best first: (score, tokens)."""
    found, words = [], range(3, len(table))
    for length in range(max_length):
        for tokens in itertools.product(words, repeat=length):
            path = [START, *tokens, END]
            score = sum(table[a, b].item() for a, b in itertools.pairwise(path)) / (length + 1) ** penalty
            found.append((score, list(tokens)))
    return sorted(found, reverse=True)


def unpadded(row):
    return [token for token in row.tolist() if token != PAD]


def test_greedy_takes_the_likeliest_token_until_the_end():
    table = torch.full((6, 6), -9.0)
    for a, b in ((START, 3), (3, 5), (5, 4), (4, END)):
        table[a, b] = -0.1
    tokens = greedy(chain(table), torch.zeros(2, 1), **SPECIAL, max_length=10)
    assert tokens.tolist() == [[3, 5, 4]] * 2


def test_rows_end_each_in_its_own_time_and_are_filled_up():
    tables = torch.full((3, 5, 5), -9.0)
    tables[0, START, END] = tables[1, START, 3] = tables[1, 3, END] = tables[2, START, 4] = tables[2, 4, 4] = 0.0
    tokens = greedy(chain(tables), tables, **SPECIAL, max_length=4)
    assert tokens.tolist() == [[0, 0, 0, 0], [3, 0, 0, 0], [4, 4, 4, 4]]
    assert greedy(chain(tables[:1]), tables[:1], **SPECIAL, max_length=4).shape == (1, 0)


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_padding_and_start_are_never_written(search):
    table = torch.full((5, 5), -9.0)
    table[:, [PAD, START]] = 0.0
    table[:, 3] = -1.0
    found = search(chain(table), torch.zeros(1, 1), **SPECIAL, max_length=3)
    tokens = found if search is greedy else found.tokens[:, 0]
    assert tokens.tolist() == [[3, 3, 3]] if search is greedy else set(unpadded(tokens[0])) <= {3, 4}


def test_a_beam_of_one_is_greedy():
    tables = random_table(7, 6, 6)
    tokens = greedy(chain(tables), tables, **SPECIAL, max_length=8)
    found = beam_search(chain(tables), tables, **SPECIAL, max_length=8, beam=1).tokens[:, 0]
    assert [unpadded(row) for row in found] == [unpadded(row) for row in tokens]


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0, 2.0])
def test_a_wide_beam_finds_what_trying_everything_finds(penalty):
    tables = random_table(5, 6, 6, seed=3)
    tables[:, :, END] -= 1.0  # so that long ones come near
    found = beam_search(chain(tables), tables, **SPECIAL, max_length=4, beam=130, length_penalty=penalty)
    for b, table in enumerate(tables):
        best = everything(table, 4, penalty)
        assert [unpadded(row) for row in found.tokens[b, : len(best)]] == [tokens for _, tokens in best]
        torch.testing.assert_close(found.scores[b, : len(best)], torch.tensor([score for score, _ in best], dtype=torch.float64))


def test_a_beam_finds_what_the_greedy_choice_misses():
    table = torch.full((5, 5), 1e-9)
    table[START, 3], table[START, 4] = 0.6, 0.4
    table[3, END], table[3, 4], table[3, 3] = 0.35, 0.33, 0.32
    table[4, END] = 1.0
    table = table.log()
    assert greedy(chain(table), torch.zeros(1, 1), **SPECIAL, max_length=5).tolist() == [[3]]
    found = beam_search(chain(table), torch.zeros(1, 1), **SPECIAL, max_length=5, beam=2)
    assert [unpadded(row) for row in found.tokens[0]] == [[4], [3]]
    torch.testing.assert_close(found.scores.exp(), torch.tensor([[0.4, 0.21]]))


def test_a_length_penalty_prefers_longer_sequences():
    table = torch.full((5, 5), -30.0)
    table[START, END], table[START, 3], table[3, 3], table[3, END] = -1.0, -0.6, -0.5, -0.7
    lengths = []
    for penalty in (0.0, 0.5, 1.0):
        found = beam_search(chain(table), torch.zeros(1, 1), **SPECIAL, max_length=6, beam=6, length_penalty=penalty)
        lengths.append(len(unpadded(found.tokens[0, 0])))
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[-1]) == (0, 5)


def test_what_was_cut_ranks_behind_what_ended():
    table = torch.full((4, 4), -9.0)
    table[START, 3] = table[3, 3] = -0.01
    found = beam_search(chain(table), torch.zeros(1, 1), **SPECIAL, max_length=3, beam=4)
    assert [unpadded(row) for row in found.tokens[0]] == [[], [3], [3, 3], [3, 3, 3]]
    assert found.scores[0, 3] > found.scores[0, 2]


def test_where_there_are_fewer_sequences_than_the_beam_is_wide_the_rest_is_empty():
    table = torch.full((4, 4), -math.inf)
    table[START, END] = 0.0
    found = beam_search(chain(table), torch.zeros(2, 1), **SPECIAL, max_length=5, beam=3)
    assert found.scores.tolist() == [[0.0, -math.inf, -math.inf]] * 2
    assert (found.tokens == PAD).all()


class Nested(NamedTuple):
    count: torch.Tensor
    parts: tuple


def test_each_beginning_takes_its_own_state_along():
    """The state remembers the tokens that were read; the step checks them against the beam's."""
    histories = []

    def step(tokens, state):
        history = torch.cat([state.parts[0], tokens[:, None]], dim=1)
        histories.append(history)
        scores = torch.sin(history.double() @ torch.arange(1.0, history.shape[1] + 1).double()[:, None] * torch.arange(7.0))
        return scores.log_softmax(-1), Nested(state.count + 1, (history, None))

    state = Nested(torch.zeros(2, 1), (torch.zeros(2, 0, dtype=torch.int64), None))
    found = beam_search(step, state, **SPECIAL, max_length=5, beam=3)
    for b in range(2):
        for k in range(3):
            tokens, total = [START, *unpadded(found.tokens[b, k]), END], 0.0
            for t in range(1, len(tokens)):
                prefix = torch.tensor([tokens[:t]])
                scores, _ = step(prefix[:, -1], Nested(torch.zeros(1, 1), (prefix[:, :-1], None)))
                total += scores[0, tokens[t]].item()
            assert found.scores[b, k].item() == pytest.approx(total)


def test_nothing_is_recorded_for_gradients():
    table = random_table(5, 5).requires_grad_()
    assert not beam_search(chain(table), torch.zeros(1, 1), **SPECIAL, max_length=3).scores.requires_grad


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_what_cannot_be_searched_is_refused(search):
    step, state = chain(random_table(5, 5)), torch.zeros(2, 1)
    with pytest.raises(ValueError, match="max_length=0: at least 1"):
        search(step, state, **SPECIAL, max_length=0)
    with pytest.raises(ValueError, match="start=1, end=1 and padding=0 given; three different"):
        search(step, state, start=1, end=1, max_length=3)
    with pytest.raises(ValueError, match="a state without a row"):
        search(step, (None, torch.zeros(0, 3)), **SPECIAL, max_length=3)
    with pytest.raises(ValueError, match=r"scores of shape \(2, 1, 5\) given; \(2, V\) wanted, V above 2"):
        search(lambda tokens, state: (torch.zeros(2, 1, 5), state), state, **SPECIAL, max_length=3, **one(search))


def one(search):
    return {"beam": 1} if search is beam_search else {}


@pytest.mark.parametrize("settings", [{"beam": 0}, {"length_penalty": -0.1}, {"length_penalty": math.inf}])
def test_a_beam_or_penalty_that_is_none_is_refused(settings):
    with pytest.raises(ValueError, match="at least 1 beginning, and a penalty of at least 0"):
        beam_search(chain(random_table(5, 5)), torch.zeros(2, 1), **SPECIAL, max_length=3, **settings)
