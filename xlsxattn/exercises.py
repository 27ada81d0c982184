"""Exercises: workbooks with answers to compute, their solutions, and personal copies with other numbers."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from contextlib import contextmanager
from dataclasses import replace
from string import Formatter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from xlsxattn import precompute, press
from xlsxattn.builder import answer_selection
from xlsxattn.contract.first_screen import CLASS_UNDECIDED, EQUALLY_CLOSE, UNDECIDED
from xlsxattn.contract.kinds import Training, WithAttention, Writer
from xlsxattn.contract.names import START, RangeName, ends_in, parse
from xlsxattn.language import ENGLISH, say
from xlsxattn.press import Pressed, PressError
from xlsxattn.students import read_ids, read_key
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike

    from xlsxattn.builder.specification import Spec
    from xlsxattn.contract.exercise import Exercise
    from xlsxattn.contract.kinds import Sheet
    from xlsxattn.contract.values import Level

    Source: TypeAlias = Path | Mapping[str, Any] | Spec

MAX_DRAWS = 20
QUERY_JITTER, EMBEDDING_JITTER, DECIMALS = 0.2, 0.3, 2
"""Maximum change of W_Q and W_K, or of embeddings if there are no weights; its decimals."""


def exercise(
    source: Source,
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

    The arguments are those of `xlsxattn.exercise`; ``changed`` has keys that override those of the spec.

    Raises:
        SpecError: the spec is invalid, or a range cannot be left blank.
        PressError: a file cannot be written, was edited, or is too large to be proved.
    """
    spec, chosen, named = _read(source, changed, level, blank)
    spec = replace(spec, exercise=chosen)
    jobs = [(spec, target)]
    if solutions is not None:
        if os.path.realpath(solutions).casefold() == os.path.realpath(target).casefold():
            raise PressError(
                say("{target}: the exercise and its solutions must be different files", target=target)
            )
        jobs.append((replace(spec, solved=True), solutions))
    for _, path in jobs:
        press.refuse_changed(path, force=force)
    pressed = press.press_all(jobs, named, force=force, make_folder=make_folder)[0]
    return replace(pressed, solutions=solutions) if pressed.report.holds else pressed


def _read(
    source: Source, changed: Mapping[str, Any] | None, level: Level, blank: Sequence[str]
) -> tuple[Spec, Exercise, str]:
    """The spec as exercises need it, the exercise, and the spec's name in messages."""
    spec, named = press.read(source, changed)
    spec = _written_out(spec, named)
    chosen = answer_selection.exercise(spec, named, level, blank)
    return _in_one_step(spec, chosen), chosen, named


def _written_out(spec: Spec, named: str) -> Spec:
    """The spec with the words that its models generate, which then need not be generated.

    While generating, each row depends on the row before, so an answer would wait for itself.
    """
    writers = [sheet for sheet in spec.sheets if isinstance(sheet, Writer) and sheet.generate]
    if not writers:
        return spec
    values = _evaluated(spec, named)
    words = {context.id: context.words for context in spec.contexts}
    for sheet in writers:
        for context in words:
            tokens = values.get(RangeName(sheet.id, context=context)["Tokens"])
            if tokens is not None:
                words[context] = tuple(str(row[0] or "") for row in tokens)
    sheets = [replace(s, generate=False) if isinstance(s, Writer) else s for s in spec.sheets]
    contexts = [replace(context, words=words[context.id]) for context in spec.contexts]
    return replace(spec, sheets=tuple(sheets), contexts=tuple(contexts))


def _in_one_step(spec: Spec, chosen: Exercise) -> Spec:
    """The spec with one step of each training with answers, and without other trainings.

    Answers cannot be concealed among more steps, each of which is computed from the one before.
    """
    trained = {parse(name).sheet for name in chosen.answers}
    sheets = [
        replace(sheet, steps=1, about="") if isinstance(sheet, Training) else sheet
        for sheet in spec.sheets
        if sheet.id in trained or not isinstance(sheet, Training)
    ]
    return replace(spec, sheets=tuple(sheets))


def _evaluated(spec: Spec, named: str) -> Mapping[str, Any]:
    """The values of all computed ranges of a spec's workbook."""
    book, sheets = press.laid_out(spec, named)
    with workplace() as folder:
        return precompute.evaluated(book.title, sheets, folder / "draft.xlsx")


# --- personal copies ---------------------------------------------------------------------------------------


def personal_copies(
    source: Source,
    students: Path,
    key_file: Path,
    folder: Path,
    *,
    level: Level = "middle",
    blank: Sequence[str] = (),
    force: bool = False,
    changed: Mapping[str, Any] | None = None,
) -> list[Pressed]:
    """Build a copy of an exercise for each student, with numbers drawn from a key and the student's id.

    If one copy cannot be built, none is written. ``students`` is a CSV file with a column of ids, ``folder``
    where the copies are written, ``<id>.xlsx``. ``key_file`` must not be there; it is created if missing
    and the copies can be built. Other arguments are those of `exercise`.

    Returns:
        The copies; or only the first whose proof fails, as for `press.build`.

    Raises:
        StudentsError: the list or the key cannot be used.
        SpecError: as for `exercise`.
        PressError: as for `exercise`, or no drawn numbers give the same results on the first screen.
    """
    ids = read_ids(students)
    spec, chosen, named = _read(source, changed, level, blank)
    for one in ids:
        press.refuse_changed(folder / f"{one}.xlsx", force=force)
    story = _story(spec, named)
    with _key(key_file, folder) as key:
        copies = ((one, _varied(spec, named, key, one, story)) for one in ids)
        jobs = (
            (replace(copy, exercise=chosen, seal=_seal(key, one)), folder / f"{one}.xlsx")
            for one, copy in copies
        )
        return press.press_all(jobs, named, force=force, make_folder=True)


def _seal(key: bytes, student: str) -> str:
    return json.dumps({"id": student, "seal": _digest(key, "seal", student).hex()}, ensure_ascii=False)


@contextmanager
def _key(path: Path, folder: Path) -> Iterator[bytes]:
    """The key of personal copies; a new one is removed again if they cannot be built."""
    is_new = not path.exists()
    key = read_key(path, folder)
    try:
        yield key
    except BaseException:
        if is_new:
            path.unlink(missing_ok=True)
        raise


def _digest(key: bytes, *about: str) -> bytes:
    return hmac.new(key, "\0".join(about).encode(), hashlib.sha256).digest()


def _varied(spec: Spec, named: str, key: bytes, student: str, story: Mapping[str, str]) -> Spec:
    """The spec with a student's numbers, redrawn until the first screen has the original's texts."""
    for draw in range(MAX_DRAWS):
        seed = int.from_bytes(_digest(key, "numbers", student, str(draw)))
        copy = _drawn(spec, np.random.default_rng(seed))
        told = _story(copy, named)
        if all(told[name] == said for name, said in story.items() if not _is_tie(said)):
            return copy
    sentence = (
        "{spec}: after {n} draws, no numbers of {id!r} keep the texts of the first screen; try another key, "
        "or another spec"
    )
    raise PressError(say(sentence, spec=named, id=student, n=MAX_DRAWS))


def _is_tie(text: str) -> bool:
    """Whether a text says that two results are equal, which drawn numbers never are."""
    ties = (UNDECIDED, EQUALLY_CLOSE, CLASS_UNDECIDED)
    return any(all(part in text for part, *_ in Formatter().parse(tie)) for tie in ties)


def _drawn(spec: Spec, rng: np.random.Generator) -> Spec:
    """The spec with other numbers in W_Q and W_K, or in the embeddings if there are no weights."""
    sheets = tuple(_with_other_queries(sheet, rng) for sheet in spec.sheets)
    if any(new is not old for new, old in zip(sheets, spec.sheets, strict=True)):
        return replace(spec, sheets=sheets)
    E = _jittered(spec.vocabulary.E, EMBEDDING_JITTER, rng)
    return replace(spec, vocabulary=replace(spec.vocabulary, E=E))


def _with_other_queries(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    def varied(weights: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: _jittered(matrix, QUERY_JITTER, rng) if ends_in(name, ("W_Q", "W_K")) else matrix
            for name, matrix in weights.items()
        }

    if isinstance(sheet, Training):
        return replace(sheet, matrices=varied(sheet.matrices))
    if isinstance(sheet, WithAttention) and sheet.weights:
        return replace(sheet, weights=varied(sheet.weights))
    return sheet


def _jittered(matrix: ArrayLike, limit: float, rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """A matrix with a random number between −limit and limit added to each element."""
    numbers = np.asarray(matrix, float)
    varied = np.round(numbers + np.round(rng.uniform(-limit, limit, numbers.shape), DECIMALS), 10)
    return tuple(tuple(map(float, row)) for row in varied)


def _story(spec: Spec, named: str) -> Mapping[str, str]:
    """The texts of the first screen about a spec's numbers in English, by range, computed by an engine."""
    values = _evaluated(replace(spec, lang=ENGLISH.code), named)
    text_names = (START["Closing"], "Says", "Text", "Status")
    return {
        name: str(values[name][0][0])
        for name in values
        if parse(name).sheet == START.sheet and (name in text_names or parse(name).block in text_names)
    }
