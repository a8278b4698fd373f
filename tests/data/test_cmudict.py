"""The dictionary has its words, each in one part, with all its readings."""

import pytest
import torch

from dlcourse.data import cmudict
from dlcourse.data.text import END, PAD, START, lengths


@pytest.fixture(scope="module")
def words():
    return cmudict.read()


@pytest.fixture(scope="module")
def splits():
    return cmudict.load()


def test_the_parts_have_their_sizes(words):
    sizes = [len(part) for part in words]
    assert sizes == [105_449, 6_134, 12_291]
    assert round(sizes[2] / sum(sizes), 2) == 0.10


def test_no_word_is_in_two_parts(words):
    assert len(set().union(*words)) == sum(len(part) for part in words)


def test_words_are_letters_and_apostrophes_and_phonemes_the_39_of_the_comparisons(words):
    assert {letter for part in words for word in part for letter in word} == set("abcdefghijklmnopqrstuvwxyz'")
    sounds = {sound for part in words for readings in part.values() for reading in readings for sound in reading}
    assert len(sounds) == 39
    assert {"AA", "ZH", "HH", "NG"} < sounds


def test_a_word_has_all_its_readings_and_none_twice(words):
    everything = {word: readings for part in words for word, readings in part.items()}
    assert everything["tomato"] == (("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW"))
    assert everything["photograph"] == (("F", "OW", "T", "AH", "G", "R", "AE", "F"),)
    assert all(len(set(readings)) == len(readings) >= 1 for readings in everything.values())
    assert max(len(readings) for readings in everything.values()) == 4


def test_with_stress_vowels_carry_it_and_the_parts_stay(words):
    stressed = cmudict.read(stress=True)
    for plain, marked in zip(words, stressed, strict=True):
        assert list(plain) == list(marked)
    everything = {word: readings for part in stressed for word, readings in part.items()}
    assert everything["photograph"] == (("F", "OW1", "T", "AH0", "G", "R", "AE2", "F"),)
    assert len(cmudict.phonemes(stress=True)) == 3 + 69


def test_the_numbers_are_the_words_and_their_readings(words, splits):
    letters, sounds = cmudict.letters(), cmudict.phonemes()
    assert (len(letters), len(sounds)) == (1 + 27, 3 + 39)
    assert sounds.tokens[:3] == [PAD, START, END]
    for part, split in zip(words, splits, strict=True):
        inputs, targets = split.tensors
        assert inputs.dtype == targets.dtype == torch.int64
        for row in (0, len(split) // 2, -1):
            spelling = "".join(letters.decode(inputs[row]))
            start, *reading, end = sounds.decode(targets[row])
            assert (start, end) == (START, END)
            assert tuple(reading) in part[spelling]


def test_a_training_word_stands_once_for_each_reading_and_a_test_word_once(words, splits):
    assert len(splits.train) == sum(len(readings) for readings in words.train.values()) == 112_604
    assert [len(part) for part in splits[1:]] == [len(words.val), len(words.test)]


def test_padding_is_at_the_end(splits):
    for part in splits:
        for tokens in part.tensors:
            assert lengths(tokens).max() == tokens.shape[1]


def test_what_one_caller_changes_the_next_does_not_see():
    cmudict.read().test.clear()
    assert len(cmudict.read().test) == 12_291
