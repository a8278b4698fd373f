"""The landscapes are what they say: where they are lowest, how they curve, and how one walks on them."""

import math

import pytest
import torch

from dlcourse import optim
from dlcourse.surfaces import SURFACES, Surface

EVERY = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


def point(*coordinates):
    return torch.tensor(coordinates, dtype=torch.float64)


def test_the_names_are_the_keys():
    assert list(SURFACES) == ["bowl", "ravine", "tilted", "saddle", "plateau", "rosenbrock", "beale"]
    assert all(name == surface.name for name, surface in SURFACES.items())


@EVERY
def test_every_minimum_is_flat_of_height_0_and_curves_upwards(surface):
    for minimum in surface.minima:
        assert surface(point(*minimum)).item() == pytest.approx(0, abs=1e-15)
        assert surface.gradient(point(*minimum)).abs().max() < 1e-12
        assert torch.linalg.eigvalsh(surface.hessian(point(*minimum))).min() > 0


@EVERY
def test_nothing_in_the_drawn_part_is_lower_than_the_minima(surface):
    x0, x1, y0, y1 = surface.bounds
    places = torch.cartesian_prod(torch.linspace(x0, x1, 101), torch.linspace(y0, y1, 101)).double()
    assert surface(places).min() >= 0
    for x, y in (*surface.minima, surface.start):
        assert x0 <= x <= x1
        assert y0 <= y <= y1


@EVERY
def test_the_gradient_is_the_slope(surface):
    theta = point(*surface.start)
    for axis in range(2):
        step = 1e-6 * torch.eye(2, dtype=torch.float64)[axis]
        difference = (surface(theta + step) - surface(theta - step)) / 2e-6
        assert surface.gradient(theta)[axis].item() == pytest.approx(difference.item(), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(("name", "condition"), [("bowl", 10), ("ravine", 100), ("tilted", 100)])
def test_the_quadratics_have_the_condition_they_are_named_for(name, condition):
    low, high = torch.linalg.eigvalsh(SURFACES[name].hessian(point(0.3, -0.2))).tolist()
    assert high / low == pytest.approx(condition)
    assert low == pytest.approx(1)


def test_the_tilted_ravine_is_the_ravine_turned_by_45_degrees():
    turn = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)
    places = torch.randn(20, 2, dtype=torch.float64)
    torch.testing.assert_close(SURFACES["tilted"](places), SURFACES["ravine"](places @ turn.T))


def test_the_middle_of_the_saddle_is_flat_and_no_minimum():
    saddle = SURFACES["saddle"]
    assert saddle.gradient(point(0, 0)).abs().max() == 0
    assert torch.linalg.eigvalsh(saddle.hessian(point(0, 0))).tolist() == [-1, 1]


def test_heights_come_in_the_shape_of_the_places():
    for surface in SURFACES.values():
        assert surface(torch.rand(3, 4, 2)).shape == (3, 4)
        assert surface.gradient(torch.rand(3, 4, 2)).shape == (3, 4, 2)


def test_a_path_is_the_plain_loop():
    surface = SURFACES["bowl"]
    path = surface.path(lambda theta: torch.optim.SGD(theta, lr=0.05), steps=30, start=(1.0, 2.0))
    theta = point(1.0, 2.0)
    for place in path:
        torch.testing.assert_close(place, theta, rtol=1e-12, atol=1e-12)
        theta = theta - 0.05 * point(1, 10) * theta
    assert path.shape == (31, 2)
    assert path.dtype == torch.float64


@EVERY
def test_the_typical_rates_lead_downhill_within_the_picture(surface):
    x0, x1, y0, y1 = surface.bounds
    for name, rate in surface.typical_rates.items():
        path = surface.path(lambda theta, name=name, rate=rate: getattr(optim, name)(theta, lr=rate), steps=150)
        x, y = path.unbind(-1)
        assert x0 <= x.min() <= x.max() <= x1, name
        assert y0 <= y.min() <= y.max() <= y1, name
        assert surface(path[-1]) < 0.7 * surface(path[0]), name


def test_a_rate_above_the_limit_is_a_path_that_diverges_not_an_error():
    path = SURFACES["ravine"].path(lambda theta: optim.SGD(theta, lr=0.1), steps=400)
    assert not torch.isfinite(path[-1]).all()


def test_bad_input_is_named():
    bowl = SURFACES["bowl"]
    with pytest.raises(ValueError, match=r"two coordinates on its last axis.*got shape \(2, 3\)"):
        bowl(torch.rand(2, 3))
    with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
        bowl(torch.tensor([1, 2]))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        bowl.path(optim.SGD, steps=0)


def test_a_surface_of_ones_own_works():
    slope = Surface("slope", lambda theta: theta[..., 0], (0.0, 0.0), (), (-1.0, 1.0, -1.0, 1.0))
    assert slope.path(lambda theta: optim.SGD(theta, lr=1.0), steps=3)[-1].tolist() == [-3, 0]
