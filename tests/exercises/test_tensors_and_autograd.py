"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import math

import numpy as np
import pytest
import torch

from dlcourse.autodiff import Tensor
from dlcourse.exercises.tensors_and_autograd import EXERCISES


def verdict(number, answer):
    return EXERCISES[f"tensors_and_autograd-{number}"].check(answer)


def test_the_shapes_are_what_torch_broadcasts_to():
    assert verdict(1, (torch.rand(100, 1) + torch.rand(100)).shape) is None
    assert verdict(2, list(torch.broadcast_shapes((8, 1, 6, 1), (7, 1, 5)))) is None
    assert "concatenation" in verdict(1, (200, 1))
    assert "at the right" in verdict(2, (8, 7, 5, 1))
    assert "2 numbers are wanted" in verdict(1, (100, 100, 1))


def test_the_gradient_is_that_of_our_engine():
    x, y = Tensor(3.0), Tensor(math.pi)
    (x**2 * y + y.sin()).backward()
    assert verdict(3, (x.grad, y.grad)) is None
    assert verdict(3, (18.850, 8.000)) is None
    assert "cosine" in verdict(3, (18.85, 10))
    assert "share" in verdict(3, (18.85, 9))
    assert verdict(3, (18.9, 8)) is not None


def right(W, b, X, Y, rate):
    difference = X @ W + b - Y
    return W - rate * 2 * X.T @ difference / len(X), b - rate * 2 * difference.mean(keepdims=True)


def by_torch(W, b, X, Y, rate):
    W, b = torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)
    ((torch.tensor(X) @ W + b - torch.tensor(Y)) ** 2).mean().backward()
    return (W - rate * W.grad).detach(), (b - rate * b.grad).detach()


def in_place(W, b, X, Y, rate):
    difference = W * X + b - Y
    W -= rate * 2 * (difference * X).mean()
    b -= rate * 2 * difference.mean()
    return W, b


@pytest.mark.parametrize("step", [right, by_torch, in_place])
def test_every_right_step_is_right(step):
    assert verdict(4, step) is None


def variation(change):
    def step(W, b, X, Y, rate):
        gradient_W, gradient_b = change(X, X @ W + b - Y)
        return W - rate * gradient_W, b - rate * gradient_b

    return step


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (variation(lambda X, d: (2 * d * X, 2 * d)), "a line for every point"),
        (variation(lambda X, d: (X.T @ d / len(X), d.mean())), "factor of 2"),
        (variation(lambda X, d: (2 * X.T @ d, 2 * d.sum())), "not of the mean"),
        (variation(lambda X, d: (-2 * (X * d).mean(), -2 * d.mean())), "uphill"),
        (variation(lambda X, d: (2 * (X * d).mean(), 0.0)), "the step of b is not"),
        (lambda W, b, X, Y, rate: (W.item(), b.item()), "W has shape ()"),
        (lambda W, b, X, Y, rate: W, "it raises"),
        (lambda W, b: (W, b), "it raises TypeError"),
        ("W", "A function"),
    ],
)
def test_wrong_steps_get_the_hint_of_their_mistake(step, hint):
    assert hint in verdict(4, step)


def test_the_lines_may_come_in_any_order():
    assert verdict(5, (1, 5, 7)) is None
    assert verdict(5, [7, 1, 5]) is None
    assert "2 of three" in verdict(5, (1, 5))
    assert "Line 2 is fine" in verdict(5, (1, 2, 7))
    assert "from 1 to 8" in verdict(5, (1, 5, 9))
    assert "Three line numbers" in verdict(5, "1, 5, 7")


def test_shrinking_is_the_gradient_of_broadcasting():
    def shrink(gradient, shape):
        x = torch.zeros(shape, requires_grad=True)
        return torch.autograd.grad(x.expand(gradient.shape), x, gradient)[0]

    assert verdict(6, shrink) is None
    assert "shape" in verdict(6, lambda gradient, shape: gradient)
    assert "wrong" in verdict(6, lambda gradient, shape: gradient.mean() * torch.ones(shape))


def test_a_minimal_example_runs_alone_and_fails_as_asked():
    short = "import torch\ntorch.rand(64, 1352) @ torch.rand(1568, 10)"
    layer = "import torch\nfrom torch import nn\n# the layer\nnn.Linear(1568, 10)(torch.rand(64, 1352))\n"
    assert verdict(7, layer) is None
    assert "lack" in verdict(7, "nn.Linear(1568, 10)(torch.rand(64, 1352))")
    assert "without an error" in verdict(7, "import torch")
    assert "another error: ZeroDivisionError" in verdict(7, "1 / 0")
    assert "another error: SyntaxError" in verdict(7, "import torch as")
    assert "At most 5" in verdict(7, "\n".join(["import torch"] * 6))
    assert "random numbers" in verdict(7, "from dlcourse.data import mnist")
    assert "triple quotes" in verdict(7, 5)
    with pytest.raises(RuntimeError, match="1352"):
        exec(short)
    assert verdict(7, short) is None


def test_the_listing_fails_as_the_chapter_says():
    W = np.zeros((1, 1))
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        W -= np.ones((100, 1))
