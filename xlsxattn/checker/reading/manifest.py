"""The manifest of a workbook, on its last sheet."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xlsxattn.checker.reading.file_type import LISTED, is_foreign
from xlsxattn.checker.reading.limits import STANDARD, NotCheckableError, ValuesOnlyError
from xlsxattn.checker.reference import SheetInfo
from xlsxattn.contract.exercise import parsed
from xlsxattn.contract.kinds import CrossAttention, EncoderDecoder, Model, Training, Writer
from xlsxattn.contract.names import (
    EXERCISE,
    FIRST_SCREEN,
    LANGUAGE,
    MANIFEST,
    ORIGIN,
    PROGRAM,
    START,
    WORDS,
    RangeName,
    of_context,
    parser,
)
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.contract.exercise import Exercise

VERSION = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest: sheets, contexts, inputs and expected formulas.

    Attributes:
        sheets: id, kind and settings of every sheet.
        contexts: the sentences' ids.
        inputs: names of the ranges that users may edit.
        formulas: computed range → how its formula is entered, and the formula.
        program: the version of xlsxattn that built the workbook; "" if not stated.
        language: the language code of the workbook; "" if not stated.
        front: the contents of the first screen; empty if not stated.
        exercise: the settings of an exercise; None in other workbooks.
    """

    sheets: tuple[SheetInfo, ...]
    contexts: tuple[str, ...]
    inputs: tuple[str, ...]
    formulas: Mapping[str, tuple[str, str]]
    program: str = ""
    language: str = ""
    front: Mapping[str, Any] = field(default_factory=dict)
    exercise: Exercise | None = None

    def parse(self, name: str) -> RangeName:
        """Parse the name of a range with the ids of the sheets and contexts."""
        return parser((sheet.id for sheet in self.sheets), self.contexts)(name)

    @property
    def trainings(self) -> set[str]:
        """The ids of the sheets that are trainings."""
        return {sheet.id for sheet in self.sheets if sheet.is_a(Training)}


def read_manifest(
    path: Path,
    names: Mapping[str, Area],
    typed: Mapping[tuple[str, int, int], Value],
    formulas: Collection[tuple[str, int, int]] = (),
) -> Manifest:
    """Read the tables on the last sheet; ``formulas`` are the cells with formulas.

    Raises:
        NotCheckableError: they are missing, damaged, too long, or of another version.
    """
    tables: dict[str, Grid] = {}
    for part in (*MANIFEST, *ORIGIN):
        area = names.get(START[part])
        if area is None:
            if part in MANIFEST:
                raise _missing_table(path, names, START[part], [*typed.items()], formulas)
            continue
        tables[part] = [
            [typed.get((area.sheet, area.row + i, area.col + j)) for j in range(area.cols)]
            for i in range(area.rows)
        ]
    version = tables["Version"][0][0]
    if version != VERSION:
        sentence = "{path}: xlsxattn_Version is {version}, this program reads version {ours}"
        raise NotCheckableError(
            say(sentence, path=path, version=version, ours=VERSION), name="xlsxattn_Version"
        )
    try:
        sheets = tuple(
            SheetInfo(str(i), str(kind), dict(json.loads(str(s)))) for i, kind, s in tables["Sheets"]
        )
        expected = {str(name): (str(entered), str(text)) for name, entered, text in tables["Formulas"]}
        front = dict(json.loads(str(tables[FIRST_SCREEN][0][0]))) if FIRST_SCREEN in tables else {}
        exercise = parsed(json.loads(str(tables[EXERCISE][0][0]))) if EXERCISE in tables else None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotCheckableError(say("{path}: the manifest on the last sheet is damaged", path=path)) from None
    if max(len(sheets), len(tables["Contexts"])) > STANDARD.sheets:
        sentence = "{path}: the manifest names more than {most:,} sheets or contexts"
        raise NotCheckableError(say(sentence, path=path, most=STANDARD.sheets))
    contexts = tuple(str(row[0]) for row in tables["Contexts"])
    inputs = tuple(str(row[0]) for row in tables["Inputs"])
    program, language = (
        str(tables[part][0][0] or "") if part in tables else "" for part in (PROGRAM, LANGUAGE)
    )
    return Manifest(sheets, contexts, inputs, expected, program, language, front, exercise)


def _missing_table(
    path: Path,
    names: Mapping[str, Area],
    name: str,
    typed: Sequence[tuple[tuple[str, int, int], Value]],
    formulas: Collection[tuple[str, int, int]],
) -> NotCheckableError:
    """The error for a workbook without a table of the manifest: made by another program, or damaged."""
    if any(START[part] in names for part in MANIFEST):
        sentence = (
            "{path}: the name {name} on the last sheet (Contract) is missing: use an earlier copy, "
            "or build it again"
        )
        return NotCheckableError(say(sentence, path=path, name=name), name=name)
    if contract := _contract(typed):
        # programs that copy texts turn those that start with = into formulas: captions and the manifest
        texts = [value for (tab, _, _), value in typed if tab in contract and isinstance(value, str)]
        listed = sum(text.startswith("=") for text in texts) + sum(tab in contract for tab, _, _ in formulas)
        if 2 * sum(tab not in contract for tab, _, _ in formulas) < listed:
            sentence = "{path}: its formulas were replaced by values: use an earlier copy, or build it again"
            return ValuesOnlyError(say(sentence, path=path))
        sentence = (
            "{path}: the defined names that locate its ranges are missing: use an earlier copy, or build "
            "it again"
        )
        return NotCheckableError(say(sentence, path=path))
    if is_foreign(path):
        sentence = "{path}: made by another program; xlsxattn checks only workbooks that it has built"
        return NotCheckableError(say(sentence, path=path))
    sentence = (
        "{path}: its last sheet (Contract), which lists the expected formulas, was deleted: use an "
        "earlier copy, or build it again"
    )
    return NotCheckableError(say(sentence, path=path))


def _contract(typed: Sequence[tuple[tuple[str, int, int], Value]]) -> set[str]:
    """The sheets with the texts of a manifest."""
    listed: dict[str, set[Value]] = {}
    for (tab, _, _), value in typed:
        if value in LISTED:
            listed.setdefault(tab, set()).add(value)
    return {tab for tab, names in listed.items() if len(names) == len(LISTED)}


def affordable(path: Path, manifest: Manifest, inputs: Mapping[str, Any]) -> None:
    """Refuse settings that would need too many scores, before the reference computes them.

    A model that generates text is computed once more for each blank cell.

    Raises:
        NotCheckableError: there would be too many.
    """
    words = {context: inputs[of_context(context)["Tokens"]] for context in manifest.contexts}
    lengths = {context: len(tokens) for context, tokens in words.items()}
    blanks = {context: int((tokens[1:] == "").sum()) for context, tokens in words.items()}
    cells = 0
    for sheet in manifest.sheets:
        heads = int(sheet.heads or 1)
        if sheet.is_a(Model):
            own = [name for name in inputs if manifest.parse(name).sheet == sheet.id]
            width = inputs[WORDS["E"]].shape[1] + max((inputs[name].shape[1] for name in own), default=0)
            cells += _of_model(sheet, lengths, blanks, len(inputs[WORDS["E"]]), width)
        elif sheet.is_a(CrossAttention):
            cells += lengths[sheet.queries] * lengths[sheet.keys] * heads
        elif sheet.is_a(Training):
            trained = next(other for other in manifest.sheets if other.id == sheet.trains)
            cells += _of_training(sheet, int(trained.heads or 1), inputs)
        else:
            learned = [RangeName(sheet.id)[block] for block in ("W_Q", "W_K", "W_V")]
            widths = sum(inputs[name].shape[1] for name in learned if name in inputs)
            cells += sum(n * (n * heads + widths) for n in lengths.values())
    if cells > STANDARD.area:
        sentence = "{path}: its sheets would need {cells:,} scores, the limit is {most:,}"
        raise NotCheckableError(say(sentence, path=path, cells=cells, most=STANDARD.area))


def _of_training(sheet: SheetInfo, heads: int, inputs: Mapping[str, Any]) -> int:
    """The scores of all steps, and the rows that they are made from."""
    s = RangeName(sheet.id)
    asked, words = len(inputs[s["Asked"]]), len(inputs[s["Tokens"]])
    widths = sum(int(inputs[s[m]].shape[1]) for m in ("W_Q", "W_K", "W_V"))
    return int(sheet.steps) * (asked * words * heads + (asked + words) * widths)


def _of_model(
    sheet: SheetInfo, lengths: Mapping[str, int], blanks: Mapping[str, int], n_vocab: int, width: int
) -> int:
    """The number of scores and other cells of a model; `width` is that of a layer's rows."""
    both = sheet.is_a(EncoderDecoder)
    own = [sheet.source, sheet.target] if both else list(sheet.contexts)
    keys = max(lengths[c] for c in own)
    cells = 0
    for c in own:
        times = 1 + (blanks[c] if sheet.writes_into and (c != own[0] or not both) else 0)
        n, layers, heads = lengths[c], int(sheet.layers), int(sheet.heads)
        cells += times * n * (layers * (heads * keys * (2 if both else 1) + width))
        cells += times * n * (n_vocab if sheet.is_a(Writer) else 0)
    return cells
