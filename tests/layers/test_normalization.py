"""The normalisations are torch's: values, gradients, running means, training and evaluation."""

import pytest
import torch
from torch import nn

from dlcourse.layers.normalization import BatchNorm1d, BatchNorm2d, LayerNorm, RMSNorm

B, C, T, H, W = 5, 3, 4, 6, 2
TOKENS = {"LayerNorm": (LayerNorm, nn.LayerNorm), "RMSNorm": (RMSNorm, nn.RMSNorm)}
BATCHES = [
    (BatchNorm1d, nn.BatchNorm1d, (B, C)),
    (BatchNorm1d, nn.BatchNorm1d, (B, C, T)),
    (BatchNorm2d, nn.BatchNorm2d, (B, C, H, W)),
]


def pair(ours, torchs, dtype=torch.float64, **settings):
    """One of our layers and the layer of torch that it copies, with weights that are not 1 and 0."""
    torch.manual_seed(0)
    twin = torchs(C, dtype=dtype, **settings)
    for parameter in twin.parameters():
        nn.init.normal_(parameter)
    return ours.from_torch(twin), twin


def compare(ours, twin, shape, dtype=torch.float64, **tolerance):
    x = (3 + 2 * torch.randn(shape, dtype=dtype)).requires_grad_()
    a, b = ours(x), twin(x)
    torch.testing.assert_close(a, b, **tolerance)
    pull = torch.randn_like(a)
    gradients = [torch.autograd.grad(y, [x, *layer.parameters()], pull) for y, layer in ((a, ours), (b, twin))]
    torch.testing.assert_close(*gradients, **tolerance)


@pytest.mark.parametrize("settings", [{}, {"eps": 0.1}])
@pytest.mark.parametrize("shape", [(C,), (B, C), (B, T, C)])
@pytest.mark.parametrize("name", TOKENS)
def test_over_a_token_values_and_gradients_equal_torchs(name, shape, settings):
    compare(*pair(*TOKENS[name], **settings), shape)


@pytest.mark.parametrize("name", TOKENS)
def test_over_a_token_they_equal_torchs_in_float32(name):
    compare(*pair(*TOKENS[name], dtype=torch.float32), (B, T, C), torch.float32, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True], ids=["written out", "fused"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(C,), (B, T, C)])
def test_a_layer_norm_written_out_or_fused_and_without_bias_equals_torchs(shape, bias, fused):
    ours, twin = pair(LayerNorm, nn.LayerNorm, bias=bias, eps=0.1)
    ours.fused = fused
    compare(ours, twin, shape)
    assert (ours.bias is None) == (not bias)


def test_a_token_comes_out_with_mean_zero_and_variance_one_whatever_its_scale():
    torch.manual_seed(0)
    x = torch.randn(B, T, 50)
    y = LayerNorm(50)(100 * x + 7)
    torch.testing.assert_close(y.mean(dim=-1), torch.zeros(B, T), rtol=0, atol=1e-5)
    torch.testing.assert_close(y.var(dim=-1, correction=0), torch.ones(B, T), rtol=1e-4, atol=0)
    torch.testing.assert_close(LayerNorm(50)(3 * x), LayerNorm(50)(x), rtol=1e-3, atol=1e-4)


def test_rms_norm_keeps_the_mean_that_layer_norm_takes_away():
    x = torch.full((1, 4), 5.0)
    torch.testing.assert_close(RMSNorm(4)(x), torch.ones(1, 4))
    torch.testing.assert_close(LayerNorm(4)(x), torch.zeros(1, 4))


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_is_normalised_without_the_others(name):
    layer, x = TOKENS[name][0](C), torch.randn(B, T, C)
    torch.testing.assert_close(layer(x)[2, 1], layer(x[2, 1]))


def test_a_token_of_equal_numbers_gives_no_nan():
    x = torch.zeros(2, C, requires_grad=True)
    for layer in (LayerNorm(C), LayerNorm(C, fused=False), RMSNorm(C)):
        y = layer(x)
        (gradient,) = torch.autograd.grad(y.sum(), x)
        assert y.isfinite().all()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(("ours", "torchs", "shape"), BATCHES)
def test_over_a_batch_all_equals_torchs_in_training_and_in_evaluation(ours, torchs, shape, momentum):
    layer, twin = pair(ours, torchs, momentum=momentum, eps=0.01)
    for _ in range(3):
        compare(layer, twin, shape)
    torch.testing.assert_close(layer.state_dict(), dict(twin.state_dict()))
    assert layer.num_batches_tracked == 3
    layer.eval()
    twin.eval()
    compare(layer, twin, shape)
    torch.testing.assert_close(layer.state_dict(), dict(twin.state_dict()))


@pytest.mark.parametrize(("ours", "torchs", "shape"), BATCHES)
def test_in_training_every_channel_comes_out_with_mean_zero_and_variance_one(ours, torchs, shape):
    torch.manual_seed(0)
    y = ours(C)(50 * torch.randn(shape) + 9).transpose(0, 1).flatten(1)  # (C, all others)
    torch.testing.assert_close(y.mean(dim=1), torch.zeros(C), rtol=0, atol=1e-5)
    torch.testing.assert_close(y.var(dim=1, correction=0), torch.ones(C), rtol=1e-3, atol=0)


@pytest.mark.parametrize(("ours", "torchs", "shape"), BATCHES)
def test_an_example_depends_on_the_others_in_training_only(ours, torchs, shape):
    torch.manual_seed(0)
    layer, x = ours(C), torch.randn(shape)
    assert not torch.allclose(layer(x)[:2], layer(x[:2]))
    layer.eval()
    torch.testing.assert_close(layer(x)[:2], layer(x[:2]))
    assert layer.num_batches_tracked == 2


def test_running_means_carry_no_gradient():
    layer = BatchNorm1d(C)
    layer(torch.randn(B, C, requires_grad=True)).sum().backward()
    assert not layer.running_mean.requires_grad
    assert not layer.running_var.requires_grad


@pytest.mark.parametrize(("ours", "torchs", "shape"), [*BATCHES, *((*both, (B, T, C)) for both in TOKENS.values())])
def test_one_optimiser_step_equals_torchs(ours, torchs, shape):
    layer, twin = pair(ours, torchs)
    x = torch.randn(shape, dtype=torch.float64)
    for module in (layer, twin):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        (module(x) ** 3).mean().backward()
        optimizer.step()
    torch.testing.assert_close(layer.state_dict(), dict(twin.state_dict()))


@pytest.mark.parametrize(("ours", "torchs", "shape"), BATCHES)
def test_the_copy_keeps_settings_and_mode_and_shares_nothing(ours, torchs, shape):
    twin = torchs(C, eps=0.5, momentum=0.25).eval()
    layer = ours.from_torch(twin)
    nn.init.zeros_(twin.weight)
    assert (layer.eps, layer.momentum, layer.training) == (0.5, 0.25, False)
    assert (layer.weight == 1).all()


@pytest.mark.parametrize(
    ("layer", "shape"), [(BatchNorm1d, (B, C + 1)), (BatchNorm1d, (C,)), (BatchNorm2d, (B, C, T)), (BatchNorm2d, (0, C, H, W))]
)
def test_a_batch_of_another_shape_is_refused(layer, shape):
    with pytest.raises(ValueError, match=r"an input of shape .* given; \(B, 3.* wanted, none empty"):
        layer(C)(torch.zeros(shape))


@pytest.mark.parametrize(("layer", "shape"), [(BatchNorm1d, (1, C)), (BatchNorm1d, (1, C, 1)), (BatchNorm2d, (1, C, 1, 1))])
def test_one_value_of_each_channel_is_refused_in_training_only(layer, shape):
    with pytest.raises(ValueError, match="training needs 2 values of each channel"):
        layer(C)(torch.zeros(shape))
    assert layer(C).eval()(torch.zeros(shape)).shape == shape


@pytest.mark.parametrize("shape", [(B, C + 1), ()])
@pytest.mark.parametrize("name", TOKENS)
def test_a_token_of_another_width_is_refused(name, shape):
    with pytest.raises(ValueError, match=r"given; this layer takes \(\.\.\., 3\)"):
        TOKENS[name][0](C)(torch.zeros(shape))


@pytest.mark.parametrize("layer", [LayerNorm, RMSNorm, BatchNorm1d])
def test_another_dtype_is_refused(layer):
    with pytest.raises(TypeError, match=r"torch\.float64 given; this layer computes in torch\.float32"):
        layer(C)(torch.zeros(B, C, dtype=torch.float64))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LayerNorm(0), "dim=0: at least 1"),
        (lambda: RMSNorm(C, eps=-1.0), "eps=-1.0: at least 0"),
        (lambda: BatchNorm1d(0), "num_features=0: at least 1"),
        (lambda: BatchNorm2d(C, momentum=1.5), "momentum=1.5: a share from 0 to 1"),
        (lambda: LayerNorm.from_torch(nn.LayerNorm([C, T])), "only the last axis, with a weight"),
        (lambda: LayerNorm.from_torch(nn.RMSNorm(C)), r"torch\.nn\.LayerNorm wanted"),
        (lambda: RMSNorm.from_torch(nn.LayerNorm(C)), r"torch\.nn\.RMSNorm wanted"),
        (lambda: RMSNorm.from_torch(nn.RMSNorm(C, elementwise_affine=False)), "only the last axis, with a weight"),
        (lambda: BatchNorm1d.from_torch(nn.BatchNorm2d(C)), r"torch\.nn\.BatchNorm1d wanted"),
        (lambda: BatchNorm1d.from_torch(nn.BatchNorm1d(C, affine=False)), "are not known here"),
        (lambda: BatchNorm1d.from_torch(nn.BatchNorm1d(C, momentum=None)), "are not known here"),
        (lambda: BatchNorm1d.from_torch(nn.BatchNorm1d(C, track_running_stats=False)), "are not known here"),
    ],
)
def test_settings_that_do_not_fit_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_the_layers_print_their_sizes():
    assert repr(LayerNorm(C)) == "LayerNorm(3, eps=1e-05, bias=True)"
    assert repr(RMSNorm(C)) == "RMSNorm(3, eps=None)"
    assert repr(BatchNorm2d(C)) == "BatchNorm2d(3, eps=1e-05, momentum=0.1)"
