"""Twins of the same words carry opposite labels, so that only the order of the words tells them apart."""

import re
from collections import Counter

import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from dlcourse.data import reviews
from dlcourse.data.text import lengths, words


@pytest.fixture(scope="module")
def splits():
    return reviews.read()


def test_the_parts_have_their_sizes_and_half_of_each_is_praise(splits):
    assert [len(part.texts) for part in splits] == [2000, 500, 500]
    for part in splits:
        assert part.labels.dtype == torch.int64
        assert part.labels.sum() == len(part.texts) / 2


def test_each_review_has_a_neighbour_of_the_same_words_and_the_other_label(splits):
    for texts, labels in splits:
        for one, other in zip(texts[::2], texts[1::2], strict=True):
            assert one != other
            assert Counter(words(one)) == Counter(words(other))
        assert (labels[::2] + labels[1::2] == 1).all()


def test_no_text_occurs_twice_in_any_part(splits):
    texts = [text for part in splits for text in part.texts]
    assert len(set(texts)) == len(texts)


def test_every_word_is_as_frequent_in_praise_as_in_blame(splits):
    for texts, labels in splits:
        counts = Counter()
        for text, label in zip(texts, labels.tolist(), strict=True):
            for word in words(text):
                counts[word] += 1 if label else -1
        assert not any(counts.values())


@pytest.mark.parametrize(("ngram_range", "least", "most"), [((1, 1), 0.5, 0.5), ((1, 3), 0.9, 1.0)])
def test_logistic_regression_is_at_chance_on_words_and_not_on_runs_of_words(splits, ngram_range, least, most):
    count = CountVectorizer(ngram_range=ngram_range, token_pattern=r"(?u)\w+|[^\w\s]")
    model = LogisticRegression(max_iter=500).fit(count.fit_transform(splits.train.texts), splits.train.labels)
    assert least <= model.score(count.transform(splits.test.texts), splits.test.labels) <= most


def test_labels_mean_what_the_words_say():
    """Read the claims with rules of our own: what follows "is anything but" or "got a" has a plain sense."""
    checked = 0
    for text, label in zip(*reviews.read(seed=3).train, strict=True):
        for pattern, agrees in ((r"got a (\w+)", True), (r"anything but (\w+)", False), (r"less (\w+) than", False)):
            for word in re.findall(pattern, text):
                good = word in reviews.GOOD or word in reviews.GOOD_THING
                assert (good == bool(label)) == agrees
                checked += 1
    assert checked > 50


def test_numbers_are_those_of_the_vocabulary_padded_at_the_end(splits):
    vocabulary = reviews.vocabulary()
    for part, tensors in zip(splits, reviews.load(), strict=True):
        tokens, labels = tensors.tensors
        assert tokens.shape == (len(part.texts), 50)
        assert torch.equal(labels, part.labels)
        assert not (tokens == vocabulary.unknown).any()
        assert vocabulary.decode(tokens[5]) == words(part.texts[5])
        assert lengths(tokens)[5] == len(words(part.texts[5]))


def test_no_review_can_be_longer_than_its_room():
    templates = [template for kind, *_ in reviews.KINDS for template in kind]
    longest = max(len(words(template.format(same="x", other="x", s="camera work"))) for template in templates)
    talk = max(len(words(text)) for text in reviews.BEFORE) + max(len(words(text)) for text in reviews.AFTER)
    assert 2 * (longest + 1) + talk <= reviews.LENGTH


def test_the_same_seed_gives_the_same_reviews_and_another_seed_others():
    assert reviews.read(seed=1).test.texts == reviews.read(seed=1).test.texts
    assert reviews.read(seed=1).test.texts != reviews.read(seed=2).test.texts
