"""A note answers its questions: each answer is found at the places given, and only there is what was asked."""

import pytest
import torch

from dlcourse.data import notes


@pytest.fixture(scope="module")
def splits():
    return notes.load()


def test_every_answer_is_in_the_sentence_that_the_question_is_about():
    for note in notes.draw(50, seed=1):
        sentences = " ".join(note.words).split(" . ")
        for kind, (question, first, last) in zip(notes.QUESTIONS, note.questions, strict=True):
            assert question[0] == kind
            answer = " ".join(note.words[first : last + 1])
            assert answer in (*notes.PEOPLE, *notes.PLACES, *notes.TIMES) or answer.startswith("the ") or kind == "summary"
            (told,) = [
                s for s in sentences if answer.removesuffix(" .") in s and all(word in s.split() for word in asked(question))
            ]
            assert note.words[first] in told.split()


def asked(question):
    """The words of a question that its sentence has too."""
    return [word for word in question if word not in {*notes.QUESTIONS, "was", "by"}]


def test_a_summary_is_one_whole_sentence_that_was_decided():
    for note in notes.draw(20, seed=2):
        _, first, last = note.questions[-1]
        assert " ".join(note.words[first:]).startswith(tuple(notes.OPENINGS))
        assert note.words[first:last].count(".") == 0
        assert note.words[last] == "."
        assert first == 0 or note.words[first - 1] == "."


def test_objects_may_share_a_word_and_deeds_be_alike():
    texts = [" ".join(note.words) for note in notes.draw(200, seed=3)]
    assert any(text.count(f" {deed} ") == 2 for text in texts for deed in notes.DONE)
    assert any(text.count(f" {noun} ") == 2 for text in texts for noun in notes.NOUNS)


def test_the_numbers_are_those_of_the_words(splits):
    vocabulary, (note,) = notes.vocabulary(), notes.draw(1, seed=1)  # seed 1 is that of the second part
    texts, questions, places = splits.val.tensors
    assert vocabulary.decode(texts[0]) == vocabulary.decode(texts[4]) == note.words
    for row, (question, first, last) in enumerate(note.questions):
        assert vocabulary.decode(questions[row]) == question
        assert places[row].tolist() == [first, last]
    assert all(part.dtype == torch.int64 for part in splits.val.tensors)
    assert [len(part) for part in splits] == [10_000, 1_000, 1_000]


def test_another_seed_gives_other_notes_and_the_same_seed_the_same():
    assert notes.draw(3, seed=5) == notes.draw(3, seed=5) != notes.draw(3, seed=6)
    assert notes.draw(3, seed=5)[0] == notes.draw(1, seed=5)[0]


def test_no_note_is_refused():
    with pytest.raises(ValueError, match="num_notes=0"):
        notes.draw(0, seed=0)
