"""Launch, source and issue buttons, only where the course's repository is known.

It is read from $BOOK_REPOSITORY_URL, else from the variables of GitHub Actions, else from the git remote called origin.
"""

import os
import re
import subprocess
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

LAUNCH = {"colab_url": "https://colab.research.google.com", "notebook_interface": "jupyterlab"}


def clean(url: str) -> str:
    """Return https://github.com/OWNER/NAME, or "" for any other address; a password in it is never published."""
    url = re.sub(r"^(?:ssh://)?git@github\.com[:/]", "https://github.com/", url.strip())
    url = re.sub(r"^https://[^/@]+@", "https://", url)
    match = re.match(r"^https://github\.com/[\w.-]+/[\w.-]+?(?=(?:\.git)?/?$)", url)
    return match.group(0) if match else ""


def repository_url(root: Path) -> str:
    """Return the address of the repository that holds root, or "" where none is known."""
    if "BOOK_REPOSITORY_URL" in os.environ:
        return clean(os.environ["BOOK_REPOSITORY_URL"])
    if "GITHUB_REPOSITORY" in os.environ:
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return clean(f"{server}/{os.environ['GITHUB_REPOSITORY']}")
    try:
        command = ["git", "-C", str(root), "remote", "get-url", "origin"]
        return clean(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError):
        return ""


def configure(app: Sphinx, config: Config) -> None:
    url = repository_url(Path(app.confdir))
    branch = os.environ.get("BOOK_REPOSITORY_BRANCH", "main")
    config.html_theme_options |= {
        "repository_url": url,
        "repository_branch": branch,
        "launch_buttons": dict(LAUNCH) if url else {},
        "use_repository_button": bool(url),
        "use_issues_button": bool(url),
        "use_edit_page_button": False,
    }


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", configure, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
