"""Pictures of the real sheets, as LibreOffice prints them: whole, their tops, and parts for the pages."""

from __future__ import annotations

import html
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dev.gallery.workbooks import digest
from xlsxattn import templates
from xlsxattn.checker import engines
from xlsxattn.view.look import look
from xlsxattn.view.preview import poppler, tab_of
from xlsxattn.view.steps import pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.view.look import OpenWorkbook

RECORD = "output/pictures.json"
MAX_LENGTH = 2000
"""Dots of a whole sheet's longer side."""
RESOLUTION = 100
"""Dots an inch of a part."""
MARGIN = 4.0
"""Points above a part's heading, and right of the last word where a page is cut."""
SMALL = 0.8
"""A page whose words take less of its width is cut behind them, and enlarged as much."""
MAX_WIDTH, CARD = 1500.0, 840
"""A sheet's top in the gallery: at most so many points of it, in a picture so many dots wide, 3 to 2."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some steps of one sheet: from the step that shows a range to the step that shows another one.

    ``workbook`` is a template, or one of `workbooks.build_others`. It begins at the sheet's title where
    ``first`` is "".
    """

    file: str
    workbook: str
    sheet: str
    first: str
    last: str


PARTS = (
    Part("self-attention", "walkthrough", "attn", "", "attn_cat_Output"),
    Part("input", "walkthrough", "attn", "attn_cat_X", "attn_cat_X"),
    Part("scores", "walkthrough", "attn", "attn_cat_Scores", "attn_cat_Scores"),
    Part("softmax", "walkthrough", "attn", "attn_cat_Scaled", "attn_cat_Exp"),
    Part("attention", "walkthrough", "attn", "attn_cat_Attention", "attn_cat_Attention"),
    Part("output", "walkthrough", "attn", "attn_cat_Output", "attn_cat_Output"),
    Part("weights", "walkthrough", "qkv", "qkv_W_Q", "qkv_W_V"),
    Part("learned", "walkthrough", "qkv", "qkv_cat_Attention", "qkv_cat_Output"),
    Part("dimensions", "walkthrough", "dims", "dims_cat_Q", "dims_cat_V"),
    Part("heads", "walkthrough", "heads", "heads_cat_Concat", "heads_cat_Output"),
    Part("compare", "walkthrough", "compare", "compare_cat_X", "compare_cat_attn_Attention"),
    Part("causal", "causal", "causal", "causal_chase_Masked", "causal_chase_Attention"),
    Part("vectors", "vectors", "compare", "", "compare_cat_attn_Attention"),
    Part("real-model", "minilm", "BERT, heads", "", "bert_s1_PairWeights"),
)
"""The pictures of the pages, docs/pictures/<file>.png."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A page as it was printed, in points: its size, how far right its words reach, its lines by height."""

    width: float
    height: float
    right: float
    lines: tuple[tuple[float, str], ...]


def draw(root: Path, fresh: Mapping[str, Path]) -> None:
    """Draw every picture whose workbook has changed, and write down what each was drawn from."""
    wanted, had = _wanted(fresh), _record(root)
    with tempfile.TemporaryDirectory(prefix="xlsxattn-") as folder:
        for name, path in fresh.items():
            changed = [p for p in _of(name) if had.get(p) != wanted[p] or not (root / p).is_file()]
            if changed:
                _draw(root, name, path, Path(folder, f"{name}.pdf"), changed)
    every = {f"docs/pictures/{part.file}.png" for part in PARTS}
    kept = {picture: key for picture, key in had.items() if picture in every}  # also of what is missing here
    (root / RECORD).write_text(json.dumps(kept | wanted, indent=2, sort_keys=True) + "\n", "utf-8")


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


def _of(workbook: str) -> list[str]:
    """The pictures that show a workbook."""
    parts = [f"docs/pictures/{part.file}.png" for part in PARTS if part.workbook == workbook]
    whole = [f"output/{workbook}.png", card(workbook)] if workbook in templates.names() else []
    return [*whole, *parts]


def card(template: str) -> str:
    """The picture of the top of a template's first computing sheet."""
    return f"docs/pictures/sheet-{template}.png"


def _draw(root: Path, name: str, path: Path, pdf: Path, wanted: Sequence[str]) -> None:
    seen = look(path)
    printed: dict[str, Path] = {}

    def page_of(sheet: str) -> Path:
        """A PDF whose first page is a sheet's."""
        tab = tab_of(seen, sheet)
        if tab not in printed:
            printed[tab] = pdf.with_stem(f"{pdf.stem}-{len(printed)}")
            engines.print_pdf(path, printed[tab], first=tab)
        return printed[tab]

    if f"output/{name}.png" in wanted:
        _paint(page_of(""), root / "output" / name, "-scale-to", MAX_LENGTH)
    if card(name) in wanted:
        dots = CARD / min(_printed(page_of("")).width, MAX_WIDTH)
        size = ("-r", 72 * dots, *_window(0, CARD, CARD * 2 / 3))
        _paint(page_of(""), (root / card(name)).with_suffix(""), *size)
    for part in PARTS:
        place = root / f"docs/pictures/{part.file}"
        if str(place.relative_to(root)) + ".png" in wanted:
            page = _printed(page_of(part.sheet))
            top, bottom = _band(seen, part, page)
            right = page.right + MARGIN if page.right < SMALL * page.width else page.width
            dots = RESOLUTION / 72 * page.width / right
            cut = _window(top * dots, right * dots, (bottom - top) * dots)
            _paint(page_of(part.sheet), place, "-r", 72 * dots, *cut)


def _window(top: float, width: float, height: float) -> tuple[object, ...]:
    return ("-x", 0, "-y", round(top), "-W", round(width), "-H", round(height))


def _paint(pdf: Path, place: Path, *options: object) -> None:
    poppler("pdftoppm", "-f", 1, "-l", 1, *options, "-png", "-singlefile", pdf, place)


def _printed(pdf: Path) -> Printed:
    """The first page, its lines of text put together from the words from left to right."""
    command = ["pdftotext", "-f", "1", "-l", "1", "-bbox", str(pdf), "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words
    found: dict[float, list[tuple[float, str]]] = {}
    word = r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>'
    right = 0.0
    for left, top, end, text in re.findall(word, said):
        found.setdefault(round(float(top), 1), []).append((float(left), html.unescape(text)))
        right = max(right, float(end))
    size = re.search(r'<page width="([\d.]+)" height="([\d.]+)"', said)
    assert size is not None
    lines = [(top, " ".join(text for _, text in sorted(words))) for top, words in sorted(found.items())]
    return Printed(float(size[1]), float(size[2]), right, (*lines, (float(size[2]), "")))


def _heading(page: Printed, title: str) -> float | None:
    """How high a heading stands; a sentence that begins with the same words may stand above it."""
    found = [top for top, text in page.lines if text == title]
    found += [top for top, text in page.lines if text.startswith(title)]
    return next(iter(found), None)


def _band(seen: OpenWorkbook, part: Part, page: Printed) -> tuple[float, float]:
    """Where a part begins and ends, in points from the top of its page.

    Raises:
        LookupError: the sheet does not show the part's ranges, or the page lacks their headings.
    """
    steps = [step for page in pages(seen) for step in page.steps]
    shows = [{m.name for f in step.figures for m in (f.main, *f.sides)} for step in steps]
    first = next((i for i, names in enumerate(shows) if part.first in names), None)
    last = next((i for i, names in enumerate(shows) if part.last in names), None)
    if (first is None and part.first) or last is None:
        raise LookupError(f"docs/pictures/{part.file}.png: no step shows {part.first} or {part.last}")
    top = MARGIN if first is None else _heading(page, steps[first].title)
    if top is None:
        raise LookupError(f"docs/pictures/{part.file}.png: the page lacks the heading of {part.first}")
    after = steps[last + 1].title if last + 1 < len(steps) else ""
    below = (y for y, text in page.lines if y > top and after and text.startswith(after))
    checks = (y for y, text in page.lines if y > top and text in {"Check", "Try this"})
    return top - MARGIN, min(next(below, page.height), next(checks, page.height)) - MARGIN
