"""Build a workbook: write it, evaluate it, write it again with the values, prove it, move it to the target.

A workbook replaces its target only if an engine has recalculated it and NumPy agrees.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlsxattn import precompute, templates
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as specs
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.pages.experiments import has_typed_rows
from xlsxattn.builder.specification import Spec, SpecError
from xlsxattn.builder.writer import bulk, packing
from xlsxattn.checker import engines
from xlsxattn.checker.finding_kinds import Effect, Kind
from xlsxattn.checker.reading.limits import NotCheckableError
from xlsxattn.checker.report import summary
from xlsxattn.language import MessageError, say
from xlsxattn.output_files import FULL, place_of, put, refuse_other
from xlsxattn.proof import check
from xlsxattn.system_errors import reason
from xlsxattn.tempdirs import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxattn.builder.graph import WorkbookPages
    from xlsxattn.builder.layout.placed import PlacedSheet
    from xlsxattn.checker.report import Report

LOG = logging.getLogger(__name__)
IN_MEMORY = say("the spec")
"""The name of a spec without a file in messages."""
PROPERTIES, MAKER = "docProps/custom.xml", "docProps/app.xml"
LARGE_PART = 8 << 20
"""Larger parts (in bytes) are copied in compressed form and identified by their checksum."""
DIGEST = re.compile(rb"<vt:lpwstr>([0-9a-f]{64})</vt:lpwstr>")


class PressError(MessageError):
    """A workbook that cannot be written; the message is shown to the user."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """The result of a build: the file that was written, the report of its proof, and the tabs in order.

    ``lang`` is the language of the workbook, ``quoted`` the words that the spec's texts quote but the
    vocabulary lacks, ``alone`` the focus word if it is compared between sentences but only one has it.
    ``exercise``: whether cells are left to the reader. ``solutions``: the workbook with the answers, if any.
    ``keeps_words``: whether the sentences must be kept, because rows of left-out layers were typed for them.
    """

    path: Path
    report: Report
    tabs: tuple[str, ...]
    lang: str = "en"
    quoted: tuple[str, ...] = ()
    alone: str = ""
    exercise: bool = False
    solutions: Path | None = None
    keeps_words: bool = False

    def __repr__(self) -> str:
        return f"<Pressed {summary(self.report)}>"

    def _repr_html_(self) -> str:
        """The report, for a notebook: it names the file."""
        return self.report._repr_html_()


def build(
    source: Path | Mapping[str, Any] | Spec,
    target: Path,
    *,
    force: bool = False,
    make_folder: bool = False,
    changed: Mapping[str, Any] | None = None,
) -> Pressed:
    """Build a workbook from a spec, prove it, and move it to the target.

    The arguments are those of `xlsxattn.build`, with ``make_folder`` to create the target's folder, and with
    ``changed`` for keys that override those of the spec.

    Raises:
        SpecError: the spec is invalid.
        PressError: the target cannot be written, was edited after it was built, or is too large to be proved.

    Returns:
        The report and the path of the workbook: the target if the proof holds, otherwise
        ``<name>.failed.xlsx`` next to it, with the target unchanged.
    """
    spec, named = read(source, changed)
    return press_all([(spec, target)], named, force=force, make_folder=make_folder)[0]


def read(source: Path | Mapping[str, Any] | Spec, changed: Mapping[str, Any] | None) -> tuple[Spec, str]:
    """A spec, and its name in messages; ``changed`` overrides its keys.

    Raises:
        SpecError: the spec is invalid.
    """
    named = templates.shown(source) if isinstance(source, Path) else IN_MEMORY
    changed = changed or {}
    if isinstance(source, Path):
        return specs.load(source, changed), named
    if isinstance(source, Spec):
        return replace(source, **changed), named
    return specs.parse({**source, **changed}, named), named


def press_all(
    jobs: Iterable[tuple[Spec, Path]], named: str, *, force: bool = False, make_folder: bool = False
) -> list[Pressed]:
    """Build several workbooks, all or none: each from a spec, for a target; errors as for `build`.

    Returns:
        All workbooks; or only the first whose proof fails, as ``<name>.failed.xlsx`` next to its target.
    """
    with ExitStack() as stack:
        # folders next to the targets, so that the last step is a rename
        folders = dict[Path, Path]()
        drafts = list[tuple[Path, Pressed]]()
        for spec, target in jobs:
            book, sheets = laid_out(spec, named)
            with _as_press_error(target):
                refuse_changed(target, force=force)
                refuse_other(target)
                if _prepare_folder(target, make=make_folder):
                    stack.callback(_remove_if_empty, target.parent)
                parent = place_of(target).parent
                if parent not in folders:
                    folders[parent] = stack.enter_context(temporary_folder(parent))
                draft = folders[parent] / f"{len(drafts)}.xlsx"
                report = _drafted(book, sheets, target, draft)
            _refuse_overflow(named, report)
            pressed = _pressed(spec, book, sheets, target, report)
            drafts.append((draft, pressed))
            if not pressed.report.holds:
                drafts = drafts[-1:]
                break
        for _, pressed in drafts:
            if pressed.report.holds:
                refuse_changed(pressed.path, force=force)  # by now, it may have been edited
        for draft, pressed in drafts:
            with _as_press_error(pressed.path):
                put(draft, pressed.path)
    return [pressed for _, pressed in drafts]


@contextmanager
def _as_press_error(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = say("the disk is full") if error.errno in FULL else reason(error)
        raise PressError(say("{target}: cannot be written: {why}", target=target, why=why)) from None


def laid_out(spec: Spec, named: str) -> tuple[WorkbookPages, Sequence[PlacedSheet]]:
    """The pages of a spec's workbook, and its sheets with everything in its place.

    Raises:
        SpecError: the spec has too much for a spreadsheet.
    """
    LOG.debug("", extra={"step": say("laying out pages")})
    try:
        book = pages.book(spec)
        formulas.check_lengths(book.blocks())
        return book, layout.lay_out(book)
    except ValueError as error:
        raise SpecError(say("{spec}: {error}", spec=named, error=say(str(error)))) from None


def _drafted(book: WorkbookPages, sheets: Sequence[PlacedSheet], target: Path, draft: Path) -> Report:
    """Build and prove a workbook at ``draft``, which is yet to be moved to its target."""
    # another folder for XlsxWriter's output, which warns if it cannot close a file on a full disk
    with _in_temporary_files(), temporary_folder() as scratch:
        writing = "{target}: writing formulas, then the values that {engine} computes"
        LOG.info(say(writing, target=target, engine=engines.DEFAULT_ENGINE))
        valued = _write(book, sheets, scratch)
        with _as_press_error(target):
            _seal(valued, draft)
        LOG.info(say("{target}: proving the workbook", target=target))
        return _proved(draft, target)


@contextmanager
def _in_temporary_files() -> Iterator[None]:
    """Name the folder of temporary files if its disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        sentence = "{folder}: the disk is full; TMPDIR=FOLDER chooses another folder for temporary files"
        raise PressError(say(sentence, folder=tempfile.gettempdir())) from None


def _pressed(
    spec: Spec, book: WorkbookPages, sheets: Sequence[PlacedSheet], target: Path, report: Report
) -> Pressed:
    place = target if report.holds else target.with_name(f"{target.stem}.failed.xlsx")
    tabs = tuple(sheet.tab for sheet in sheets)
    quoted = specs.unknown_quoted_words(spec, (*tabs, *(page.title for page in book.pages)))
    alone = specs.uncompared_focus(spec)
    return Pressed(
        place,
        replace(report, path=str(place)),
        tabs,
        spec.lang,
        quoted,
        alone,
        exercise=bool(spec.exercise),
        keeps_words=has_typed_rows(spec),
    )


def _write(book: WorkbookPages, sheets: Sequence[PlacedSheet], scratch: Path) -> Path:
    """Write a workbook with its formulas and their values from an engine."""
    values = precompute.evaluated(book.title, sheets, scratch / "draft.xlsx")
    tick = _Written(bulk.cells(sheets))
    writer.write(scratch / "valued.xlsx", book.title, sheets, values, book.language, tick=tick)
    LOG.debug("", extra={"step": say("packing")})
    return scratch / "valued.xlsx"


def _proved(final: Path, target: Path) -> Report:
    """Prove a finished workbook before it is moved to the target.

    Raises:
        PressError: the workbook exceeds a limit of the check.
    """
    try:
        return check(final, few=True)
    except NotCheckableError as error:
        (said,) = error.args
        values = {name: target if value == final else value for name, value in said.values.items()}
        sentence = "{said}; the workbook was not written because it cannot be proved; use a smaller spec"
        raise PressError(say(sentence, said=say(said.sentence, **values))) from None


def _refuse_overflow(named: str, report: Report) -> None:
    """Refuse a spec whose values overflow in a spreadsheet.

    Raises:
        SpecError: only values are wrong, and some because of an overflow.
    """
    overflow = next((finding for finding in report.causes if finding.kind is Kind.OVERFLOW), None)
    if overflow and all(finding.kind.effect is Effect.SYMPTOM for finding in report.causes):
        sentence = "{spec}: {overflow}; make the embeddings or weights smaller"
        raise SpecError(say(sentence, spec=named, overflow=overflow.message))


class _Written:
    """Reports progress while large blocks of numbers are written."""

    def __init__(self, of: int) -> None:
        self.done, self.of = 0, of
        self(0)

    def __call__(self, cells: int) -> None:
        self.done += cells
        LOG.debug("", extra={"step": say("writing"), "done": self.done, "of": self.of or None})


def _prepare_folder(target: Path, *, make: bool) -> bool:
    """Refuse a target that cannot be a file, and create its folder if it is missing: whether it did so."""
    folder = target.parent
    if target.is_dir():
        raise PressError(say("{target}: this is a folder; give the name of a file", target=target))
    if folder.exists() and not folder.is_dir():
        raise PressError(say("{target}: {folder} is a file, not a folder", target=target, folder=folder))
    created = make and not folder.exists()
    if created:
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        raise PressError(
            say(
                "{target}: the folder {folder} does not exist; create it, or choose another with -o",
                target=target,
                folder=folder,
            )
        )
    return created


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


# --- detection of edits by the user ------------------------------------------------------------------------


def refuse_changed(target: Path, *, force: bool) -> None:
    """Refuse to replace a workbook that was edited after it was built, unless forced.

    Raises:
        PressError: the target is not an unchanged output of this program.
    """
    if target.exists() and not target.is_dir() and not target.is_file():
        raise PressError(say("{target}: this is not a file", target=target))  # reading a pipe would block
    if target.is_file() and not force and not _as_built(target):
        raise PressError(
            say(
                "{target}: the file was changed after it was built, so it was not replaced; use "
                "--force to replace it",
                target=target,
            )
        )


def _seal(path: Path, target: Path) -> None:
    """Copy a workbook, with its application name and a digest in its properties.

    The copy is flushed to disk before it replaces the target.
    """
    with zipfile.ZipFile(path) as made, target.open("w+b") as file:
        named = re.sub(rb"<Application>[^<]*<", b"<Application>xlsxattn<", made.read(MAKER))
        changed = {MAKER: named}
        digest = _digest(made, changed).encode()
        changed[PROPERTIES] = DIGEST.sub(b"<vt:lpwstr>" + digest + b"</vt:lpwstr>", made.read(PROPERTIES))
        with packing.PackingArchive(file, "w") as archive:
            for info in made.infolist():
                if info.file_size > LARGE_PART:
                    archive.copy(made, info)
                else:
                    archive.add(info.filename, changed.get(info.filename) or made.read(info))
        file.flush()
        os.fsync(file.fileno())


def _as_built(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            match = DIGEST.search(archive.read(PROPERTIES))
            return match is not None and match[1].decode() == _digest(archive, {})
    except Exception:  # noqa: BLE001 - foreign files fail in many ways
        return False


def _digest(archive: zipfile.ZipFile, changed: Mapping[str, bytes]) -> str:
    """A digest of all parts except the one that contains it; for large parts, of their checksum."""
    digest = hashlib.sha256()
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name = info.filename
        if name != PROPERTIES:
            large = info.file_size > LARGE_PART
            content = changed.get(name) or (b"%08x" % info.CRC if large else archive.read(info))
            size = info.file_size if large else len(content)
            digest.update(f"{name}\0{size}\0".encode())
            digest.update(content)
    return digest.hexdigest()
