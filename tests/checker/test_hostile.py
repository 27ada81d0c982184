"""Untrusted files: exit code 0, 1 or 2, one sentence or findings, and nothing left behind."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import hostile
import pytest
from conftest import THOROUGH, cannot_run

from xlsxattn import cli
from xlsxattn.checker import engines
from xlsxattn.checker.cells import Area
from xlsxattn.checker.check import check
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading import limits
from xlsxattn.checker.reading.archive import GuardedArchive
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.reading.copies import without_values
from xlsxattn.checker.reading.limits import NotCheckableError, guarded

ROOT = Path(__file__).parents[2]
FLIPS = int(os.environ.get("XLSXATTN_FLIPS", "200" if THOROUGH else "60"))
MEMORY = 2048  # MB


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files, which must be empty after a check.

    If openpyxl is interrupted while it saves a sheet, it removes its file when Python exits.
    """
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert [path for path in folder.iterdir() if not path.name.startswith("openpyxl.")] == []


@pytest.fixture
def target(tmp_path):
    return tmp_path / "hostile.xlsx"


def run(path, *options, seconds=60.0):
    """Run the command in a subprocess with limits on time and memory; return its exit code and output."""
    command = [sys.executable, "-m", "xlsxattn", "check", *options, str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    start = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    clock = threading.Timer(seconds, process.kill)
    clock.start()
    said, sentence = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    clock.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    if os.environ.get("XLSXATTN_TELL"):
        took = time.monotonic() - start
        tell = f"{process.returncode} {took:.1f} s {used.ru_maxrss // 1024} MB"
        print(f"\n{tell} | {sentence.strip() or said.strip().splitlines()[-1]}")
    assert_refused_or_checked(process.returncode, said, sentence)
    assert used.ru_maxrss < MEMORY * 1024
    return process.returncode, said + sentence


def assert_refused_or_checked(code, said, sentence):
    """Assertions for every check."""
    assert code in (0, 1, 2), (code, sentence)
    assert "Traceback" not in said + sentence
    assert "internal error" not in said + sentence
    if code == 2:
        assert sentence.startswith("xlsxattn: ")
        assert sentence.count("\n") == 1
        assert len(sentence) < 700


def quietly(path, monkeypatch, capsys, *options):
    """The same in this process, to save startup time."""
    monkeypatch.setattr(sys, "argv", ["xlsxattn", "check", *options, str(path)])
    with pytest.raises(SystemExit) as leave:
        cli.main()
    out, err = capsys.readouterr()
    assert_refused_or_checked(leave.value.code, out, err)
    return leave.value.code, out + err


REFUSED = {
    "flat bomb": (hostile.flat_bomb, "unpacks to 10,240 MB, the limit is 1,024 MB"),
    "lying bomb": (hostile.lying_bomb, "truncated or damaged: a part of its archive is corrupt"),
    "many parts": (hostile.many_parts, "lists 30,0"),
    "laughs in the workbook": (hostile.laughs, "xl/workbook.xml declares XML entities"),
    "laughs in a sheet": (lambda s, t: hostile.laughs(s, t, hostile.SHEET), "declares XML entities"),
    "laughs in the types": (lambda s, t: hostile.laughs(s, t, hostile.TYPES), "declares XML entities"),
    "laughs in UTF-16": (hostile.utf16_laughs, "xl/workbook.xml is not in UTF-8"),
    "names": (hostile.many_names, "too many defined names, the limit is 20,000"),
    "full sheet": (hostile.full, "too many cells, the limit is 2,000,000"),
    "file": (hostile.large, "is 129 MB in size, the limit is 128 MB"),
    "a long text": (hostile.long_text, "has text that is too long, the limit is 1 MB"),
    "rows without cells": (hostile.many_rows, "rows, names and other XML elements, the limit is 250,000"),
    "one part for many sheets": (hostile.many_uses, "two sheets share the part xl/worksheets/sheet3.xml"),
    "one endless row": (hostile.one_row, "A3000 is a duplicate"),
    "a name over everything": (hostile.covering_name, "the names cover 17,179,"),
    "an array over everything": (hostile.covering_array, "the array formulas cover 17,1"),
    "a long formula shared by many": (
        hostile.shared,
        "has shared formulas of 8,099 characters in 20,001 cells",
    ),
    "locked parts": (hostile.locked, "has encrypted parts"),
    "another compression": (hostile.packed_otherwise, "uses a compression method that .xlsx does not allow"),
    "a million heads": (
        lambda s, t: hostile.manifest(s, t, rb'\{"scale": true', rb'{"heads": 1000000000, "scale": true'),
        "the setting causal.heads cannot be '1000000000'",
    ),
    "settings of the wrong kind": (
        lambda s, t: hostile.manifest(s, t, rb'"scale": true, "mask"', rb'"scale": true, "musk"'),
        "the manifest does not fit the workbook: the settings of 'causal' lack mask",
    ),
    "deep settings": (
        lambda s, t: hostile.manifest(s, t, rb'\{"scale": true', b"[" * 100_000),
        "the manifest on the last sheet is damaged",
    ),
}


MEASURED = ("flat bomb", "lying bomb", "many parts", "names", "full sheet", "one part for many sheets")


@pytest.mark.parametrize("case", REFUSED)
def test_excessive_content_is_refused_before_it_is_parsed(case, causal, target, monkeypatch, capsys):
    make, sentence = REFUSED[case]
    path = make(causal, target)
    code, said = run(path) if case in MEASURED else quietly(path, monkeypatch, capsys)
    assert (code, sentence in said) == (2, True), said


HARMLESS = {
    "nested bomb": hostile.nested_bomb,
    "merged over everything": hostile.merged,
    "cells in the last corner": hostile.wide,
}


@pytest.mark.parametrize("case", HARMLESS)
def test_unused_content_does_no_harm(case, causal, target):
    code, said = run(HARMLESS[case](causal, target))
    assert (code, "agree with NumPy" in said or "0 errors" in said) == (0, True), said


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_nested_parentheses(causal, target, engine):
    engines_there(engine)
    deep = f"={'(' * 8000}1{')' * 8000}"
    path = hostile.formula(causal, target, deep)
    code, said = run(path, "--engine", engine, "--inputs", "as-saved")
    assert code in (1, 2)
    assert code == 1 or engines.calls.TITLES[engine] in said


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_a_product_of_512_million_numbers(causal, target, engine):
    engines_there(engine)
    huge = "=SUM(MMULT($A$3000:$WQJ$18999+1,$A$3000:$WQJ$18999+1))"
    path = hostile.formula(causal, target, huge)
    code, said = run(path, "--engine", engine, "--inputs", "as-saved", seconds=150)
    assert code in (1, 2)
    assert code == 1 or engines.calls.TITLES[engine] in said


@pytest.mark.parametrize("text", ['MAX(C61:G61)W"x"', "MAX(C61:G61))", "MAX(C61:G61", "{", "'", '"'])
def test_invalid_formulas_are_findings(causal, target, monkeypatch, capsys, text):
    code, said = quietly(hostile.replaced(causal, target, "MAX(C61:G61)", text), monkeypatch, capsys)
    assert code in (1, 2)
    assert "causal_chase_RowMax" in said or "IronCalc" in said or "damaged" in said


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_a_circular_reference_is_found(causal, target, engine):
    engines_there(engine)
    path = hostile.replaced(causal, target, "SQRT(COLUMNS(vocab_E))", "causal_Scale+0")
    code, said = run(path, "--engine", engine, "--inputs", "as-saved")
    assert code == 1
    assert "causal_Scale" in said


def engines_there(engine):
    if reason := engines.missing(engine):
        cannot_run(reason)


@pytest.fixture
def server():
    """A local server that records its requests."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"7")

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815 - names of http.server

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}", asked
        served.shutdown()


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", hostile.BOOK, "docProps/app.xml"])
def test_an_external_entity_is_never_fetched(causal, target, server, part):
    url, asked = server
    path = hostile.external_entity(causal, target, f"{url}/secret", part)
    with pytest.raises(NotCheckableError, match="declares XML entities"):
        check(path)
    assert asked == []


LINKS = {
    "web": '=WEBSERVICE("{url}/web")',
    "workbook": "='{url}/[other.xlsx]Sheet1'!$A$1",
    "numbered workbook": "=[1]Sheet1!$A$1",
    "other program": "=soffice|'{url}/topic'!'A1'",
    "DDE": '=DDE("soffice","{url}/x.ods","A1")',
    "picture": '=_xlfn.IMAGE("{url}/x.png")',
}


@pytest.mark.parametrize("case", LINKS)
def test_a_link_is_reported_and_not_passed_to_an_engine(causal, target, server, case):
    url, asked = server
    path = hostile.formula(causal, target, LINKS[case].format(url=url))
    report = check(path)
    assert (Kind.EXTERNAL_LINK, "error") in [(f.kind, f.severity) for f in report.every_finding]
    copy = target.with_name("copy.xlsx")
    without_values(read(path), copy)
    assert "B2000" not in str(hostile.parts_of(copy))
    assert asked == []


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_a_link_is_never_followed(causal, target, server, engine):
    engines_there(engine)
    url, asked = server
    path = hostile.formula(causal, target, LINKS["web"].format(url=url))
    code, said = run(path, "--engine", engine, "--inputs", "as-saved", "--format", "json")
    assert (code, f'"kind": "{Kind.EXTERNAL_LINK}"' in said, asked) == (1, True, []), said


def test_a_name_that_links_is_reported_and_left_out(causal, target, server):
    url, asked = server
    name = f'<definedName name="zz">WEBSERVICE("{url}/name")</definedName></definedNames>'
    path = hostile.edited(causal, target, hostile.BOOK, "</definedNames>", name)
    report = check(path)
    assert [(f.kind, f.range, f.severity) for f in report.every_finding] == [
        (Kind.EXTERNAL_LINK, "zz", "warning")
    ]
    assert asked == []


def test_macros_are_reported_and_not_copied(causal, target):
    report = check(hostile.with_macros(causal, target))
    assert report.holds
    assert [(f.kind, f.severity) for f in report.every_finding] == [(Kind.MACROS, "warning")]
    assert run(target, "--strict")[0] == 1


def test_encrypted(target, monkeypatch, capsys):
    code, said = quietly(hostile.encrypted(target), monkeypatch, capsys)
    assert (code, "encrypted workbook" in said) == (2, True)


@pytest.mark.parametrize("options", [(), ("--skip-foreign",)])
def test_an_archive_of_a_later_version_is_refused(causal, target, monkeypatch, capsys, options):
    content = bytearray(causal.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99  # the version that a reader needs, of the first part
    target.write_bytes(content)
    code, said = quietly(target, monkeypatch, capsys, *options)
    assert (code, "damaged" in said) == (2, True), said


def test_neither_a_folder_nor_a_pipe_is_read(tmp_path):
    pipe = tmp_path / "pipe.xlsx"
    os.mkfifo(pipe)
    for path, right in ((tmp_path, "this is a folder"), (pipe, "this is not a file")):
        code, said = run(path, seconds=10)
        assert (code, right in said) == (2, True), said


@pytest.mark.parametrize("percent", range(0, 100, 5))
def test_truncated(causal, target, monkeypatch, capsys, percent):
    assert quietly(hostile.truncated(causal, target, percent), monkeypatch, capsys)[0] == 2


def test_flipped_bytes(causal, target, monkeypatch, capsys, scratch):
    codes = {0: 0, 1: 0, 2: 0}
    for seed in range(FLIPS):
        start = time.monotonic()
        try:
            codes[quietly(hostile.flipped(causal, target, seed), monkeypatch, capsys)[0]] += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
        assert list(scratch.iterdir()) == [], seed
        assert time.monotonic() - start < 60, seed
    if os.environ.get("XLSXATTN_FLIPS") or os.environ.get("XLSXATTN_TELL"):
        with capsys.disabled():
            print(f"\n{FLIPS} flips, exit codes: {codes}")
    assert codes[2] > FLIPS // 4
    assert codes[0] + codes[1] > FLIPS // 20  # not all files are refused


def test_an_answer_of_more_than_an_eighth_of_the_memory_is_not_read(causal, target):
    path = hostile.formula(causal, target, '=REPT("x",32767)')
    areas = {str(i): Area("Causal attention", 1999, 1, 1, 1) for i in range(2_100)}
    limits = engines.Limits(memory=512 * 1024**2)
    (answer,) = engines.evaluate("ironcalc", [engines.Job(path, areas)], limits)
    assert str(answer) == "IronCalc returned more text than can be read."


# a timer that fires during garbage collection only causes a warning, and fires again
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_time_runs_out(causal):
    """A timeout in the middle of a check ends its engine and removes all temporary files."""
    short = limits.Allowance(seconds=0.15)
    with pytest.raises(NotCheckableError, match=r"stopped after 0\.15 s"), guarded("slow.xlsx", short):
        [check(causal) for _ in range(100)]


def test_limits_are_restored():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(NotCheckableError, match="memory"), guarded("x.xlsx"):
        bytearray(3 * 2**30)
    with guarded("x.xlsx"):
        assert sys.platform != "linux" or resource.getrlimit(resource.RLIMIT_AS) != before
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with pytest.raises(NotCheckableError, match="stopped"), guarded("x.xlsx", limits.Allowance(seconds=0.05)):
        time.sleep(5)


@pytest.mark.parametrize(
    "limit", ["packed", "directory", "unpacked", "text", "cells", "elements", "details", "names"]
)
def test_every_limit_of_the_archive_is_enforced(causal, limit):
    """A valid workbook passes, and fails each limit that is lower than its content."""

    def opened(allowed):
        with GuardedArchive(causal, allowed) as archive:
            for name in archive.namelist():
                archive.open(name).close()

    opened(limits.STANDARD)
    small = limits.Allowance(**{limit: 10})
    if limit == "text":
        small = limits.Allowance(text=-(2**20) + 10)
    with pytest.raises(NotCheckableError, match=r"the limit is"):
        opened(small)


@pytest.mark.parametrize("setting", ["True", "False"])
@pytest.mark.parametrize("part", [hostile.BOOK, hostile.SHEET])
def test_with_either_parser(causal, target, monkeypatch, part, setting):
    """Openpyxl uses lxml if it is installed, and otherwise expat."""
    monkeypatch.setenv("OPENPYXL_LXML", setting)
    code, said = run(hostile.laughs(causal, target, part))
    assert (code, "declares XML entities" in said) == (2, True), said
    assert run(hostile.deep_xml(causal, target, part))[0] in (0, 2)


def test_a_deeply_nested_sheet_is_refused_or_read(causal, target):
    """XML parsers have different depth limits."""
    code, said = run(hostile.deep_xml(causal, target))
    assert code == 0 or (code == 2 and "workbook is damaged" in said)
