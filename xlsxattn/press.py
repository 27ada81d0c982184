"""The round: write, evaluate, write again with the engine's values, check, put in place.

Nothing takes its place in the output folder until an engine has recalculated it and NumPy agrees.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlsxattn import precompute
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as specs
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.specification import Spec, SpecError
from xlsxattn.builder.writer import bulk, packing
from xlsxattn.checker import engines
from xlsxattn.checker.findings import Effect, Kind
from xlsxattn.checker.reading.limits import NotCheckableError
from xlsxattn.language import say
from xlsxattn.proof import check
from xlsxattn.system_errors import reason
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import WorkbookPages
    from xlsxattn.builder.layout.placed import PlacedSheet
    from xlsxattn.checker.report import Report

LOG = logging.getLogger(__name__)
IN_MEMORY = say("the spec")
"""What errors call a spec that has no file."""
PROPERTIES, MAKER = "docProps/custom.xml", "docProps/app.xml"
LARGE_PART = 8 << 20
"""Bytes of a part that is copied as it is deflated, and is known by its checksum."""
DIGEST = re.compile(rb"<vt:lpwstr>([0-9a-f]{64})</vt:lpwstr>")


class PressError(Exception):
    """A workbook that cannot be put in place; its text is the sentence a person reads."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A finished round: the file that was written, the report of its proof, and the tabs in their order.

    ``lang`` is the language that it is written in, ``quoted`` the words that its spec's texts quote in vain,
    ``alone`` the focus word where a sheet compares its sentences and only one has it.
    """

    path: Path
    report: Report
    tabs: tuple[str, ...]
    lang: str = "en"
    quoted: tuple[str, ...] = ()
    alone: str = ""


def build(
    source: Path | Mapping[str, Any] | Spec,
    target: Path,
    *,
    force: bool = False,
    make_folder: bool = False,
    changed: Mapping[str, Any] | None = None,
) -> Pressed:
    """Build a workbook from a spec, prove it, and put it in place.

    Args:
        source: the spec: a TOML file, what TOML makes of one, or one that is made already.
        target: the workbook to write.
        force: replace a target even if a person has changed it.
        make_folder: make the target's folder where it is missing.
        changed: keys that take the place of the spec's own, such as ``explain`` and ``lang``.

    Raises:
        SpecError: the spec cannot be built.
        PressError: the target cannot be written, a person has changed it, or it is too large to be proved.

    Returns:
        The report, and where the workbook went: the target when the proof holds, else ``<name>.failed.xlsx``
        beside it, the target staying as it was.
    """
    named = str(source) if isinstance(source, Path) else IN_MEMORY
    changed = changed or {}
    spec = replace(source, **changed) if isinstance(source, Spec) else _spec(source, named, changed)
    LOG.debug("", extra={"step": say("laying out pages")})
    try:
        book = pages.book(spec)
        formulas.check_lengths(book.blocks())
        sheets = layout.lay_out(book)
    except ValueError as error:
        raise SpecError(say("{spec}: {error}", spec=named, error=say(str(error)))) from None
    try:
        refuse_changed(target, force=force)
        _prepare_folder(target, make=make_folder)
        # one beside the target, so that the last step is a rename; the other for what another library writes:
        # half of it on a full disk, and it cannot close that without noise
        with workplace(target.parent) as folder, workplace() as scratch:
            writing = "{target}: writing formulas, then their values by {engine}"
            LOG.info(say(writing, target=target, engine=engines.DEFAULT_ENGINE))
            _write(book, sheets, scratch, final := folder / "final.xlsx")
            LOG.info(say("{target}: proving it", target=target))
            report = _proved(final, target)
            _refuse_overflow(named, report)
            place = target if report.holds else target.with_name(f"{target.stem}.failed.xlsx")
            final.replace(place)
    except OSError as error:
        raise PressError(say("{target}: cannot be written: {why}", target=target, why=_why(error))) from None
    tabs = tuple(sheet.tab for sheet in sheets)
    quoted = specs.quoted_in_vain(spec, (page.title for page in book.pages))
    return Pressed(place, _renamed(report, place), tabs, spec.lang, quoted, specs.compared_with_none(spec))


def _write(book: WorkbookPages, sheets: Sequence[PlacedSheet], scratch: Path, final: Path) -> None:
    """Write a workbook, its formulas and the values that an engine computes of them, and seal it."""
    values = precompute.evaluated(book.title, sheets, scratch / "draft.xlsx")
    tick = _Written(bulk.cells(sheets))
    writer.write(scratch / "valued.xlsx", book.title, sheets, values, book.language, tick=tick)
    LOG.debug("", extra={"step": say("putting it together")})
    _seal(scratch / "valued.xlsx", final)


def _proved(final: Path, target: Path) -> Report:
    """The proof of a finished workbook that has not its place yet.

    Raises:
        PressError: it is larger than the check allows.
    """
    try:
        return check(final, few=True)
    except NotCheckableError as error:
        (said,) = error.args
        values = {name: target if value == final else value for name, value in said.values.items()}
        sentence = "{said}; a workbook that cannot be proved is not written: make the spec smaller"
        raise PressError(say(sentence, said=say(said.sentence, **values))) from None


def _refuse_overflow(named: str, report: Report) -> None:
    """Refuse a spec whose own numbers no spreadsheet can hold.

    Raises:
        SpecError: values alone are wrong, and some because numbers become too large.
    """
    overflow = next((finding for finding in report.causes if finding.kind is Kind.OVERFLOW), None)
    if overflow and all(finding.kind.effect is Effect.SYMPTOM for finding in report.causes):
        sentence = "{spec}: {overflow}; make the embeddings or weights smaller"
        raise SpecError(say(sentence, spec=named, overflow=overflow.message))


def _spec(source: Path | Mapping[str, Any], named: str, changed: Mapping[str, Any]) -> Spec:
    if isinstance(source, Path):
        return specs.load(source, changed)
    return specs.parse({**source, **changed}, named)


class _Written:
    """Tells how many of the numbers that are written in bulk are written."""

    def __init__(self, of: int) -> None:
        self.done, self.of = 0, of
        self(0)

    def __call__(self, cells: int) -> None:
        self.done += cells
        LOG.debug("", extra={"step": say("writing"), "done": self.done, "of": self.of or None})


def _renamed(report: Report, place: Path) -> Report:
    return replace(report, path=str(place))


def _why(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return say("the disk is full")
    return reason(error)


def _prepare_folder(target: Path, *, make: bool) -> None:
    folder = target.parent
    if target.is_dir():
        raise PressError(say("{target}: this is a folder, the name of a file is needed", target=target))
    if folder.exists() and not folder.is_dir():
        raise PressError(
            say("{target}: {folder} is a file, a folder is needed", target=target, folder=folder)
        )
    if make:
        folder.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise PressError(
            say(
                "{target}: the folder {folder} does not exist, make it or choose another with -o",
                target=target,
                folder=folder,
            )
        )


# --- whether a person has changed a workbook ---------------------------------------------------------------


def refuse_changed(target: Path, *, force: bool) -> None:
    """Keep a workbook that a person has changed since it was built, unless forced.

    Raises:
        PressError: the target holds something that this program did not write.
    """
    if target.exists() and not target.is_dir() and not target.is_file():
        raise PressError(say("{target}: this is not a file", target=target))  # one would wait for a pipe
    if target.is_file() and not force and not _as_built(target):
        raise PressError(
            say(
                "{target}: it was changed since it was built and is kept; use --force to replace it",
                target=target,
            )
        )


def _seal(path: Path, target: Path) -> None:
    """Copy a workbook: its maker named, its lines straight, the digest of all other parts in its properties.

    The copy is on the disk, whole, before it takes another's place.
    """
    with zipfile.ZipFile(path) as made, target.open("w+b") as file:
        named = re.sub(rb"<Application>[^<]*<", b"<Application>xlsxattn<", made.read(MAKER))
        charts = [name for name in made.namelist() if name.startswith("xl/charts/chart")]
        changed = {MAKER: named} | {name: _straight(made.read(name)) for name in charts}
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


def _straight(chart: bytes) -> bytes:
    """A chart with straight lines: LibreOffice draws curves in files not made by Excel that say nothing."""
    return chart.replace(b"</c:ser>", b'<c:smooth val="0"/></c:ser>') if b"<c:lineChart>" in chart else chart


def _as_built(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            found = DIGEST.search(archive.read(PROPERTIES))
            return found is not None and found[1].decode() == _digest(archive, {})
    except Exception:  # noqa: BLE001 - a file that is none of ours fails to be read in many ways
        return False


def _digest(archive: zipfile.ZipFile, changed: Mapping[str, bytes]) -> str:
    """A digest of all parts but the one that it stands in; of a large one, its checksum stands for it."""
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
