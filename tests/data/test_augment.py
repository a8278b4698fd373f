"""Augmentation moves images the way its words say, and draws from its seed alone."""

import pytest
import torch
import torch.nn.functional as F

from dlcourse.data.augment import RandomAffine, affine


def still(count, **changes):
    settings = {
        "angle": torch.zeros(count),
        "shift": torch.zeros(count, 2),
        "scale": torch.ones(count),
        "shear": torch.zeros(count),
    }
    return settings | changes


def blob(height=9, width=11):
    return torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(0))


def test_no_change_is_no_change():
    torch.testing.assert_close(affine(blob(), **still(1)), blob())


def test_a_quarter_turn_is_anticlockwise():
    square = blob(9, 9)
    torch.testing.assert_close(affine(square, **still(1, angle=torch.tensor([90.0]))), square.rot90(1, (2, 3)), atol=1e-5, rtol=0)


def test_a_shift_moves_right_and_down_and_brings_in_paper():
    moved = affine(blob(), **still(1, shift=torch.tensor([[3.0, 2.0]])))
    torch.testing.assert_close(moved[..., 2:, 3:], blob()[..., :-2, :-3], atol=1e-5, rtol=0)
    assert moved[..., :2, :].abs().max() < 1e-5
    assert moved[..., :3].abs().max() < 1e-5


def test_scale_enlarges_about_the_centre():
    image = torch.zeros(1, 1, 9, 9)
    image[..., 4, 6] = 1  # two to the right of the centre
    bigger = affine(image, **still(1, scale=torch.tensor([2.0])))
    assert bigger[0, 0].argmax().item() == 4 * 9 + 8  # four to the right


def test_shear_moves_lower_rows_to_the_right():
    image = torch.zeros(1, 1, 9, 9)
    image[..., 4] = 1
    slanted = affine(image, **still(1, shear=torch.tensor([1.0])))
    assert slanted[0, 0].argmax(dim=1).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]


def test_the_affine_map_is_the_one_torch_would_sample():
    angle, scale, shift = torch.tensor([33.0]), torch.tensor([1.2]), torch.tensor([[1.5, -0.5]])
    turn = torch.deg2rad(angle[0])
    inverse = torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])]) / scale
    matrix = torch.cat([inverse, -(inverse @ (shift[0] * 2 / 9)[:, None])], dim=1)[None]
    square = blob(9, 9)
    expected = F.grid_sample(square, F.affine_grid(matrix, [1, 2, 9, 9], align_corners=False), align_corners=False)
    torch.testing.assert_close(affine(square, **still(1, angle=angle, scale=scale, shift=shift)), expected, atol=1e-5, rtol=1e-4)


def test_every_image_of_a_batch_changes_in_its_own_way_within_the_limits():
    images = blob().expand(50, -1, -1, -1)
    changed = RandomAffine(degrees=20, translate=2, scale=0.1, shear=0.2, seed=0)(images)
    assert changed.shape == images.shape
    assert len({tuple(image.flatten().tolist()) for image in changed}) == 50


def test_the_same_seed_gives_the_same_changes_and_leaves_the_global_stream_alone():
    torch.manual_seed(0)
    first = RandomAffine(degrees=20, seed=3)(blob())
    torch.testing.assert_close(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(RandomAffine(degrees=20, seed=3)(blob()), first)
    assert not torch.equal(RandomAffine(degrees=20, seed=4)(blob()), first)


@pytest.mark.parametrize("settings", [{"degrees": -1}, {"degrees": 181}, {"scale": 1.0}, {"translate": -0.5}])
def test_limits_out_of_range_are_named(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=rf"{name}=.*expected"):
        RandomAffine(**settings, seed=0)


def test_a_single_image_without_a_batch_axis_is_refused():
    with pytest.raises(ValueError, match=r"\(28, 28\) given; \(batch, channels, height, width\) wanted"):
        RandomAffine(seed=0)(torch.zeros(28, 28))
