"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import math

import pytest
import torch

from dlcourse import optim
from dlcourse.exercises.optimisation import EXERCISES


def verdict(number, answer):
    return EXERCISES[f"optimisation-{number}"].check(answer)


def walk(optimiser, gradients, **settings):
    """The places that an optimiser visits from 0 if it meets these gradients."""
    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer, places = optimiser([theta], **settings), []
    for gradient in gradients:
        theta.grad = torch.full_like(theta, gradient)
        optimizer.step()
        places.append(theta.item())
    return places


def test_momentum_by_hand_is_the_optimisers():
    assert verdict(1, walk(optim.Momentum, [1, 1], lr=0.1)) is None
    assert "Nesterov" in verdict(1, walk(optim.Nesterov, [1, 1], lr=0.1))
    assert "remembers" in verdict(1, walk(optim.SGD, [1, 1], lr=0.1))


def test_adams_first_step_is_the_optimisers():
    assert verdict(2, [walk(optim.Adam, [size], lr=0.01)[0] for size in (1e-3, 1e3)]) is None
    assert "gradient descent" in verdict(2, [walk(optim.SGD, [size], lr=0.01)[0] for size in (1e-3, 1e3)])
    assert "correction" in verdict(2, [-0.01 * 0.1 / math.sqrt(0.001)] * 2)


def test_the_counts_are_the_smallest_that_suffice():
    ratios = 399 / 401, 19 / 21
    counts = []
    for ratio in ratios:
        distance, count = 1.0, 0
        while distance > 1e-6:
            distance, count = distance * ratio, count + 1
        counts.append(count)
    assert verdict(3, counts) is None
    assert "Rounded down" in verdict(3, [count - 1 for count in counts])


def test_the_share_left_is_adamws():
    theta = torch.ones(1, dtype=torch.float64, requires_grad=True)
    theta.grad = torch.zeros_like(theta)
    adamw = optim.AdamW([theta], lr=0.01, weight_decay=0.1)
    for _ in range(50):
        adamw.step()
    assert verdict(4, theta.item()) is None
    assert verdict(4, 0.951) is None
    assert "outside the division" in verdict(4, 0.537)
    assert "left" in verdict(4, 0.95)
    assert "multiplied" in verdict(4, 0.99**50)


def test_the_variance_falls_as_simulated():
    draws = torch.randn(200_000, 16, generator=torch.Generator().manual_seed(1))
    ratio = (draws.mean(1).var() / draws[:, :4].mean(1).var()).item()
    assert ratio == pytest.approx(0.25, abs=0.01)
    assert verdict(5, (0.25, 4)) is None
    assert "standard deviation" in verdict(5, (0.5, 4))


def test_the_corrected_mean_is_adams():
    def corrected_means(gradients, beta):
        powers = beta ** torch.arange(len(gradients)).flip(0).double()
        return torch.stack([(powers[-t:] * gradients[:t]).sum() / powers[-t:].sum() for t in range(1, len(gradients) + 1)])

    def uncorrected(gradients, beta):
        means, m = [], 0.0
        for g in gradients:
            m = beta * m + (1 - beta) * g
            means.append(m)
        return torch.stack(means)

    assert verdict(6, corrected_means) is None
    assert "from the first step on" in verdict(6, uncorrected)
