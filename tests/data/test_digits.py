"""The 8×8 digits come whole, in three fixed parts with the same mixture of classes."""

import builtins

import pytest
import torch

from dlcourse.data import digits


@pytest.fixture(scope="module")
def splits():
    return digits.load()


def test_the_parts_have_their_sizes_shapes_and_ranges(splits):
    sizes = [len(part) for part in splits]
    assert sum(sizes) == 1797
    assert [round(size / 1797, 2) for size in sizes] == [0.6, 0.2, 0.2]
    for part in splits:
        images, labels = part.tensors
        assert images.shape[1:] == (1, 8, 8)
        assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
        assert (images.min().item(), images.max().item()) == (0.0, 1.0)


def test_every_part_has_each_class_in_its_share(splits):
    counts = torch.stack([part.tensors[1].bincount(minlength=10) for part in splits]).float()
    whole = counts.sum(0)
    for share, count in zip((0.6, 0.2, 0.2), counts, strict=True):
        assert ((count - share * whole).abs() <= 1.6).all()  # a class is no multiple of five


def test_the_parts_together_are_scikit_learns_digits(splits):
    from sklearn.datasets import load_digits

    bunch = load_digits()
    wanted = sorted((image.tobytes(), int(label)) for image, label in zip(bunch.images, bunch.target, strict=True))
    found = [
        ((image[0] * 16).double().numpy().tobytes(), int(label))
        for part in splits
        for image, label in zip(*part.tensors, strict=True)
    ]
    assert sorted(found) == wanted


def test_the_split_is_the_same_every_time_and_no_caller_sees_anothers_changes():
    first = digits.load()
    first.test.tensors[0].zero_()
    again = digits.load()
    assert again.test.tensors[0].sum() > 0
    assert torch.equal(first.train.tensors[1], again.train.tensors[1])


def test_without_scikit_learn_the_cure_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("sklearn"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    digits._read.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        digits.load()
    digits._read.cache_clear()
