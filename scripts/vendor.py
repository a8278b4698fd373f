"""Fetch the few browser files of others that the site and its tests use, into _build/vendor.

What is wanted, and the checksum each package must have, is in vendor.json beside this file. Run by the Makefile before
each build; when everything is there it does nothing. Without npm, or without a network, the site still builds: its pages
then load MathJax from a public CDN, and the accessibility test is skipped. With CI=true that is an error instead.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "_build" / "vendor"
MANIFEST = Path(__file__).with_suffix(".json")


class Package(TypedDict):
    """One entry of the manifest: what to keep of an npm package, and where to put it."""

    version: str
    integrity: str
    licence: str
    why: str
    into: str
    strip: str
    keep: list[str]


def fetch(name: str, package: Package, folder: Path) -> Path:
    """Download the package's archive into folder and return its path; raise ValueError if its checksum differs."""
    spec = f"{name}@{package['version']}"
    subprocess.run(
        ["npm", "pack", spec, "--silent", "--pack-destination", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    (archive,) = folder.glob("*.tgz")
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package["integrity"]:
        raise ValueError(f"{spec}: the archive's checksum is {digest}, the manifest wants {package['integrity']}")
    return archive


def unpack(archive: Path, package: Package, folder: Path) -> None:
    """Write the kept files of an npm archive into folder; raise ValueError if one of them is missing."""
    missing = set(package["keep"])
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.removeprefix("package/")
            pattern = next((p for p in package["keep"] if path == p or (p.endswith("/") and path.startswith(p))), None)
            source = tar.extractfile(member) if pattern and member.isfile() and ".." not in path else None
            if source is None:
                continue
            missing.discard(pattern or "")
            target = folder / path.removeprefix(package["strip"])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read())
    if missing:
        raise ValueError(f"{archive.name} does not contain {', '.join(sorted(missing))}")


def vendor(name: str, package: Package) -> None:
    """Put one package in place: a whole new folder, renamed at the end, so that an interrupted run leaves nothing half done."""
    target = TARGET / package["into"]
    stamp = target / ".vendored"
    wanted = json.dumps(package, sort_keys=True)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET, prefix=".new-") as temporary:
        archive = fetch(name, package, Path(temporary))
        fresh = Path(temporary) / "fresh"
        unpack(archive, package, fresh)
        (fresh / ".vendored").write_text(wanted)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    print(f"vendor: {name} {package['version']}, for: {package['why']}")


def main() -> int:
    """Put every package of the manifest in place; return the exit status."""
    packages: dict[str, Package] = json.loads(MANIFEST.read_text())
    try:
        for name, package in packages.items():
            vendor(name, package)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        reason = "npm is not installed" if isinstance(error, FileNotFoundError) else "npm could not download it"
        print(
            f"vendor: {name} is missing: {reason}.\n"
            "  What that costs: the site's pages load MathJax from a public CDN, and the accessibility test is skipped.\n"
            "  How to get it: install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm) and run make again.",
            file=sys.stderr,
        )
        return 1 if os.environ.get("CI") == "true" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
