"""The photograph is there, grey, and the right way up."""

import pytest
import torch

from dlcourse.data import photograph, shipped


def test_it_is_a_grey_image_with_a_bright_sky_above_a_dark_coat():
    image = photograph.load()
    assert image.shape == (128, 128)
    assert image.dtype == torch.float32
    assert 0 <= image.min() < 0.1
    assert 0.8 < image.max() <= 1
    assert image[:15].mean() > 0.6  # sky
    assert image[75:95, 15:30].mean() < 0.1  # coat


def test_bytes_that_are_no_pgm_are_refused(monkeypatch):
    monkeypatch.setattr(shipped, "read", lambda name: b"P6 2 2 255\n1234")
    with pytest.raises(ValueError, match="not a grey image"):
        photograph.load()
