"""Previews of a workbook: PNG and PDF as printed by LibreOffice, or an HTML page."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.checker import engines
from xlsxattn.checker.engines.processes import run
from xlsxattn.contract.kinds import Compare
from xlsxattn.contract.names import RangeName
from xlsxattn.contract.values import SAVED
from xlsxattn.language import ENGLISH, MessageError, codes, language, say
from xlsxattn.output_files import write
from xlsxattn.suggestions import nearest, one_of
from xlsxattn.system_errors import not_written
from xlsxattn.tempdirs import temporary_folder
from xlsxattn.view import page as pages
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from xlsxattn.contract.values import Source
    from xlsxattn.view.look import OpenWorkbook

KINDS = (".png", ".pdf", ".html")
RESOLUTION = 110
"""Resolution of a PNG in dpi: a sheet with two sentences is about 2,000 pixels wide."""
SECONDS = 60.0


class PreviewError(MessageError, ValueError):
    """A preview cannot be made; the text is a message for the user."""


def preview(
    path: str | Path,
    target: str | Path,
    sheet: str = "",
    engine: Source = SAVED,
    lang: str = "",
    *,
    still: bool = False,
) -> Path:
    """Write a preview of a workbook; no partial file is left after an error.

    Args:
        path: the workbook.
        target: path of the preview. Its suffix selects the format: ``.png`` (one sheet), ``.pdf`` (one sheet,
            or all sheets with only the beginning of Contract), ``.html`` (all sheets, with tables, heat maps
            and formulas).
        sheet: id (``attn``) or tab of the sheet; by default, a PNG shows the first sheet with computations.
        engine: source of the values in an HTML page, as for `look`. LibreOffice always recalculates.
        lang: language of the HTML page's own texts, ``en`` or ``zh``; "" for the workbook's.
        still: whether an HTML page only shows the values; else it recalculates them after changes. A page
            with the values of another engine is always still.

    Raises:
        PreviewError: the target or the sheet is invalid, or the target cannot be written.
        NotCheckableError: the workbook cannot be read, or was not made by xlsxattn.
        engines.EngineMissing: LibreOffice or Poppler is not installed.
        engines.EngineFailed: one of them failed.
        ValueError: there is no such engine, or no such language.
    """
    one_of("lang", lang or ENGLISH.code, codes())
    target = Path(target)
    kind = target.suffix.lower()
    if kind not in KINDS:
        raise PreviewError(
            say(
                "{target}: the file name must end in one of {kinds}",
                target=target,
                kinds=", ".join(KINDS),
            )
        )
    if kind == ".html" and sheet:
        raise PreviewError(
            say(
                "{target}: an HTML page shows all sheets: omit the sheet, or choose .png or .pdf",
                target=target,
            )
        )
    seen = look(path, engine)
    tab = tab_of(seen, sheet) if sheet or kind == ".png" else ""
    with temporary_folder() as folder:
        draft = folder / f"preview{kind}"
        if kind == ".html":
            live = not still and engine == SAVED
            draft.write_text(pages.render(seen, language(lang) if lang else None, live=live), "utf-8")
        else:
            _print(seen, draft, tab)
        _put(draft, target)
    return target


def _print(seen: OpenWorkbook, draft: Path, tab: str) -> None:
    """Print all sheets as a PDF, with only the beginning of Contract; or one sheet as a PDF or PNG."""
    printed = draft.with_name("printed.pdf")
    engines.print_pdf(seen.path, printed, cut="" if tab else seen.contract, first=tab)
    if not tab:
        printed.rename(draft)
    elif draft.suffix == ".pdf":
        poppler("pdfseparate", "-f", 1, "-l", 1, printed, draft)
    else:
        options = ("-f", 1, "-l", 1, "-r", RESOLUTION)
        poppler("pdftoppm", *options, "-png", "-singlefile", printed, draft.with_suffix(""))


def tab_of(seen: OpenWorkbook, sheet: str) -> str:
    """Find the tab of a sheet by its tab or id; by default, of the first sheet with computations.

    Raises:
        PreviewError: there is no such sheet.
    """
    tabs = {info.id: _tab(seen, info.id) for info in seen.manifest.sheets}
    computing = next((info.id for info in seen.manifest.sheets if not info.is_a(Compare)), "")
    tab = tabs.get(sheet or computing, sheet)
    if tab not in seen.tabs:
        known = [*dict.fromkeys([*tabs, *seen.tabs])]
        if near := nearest(sheet, known):
            sentence = "{path}: there is no sheet '{sheet}'; did you mean '{near}'?"
            raise PreviewError(say(sentence, path=seen.path, sheet=sheet, near=near))
        sentence = "{path}: there is no sheet '{sheet}'; the sheets are: {known}"
        raise PreviewError(say(sentence, path=seen.path, sheet=sheet, known=", ".join(known)))
    return tab


def _tab(seen: OpenWorkbook, sheet: str) -> str:
    """The tab of a sheet's ranges; of a model with several tabs, the last one, with its results.

    The tabs with the maps of all heads and with the steps of a training come after it and do not count.
    """
    if (loss := RangeName(sheet)["Loss"]) in seen.matrices:
        return seen.matrices[loss].area.sheet
    sheet_tabs = [
        m.area.sheet
        for m in seen.matrices.values()
        if (name := seen.manifest.parse(m.name)).sheet == sheet and not name.is_map
    ]
    return sheet_tabs[-1] if sheet_tabs else ""


def poppler(program: str, *arguments: object) -> None:
    """Run one of Poppler's programs on a PDF; the last argument is the file it writes.

    Raises:
        engines.EngineMissing: the program is not installed.
        engines.EngineFailed: it failed.
    """
    executable = shutil.which(program)
    if executable is None:
        raise engines.EngineMissing(
            say(
                "Poppler is missing: no program '{program}' was found on the PATH; "
                "install it with: apt-get install poppler-utils",
                program=program,
            )
        )
    *_, output = arguments
    code = run([executable, *map(str, arguments)], Path(str(output)).parent, SECONDS)
    if code != 0:
        raise engines.EngineFailed(
            say("Poppler's {program} failed on the PDF printed by LibreOffice.", program=program)
        )


def _put(draft: Path, target: Path) -> None:
    """Move a finished preview to its target, atomically."""
    try:
        write(target, partial(shutil.copyfile, draft))
    except OSError as error:
        raise PreviewError(not_written(target, error)) from None
