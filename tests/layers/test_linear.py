"""The dense layer is torch's: forward, gradients, one step, initialisation."""

import math

import pytest
import torch
from torch import nn

from dlcourse.layers.linear import Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
def test_forward_and_gradients_equal_torchs(shape, bias):
    torch.manual_seed(0)
    twin = nn.Linear(5, 4, bias=bias, dtype=torch.float64)
    ours = Linear.from_torch(twin)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    pull = torch.randn(*shape[:-1], 4, dtype=torch.float64)
    torch.testing.assert_close(ours(x), twin(x))
    gradients = [torch.autograd.grad(layer(x), [x, *layer.parameters()], pull) for layer in (ours, twin)]
    torch.testing.assert_close(*gradients)


def test_one_optimiser_step_equals_torchs():
    torch.manual_seed(0)
    twin = nn.Linear(3, 2)
    ours, x = Linear.from_torch(twin), torch.randn(7, 3)
    for layer in (ours, twin):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        (layer(x) ** 2).mean().backward()
        optimizer.step()
    torch.testing.assert_close(ours.state_dict(), dict(twin.state_dict()))


def test_the_copy_does_not_share_its_weights():
    twin = nn.Linear(3, 2)
    before = Linear.from_torch(twin).weight
    nn.init.zeros_(twin.weight)
    assert before.abs().sum() > 0


def test_weights_and_biases_start_uniform_within_one_over_the_root_of_the_inputs():
    torch.manual_seed(0)
    layer = Linear(100, 2_000)
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= 0.1
        assert values.abs().max() > 0.099
        assert values.std().item() == pytest.approx(0.1 / math.sqrt(3), rel=0.05)


def test_the_state_can_be_exchanged_with_torchs():
    twin = nn.Linear(3, 2)
    twin.load_state_dict(Linear(3, 2).state_dict())
    assert list(twin.state_dict()) == ["weight", "bias"]
    assert Linear(3, 2, bias=False).bias is None


@pytest.mark.parametrize("shape", [(4,), (2, 4), (3, 2), ()])
def test_another_number_of_inputs_is_refused(shape):
    with pytest.raises(ValueError, match=r"given; this layer takes \(\.\.\., 3\)"):
        Linear(3, 2)(torch.zeros(shape))


def test_another_dtype_is_refused():
    with pytest.raises(TypeError, match=r"torch\.int64 given; this layer computes in torch\.float32"):
        Linear(3, 2)(torch.zeros(1, 3, dtype=torch.int64))


@pytest.mark.parametrize("sizes", [(0, 2), (3, 0), (-1, 2)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(ValueError, match="both must be at least 1"):
        Linear(*sizes)
