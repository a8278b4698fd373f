"""The GPT: torch's numbers, an exact past, a cache that changes no token, and the settings that later models chose."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.generation import generate, sliding
from dlcourse.layers.normalization import RMSNorm
from dlcourse.layers.transformer import TransformerBlock
from dlcourse.models.gpt import GPT, POSITIONS

V, D, N, L, M, B, T = 7, 12, 3, 2, 10, 4, 6
LATER = {"positions": "rotary", "norm": RMSNorm, "activation": "squared_relu", "qk_norm": True, "bias": False}
FUSED = pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
EACH_POSITIONS = pytest.mark.parametrize("positions", POSITIONS)


def small(**settings):
    torch.manual_seed(0)
    model = GPT(V, D, **{"num_heads": N, "num_layers": L, "max_length": M, **settings})
    for parameter in model.parameters():  # far from the start, where all logits are nearly equal
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model


def some_tokens(*shape):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(1))


class Torchs(nn.Module):
    """GPT-2 from torch's own layers."""

    def __init__(self):
        super().__init__()
        layer = partial(nn.TransformerEncoderLayer, D, N, 4 * D, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.tokens, self.table = nn.Embedding(V, D), nn.Embedding(M, D)
        self.blocks = nn.TransformerEncoder(layer(), L, norm=nn.LayerNorm(D), enable_nested_tensor=False)
        self.output = nn.Linear(D, V, bias=False)

    def forward(self, tokens):
        size = tokens.shape[1]
        x = self.tokens(tokens) + self.table(torch.arange(size))
        return self.output(self.blocks(x, mask=torch.ones(size, size, dtype=torch.bool).triu(1)))


def copied(theirs, **settings):
    """Our model with the weights of torch's."""
    ours = GPT(V, D, num_heads=N, num_layers=L, max_length=M, **settings).double()
    parts = {"embedding.weight": theirs.tokens.weight, "positions.table": theirs.table.weight}
    parts |= {"norm.weight": theirs.blocks.norm.weight, "norm.bias": theirs.blocks.norm.bias}
    parts |= {"output.weight": theirs.output.weight}
    for number, layer in enumerate(theirs.blocks.layers):
        block = TransformerBlock.from_torch(layer).state_dict()
        parts |= {f"blocks.{number}.{name}": value for name, value in block.items()}
    ours.load_state_dict(parts)
    return ours


@FUSED
def test_logits_gradients_and_one_step_equal_torchs(fused):
    torch.manual_seed(0)
    theirs = Torchs().double()
    for parameter in theirs.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    ours, tokens, targets = copied(theirs, fused=fused), some_tokens(B, T), some_tokens(B, T)
    torch.testing.assert_close(ours(tokens), theirs(tokens))
    for model in (ours, theirs):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(tokens).mT, targets).backward()
        optimizer.step()
    torch.testing.assert_close(ours.state_dict(), copied(theirs).state_dict())


@FUSED
@EACH_POSITIONS
def test_the_logits_see_exactly_nothing_of_the_tokens_that_follow(positions, fused):
    model, tokens = small(**{**LATER, "positions": positions}, fused=fused), some_tokens(B, T)
    changed = tokens.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % V
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).all()
    x = model.embedding(tokens).detach().requires_grad_()
    model.embedding.register_forward_hook(lambda *_: x)
    (gradient,) = torch.autograd.grad(model(tokens)[:, 3].square().sum(), x)
    assert (gradient[:, 4:] == 0).all()
    assert (gradient[:, :4] != 0).all()


@FUSED
@EACH_POSITIONS
@pytest.mark.parametrize("cuts", [[1] * T, [4, 2], [1, 3, 2]], ids=str)
def test_a_text_read_in_parts_gives_the_logits_of_reading_at_once(cuts, positions, fused):
    model, tokens, state, logits = small(**{**LATER, "positions": positions}, fused=fused).double(), some_tokens(B, T), None, []
    for part in tokens.split(cuts, dim=1):
        new, state = model.read(part, state)
        logits.append(new)
    torch.testing.assert_close(torch.cat(logits, dim=1), model(tokens))
    assert [part.shape for pair in state for part in pair] == [(B, N, T, D // N)] * 2 * L


@FUSED
@pytest.mark.parametrize("settings", [{"temperature": 0}, {}, {"top_k": 3}, {"top_p": 0.7, "temperature": 1.5}], ids=str)
def test_writing_with_a_cache_draws_the_tokens_of_reading_all_again(settings, fused):
    model, prompt, texts = small(**LATER, fused=fused).eval(), some_tokens(B, 2), []

    def read_all(tokens, seen):
        seen = tokens if seen is None else torch.cat([seen, tokens], dim=1)
        return model(seen), seen

    for read in (model.read, read_all):
        generator = torch.Generator().manual_seed(5)
        texts.append(generate(read, prompt, num_tokens=M - 2, generator=generator, **settings))
    assert torch.equal(*texts)
    assert len(texts[0].unique()) > 2


def test_a_text_outgrows_the_model_where_its_window_slides():
    model, prompt = small(**LATER).eval(), some_tokens(B, 3)
    text = generate(sliding(model.read, max_length=M, keep=4), prompt, num_tokens=12, temperature=0)
    view = prompt  # the same, the text read anew for every token
    for _ in range(12):
        view = view if view.shape[1] <= M else view[:, -5:]
        view = torch.cat([view, model(view)[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(text[:, -3:], view[:, -3:])
    assert torch.equal(text[:, :M], generate(model.read, prompt, num_tokens=M - 3, temperature=0))


def test_rotary_scores_know_only_how_far_apart_two_tokens_are():
    model, tokens = small(**LATER, num_layers=1).double(), some_tokens(B, T)
    state = model.read(some_tokens(B, 2))[1]
    nothing = [tuple(torch.zeros_like(part) for part in pair) for pair in state]
    _, later = model.read(tokens, nothing)
    _, sooner = model.read(tokens)
    (_, v), (_, w) = later[0], sooner[0]
    torch.testing.assert_close(v[:, :, 2:], w)
    (k, _), (j, _) = later[0], sooner[0]
    torch.testing.assert_close(k[:, :, 2:] @ k[:, :, 2:].mT, j @ j.mT)


def test_the_weights_start_as_those_of_gpt_2():
    torch.manual_seed(0)
    model = GPT(200, 64, num_heads=2, num_layers=8, max_length=50)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert (parameter == 0).all()
        elif "norm" in name:
            assert (parameter == 1).all()
        else:
            adds = name.endswith(("attention.out.weight", "feed_forward.output.weight"))
            assert parameter.std().item() == pytest.approx(0.02 / 4 if adds else 0.02, rel=0.1), name


def test_before_training_it_knows_next_to_nothing_or_with_zero_outputs_exactly_nothing():
    tokens, targets = torch.randint(64, (8, 20)), torch.randint(64, (8, 20))
    sizes = {"num_heads": N, "num_layers": L, "max_length": 20}
    assert F.cross_entropy(GPT(64, D, **sizes)(tokens).mT, targets).item() == pytest.approx(math.log(64), rel=0.01)
    model = GPT(64, D, **sizes, zero_outputs=True)
    assert (model(tokens) == 0).all()
    with hooks.record(model, "embedding", "blocks.1") as seen:
        model(tokens)
    torch.testing.assert_close(seen["embedding"] + model.positions.table, seen["blocks.1"], rtol=0, atol=0)


@pytest.mark.parametrize("settings", [{}, LATER, {**LATER, "zero_outputs": True, "tied": True}])
def test_it_learns_a_line_by_heart_and_writes_it(settings):
    torch.manual_seed(0)
    model = GPT(V, 24, num_heads=2, num_layers=2, max_length=12, **settings)
    line = torch.tensor([[0, 1, 2, 1, 3, 1, 4, 5, 6, 6, 6, 0]])  # what follows 1 or 6 depends on more than the last token
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        optimizer.zero_grad()
        F.cross_entropy(model(line[:, :-1]).mT, line[:, 1:]).backward()
        optimizer.step()
    assert generate(model.read, line[:, :1], num_tokens=11, temperature=0).tolist() == line.tolist()


@pytest.mark.parametrize("settings", [{}, LATER, {"positions": "sinusoidal", "tied": True}], ids=str)
def test_every_parameter_gets_a_gradient(settings):
    model = small(**settings)
    F.cross_entropy(model(some_tokens(8, M)).mT, some_tokens(8, M)).backward()
    for name, parameter in model.named_parameters():  # softmax does not see what all scores of a row share: the keys' bias
        assert parameter.grad.abs().max() > 1e-4 or name.endswith("key.bias"), name


def test_a_tied_output_is_the_embeddings_table():
    model = small(tied=True)
    assert model.output.weight is model.embedding.weight
    assert sum(p.numel() for p in small().parameters()) - sum(p.numel() for p in model.parameters()) == V * D


def test_the_fast_settings_have_no_biases_and_as_many_parameters_as_by_hand():
    per_block = 4 * D * D + 2 * D * 4 * D + 2 * D + 2 * (D // N)
    assert sum(p.numel() for p in small(**LATER).parameters()) == 2 * V * D + L * per_block + D


def test_each_part_can_be_watched_by_its_name():
    model = small(fused=False)
    with hooks.record(model, "embedding", "positions", "blocks.1.attention.attend", "norm", "output") as seen:
        model(some_tokens(B, T))
    assert [tuple(seen[name].shape) for name in seen] == [*[(B, T, D)] * 2, (B, N, T, T), (B, T, D), (B, T, V)]


def test_without_positions_the_order_of_the_past_leaves_no_trace_in_one_block_and_with_them_it_does():
    tokens, other = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[3, 1, 2, 4]])
    for positions in POSITIONS:
        model = small(positions=positions, num_layers=1).double()
        difference = (model(tokens) - model(other))[:, -1].abs().max()
        assert (difference < 1e-12) == (positions == "none")


def test_dropout_acts_in_training_only_and_the_same_seed_gives_the_same():
    model, tokens, outputs = small(dropout=0.5), some_tokens(B, T), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(model(tokens))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    model.eval()
    assert torch.equal(model(tokens), model(tokens))
    assert torch.equal(small()(tokens), small()(tokens))


@pytest.mark.parametrize("shape", [(6,), (4, 0), (0, 6), (4, 6, 1)])
def test_tokens_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"given; \(B, T\) wanted, both at least 1"):
        small()(torch.zeros(shape, dtype=torch.int64))


def test_tokens_that_are_not_in_the_vocabulary_are_named():
    with pytest.raises(ValueError, match="token 7 has no vector"):
        small()(torch.tensor([[0, 7]]))
    with pytest.raises(TypeError, match=r"torch\.int32"):
        small()(torch.zeros(B, T, dtype=torch.int32))


@EACH_POSITIONS
def test_a_text_longer_than_the_model_reads_is_refused_at_once_and_in_parts(positions):
    model = small(positions=positions)
    assert model(some_tokens(B, M)).shape == (B, M, V)
    with pytest.raises(
        ValueError, match=r"11 tokens given; this model reads at most 10: cut the text, or write with generation\.sl"
    ):
        model(some_tokens(B, M + 1))
    _, state = model.read(some_tokens(B, 8))
    with pytest.raises(ValueError, match="3 tokens given after 8; this model reads at most 10"):
        model.read(some_tokens(B, 3), state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positions": "relative"}, "positions='relative' is not known; there are learned, sinusoidal, rotary, none"),
        ({"num_layers": 0}, "num_layers=0, max_length=10: both must be at least 1"),
        ({"max_length": 0}, "num_layers=2, max_length=0"),
        ({"num_heads": 5}, "dim=12 is not a positive multiple of num_heads=5"),
        ({"activation": "swish"}, "activation='swish' is not known"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)
