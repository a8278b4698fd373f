"""Edit distances, error rates and BLEU: the numbers of the textbooks and of a hand."""

import itertools
import math
import random

import pytest

from dlcourse.metrics import bleu, edit_distance, error_rate, exact_match, ngram_precision


def words(text):
    return text.split()


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("kitten", "sitting", 3),
        ("saturday", "sunday", 3),
        ("", "abc", 3),
        ("abc", "", 3),
        ("", "", 0),
        (["AE", "T"], ["AE", "T"], 0),
        (("T", "AH", "M", "EY", "T", "OW"), ["T", "AH", "M", "AA", "T", "OW"], 1),
        ("ab", "ba", 2),
    ],
)
def test_the_edit_distance_is_the_textbooks(a, b, distance):
    assert edit_distance(a, b) == distance


def test_the_edit_distance_is_the_shortest_path_of_single_edits():
    """Found by going outwards from a word, one edit at a time."""
    letters, start = "ab", "abab"
    reached = {start: 0}
    for distance in range(1, 5):
        for word in [word for word, far in reached.items() if far == distance - 1]:
            edits = [word[:i] + word[i + 1 :] for i in range(len(word))]
            edits += [word[:i] + x + word[i + 1 :] for i in range(len(word)) for x in letters]
            edits += [word[:i] + x + word[i:] for i in range(len(word) + 1) for x in letters]
            for edited in edits:
                reached.setdefault(edited, distance)
    for length in range(5):
        for word in map("".join, itertools.product(letters, repeat=length)):
            assert edit_distance(start, word) == edit_distance(word, start) == reached[word]


def test_the_error_rate_counts_edits_a_token_of_the_nearest_reading():
    predictions = [["T", "OW"], ["K", "AE", "T"]]
    references = [[["T", "UW", "M"], ["T", "OW", "M", "Z"], ["T", "UW"]], [["K", "AE", "T", "S"]]]
    assert error_rate(predictions, references) == (1 + 1) / (2 + 4)
    assert error_rate([[]], [["abc"]]) == 1
    assert error_rate(["abcdef"], [["ab"]]) == 2


def test_exact_match_counts_whole_sequences_equal_to_any_reference():
    assert exact_match([["a", "b"], ("c",), []], [[["a"], ("a", "b")], [["c", "d"]], [[]]]) == 2 / 3


def test_clipping_takes_the_reward_from_repetition():
    the_cat = [[words("the the the")], [[words("the cat")]]]
    assert ngram_precision(*the_cat, n=1) == 1 / 3
    # Papineni et al., 2002, section 2.1, examples 2
    candidate = words("the the the the the the the")
    references = [words("the cat is on the mat"), words("there is a cat on the mat")]
    assert ngram_precision([candidate], [references], n=1) == 2 / 7
    assert ngram_precision([candidate], [references], n=2) == 0


PAPER = [
    words("it is a guide to action that ensures that the military will forever heed party commands"),
    words("it is the guiding principle which guarantees the military forces always being under the command of the party"),
    words("it is the practical guide for the army always to heed the directions of the party"),
]
FIRST = words("it is a guide to action which ensures that the military always obeys the commands of the party")
SECOND = words("it is to insure the troops forever hearing the activity guidebook that party direct")


def test_the_precisions_are_those_printed_in_the_paper():
    assert ngram_precision([FIRST], [PAPER], n=1) == 17 / 18
    assert ngram_precision([SECOND], [PAPER], n=1) == 8 / 14
    assert ngram_precision([FIRST], [PAPER], n=2) == 10 / 17
    assert ngram_precision([SECOND], [PAPER], n=2) == 1 / 13


def test_bleu_equals_a_computation_by_hand():
    """18 tokens against 16, 18 and 16: no penalty; precisions 17/18, 10/17, 7/16 and 4/15."""
    assert bleu([FIRST], [PAPER]) == pytest.approx((17 / 18 * 10 / 17 * 7 / 16 * 4 / 15) ** 0.25)
    # 3 tokens against 4: penalty e^(1 − 4/3), precisions 3/3 and 2/2
    assert bleu(["abc"], [["abcd"]], max_n=2) == pytest.approx(math.exp(-1 / 3))


def test_bleu_is_of_the_whole_set_and_not_a_mean_of_sentences():
    predictions, references = ["abcd", "xy"], [["abce"], ["xyz"]]
    # unigrams 3/4 and 2/2 make 5/6, bigrams 2/3 and 1/1 make 3/4; 6 tokens against 7
    assert bleu(predictions, references, max_n=2) == pytest.approx(math.exp(1 - 7 / 6) * math.sqrt(5 / 6 * 3 / 4))


def test_the_length_is_held_against_the_nearest_reference_the_shorter_of_equals():
    assert bleu(["abc"], [["abcdef", "abcd", "ab"]], max_n=1) == 1  # 2 and 4 are as near
    assert bleu(["abc"], [["abcdef", "abcd", "a"]], max_n=1) == pytest.approx(math.exp(1 - 4 / 3))


def test_bleu_is_1_for_the_reference_and_0_without_a_shared_ngram():
    random.seed(0)
    texts = [random.choices("abcdefg", k=9) for _ in range(5)]
    assert bleu(texts, [[text] for text in texts]) == 1
    assert bleu(["abcd"], [["badc"]]) == 0


@pytest.mark.parametrize("metric", [error_rate, exact_match, bleu, lambda p, r: ngram_precision(p, r, n=1)])
def test_what_cannot_be_compared_is_refused(metric):
    with pytest.raises(ValueError, match="0 predictions and references for 0 given"):
        metric([], [])
    with pytest.raises(ValueError, match="2 predictions and references for 1 given"):
        metric(["a", "b"], [["a"]])
    with pytest.raises(ValueError, match="prediction 1 has no reference"):
        metric(["a", "b"], [["a"], []])
    with pytest.raises(TypeError, match=r"references\[0\] must be a list of sequences, got 'abc'"):
        metric(["abc"], ["abc"])
    with pytest.raises(TypeError, match=r"references\[0\] must be a list of sequences, got \[1, 2\]"):
        metric([[1, 2]], [[1, 2]])


def test_counting_by_nothing_is_refused():
    with pytest.raises(ValueError, match="no reference has a token"):
        error_rate(["a"], [[""]])
    with pytest.raises(ValueError, match="n=0: at least 1"):
        ngram_precision(["a"], [["a"]], n=0)
    with pytest.raises(ValueError, match="max_n=0: at least 1"):
        bleu(["a"], [["a"]], max_n=0)
