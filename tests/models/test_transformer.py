"""The encoder-decoder is torch's, hides padding and the future exactly, and writes step by step what it computes at once."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.decoding import beam_search, greedy
from dlcourse.layers.attention import causal_mask
from dlcourse.layers.transformer import TransformerBlock
from dlcourse.models.transformer import Transformer

B, S, T, D, N, H, U, V, M = 3, 5, 4, 6, 2, 7, 9, 8, 10
SOURCE = torch.tensor([[3, 5, 2, 7, 0], [8, 1, 0, 0, 0], [4, 4, 6, 2, 1]])
TARGET = torch.tensor([[1, 5, 2, 7], [1, 6, 2, 0], [1, 4, 6, 3]])


def small(**settings):
    torch.manual_seed(0)
    return Transformer(U, V, D, num_heads=N, num_layers=2, max_length=M, hidden_size=H, **settings).eval()


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_logits_gradients_and_one_step_equal_those_of_torchs_transformer(norm_first, fused):
    ours = small(norm_first=norm_first, fused=fused).double()
    settings = {"dropout": 0.0, "batch_first": True, "norm_first": norm_first, "dtype": torch.float64}
    layer, norm = nn.TransformerEncoderLayer(D, N, H, **settings), nn.LayerNorm(D, dtype=torch.float64)
    encoder = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False)  # torch warns where it is left on
    twin = nn.Transformer(D, N, 2, 2, H, custom_encoder=encoder, **settings)
    for stack, layers, norm in (("encoder", twin.encoder, ours.encoder_norm), ("decoder", twin.decoder, ours.decoder_norm)):
        for block, layer in zip(getattr(ours, stack), layers.layers, strict=True):
            block.load_state_dict(TransformerBlock.from_torch(layer).state_dict())
        nn.init.normal_(layers.norm.weight)
        norm.load_state_dict(layers.norm.state_dict())
    tables = [nn.Parameter(layer.weight.detach().clone()) for layer in (ours.source_embedding, ours.target_embedding)]
    output = nn.Linear(D, V, dtype=torch.float64)
    output.load_state_dict(ours.output.state_dict())
    x, y = (
        F.embedding(t, w) * D**0.5 + ours.source_positions.table[: t.shape[1]]
        for t, w in zip((SOURCE, TARGET), tables, strict=True)
    )
    pad = SOURCE == 0
    wanted = output(twin(x, y, tgt_mask=~causal_mask(T), src_key_padding_mask=pad, memory_key_padding_mask=pad))
    logits = ours(SOURCE, TARGET)
    torch.testing.assert_close(logits, wanted)
    pull = torch.randn_like(wanted)
    logits.backward(pull)
    wanted.backward(pull)
    theirs = [*tables, *twin.parameters(), *output.parameters()]
    torch.optim.SGD([*ours.parameters(), *theirs], lr=0.1).step()
    for stack, layers in (("encoder", twin.encoder), ("decoder", twin.decoder)):
        for block, layer in zip(getattr(ours, stack), layers.layers, strict=True):
            torch.testing.assert_close(block.state_dict(), TransformerBlock.from_torch(layer).state_dict())
    torch.testing.assert_close(ours.encoder_norm.weight, twin.encoder.norm.weight)
    torch.testing.assert_close(
        [ours.source_embedding.weight, ours.target_embedding.weight, ours.output.weight], [*tables, output.weight]
    )


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_more_padding_changes_nothing_and_a_neighbour_exactly_nothing(fused):
    model = small(fused=fused)
    logits = model(SOURCE, TARGET)
    torch.testing.assert_close(model(F.pad(SOURCE, (0, 3)), TARGET), logits, rtol=0, atol=1e-6)
    torch.testing.assert_close(model(SOURCE[1:2, :2], TARGET[1:2]), logits[1:2], rtol=0, atol=1e-6)
    others, targets = SOURCE.flip(0).clone(), TARGET.flip(0).clone()
    others[1], targets[1] = SOURCE[1], TARGET[1]
    changed = model(others, targets)
    assert torch.equal(changed[1], logits[1])
    assert not torch.equal(changed[0], logits[0])


def test_padding_of_the_source_gets_no_weight_and_no_gradient():
    model = small(fused=False)
    names = [f"{part}.attend" for part in ("encoder.0.attention", "encoder.1.attention", "decoder.0.cross", "decoder.1.cross")]
    with hooks.record(model, *names) as seen:
        model(SOURCE, TARGET).square().sum().backward()
    for weights in seen.values():  # (B, N, queries, S)
        assert (weights.movedim(3, 1)[SOURCE == 0] == 0).all()
        assert (weights.movedim(3, 1)[SOURCE != 0] > 0).all()
    assert (model.source_embedding.weight.grad[0] == 0).all()


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_a_logit_depends_on_the_whole_source_and_on_no_later_target(fused):
    model = small(fused=fused)
    logits, later, source = model(SOURCE, TARGET), TARGET.clone(), SOURCE.clone()
    later[:, 2:] = (later[:, 2:] + 1) % V
    assert torch.equal(model(SOURCE, later)[:, :2], logits[:, :2])
    assert (model(SOURCE, later)[:, 2:] != logits[:, 2:]).any(-1).all()
    source[2, 4] = 7
    assert (model(source, TARGET)[2] != logits[2]).any(-1).all()


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none"])
def test_token_by_token_it_gives_the_log_probabilities_of_all_at_once(positions):
    model = small(positions=positions).double()
    state, steps, keys = model.encode(SOURCE), [], []
    hook = model.decoder[0].cross.key.register_forward_hook(lambda *_: keys.append(1))
    for token in TARGET.unbind(1):
        scores, state = model.step(token, state)
        steps.append(scores)
    hook.remove()
    torch.testing.assert_close(torch.stack(steps, 1), model(SOURCE, TARGET).log_softmax(-1))
    assert not keys  # the source's keys were computed once, by encode
    assert [tuple(part.shape) for part in state.past[1]] == [(B, N, T, D // N)] * 2


def test_without_positions_the_order_of_the_source_makes_no_difference():
    order = torch.tensor([2, 0, 3, 1, 4])
    source = SOURCE[2:]
    for positions, same in (("none", True), ("sinusoidal", False), ("learned", False)):
        model = small(positions=positions).double()
        gap = (model(source[:, order], TARGET[2:]) - model(source, TARGET[2:])).abs().max()
        assert (gap < 1e-12) == same


def test_it_learns_to_reverse_and_a_beam_of_one_writes_what_greedy_writes():
    torch.manual_seed(0)
    model = Transformer(7, 7, 16, num_heads=2, num_layers=1, max_length=6)
    source = torch.tensor([[3, 4, 5, 6], [6, 3, 3, 0], [4, 6, 0, 0], [5, 0, 0, 0]])
    answer = torch.tensor([[1, 6, 5, 4, 3, 2], [1, 3, 3, 6, 2, 0], [1, 6, 4, 2, 0, 0], [1, 5, 2, 0, 0, 0]])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(model(source, answer[:, :-1]).mT, answer[:, 1:], ignore_index=0).backward()
        optimizer.step()
    settings = {"start": 1, "end": 2, "max_length": 6}
    written = greedy(model.step, model.encode(source), **settings)
    assert written.tolist() == [[6, 5, 4, 3], [3, 3, 6, 0], [6, 4, 0, 0], [5, 0, 0, 0]]
    for beam in (1, 3):
        found = beam_search(model.step, model.encode(source), beam=beam, **settings)
        assert torch.equal(found.tokens[:, 0, :4], written)


def test_every_parameter_gets_a_gradient():
    model = small(positions="learned").train()
    F.cross_entropy(model(SOURCE, TARGET).mT, TARGET).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_dropout_acts_in_training_only_and_the_same_seed_gives_the_same():
    model = small(dropout=0.4)
    assert torch.equal(model(SOURCE, TARGET), small(dropout=0.4)(SOURCE, TARGET))
    assert not torch.equal(model.train()(SOURCE, TARGET), model(SOURCE, TARGET))


def test_the_last_place_there_is_can_be_read_and_the_next_is_refused():
    model = small()
    text = torch.ones(1, M, dtype=torch.int64)
    assert model(text, text).shape == (1, M, V)
    longer = torch.ones(1, M + 1, dtype=torch.int64)
    with pytest.raises(ValueError, match="11 tokens given; this model reads at most 10"):
        model(longer, text)
    with pytest.raises(ValueError, match="11 tokens given; this model reads at most 10"):
        model(text, longer)
    state = model._read(text, model.encode(text))[1]
    with pytest.raises(ValueError, match="1 tokens given after 10; this model reads at most 10"):
        model.step(text[:, 0], state)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ([[3, 5], [0, 0]], [[1], [1]], "text 1 of the batch has no token, only padding"),
        ([[3, 0, 5]], [[1]], "padding before a token"),
        ([3, 5], [[1], [1]], r"tokens of shape \(2,\) given"),
        ([[3, 5]], [1], r"sources \(1, 2\) and targets \(1,\) given"),
        ([[3, 5]], [[1], [1]], r"sources \(1, 2\) and targets \(2, 1\) given"),
        ([[3, 9]], [[1]], "token 9 has no vector"),
        ([[3, 5]], [[8]], "token 8 has no vector"),
    ],
)
def test_what_is_no_batch_of_texts_is_refused(source, target, message):
    with pytest.raises(ValueError, match=message):
        small()(torch.tensor(source), torch.tensor(target))


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match=r"targets \(0, 2\) given; \(B, S\) and \(B, T\) wanted, each at least 1"):
        small()(torch.zeros(0, 3, dtype=torch.int64), torch.zeros(0, 2, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positions": "rotary"}, "positions='rotary' is not known; there are learned, sinusoidal, none"),
        ({"num_layers": 0}, "num_layers=0, max_length=10: both must be at least 1"),
        ({"max_length": 0}, "num_layers=2, max_length=0"),
        ({"num_heads": 4}, "dim=6 is not a positive multiple of num_heads=4"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Transformer(U, V, D, **{"num_heads": N, "num_layers": 2, "max_length": M, **settings})
