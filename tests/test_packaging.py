"""What `pip install .` installs is the whole package: code, data, JavaScript and style."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_carries_every_file_of_the_package(tmp_path):
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "dlcourse", source / "dlcourse", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True, timeout=300)
    (wheel,) = tmp_path.glob("dlcourse-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    written = {str(path.relative_to(source)) for path in (source / "dlcourse").rglob("*") if path.is_file()}
    assert written <= packed, written - packed
    for kind in (".xz", ".js", ".css", "SHA256SUMS", "py.typed"):
        assert any(name.endswith(kind) for name in packed), kind
