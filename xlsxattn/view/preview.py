"""Pictures of a workbook: PNG and PDF as LibreOffice prints it, HTML as a page of our own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.checker import engines
from xlsxattn.checker.engines.processes import run
from xlsxattn.contract.kinds import Compare
from xlsxattn.language import ENGLISH, codes, language, say
from xlsxattn.suggestions import one_of, with_near
from xlsxattn.system_errors import reason
from xlsxattn.tempdirs import workplace
from xlsxattn.view import page as pages
from xlsxattn.view.look import SAVED, look

if TYPE_CHECKING:
    from xlsxattn.view.look import OpenWorkbook, Source

KINDS = (".png", ".pdf", ".html")
RESOLUTION = 110
"""Dots an inch of a PNG: a sheet with two sentences is about 2,000 wide."""
SECONDS = 60.0


class PreviewError(ValueError):
    """A picture that cannot be made; its text is the sentence a person reads."""


def preview(
    path: str | Path, target: str | Path, sheet: str = "", engine: Source = SAVED, lang: str = ""
) -> Path:
    """Write a picture of a workbook, or nothing at all.

    Args:
        path: the workbook.
        target: where the picture goes; its ending decides: ``.png`` (one sheet), ``.pdf`` (all sheets, of
            the Contract its head, or one), ``.html`` (all sheets, with tables, heat maps and formulas).
        sheet: the sheet wanted, by its id (``attn``) or its tab; when empty, a PNG shows the first that
            computes.
        engine: whose values an HTML page shows, as for `look`. LibreOffice recalculates what it prints.
        lang: the language of an HTML page's own words, ``en`` or ``zh``; "" for the workbook's.

    Raises:
        PreviewError: the target or the sheet makes no sense, or the target cannot be written.
        NotCheckableError: the workbook cannot be read, or is not one of ours.
        engines.EngineMissing: LibreOffice, or the program that paints a PNG, is not installed.
        engines.EngineFailed: one of them failed.
        ValueError: there is no such engine, or no such language.
    """
    one_of("lang", lang or ENGLISH.code, codes())
    target = Path(target)
    kind = target.suffix.lower()
    if kind not in KINDS:
        raise PreviewError(
            say(
                "{target}: the picture's name must end in one of {kinds}",
                target=target,
                kinds=", ".join(KINDS),
            )
        )
    if kind == ".html" and sheet:
        raise PreviewError(
            say(
                "{target}: a page shows all sheets: leave out the sheet, or choose .png or .pdf",
                target=target,
            )
        )
    seen = look(path, engine)
    tab = tab_of(seen, sheet) if sheet or kind == ".png" else ""
    with workplace() as folder:
        made = folder / f"preview{kind}"
        if kind == ".html":
            made.write_text(pages.render(seen, language(lang) if lang else None), "utf-8")
        else:
            _print(seen, made, tab)
        _put(made, target)
    return target


def _print(seen: OpenWorkbook, made: Path, tab: str) -> None:
    """A PDF of all sheets, of the long Contract its head; or one sheet, whole, as a PDF or a PNG."""
    printed = made.with_name("printed.pdf")
    engines.print_pdf(seen.path, printed, cut="" if tab else seen.contract, first=tab)
    if not tab:
        printed.rename(made)
    elif made.suffix == ".pdf":
        poppler("pdfseparate", "-f", 1, "-l", 1, printed, made)
    else:
        wanted = ("-f", 1, "-l", 1, "-r", RESOLUTION)
        poppler("pdftoppm", *wanted, "-png", "-singlefile", printed, made.with_suffix(""))


def tab_of(seen: OpenWorkbook, sheet: str) -> str:
    """The tab of a sheet, by its tab, by its id, or the first that computes.

    Raises:
        PreviewError: there is no such sheet.
    """
    tabs = {info.id: _tab(seen, info.id) for info in seen.manifest.sheets}
    computing = next((info.id for info in seen.manifest.sheets if not info.is_a(Compare)), "")
    wanted = tabs.get(sheet or computing, sheet)
    if wanted not in seen.tabs:
        known = [*dict.fromkeys([*tabs, *seen.tabs])]
        said = say(
            "{path}: there is no sheet '{sheet}'; the sheets are: {known}",
            path=seen.path,
            sheet=sheet,
            known=", ".join(known),
        )
        raise PreviewError(with_near(said, sheet, known))
    return wanted


def _tab(seen: OpenWorkbook, sheet: str) -> str:
    """The tab where a sheet's own ranges stand; of a model's several pages the last, with its outcome.

    The page that shows all heads once more stands behind it.
    """
    own = [
        m.area.sheet
        for m in seen.matrices.values()
        if (at := seen.manifest.parse(m.name)).sheet == sheet and not at.is_map
    ]
    return own[-1] if own else ""


def poppler(program: str, *words: object) -> None:
    """Let one of Poppler's programs work on a PDF; the last word is what it writes.

    Raises:
        engines.EngineMissing: there is no such program.
        engines.EngineFailed: it failed.
    """
    found = shutil.which(program)
    if found is None:
        raise engines.EngineMissing(
            say(
                "Poppler is missing: no program '{program}' was found on the PATH; "
                "get it with: apt-get install poppler-utils",
                program=program,
            )
        )
    *_, made = words
    code = run([found, *map(str, words)], Path(str(made)).parent, SECONDS)
    if code != 0:
        raise engines.EngineFailed(
            say("Poppler's {program} could not work on what LibreOffice printed.", program=program)
        )


def _put(made: Path, target: Path) -> None:
    """Put a finished picture in its place, whole."""
    beside = target.with_name(f"{target.name}.part")
    try:
        shutil.copyfile(made, beside)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PreviewError(
            say("{target}: cannot be written: {why}", target=target, why=reason(error))
        ) from None
