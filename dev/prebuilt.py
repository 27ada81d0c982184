"""A cache of the workbooks of templates, built and proved once for each state of the sources.

Tests, the campaign and the gallery use the same workbooks. They are stored in ``build/workbooks``, which Git
ignores, in a folder whose name is a digest of everything that determines their content.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
import sys
import time
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

import xlsxattn
from xlsxattn import press, templates

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
CACHE = ROOT / "build" / "workbooks"
MAX_AGE = 3600.0
"""Seconds to keep workbooks of other states after their last use; another run may still need them."""


class ProofError(Exception):
    """The proof of the workbook of a template failed."""


def build(name: str, target: Path, lang: str = "", *, without: str = "") -> Path:
    """Copy the workbook of a template to a file; the first call builds and proves it.

    Args:
        name: the template.
        target: the file to write.
        lang: its language; by default that of the template.
        without: a kind of sheet to leave out, such as the training, which has most of a workbook's cells.

    Raises:
        ProofError: the proof has findings; nothing is stored.
    """
    lang = lang or templates.lang(name)
    rest = f".without-{without}" if without else ""
    kept = _folder() / f"{name}{rest}.{lang}.xlsx"
    with FileLock(kept.with_suffix(".lock")):
        if not kept.exists():
            _prove(name, kept, lang, without)
    shutil.copyfile(kept, target)
    return target


def _prove(name: str, kept: Path, lang: str, without: str) -> None:
    unproved = kept.with_suffix(".new.xlsx")
    changed: dict[str, Any] = {"lang": lang}
    if without:
        sheets = tomllib.loads(templates.path(name).read_text("utf-8"))["sheets"]
        changed["sheets"] = [sheet for sheet in sheets if sheet.get("kind") != without]
    pressed = press.build(templates.path(name), unproved, changed=changed)
    for finding in pressed.report.every_finding:
        raise ProofError(f"{name}: {finding.message}")
    unproved.replace(kept)


def _folder() -> Path:
    """The folder of the current state."""
    folder = CACHE / _digest()
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _remove_old(folder)
    folder.touch()
    return folder


def _remove_old(present: Path) -> None:
    """Remove folders of states that have not been used for a while."""
    for folder in CACHE.iterdir():
        if folder != present and time.time() - folder.stat().st_mtime > MAX_AGE:
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _digest() -> str:
    """A digest of the package, its templates, and the versions of Python and of the dependencies."""
    digest = hashlib.sha256(repr([sys.version, *_versions()]).encode())
    for folder in (Path(xlsxattn.__file__).parent, templates.folder()):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"\0{path.relative_to(folder)}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _versions() -> Iterator[tuple[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in project["dependencies"]:
        (name,) = re.findall(r"^[\w.-]+", requirement)
        yield name, importlib.metadata.version(name)
