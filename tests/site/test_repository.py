"""Launch buttons appear only where the course's repository is known."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository():
    spec = importlib.util.spec_from_file_location("site_repository", ROOT / "book" / "_ext" / "site_repository.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://github.com/owner/course", "https://github.com/owner/course"),
        ("https://github.com/owner/course.git\n", "https://github.com/owner/course"),
        ("https://github.com/owner/course.v2/", "https://github.com/owner/course.v2"),
        ("git@github.com:owner/course.git", "https://github.com/owner/course"),
        ("ssh://git@github.com/owner/course", "https://github.com/owner/course"),
        ("https://name:secret@github.com/owner/course.git", "https://github.com/owner/course"),
        ("https://example.org/owner/course", ""),
        ("/srv/git/course.git", ""),
        ("", ""),
    ],
)
def test_an_address_is_cleaned_or_refused(repository, url, wanted):
    assert repository.clean(url) == wanted


def test_the_environment_comes_before_the_remote(repository, monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_REPOSITORY_URL", "https://github.com/a/b")
    assert repository.repository_url(tmp_path) == "https://github.com/a/b"


def test_the_remote_is_used_where_there_is_one(repository, monkeypatch, tmp_path):
    for name in ("BOOK_REPOSITORY_URL", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert repository.repository_url(tmp_path) == ""
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", "git@github.com:a/b.git"], check=True)
    assert repository.repository_url(tmp_path) == "https://github.com/a/b"


def test_launch_buttons_are_there_exactly_if_the_repository_is_known(repository, built_chapter):
    url = repository.repository_url(ROOT)
    buttons = re.findall(r'href="(https://colab[^"]*)"', built_chapter.html)
    wanted = [f"{url.replace('https://github.com', 'https://colab.research.google.com/github')}/blob/"] if url else []
    assert [button[: len(wanted[0])] for button in buttons] == wanted if url else buttons == []
