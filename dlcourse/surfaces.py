"""Small landscapes of two coordinates, on which optimisers can be watched.

Each is plain arithmetic with a smallest value of 0, so that a loss can be drawn on a logarithmic axis and the widgets can
compute the same numbers in JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["SURFACES", "Surface"]

Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A function of two coordinates, where to start on it, and where it is lowest.

    `function` maps θ (..., 2) to heights (...). `bounds` is the part worth drawing: (x low, x high, y low, y high).
    `typical_rates` has, by the name of the class in `dlcourse.optim`, a learning rate that suits it from `start`.
    """

    name: str
    function: Callable[[Tensor], Tensor]
    start: Point
    minima: tuple[Point, ...]
    bounds: tuple[float, float, float, float]
    typical_rates: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, theta: Tensor) -> Tensor:
        """Return the heights (...) at θ (..., 2). Raises ValueError for another last axis, TypeError for whole numbers."""
        if not theta.is_floating_point():
            raise TypeError(f"θ must be floating point, got {theta.dtype}")
        if theta.ndim == 0 or theta.shape[-1] != 2:
            raise ValueError(f"θ must have two coordinates on its last axis, (..., 2), got shape {tuple(theta.shape)}")
        return self.function(theta)

    def gradient(self, theta: Tensor) -> Tensor:
        """Return the slope (..., 2) at θ (..., 2)."""
        theta = theta.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self(theta).sum(), theta)
        return slope

    def hessian(self, theta: Tensor) -> Tensor:
        """Return the second derivatives (2, 2) at one point θ (2,)."""
        return torch.autograd.functional.hessian(self, theta)  # type: ignore[no-untyped-call, no-any-return]

    def path(self, make_optimizer: Callable[[Iterable[Tensor]], Optimizer], *, steps: int, start: Point | None = None) -> Tensor:
        """Return the places (steps + 1, 2), in float64, that an optimiser visits, `start` included.

        ``surface.path(lambda theta: optim.Adam(theta, lr=0.1), steps=100)``. A path that diverges holds inf or nan from there on.
        Raises ValueError for fewer than 1 step.
        """
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        theta = torch.tensor(self.start if start is None else start, dtype=torch.float64, requires_grad=True)
        optimizer = make_optimizer([theta])
        places = [theta.detach().clone()]
        for _ in range(steps):
            optimizer.zero_grad()
            self(theta).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            places.append(theta.detach().clone())
        return torch.stack(places)


def _bowl(theta: Tensor) -> Tensor:
    """Curve by 1 and 10 along the axes: κ = 10."""
    x, y = theta.unbind(-1)
    return 0.5 * (x**2 + 10 * y**2)


def _ravine(theta: Tensor) -> Tensor:
    """Curve by 1 and 100 along the axes: κ = 100."""
    x, y = theta.unbind(-1)
    return 0.5 * (x**2 + 100 * y**2)


def _tilted(theta: Tensor) -> Tensor:
    """Turn the ravine by 45°, so that no coordinate is steep or flat by itself."""
    x, y = theta.unbind(-1)
    return 0.25 * ((x + y) ** 2 + 100 * (x - y) ** 2)


def _saddle(theta: Tensor) -> Tensor:
    """Put a pass at (0, 0) between two valleys at y = 1 and y = -1."""
    x, y = theta.unbind(-1)
    return 0.5 * x**2 + 0.25 * (y**2 - 1) ** 2


def _plateau(theta: Tensor) -> Tensor:
    """Dig one hollow into a plain of height 1."""
    x, y = theta.unbind(-1)
    q = x**2 + 3 * y**2
    return q / (1 + q)


def _rosenbrock(theta: Tensor) -> Tensor:
    """Bend a valley, flat along its floor (Rosenbrock, 1960)."""
    x, y = theta.unbind(-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _beale(theta: Tensor) -> Tensor:
    """Flatten the middle between steep walls in the corners (Beale, 1958)."""
    x, y = theta.unbind(-1)
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


_OPTIMISERS = ("SGD", "Momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam", "AdamW")


def _rates(*rates: float) -> dict[str, float]:
    """Name the rates; each is the best of 1, 2 and 5 times powers of ten over 150 steps that never leave the bounds."""
    return dict(zip(_OPTIMISERS, rates, strict=True))


SURFACES = {
    surface.name: surface
    for surface in (
        Surface("bowl", _bowl, (-4.0, 1.5), ((0.0, 0.0),), (-5.0, 5.0, -2.5, 2.5), _rates(0.1, 0.02, 0.1, 2, 0.2, 0.5, 0.5)),
        Surface("ravine", _ravine, (-4.0, 1.0), ((0.0, 0.0),), (-5.0, 5.0, -2.0, 2.0), _rates(0.01, 0.005, 0.01, 2, 0.2, 0.5, 0.5)),
        Surface("tilted", _tilted, (-3.5, -2.1), ((0.0, 0.0),), (-4.0, 4.0, -4.0, 4.0), _rates(0.01, 0.005, 0.01, 1, 0.1, 1, 1)),
        Surface(
            "saddle",
            _saddle,
            (-1.8, 0.01),
            ((0.0, 1.0), (0.0, -1.0)),
            (-2.5, 2.5, -2.0, 2.0),
            _rates(0.5, 0.2, 0.5, 1, 0.1, 0.5, 0.5),
        ),
        Surface(
            "plateau", _plateau, (-3.0, 2.0), ((0.0, 0.0),), (-4.0, 4.0, -3.0, 3.0), _rates(0.5, 0.5, 0.2, 0.5, 0.02, 0.5, 0.5)
        ),
        Surface(
            "rosenbrock",
            _rosenbrock,
            (-1.2, 1.0),
            ((1.0, 1.0),),
            (-2.0, 2.0, -1.0, 3.0),
            _rates(0.005, 0.002, 0.002, 1, 0.1, 0.5, 0.5),
        ),
        Surface("beale", _beale, (1.0, 1.5), ((3.0, 0.5),), (-4.5, 4.5, -2.0, 2.0), _rates(0.02, 0.005, 0.005, 2, 0.2, 0.5, 0.5)),
    )
}
