"""Attention is torch's, masks hide exactly what they say, and a text read in parts reads as in one."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.layers.attention import (
    MultiHeadAttention,
    causal_mask,
    fused_dot_product,
    masked_softmax,
    scaled_dot_product,
)
from dlcourse.layers.positional import RotaryEmbedding

B, T, S, N, K = 5, 4, 6, 2, 3
D = N * K
PRODUCTS = [scaled_dot_product, fused_dot_product]


def numbers(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def some_mask(*shape):
    """A mask with both values in it, and at least one True in every row."""
    mask = torch.rand(shape) < 0.5
    mask[..., 0] |= ~mask.any(dim=-1)
    return mask


def blind_mask():
    """A mask (B, T, S) in which query 1 of text 2, and all of text 3, may attend to nothing."""
    mask = some_mask(B, T, S)
    mask[2, 1] = mask[3] = False
    return mask


def gradients(y, leaves):
    torch.manual_seed(1)
    return torch.autograd.grad(y, leaves, torch.randn_like(y))


def copied(module):
    """Gradients of a ``nn.MultiheadAttention`` in the order of our parameters."""
    weights, biases = module.in_proj_weight.grad.chunk(3), module.in_proj_bias.grad.chunk(3)
    pairs = [grad for pair in zip(weights, biases, strict=True) for grad in pair]
    return [*pairs, module.out_proj.weight.grad, module.out_proj.bias.grad]


# -------------------------------------------------------------------------------------- scores and weights


def test_the_weights_of_one_query_by_hand():
    q, k = torch.tensor([[1.0, 0.0]]), torch.eye(2)
    context = scaled_dot_product(q, k, torch.tensor([[1.0], [2.0]]))
    weight = 1 / (1 + math.exp(-1 / math.sqrt(2)))  # 0.670, and 0.330 for the other
    assert context.item() == pytest.approx(weight + 2 * (1 - weight))


@pytest.mark.parametrize("masked", ["not", "(T, S)", "(B, 1, T, S)", "(1, S)"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_values_and_gradients_equal_torchs(product, masked):
    torch.manual_seed(0)
    q, k, v = numbers(B, N, T, K), numbers(B, N, S, K), numbers(B, N, S, K + 1)
    masks = {"not": None, "(T, S)": some_mask(T, S), "(B, 1, T, S)": some_mask(B, 1, T, S), "(1, S)": some_mask(1, S)}
    ours = product(q, k, v, masks[masked])
    torchs = F.scaled_dot_product_attention(q, k, v, attn_mask=masks[masked])
    torch.testing.assert_close(ours, torchs)
    torch.testing.assert_close(gradients(ours, [q, k, v]), gradients(torchs, [q, k, v]))


def test_the_fused_causal_product_is_the_explicit_one_with_the_causal_mask():
    torch.manual_seed(0)
    q, k, v = (numbers(B, N, T, K) for _ in range(3))
    explicit, fused = scaled_dot_product(q, k, v, causal_mask(T)), fused_dot_product(q, k, v, causal=True)
    torch.testing.assert_close(fused, explicit)
    torch.testing.assert_close(gradients(fused, [q, k, v]), gradients(explicit, [q, k, v]))


def test_weights_sum_to_one_and_are_exactly_zero_where_masked():
    torch.manual_seed(0)
    mask = some_mask(B, T, S)
    weights = masked_softmax(50 * torch.randn(B, T, S), mask)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(B, T))
    assert (weights[~mask] == 0).all()
    assert (weights >= 0).all()


def test_without_scaling_the_scores_of_wide_vectors_spread_by_the_root_of_their_width():
    torch.manual_seed(0)
    q, k = torch.randn(2, 4_000, 64)
    scores = (q * k).sum(dim=-1)
    assert scores.std().item() == pytest.approx(8, rel=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_query_that_may_attend_to_nothing_reads_zero_and_gets_no_gradient(product, dtype):
    torch.manual_seed(0)
    q, k, v = (numbers(B, 1, size, K, dtype=dtype) for size in (T, S, S))
    y = product(q, k, v, blind_mask()[:, None])
    assert (y[2, 0, 1] == 0).all()
    assert (y[3] == 0).all()
    assert (y[0] != 0).all()
    found = gradients(y, [q, k, v])
    assert all(gradient.isfinite().all() for gradient in found)
    assert (found[0][2, 0, 1] == 0).all()
    assert all((gradient[3] == 0).all() for gradient in found)


def test_explicit_and_fused_agree_on_a_query_that_may_attend_to_nothing():
    torch.manual_seed(0)
    q, k, v, mask = numbers(B, 1, T, K), numbers(B, 1, S, K), numbers(B, 1, S, K), blind_mask()[:, None]
    a, b = (product(q, k, v, mask) for product in PRODUCTS)
    torch.testing.assert_close(a, b)
    torch.testing.assert_close(gradients(a, [q, k, v]), gradients(b, [q, k, v]))


@pytest.mark.parametrize("product", PRODUCTS)
def test_dropout_takes_weights_away_and_scales_up_the_rest(product):
    torch.manual_seed(0)
    q, k, v = torch.zeros(1, 1, T, K), torch.zeros(1, 1, 200, K), torch.eye(200)[None, None]
    weights = product(q, k, v, dropout=0.25)  # values of a unit matrix show the weights, 1/200 each
    kept = weights != 0
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.08)
    torch.testing.assert_close(weights[kept], torch.full((int(kept.sum()),), 1 / 150))


# -------------------------------------------------------------------------------------- masks


def test_the_causal_mask_of_three_tokens():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_the_last_queries_of_a_longer_text_have_the_last_rows_of_its_mask():
    assert torch.equal(causal_mask(2, 5), causal_mask(5)[3:])


def test_five_tokens_have_fifteen_allowed_pairs():
    assert causal_mask(5).sum() == 15


@pytest.mark.parametrize("sizes", [(0,), (3, 2), (0, 4)])
def test_a_causal_mask_of_no_size_is_refused(sizes):
    with pytest.raises(ValueError, match=f"num_queries={sizes[0]}"):
        causal_mask(*sizes)


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_mask_of_another_dtype_is_refused(product):
    q = numbers(B, N, T, K)
    for mask in (torch.ones(T, T), torch.ones(T, T, dtype=torch.int64)):
        with pytest.raises(TypeError, match=rf"a mask of dtype {mask.dtype} given; torch\.bool wanted, True where"):
            product(q, q, q, mask)
    with pytest.raises(TypeError, match="a mask of list given"):
        product(q, q, q, [[True]])


@pytest.mark.parametrize("shape", [(S,), (T, T), (S, T), (B, T, S), (1, B, N, T, S)])
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_mask_of_another_shape_is_refused(product, shape):
    q, k = numbers(B, N, T, K), numbers(B, N, S, K)
    with pytest.raises(ValueError, match=rf"a mask of shape \({shape[0]},.* given; \(5, 2, 4, 6\) wanted"):
        product(q, k, k, torch.ones(shape, dtype=torch.bool))


def test_the_fused_product_takes_one_of_causal_and_mask():
    q = numbers(B, N, T, K)
    with pytest.raises(ValueError, match="causal=True and a mask given"):
        fused_dot_product(q, q, q, causal_mask(T), causal=True)


# -------------------------------------------------------------------------------------- many heads


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("masked", ["not", "(T, S)", "(B, 1, S)", "(B, T, S)"])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_the_layer_equals_torchs_in_value_and_all_gradients(masked, cross, fused, dtype, atol):
    torch.manual_seed(0)
    twin = nn.MultiheadAttention(D, N, batch_first=True, dtype=dtype)
    nn.init.normal_(twin.in_proj_bias)
    nn.init.normal_(twin.out_proj.bias)
    ours = MultiHeadAttention.from_torch(twin)
    ours.fused = fused
    x, memory = numbers(B, T, D, dtype=dtype), numbers(B, S, D, dtype=dtype) if cross else None
    read = x if memory is None else memory
    size = read.shape[1]
    mask = {"not": None, "(T, S)": some_mask(T, size), "(B, 1, S)": some_mask(B, 1, size), "(B, T, S)": some_mask(B, T, size)}[
        masked
    ]
    theirs = mask  # torch says True for what is hidden, and wants a plane for each head
    if mask is not None:
        theirs = ~mask if mask.ndim == 2 else ~mask.expand(B, T, size).repeat_interleave(N, dim=0)
    a, b = ours(x, memory, mask), twin(x, read, read, attn_mask=theirs, need_weights=False)[0]
    torch.testing.assert_close(a, b, rtol=1e-5, atol=atol)
    pull, leaves = torch.randn_like(a), [x] if memory is None else [x, memory]
    found = torch.autograd.grad(a, [*leaves, *ours.parameters()], pull)
    b.backward(pull)
    torch.testing.assert_close(list(found), [*(leaf.grad for leaf in leaves), *copied(twin)], rtol=1e-5, atol=atol)


def test_a_layer_without_bias_equals_torchs():
    twin = nn.MultiheadAttention(D, N, bias=False, batch_first=True, dtype=torch.float64)
    ours, x = MultiHeadAttention.from_torch(twin), numbers(B, T, D)
    torch.testing.assert_close(ours(x), twin(x, x, x)[0])
    assert all("bias" not in name for name, _ in ours.named_parameters())


def test_one_optimiser_step_equals_torchs():
    torch.manual_seed(0)
    twin = nn.MultiheadAttention(D, N, batch_first=True)
    ours, x = MultiHeadAttention.from_torch(twin), torch.randn(B, T, D)
    for layer, y in ((ours, ours(x)), (twin, twin(x, x, x)[0])):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        y.square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(ours.state_dict(), MultiHeadAttention.from_torch(twin).state_dict())


def test_a_hook_on_attend_records_the_weights_that_torch_returns():
    torch.manual_seed(0)
    twin = nn.MultiheadAttention(D, N, batch_first=True)
    ours, x, memory = MultiHeadAttention.from_torch(twin), torch.randn(B, T, D), torch.randn(B, S, D)
    with hooks.record(ours, "attend") as seen:
        ours(x, memory)
    weights = twin(x, memory, memory, average_attn_weights=False)[1]
    torch.testing.assert_close(seen["attend"], weights.detach())
    assert seen["attend"].shape == (B, N, T, S)


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_a_fully_masked_query_puts_out_the_bias_alone(fused):
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N, fused=fused), numbers(B, T, D, dtype=torch.float32)
    mask = some_mask(B, T, T)
    mask[3] = False
    y = layer(x, mask=mask)
    torch.testing.assert_close(y[3], layer.out.bias.expand(T, D))
    found = gradients(y, [x, *layer.parameters()])
    assert all(gradient.isfinite().all() for gradient in found)
    assert (found[0][3] == 0).all()


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_a_causal_layer_sees_exactly_nothing_of_the_future(fused):
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N, causal=True, fused=fused), torch.randn(B, T, D, requires_grad=True)
    y = layer(x)
    (gradient,) = torch.autograd.grad(y[:, 1].sum(), x)
    assert (gradient[:, 2:] == 0).all()
    assert (gradient[:, :2] != 0).all()
    changed = x.detach().clone()
    changed[:, 2:] = torch.randn(B, T - 2, D)
    assert torch.equal(layer(changed)[:, :2], y[:, :2])
    assert not torch.equal(layer(changed)[:, 2:], y[:, 2:])


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_causal_is_the_same_as_the_causal_mask_and_both_masks_hold(fused):
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N, fused=fused), torch.randn(B, T, D)
    mask = some_mask(B, 1, T)
    plain, both = layer(x, mask=causal_mask(T)), layer(x, mask=mask & causal_mask(T))
    layer.causal = True
    torch.testing.assert_close(layer(x), plain)
    torch.testing.assert_close(layer(x, mask=mask), both)


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_normalised_queries_and_keys_have_one_length_and_so_bounded_scores(fused):
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N, qk_norm=True, fused=fused), torch.randn(B, T, D)
    with hooks.record(layer, "query_norm", "key_norm") as seen:
        y = layer(x)
    for part in seen.values():
        torch.testing.assert_close(part.norm(dim=-1), torch.full((B, N, T), math.sqrt(K)), rtol=1e-4, atol=0)
    layer.query.weight.data *= 9
    layer.query.bias.data *= 9
    torch.testing.assert_close(layer(x), y, rtol=1e-4, atol=1e-5)
    q, k = seen["query_norm"], seen["key_norm"]
    v = layer.value(x).unflatten(-1, (N, -1)).transpose(1, 2)
    wanted = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    torch.testing.assert_close(y, layer.out(wanted))


def test_tokens_in_another_order_give_the_same_outputs_in_that_order():
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N).double(), numbers(B, T, D)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
def test_a_memory_that_is_remembered_reads_as_the_memory_itself(fused):
    torch.manual_seed(0)
    layer, memory = MultiHeadAttention(D, num_heads=N, fused=fused).double(), numbers(B, S, D)
    x, mask = numbers(B, T, D), blind_mask()
    kept = layer.remember(memory)
    assert [tuple(part.shape) for part in kept] == [(B, N, S, K)] * 2
    a, b, pull = layer(x, kept, mask), layer(x, memory, mask), numbers(B, T, D)
    torch.testing.assert_close(a, b, rtol=0, atol=0)
    leaves = [x, memory, *layer.parameters()]
    found = torch.autograd.grad(a, leaves, pull)
    torch.testing.assert_close(found, torch.autograd.grad(b, leaves, pull))


def test_what_cannot_be_remembered_is_refused():
    layer, x = MultiHeadAttention(D, num_heads=N), torch.zeros(B, T, D)
    with pytest.raises(ValueError, match=r"a state of shapes .* given; keys and values \(4, 2, P, 3\) wanted"):
        layer(x[1:], layer.remember(torch.zeros(B, S, D)))
    with pytest.raises(ValueError, match="a memory given to a layer with causal=True or rotary"):
        MultiHeadAttention(D, num_heads=N, causal=True).remember(x)


def test_memory_in_another_order_gives_the_same_outputs():
    torch.manual_seed(0)
    layer, x, memory = MultiHeadAttention(D, num_heads=N).double(), numbers(B, T, D), numbers(B, S, D)
    torch.testing.assert_close(layer(x, memory.flip(1)), layer(x, memory))


def test_a_text_in_a_padded_batch_reads_as_it_does_alone():
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N).double(), numbers(B, T, D)
    lengths = torch.tensor([3, 1, 4, 2, 4])
    y = layer(x, mask=(torch.arange(T) < lengths[:, None])[:, None])
    for b, length in enumerate(lengths):
        torch.testing.assert_close(y[b : b + 1, :length], layer(x[b : b + 1, :length]))


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    layer = MultiHeadAttention(D, num_heads=N)
    layer(torch.randn(B, T, D)).square().sum().backward()
    for name, parameter in layer.named_parameters():  # softmax does not see what all scores of a row share: the keys' bias
        assert parameter.grad.abs().max() > 1e-3 or name == "key.bias"
    assert layer.key.bias.grad.abs().max() < 1e-5


def test_the_same_seed_gives_the_same_numbers():
    outputs = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        layer = MultiHeadAttention(D, num_heads=N, dropout=0.5)
        outputs.append(layer(torch.randn(B, T, D)))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N, dropout=0.5), torch.randn(B, T, D)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


# -------------------------------------------------------------------------------------- reading in parts


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
@pytest.mark.parametrize("turned", [False, True], ids=["no positions", "rotary"])
@pytest.mark.parametrize("cuts", [[1, 1, 1, 1], [2, 2], [3, 1], [1, 3]])
def test_a_text_read_in_parts_reads_as_in_one(cuts, turned, fused):
    torch.manual_seed(0)
    rotary = RotaryEmbedding(4, max_length=T) if turned else None
    layer, x = (
        MultiHeadAttention(8, num_heads=N, causal=True, qk_norm=turned, fused=fused, rotary=rotary).double(),
        numbers(B, T, 8),
    )
    pieces, state = [], None
    for part in x.split(cuts, dim=1):
        y, state = layer.read(part, state)
        pieces.append(y)
    torch.testing.assert_close(torch.cat(pieces, dim=1), layer(x))
    assert [part.shape for part in state] == [(B, N, T, 4)] * 2


def test_one_may_go_on_from_the_same_state_twice():
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D, num_heads=N, causal=True), torch.randn(B, T, D)
    _, state = layer.read(x)
    before = [part.clone() for part in state]
    first, second = (layer.read(x[:, :1], state)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert all(torch.equal(*parts) for parts in zip(state, before, strict=True))


def test_a_layer_that_is_not_causal_cannot_read_in_parts():
    with pytest.raises(ValueError, match="only a layer with causal=True can read a text in parts"):
        MultiHeadAttention(D, num_heads=N).read(torch.zeros(B, T, D))


@pytest.mark.parametrize(
    "shapes",
    [[(B + 1, N, 2, K)] * 2, [(B, N + 1, 2, K)] * 2, [(B, N, 2, K), (B, N, 3, K)], [(B, N, 2, K)], [(N, 2, K)] * 2],
)
def test_a_state_of_another_shape_is_refused(shapes):
    layer = MultiHeadAttention(D, num_heads=N, causal=True)
    with pytest.raises(ValueError, match=r"keys and values \(5, 2, P, 3\) wanted"):
        layer.read(torch.zeros(B, T, D), tuple(torch.zeros(shape) for shape in shapes))


# -------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_heads": 4}, "dim=6 is not a positive multiple of num_heads=4"),
        ({"num_heads": 0}, "num_heads=0"),
        ({"num_heads": 2, "dropout": 1.0}, "dropout=1.0: a probability"),
        ({"num_heads": 3, "rotary": RotaryEmbedding(4, max_length=2)}, "rotary turns vectors of 4; a head has 2"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(D, **settings)


@pytest.mark.parametrize(
    ("x", "memory", "message"),
    [
        ((B, T), None, r"an input of shape \(5, 4\) given; \(B, T, 6\) wanted"),
        ((B, T, D + 1), None, r"an input of shape \(5, 4, 7\)"),
        ((B, 0, D), None, r"an input of shape \(5, 0, 6\)"),
        ((B, T, D), (B, S, D + 1), r"a memory of shape \(5, 6, 7\)"),
        ((B, T, D), (B + 1, S, D), "a memory of 6 given for a batch of 5"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x, memory, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(D, num_heads=N)(torch.zeros(x), None if memory is None else torch.zeros(memory))


@pytest.mark.parametrize("shape", [(B, T), (T, T), (N, T, S), (B, N, T, S)])
def test_the_layer_refuses_a_mask_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"given; \(5, 4, 6\) wanted, or fewer axes"):
        MultiHeadAttention(D, num_heads=N)(torch.zeros(B, T, D), torch.zeros(B, S, D), torch.ones(shape).bool())


def test_the_layer_refuses_a_mask_of_another_dtype():
    with pytest.raises(TypeError, match=r"a mask of dtype torch\.float32 given; torch\.bool wanted"):
        MultiHeadAttention(D, num_heads=N)(torch.zeros(B, T, D), mask=torch.ones(T, T))


def test_another_dtype_is_refused():
    with pytest.raises(TypeError, match=r"dtype torch\.float64 given; this layer computes in torch\.float32"):
        MultiHeadAttention(D, num_heads=N)(torch.zeros(B, T, D, dtype=torch.float64))


@pytest.mark.parametrize("settings", [{"causal": True}, {"rotary": RotaryEmbedding(4, max_length=9)}])
def test_a_layer_for_one_text_refuses_a_memory(settings):
    with pytest.raises(ValueError, match="a memory given to a layer with causal=True or rotary positions"):
        MultiHeadAttention(8, num_heads=N, **settings)(torch.zeros(B, T, 8), torch.zeros(B, S, 8))


@pytest.mark.parametrize("settings", [{"kdim": 3, "vdim": 3}, {"add_bias_kv": True}, {"add_zero_attn": True}])
def test_settings_of_torch_that_we_do_not_have_are_refused(settings):
    with pytest.raises(ValueError, match="are not known here: MultiheadAttention"):
        MultiHeadAttention.from_torch(nn.MultiheadAttention(D, N, **settings))


def test_another_layer_of_torch_is_refused():
    with pytest.raises(ValueError, match=r"torch\.nn\.MultiheadAttention wanted"):
        MultiHeadAttention.from_torch(nn.Linear(3, 2))


def test_the_copy_keeps_settings_and_mode_and_shares_nothing():
    twin = nn.MultiheadAttention(D, N, dropout=0.25).eval()
    ours = MultiHeadAttention.from_torch(twin)
    assert (ours.dropout, ours.training) == (0.25, False)
    nn.init.zeros_(twin.in_proj_weight)
    assert ours.query.weight.abs().sum() > 0


def test_the_layer_prints_its_sizes():
    assert "6, num_heads=2, causal=False, fused=True" in repr(MultiHeadAttention(D, num_heads=N, fused=True))
