import numpy as np
import pytest

from dlcourse.widgets.drawings import recorded
from dlcourse.widgets.mnist_form import to_mnist

RING = [[(0.5 + 0.3 * np.cos(t), 0.5 + 0.4 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]]
DRAWINGS = {**recorded(), "ring": RING, "dot": [[(0.7, 0.2)]], "line": [[(0.5, 0.1), (0.5, 0.9)]]}


def centre_of_mass(image):
    grey = image.astype(float)
    return grey.sum(axis=1) @ np.arange(28) / grey.sum(), grey.sum(axis=0) @ np.arange(28) / grey.sum()


def box(image):
    rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def test_an_empty_drawing_has_no_ink():
    assert not to_mnist([]).any()
    assert not to_mnist([[]]).any()


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_the_centre_of_mass_comes_to_lie_in_the_middle(name):
    assert centre_of_mass(to_mnist(DRAWINGS[name])) == pytest.approx((14, 14), abs=0.51)


@pytest.mark.parametrize("name", sorted(recorded()))
def test_a_digit_fills_the_box_of_20_pixels_in_its_longer_direction(name):
    assert max(box(to_mnist(DRAWINGS[name]))) in (19, 20)


def test_the_proportions_are_kept():
    height, width = box(to_mnist(RING))
    assert height == 20
    assert width == pytest.approx(0.6 / 0.8 * 17.4 + 2.6, abs=1)


def test_neither_place_nor_size_of_the_drawing_matters():
    smaller = [[(0.1 + x / 2, 0.4 + y / 2) for x, y in stroke] for stroke in RING]
    assert np.abs(to_mnist(RING).astype(int) - to_mnist(smaller)).max() <= 16  # one sample of sixteen, by rounding


def test_a_dot_stays_a_dot():
    assert max(box(to_mnist(DRAWINGS["dot"]))) <= 4


def test_edges_are_grey_and_strokes_as_dark_as_in_mnist(mnist):
    images, labels = mnist.test.tensors
    ours = [to_mnist(drawing) / 255 for drawing in recorded().values()]
    theirs = [images[labels == int(digit)].mean().item() for digit in recorded()]
    assert np.mean([image.mean() for image in ours]) == pytest.approx(np.mean(theirs), rel=0.15)
    assert all(len(np.unique(image)) > 8 for image in ours)
