"""Every template's workbook, opened and saved by another program, still passes the check.

Each program has a third of the templates, another one, and all with XLSXATTN_THOROUGH=1.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import openpyxl
import pytest
from conftest import THOROUGH, require

from dev import prebuilt
from dev.campaign.kinds import MANIFEST, ORIGIN
from xlsxattn import templates
from xlsxattn.checker.check import reference
from xlsxattn.checker.engines import processes, saved_values
from xlsxattn.checker.reading.book import read
from xlsxattn.proof import check

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = {"libreoffice": "LibreOffice", "gnumeric": "gnumeric", "openpyxl": "Microsoft Excel"}
"""The programs that save the workbooks, and their names in the file; openpyxl writes that of Excel."""
SAVED = {
    program: templates.names() if THOROUGH else templates.names()[i :: len(PROGRAMS)]
    for i, program in enumerate(PROGRAMS)
}
PERTURBED = templates.names() if THOROUGH else ("llama", "mouse", "padding")
"""The templates that are checked with other inputs as well."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every template's workbook."""
    folder = tmp_path_factory.mktemp("built")
    for name in templates.names():
        prebuilt.build(name, folder / f"{name}.xlsx")
    return folder


def save(program: str, built: Path, into: Path) -> None:
    """Let a program open and save its workbooks, at its defaults."""
    sources = [built / f"{name}.xlsx" for name in SAVED[program]]
    if program == "openpyxl":
        for source in sources:
            openpyxl.load_workbook(source).save(into / source.name)
        return
    require(program)
    if program == "gnumeric":
        for source in sources:
            command = [shutil.which("ssconvert"), "--export-type=Gnumeric_Excel:xlsx2", str(source)]
            assert processes.run([*command, str(into / source.name)], into, 60) == 0
        return
    command = [shutil.which("soffice"), f"-env:UserInstallation={(into / 'profile').as_uri()}", "--headless"]
    command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(into), *map(str, sources)]
    assert processes.run(command, into, 180) == 0


def test_the_reference_has_every_name(built):
    """A range that the reference lacks could be deleted or moved without a finding."""
    for path in built.glob("*.xlsx"):
        book = read(path)
        known = {*reference(book, saved_values(path, book.names)), *book.manifest.inputs}
        known |= MANIFEST | ORIGIN
        assert set(book.names) <= known, path.stem


@pytest.mark.parametrize("program", PROGRAMS)
def test_templates_saved_by_another_program_hold(program, built, tmp_path):
    save(program, built, tmp_path)
    saved = sorted(tmp_path.glob("*.xlsx"))
    assert [path.stem for path in saved] == sorted(SAVED[program])
    for path in saved:
        assert path.read_bytes() != (built / path.name).read_bytes()
        report = check(path, inputs="perturbed" if path.stem in PERTURBED else "as-saved")
        assert report.every_finding == (), path.stem
        assert report.saved_by.startswith(PROGRAMS[program])
