"""Points in the plane with classes, generated from a seed: problems that one can look at.

Every set returns points (N, 2), float32, in about [−1, 1]², and labels (N,), int64. Classes take turns, 0, 1, 0, 1, …, so that any
slice of even length has as many of each. ``noise`` is the standard deviation of the normal numbers added to both coordinates.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["circles", "distance_to_arms", "grid", "moons", "spirals", "xor"]


def spirals(
    num_examples: int = 400, *, num_classes: int = 2, turns: float = 1.0, noise: float = 0.03, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Draw arms that wind around the origin: at radius r the arm of class k is at the angle 2π (turns · r + k / num_classes).

    The radius is √u with u uniform in (0, 1), which spreads the points about evenly along an arm, from 0 to 1.
    """
    if num_classes < 2:
        raise ValueError(f"num_classes={num_classes}: at least 2 arms are wanted")
    labels, draw = _start(num_examples, num_classes, noise, seed)
    radius = torch.rand(num_examples, generator=draw).sqrt()
    return _noisy(_arm(radius, labels, num_classes, turns), noise, draw), labels


def moons(num_examples: int = 400, *, noise: float = 0.08, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw two half circles that reach into each other: (cos t, sin t) and (1 − cos t, 1/2 − sin t), with t uniform in (0, π).

    Then (1/2, 1/4), their middle, is subtracted and all is divided by 3/2: the picture is 2 wide and 1 high.
    """
    labels, draw = _start(num_examples, 2, noise, seed)
    t = math.pi * torch.rand(num_examples, generator=draw)
    upper = torch.stack([torch.cos(t), torch.sin(t)], dim=-1)
    lower = torch.stack([1 - torch.cos(t), 0.5 - torch.sin(t)], dim=-1)
    points = torch.where(labels[:, None] == 0, upper, lower)
    return _noisy((points - torch.tensor([0.5, 0.25])) / 1.5, noise, draw), labels


def circles(num_examples: int = 400, *, noise: float = 0.06, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw a circle of radius 0.8 (class 0) around one of radius 0.4 (class 1), at uniform angles."""
    labels, draw = _start(num_examples, 2, noise, seed)
    angle = 2 * math.pi * torch.rand(num_examples, generator=draw)
    radius = torch.where(labels == 0, 0.8, 0.4)
    return _noisy(_polar(radius, angle), noise, draw), labels


def xor(num_examples: int = 400, *, noise: float = 0.12, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw four clouds around (±1/2, ±1/2): class 0 where both signs agree, class 1 where exactly one is negative.

    The clouds take turns: (−, −), (−, +), (+, +), (+, −). With ``num_examples=4, noise=0`` it is the truth table of "exclusive or".
    """
    labels, draw = _start(num_examples, 2, noise, seed)
    corners = torch.tensor([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]])
    return _noisy(corners[torch.arange(num_examples) % 4], noise, draw), labels


def grid(limit: float = 1.0, *, steps: int = 50) -> Tensor:
    """Return the points of a square lattice, (steps², 2), float32, from −limit to limit along both axes.

    x changes fastest and y grows, so that ``values.view(steps, steps)`` is a picture for ``imshow(..., origin="lower")``.
    """
    if steps < 2 or not limit > 0:
        raise ValueError(f"limit={limit}, steps={steps}: a positive limit and at least 2 steps are wanted")
    along = torch.linspace(-limit, limit, steps)
    y, x = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([x, y], dim=-1).view(-1, 2)


def distance_to_arms(points: Tensor, *, num_classes: int = 2, turns: float = 1.0) -> Tensor:
    """Return how far each of points (N, 2) is from each arm of ``spirals``, (N, num_classes).

    Arms are taken without noise, as 2,000 points each. The class of the nearest arm is the true one; two equal distances are the
    true boundary. Raises ValueError for another shape.
    """
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points of shape {tuple(points.shape)} given; (N, 2) wanted")
    radius = torch.linspace(0, 1, 2000)
    arms = [_arm(radius, torch.tensor(k), num_classes, turns) for k in range(num_classes)]
    return torch.stack([torch.cdist(points, arm.to(points)).amin(1) for arm in arms], dim=1)


def _arm(radius: Tensor, label: Tensor, num_classes: int, turns: float) -> Tensor:
    return _polar(radius, 2 * math.pi * (turns * radius + label / num_classes))


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=-1)


def _start(num_examples: int, num_classes: int, noise: float, seed: int) -> tuple[Tensor, torch.Generator]:
    """Return the labels, which take turns, and the source of random numbers."""
    if num_examples < num_classes:
        raise ValueError(f"num_examples={num_examples}: at least one for each of {num_classes} classes is wanted")
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise={noise}: a standard deviation of at least 0 is wanted")
    return torch.arange(num_examples) % num_classes, torch.Generator().manual_seed(seed)


def _noisy(points: Tensor, noise: float, draw: torch.Generator) -> Tensor:
    return points + noise * torch.randn(points.shape, generator=draw)
