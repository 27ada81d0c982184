"""Pictures of sheets as LibreOffice prints them: complete, or the steps that a page shows."""

from __future__ import annotations

import html
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dev.gallery.workbooks import digest
from xlsxattn import templates
from xlsxattn.checker import engines
from xlsxattn.contract.kinds import Compare
from xlsxattn.view.look import look
from xlsxattn.view.preview import poppler, tab_of
from xlsxattn.view.steps import pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.view.look import OpenWorkbook

RECORD = "output/pictures.json"
MAX_LENGTH = 2000
"""Pixels of the longer side of a complete sheet."""
RESOLUTION = 100
"""Pixels per inch of a part."""
MARGIN = 4.0
"""Points above the heading of a part, and to the right of the last word if the page is cropped."""
SMALL = 0.8
"""If the words of a page take less of its width than this, it is cropped after them and enlarged."""
SHARP, BANNER, GAP, BORDER = 160, 22.0, 24, 12
"""For lanes that are moved together: pixels per inch, height of the sentence above a lane in points, pixels
between lanes, pixels around the picture."""
MAX_LANES = 2
"""Lanes of a picture in the gallery; more would be too small to read."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive steps of a sheet, from the step with the range ``first`` to the one with ``last``.

    ``workbook`` is a template or one of `workbooks.build_others`. If ``first`` is "", the part begins with
    the title of the sheet. ``lanes`` are contexts: their tables are moved together, each below its sentence.
    """

    file: str
    workbook: str
    sheet: str
    first: str
    last: str
    lanes: tuple[str, ...] = ()


PARTS = (
    Part("one-step", "walkthrough", "attn", "attn_cat_Output", "attn_cat_Output", ("cat", "keyboard")),
    Part("one-step-zh", "pingguo", "attn", "attn_fruit_Output", "attn_fruit_Output", ("fruit", "tech")),
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
    Part("exercise", "exercise", "causal", "causal_chase_Scores", "causal_chase_Masked"),
    Part("vectors", "vectors", "compare", "", "compare_cat_attn_Attention"),
    Part("real-model", "minilm", "BERT, heads", "", "bert_s1_PairWeights"),
)
"""The pictures in docs/pictures/<file>.png."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed page: its size, the right end of its words, and its lines by height, all in points."""

    width: float
    height: float
    right: float
    lines: tuple[tuple[float, str], ...]
    words: tuple[Word, ...]


class Word(NamedTuple):
    """A printed word, in points."""

    left: float
    top: float
    right: float
    text: str


def draw(root: Path, fresh: Mapping[str, Path]) -> None:
    """Draw every picture whose workbook has changed, and record the digests of the workbooks."""
    current, recorded = _digests(fresh), _record(root)
    with tempfile.TemporaryDirectory(prefix="xlsxattn-") as folder:
        for name, path in fresh.items():
            changed = [p for p in _of(name) if recorded.get(p) != current[p] or not (root / p).is_file()]
            if changed:
                _draw(root, name, path, Path(folder, f"{name}.pdf"), changed)
    every = {f"docs/pictures/{part.file}.png" for part in PARTS}
    # a workbook may be missing here: keep what is recorded for its pictures
    kept = {picture: key for picture, key in recorded.items() if picture in every}
    (root / RECORD).write_text(json.dumps(kept | current, indent=2, sort_keys=True) + "\n", "utf-8")


def stale(root: Path, fresh: Mapping[str, Path]) -> Iterator[str]:
    """A message for every picture that is missing or out of date."""
    recorded = _record(root)
    for picture, current in _digests(fresh).items():
        if not (root / picture).is_file():
            yield f"{picture}: is missing"
        elif recorded.get(picture) != current:
            yield f"{picture}: its workbook has changed since it was drawn"


def _record(root: Path) -> dict[str, str]:
    place = root / RECORD
    recorded: dict[str, str] = json.loads(place.read_text("utf-8")) if place.is_file() else {}
    return recorded


def _digests(fresh: Mapping[str, Path]) -> dict[str, str]:
    return {picture: key for name, path in fresh.items() if (key := digest(path)) for picture in _of(name)}


def _of(workbook: str) -> list[str]:
    """The pictures of a workbook."""
    parts = [f"docs/pictures/{part.file}.png" for part in PARTS if part.workbook == workbook]
    whole = [f"output/{workbook}.png", card(workbook)] if workbook in templates.names() else []
    return [*whole, *parts]


def card(template: str) -> str:
    """The picture of the attention of a template."""
    return f"docs/pictures/sheet-{template}.png"


def _attention(template: str, book: OpenWorkbook) -> Part:
    """The attention of the first sheet; of a model, that of the last layer, or its cross-attention."""
    compared = {info.id for info in book.manifest.sheets if info.is_a(Compare)}
    names = [book.manifest.parse(text) for text in book.matrices]
    maps = [
        name
        for name in names
        if name.block == name.last == "Attention" and name.context and name.sheet not in compared
    ]
    of_sheet = [name for name in maps if name.sheet == maps[0].sheet]
    shown = max(of_sheet, key=lambda name: (name.cross, name.layer))
    lanes = [name.context for name in of_sheet if name == shown.at(context=name.context)][:MAX_LANES]
    tab = book[str(shown)].area.sheet
    return Part(Path(card(template)).stem, template, tab, str(shown), str(shown), tuple(lanes))


def _draw(root: Path, name: str, path: Path, pdf: Path, wanted: Sequence[str]) -> None:
    book = look(path)
    printed: dict[str, Path] = {}

    def page_of(sheet: str) -> Path:
        """A PDF whose first page is the first page of a sheet."""
        tab = tab_of(book, sheet)
        if tab not in printed:
            printed[tab] = pdf.with_stem(f"{pdf.stem}-{len(printed)}")
            engines.print_pdf(path, printed[tab], first=tab)
        return printed[tab]

    if f"output/{name}.png" in wanted:
        _paint(page_of(""), root / "output" / name, "-scale-to", MAX_LENGTH)
    cards = (_attention(name, book),) if card(name) in wanted else ()
    for part in (*PARTS, *cards):
        place = root / f"docs/pictures/{part.file}"
        if str(place.relative_to(root)) + ".png" in wanted:
            page = _printed(page_of(part.sheet))
            top, bottom = _band(book, part, page)
            if part.lanes:
                _paint_lanes(book, part, page_of(part.sheet), place)
                continue
            right = page.right + MARGIN if page.right < SMALL * page.width else page.width
            dots = RESOLUTION / 72 * page.width / right
            cut = _window(top * dots, right * dots, (bottom - top) * dots)
            _paint(page_of(part.sheet), place, "-r", 72 * dots, *cut)


def _paint_lanes(book: OpenWorkbook, part: Part, pdf: Path, place: Path) -> None:
    """Draw the heading of a step, and below it its tables side by side, each below its sentence."""
    page = _printed(pdf)
    top, bottom = _band(book, part, page)
    sentence = str(book[f"{part.lanes[0]}_Sentence"].grid[0][0])
    banner = next(y for y, text in page.lines if text.startswith(sentence))
    columns = _columns(page, top)[: len(part.lanes)]
    formula = next(word.top for word in page.words if word.top > top and word.text.startswith("{="))
    tables = [word for word in page.words if formula <= word.top < bottom]
    left = columns[0][0]
    pieces = [(left, top, page.width - left, formula - top - MARGIN)]
    for left, end in columns:
        right = max(word.right for word in tables if left <= word.left < end) + MARGIN
        pieces.append((left, banner - MARGIN, right - left, BANNER))
        pieces.append((left, formula - MARGIN, right - left, bottom - formula))
    dots = SHARP / 72
    with tempfile.TemporaryDirectory(prefix="xlsxattn-") as folder:
        files = [Path(folder, str(i)) for i in range(len(pieces))]
        for file, piece in zip(files, pieces, strict=True):
            x, y, width, height = (round(points * dots) for points in piece)
            _paint(pdf, file, "-r", SHARP, "-x", x, "-y", y, "-W", width, "-H", height)
        heading, *others = (f"{file}.png" for file in files)
        lanes: list[str] = []
        for title, table in zip(others[::2], others[1::2], strict=True):
            lanes += ["(", title, table, "-append", "-gravity", "east", "-splice", f"{GAP}x0", ")"]
        command = ["convert", heading, "(", *lanes, "+append", ")", "-gravity", "west", "-append", "-trim"]
        target = place.with_suffix(".png")
        border = ["-bordercolor", "white", "-border", f"{BORDER}x{BORDER}", "-strip"]
        subprocess.run([*command, "+repage", *border, str(target)], check=True)


def _columns(page: Printed, top: float) -> list[tuple[float, float]]:
    """Where the lanes below a heading begin and end, by their formulas, which may have two lines."""
    formulas = [word for word in page.words if word.top > top and word.text.startswith("{=")]
    starts = sorted(word.left - MARGIN for word in formulas if word.top < formulas[0].top + BANNER)
    return list(zip(starts, [*starts[1:], page.width], strict=True))


def _window(top: float, width: float, height: float) -> tuple[object, ...]:
    return ("-x", 0, "-y", round(top), "-W", round(width), "-H", round(height))


def _paint(pdf: Path, place: Path, *options: object) -> None:
    poppler("pdftoppm", "-f", 1, "-l", 1, *options, "-png", "-singlefile", pdf, place)


def _printed(pdf: Path) -> Printed:
    """Read the first page, and join words of the same height to lines."""
    command = ["pdftotext", "-f", "1", "-l", "1", "-bbox", str(pdf), "-"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    by_height: dict[float, list[Word]] = {}
    word = r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>'
    for left, top, right, text in re.findall(word, output):
        height = round(float(top), 1)
        by_height.setdefault(height, []).append(Word(float(left), height, float(right), html.unescape(text)))
    size = re.search(r'<page width="([\d.]+)" height="([\d.]+)"', output)
    assert size is not None
    lines = [(top, " ".join(word.text for word in sorted(line))) for top, line in sorted(by_height.items())]
    words = tuple(word for _, line in sorted(by_height.items()) for word in sorted(line))
    right = max(word.right for word in words)
    return Printed(float(size[1]), float(size[2]), right, (*lines, (float(size[2]), "")), words)


def _heading(page: Printed, title: str) -> float | None:
    """The position of a heading; a sentence above it may begin with the same words."""
    exact = [top for top, text in page.lines if text == title]
    similar = [top for top, text in page.lines if text.startswith(title)]
    return next(iter([*exact, *similar]), None)


def _band(book: OpenWorkbook, part: Part, page: Printed) -> tuple[float, float]:
    """The start and the end of a part, in points from the top of its page.

    Raises:
        LookupError: the sheet does not show the ranges of the part, or the page lacks their headings.
    """
    steps = [step for page in pages(book) for step in page.steps]
    shows = [{m.name for f in step.figures for m in f.matrices} for step in steps]
    first = next((i for i, names in enumerate(shows) if part.first in names), None)
    last = next((i for i, names in enumerate(shows) if part.last in names), None)
    if (first is None and part.first) or last is None:
        raise LookupError(f"docs/pictures/{part.file}.png: no step shows {part.first!r} or {part.last!r}")
    top = MARGIN if first is None else _heading(page, steps[first].title)
    if top is None:
        raise LookupError(f"docs/pictures/{part.file}.png: the page lacks the heading of {part.first}")
    after = steps[last + 1].title if last + 1 < len(steps) else ""
    below = (y for y, text in page.lines if y > top and after and text.startswith(after))
    titles = {book.language.tell(title) for title in ("Check", "Try this")}
    checks = (y for y, text in page.lines if y > top and text in titles)
    return top - MARGIN, min(next(below, page.height), next(checks, page.height)) - MARGIN
