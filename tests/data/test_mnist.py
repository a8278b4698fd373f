"""MNIST as shipped is MNIST, whole, and a damaged file is refused."""

import hashlib
import re
from pathlib import Path

import pytest
import torch

from dlcourse.data import mnist, shipped

README = Path(shipped.__file__).with_name("README.md").read_text(encoding="utf-8")
# The sha256 of the files as the authors published them: the shipped bytes must unpack to these.
PUBLISHED = {
    "train-images-idx3-ubyte.xz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.xz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.xz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.xz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture(scope="module")
def splits():
    return mnist.load()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shipped_file_unpacks_to_the_published_bytes(name):
    assert hashlib.sha256(shipped.read(name)).hexdigest() == PUBLISHED[name]


def test_every_shipped_file_has_its_source_and_checksum_in_the_readme():
    on_disk = {path.name for path in shipped.FILES.iterdir()} - {"SHA256SUMS"}
    assert on_disk == set(shipped.checksums())
    for name, digest in shipped.checksums().items():
        assert re.search(rf"{re.escape(name)}.*{digest}", README), f"{name} is not in dlcourse/data/README.md with its sha256"


def test_the_splits_have_their_sizes_shapes_and_ranges(splits):
    assert [len(part) for part in splits] == [55_000, 5_000, 10_000]
    for part in splits:
        images, labels = part.tensors
        assert images.shape[1:] == (1, 28, 28)
        assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
        assert (images.min().item(), images.max().item()) == (0.0, 1.0)
        assert labels.unique().tolist() == list(range(10))


def test_the_label_counts_of_the_test_file_are_the_published_ones(splits):
    assert splits.test.tensors[1].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_no_image_is_in_two_splits(splits):
    images = [image.numpy().tobytes() for part in splits for image in {i.numpy().tobytes(): i for i in part.tensors[0]}.values()]
    assert len(set(images)) == len(images)


def test_what_one_caller_changes_the_next_does_not_see():
    mnist.load().test.tensors[0].zero_()
    assert mnist.load().test.tensors[0].sum() > 0


@pytest.fixture
def copied_files(tmp_path, monkeypatch):
    for path in shipped.FILES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(shipped, "FILES", tmp_path)
    mnist._read.cache_clear()
    yield tmp_path
    mnist._read.cache_clear()


def test_a_damaged_file_is_named_with_its_cure(copied_files):
    file = copied_files / "t10k-labels-idx1-ubyte.xz"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte.xz is damaged.*reinstall"):
        mnist.load()


def test_a_missing_file_is_named_with_its_cure(copied_files):
    (copied_files / "train-images-idx3-ubyte.xz").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.xz is missing.*reinstall"):
        mnist.load()


@pytest.mark.parametrize(
    ("raw", "message"), [(b"\0\0\x0d\x01\0\0\0\1\0", "not an IDX file"), (b"\0\0\x08\x01\0\0\0\3\0", "holds 1 values")]
)
def test_bytes_that_are_no_idx_file_are_refused(raw, message):
    with pytest.raises(ValueError, match=message):
        mnist._parse_idx(raw)
