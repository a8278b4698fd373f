"""Answers are right, or get a hint; an unanswered exercise is no error."""

import math
import pkgutil
from importlib import import_module

import numpy as np
import pytest
import torch

from dlcourse import exercises
from dlcourse.exercises import Exercise, check, choice, function, number, sequence

CHAPTERS = [module.name for module in pkgutil.iter_modules(exercises.__path__)]
DECLARED = [(c, key, ex) for c in CHAPTERS for key, ex in import_module(f"dlcourse.exercises.{c}").EXERCISES.items()]


@pytest.fixture
def registered(monkeypatch):
    """One chapter with two exercises."""
    chapter = type("Chapter", (), {"EXERCISES": {"topic-1": number(14, hints={13: "Think of the floor."}), "topic-2": number(1)}})
    monkeypatch.setattr(exercises.pkgutil, "iter_modules", lambda path: [type("Module", (), {"name": "topic"})])
    monkeypatch.setattr(exercises, "import_module", {"dlcourse.exercises.topic": chapter}.__getitem__)


def said(capsys, *arguments):
    assert check(*arguments) is None
    return capsys.readouterr().out


def test_one_line_says_right_or_gives_the_hint(registered, capsys):
    assert said(capsys, "topic-1", 14) == "topic-1: right.\n"
    assert said(capsys, "topic-1", 13) == "topic-1: not yet. Think of the floor.\n"
    assert said(capsys, "topic-1", 2) == "topic-1: not yet. Look at the question once more.\n"


@pytest.mark.parametrize("answer", [(), (None,), (...,)])
def test_no_answer_is_no_error(registered, capsys, answer):
    assert said(capsys, "topic-1", *answer) == "topic-1: not answered yet.\n"


@pytest.mark.parametrize("unknown", ["topic-3", "topic", "other-1", "", "-"])
def test_an_unknown_exercise_lists_those_there_are(registered, unknown):
    with pytest.raises(ValueError, match=f"there is no exercise '{unknown}'; there are topic-1, topic-2"):
        check(unknown, None)


def test_an_id_that_is_no_string_is_refused(registered):
    with pytest.raises(TypeError, match=r"such as .*, got 3"):
        check(3, 14)


# Kinds of answers


@pytest.mark.parametrize("answer", [14, 14.0, torch.tensor(14), torch.tensor([14.0]), np.int64(14), np.float32(14)])
def test_a_number_of_any_kind_is_a_number(answer):
    assert number(14).check(answer) is None


@pytest.mark.parametrize("answer", ["14", [14], True, torch.tensor([14, 14]), {"a": 1}])
def test_what_is_no_number_is_told_so(answer):
    assert number(14).check(answer).startswith("A number is wanted, this is a ")


def test_a_number_may_be_off_by_the_tolerance_only():
    exercise = number(0.3, tolerance=0.01, hints={0.5: "half"}, hint="other")
    assert exercise.check(0.309) is None
    assert exercise.check(0.311) == "other"
    assert exercise.check(0.495) == "half"
    assert exercise.check(math.nan) == "other"
    assert number(0.1 + 0.2).check(0.3) is None


@pytest.mark.parametrize("answer", [(2, 3), [2, 3], torch.Size([2, 3]), torch.tensor([2, 3]), (2.0, np.int64(3))])
def test_a_sequence_of_any_kind_is_a_sequence(answer):
    assert sequence((2, 3)).check(answer) is None


def test_a_wrong_sequence_gets_its_hint():
    exercise = sequence((2, 3), hints={(3, 2): "the order"}, hint="other")
    assert exercise.check((3, 2)) == "the order"
    assert exercise.check((3, 3)) == "other"
    assert exercise.check((2,)) == "2 numbers are wanted, got 1."
    assert exercise.check((2, "3")) == "A list or tuple of numbers is wanted, this is (2, '3')."
    assert exercise.check(5) == "A list or tuple of numbers is wanted, this is 5."
    assert exercise.check(torch.tensor(5)).startswith("A list or tuple of numbers is wanted")


def test_a_choice_forgives_case_spaces_and_hyphens():
    exercise = choice("shift-equivariant", options=["shift-equivariant", "invariant"], hints={"Invariant": "no"}, hint="other")
    assert exercise.check("  Shift Equivariant") is None
    assert exercise.check("INVARIANT") == "no"
    assert exercise.check("both") == "One of 'shift-equivariant', 'invariant' is wanted, this is 'both'."
    assert exercise.check(3).startswith("One of ")
    with pytest.raises(ValueError, match="must be one of the options"):
        choice("c", options=["a", "b"])


def doubled(x):
    return 2 * x


CASES = [((torch.ones(3),), torch.full((3,), 2.0)), ((4,), 8)]


def test_a_right_function_is_right():
    assert function(CASES).check(doubled) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: 3 * x, "Case 1 of 2, arguments a tensor of shape (3,): 3 of 3 values are wrong. Try."),
        (lambda x: 2 * x if isinstance(x, torch.Tensor) else 9, "Case 2 of 2, arguments 4: 1 of 1 values are wrong. Try."),
        (lambda x: torch.zeros(3, 1), "the result has shape (3, 1), wanted is (3,). Try."),
        (lambda x: 1 / 0, "it raises ZeroDivisionError: division by zero"),
        (lambda: 0, "it raises TypeError: <lambda>() takes 0 positional arguments but 1 was given"),
        (lambda x: None, "a number or tensor is wanted, it returns None. Try."),
        (lambda x: x * math.nan, "3 of 3 values are wrong"),
        (7, "A function is wanted, this is 7."),
    ],
)
def test_a_wrong_function_gets_a_hint_and_never_a_traceback(answer, hint):
    assert hint in function(CASES, hint="Try.").check(answer)


def test_a_function_may_change_its_arguments():
    exercise = function(CASES)
    assert exercise.check(lambda x: x.mul_(2) if isinstance(x, torch.Tensor) else 2 * x) is None
    assert exercise.check(doubled) is None


# What the chapters declare


@pytest.mark.parametrize(("chapter", "key", "exercise"), DECLARED, ids=[key for _, key, _ in DECLARED])
def test_declared_exercises_are_named_after_their_chapter_and_take_any_answer(chapter, key, exercise):
    prefix, _, count = key.rpartition("-")
    assert prefix == chapter
    assert count.isdigit()
    assert isinstance(exercise, Exercise)
    for answer in (0, -1.5, "nonsense", [], (1, 2, 3), torch.zeros(2, 2), lambda: None, object()):
        hint = exercise.check(answer)
        assert hint is None or (isinstance(hint, str) and hint)


def test_a_sequence_of_the_wrong_length_may_have_a_hint_of_its_own():
    exercise = sequence([100, 100], hints={(100,): "Both axes count."})
    assert exercise.check((100,)) == "Both axes count."
    assert exercise.check((7,)) == "2 numbers are wanted, got 1."
