"""The point sets are what their formulas say."""

import math

import pytest
import torch

from dlcourse.data.points import circles, distance_to_arms, grid, moons, spirals, xor

SETS = [spirals, moons, circles, xor]


@pytest.mark.parametrize("make", SETS)
def test_points_are_about_within_the_square_and_classes_take_turns(make):
    points, labels = make(200)
    assert (points.shape, points.dtype, labels.dtype) == ((200, 2), torch.float32, torch.int64)
    assert points.abs().max() < 1.3
    assert labels.tolist() == [0, 1] * 100


@pytest.mark.parametrize("make", SETS)
def test_the_seed_decides_the_points(make):
    torch.testing.assert_close(make(50, seed=3)[0], make(50, seed=3)[0], rtol=0, atol=0)
    assert not torch.equal(make(50, seed=3)[0], make(50, seed=4)[0])


@pytest.mark.parametrize("make", SETS)
def test_noise_moves_the_points_by_its_standard_deviation(make):
    moved = make(4000, noise=0.05)[0] - make(4000, noise=0.0)[0]
    assert abs(moved.std().item() - 0.05) < 0.002
    assert abs(moved.mean().item()) < 0.003


@pytest.mark.parametrize("make", SETS)
def test_making_points_leaves_the_global_random_numbers_alone(make):
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    make(20)
    torch.testing.assert_close(torch.rand(3), wanted)


@pytest.mark.parametrize(("num_classes", "turns"), [(2, 1.0), (3, 0.5), (2, 1.75)])
def test_a_spirals_point_lies_at_the_angle_of_its_arm(num_classes, turns):
    points, labels = spirals(60, num_classes=num_classes, turns=turns, noise=0.0)
    assert labels[:4].tolist() == [i % num_classes for i in range(4)]
    for (x, y), label in zip(points.tolist(), labels.tolist(), strict=True):
        angle = 2 * math.pi * (turns * math.hypot(x, y) + label / num_classes)
        assert math.cos(angle - math.atan2(y, x)) > 1 - 1e-5


def test_the_radius_of_a_spiral_spreads_like_the_root_of_a_uniform_number():
    radius = spirals(4000, noise=0.0)[0].norm(dim=1)
    assert abs(radius.square().mean().item() - 0.5) < 0.02


def test_moons_are_two_half_circles_centred_and_scaled():
    points, labels = moons(100, noise=0.0)
    plain = points * 1.5 + torch.tensor([0.5, 0.25])
    upper, lower = plain[labels == 0], plain[labels == 1]
    torch.testing.assert_close(upper.norm(dim=1), torch.ones(50))
    torch.testing.assert_close((lower - torch.tensor([1.0, 0.5])).norm(dim=1), torch.ones(50))
    assert upper[:, 1].min() >= -1e-6
    assert lower[:, 1].max() <= 0.5 + 1e-6


def test_circles_have_their_radii():
    points, labels = circles(100, noise=0.0)
    torch.testing.assert_close(points.norm(dim=1), torch.where(labels == 0, 0.8, 0.4))


def test_four_points_of_xor_without_noise_are_the_truth_table():
    points, labels = xor(4, noise=0.0)
    table = {tuple((point > 0).tolist()): int(label) for point, label in zip(points, labels, strict=True)}
    assert table == {(a, b): int(a != b) for a in (False, True) for b in (False, True)}


def test_a_grid_is_a_picture_with_x_to_the_right_and_y_up():
    points = grid(2.0, steps=5)
    assert points.shape == (25, 2)
    picture = points.view(5, 5, 2)
    assert picture[0, :, 0].tolist() == picture[:, 0, 1].tolist() == [-2, -1, 0, 1, 2]
    assert picture[3, 1].tolist() == [-1, 1]


@pytest.mark.parametrize(("num_classes", "turns"), [(2, 1.0), (3, 0.7)])
def test_a_noiseless_spirals_points_are_on_the_arm_of_their_label(num_classes, turns):
    points, labels = spirals(500, num_classes=num_classes, turns=turns, noise=0.0)
    distance = distance_to_arms(points, num_classes=num_classes, turns=turns)
    assert distance.shape == (500, num_classes)
    assert distance[torch.arange(500), labels].max() < 0.005
    away = points.norm(dim=1) > 0.1  # at the origin all arms meet
    assert torch.equal(distance.argmin(1)[away], labels[away])


def test_the_distance_to_an_arm_is_that_to_the_nearest_of_very_many_points_on_it():
    points, labels = spirals(20_000, noise=0.0, seed=5)
    places = grid(0.9, steps=12)
    brute = torch.stack([torch.cdist(places, points[labels == k]).amin(1) for k in (0, 1)], dim=1)  # (144, 2)
    torch.testing.assert_close(distance_to_arms(places), brute, atol=0.01, rtol=0)


def test_all_arms_meet_at_the_origin():
    assert distance_to_arms(torch.zeros(1, 2), num_classes=3).max() < 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spirals(1), "num_examples=1: at least one for each of 2"),
        (lambda: spirals(num_classes=1), "num_classes=1"),
        (lambda: moons(noise=-0.1), "noise=-0.1"),
        (lambda: circles(noise=math.nan), "noise=nan"),
        (lambda: xor(0), "num_examples=0"),
        (lambda: grid(0.0), "limit=0.0"),
        (lambda: grid(steps=1), "steps=1"),
        (lambda: distance_to_arms(torch.zeros(3, 5)), r"\(3, 5\) given; \(N, 2\) wanted"),
    ],
)
def test_what_makes_no_set_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
