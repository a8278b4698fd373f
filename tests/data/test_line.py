"""The points lie where they are said to lie, and are the same everywhere."""

import math

import numpy as np
import pytest
import torch

from dlcourse.data.line import line


def test_the_default_is_the_listing_of_the_document_with_seed_0():
    np.random.seed(0)  # noqa: NPY002  what the document calls
    x, noise = np.random.rand(100, 1), np.random.rand(100, 1)  # noqa: NPY002
    ours = line()
    np.testing.assert_array_equal(ours[0], x)
    np.testing.assert_allclose(ours[1], 3 * x + 2 + noise, rtol=1e-15)


def test_its_least_squares_line_is_the_one_that_was_measured():
    x, y = line()
    design = np.hstack([x, np.ones((100, 1))])
    np.testing.assert_allclose(np.linalg.lstsq(design, y, rcond=None)[0].ravel(), [2.937, 2.558], atol=5e-4)


@pytest.mark.parametrize("noise", ["uniform", "normal"])
def test_both_are_columns_of_double_precision(noise):
    for values in line(7, noise=noise):
        assert values.shape == (7, 1)
        assert values.dtype == torch.float64


def test_slope_and_intercept_are_kept_where_there_is_no_noise():
    x, y = line(5, slope=-2.0, intercept=4.0, scale=0.0)
    torch.testing.assert_close(y, 4 - 2 * x)


@pytest.mark.parametrize(("noise", "mean", "deviation"), [("uniform", 0.5, 1 / math.sqrt(12)), ("normal", 0.0, 1.0)])
def test_the_noise_has_the_mean_and_the_spread_of_its_kind(noise, mean, deviation):
    x, y = line(20_000, slope=3.0, intercept=2.0, noise=noise, scale=2.0)
    rest = (y - 2 - 3 * x) / 2
    assert rest.mean().item() == pytest.approx(mean, abs=0.02)
    assert rest.std().item() == pytest.approx(deviation, rel=0.02)


def test_the_seed_decides():
    torch.testing.assert_close(line(seed=1), line(seed=1), rtol=0, atol=0)
    assert not torch.equal(line(seed=1)[0], line(seed=2)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_examples": 0}, "num_examples=0"),
        ({"scale": -1.0}, r"scale=-1\.0"),
        ({"scale": math.nan}, "scale=nan"),
        ({"noise": "gaussian"}, 'noise must be "uniform" or "normal", got \'gaussian\''),
    ],
)
def test_what_makes_no_line_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        line(**arguments)
