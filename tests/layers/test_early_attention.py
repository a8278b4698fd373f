"""The two early forms of attention: their formulas, torch's numbers, and what stands in the padding."""

import pytest
import torch
import torch.nn.functional as F

from dlcourse import hooks
from dlcourse.layers.attention import MaskedSoftmax
from dlcourse.layers.early_attention import AdditiveAttention, DotAttention

B, T, S, K = 5, 4, 6, 3


def numbers(*shape):
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def some_mask(*shape):
    """A mask with both values in it, and at least one True in every row."""
    mask = torch.rand(shape) < 0.5
    mask[..., 0] |= ~mask.any(dim=-1)
    return mask


def gradients(y, leaves):
    torch.manual_seed(1)
    return torch.autograd.grad(y, leaves, torch.randn_like(y))


def readers():
    torch.manual_seed(0)
    return {
        "additive": (AdditiveAttention(3, 7, hidden_size=8).double(), 3, 7),
        "dot": (DotAttention(), 3, 3),
        "scaled": (DotAttention(scaled=True), 3, 3),
    }


def test_additive_scores_are_bahdanaus_formula():
    layer, query, keys = AdditiveAttention(3, 7, hidden_size=8).double(), numbers(B, 3), numbers(B, S, 7)
    context, weights = layer(query, keys)
    for b in range(B):
        scores = [layer.output.weight[0] @ torch.tanh(layer.query.weight @ query[b] + layer.key.weight @ h) for h in keys[b]]
        wanted = torch.stack(scores).softmax(dim=0)
        torch.testing.assert_close(weights[b], wanted)
        torch.testing.assert_close(context[b], sum(w * h for w, h in zip(wanted, keys[b], strict=True)))


@pytest.mark.parametrize("scaled", [False, True])
def test_dot_scores_are_torchs_attention_with_and_without_its_scale(scaled):
    torch.manual_seed(0)
    query, keys, mask = numbers(B, K), numbers(B, S, K), some_mask(B, S)
    context, _ = DotAttention(scaled=scaled)(query, keys, mask)
    settings = {"attn_mask": mask[:, None], "scale": None if scaled else 1.0}
    wanted = F.scaled_dot_product_attention(query[:, None], keys, keys, **settings)[:, 0]
    torch.testing.assert_close(context, wanted)
    torch.testing.assert_close(gradients(context, [query, keys]), gradients(wanted, [query, keys]))


@pytest.mark.parametrize("name", readers())
def test_many_queries_at_once_are_as_one_after_another(name):
    layer, query_dim, key_dim = readers()[name]
    queries, keys, mask = numbers(B, T, query_dim), numbers(B, S, key_dim), some_mask(B, S)
    contexts, weights = layer(queries, keys, mask)
    assert (contexts.shape, weights.shape) == ((B, T, key_dim), (B, T, S))
    for t in range(T):
        torch.testing.assert_close(layer(queries[:, t], keys, mask), (contexts[:, t], weights[:, t]))


@pytest.mark.parametrize("name", readers())
def test_what_stands_in_the_padding_is_not_read(name):
    layer, query_dim, key_dim = readers()[name]
    query, keys, mask = numbers(B, query_dim), numbers(B, S, key_dim), torch.arange(S) < torch.tensor([[6], [2], [1], [4], [0]])
    context, weights = layer(query, keys, mask)
    assert (weights[~mask] == 0).all()
    assert (context[4] == 0).all()  # a text of nothing but padding
    found = gradients(context, [query, keys, *layer.parameters()])
    assert (found[1][~mask] == 0).all()
    assert all(gradient.isfinite().all() for gradient in found)
    torch.testing.assert_close(layer(query[1:2], keys[1:2, :2])[0], context[1:2])


@pytest.mark.parametrize("name", readers())
def test_a_text_in_a_batch_is_read_without_the_others(name):
    layer, query_dim, key_dim = readers()[name]
    query, keys = numbers(B, query_dim), numbers(B, S, key_dim)
    (gradient,) = torch.autograd.grad(layer(query, keys)[0][0].sum(), keys)
    assert (gradient[1:] == 0).all()
    assert (gradient[0] != 0).any()


def test_every_parameter_of_additive_attention_gets_a_gradient():
    layer = AdditiveAttention(3, 7, hidden_size=8)
    layer(torch.randn(B, 3), torch.randn(B, S, 7))[0].square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in layer.parameters())


def test_their_attend_is_a_module_for_hooks():
    layer = AdditiveAttention(3, 7, hidden_size=8)
    with hooks.record(layer, "attend") as seen:
        _, weights = layer(torch.randn(B, 3), torch.randn(B, S, 7))
    assert isinstance(layer.attend, MaskedSoftmax)
    assert torch.equal(seen["attend"][:, 0], weights)


@pytest.mark.parametrize(
    ("layer", "query", "keys", "message"),
    [
        (DotAttention(), (B, 3), (B, S, 4), "widths 3 and 4 given; equal ones"),
        (DotAttention(), (B, 3), (B + 1, S, 3), r"a query of shape \(5, 3\) and keys of \(6, 6, 3\) given"),
        (DotAttention(), (3,), (B, S, 3), r"a query of shape \(3,\)"),
        (AdditiveAttention(3, 7, hidden_size=8), (B, 7), (B, S, 3), "width 7 and keys of 3 given; this layer takes 3 and 7"),
    ],
)
def test_queries_and_keys_that_do_not_fit_are_refused(layer, query, keys, message):
    with pytest.raises(ValueError, match=message):
        layer(torch.zeros(query), torch.zeros(keys))


def test_their_mask_is_checked():
    query, keys = torch.zeros(B, 3), torch.zeros(B, S, 3)
    with pytest.raises(TypeError, match=r"a mask of dtype torch\.int64 given"):
        DotAttention()(query, keys, torch.ones(B, S, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"a mask of shape \(6, 5\) given; \(5, 6\) wanted"):
        DotAttention()(query, keys, torch.ones(S, B, dtype=torch.bool))


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_additive_attention_refuses_sizes_below_one(sizes):
    with pytest.raises(ValueError, match="all must be at least 1"):
        AdditiveAttention(sizes[0], sizes[1], hidden_size=sizes[2])


def test_the_layer_says_whether_it_scales_where_it_is_printed():
    assert repr(DotAttention(scaled=True)) == "DotAttention(\n  scaled=True\n  (attend): MaskedSoftmax()\n)"
