"""Skip-gram: its scores, its loss and their gradients are those of the formula, and what it refuses."""

import math

import pytest
import torch
import torch.nn.functional as F

from dlcourse.models.skip_gram import SkipGram, negative_sampling_loss


def small():
    """A model of 7 words in 3 dimensions, and a batch of 5 pairs with 4 noise words each."""
    torch.manual_seed(0)
    model = SkipGram(7, 3).double()
    torch.nn.init.normal_(model.context.weight)
    return model, torch.randint(7, (5,)), torch.randint(7, (5, 5))


def test_a_score_is_the_product_of_the_two_words_vectors():
    model, centres, contexts = small()
    scores = model(centres, contexts)
    assert scores.shape == (5, 5)
    for row, column in ((0, 0), (2, 1), (4, 3)):
        v, u = model.centre.weight[centres[row]], model.context.weight[contexts[row, column]]
        torch.testing.assert_close(scores[row, column], v @ u)


def test_the_loss_and_its_gradients_are_those_of_binary_cross_entropy_summed_over_columns():
    ours, centres, contexts = small()
    theirs, _, _ = small()
    loss = negative_sampling_loss(ours(centres, contexts))
    scores = theirs(centres, contexts)
    targets = torch.zeros_like(scores)
    targets[:, 0] = 1
    wanted = F.binary_cross_entropy_with_logits(scores, targets, reduction="none").sum(1).mean()
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    wanted.backward()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert a.grad.abs().sum() > 0
        torch.testing.assert_close(a.grad, b.grad)


def test_the_gradient_of_a_word_is_its_share_of_surprise_times_the_other_words_vector():
    model, _, _ = small()
    negative_sampling_loss(model(torch.tensor([1]), torch.tensor([[2, 4]]))).backward()
    v, u = model.centre.weight[1].detach(), model.context.weight.detach()
    probability = torch.sigmoid(u @ v)
    torch.testing.assert_close(model.centre.weight.grad[1], (probability[2] - 1) * u[2] + probability[4] * u[4])
    torch.testing.assert_close(model.context.weight.grad[2], (probability[2] - 1) * v)
    torch.testing.assert_close(model.context.weight.grad[4], probability[4] * v)
    assert model.centre.weight.grad[[0, 2, 3, 4, 5, 6]].abs().sum() == 0


def test_before_training_with_5_noise_words_the_loss_is_6_log_2():
    torch.manual_seed(0)
    model = SkipGram(9, 4)
    loss = negative_sampling_loss(model(torch.randint(9, (3,)), torch.randint(9, (3, 6))))
    assert loss.item() == pytest.approx(6 * math.log(2))


def test_scores_however_large_overflow_nothing():
    loss = negative_sampling_loss(torch.tensor([[-1000.0, 1000.0], [1000.0, -1000.0]]))
    assert loss.item() == 1000.0


def test_trained_on_pairs_it_tells_them_from_the_others():
    torch.manual_seed(0)
    model = SkipGram(6, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    words = torch.arange(6)
    contexts = torch.stack([(words + shift) % 6 for shift in (1, 2, 3)], dim=1)  # the true neighbour is the next number
    for _ in range(200):
        optimizer.zero_grad()
        loss = negative_sampling_loss(model(words, contexts))
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_the_same_seed_gives_the_same_vectors():
    assert torch.equal(small()[0].centre.weight, small()[0].centre.weight)


@pytest.mark.parametrize(
    ("centres", "contexts"),
    [((5,), (4, 3)), ((5, 1), (5, 3)), ((5,), (5,)), ((0,), (0, 3)), ((5,), (5, 0))],
)
def test_shapes_that_do_not_fit_are_refused(centres, contexts):
    model, _, _ = small()
    with pytest.raises(ValueError, match=r"given; \(B,\) and \(B, 1 \+ K\) wanted"):
        model(torch.zeros(centres, dtype=torch.int64), torch.zeros(contexts, dtype=torch.int64))


def test_noise_shared_by_the_batch_scores_as_if_each_pair_had_drawn_it():
    model, centres, contexts = small()
    noise = torch.tensor([6, 0, 3, 3])
    shared = model(centres, contexts[:, :1], noise)
    torch.testing.assert_close(shared, model(centres, torch.cat([contexts[:, :1], noise.expand(5, 4)], dim=1)))
    (shared * torch.randn(5, 5, dtype=torch.float64)).sum().backward()
    assert model.context.weight.grad[noise].abs().sum(1).min() > 0


def test_a_number_of_noise_words_takes_the_mean_of_those_drawn_that_many_times():
    scores = torch.tensor([[0.5, 1.0, -1.0, 0.0], [2.0, 0.0, 3.0, 1.0]])
    true, noise = -F.logsigmoid(scores[:, 0]).mean(), -F.logsigmoid(-scores[:, 1:]).mean()
    torch.testing.assert_close(negative_sampling_loss(scores, num_noise=5), true + 5 * noise)
    torch.testing.assert_close(negative_sampling_loss(scores, num_noise=3), negative_sampling_loss(scores))


@pytest.mark.parametrize(("contexts", "noise"), [((5, 2), (4,)), ((5, 1), (5, 4)), ((5, 1), ())])
def test_noise_that_a_batch_cannot_share_is_refused(contexts, noise):
    model, centres, _ = small()
    with pytest.raises(ValueError, match=r"given; \(B, 1\) and \(K,\) wanted where the batch shares its noise"):
        model(centres, torch.zeros(contexts, dtype=torch.int64), torch.zeros(noise, dtype=torch.int64))


@pytest.mark.parametrize("number", [0, -2, float("nan")])
def test_a_number_of_noise_words_that_is_none_is_refused(number):
    with pytest.raises(ValueError, match=f"num_noise={number}: a number above 0"):
        negative_sampling_loss(torch.zeros(2, 3), num_noise=number)


@pytest.mark.parametrize("shape", [(5,), (5, 1), (0, 3), (2, 3, 4)])
def test_scores_without_noise_are_refused(shape):
    with pytest.raises(ValueError, match=r"given; \(B, 1 \+ K\) wanted"):
        negative_sampling_loss(torch.zeros(shape))


def test_whole_numbers_are_no_scores():
    with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
        negative_sampling_loss(torch.zeros(2, 3, dtype=torch.int64))


@pytest.mark.parametrize("sizes", [(0, 3), (7, 0)])
def test_a_table_without_rows_or_columns_is_refused(sizes):
    with pytest.raises(ValueError, match="both must be at least 1"):
        SkipGram(*sizes)
