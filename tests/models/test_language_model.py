"""The recurrent language model: torch's numbers, its causality, and reading on from where it stopped."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.generation import generate
from dlcourse.models.language_model import RecurrentLanguageModel

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
V, H, D = 7, 5, 3


def small(cell="lstm", **settings):
    torch.manual_seed(0)
    return RecurrentLanguageModel(V, H, cell=cell, embedding_dim=D, **settings)


def some_tokens(*shape):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cell", CELLS)
def test_logits_gradients_and_one_step_equal_torchs(cell):
    ours = small(cell, num_layers=2).double()
    theirs = nn.ModuleList([nn.Embedding(V, D), CELLS[cell](D, H, num_layers=2, batch_first=True), nn.Linear(H, V)]).double()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        b.data.copy_(a.data)
    tokens, targets = some_tokens(4, 6), some_tokens(4, 6)
    embedding, recurrent, output = theirs
    for model, read in ((ours, ours), (theirs, lambda x: output(recurrent(embedding(x))[0]))):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        F.cross_entropy(read(tokens).mT, targets).backward()
        optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("cell", CELLS)
def test_the_logits_do_not_depend_on_the_tokens_that_follow(cell):
    model, tokens = small(cell), some_tokens(2, 6)
    changed = tokens.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % V
    torch.testing.assert_close(model(tokens)[:, :4], model(changed)[:, :4], rtol=0, atol=0)
    assert not torch.equal(model(tokens)[:, 4:], model(changed)[:, 4:])


@pytest.mark.parametrize("cell", CELLS)
def test_reading_token_by_token_gives_the_logits_of_reading_at_once(cell):
    model, tokens, state, logits = small(cell, num_layers=2).double(), some_tokens(4, 6), None, []
    for t in range(6):
        new, state = model.read(tokens[:, t : t + 1], state)
        logits.append(new)
    torch.testing.assert_close(torch.cat(logits, dim=1), model(tokens))


def test_the_embedding_is_as_wide_as_the_state_unless_told_otherwise():
    assert RecurrentLanguageModel(V, H).embedding.weight.shape == (V, H)
    assert small().embedding.weight.shape == (V, D)


def test_before_training_it_knows_next_to_nothing():
    logits = RecurrentLanguageModel(64, 32)(torch.randint(64, (8, 20)))
    assert abs(F.cross_entropy(logits.mT, torch.randint(64, (8, 20))).item() / math.log(64) - 1) < 0.05


def test_each_part_can_be_watched_by_its_name():
    with hooks.record(model := small(), "embedding", "recurrent", "output") as seen:
        model(some_tokens(4, 6))
    assert [tuple(seen[name].shape) for name in seen] == [(4, 6, D), (4, 6, H), (4, 6, V)]


def test_dropout_acts_in_training_only():
    model, tokens = small(dropout=0.5), some_tokens(4, 6)
    assert not torch.equal(model(tokens), model(tokens))
    model.eval()
    torch.testing.assert_close(model(tokens), model(tokens), rtol=0, atol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_every_parameter_gets_a_gradient(cell):
    model = small(cell, num_layers=2)
    F.cross_entropy(model(some_tokens(8, 6)).mT, some_tokens(8, 6)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_it_learns_a_line_by_heart_and_writes_it(cell):
    torch.manual_seed(0)
    model = RecurrentLanguageModel(V, 24, cell=cell)
    line = torch.tensor([[0, 1, 2, 1, 3, 1, 4, 5, 6, 6, 6, 0]])  # what follows 1 or 6 depends on more than the last token
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(model(line[:, :-1]).mT, line[:, 1:]).backward()
        optimizer.step()
    assert generate(model.read, line[:, :1], num_tokens=11, temperature=0).tolist() == line.tolist()


def test_the_same_seed_gives_the_same_numbers():
    tokens = some_tokens(4, 6)
    torch.testing.assert_close(small()(tokens), small()(tokens), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(6,), (4, 0), (0, 6), (4, 6, 1)])
def test_tokens_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"given; \(B, T\) wanted, both at least 1"):
        small()(torch.zeros(shape, dtype=torch.int64))


def test_a_token_that_is_not_in_the_vocabulary_is_named():
    with pytest.raises(ValueError, match="token 7"):
        small()(torch.tensor([[0, 7]]))


def test_an_unknown_cell_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="cell='elman' is not known; there are rnn, lstm, gru"):
        RecurrentLanguageModel(V, H, cell="elman")
