"""The encoder and decoder: torch's numbers, the bottleneck, padding that never leaks, and decoding step by step."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.decoding import greedy
from dlcourse.models.seq2seq import Seq2Seq

ATTENTIONS = [None, "additive", "dot", "scaled_dot"]
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
S, T = 11, 9  # sizes of the two vocabularies
D, H = 3, 8


def small(attention="scaled_dot", **settings):
    torch.manual_seed(0)
    return Seq2Seq(S, T, attention=attention, embedding_dim=D, hidden_size=H, **settings)


def sources(sizes=(5, 2, 4), width=None, seed=1):
    tokens = torch.randint(1, S, (len(sizes), width or max(sizes)), generator=torch.Generator().manual_seed(seed))
    return tokens.where(torch.arange(tokens.shape[1]) < torch.tensor(sizes)[:, None], 0)


def targets(*shape):
    return torch.randint(1, T, shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("cell", TORCH)
def test_without_attention_it_is_torchs_encoder_and_decoder(cell):
    ours = small(None, cell=cell, num_layers=2).double()
    parts = {
        "source_embedding": nn.Embedding(S, D),
        "target_embedding": nn.Embedding(T, D),
        "encoder": TORCH[cell](D, H // 2, num_layers=2, bidirectional=True, batch_first=True),
        "decoder": TORCH[cell](D, H, batch_first=True),
        "output": nn.Linear(H, T),
    }
    theirs = nn.ModuleDict(parts).double()
    theirs.load_state_dict(ours.state_dict())

    def composed(source, target_in):
        sizes = (source != 0).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            theirs["source_embedding"](source), sizes, batch_first=True, enforce_sorted=False
        )
        _, state = theirs["encoder"](packed)
        last = [torch.cat([part[-2], part[-1]], dim=-1)[None] for part in (state if cell == "lstm" else (state,))]
        h, _ = theirs["decoder"](theirs["target_embedding"](target_in), tuple(last) if cell == "lstm" else last[0])
        return theirs["output"](h)

    source, target_in, target_out = sources(), targets(3, 6), targets(3, 6)
    for model, read in ((ours, ours), (theirs, composed)):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        F.cross_entropy(read(source, target_in).mT, target_out).backward()
        optimizer.step()
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(ours.get_parameter(name).grad, parameter.grad)
        torch.testing.assert_close(ours.get_parameter(name), parameter)


def test_with_attention_it_is_the_equations_of_luong():
    model, source, target_in = small("dot").double(), sources(), targets(3, 6)
    state = model.encode(source)
    h, _ = model.decoder(model.target_embedding(target_in), state.hidden[0][None])
    wanted = torch.empty(3, 6, T, dtype=torch.float64)
    for b, size in enumerate((5, 2, 4)):
        memory = state.memory[b, :size]
        for t in range(6):
            weights = torch.softmax(memory @ h[b, t], dim=0)
            context = sum(weight * vector for weight, vector in zip(weights, memory, strict=True))
            attentional = torch.tanh(model.combine.weight @ torch.cat([h[b, t], context]) + model.combine.bias)
            wanted[b, t] = model.output.weight @ attentional + model.output.bias
    torch.testing.assert_close(model(source, target_in), wanted)


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_sample_never_depends_on_its_neighbours(attention, cell):
    model, source, target_in = small(attention, cell=cell, num_layers=2), sources(), targets(3, 6)
    before = model(source, target_in)
    source[1, 0] = source[1, 0] % (S - 1) + 1
    source[1, 2:] = 1  # longer, too
    target_in[1] = target_in[1] % (T - 1) + 1
    after = model(source, target_in)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_padding_never_leaks(attention, bidirectional):
    model = small(attention, bidirectional=bidirectional).double()
    source, target_in = sources(), targets(3, 6)
    wide = F.pad(source, (0, 4))
    with torch.no_grad():
        alone = torch.cat([model(source[b : b + 1, :size], target_in[b : b + 1]) for b, size in enumerate((5, 2, 4))])
        torch.testing.assert_close(model(wide, target_in), alone, rtol=0, atol=1e-14)
        model.source_embedding.weight[0] = 100.0
        torch.testing.assert_close(model(wide, target_in), alone, rtol=0, atol=1e-14)


@pytest.mark.parametrize("attention", ["additive", "dot", "scaled_dot"])
def test_the_weights_of_the_alignment_can_be_recorded(attention):
    model, source = small(attention), sources()
    with hooks.record(model, "attention.attend") as seen:
        model(source, targets(3, 6))
    weights = seen["attention.attend"]
    assert weights.shape == (3, 6, 5)
    assert (weights[1, :, 2:] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 6))


def test_without_attention_the_last_state_is_all_the_decoder_gets():
    model, source, target_in = small(None), sources(), targets(3, 6)
    state = model.encode(source)
    blind = state._replace(memory=torch.full_like(state.memory, torch.nan))
    assert torch.equal(model.step(target_in[:, 0], state)[0], model.step(target_in[:, 0], blind)[0])
    assert small("dot").step(target_in[:, 0], blind)[0].isnan().all()


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_step_by_step_gives_the_logits_of_teacher_forcing(attention, cell):
    model, source, target_in = small(attention, cell=cell).double(), sources(), targets(3, 6)
    state, steps = model.encode(source), []
    for t in range(6):
        log_probabilities, state = model.step(target_in[:, t], state)
        steps.append(log_probabilities)
    torch.testing.assert_close(torch.stack(steps, dim=1), model(source, target_in).log_softmax(-1))


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_parameter_gets_a_gradient_and_one_batch_is_learnt_by_heart(attention):
    model, source = small(attention), sources()
    target = torch.tensor([[1, 3, 4, 2, 0], [1, 5, 2, 0, 0], [1, 6, 6, 7, 2]])
    real = target[:, 1:] != 0
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(source, target[:, :-1])[real], target[:, 1:][real])
        loss.backward()
        assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
        optimizer.step()
    assert loss < 0.1
    written = greedy(model.step, model.encode(source), start=1, end=2, max_length=5)
    assert written.tolist() == [[3, 4, 0], [5, 0, 0], [6, 6, 7]]


def test_dropout_acts_in_training_only():
    model, source, target_in = small(dropout=0.5), sources(), targets(3, 6)
    assert not torch.equal(model(source, target_in), model(source, target_in))
    model.eval()
    assert torch.equal(model(source, target_in), model(source, target_in))


@pytest.mark.parametrize(
    ("source", "target_in", "error", "words"),
    [
        (sources(), targets(2, 6), ValueError, r"sources \(3, 5\) and targets \(2, 6\) given"),
        (sources()[:0], targets(0, 6), ValueError, "each at least 1"),
        (sources(), targets(3, 0), ValueError, "each at least 1"),
        (sources()[:, :0], targets(3, 6), ValueError, r"\(3, 0\) given; \(B, T\) wanted"),
        (sources().int(), targets(3, 6), TypeError, r"torch\.int32 given; torch\.int64"),
        (sources(), targets(3, 6).float(), TypeError, r"torch\.float32 given; torch\.int64"),
        (sources() + S - 1, targets(3, 6), ValueError, "has no vector: this table has rows 0 to 10"),
        (sources(), targets(3, 6) + T, ValueError, "has no vector: this table has rows 0 to 8"),
        (sources().flip(1), targets(3, 6), ValueError, "text 1 of the batch has padding before a token"),
        (sources() * torch.tensor([[1], [1], [0]]), targets(3, 6), ValueError, "text 2 of the batch has no token"),
    ],
)
def test_bad_input_is_refused(source, target_in, error, words):
    with pytest.raises(error, match=words):
        small()(source, target_in)


def test_settings_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"attention='bilinear' is not known; there are additive, dot"):
        small("bilinear")
    with pytest.raises(ValueError, match=r"cell='cnn' is not known; there are rnn, lstm, gru"):
        small(cell="cnn")
    with pytest.raises(ValueError, match="hidden_size=7 has no half"):
        Seq2Seq(S, T, hidden_size=7)


def test_the_same_seed_gives_the_same_model():
    source, target_in = sources(), targets(3, 6)
    assert torch.equal(small()(source, target_in), small()(source, target_in))
