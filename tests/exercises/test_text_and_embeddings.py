"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import torch
import torch.nn.functional as F

from dlcourse.data import skip_grams, text
from dlcourse.exercises.text_and_embeddings import CORNERS, EXERCISES, SCALED
from dlcourse.layers.convolution import output_size
from dlcourse.layers.embedding import token_mask
from dlcourse.models.skip_gram import SkipGram, negative_sampling_loss


def verdict(number, answer):
    return EXERCISES[f"text_and_embeddings-{number}"].check(answer)


def test_the_pairs_are_counted_as_the_package_makes_them():
    five = torch.arange(5)
    assert verdict(1, len(skip_grams.pairs(five, window=2)[0])) is None
    assert "two places" in verdict(1, len(skip_grams.pairs(five, window=1)[0]))
    assert "fewer neighbours" in verdict(1, 5 * 4)
    assert "own context" in verdict(1, 5 * 5)


def test_the_loss_of_vectors_that_know_nothing_is_that_of_a_fresh_model():
    fresh = SkipGram(9, 4)
    loss = negative_sampling_loss(fresh(torch.tensor([3, 1]), torch.randint(9, (2, 6)))).detach()
    assert verdict(2, loss) is None
    assert verdict(2, 4.159) is None
    assert "true pair" in verdict(2, loss.item() * 5 / 6)
    assert "natural" in verdict(2, 6)


def test_the_windows_are_those_that_fit():
    real, all_of_them = output_size(7, 3), output_size(10, 3)
    assert verdict(3, (real, all_of_them - real)) is None
    assert "touch a pad" in verdict(3, (real, all_of_them))
    assert "last word" in verdict(3, (7, 3))


def test_the_masked_mean_leaves_the_pads_out():
    tokens = torch.tensor([[3, 1, 2, 0, 0]])
    table = torch.tensor([[0.0, 0.0], [3.0, 0.0], [2.0, 7.0], [1.0, 2.0]])
    total, real = table[tokens].sum(1), token_mask(tokens)
    masked, careless = (total / real.sum()).squeeze(0), (total / tokens.shape[1]).squeeze(0)
    assert verdict(4, torch.cat([masked, careless])) is None
    assert "other way round" in verdict(4, torch.cat([careless, masked]))
    assert "divides" in verdict(4, torch.cat([total, total], dim=1).squeeze(0))


def test_only_one_reason_is_the_reason():
    assert verdict(5, "B") is None
    assert verdict(5, "b") is None
    for other in "ACD":
        assert verdict(5, other)


def test_the_merges_are_those_of_the_package():
    left = []
    for merges in (1, 2):
        encoding = text.BytePairEncoding.train("banana\nbandana", vocab_size=256 + merges)
        left.append(sum(len(encoding.encode(word)) for word in ("banana", "bandana")))
    assert verdict(6, left) is None
    assert "counts" in verdict(6, (4, 2))


def test_ppmi_is_what_formula_seven_makes_of_counts():
    def pmi(counts):
        chance = torch.outer(counts.sum(1), counts.sum(0)) / counts.sum()
        return torch.log(counts / chance)

    assert verdict(7, lambda counts: pmi(counts).clamp(min=0)) is None
    assert "negative" in verdict(7, pmi)
    assert "log k" in verdict(7, lambda counts: (pmi(counts) - 1).clamp(min=0))


def nearest(vectors, target, left_out):
    cosines = F.cosine_similarity(vectors, target[None])
    cosines[list(left_out)] = -2
    return int(cosines.argmax())


def test_an_analogy_compares_directions_and_leaves_the_given_words_out():
    def analogy(vectors, a, b, c, *, left_out=True, unit=True):
        x = F.normalize(vectors, dim=1) if unit else vectors
        return nearest(x, x[b] - x[a] + x[c], (a, b, c) if left_out else ())

    assert verdict(8, analogy) is None
    assert analogy(CORNERS, 0, 1, 2, left_out=False) == 2  # what the next line is about
    assert "Case 1" in verdict(8, lambda *given: analogy(*given, left_out=False))
    assert analogy(SCALED, 0, 1, 2, unit=False) == 5
    assert verdict(8, lambda *given: analogy(*given, unit=False))
