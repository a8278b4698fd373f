"""The sentence CNN finds a run of words wherever it stands, and padding changes nothing unless it is told to."""

import pytest
import torch
import torch.nn.functional as F

from dlcourse.models.sentence_cnn import SentenceCNN


def small(*, mode="eval", **settings):
    torch.manual_seed(0)
    model = SentenceCNN(11, 3, embedding_dim=5, **{"kernel_sizes": (2, 4), "num_filters": 7, **settings})
    return model.train(mode == "train")


def texts():
    return torch.tensor([[4, 7, 2, 9, 1, 0], [5, 1, 0, 0, 0, 0], [3, 3, 8, 6, 10, 2], [9, 0, 0, 0, 0, 0]])


def test_tokens_become_one_logit_a_class():
    assert small()(texts()).shape == (4, 3)


def test_what_is_worth_watching_has_a_name():
    names = dict(small().named_children())
    assert list(names) == ["embedding", "convolutions", "dropout", "output"]
    assert [tuple(convolution.weight.shape) for convolution in names["convolutions"]] == [(7, 5, 2), (7, 5, 4)]


def test_it_is_the_network_of_the_paper_written_with_torchs_functions():
    model = small()
    text = texts()[2:3]  # without padding
    x = F.embedding(text, model.embedding.weight).transpose(1, 2)  # (1, D, T)
    features = [F.relu(F.conv1d(x, c.weight, c.bias)).max(dim=2).values for c in model.convolutions]
    expected = F.linear(torch.cat(features, dim=1), model.output.weight, model.output.bias)
    torch.testing.assert_close(model(text), expected)


def test_a_text_gives_the_same_logits_alone_and_beside_longer_ones():
    model = small()
    together = model(texts())
    for row, length in enumerate([5, 2, 6, 1]):
        torch.testing.assert_close(model(texts()[row : row + 1, :length]), together[row : row + 1])


@pytest.mark.parametrize(("masked", "moves"), [(True, False), (False, True)])
def test_padding_moves_the_answer_only_where_its_windows_compete(masked, moves):
    model = small(masked=masked)
    change = (model(F.pad(texts(), (0, 9))) - model(texts())).abs().max().item()
    assert (change > 1e-3) == moves


def test_a_run_of_words_counts_the_same_wherever_it_stands():
    model = small(kernel_sizes=(2,))
    early, late = torch.tensor([[1, 4, 7, 1, 1, 1]]), torch.tensor([[1, 1, 1, 4, 7, 1]])  # the same runs of two words
    torch.testing.assert_close(model(early), model(late))
    assert not torch.allclose(model(early), model(torch.tensor([[1, 7, 4, 1, 1, 1]])))


def test_every_parameter_gets_a_gradient_but_the_padding():
    model = small()
    F.cross_entropy(model(texts()), torch.tensor([0, 1, 2, 0])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert model.embedding.weight.grad[0].abs().sum() == 0


def test_gradients_are_finite_where_windows_are_shut_out():
    model = small().double()
    F.cross_entropy(model(texts()), torch.tensor([0, 1, 2, 0])).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_it_overfits_one_batch():
    model, labels = small(dropout=0.0, mode="train"), torch.tensor([0, 1, 2, 0])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(model(texts()), labels).backward()
        optimizer.step()
    assert F.cross_entropy(model(texts()), labels).item() < 0.01


def test_dropout_acts_while_training_alone():
    training, evaluating = small(mode="train"), small()
    assert not torch.equal(training(texts()), training(texts()))
    torch.testing.assert_close(evaluating(texts()), evaluating(texts()), rtol=0, atol=0)


def test_the_same_seed_gives_the_same_numbers():
    torch.testing.assert_close(small()(texts()), small()(texts()), rtol=0, atol=0)


def test_another_number_can_be_the_padding():
    model = small(padding=10)
    torch.testing.assert_close(model(torch.tensor([[4, 7, 10]])), model(torch.tensor([[4, 7]])))


@pytest.mark.parametrize(
    ("tokens", "message"), [([4, 7], r"tokens of shape \(2,\) given"), ([[4, 7], [0, 0]], "text 1 of the batch has no token")]
)
def test_what_is_no_text_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        small()(torch.tensor(tokens))


@pytest.mark.parametrize("sizes", [(), (2, 0)])
def test_widths_that_are_no_widths_are_refused(sizes):
    with pytest.raises(ValueError, match="widths of at least 1 are wanted"):
        small(kernel_sizes=sizes)
