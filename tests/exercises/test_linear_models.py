"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from dlcourse.data.line import line
from dlcourse.exercises.linear_models import EXERCISES


def verdict(number, answer):
    return EXERCISES[f"linear_models-{number}"].check(answer)


def test_the_line_by_hand_is_numpys():
    x, y = np.array([0.0, 1, 2]), np.array([1.0, 3, 4])
    slope, intercept = np.polyfit(x, y, 1)
    squares = (slope * x + intercept - y) ** 2
    assert verdict(1, [slope, intercept, squares.mean()]) is None
    assert "sum of the squares" in verdict(1, [slope, intercept, squares.sum()])
    assert "half" in verdict(1, [slope, intercept, squares.mean() / 2])
    through_origin = (x @ y) / (x @ x)
    assert "intercept" in verdict(1, [through_origin, 0, ((through_origin * x - y) ** 2).mean()])


def test_the_loss_and_the_gradient_by_hand_are_torchs():
    logits = torch.tensor([[2.0, 1.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(logits, torch.tensor([0]))
    loss.backward()
    loss, gradient, softmax = loss.item(), logits.grad[0].tolist(), logits.detach().softmax(1)[0].tolist()
    assert verdict(2, [loss, *gradient]) is None
    assert verdict(2, [0.4076, -0.3348, 0.2447, 0.0900]) is None
    assert "y is missing" in verdict(2, [loss, *softmax])
    assert "uphill" in verdict(2, [loss, *(-g for g in gradient)])
    assert "nats" in verdict(2, [loss / math.log(2), *gradient])


def test_the_flipped_sign_rewards_the_confident_mistake():
    right = F.binary_cross_entropy(torch.tensor(0.9), torch.tensor(0.0)).item()
    assert verdict(3, [right, -right]) is None
    assert "other way round" in verdict(3, [-right, right])
    assert "base 10" in verdict(3, [1, -1])
    assert "y = 1" in verdict(3, [-math.log(0.9), math.log(0.9)])


def test_the_best_rate_shrinks_both_modes_alike():
    x = line()[0]
    design = torch.cat([x, torch.ones_like(x)], 1)
    low, high = torch.linalg.eigvalsh(2 / len(x) * design.T @ design).tolist()
    best = 2 / (low + high)
    rates = np.linspace(0.01, 0.8, 10_000)
    worst = np.maximum(abs(1 - rates * low), abs(1 - rates * high))
    assert abs(rates[worst.argmin()] - best) < 1e-4
    assert verdict(4, best) is None
    assert "stability" in verdict(4, 2 / high)
    assert "one step" in verdict(4, 1 / high)
    assert "explodes" in verdict(4, 1 / low)
    assert "explodes" in verdict(4, 2 / low)


def test_the_gradient_of_the_binary_loss_is_probability_minus_label():
    assert verdict(5, lambda z, y: torch.sigmoid(z) - y) is None
    assert verdict(5, lambda z, y: 1 / (1 + torch.exp(-z)) - y) is None
    assert "wrong" in verdict(5, lambda z, y: y - torch.sigmoid(z))
    assert "wrong" in verdict(5, lambda z, y: torch.exp(z) / (1 + torch.exp(z)) - y)  # ∞/∞ at 200


def test_the_two_intercepts_are_those_that_a_large_sample_gives():
    noise = np.random.default_rng(0).exponential(size=4_000_000)
    np.testing.assert_allclose([2 + noise.mean(), 2 + np.median(noise), noise.var()], [3, 2 + math.log(2), 1], atol=0.01)
    assert verdict(6, [3, 2 + math.log(2), 1]) is None
    assert "median" in verdict(6, [3, 3, 1])
    assert "uniform" in verdict(6, [2.5, 2.5, 1 / 12])
    assert "which loss" in verdict(6, [2 + math.log(2), 3, 1])


def test_the_loss_of_counts_is_torchs():
    assert verdict(7, F.poisson_nll_loss) is None
    assert "wrong" in verdict(7, lambda z, y: ((torch.exp(z) - y) ** 2).mean())
    assert "shape" in verdict(7, lambda z, y: torch.exp(z) - y * z)
