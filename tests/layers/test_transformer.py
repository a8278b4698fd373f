"""The Transformer's block is torch's, pre-norm and post-norm, as an encoder's layer and as a decoder's."""

from functools import partial

import pytest
import torch
from torch import nn

from dlcourse.generation import generate
from dlcourse.layers.attention import MultiHeadAttention, causal_mask
from dlcourse.layers.normalization import RMSNorm
from dlcourse.layers.positional import RotaryEmbedding, SinusoidalPositions
from dlcourse.layers.transformer import TransformerBlock

B, T, S, N, D, H = 5, 4, 6, 2, 8, 7
ENCODER, DECODER = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer


def twin_of(kind, dtype=torch.float64, **settings):
    """A layer of torch whose biases and norms are not 0 and 1."""
    torch.manual_seed(0)
    layer = kind(D, N, H, dropout=0.0, batch_first=True, dtype=dtype, **settings)
    for parameter in layer.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, mean=0.5)
    return layer


def numbers(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def compare(ours, twin, a, b, leaves):
    """Outputs, and gradients to every leaf and every parameter, agree: a step along them leads to the same weights."""
    torch.testing.assert_close(a, b)
    pull = torch.randn_like(a)
    found = torch.autograd.grad(a, leaves, pull, retain_graph=True)
    torch.testing.assert_close(found, torch.autograd.grad(b, leaves, pull, retain_graph=True))
    a.backward(pull)
    b.backward(pull)
    torch.optim.SGD([*ours.parameters(), *twin.parameters()], lr=0.1).step()
    torch.testing.assert_close(ours.state_dict(), TransformerBlock.from_torch(twin).state_dict())


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
@pytest.mark.parametrize("masked", [False, True], ids=["sees all", "causal"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_an_encoder_block_equals_torchs_in_value_and_all_gradients(norm_first, activation, masked, fused):
    twin = twin_of(ENCODER, norm_first=norm_first, activation=activation)
    ours, x = TransformerBlock.from_torch(twin), numbers(B, T, D)
    ours.attention.fused = fused
    mask = causal_mask(T) if masked else None
    compare(ours, twin, ours(x, mask=mask), twin(x, src_mask=None if mask is None else ~mask), [x])


@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_a_padded_batch_equals_torchs(norm_first):
    twin = twin_of(ENCODER, norm_first=norm_first)
    ours, x = TransformerBlock.from_torch(twin), numbers(B, T, D)
    real = torch.arange(T) < torch.tensor([[4], [1], [3], [2], [4]])
    compare(ours, twin, ours(x, mask=real[:, None]), twin(x, src_key_padding_mask=~real), [x])


@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_a_decoder_block_equals_torchs_in_value_and_all_gradients(norm_first):
    twin = twin_of(DECODER, norm_first=norm_first)
    ours, x, memory = TransformerBlock.from_torch(twin), numbers(B, T, D), numbers(B, S, D)
    real = torch.arange(S) < torch.tensor([[4], [1], [6], [2], [5]])
    a = ours(x, memory, mask=causal_mask(T), memory_mask=real[:, None])
    b = twin(x, memory, tgt_mask=~causal_mask(T), memory_key_padding_mask=~real)
    compare(ours, twin, a, b, [x, memory])


@pytest.mark.parametrize("kind", [ENCODER, DECODER])
def test_a_block_without_bias_equals_torchs(kind):
    twin = twin_of(kind, bias=False)
    ours, x, memory = TransformerBlock.from_torch(twin), numbers(B, T, D), numbers(B, S, D)
    a, b = (ours(x), twin(x)) if kind is ENCODER else (ours(x, memory), twin(x, memory))
    compare(ours, twin, a, b, [x])


def block(**settings):
    torch.manual_seed(0)
    return TransformerBlock(D, num_heads=N, hidden_size=H, **settings)


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_a_causal_block_sees_exactly_nothing_of_the_future(norm_first, fused):
    layers = nn.Sequential(*(block(causal=True, norm_first=norm_first, fused=fused) for _ in range(2)))
    x = numbers(B, T, D, dtype=torch.float32)
    y = layers(x)
    for t in range(T - 1):
        pull = torch.randn(B, D)
        (gradient,) = torch.autograd.grad(y[:, t], x, pull, retain_graph=True)
        assert (gradient[:, t + 1 :] == 0).all()
        assert (gradient[:, : t + 1] != 0).all()
    changed = torch.cat([x[:, :2], torch.randn(B, T - 2, D)], dim=1)
    assert torch.equal(layers(changed)[:, :2], y[:, :2])


def test_without_positions_another_order_of_tokens_is_another_order_of_outputs_and_with_them_not():
    layer, x, order = block().double(), numbers(B, T, D), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])
    positions = SinusoidalPositions(D, max_length=T)
    assert (layer(positions(x[:, order])) - layer(positions(x))[:, order]).abs().max() > 1e-2
    turned = block(rotary=RotaryEmbedding(D // N, max_length=T)).double()
    assert (turned(x[:, order]) - turned(x)[:, order]).abs().max() > 1e-3


@pytest.mark.parametrize("cross", [False, True], ids=["encoder", "decoder"])
@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_a_text_read_in_parts_reads_as_in_one(norm_first, cross):
    rotary = RotaryEmbedding(D // N, max_length=T)
    layer = block(causal=True, norm_first=norm_first, cross=cross, rotary=rotary).double()
    x, memory, state, pieces = numbers(B, T, D), numbers(B, S, D) if cross else None, None, []
    for part in x.split([2, 1, 1], dim=1):
        y, state = layer.read(part, state, memory)
        pieces.append(y)
    torch.testing.assert_close(torch.cat(pieces, dim=1), layer(x, memory))


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_writing_with_a_cache_draws_the_same_tokens_as_reading_all_again(fused):
    rotary = RotaryEmbedding(D // N, max_length=9)
    blocks = [block(causal=True, rotary=rotary, fused=fused) for _ in range(3)]
    table, output, sizes = torch.randn(7, D), torch.randn(D, 7), []

    def read(tokens, states):
        sizes.append(tokens.shape[1])
        x, after = table[tokens], []
        for layer, state in zip(blocks, states or [None] * 3, strict=True):
            x, end = layer.read(x, state)
            after.append(end)
        return x @ output, after

    def read_all(tokens, seen):
        seen = tokens if seen is None else torch.cat([seen, tokens], dim=1)
        return read(seen, None)[0], seen

    prompt, texts = torch.randint(7, (2, 3)), []
    for function in (read, read_all):
        generator = torch.Generator().manual_seed(5)
        texts.append(generate(function, prompt, num_tokens=6, generator=generator))
    assert torch.equal(*texts)
    assert sizes == [3, 1, 1, 1, 1, 1, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
def test_the_block_is_its_formula(norm_first):
    layer, x = block(norm_first=norm_first, norm=partial(RMSNorm, eps=0.1)), torch.randn(B, T, D)
    f, g, n, m = layer.attention, layer.feed_forward, layer.attention_norm, layer.feed_forward_norm
    if norm_first:
        y = x + f(n(x))
        y = y + g(m(y))
    else:
        y = n(x + f(x))
        y = m(y + g(y))
    assert isinstance(n, RMSNorm)
    torch.testing.assert_close(layer(x), y)


def test_a_block_of_width_64_has_as_many_parameters_as_by_hand():
    d, h = 64, 128
    layer = TransformerBlock(d, num_heads=4, hidden_size=h)
    by_hand = 4 * (d * d + d) + (d * h + h) + (h * d + d) + 2 * 2 * d
    assert sum(p.numel() for p in layer.parameters()) == by_hand == 33_472


def test_the_hidden_size_is_four_times_the_width_by_default():
    assert TransformerBlock(D, num_heads=N).feed_forward.hidden.out_features == 4 * D


def test_dropout_acts_in_training_only_and_the_same_seed_gives_the_same():
    layer, x, outputs = block(dropout=0.3), torch.randn(B, T, D), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(layer(x))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_it_overfits_one_batch():
    layer, x, wanted = block(causal=True), torch.randn(2, 3, D), torch.randn(2, 3, D)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    losses = []
    for _ in range(150):
        loss = (layer(x) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.02 * losses[0]


def test_a_fully_masked_token_gives_no_nan():
    layer, x = block(), numbers(B, T, D, dtype=torch.float32)
    mask = torch.ones(B, T, T, dtype=torch.bool)
    mask[2] = False
    y = layer(x, mask=mask)
    found = torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])
    assert y.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in found)


def test_a_memory_goes_with_cross_and_with_nothing_else():
    x, memory = torch.zeros(B, T, D), torch.zeros(B, S, D)
    with pytest.raises(ValueError, match="a memory given to a block with cross=False"):
        block()(x, memory)
    with pytest.raises(ValueError, match="no memory given to a block with cross=True"):
        block(cross=True)(x)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Linear(3, 2), "layer of torch's encoder or decoder wanted, Linear"),
        (ENCODER(D, N, H, activation=torch.tanh), "only relu and the exact gelu"),
        (ENCODER(D, N, H, activation=nn.GELU(approximate="tanh")), "only relu and the exact gelu"),
    ],
)
def test_layers_of_torch_that_we_do_not_have_are_refused(module, message):
    with pytest.raises(ValueError, match=message):
        TransformerBlock.from_torch(module)


def test_the_copy_keeps_dropout_eps_and_mode_and_shares_nothing():
    twin = ENCODER(D, N, H, dropout=0.25, layer_norm_eps=0.5, activation=nn.ReLU()).eval()
    ours = TransformerBlock.from_torch(twin)
    nn.init.zeros_(twin.linear1.weight)
    assert (ours.dropout.p, ours.attention.dropout, ours.feed_forward.dropout.p) == (0.25,) * 3
    assert (ours.attention_norm.eps, ours.training) == (0.5, False)
    assert ours.feed_forward.hidden.weight.abs().sum() > 0
    assert isinstance(ours.attention, MultiHeadAttention)
