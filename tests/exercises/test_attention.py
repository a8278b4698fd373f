"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import math

import pytest
import torch
import torch.nn.functional as F

from dlcourse.exercises.attention import EXERCISES
from dlcourse.layers.attention import masked_softmax


def verdict(number, answer):
    return EXERCISES[f"attention-{number}"].check(answer)


def test_the_weights_by_hand_are_torchs():
    q, keys, values = torch.tensor([[1.0, 0.0]]), torch.eye(2), torch.tensor([[1.0], [2.0]])
    output = F.scaled_dot_product_attention(q, keys, values).item()
    assert verdict(1, [2 - output, output - 1, output]) is None
    assert verdict(1, (0.670, 0.330, 1.330)) is None
    assert "√2" in verdict(1, (0.731, 0.269, 1.269))
    assert "other way round" in verdict(1, (0.330, 0.670, 1.670))


def test_what_is_masked_is_not_read_at_all():
    def by_the_package(q, keys, values, mask):
        scores = (keys @ q / math.sqrt(len(q)))[None]
        return (masked_softmax(scores, mask[None]) @ torch.where(mask[:, None], values, 0.0))[0]

    assert verdict(2, by_the_package) is None

    def nearly_masked(q, keys, values, mask):
        scores = keys @ q / math.sqrt(len(q)) - 20.0 * ~mask
        return torch.softmax(scores, 0) @ values

    def masked_afterwards(q, keys, values, mask):
        return (torch.softmax(keys @ q / math.sqrt(len(q)), 0) * mask) @ values

    def nan_where_nothing_is_left(q, keys, values, mask):
        scores = (keys @ q / math.sqrt(len(q))).masked_fill(~mask, -math.inf)
        return torch.softmax(scores, 0) @ values

    def unscaled(q, keys, values, mask):
        return masked_softmax((keys @ q)[None], mask[None])[0] @ values

    assert "Case 1" in verdict(2, nearly_masked)
    assert "Case 1" in verdict(2, masked_afterwards)
    assert "Case 4" in verdict(2, nan_where_nothing_is_left)
    assert "Case 1" in verdict(2, unscaled)


@pytest.mark.parametrize("number", range(3, 7))
def test_an_answer_that_is_none_of_the_known_ones_gets_a_hint(number):
    answers = {3: [0.2, 0.3], 4: "k", 5: [0.1, 0.2, 0.3], 6: [0.1, 0.2]}
    assert verdict(number, answers[number])


def test_clipping_counts_a_word_as_often_as_the_reference_has_it():
    def precision(candidate, reference):
        return sum(min(candidate.count(word), reference.count(word)) for word in set(candidate)) / len(candidate)

    assert verdict(3, [precision(["the"] * 3, ["the", "cat"]), precision(["cat"], ["the", "cat"])]) is None
    assert "Clipping" in verdict(3, [1.0, 1.0])
    assert "candidate, not of the reference" in verdict(3, [0.5, 1.0])


def test_the_query_is_who_reads():
    assert verdict(4, "i") is None
    assert verdict(4, "I") is None
    assert "Who reads" in verdict(4, "j")


def test_a_beam_of_two_finds_more_than_greedy_and_less_than_there_is():
    first = {"a": 0.42, "b": 0.30, "c": 0.28}
    best_second = {"a": 0.4, "b": 0.7, "c": 0.9}
    totals = [first[token] * best_second[token] for token in sorted(first, key=first.get, reverse=True)]
    assert verdict(5, [max(totals[:kept]) for kept in (1, 2, 3)]) is None
    assert "Which two beginnings" in verdict(5, [0.168, 0.252, 0.252])


def test_the_error_rate_adds_errors_up_before_it_divides():
    assert verdict(6, [4 / 13, 2 / 3]) is None
    assert verdict(6, (0.308, 0.667)) is None
    assert "mean of three rates" in verdict(6, [0.2778, 0.667])
    assert "13" in verdict(6, [1 / 3, 2 / 3])
