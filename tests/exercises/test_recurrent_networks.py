"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import math

import pytest
import torch
from torch import nn

from dlcourse.exercises.recurrent_networks import EXERCISES


def verdict(number, answer):
    return EXERCISES[f"recurrent_networks-{number}"].check(answer)


def test_the_counts_are_torchs():
    counts = [sum(p.numel() for p in layer(3, 4).parameters()) for layer in (nn.RNN, nn.LSTM, nn.GRU)]
    assert verdict(1, counts) is None
    assert "other way round" in verdict(1, [36, 108, 144])
    assert "two" in verdict(1, [32, 128, 96])


BIAS = math.log(99)


@pytest.mark.parametrize("powers", [[2.66e-5, 13_781, 0.366], [2.6561e-05, 13780.6, 0.36603], [0.9**100, 1.1**100, 0.99**100]])
@pytest.mark.parametrize("bias", [4.595, torch.logit(torch.tensor(0.99)).item()])
def test_factors_multiply_and_the_bias_inverts_the_sigmoid(powers, bias):
    assert verdict(2, [*powers, bias]) is None
    assert verdict(2, (*powers, bias)) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ([90, 110, 99, BIAS], "hundredth power"),
        ([1.1**100, 0.9**100, 0.99**100, BIAS], "in their order"),
        ([0.0, 13_781, 0.366, BIAS], "hundredth power"),
        ([0.9**100, 1.1**100, 0.99**100, 0.99], "That is the gate"),
        ([0.9**100, 1.1**100, 0.99**100, -BIAS], "nearly shut"),
        ([0.9**100, 1.1**100, 0.99**100, 0.729], "You have applied"),
        ([0.9**100, 1.1**100, 0.99**100, 3.0], "The bias solves"),
        ([0.9**100, 1.1**100], "Four numbers"),
        (2.66e-5, "Four numbers"),
        ([0.9**100, 1.1**100, 0.99**100, "4.6"], "Four numbers"),
    ],
)
def test_what_else_is_answered_gets_a_hint(answer, hint):
    assert hint in verdict(2, answer)


def sum_over_steps(upstream, weight, states):
    gradient, g = torch.zeros_like(weight), upstream
    for k in range(len(states) - 1, 0, -1):
        delta = (1 - states[k] ** 2) * g
        gradient += torch.outer(delta, states[k - 1])
        g = weight.T @ delta
    return gradient


def test_the_sum_over_the_steps_is_the_gradient():
    assert verdict(3, sum_over_steps) is None


def test_keeping_only_the_last_step_is_not():
    def last_only(upstream, weight, states):
        return torch.outer((1 - states[-1] ** 2) * upstream, states[-2])

    assert "Case 1" in verdict(3, last_only) or "Case 2" in verdict(3, last_only)

    def transposed(upstream, weight, states):
        return sum_over_steps(upstream, weight.T, states)

    assert "values are wrong" in verdict(3, transposed)


def test_the_step_by_hand_is_torchs():
    cell = nn.LSTMCell(1, 1)
    for name, parameter in cell.named_parameters():
        parameter.data.zero_()
        if name == "bias_ih":
            parameter.data[:] = torch.tensor([0.0, math.log(3), math.log(2), -math.log(3)])  # i, f, g, o
    h, c = cell(torch.ones(1, 1), (torch.zeros(1, 1), torch.full((1, 1), 2.0)))
    assert verdict(4, [c.item(), h.item()]) is None
    assert verdict(4, [1.8, 0.2367]) is None
    assert "tanh" in verdict(4, [1.8, 0.45])
    assert "exchanged" in verdict(4, [1.3, 0.25 * math.tanh(1.3)])


def test_the_last_states_are_those_at_each_end():
    assert verdict(5, lambda outputs, lengths: outputs[torch.arange(len(outputs)), lengths - 1]) is None
    assert verdict(5, lambda outputs, lengths: torch.stack([o[n - 1] for o, n in zip(outputs, lengths, strict=True)])) is None
    assert "values are wrong" in verdict(5, lambda outputs, lengths: outputs[:, -1])


def test_rows_go_on_from_piece_to_piece():
    def streams(tokens, batch_size, length):
        size = len(tokens) // batch_size
        rows = tokens[: size * batch_size].view(batch_size, size)
        return torch.stack([rows[:, t : t + length] for t in range(0, size - length + 1, length)])

    assert verdict(6, streams) is None

    def side_by_side(tokens, batch_size, length):
        used = len(tokens) // (batch_size * length) * batch_size * length
        return tokens[:used].view(-1, batch_size, length)

    assert "wrong" in verdict(6, side_by_side)
