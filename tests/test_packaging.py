"""The wheel contains the package and its templates, and works outside a checkout."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    at_hand = importlib.util.find_spec("hatchling") is not None
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--wheel-dir", str(folder)]
    command += ["--quiet", "--disable-pip-version-check", *(["--no-build-isolation"] if at_hand else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def from_wheel(unpacked, tmp_path):
    """Run Python in an empty folder, with the unpacked wheel first on its path."""

    def run(*words):
        environment = {**os.environ, "PYTHONPATH": str(unpacked)}
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_wheel_contains_only_the_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "xlsxattn").rglob("*.*")
        if path.suffix in (".py", ".toml", ".json", ".html", ".css", ".js", ".typed")
    }
    specs = {f"xlsxattn/{path.relative_to(ROOT)}" for path in (ROOT / "templates").iterdir()}
    assert "xlsxattn/templates/walkthrough.toml" in specs
    held = {name for name in names if ".dist-info/" not in name}
    assert held == modules | specs
    assert len(names) == len(set(names))


def test_the_wheel_has_the_command_and_the_licence(unpacked):
    (info,) = unpacked.glob("*.dist-info")
    assert "xlsxattn = xlsxattn.cli:main" in (info / "entry_points.txt").read_text("utf-8")
    assert (info / "licenses/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_walkthrough_builds_from_the_wheel_in_any_folder(from_wheel, unpacked, tmp_path):
    where = from_wheel("-c", "from xlsxattn import cli, templates; print(cli.__file__, templates.folder())")
    assert where.stdout.split() == [
        str(unpacked / "xlsxattn/cli/__init__.py"),
        str(unpacked / "xlsxattn/templates"),
    ]
    listed = from_wheel("-m", "xlsxattn", "templates")
    assert listed.stdout.startswith("walkthrough ")
    ended = from_wheel("-m", "xlsxattn", "build", "walkthrough", "-q")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("written: output/walkthrough.xlsx\nproved: all ")
    assert (tmp_path / "output/walkthrough.xlsx").is_file()
