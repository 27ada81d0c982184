"""How each engine is called: the command, the settings, and where its values are found afterwards."""

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
from xlsxattn.checker.engines.processes import (
    PROGRAMS,
    TITLES,
    EngineFailed,
    failed,
    failure,
    run,
)
from xlsxattn.checker.engines.values import saved_values
from xlsxattn.language import say
from xlsxattn.system_errors import reason
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Area, Edits, Grid, Value
    from xlsxattn.checker.engines.processes import Answer, Job, Limits
    from xlsxattn.checker.reading.runs import NumberRuns

_CHILD = Path(__file__).parent / "ironcalc_child.py"
_LARGEST_ANSWER = 1 / 8
"""So much of the memory may be the text of an answer: what is made of it takes more."""
_FAILED = {
    "memory": say("{title} ran out of memory."),
    "panic": say("{title} panicked: {why}."),
    "error": say("{title} could not use the workbook: {why}."),
}
"""What IronCalc's child may answer in place of values."""
_UNREAD = say("{title} recalculated the workbook, but: {why}.")
_WORKBOOK = "xlsx:Calc MS Excel 2007 XML"
_OFFICE_SETTINGS = (
    ("Calc/Formula/Load", "OOXMLRecalcMode", "0"),  # always, whatever the file says of itself
    ("Calc/Content/Update", "Link", "1"),  # never
    ("Common/Security/Scripting", "MacroSecurityLevel", "3"),  # the highest
    ("Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
)


def ironcalc(job: Job, limits: Limits, edits: Sequence[Edits] = ({},)) -> Iterator[Answer]:
    """Recalculate one workbook with IronCalc, once for each set of edits, in a child process."""
    with workplace() as folder:
        order, answer = folder / "order.json", folder / "answer.json"
        numbers, values, typed = folder / "numbers", folder / "values", folder / "typed"
        what: dict[str, Any] = {"path": str(job.path.absolute()), "memory": limits.memory}
        what["areas"] = [(a.sheet, a.row, a.col, a.rows, a.cols) for a in job.areas.values()]
        with typed.open("wb") as file:  # a set a line, as all of them may be very many cells
            file.writelines(orjson.dumps([*map(_cell, cells.items())]) + b"\n" for cells in edits)
        what["edits"] = str(typed)
        what |= {"runs": _spooled(job.runs, numbers), "numbers": str(numbers), "values": str(values)}
        order.write_text(json.dumps(what | {"seconds": math.ceil(limits.seconds) + 1}), "utf-8")
        # -P: no module beside the child may shadow the standard library; PYTHONPATH and the like still count
        code = run([sys.executable, "-P", str(_CHILD), str(order), str(answer)], folder, limits.seconds)
        if wrong := _failure(code, answer, values, limits):
            yield from [wrong] * len(edits)
            return
        with values.open("rb") as file:
            for _ in edits:
                yield _next_set(file, job.areas)


def _cell(item: tuple[tuple[str, int, int], float | str]) -> tuple[str, int, int, float | str]:
    at, value = item
    return *at, value


def _failure(code: int | None, answer: Path, values: Path, limits: Limits) -> EngineFailed | None:
    """What went wrong in IronCalc's child, if anything did."""
    if code != 0:
        return failure("ironcalc", code, limits)
    given = json.loads(answer.read_text("utf-8"))
    if "failed" in given:
        return failed("ironcalc", _FAILED[given["failed"]], given["why"])
    if values.stat().st_size > limits.memory * _LARGEST_ANSWER:
        return EngineFailed(say("{title} computed more text than can be read.", title=TITLES["ironcalc"]))
    return None


def _next_set(file: IO[bytes], areas: Mapping[str, Area]) -> dict[str, Grid]:
    """The values of the areas after the next set of edits, as IronCalc's child has written them."""
    text = file.read(int.from_bytes(file.read(8), "little"))
    others: dict[str, list[Value]] = json.loads(text, parse_int=float, object_hook=_decoded)
    sizes = [a.rows * a.cols for place, a in enumerate(areas.values()) if str(place) not in others]
    shown = np.fromfile(file, np.float64, sum(sizes))
    grids: dict[str, Grid] = {}
    start = 0
    for place, (name, area) in enumerate(areas.items()):
        cells = others.get(str(place))
        if cells is not None:
            grids[name] = [cells[i : i + area.cols] for i in range(0, len(cells), area.cols)]
            continue
        end = start + area.rows * area.cols
        grids[name], start = shown[start:end].reshape(area.rows, area.cols), end
    return grids


def _spooled(runs: Mapping[str, NumberRuns], path: Path) -> list[tuple[str, int, int, int]]:
    """Write the numbers of runs one after the other, and say where each run begins and how long it is."""
    found = []
    with path.open("wb") as file:
        for tab, own in runs.items():
            for row, stretches in own.rows.items():
                for col, values in stretches:
                    file.write(np.ascontiguousarray(values, np.float64).data)
                    found.append((tab, row, col, len(values)))
    return found


def _decoded(written: dict[str, Any]) -> CellError | dict[str, Any]:
    """An object as IronCalc's child wrote it: an error value, or what it is."""
    error = written.get("error")
    return CellError(error) if isinstance(error, str) else written


def gnumeric(job: Job, limits: Limits) -> Answer:
    """Recalculate one workbook with Gnumeric, which saves a copy that is then read."""
    with workplace() as folder:
        out = folder / "out.xlsx"
        kinds = ["--import-type=Gnumeric_Excel:xlsx", "--export-type=Gnumeric_Excel:xlsx2"]
        command = [_program("gnumeric"), "--recalc", *kinds, str(job.path.absolute()), str(out)]
        code = run(command, folder, limits.seconds, memory=limits.memory)
        return _read("gnumeric", out, job) if code == 0 else failure("gnumeric", code, limits)


def libreoffice(jobs: Sequence[Job], limits: Limits) -> list[Answer]:
    """Recalculate workbooks with LibreOffice, all in one run because a start costs more than a file.

    A workbook that kills it takes those behind it along. So the first without a result is tried again alone,
    and the others once more together.
    """
    answers: dict[int, Answer] = {}
    with workplace() as folder:
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
            elif lost:
                answers[lost[0]] = failure("libreoffice", code, limits)
    return [answers[n] for n in range(len(jobs))]


def _copied(jobs: Sequence[Job], folder: Path, answers: dict[int, Answer]) -> list[int]:
    """Copy the workbooks to names of their own, and say which could be copied; the others are answered."""
    for n, job in enumerate(jobs):
        try:
            shutil.copyfile(job.path, folder / f"{n}.xlsx")
        except OSError as error:
            said = "{title} was not given the workbook: {why}."
            answers[n] = EngineFailed(say(said, title=TITLES["libreoffice"], why=reason(error)))
    return [n for n in range(len(jobs)) if n not in answers]


def write_profile(profile: Path) -> None:
    """A user profile that recalculates everything, runs no macros and follows no links."""
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
    """Let one LibreOffice load, calculate and save workbooks; the clock starts anew with each one done."""
    profile, out = (folder / "profile").as_uri(), folder / "out"
    command = [_program("libreoffice"), f"-env:UserInstallation={profile}", "--headless", "--norestore"]
    command += ["--infilter=Calc MS Excel 2007 XML", "--convert-to", into]
    command += ["--outdir", str(out), *map(str, paths)]
    try:
        return run(command, folder, limits.seconds, progress=lambda: len(list(out.glob("*.*"))))
    finally:
        _remove_socket(profile)


def _remove_socket(profile: str) -> None:
    """Remove the socket that a killed LibreOffice leaves in /tmp, under a name made from its profile's."""
    if hasattr(os, "getuid"):
        digest = hashlib.md5(profile.encode("utf-16-le"), usedforsecurity=False).digest()
        name = f"OSL_PIPE_{os.getuid()}_SingleOfficeIPC_{''.join(f'{byte:x}' for byte in digest)}"
        Path("/tmp", name).unlink(missing_ok=True)  # noqa: S108 - LibreOffice puts it there whatever TMPDIR says


def _program(engine: str) -> str:
    """The path of an engine's program."""
    name = PROGRAMS[engine][0]
    return shutil.which(name) or name


def _read(engine: str, path: Path, job: Job) -> Answer:
    """The values from a copy that an engine saved."""
    try:
        return saved_values(path, job.areas)
    except Exception as error:  # noqa: BLE001 - no bound on what a strange file makes of three parsers
        return failed(engine, _UNREAD, " ".join(map(str, error.args)))
