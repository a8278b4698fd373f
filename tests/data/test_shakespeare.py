"""The plays are whole, plain, and split so that no play is in two parts."""

import re

import pytest
import torch

from dlcourse.data import shakespeare


@pytest.fixture(scope="module")
def texts():
    return shakespeare.read()


def test_the_parts_have_their_lengths(texts):
    assert [len(text) for text in texts] == [974_830, 116_556, 92_425]


def test_the_text_is_speeches_and_nothing_else(texts):
    for text in texts:
        speeches = text.removesuffix("\n").split("\n\n")
        assert len(speeches) > 600
        for speech in speeches:
            name, *lines = speech.split("\n")
            assert re.fullmatch(r"[A-Z][A-Z', ]+:", name), speech
            assert lines, speech
            assert all(line == line.strip() and line for line in lines), speech


def test_headings_directions_and_the_publishers_words_are_gone(texts):
    for text in texts:
        assert not re.search(r"[\[\]{}_*<>\d]|Gutenberg|^(ACT|SCENE|Scene)\b|Exeunt", text, re.MULTILINE)


def test_the_alphabet_of_64_characters_is_that_of_the_training_plays_and_covers_the_others(texts):
    vocabulary = shakespeare.vocabulary()
    assert len(vocabulary) == 64
    assert sorted(vocabulary.tokens) == sorted(set(texts.train))
    assert set(texts.val) | set(texts.test) <= set(vocabulary.tokens)


def test_famous_lines_are_in_the_parts_of_their_plays(texts):
    assert texts.train.startswith("FIRST CITIZEN:\nBefore we proceed any further, hear me speak.\n\nALL:\nSpeak, speak.\n")
    assert "GLOSTER:\nNow is the winter of our discontent\nMade glorious summer by this sun of York;" in texts.train
    assert "But soft! what light through yonder window breaks?" in texts.train
    assert "PETRUCHIO:" in texts.val
    assert "PETRUCHIO:" not in texts.train
    assert "O brave new world" in texts.test
    assert "PROSPERO:" not in texts.train + texts.val


def test_windows_follow_one_another_and_targets_are_one_character_later(texts):
    vocabulary = shakespeare.vocabulary()
    for part, text in zip(shakespeare.load(length=50), texts, strict=True):
        inputs, targets = part.tensors
        assert inputs.shape == targets.shape == ((len(text) - 1) // 50, 50)
        assert inputs.dtype == targets.dtype == torch.int64
        assert "".join(vocabulary.decode(inputs[:4].flatten())) == text[:200]
        assert "".join(vocabulary.decode(targets[:4].flatten())) == text[1:201]


def test_a_length_without_a_window_is_refused():
    with pytest.raises(ValueError, match="length=0 given"):
        shakespeare.load(length=0)
