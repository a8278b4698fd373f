"""The multilayer perceptron: torch's numbers, its shapes and parameters, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.layers.activations import ACTIVATIONS
from dlcourse.models.mlp import MLP


def small(activation="relu"):
    torch.manual_seed(0)
    return MLP(6, 4, hidden_sizes=(7, 5), activation=activation)


def twin_of(model, activation):
    """The same network from torch.nn, with copied weights."""
    parts = []
    for number in range(1, model.num_hidden + 1):
        parts += [model.get_submodule(f"hidden{number}"), activation]
    layers = [nn.Linear(*p.weight.T.shape) if hasattr(p, "weight") else p for p in [*parts, model.output]]
    twin = nn.Sequential(nn.Flatten(), *layers)
    for theirs, ours in zip(twin.parameters(), model.parameters(), strict=True):
        theirs.data.copy_(ours.data)
    return twin


def test_examples_of_any_shape_become_one_logit_a_class():
    assert small()(torch.rand(3, 6)).shape == (3, 4)
    assert small()(torch.rand(3, 1, 2, 3)).shape == (3, 4)


def test_the_network_of_784_128_64_10_has_109386_parameters():
    assert sum(p.numel() for p in MLP(784, 10).parameters()) == 109_386


@pytest.mark.parametrize(
    ("name", "activation"), [("relu", nn.ReLU()), ("tanh", nn.Tanh()), ("sigmoid", nn.Sigmoid()), ("gelu", nn.GELU())]
)
def test_output_gradients_and_one_step_equal_torchs(name, activation):
    ours = small(name).double()
    theirs = twin_of(ours, activation).double()
    x, labels = torch.randn(9, 2, 3, dtype=torch.float64), torch.arange(9) % 4
    torch.testing.assert_close(ours(x), theirs(x))
    for network in (ours, theirs):
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
        F.cross_entropy(network(x), labels).backward()
        optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
        torch.testing.assert_close(a, b)


def test_without_an_activation_the_stack_is_one_linear_layer():
    model = small("identity").double()
    zero, units = torch.zeros(1, 6, dtype=torch.float64), torch.eye(6, dtype=torch.float64)
    bias = model(zero)
    weight = model(units) - bias
    x = torch.randn(8, 6, dtype=torch.float64)
    torch.testing.assert_close(model(x), x @ weight + bias)
    assert not torch.allclose(small("tanh").double()(x), x @ weight + bias)


def test_without_hidden_layers_it_is_linear():
    model = MLP(6, 4, hidden_sizes=())
    assert [name for name, _ in model.named_parameters()] == ["output.weight", "output.bias"]
    x = torch.randn(3, 6)
    torch.testing.assert_close(model(x), model.output(x))


def test_each_layer_can_be_watched_by_its_name():
    model, x = small(), torch.rand(3, 6)
    with hooks.record(model, "hidden1", "hidden2", "output") as seen:
        model(x)
    assert [seen[name].shape[1] for name in ("hidden1", "hidden2", "output")] == [7, 5, 4]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_parameter_gets_a_gradient(activation):
    model = small(activation)
    F.cross_entropy(model(torch.randn(16, 6)), torch.arange(16) % 4).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "identity"])
def test_it_overfits_one_batch(activation):
    model, x, labels = small(activation), torch.randn(8, 6), torch.arange(8) % 4
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
    assert F.cross_entropy(model(x), labels).item() < 0.01


def test_the_same_seed_gives_the_same_numbers():
    x = torch.rand(4, 6)
    torch.testing.assert_close(small()(x), small()(x), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(4, 5), (4, 2, 2), (6,), (), (2, 12)])
def test_an_example_of_another_size_is_refused_and_not_reshaped_into_other_examples(shape):
    with pytest.raises(ValueError, match=r"given; this network takes \(B, ...\) with 6 numbers an example"):
        small()(torch.zeros(shape))


def test_an_empty_batch_and_another_dtype_are_refused():
    with pytest.raises(ValueError, match="empty batch"):
        small()(torch.zeros(0, 6))
    with pytest.raises(TypeError, match=r"torch.int64 given; this network computes in torch.float32"):
        small()(torch.zeros(2, 6, dtype=torch.int64))


@pytest.mark.parametrize("sizes", [(0, 3, ()), (2, 0, ()), (2, 3, (4, -1)), (2, 3, (4, 2.5)), (2, 3, (True,))])
def test_sizes_that_are_no_sizes_are_refused(sizes):
    inputs, outputs, hidden = sizes
    with pytest.raises(ValueError, match=r"the layers have sizes \("):
        MLP(inputs, outputs, hidden_sizes=hidden)


def test_an_unknown_activation_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="activation='swish' is not known; there are identity, sigmoid"):
        MLP(2, 1, activation="swish")
