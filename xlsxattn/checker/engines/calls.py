"""Calls to the engines: commands, settings and reading of the results."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import orjson

from xlsxattn.checker.cells import CellError
from xlsxattn.checker.engines.processes import PROGRAMS, TITLES, EngineFailed, Rest, failed, failure, run
from xlsxattn.checker.engines.values import saved_values
from xlsxattn.language import say
from xlsxattn.system_errors import reason
from xlsxattn.tempdirs import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from xlsxattn.checker.cells import Area, Edits, Grid, Value
    from xlsxattn.checker.engines.processes import Job, JobResult, Limits
    from xlsxattn.checker.reading.runs import NumberRuns

_CHILD = Path(__file__).parent / "ironcalc_child.py"
_LARGEST_ANSWER = 1 / 8
"""Maximum size of an answer as a fraction of the memory limit: parsing it takes more memory."""
_FAILED = {
    "memory": say("{title} ran out of memory."),
    "panic": say("{title} panicked: {why}."),
    "error": say("{title} could not use the workbook: {why}."),
}
"""The failures that IronCalc's child process may report."""
_UNREAD = say("{title} recalculated the workbook, but its result cannot be read: {why}.")
_WORKBOOK = "xlsx:Calc MS Excel 2007 XML"
_OFFICE_SETTINGS = (
    ("Calc/Formula/Load", "OOXMLRecalcMode", "0"),  # always, whatever the file says
    ("Calc/Content/Update", "Link", "1"),  # never
    ("Common/Security/Scripting", "MacroSecurityLevel", "3"),  # the highest
    ("Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
)


def ironcalc(
    job: Job, limits: Limits, edits: Sequence[Edits] = ({},), rest: Rest | None = None
) -> Generator[JobResult]:
    """Recalculate a workbook with IronCalc in a child process, once for each set of edits, then the rest."""
    parts = [Rest((), job.areas, edits), *([rest] if rest else [])]
    with temporary_folder() as folder:
        order, answer = folder / "order.json", folder / "answer.json"
        numbers, values = folder / "numbers", folder / "values"
        what: dict[str, Any] = {"path": str(job.path.absolute()), "memory": limits.memory}
        what["parts"] = [_ordered(part, folder / f"typed-{i}") for i, part in enumerate(parts)]
        what |= {"runs": _spooled(job.runs, numbers), "numbers": str(numbers), "values": str(values)}
        order.write_text(json.dumps(what | {"seconds": math.ceil(limits.seconds) + 1}), "utf-8")
        # -P: modules next to the child must not shadow the standard library; PYTHONPATH still applies
        code = run([sys.executable, "-P", str(_CHILD), str(order), str(answer)], folder, limits.seconds)
        if failed_run := _failure(code, answer, values, limits):
            yield from [failed_run] * sum(len(part.edits) for part in parts)
            return
        with values.open("rb") as file:
            for part in parts:
                for _ in part.edits:
                    yield _next_set(file, part.areas)


def _ordered(part: Rest, typed: Path) -> dict[str, Any]:
    """A part of the order for IronCalc's child; its edits are written to a file."""
    with typed.open("wb") as file:  # one set per line, as they may have very many cells
        file.writelines(orjson.dumps([*map(_cell, cells.items())]) + b"\n" for cells in part.edits)
    cleared, areas = (
        [(a.sheet, a.row, a.col, a.rows, a.cols) for a in own] for own in (part.cleared, part.areas.values())
    )
    return {"cleared": cleared, "areas": areas, "edits": str(typed)}


def _cell(item: tuple[tuple[str, int, int], float | str]) -> tuple[str, int, int, float | str]:
    at, value = item
    return *at, value


def _failure(code: int | None, answer: Path, values: Path, limits: Limits) -> EngineFailed | None:
    """The failure of IronCalc's child process, if any."""
    if code != 0:
        return failure("ironcalc", code, limits)
    given = json.loads(answer.read_text("utf-8"))
    if "failed" in given:
        return failed("ironcalc", _FAILED[given["failed"]], given["why"])
    if values.stat().st_size > limits.memory * _LARGEST_ANSWER:
        return EngineFailed(say("{title} returned more text than can be read.", title=TITLES["ironcalc"]))
    return None


def _next_set(file: IO[bytes], areas: Mapping[str, Area]) -> dict[str, Grid]:
    """Read the values of the areas after the next set of edits from the output of IronCalc's child."""
    text = file.read(int.from_bytes(file.read(8), "little"))
    found = json.loads(text, parse_int=float, object_hook=_decoded)
    others: dict[int, list[Value]] = {int(place): cells for place, cells in found.items()}
    sizes = [a.rows * a.cols for place, a in enumerate(areas.values()) if place not in others]
    shown = np.fromfile(file, np.float64, sum(sizes))
    grids: dict[str, Grid] = {}
    start = 0
    for place, (name, area) in enumerate(areas.items()):
        cells = others.get(place)
        if cells is not None:
            grids[name] = [cells[i : i + area.cols] for i in range(0, len(cells), area.cols)]
            continue
        end = start + area.rows * area.cols
        grids[name], start = shown[start:end].reshape(area.rows, area.cols), end
    return grids


def _spooled(runs: Mapping[str, NumberRuns], path: Path) -> list[tuple[str, int, int, int]]:
    """Write the numbers of all runs to a file; return the start and length of each run."""
    places = []
    with path.open("wb") as file:
        for tab, sheet_runs in runs.items():
            for row, row_runs in sheet_runs.rows.items():
                for col, values in row_runs:
                    file.write(np.ascontiguousarray(values, np.float64).data)
                    places.append((tab, row, col, len(values)))
    return places


def _decoded(written: dict[str, Any]) -> CellError | dict[str, Any]:
    """JSON object hook: convert an error value."""
    error = written.get("error")
    return CellError(error) if isinstance(error, str) else written


def gnumeric(job: Job, limits: Limits) -> JobResult:
    """Recalculate a workbook with Gnumeric, and read the copy that it saves."""
    with temporary_folder() as folder:
        out = folder / "out.xlsx"
        kinds = ["--import-type=Gnumeric_Excel:xlsx", "--export-type=Gnumeric_Excel:xlsx2"]
        command = [_program("gnumeric"), "--recalc", *kinds, str(job.path.absolute()), str(out)]
        code = run(command, folder, limits.seconds, memory=limits.memory)
        return _read("gnumeric", out, job) if code == 0 else failure("gnumeric", code, limits)


def libreoffice(jobs: Sequence[Job], limits: Limits) -> list[JobResult]:
    """Recalculate workbooks with LibreOffice in a single run, because startup is expensive.

    A workbook that crashes it also prevents the results of those after it. So the first one without a result
    is tried again alone, and the rest together. Under load, LibreOffice sometimes ends without an error and
    without a result, so a single workbook is then tried once more.
    """
    answers: dict[int, JobResult] = {}
    repeated: set[int] = set()
    with temporary_folder() as folder:
        write_profile(folder / "profile")
        batches = [_copied(jobs, folder, answers)]
        while batches:
            if not (batch := batches.pop()):
                continue
            code = convert([folder / f"{n}.xlsx" for n in batch], folder, limits)
            results = {n: folder / f"out/{n}.xlsx" for n in batch}
            lost = [n for n, result in results.items() if not zipfile.is_zipfile(result)]
            answers |= {n: _read("libreoffice", results[n], jobs[n]) for n in batch if n not in lost}
            if len(batch) > 1:
                batches += [lost[1:], lost[:1]]
            elif lost and code == 0 and not repeated.intersection(lost):
                repeated.update(lost)
                batches.append(lost)
            elif lost:
                answers[lost[0]] = failure("libreoffice", code, limits)
    return [answers[n] for n in range(len(jobs))]


def _copied(jobs: Sequence[Job], folder: Path, answers: dict[int, JobResult]) -> list[int]:
    """Copy the workbooks to unique names; return the indices of the copies, and answer the failed ones."""
    for n, job in enumerate(jobs):
        try:
            shutil.copyfile(job.path, folder / f"{n}.xlsx")
        except OSError as error:
            said = "the workbook could not be copied for {title}: {why}."
            answers[n] = EngineFailed(say(said, title=TITLES["libreoffice"], why=reason(error)))
    return [n for n in range(len(jobs)) if n not in answers]


def write_profile(profile: Path) -> None:
    """Write a LibreOffice user profile that always recalculates, runs no macros and follows no links."""
    items = "".join(
        f'<item oor:path="/org.openoffice.Office.{path}">'
        f'<prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _OFFICE_SETTINGS
    )
    (profile / "user").mkdir(parents=True)
    (profile / "user/registrymodifications.xcu").write_text(
        f'<oor:items xmlns:oor="http://openoffice.org/2001/registry">{items}</oor:items>', "utf-8"
    )


def convert(paths: Sequence[Path], folder: Path, limits: Limits, into: str = _WORKBOOK) -> int | None:
    """Load, recalculate and save workbooks with LibreOffice; the timeout restarts with each saved file."""
    profile, out = (folder / "profile").as_uri(), folder / "out"
    command = [_program("libreoffice"), f"-env:UserInstallation={profile}", "--headless", "--norestore"]
    command += ["--infilter=Calc MS Excel 2007 XML", "--convert-to", into]
    command += ["--outdir", str(out), *map(str, paths)]
    try:
        return run(command, folder, limits.seconds, progress=lambda: len(list(out.glob("*.*"))))
    finally:
        if hasattr(os, "getuid"):
            _socket(profile).unlink(missing_ok=True)  # a killed LibreOffice leaves it


def _socket(profile: str) -> Path:
    """LibreOffice's socket, whose name is derived from the profile."""
    digest = hashlib.md5(profile.encode("utf-16-le"), usedforsecurity=False).digest()
    name = f"OSL_PIPE_{os.getuid()}_SingleOfficeIPC_{''.join(f'{byte:x}' for byte in digest)}"
    return Path("/tmp", name)  # noqa: S108 - LibreOffice puts it there whatever TMPDIR says


def _program(engine: str) -> str:
    """The path of the executable of an engine."""
    name = PROGRAMS[engine][0]
    return shutil.which(name) or name


def _read(engine: str, path: Path, job: Job) -> JobResult:
    """Read the values of a copy that an engine saved."""
    try:
        return saved_values(path, job.areas)
    except Exception as error:  # noqa: BLE001 - three parsers can raise anything
        return failed(engine, _UNREAD, " ".join(map(str, error.args)))
