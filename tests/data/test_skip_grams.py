"""The pairs, the thinning and the noise of skip-gram are what the paper's formulas say."""

import math

import pytest
import torch

from dlcourse.data.skip_grams import noise_distribution, pairs, subsample


def test_the_pairs_of_three_words_with_a_window_of_one():
    centres, contexts = pairs(torch.tensor([7, 3, 9]), window=1)
    assert list(zip(centres.tolist(), contexts.tolist(), strict=True)) == [(7, 3), (3, 7), (3, 9), (9, 3)]
    assert centres.dtype == contexts.dtype == torch.int64


@pytest.mark.parametrize(("size", "window"), [(1, 2), (2, 5), (5, 2), (6, 1), (9, 4), (4, 4)])
def test_the_pairs_are_those_of_two_loops(size, window):
    tokens = torch.randint(20, (size,), generator=torch.Generator().manual_seed(size))
    wanted = [
        (tokens[i].item(), tokens[j].item())
        for i in range(size)
        for j in range(max(0, i - window), min(size, i + window + 1))
        if i != j
    ]
    assert list(zip(*(column.tolist() for column in pairs(tokens, window=window)), strict=True)) == wanted


def test_five_words_with_a_window_of_two_make_fourteen_pairs():
    assert len(pairs(torch.arange(5), window=2)[0]) == 14


def test_a_text_without_a_word_has_no_pair_and_loses_none():
    empty = torch.zeros(0, dtype=torch.int64)
    assert pairs(empty, window=2)[0].shape == (0,)
    assert subsample(empty).shape == (0,)


def test_a_word_stays_with_the_probability_of_the_formula():
    tokens = torch.tensor([0] * 90_000 + [1] * 10_000)
    kept = subsample(tokens, threshold=0.1, generator=torch.Generator().manual_seed(0))
    assert (kept == 0).sum().item() / 90_000 == pytest.approx(math.sqrt(0.1 / 0.9), abs=0.01)
    assert (kept == 1).sum() == 10_000  # its share is the threshold


def test_what_is_left_keeps_its_order_and_the_seed_decides_it():
    tokens = torch.arange(200) // 4
    kept = subsample(tokens, threshold=0.005, generator=torch.Generator().manual_seed(3))
    assert 0 < len(kept) < 200
    assert torch.equal(kept, kept.sort().values)
    assert torch.equal(kept, subsample(tokens, threshold=0.005, generator=torch.Generator().manual_seed(3)))


def test_noise_is_the_counts_to_the_power_of_three_quarters():
    found = noise_distribution(torch.tensor([0, 16, 81, 1]))
    torch.testing.assert_close(found, torch.tensor([0.0, 8, 27, 1]) / 36)
    torch.testing.assert_close(noise_distribution(torch.tensor([1, 3]), 1.0), torch.tensor([0.25, 0.75]))


def test_a_word_never_seen_is_never_noise_even_where_all_others_are_equally_likely():
    torch.testing.assert_close(noise_distribution(torch.tensor([0, 5, 1]), 0.0), torch.tensor([0.0, 0.5, 0.5]))


@pytest.mark.parametrize("make", [lambda tokens: pairs(tokens, window=2), subsample])
def test_what_is_no_text_of_numbers_is_refused(make):
    with pytest.raises(ValueError, match=r"tokens of shape \(2, 3\) given; one text \(M,\) wanted"):
        make(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(TypeError, match=r"dtype torch\.int64, got torch\.float32"):
        make(torch.zeros(4))
    with pytest.raises(ValueError, match="-2 is the number of no word: at least 0"):
        make(torch.tensor([3, -2, 0]))


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_without_a_neighbour_is_refused(window):
    with pytest.raises(ValueError, match=f"window={window}: at least 1"):
        pairs(torch.arange(4), window=window)


@pytest.mark.parametrize("threshold", [0.0, -1e-3, math.nan])
def test_a_threshold_that_keeps_nothing_is_refused(threshold):
    with pytest.raises(ValueError, match=f"threshold={threshold}: a share above 0"):
        subsample(torch.arange(4), threshold=threshold)


@pytest.mark.parametrize(
    "counts", [torch.zeros(3), torch.tensor([2, -1]), torch.ones(2, 2), torch.zeros(0), torch.tensor([1, math.inf])]
)
def test_counts_that_give_no_probabilities_are_refused(counts):
    with pytest.raises(ValueError, match=r"\(V,\) wanted, all finite, none negative and one above 0"):
        noise_distribution(counts)


@pytest.mark.parametrize("power", [math.nan, math.inf, -math.inf, 1000.0, -1000.0])
def test_a_power_that_gives_no_probabilities_is_refused(power):
    with pytest.raises(ValueError, match=f"power={power}: counts to that power have no finite sum above 0"):
        noise_distribution(torch.tensor([100, 2000]), power)
