"""Numbers in words: the grammar of both languages, and parts that share no number."""

import pytest
import torch

from dlcourse.data import number_words
from dlcourse.data.number_words import LIMIT, english, german
from dlcourse.data.text import END, PAD, START, lengths


@pytest.mark.parametrize(
    ("number", "in_english", "in_german"),
    [
        (1, "one", "eins"),
        (11, "eleven", "elf"),
        (16, "sixteen", "sechzehn"),
        (17, "seventeen", "siebzehn"),
        (20, "twenty", "zwanzig"),
        (21, "twenty one", "einundzwanzig"),
        (35, "thirty five", "fuenfunddreissig"),
        (66, "sixty six", "sechsundsechzig"),
        (77, "seventy seven", "siebenundsiebzig"),
        (100, "one hundred", "einhundert"),
        (101, "one hundred one", "einhunderteins"),
        (342, "three hundred forty two", "dreihundertzweiundvierzig"),
        (1000, "one thousand", "eintausend"),
        (1001, "one thousand one", "eintausendeins"),
        (12_012, "twelve thousand twelve", "zwoelftausendzwoelf"),
        (21_021, "twenty one thousand twenty one", "einundzwanzigtausendeinundzwanzig"),
        (101_000, "one hundred one thousand", "einhunderteintausend"),
        (110_111, "one hundred ten thousand one hundred eleven", "einhundertzehntausendeinhundertelf"),
        (
            987_654,
            "nine hundred eighty seven thousand six hundred fifty four",
            "neunhundertsiebenundachtzigtausendsechshundertvierundfuenfzig",
        ),
    ],
)
def test_a_number_has_its_words(number, in_english, in_german):
    assert " ".join(english(number)) == in_english
    assert "".join(german(number)) == in_german


def test_no_two_numbers_share_their_words():
    numbers = [*range(1, 3000), *range(3000, LIMIT, 997)]
    for words in (english, german):
        assert len({tuple(words(number)) for number in numbers}) == len(numbers)


def test_the_longest_number_has_9_english_words_and_11_german_parts():
    assert (max(len(english(n)) for n in range(1, LIMIT, 7)), len(english(777_777))) == (9, 9)
    assert len(german(777_777)) == 11


@pytest.mark.parametrize("words", [english, german])
@pytest.mark.parametrize("number", [0, -5, LIMIT])
def test_other_numbers_are_refused(words, number):
    with pytest.raises(ValueError, match=rf"number={number}: from 1 to 999999 wanted"):
        words(number)


def test_every_word_has_a_number_and_the_pairs_belong_together():
    source, target = number_words.english_words(), number_words.german_words()
    assert (source.tokens[0], target.tokens[:3]) == (PAD, [PAD, START, END])
    assert (len(source), len(target)) == (1 + 29, 3 + 31)
    splits = number_words.load(num_train=40, num_val=9, num_test=7)
    assert [len(part) for part in splits] == [40, 9, 7]
    known = {tuple(english(number)): german(number) for number in range(1, 1000)}
    found = 0
    for part in splits:
        inputs, targets = part.tensors
        assert inputs.dtype == targets.dtype == torch.int64
        assert lengths(inputs).max() == inputs.shape[1]
        for row, expected in zip(inputs, targets, strict=True):
            words = tuple(source.decode(row))
            if words in known:
                found += 1
                assert target.decode(expected) == [START, *known[words], END]
    assert found > 10


def test_no_number_is_drawn_twice_and_a_seed_draws_the_same():
    splits, again, other = (number_words.load(num_train=300, num_val=50, num_test=50, seed=seed) for seed in (3, 3, 4))
    rows = [tuple(row[row > 0].tolist()) for part in splits for row in part.tensors[0]]
    assert len(set(rows)) == 400
    assert all(
        torch.equal(a, b) for one, two in zip(splits, again, strict=True) for a, b in zip(one.tensors, two.tensors, strict=True)
    )
    assert not torch.equal(splits.train.tensors[0][:5, :2], other.train.tensors[0][:5, :2])


def test_all_lengths_occur_in_every_part():
    for part in number_words.load():
        assert set(lengths(part.tensors[0]).tolist()) >= set(range(2, 10))


@pytest.mark.parametrize("sizes", [{"num_val": 0}, {"num_train": 500_000}])
def test_a_part_that_cannot_be_filled_is_refused(sizes):
    with pytest.raises(ValueError, match="at least 1 each, together at most 500000"):
        number_words.load(**sizes)
