"""The bag of embeddings sees which words there are, and not in which order; padding only where it is told to."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.models.bag_of_embeddings import BagOfEmbeddings


def small(**settings):
    torch.manual_seed(0)
    return BagOfEmbeddings(11, 3, embedding_dim=5, **settings)


def texts():
    return torch.tensor([[4, 7, 2, 9, 0, 0], [5, 1, 0, 0, 0, 0], [3, 3, 8, 6, 10, 2], [9, 0, 0, 0, 0, 0]])


def test_tokens_become_one_logit_a_class():
    assert small()(texts()).shape == (4, 3)


def test_it_is_torchs_bag_and_a_linear_layer():
    model = small()
    bag = nn.EmbeddingBag.from_pretrained(model.embedding.weight, mode="mean", padding_idx=0)
    torch.testing.assert_close(model(texts()), model.output(bag(texts())))


def test_the_order_of_the_words_is_lost():
    model = small()
    torch.testing.assert_close(model(torch.tensor([[4, 7, 2, 9]])), model(torch.tensor([[9, 2, 4, 7]])))


@pytest.mark.parametrize(("masked", "moves"), [(True, False), (False, True)])
def test_padding_moves_the_answer_only_where_it_is_counted(masked, moves):
    model = small(masked=masked)
    change = (model(F.pad(texts(), (0, 3))) - model(texts())).abs().max().item()
    assert (change > 1e-3) == moves


def test_every_parameter_gets_a_gradient_but_the_padding():
    model = small()
    F.cross_entropy(model(texts()), torch.tensor([0, 1, 2, 0])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert model.embedding.weight.grad[0].abs().sum() == 0


def test_it_overfits_one_batch():
    model, labels = small(), torch.tensor([0, 1, 2, 0])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(model(texts()), labels).backward()
        optimizer.step()
    assert F.cross_entropy(model(texts()), labels).item() < 0.01


def test_dropout_acts_while_training_alone():
    model = small(dropout=0.5)
    assert not torch.equal(model(texts()), model(texts()))
    model.eval()
    torch.testing.assert_close(model(texts()), model(texts()), rtol=0, atol=0)


def test_the_same_seed_gives_the_same_numbers():
    torch.testing.assert_close(small()(texts()), small()(texts()), rtol=0, atol=0)


def test_a_text_without_a_token_is_refused():
    with pytest.raises(ValueError, match="text 1 of the batch has no token"):
        small()(torch.tensor([[4, 7], [0, 0]]))


def test_another_number_can_be_the_padding():
    model = small(padding=10)
    torch.testing.assert_close(model(torch.tensor([[4, 7, 10]])), model(torch.tensor([[4, 7]])))
