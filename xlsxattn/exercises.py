"""Exercises: workbooks with answers to compute, their solutions, and personal copies with other numbers."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import secrets
from dataclasses import replace
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn import precompute, press
from xlsxattn.builder import asking, layout, pages
from xlsxattn.builder.asking import Level
from xlsxattn.contract.first_screen import CLASS_TORN, NEAR_TORN, TORN
from xlsxattn.contract.kinds import Writer
from xlsxattn.contract.names import START, RangeName, ends_in, parse
from xlsxattn.language import MessageError, language, say
from xlsxattn.press import Pressed, PressError
from xlsxattn.system_errors import reason
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from xlsxattn.builder.specification import Spec
    from xlsxattn.contract.kinds import Sheet

__all__ = ["Level", "exercise", "personal_copies"]

KEY_BYTES, KEY_BEGINS = 32, "xlsxattn key "
MAX_STUDENTS, MAX_STUDENT_ID_LENGTH, MAX_DRAWS = 2000, 64, 20
ID_HEADINGS = ("id", "student id", "sis user id", "identifier", "student number", "matrikelnummer", "学号")
"""Headings of the column of ids in a list of students, lower-case; a single column needs none."""
ENCODINGS = ("utf-8-sig", "cp1252")
QUERY_JITTER, EMBEDDING_JITTER, DECIMALS = 0.2, 0.3, 2
"""Largest change of an element of W_Q and W_K, or of the embeddings if there are no weights; its decimals."""
UNSAFE_IN_FILE_NAMES = '/\\:*?"<>|'


class StudentsError(MessageError):
    """A list of students or a key that cannot be used; the message is shown to the user."""


def exercise(
    source: Path | Mapping[str, Any] | Spec,
    target: Path,
    *,
    level: Level = "middle",
    blank: Sequence[str] = (),
    solutions: Path | None = None,
    force: bool = False,
    make_folder: bool = False,
    changed: Mapping[str, Any] | None = None,
) -> Pressed:
    """Build a workbook with answers to compute, and prove it.

    Args:
        source: the spec, as for `press.build`.
        target: the workbook to write.
        level: the preset, if neither ``blank`` nor the spec names ranges.
        blank: the ranges to compute, instead of those of the spec.
        solutions: the workbook with the answers to write too; None for none.
        force: replace files even if they were edited after they were built.
        make_folder: create the target's folder if it is missing.
        changed: keys that override those of the spec.

    Raises:
        SpecError: the spec is invalid, or a range cannot be asked for.
        PressError: a file cannot be written, was edited, or is too large to be proved.
    """
    spec, named = press.read(source, changed)
    spec = _written_out(spec)
    spec = replace(spec, exercise=asking.exercise(spec, named, level, blank))
    if solutions is not None and solutions.resolve() == target.resolve():
        raise PressError(
            say("{target}: the exercise and its solutions must be different files", target=target)
        )
    for path in filter(None, (target, solutions)):
        press.refuse_changed(path, force=force)
    pressed = press.press(spec, named, target, force=force, make_folder=make_folder)
    if solutions is not None and pressed.report.holds:
        spec = replace(spec, solved=True)
        solved = press.press(spec, named, solutions, force=force, make_folder=make_folder)
        return pressed if solved.report.holds else solved
    return pressed


def _written_out(spec: Spec) -> Spec:
    """The spec with the words that its models generate typed into the sentences, and generation turned off.

    While generating, each row depends on the row before, so an answer would wait for itself.
    """
    writers = [sheet for sheet in spec.sheets if isinstance(sheet, Writer) and sheet.generate]
    if not writers:
        return spec
    values = _evaluated(spec)
    words = {context.id: context.words for context in spec.contexts}
    for sheet in writers:
        for context in words:
            tokens = values.get(RangeName(sheet.id, context=context)["Tokens"])
            if tokens is not None:
                words[context] = tuple(str(row[0] or "") for row in tokens)
    sheets = [replace(s, generate=False) if isinstance(s, Writer) else s for s in spec.sheets]
    contexts = [replace(context, words=words[context.id]) for context in spec.contexts]
    return replace(spec, sheets=tuple(sheets), contexts=tuple(contexts))


def _evaluated(spec: Spec) -> Mapping[str, Any]:
    """The values of all computed ranges of a spec's workbook."""
    book = pages.book(spec)
    sheets = layout.lay_out(book)
    with workplace() as folder:
        return precompute.evaluated(book.title, sheets, folder / "draft.xlsx")


# --- personal copies ---------------------------------------------------------------------------------------


def personal_copies(
    source: Path | Mapping[str, Any] | Spec,
    students: Path,
    key_file: Path,
    folder: Path,
    *,
    level: Level = "middle",
    blank: Sequence[str] = (),
    force: bool = False,
    changed: Mapping[str, Any] | None = None,
) -> Iterator[Pressed]:
    """Build a copy of an exercise for each student, with numbers that depend on a key and the student's id.

    Args:
        source: the spec, as for `press.build`.
        students: a CSV file with a column of ids.
        key_file: the key; created if it is missing. It must not be in ``folder``.
        folder: where the copies are written, ``<id>.xlsx``.
        level: as for `exercise`.
        blank: as for `exercise`.
        force: as for `exercise`.
        changed: as for `exercise`.

    Raises:
        StudentsError: the list or the key cannot be used.
        SpecError: as for `exercise`.
        PressError: as for `exercise`, or no drawn numbers give the same results on the first screen.
    """
    ids = read_ids(students)
    spec, named = press.read(source, changed)
    spec = _written_out(spec)
    asks = asking.exercise(spec, named, level, blank)
    for student in ids:
        press.refuse_changed(folder / f"{student}.xlsx", force=force)
    key = read_key(key_file, folder)
    story = _story(spec)
    for student in ids:
        copy = _varied(spec, named, key, student, story)
        seal = json.dumps({"id": student, "seal": _digest(key, "seal", student).hex()}, ensure_ascii=False)
        copy = replace(copy, exercise=asks, seal=seal)
        yield press.press(copy, named, folder / f"{student}.xlsx", force=force, make_folder=True)


def read_ids(path: Path) -> list[str]:
    """The ids in a list of students: CSV with commas, semicolons or tabs.

    Raises:
        StudentsError: the file cannot be read, or its ids cannot be used.
    """
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise StudentsError(say("{path}: cannot be read: {why}", path=path, why=reason(error))) from None
    if text is None:
        raise StudentsError(say("{path}: is not a CSV file: save it as CSV, UTF-8", path=path))
    first_line = text.partition("\n")[0]
    separator = max(",;\t", key=first_line.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(map(str.strip, row))]
    headings = [heading.strip().lower() for heading in rows[0]] if rows else []
    column = next((headings.index(name) for name in ID_HEADINGS if name in headings), None)
    if column is None and len(headings) > 1:
        sentence = "{path}: has no column named id; its columns are {found}"
        raise StudentsError(say(sentence, path=path, found=", ".join(rows[0])))
    students = rows[1:] if column is not None else rows
    ids = [row[column or 0].strip() if len(row) > (column or 0) else "" for row in students]
    _refuse_ids(path, ids)
    return ids


def _decoded(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        return None
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _refuse_ids(path: Path, ids: Sequence[str]) -> None:
    """Refuse ids that are missing, duplicate, or unusable as file names."""
    if not 0 < len(ids) <= MAX_STUDENTS:
        sentence = "{path}: lists {n} students; 1 to {most} are allowed"
        raise StudentsError(say(sentence, path=path, n=len(ids), most=MAX_STUDENTS))
    seen = set[str]()
    for i, student in enumerate(ids, 1):
        too_long = len(student) > MAX_STUDENT_ID_LENGTH
        if not student or student.startswith(".") or too_long or not student.isprintable():
            sentence = (
                "{path}: student {i}: {id!r} is not a valid id: use 1 to {most} characters, not starting "
                "with a dot"
            )
            raise StudentsError(say(sentence, path=path, i=i, id=student, most=MAX_STUDENT_ID_LENGTH))
        if set(student) & set(UNSAFE_IN_FILE_NAMES):
            sentence = "{path}: student {i}: the id {id!r} cannot be used as a file name"
            raise StudentsError(say(sentence, path=path, i=i, id=student))
        if student.casefold() in seen:
            raise StudentsError(say("{path}: the id {id!r} appears twice", path=path, id=student))
        seen.add(student.casefold())


def read_key(path: Path, folder: Path) -> bytes:
    """The key of personal copies; it is created if there is none.

    Raises:
        StudentsError: the file is not a key, cannot be read or written, or is in the folder of the copies.
    """
    if folder.resolve() in path.resolve().parents:
        sentence = "{path}: the key must not be in {folder}, which is handed out"
        raise StudentsError(say(sentence, path=path, folder=folder))
    try:
        if not path.exists():
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(f"{KEY_BEGINS}{secrets.token_hex(KEY_BYTES)}\n", encoding="ascii")
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text.removeprefix(KEY_BEGINS)) if text.startswith(KEY_BEGINS) else b""
    except OSError as error:
        sentence = "{path}: the key cannot be read or written: {why}"
        raise StudentsError(say(sentence, path=path, why=reason(error))) from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise StudentsError(
            say(
                "{path}: is not a key file of xlsxattn; to create one, give the name of a new file", path=path
            )
        )
    return key


def _digest(key: bytes, *about: str) -> bytes:
    return hmac.new(key, "\0".join(about).encode(), hashlib.sha256).digest()


def _varied(spec: Spec, named: str, key: bytes, student: str, story: Mapping[str, str]) -> Spec:
    """The spec with a student's numbers, redrawn until the first screen has the original's texts."""
    for draw in range(MAX_DRAWS):
        seed = int.from_bytes(_digest(key, "numbers", student, str(draw)))
        copy = _drawn(spec, np.random.default_rng(seed))
        texts = _story(copy)
        if all(texts[name] == text for name, text in story.items() if not _is_tie(text, spec.lang)):
            return copy
    sentence = "{spec}: {n} draws for {id!r} gave no numbers with the results that the first screen states"
    raise PressError(say(sentence, spec=named, id=student, n=MAX_DRAWS))


def _is_tie(text: str, lang: str) -> bool:
    """Whether a text says that two results are equal, which drawn numbers never are."""
    ties = (language(lang).tell(tie) for tie in (TORN, NEAR_TORN, CLASS_TORN))
    return any(all(part in text for part, *_ in Formatter().parse(tie)) for tie in ties)


def _drawn(spec: Spec, rng: np.random.Generator) -> Spec:
    """The spec with other numbers in W_Q and W_K, or in the embeddings if there are no weights."""
    sheets = tuple(_with_other_queries(sheet, rng) for sheet in spec.sheets)
    if any(new is not old for new, old in zip(sheets, spec.sheets, strict=True)):
        return replace(spec, sheets=sheets)
    E = _jittered(spec.vocabulary.E, EMBEDDING_JITTER, rng)
    return replace(spec, vocabulary=replace(spec.vocabulary, E=E))


def _with_other_queries(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    weights = getattr(sheet, "weights", None)
    if not weights:
        return sheet
    varied = {
        name: _jittered(matrix, QUERY_JITTER, rng) if ends_in(name, ("W_Q", "W_K")) else matrix
        for name, matrix in weights.items()
    }
    return replace(sheet, weights=varied)  # type: ignore[call-arg]  # it has weights


def _jittered(matrix: Any, limit: float, rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:  # noqa: ANN401
    """A matrix with a random number between −limit and limit added to each element."""
    numbers = np.asarray(matrix, float)
    varied = np.round(numbers + np.round(rng.uniform(-limit, limit, numbers.shape), DECIMALS), 10)
    return tuple(tuple(map(float, row)) for row in varied)


def _story(spec: Spec) -> Mapping[str, str]:
    """The texts of the first screen that depend on a spec's numbers, by range, as computed by an engine."""
    values = _evaluated(spec)
    text_names = (START["Closing"], "Says", "Text", "Status")
    return {
        name: str(values[name][0][0])
        for name in values
        if parse(name).sheet == START.sheet and (name in text_names or parse(name).block in text_names)
    }
