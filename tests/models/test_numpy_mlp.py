"""Back-propagation by hand gives what central differences and PyTorch's autograd give."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dlcourse.models.mlp import MLP
from dlcourse.models.numpy_mlp import ACTIVATIONS, backward, forward, initialise

SIZES = (3, 5, 4, 2)


def batch():
    draw = np.random.default_rng(7)
    return draw.normal(size=(6, 3)), draw.normal(size=(6, 2))


def loss_and_gradients(parameters, x, y, activation):
    """The mean squared error over all numbers, and its gradients."""
    values = forward(parameters, x, activation=activation)
    residual = values[-1] - y
    return (residual**2).mean(), backward(parameters, values, 2 * residual / residual.size, activation=activation)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_gradient_equals_central_differences(activation):
    parameters, (x, y) = initialise(SIZES, seed=0), batch()
    _, gradients = loss_and_gradients(parameters, x, y, activation)
    step = 1e-6
    for layer, found in zip(parameters, gradients, strict=True):
        for parameter, gradient in zip(layer, found, strict=True):
            assert gradient.shape == parameter.shape
            for place in np.ndindex(parameter.shape):
                kept, sides = parameter[place], []
                for shifted in (kept + step, kept - step):
                    parameter[place] = shifted
                    sides.append(loss_and_gradients(parameters, x, y, activation)[0])
                parameter[place] = kept
                assert abs((sides[0] - sides[1]) / (2 * step) - gradient[place]) < 1e-8


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_output_and_gradients_equal_autograds(activation):
    parameters, (x, y) = initialise(SIZES, seed=1), batch()
    model = MLP(3, 2, hidden_sizes=(5, 4), activation=activation).double()
    names = ["hidden1", "hidden2", "output"]
    for name, (weight, bias) in zip(names, parameters, strict=True):
        layer = model.get_submodule(name)
        layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
    predictions = model(torch.tensor(x))
    np.testing.assert_allclose(forward(parameters, x, activation=activation)[-1], predictions.detach().numpy(), rtol=1e-12)
    F.mse_loss(predictions, torch.tensor(y)).backward()
    _, gradients = loss_and_gradients(parameters, x, y, activation)
    for name, (weight, bias) in zip(names, gradients, strict=True):
        layer = model.get_submodule(name)
        np.testing.assert_allclose(weight, layer.weight.grad.numpy(), atol=1e-12)
        np.testing.assert_allclose(bias, layer.bias.grad.numpy(), atol=1e-12)


def test_one_hidden_layer_learns_exclusive_or():
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
    parameters = initialise((2, 4, 1), seed=0)
    for _ in range(2000):
        _, gradients = loss_and_gradients(parameters, x, y, "tanh")
        parameters = [(w - 0.3 * dw, b - 0.3 * db) for (w, b), (dw, db) in zip(parameters, gradients, strict=True)]
    assert (np.abs(forward(parameters, x)[-1] - y) < 0.1).all()


def test_forward_keeps_every_layers_output_with_its_shape():
    values = forward(initialise(SIZES, seed=0), batch()[0])
    assert [value.shape for value in values] == [(6, 3), (6, 5), (6, 4), (6, 2)]


def test_the_same_seed_gives_the_same_parameters_within_their_bound():
    one, other, third = (initialise((100, 50, 1), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[0][0], other[0][0])
    assert not np.array_equal(one[0][0], third[0][0])
    assert 0.095 < np.abs(one[0][0]).max() <= 0.1  # 1/√100


def test_backward_changes_no_parameter():
    parameters, (x, y) = initialise(SIZES, seed=0), batch()
    before = [(weight.copy(), bias.copy()) for weight, bias in parameters]
    loss_and_gradients(parameters, x, y, "relu")
    for (weight, bias), (w, b) in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(weight, w)
        np.testing.assert_array_equal(bias, b)


def test_what_does_not_fit_is_named():
    parameters, (x, _) = initialise(SIZES, seed=0), batch()
    values = forward(parameters, x)
    with pytest.raises(ValueError, match=r"\(6, 3\) given; \(B, 5\) wanted"):
        forward(parameters[1:], x)
    with pytest.raises(ValueError, match=r"\(6, 1\) given; the output has \(6, 2\)"):
        backward(parameters, values, np.ones((6, 1)))
    with pytest.raises(ValueError, match="activation='gelu' is not known; there are identity"):
        forward(parameters, x, activation="gelu")
    with pytest.raises(ValueError, match=r"sizes=\(3,\)"):
        initialise((3,), seed=0)
