"""Pictures of the real sheets, as LibreOffice prints them: whole for the gallery, parts for the tutorial."""

from __future__ import annotations

import html
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.workbooks import digest
from xlsxattn.checker import engines
from xlsxattn.view.look import look
from xlsxattn.view.preview import page_of, poppler
from xlsxattn.view.steps import pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.view.look import Seen

RECORD = "output/pictures.json"
LONGEST = 2000
"""Dots of a gallery picture's longer side."""
RESOLUTION = 100
"""Dots an inch of a part."""
MARGIN = 4.0
"""Points above a part's heading."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some steps of one sheet: from the step that shows a range to the step that shows another one."""

    file: str
    template: str
    sheet: str
    first: str
    last: str


PARTS = (
    Part("input", "walkthrough", "attn", "attn_cat_X", "attn_cat_X"),
    Part("scores", "walkthrough", "attn", "attn_cat_Scores", "attn_cat_Scores"),
    Part("softmax", "walkthrough", "attn", "attn_cat_Scaled", "attn_cat_Exp"),
    Part("attention", "walkthrough", "attn", "attn_cat_Attention", "attn_cat_Attention"),
    Part("output", "walkthrough", "attn", "attn_cat_Output", "attn_cat_Output"),
    Part("weights", "walkthrough", "qkv", "qkv_W_Q", "qkv_W_V"),
    Part("learned", "walkthrough", "qkv", "qkv_cat_Attention", "qkv_cat_Output"),
    Part("dimensions", "walkthrough", "dims", "dims_cat_Q", "dims_cat_V"),
    Part("heads", "walkthrough", "heads", "heads_cat_Concat", "heads_cat_Output"),
    Part("causal", "causal", "causal", "causal_chase_Masked", "causal_chase_Attention"),
)
"""The pictures of the tutorial, docs/pictures/<file>.png."""


def draw(root: Path, fresh: Mapping[str, Path]) -> None:
    """Draw every picture whose workbook has changed, and write down what each was drawn from."""
    wanted, had = _wanted(fresh), _record(root)
    with tempfile.TemporaryDirectory(prefix="xlsxattn-") as folder:
        for name, path in fresh.items():
            changed = [p for p in _of(name) if had.get(p) != wanted[p] or not (root / p).is_file()]
            if changed:
                _draw(root, name, path, Path(folder, f"{name}.pdf"), changed)
    (root / RECORD).write_text(json.dumps(wanted, indent=2) + "\n", "utf-8")


def stale(root: Path, fresh: Mapping[str, Path]) -> Iterator[str]:
    """A sentence for every picture that is missing, or was drawn from another workbook."""
    had = _record(root)
    for picture, wanted in _wanted(fresh).items():
        if not (root / picture).is_file():
            yield f"{picture}: the picture is missing"
        elif had.get(picture) != wanted:
            yield f"{picture}: it was drawn from another workbook than the template gives now"


def _record(root: Path) -> dict[str, str]:
    place = root / RECORD
    found: dict[str, str] = json.loads(place.read_text("utf-8")) if place.is_file() else {}
    return found


def _wanted(fresh: Mapping[str, Path]) -> dict[str, str]:
    return {picture: key for name, path in fresh.items() if (key := digest(path)) for picture in _of(name)}


def _of(template: str) -> list[str]:
    """The pictures that show a template's workbook."""
    parts = [f"docs/pictures/{part.file}.png" for part in PARTS if part.template == template]
    return [f"output/{template}.png", *parts]


def _draw(root: Path, name: str, path: Path, pdf: Path, wanted: Sequence[str]) -> None:
    seen = look(path)
    engines.print_pdf(path, pdf)
    if f"output/{name}.png" in wanted:
        number = page_of(seen, "")
        size = ("-scale-to", LONGEST)
        poppler(
            "pdftoppm", "-f", number, "-l", number, *size, "-png", "-singlefile", pdf, root / "output" / name
        )
    for part in PARTS:
        place = root / f"docs/pictures/{part.file}"
        if str(place.relative_to(root)) + ".png" in wanted:
            number = page_of(seen, part.sheet)
            top, bottom = _band(seen, part, _lines(pdf, number))
            dots = RESOLUTION / 72
            cut = ("-x", 0, "-y", round(top * dots), "-W", 10_000, "-H", round((bottom - top) * dots))
            one = ("-f", number, "-l", number, "-r", RESOLUTION)
            poppler("pdftoppm", *one, *cut, "-png", "-singlefile", pdf, place)


def _lines(pdf: Path, number: int) -> list[tuple[float, str]]:
    """The lines of text on one page: height in points, and the words from left to right."""
    command = ["pdftotext", "-f", str(number), "-l", str(number), "-bbox", str(pdf), "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words
    found: dict[float, list[tuple[float, str]]] = {}
    word = r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="[\d.]+" yMax="[\d.]+">(.*?)</word>'
    for left, top, text in re.findall(word, said):
        found.setdefault(round(float(top), 1), []).append((float(left), html.unescape(text)))
    end = re.search(r'<page width="[\d.]+" height="([\d.]+)"', said)
    assert end is not None
    lines = [(top, " ".join(text for _, text in sorted(words))) for top, words in sorted(found.items())]
    return [*lines, (float(end[1]), "")]


def _band(seen: Seen, part: Part, lines: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """Where a part begins and ends, in points from the top of its page.

    Raises:
        LookupError: the sheet does not show the part's ranges, or the page lacks their headings.
    """
    steps = [step for page in pages(seen) for step in page.steps]
    shows = [{m.name for f in step.figures for m in (f.main, *f.sides)} for step in steps]
    first = next((i for i, names in enumerate(shows) if part.first in names), None)
    last = next((i for i, names in enumerate(shows) if part.last in names), None)
    if first is None or last is None:
        raise LookupError(f"docs/pictures/{part.file}.png: no step shows {part.first} or {part.last}")
    top = next((top for top, text in lines if text.startswith(steps[first].title)), None)
    if top is None:
        raise LookupError(f"docs/pictures/{part.file}.png: the page lacks the heading {steps[first].title!r}")
    after = steps[last + 1].title if last + 1 < len(steps) else ""
    below = (y for y, text in lines if y > top and after and text.startswith(after))
    checks = (y for y, text in lines if y > top and text == "Check")
    return top - MARGIN, min(next(below, lines[-1][0]), next(checks, lines[-1][0])) - MARGIN
