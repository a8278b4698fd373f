"""The recurrent classifier: it reads to each text's own end, whatever stands beside it in the batch."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.models.recurrent_classifier import RecurrentClassifier

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
TOKENS = torch.tensor([[3, 5, 2, 7, 0, 0], [8, 1, 0, 0, 0, 0], [4, 4, 6, 2, 9, 1]])


def small(cell="lstm", **settings):
    torch.manual_seed(0)
    return RecurrentClassifier(10, 3, cell=cell, embedding_dim=4, hidden_size=5, **settings)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("settings", [{}, {"bidirectional": True, "num_layers": 2}])
def test_logits_and_gradients_are_torchs_with_packing(cell, settings):
    model = small(cell, **settings).double()
    theirs = CELLS[cell](4, 5, batch_first=True, **settings).double()
    model.recurrent = type(model.recurrent).from_torch(theirs)
    packed = nn.utils.rnn.pack_padded_sequence(model.embedding(TOKENS), [4, 2, 6], batch_first=True, enforce_sorted=False)
    state = theirs(packed)[1]
    h = state[0] if cell == "lstm" else state
    last = torch.cat([h[-2], h[-1]], 1) if settings else h[-1]
    wanted = F.linear(last, model.output.weight, model.output.bias)
    torch.testing.assert_close(model(TOKENS), wanted)
    upstream = torch.randn(3, 3, dtype=torch.float64)
    ours = torch.autograd.grad(model(TOKENS), (model.embedding.weight, model.output.weight), upstream)
    for one, other in zip(ours, torch.autograd.grad(wanted, (model.embedding.weight, model.output.weight), upstream), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", CELLS)
def test_more_padding_changes_nothing_and_without_lengths_it_does(cell):
    wider = F.pad(TOKENS, (0, 7))
    model = small(cell, bidirectional=True)
    torch.testing.assert_close(model(wider), model(TOKENS), rtol=0, atol=1e-6)
    model.use_lengths = False
    assert (model(wider) - model(TOKENS)).abs().max() > 1e-3


def test_a_text_has_the_same_logits_alone_and_in_a_batch():
    model = small("gru")
    torch.testing.assert_close(model(TOKENS)[1:2], model(torch.tensor([[8, 1]])), rtol=0, atol=1e-6)


def test_the_forget_gates_of_the_lstm_begin_open():
    biases = [p for name, p in small(num_layers=2, bidirectional=True).recurrent.named_parameters() if name.startswith("bias_ih")]
    assert len(biases) == 4
    for bias in biases:
        assert bias[5:10].mean() > 0.5  # rows i, f, g, o, five units each
        assert torch.cat([bias[:5], bias[10:]]).mean().abs() < 0.3


@pytest.mark.parametrize("cell", CELLS)
def test_order_matters(cell):
    model = small(cell)
    assert not torch.allclose(model(torch.tensor([[3, 5, 2]])), model(torch.tensor([[2, 5, 3]])))


@pytest.mark.parametrize("cell", CELLS)
def test_every_parameter_gets_a_gradient_and_the_row_of_padding_none(cell):
    model = small(cell, num_layers=2, bidirectional=True, dropout=0.1)
    F.cross_entropy(model(torch.arange(1, 10).view(3, 3)), torch.arange(3)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert model.embedding.weight.grad[0].abs().sum() == 0


@pytest.mark.parametrize("cell", CELLS)
def test_it_overfits_one_batch(cell):
    model, labels = small(cell), torch.arange(3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(model(TOKENS), labels).backward()
        optimizer.step()
    assert F.cross_entropy(model(TOKENS), labels).item() < 0.01


def test_dropout_acts_only_while_training_and_on_a_single_layer_too():
    model = small(dropout=0.5)
    assert not torch.equal(model(TOKENS), model(TOKENS))
    model.eval()
    torch.testing.assert_close(model(TOKENS), model(TOKENS), rtol=0, atol=0)


def test_an_unknown_cell_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="cell='transformer' is not known; there are rnn, lstm, gru"):
        small("transformer")


@pytest.mark.parametrize("shape", [(3,), (0, 4), (3, 0), (2, 3, 4)])
def test_tokens_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"tokens of shape"):
        small()(torch.ones(shape, dtype=torch.int64))


@pytest.mark.parametrize("use_lengths", [True, False])
def test_a_text_without_a_token_is_refused(use_lengths):
    with pytest.raises(ValueError, match="text 1 of the batch has no token"):
        small(use_lengths=use_lengths)(torch.tensor([[1, 2], [0, 0]]))


def test_padding_before_a_token_is_refused():
    with pytest.raises(ValueError, match="text 0 of the batch has padding before a token"):
        small()(torch.tensor([[0, 2], [1, 1]]))
