"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import pytest
import torch
from torch import nn

from dlcourse.exercises.multilayer_perceptron import EXERCISES
from dlcourse.models.mlp import MLP


def verdict(number, answer):
    return EXERCISES[f"multilayer_perceptron-{number}"].check(answer)


def test_the_output_weights_give_the_parity_of_every_three_bits():
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    hidden = torch.relu(bits.sum(1, keepdim=True) - torch.tensor([0.0, 1.0, 2.0]))  # (8, 3)
    weights = torch.linalg.lstsq(hidden, bits.sum(1, keepdim=True) % 2).solution
    torch.testing.assert_close(hidden @ weights, bits.sum(1, keepdim=True) % 2, atol=1e-5, rtol=0)
    assert verdict(1, weights.flatten().round(decimals=4)) is None
    assert "slopes" in verdict(1, [1, -1, 1])
    assert "3 numbers are wanted" in verdict(1, [1, -2])


def test_the_parameters_are_those_of_the_network():
    model = MLP(784, 10, hidden_sizes=(128, 64))
    assert verdict(2, sum(p.numel() for p in model.parameters())) is None
    assert "bias" in verdict(2, sum(p.numel() for p in model.parameters() if p.ndim == 2))
    assert "output units" in verdict(2, 109_386 - 10)
    assert "inputs" in verdict(2, 109_386 + 784)


@pytest.mark.parametrize("answer", [0.25**10, 9.5367e-7, 9.54e-7, 9.5e-7 + 3.7e-9])
def test_the_product_of_slopes_may_be_rounded(answer):
    assert verdict(3, answer) is None


def test_wrong_products_of_slopes_get_a_hint():
    assert "one slope" in verdict(3, 0.25)
    assert "not added" in verdict(3, 2.5)
    assert "value of σ" in verdict(3, 0.5**10)
    assert verdict(3, 9e-7) is not None


def test_the_backward_pass_through_a_sigmoid_layer_is_autograds():
    weight, z = torch.randn(2, 4), torch.randn(3, 4, requires_grad=True)
    h, delta = torch.sigmoid(z), torch.randn(3, 2)
    (wanted,) = torch.autograd.grad((h @ weight.T * delta).sum(), z)
    right = lambda delta, W, h: delta @ W * h * (1 - h)  # noqa: E731
    torch.testing.assert_close(right(delta, weight, h.detach()), wanted)
    assert verdict(4, right) is None
    assert "one more factor" in verdict(4, lambda delta, W, h: delta @ W)
    assert "raises" in verdict(4, lambda delta, W, h: delta @ W.T)


def test_two_layers_collapse_into_one_that_computes_the_same():
    def collapse(W1, b1, W2, b2):
        stack = nn.Sequential(nn.Linear(*W1.T.shape), nn.Linear(*W2.T.shape))
        for layer, weight, bias in zip(stack, (W1, W2), (b1, b2), strict=True):
            layer.weight.data, layer.bias.data = weight, bias
        bias = stack(torch.zeros(W1.shape[1])).detach()
        weight = (stack(torch.eye(W1.shape[1])) - bias).T.detach()
        return torch.cat([weight, bias[:, None]], dim=1)

    assert verdict(5, collapse) is None
    assert "values are wrong" in verdict(5, lambda W1, b1, W2, b2: torch.cat([W2 @ W1, b2[:, None]], dim=1))
    assert "shape" in verdict(5, lambda W1, b1, W2, b2: W2 @ W1)


def test_tanh_comes_from_whatever_sigmoid_is_given():
    assert verdict(6, lambda sigmoid, x: 2 * sigmoid(2 * x) - 1) is None
    assert verdict(6, lambda sigmoid, x: 1 - 2 * sigmoid(-2 * x)) is None
    assert "stretch twice" in verdict(6, lambda sigmoid, x: 2 * sigmoid(x) - 1)
