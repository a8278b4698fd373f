"""Byte-pair encoding loses nothing, and learns and encodes what the tokenizers library does."""

import json

import pytest
import torch

from dlcourse.data.shakespeare import read
from dlcourse.data.text import BytePairEncoding

# The example of Sennrich, Haddow and Birch (2016), algorithm 1, without its end-of-word sign.
SENNRICH = "low low low low low lower lower newest newest newest newest newest newest widest widest widest"


@pytest.fixture(scope="module")
def play():
    return read().test


@pytest.fixture(scope="module")
def encoding(play):
    return BytePairEncoding.train(play, vocab_size=400)


def test_the_most_frequent_pair_is_merged_first():
    encoding = BytePairEncoding.train(SENNRICH, vocab_size=258)
    assert encoding.tokens[256:] == [b"es", b"est"]


@pytest.mark.parametrize("text", ["", "To be, or not to be", "naïve  café\t\n\n 東京 🙂 _x_", "\x00\x7f"])
def test_any_text_comes_back_whole(encoding, text):
    numbers = encoding.encode(text)
    assert numbers.dtype == torch.int64
    assert encoding.decode(numbers) == text


def test_a_play_comes_back_whole_in_fewer_tokens(encoding, play):
    numbers = encoding.encode(play)
    assert encoding.decode(numbers) == play
    assert len(numbers) < 0.6 * len(play)
    assert numbers.max() < len(encoding) == 400


def test_merges_and_tokens_are_those_of_the_tokenizers_library(encoding, play):
    tokenizers = pytest.importorskip("tokenizers")
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    pattern = tokenizers.Regex(r" ?\w+| ?[^\w\s]+|\s+")
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.Split(pattern, behavior="isolated")
    bytes_in_order = [chr(byte) for byte in range(256)]
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, initial_alphabet=bytes_in_order, show_progress=False)
    theirs.train_from_iterator([play], trainer)
    merges = [tuple(merge) for merge in json.loads(theirs.to_str())["model"]["merges"]]
    assert [(encoding.tokens[left].decode(), encoding.tokens[right].decode()) for left, right in encoding.merges] == merges
    unseen = read().val[:20_000]
    assert encoding.encode(unseen).tolist() == theirs.encode(unseen).ids


def test_a_run_of_one_letter_is_merged_from_the_left():
    encoding = BytePairEncoding([(97, 97)])
    assert encoding.encode("aaaaa").tolist() == [256, 256, 97]


def test_training_stops_where_no_pair_occurs_twice():
    assert len(BytePairEncoding.train("abc", vocab_size=300)) == 256


def test_a_character_cut_in_two_is_shown_as_such():
    encoding = BytePairEncoding([])
    assert encoding.decode(encoding.encode("é")[:1]) == "\ufffd"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BytePairEncoding.train("", vocab_size=300), "an empty text given"),
        (lambda: BytePairEncoding.train("abab", vocab_size=255), "vocab_size=255"),
        (lambda: BytePairEncoding([(97, 257)]), "merge 0 is of 97 and 257"),
        (lambda: BytePairEncoding([]).decode([256]), "256 is no token: there are 0 to 255"),
        (lambda: BytePairEncoding([]).decode(torch.tensor([-1])), "-1 is no token"),
    ],
)
def test_what_has_no_encoding_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
