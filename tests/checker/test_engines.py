"""The engines agree, compute exactly, respect limits, and leave nothing behind."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from conftest import cannot_run
from openpyxl.worksheet.formula import ArrayFormula

from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.engines import (
    ENGINES,
    EngineFailed,
    EngineMissing,
    Job,
    Limits,
    calls,
    evaluate,
    evaluate_edited,
    missing,
    saved_values,
)

TEXTS = ["=x", "TRUE", "1e5", "ß", "注意", "naïve", "#N/A", " two  words ", "a\nb", "'", "<&>", "1/2"]


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Check that engines leave no files and no processes."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    until = time.monotonic() + 2  # a killed process may take a moment to go
    while (alive := running(str(folder))) and time.monotonic() < until:
        time.sleep(0.05)
    assert alive == []


def running(word):
    """The command lines that contain a word (on Linux only)."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found


def require(name):
    if reason := missing(name):
        cannot_run(reason)
    return name


@pytest.fixture(params=ENGINES)
def engine(request):
    return require(request.param)


@pytest.fixture
def ironcalc():
    return require("ironcalc")


def book(path, columns, sheet="Sheet"):
    """Save a workbook with columns of values; formulas are given as tuples."""
    made = openpyxl.Workbook()
    page = made.active
    page.title = sheet
    for col, values in enumerate(columns, 1):
        for row, value in enumerate(values, 1):
            cell = page.cell(row, col, value[0] if isinstance(value, tuple) else value)
            if isinstance(value, str):
                cell.data_type = "s"
    made.save(path)
    return path


def rewrite(path, part, change):
    """Change a part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def column(rows, sheet="Sheet", col=0):
    return {"it": Area(sheet, 0, col, rows, 1)}


def ask(engine, path, areas, limits=None):
    (answer,) = evaluate(engine, [Job(path, areas)], limits or Limits())
    return answer


def shown(engine, path, rows):
    answer = ask(engine, path, column(rows))
    assert isinstance(answer, dict), answer
    return [value for (value,) in answer["it"]]


def is_sentence(failure, *words):
    assert isinstance(failure, EngineFailed)
    text = str(failure)
    assert len(text) < 300
    assert "\n" not in text
    assert "Traceback" not in text
    assert text.endswith(".")
    assert all(word in text for word in words), text
    return True


def test_a_formula_above_a_block_reads_its_later_cells(engine, tmp_path):
    made = openpyxl.Workbook()
    page = made.active
    page["A1"], page["A2"], page["A3"] = "=SUM(E6:F6)", "=SUM(H6:I6)", "=A1+A2"
    page["C1"], page["D1"], page["C2"], page["D2"] = 1, 2, 3, 4
    page["E5"] = ArrayFormula("E5:F6", "=C1:D2*2")
    page["H5"] = ArrayFormula("H5:I6", "=E5:F6+A1")
    made.save(tmp_path / "block.xlsx")
    areas = {"above": Area("Sheet", 0, 0, 3, 1), "block": Area("Sheet", 4, 4, 2, 2)}
    (found,) = evaluate(engine, [Job(tmp_path / "block.xlsx", areas)])
    assert found == {"above": [[14.0], [42.0], [56.0]], "block": [[2.0, 4.0], [6.0, 8.0]]}


def test_every_engine_calculates_the_same(tmp_path, engine):
    made = openpyxl.Workbook()
    page = made.active
    page.title = "Inputs ß"
    for row in ((1, 2.5), (-3, 4)):
        page.append(row)
    other = made.create_sheet("A")
    other["B2"] = ArrayFormula("B2:C3", "=MMULT('Inputs ß'!A1:B2,TRANSPOSE('Inputs ß'!A1:B2))")
    other["B4"] = "=SUM(B2:C3)"
    other["C4"] = '="a"&"b"'
    other["B5"] = "=1=1"
    made.save(tmp_path / "a.xlsx")
    areas = {
        "all": Area("A", 0, 0, 6, 4),
        "block": Area("A", 1, 1, 2, 2),
        "inputs": Area("Inputs ß", 0, 0, 2, 2),
        "beyond": Area("Inputs ß", 90, 30, 1, 2),
    }
    answer = ask(engine, tmp_path / "a.xlsx", areas)
    assert list(answer) == list(areas)
    assert answer["block"] == [[7.25, 7.0], [7.0, 25.0]]
    assert answer["inputs"] == [[1.0, 2.5], [-3.0, 4.0]]
    assert answer["beyond"] == [[None, None]]
    empty = [None] * 4
    assert answer["all"] == [
        empty,
        [None, 7.25, 7.0, None],
        [None, 7.0, 25.0, None],
        [None, 46.25, "ab", None],
        [None, True, None, None],
        empty,
    ]
    assert {type(v) for grid in answer.values() for row in grid for v in row} == {
        float,
        str,
        bool,
        type(None),
    }


COLUMNS = {
    "numbers": [7, True, ("=3+4",), ("=1=2",)],
    "errors": [("=1/0",), ("=NA()",), ('="x"+1',), ("=NoSuchName",), ('="#N/A"',), "#VALUE!"],
    "texts": TEXTS,
    "blanks": [('=""',), None, 1],
}


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    """The values of these columns in an engine, which is started once."""
    path = book(tmp_path_factory.mktemp("columns") / "a.xlsx", COLUMNS.values())
    areas = {name: Area("Sheet", 0, i, len(cells), 1) for i, (name, cells) in enumerate(COLUMNS.items())}

    @cache
    def by(engine):
        return {name: [value for (value,) in grid] for name, grid in ask(engine, path, areas).items()}

    return by


def test_integers_are_floats_and_true_is_not(columns, engine):
    values = columns(engine)["numbers"]
    assert values == [7.0, True, 7.0, False]
    assert [type(value) for value in values] == [float, bool, float, bool]


def test_errors_are_not_text(columns, engine):
    values = columns(engine)["errors"]
    assert values == ["#DIV/0!", "#N/A", "#VALUE!", "#NAME?", "#N/A", "#VALUE!"]
    assert [type(value) for value in values] == [CellError] * 4 + [str] * 2


def test_text_stays_text(columns, engine):
    assert columns(engine)["texts"] == TEXTS


def test_an_empty_text_is_not_blank(columns, engine):
    assert columns(engine)["blanks"] == ["", None, 1.0]


def test_a_cleared_cell_is_blank(tmp_path, engine):
    made = book(tmp_path / "a.xlsx", [["x"], [("=ISBLANK(A1)",)], [("=--(A1>0)",)]])
    job = Job(made, {"it": Area("Sheet", 0, 1, 1, 2)})
    answers = list(evaluate_edited(engine, job, [{}, {("Sheet", 0, 0): ""}]))
    assert [[bool(value) for value in answer["it"][0]] for answer in answers] == [
        [False, True],
        [True, False],
    ]


def test_a_date_is_its_serial_number(tmp_path, engine):
    made = openpyxl.Workbook()
    made.active.title = "Sheet"
    made.active["A1"] = datetime(2024, 5, 1, 12)  # noqa: DTZ001 - a workbook knows no zones
    made.active["A2"] = "=1E9+1/3"
    made.active["A2"].number_format = "yyyy-mm-dd"
    made.save(tmp_path / "a.xlsx")
    assert shown(engine, tmp_path / "a.xlsx", 2) == pytest.approx([45413.5, 1e9 + 1 / 3], rel=1e-14)


def test_saved_values_are_not_trusted(tmp_path, engine):
    made = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    page = made.add_worksheet("Sheet")
    page.write_number(0, 0, 2)
    page.write_formula(1, 0, "=A1*3", None, -12345)
    page.write_array_formula(2, 0, 3, 0, "{=A1:A2+1}", None, -12345)
    page.write_number(3, 0, -12345)
    made.close()
    assert saved_values(tmp_path / "a.xlsx", column(4))["it"] == [[2.0], [-12345.0], [-12345.0], [-12345.0]]
    assert shown(engine, tmp_path / "a.xlsx", 4) == [2.0, 6.0, 3.0, 7.0]


def test_ironcalc_keeps_every_digit(tmp_path, ironcalc):
    numbers = [0.1 + 0.2, 1e-300, -1e300, 1 / 3, 5e-324, 1.7976931348623157e308, 2.0**53 + 2, -0.1]
    path = book(tmp_path / "a.xlsx", [[1]])
    rows = "".join(  # by hand, because openpyxl saves 16 digits
        f'<row r="{n}"><c r="A{n}"><v>{x!r}</v></c><c r="B{n}"><f>A{n}*1</f></c></row>'
        for n, x in enumerate(numbers, 1)
    )
    rewrite(
        path, "xl/worksheets/sheet1.xml", lambda text: re.sub("<row.*</row>", rows, text, flags=re.DOTALL)
    )
    assert ask(ironcalc, path, {"both": Area("Sheet", 0, 0, len(numbers), 2)})["both"] == [
        [x, x] for x in numbers
    ]


def test_ironcalc_calculates_in_doubles(tmp_path, ironcalc):
    path = book(tmp_path / "a.xlsx", [[("=0.1+0.2",), ("=1/3",), ("=0.1+0.2-0.3",)]])
    assert shown(ironcalc, path, 3) == [0.1 + 0.2, 1 / 3, 0.1 + 0.2 - 0.3]


def test_a_corrupt_workbook_does_not_stop_the_others(tmp_path, engine):
    good = [book(tmp_path / f"{n}.xlsx", [[(f"={n}+1",)]]) for n in range(2)]
    half = tmp_path / "half.xlsx"
    half.write_bytes(good[0].read_bytes()[:900])
    lines = tmp_path / "lines.xlsx"
    lines.write_text("5\n")  # must not be taken for a table of plain text
    paths = [half, good[0], tmp_path / "nowhere.xlsx", good[1], lines]
    answers = evaluate(engine, [Job(path, column(1)) for path in paths])
    assert [answers[1], answers[3]] == [{"it": [[1.0]]}, {"it": [[2.0]]}]
    assert all(is_sentence(answers[n]) for n in (0, 2, 4))


def test_a_missing_sheet_fails_only_its_job(tmp_path, engine):
    path = book(tmp_path / "a.xlsx", [[1]])
    answers = evaluate(engine, [Job(path, column(1, "Elsewhere")), Job(path, column(1))])
    assert is_sentence(answers[0], "Elsewhere")
    assert answers[1] == {"it": [[1.0]]}


@pytest.mark.parametrize("name", ["ironcalc", "libreoffice"])
def test_a_workbook_that_crashes_the_engine_fails_alone(tmp_path, name, capfd):
    require(name)
    deep = book(tmp_path / "deep.xlsx", [[("=" + "(" * 8000 + "1" + ")" * 8000,)]])
    good = book(tmp_path / "good.xlsx", [[("=1+1",)]])
    answers = evaluate(name, [Job(path, column(1)) for path in (good, deep, good)])
    assert [answers[0], answers[2]] == [{"it": [[2.0]]}] * 2
    assert is_sentence(answers[1], "was ended by SIG", "nested")
    assert capfd.readouterr() == ("", "")


def test_a_panic_is_a_sentence(tmp_path, ironcalc, capfd):
    path = book(tmp_path / "a.xlsx", [[1]])
    rewrite(path, "xl/styles.xml", lambda text: text.replace("cellStyleXfs", "nothing"))
    assert is_sentence(ask(ironcalc, path, column(1)), "IronCalc panicked", "out of bounds")
    assert capfd.readouterr() == ("", "")


def test_memory_is_bounded(tmp_path, ironcalc):
    path = book(tmp_path / "a.xlsx", [[1]])
    assert shown(ironcalc, path, 1) == [1.0]
    assert is_sentence(ask(ironcalc, path, column(1), Limits(memory=2**20)), "IronCalc")


def test_an_engine_that_exceeds_its_time_limit_is_stopped(tmp_path, engine):
    path = book(tmp_path / "a.xlsx", [[1]])
    began = time.monotonic()
    answers = evaluate(engine, [Job(path, column(1))] * 2, Limits(seconds=0.01))
    assert all(is_sentence(answer, "0.01 s") for answer in answers)
    assert time.monotonic() - began < 5


def program(tmp_path, monkeypatch, name, lines):
    """Replace the program of an engine by a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    file = folder / name
    file.write_text("#!/bin/sh\n" + lines)
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


HANGS = 'sh -c "sleep 60; : $*" &\nwait\n'  # like soffice: a script whose program is another process


@contextmanager
def every_moment(act):
    """Call a function repeatedly in the background."""
    old = signal.signal(signal.SIGALRM, lambda _number, _frame: act())
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


@contextmanager
def interrupted(when):
    """Send SIGINT once, as soon as a condition holds."""

    def press():
        if when():
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), every_moment(press):
        yield


@pytest.mark.parametrize(("name", "command"), [("libreoffice", "soffice"), ("gnumeric", "ssconvert")])
def test_child_processes_of_an_engine_are_stopped(tmp_path, monkeypatch, scratch, name, command):
    program(tmp_path, monkeypatch, command, HANGS)
    path = book(tmp_path / "a.xlsx", [[1]])
    seen = []

    with every_moment(lambda: seen.append(running(str(scratch)))):
        assert is_sentence(ask(name, path, column(1), Limits(seconds=0.8)), "0.8 s")
    if Path("/proc/self/cmdline").exists():
        assert max(map(len, seen)) >= 2  # so the test would see the second process if it were left


@pytest.mark.parametrize("name", ENGINES)
def test_an_interrupt_stops_the_engine(tmp_path, monkeypatch, name):
    for command in ("soffice", "ssconvert"):
        (tmp_path / command).mkdir()
        program(tmp_path / command, monkeypatch, command, HANGS)
    (tmp_path / "child.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(calls, "_CHILD", tmp_path / "child.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)

    path, began = book(tmp_path / "a.xlsx", [[1]]), time.monotonic()
    with interrupted(lambda: time.monotonic() > began + 0.4):
        ask(name, path, column(1), Limits(seconds=30))
    assert time.monotonic() - began < 5


def test_missing_results_of_a_batch_are_tried_again(tmp_path, monkeypatch):
    log = tmp_path / "log"
    first = 'while [ "$1" != --outdir ]; do shift; done\nout=$2; shift 2\nmkdir -p "$out"\n'
    lines = f'{first}echo $# >> "{log}"\n[ $# = 3 ] || cp "$1" "$out"\nexit 1\n'
    program(tmp_path, monkeypatch, "soffice", lines)
    paths = [book(tmp_path / f"{n}.xlsx", [[n]]) for n in range(3)]
    answers = evaluate("libreoffice", [Job(path, column(1)) for path in paths])
    assert answers == [{"it": [[0.0]]}, {"it": [[1.0]]}, {"it": [[2.0]]}]
    assert log.read_text().split() == ["3", "1", "2", "1"]


@pytest.mark.parametrize(
    ("code", "saves_at", "runs"), [(0, 2, 2), (0, 0, 2), (1, 2, 1)], ids=["under load", "never", "an error"]
)
def test_libreoffice_is_tried_once_more_after_no_result_and_no_error(
    tmp_path, monkeypatch, code, saves_at, runs
):
    log = tmp_path / "log"
    log.touch()
    first = 'while [ "$1" != --outdir ]; do shift; done\nout=$2; shift 2\nmkdir -p "$out"\n'
    save = f'[ $(wc -l < "{log}") != {saves_at} ] || cp "$1" "$out"\nexit {code}\n'
    program(tmp_path, monkeypatch, "soffice", f'{first}echo run >> "{log}"\n{save}')
    (answer,) = evaluate("libreoffice", [Job(book(tmp_path / "a.xlsx", [[1]]), column(1))])
    assert log.read_text() == "run\n" * runs
    if runs == saves_at:
        assert answer == {"it": [[1.0]]}
    else:
        assert is_sentence(answer, f"exit code {code}")


def test_the_timeout_of_a_batch_restarts_with_each_file(tmp_path, monkeypatch):
    first = 'while [ "$1" != --outdir ]; do shift; done\nout=$2; shift 2\nmkdir -p "$out"\n'
    log = tmp_path / "log"
    lines = f'{first}echo run >> "{log}"\nfor f; do sleep 0.6; cp "$f" "$out"; done\n'
    program(tmp_path, monkeypatch, "soffice", lines)
    path = book(tmp_path / "a.xlsx", [[1]])
    assert evaluate("libreoffice", [Job(path, column(1))] * 4, Limits(seconds=1.5)) == [{"it": [[1.0]]}] * 4
    assert log.read_text() == "run\n"


def test_a_killed_libreoffice_leaves_no_files(tmp_path, monkeypatch, scratch):
    require("libreoffice")
    outer = tmp_path / "outer"
    outer.mkdir()
    monkeypatch.setenv("TMPDIR", str(outer))

    seen = set()

    def once_it_listens():
        own = (calls._socket(profile.as_uri()) for profile in scratch.glob("*/profile"))
        seen.update(socket for socket in own if socket.exists())
        return bool(seen)

    with interrupted(once_it_listens):
        ask("libreoffice", book(tmp_path / "a.xlsx", [[1]]), column(1), Limits(seconds=30))
    assert seen
    assert not any(socket.exists() for socket in seen)
    assert list(outer.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ironcalc", "pip install ironcalc"),
        ("libreoffice", "soffice"),
        ("gnumeric", "apt-get install gnumeric"),
    ],
)
def test_an_engine_that_is_missing_is_named(tmp_path, monkeypatch, name, words):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ironcalc", None)
    with pytest.raises(EngineMissing, match=words) as caught:
        evaluate(name, [])
    assert str(caught.value) == missing(name)


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="ironcalc, libreoffice, gnumeric"):
        evaluate("excel", [])


def test_no_process_starts_without_jobs(monkeypatch):
    monkeypatch.setattr(calls, "run", lambda *_, **__: pytest.fail("a process was started"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    assert [evaluate(name, []) for name in ENGINES] == [[]] * 3


def test_paths_may_be_relative_and_have_special_characters(tmp_path, monkeypatch, engine):
    folder = tmp_path / "a b%20ß"
    folder.mkdir()
    book(folder / "-x #1.xlsx", [[("=1+1",)]])
    monkeypatch.chdir(folder)
    assert shown(engine, Path("-x #1.xlsx"), 1) == [2.0]


def test_modules_in_the_working_folder_do_not_shadow_the_standard_library(tmp_path, monkeypatch, ironcalc):
    child = tmp_path / "child.py"
    shutil.copyfile(calls._CHILD, child)
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong module')\n")
    monkeypatch.setattr(calls, "_CHILD", child)
    monkeypatch.chdir(tmp_path)
    assert shown(ironcalc, book(tmp_path / "a.xlsx", [[1]]), 1) == [1.0]


def test_engines_write_nothing_to_our_output(tmp_path, engine, capfd):
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04")
    assert is_sentence(ask(engine, broken, column(1)))
    assert capfd.readouterr() == ("", "")


def test_saved_values_of_overlapping_areas(tmp_path):
    path = book(tmp_path / "a.xlsx", [[1, 2, 3], ["x", "=y", None]])
    areas = {"a": Area("Sheet", 1, 0, 3, 2), "b": Area("Sheet", 0, 1, 2, 1), "c": Area("Sheet", 2, 1, 1, 2)}
    assert saved_values(path, areas) == {
        "a": [[2.0, "=y"], [3.0, None], [None, None]],
        "b": [["x"], ["=y"]],
        "c": [[None, None]],
    }
    with pytest.raises(KeyError, match="Elsewhere"):
        saved_values(path, column(1, "Elsewhere"))
