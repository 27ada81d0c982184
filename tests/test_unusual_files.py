"""Workbooks damaged by other programs, unusual files to read from and write to, and unusual names."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from commands import refusal, run

import xlsxattn
from xlsxattn import templates
from xlsxattn.checker import engines
from xlsxattn.checker.reading.file_type import is_foreign
from xlsxattn.language import MAX_MESSAGE_LENGTH, language, message

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).with_name("xlsxattn")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def command(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *map(str, words)], text=True, capture_output=True, check=False, timeout=120, **options
    )


def copied(source: Path) -> Path:
    """A copy of all texts and numbers, cell by cell, as scripts make it: formulas become values."""
    old, new = openpyxl.load_workbook(source, data_only=True), openpyxl.Workbook()
    new.remove(new.active)
    for sheet in old:
        other = new.create_sheet(sheet.title)
        for row in sheet:
            for cell in row:
                other[cell.coordinate] = cell.value
    new.save("copied.xlsx")
    return Path("copied.xlsx")


def test_a_workbook_with_only_values_is_not_foreign_and_fails(causal):
    path = copied(causal)
    assert not is_foreign(path)
    for options in ((), ("--skip-foreign",), ("--skip-foreign", "-q")):
        ended = run("check", *options, path)
        assert (ended.code, ended.out.count("\n"), ended.err) == (1, 1, "")
        assert ended.out.startswith("copied.xlsx: ")
    (finding,) = xlsxattn.check(path).every_finding
    assert finding.kind == "formulas lost"


def test_lost_formulas_are_one_cause(causal):
    openpyxl.load_workbook(causal, data_only=True).save("values.xlsx")
    (finding,) = xlsxattn.check("values.xlsx").every_finding
    assert (finding.kind, finding.severity) == ("formulas lost", "error")


def test_lost_names_are_reported(causal):
    book = openpyxl.load_workbook(causal)
    for name in [*book.defined_names]:
        del book.defined_names[name]
    book.save("nameless.xlsx")
    assert refusal("check", "--skip-foreign", "nameless.xlsx").startswith(
        "nameless.xlsx: the defined names that locate its ranges are missing"
    )


def test_excels_owner_file_is_skipped_and_named(causal):
    Path("~$lesson.xlsx").write_bytes(b"\x05Somebody" + bytes(150))
    ended = run("check", "~$lesson.xlsx", causal, "--inputs", "as-saved")
    assert ended.code == 0
    assert (
        "~$lesson.xlsx: skipped, an owner file that Excel creates next to an open workbook"
        in ended.out.splitlines()
    )
    assert ended.out.splitlines()[-1] == "2 files: 1 hold, 0 fail, 0 not checkable, 1 skipped"


def test_pipes_are_refused_without_reading():
    for name in ("pipe.toml", "pipe.xlsx"):
        os.mkfifo(name)
    for words in (("build", "pipe.toml"), ("build", "causal", "-o", "pipe.xlsx"), ("check", "pipe.xlsx")):
        ended = command(*words)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.endswith("this is not a file\n")


def test_a_closed_standard_error_does_no_harm():
    ended = subprocess.run(
        ["sh", "-c", f"{PROGRAM} build causal -o lesson.xlsx 2>&-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, "written: lesson.xlsx")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_text_can_be_written_in_any_encoding(causal, encoding):
    name = "caf\udce9.xlsx"  # a byte that is no UTF-8
    Path(name).write_bytes(causal.read_bytes())
    environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict"}
    for words in (("show", name), ("check", name, "--inputs", "as-saved"), ("show", name, "--list")):
        ended = command(*words, env=environment)
        assert (ended.returncode, ended.stderr.count("internal error")) == (0, 0), ended.stderr


def test_a_title_with_half_a_character_is_refused_in_one_sentence():
    spec = templates.path("causal").read_text("utf-8")
    data = tomllib.loads(spec) | {"title": "half \ud83d"}
    with pytest.raises(xlsxattn.SpecError, match=r"title: contains the control character U\+D83D"):
        xlsxattn.build(data, "lesson.xlsx")


def test_a_full_disk_is_reported_for_any_writer(monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("xlsxwriter.workbook.ZipFile", full)
    sentence = (
        f"{tempfile.gettempdir()}: the disk is full; TMPDIR=FOLDER chooses another folder for temporary files"
    )
    assert refusal("build", "causal", "-o", "lesson.xlsx") == sentence


def test_a_report_is_complete_or_not_written(causal, monkeypatch):
    written = Path.write_text

    def half(path: Path, text: str, encoding: str) -> None:
        if path.name == "order.json":  # of an engine
            written(path, text, encoding)
            return
        path.write_bytes(text.encode(encoding)[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    Path("report.json").write_text("older", "utf-8")
    monkeypatch.setattr(Path, "write_text", half)
    ended = run("check", causal, "--inputs", "as-saved", "--report", "report.json")
    assert "report.json: cannot be written: No space left on device" in ended.err
    assert Path("report.json").read_text("utf-8") == "older"


def test_a_preview_replaces_no_other_file_and_keeps_links(causal):
    Path("page.html.part").write_text("mine", "utf-8")
    Path("there").mkdir()
    Path("page.html").symlink_to("there/page.html")
    long = f"{'x' * 250}.html"
    for name in ("page.html", long):
        assert run("preview", causal, "-o", name).code == 0
    assert Path("page.html").is_symlink()
    there = {"page.html", "page.html.part", "there", long}
    assert {path.name for path in Path().iterdir()} == there
    os.mkfifo("pipe.html")
    assert refusal("preview", causal, "-o", "pipe.html").endswith("cannot be written: this is not a file")


def test_another_engine_is_suggested_if_it_can_be_chosen(causal, monkeypatch):
    def failing(*_: object, **__: object) -> Iterator[engines.EngineFailed]:
        yield engines.EngineFailed("IronCalc took too long.")

    monkeypatch.setattr("xlsxattn.checker.engines.evaluate_edited", failing)
    assert refusal("check", causal).endswith("IronCalc took too long. Try --engine libreoffice.")
    monkeypatch.setattr("xlsxattn.precompute.evaluated", lambda *_: {})
    assert "--engine" not in run("build", "causal", "-o", "lesson.xlsx").err


def test_messages_are_short_and_show_every_character():
    shown = message("a\x1b[31m\u200bb\u202ec\udcffd" + 1000 * "x" + " the end")
    assert len(shown) == MAX_MESSAGE_LENGTH
    assert shown.startswith(r"a\x1b[31m\u200bb\u202ec\udcffdxxx")
    assert shown.endswith("xxx the end")
    long = refusal("check", "no\x07 such\u200b file " + 200 * "x" + "/" + 200 * "y" + ".xlsx")
    assert len(long) <= MAX_MESSAGE_LENGTH
    assert r"no\x07 such\u200b file" in long


def test_a_title_that_looks_like_a_placeholder_is_shown():
    data = tomllib.loads(templates.path("causal").read_text("utf-8"))
    xlsxattn.build(data | {"title": "{{data}} {{script}}"}, "lesson.xlsx")
    assert run("preview", "lesson.xlsx", "-o", "page.html").code == 0
    assert Path("page.html").read_text("utf-8").count("<title>{{data}} {{script}}</title>") == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: xlsxattn.build(None, "x.xlsx"),
            "source: found None, expected a spec, a dictionary, a file or",
        ),
        (lambda: xlsxattn.build("s" * 300, "x.xlsx"), "there is no template"),
        (lambda: xlsxattn.check("x.xlsx", seed="7"), "seed: found '7', expected an integer of at least 0"),
        (lambda: xlsxattn.check("x.xlsx", seed=-1), "seed: found -1, expected an integer"),
    ],
)
def test_wrong_arguments_of_the_api_are_named(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()


def test_a_link_to_itself_is_not_suggested_instead(tmp_path):
    link = tmp_path / "lesson.xlsx"
    link.symlink_to(link)
    with pytest.raises(xlsxattn.NotCheckableError, match=r"there is no such file$"):
        xlsxattn.check(link)


def test_errors_of_the_api_are_short_and_can_be_translated(tmp_path):
    """Values are shortened, not the sentence, so that both its start and its end are shown."""
    file = tmp_path / ("x" * 200) / ("y" * 200) / "lesson.xlsx"
    with pytest.raises(xlsxattn.NotCheckableError) as missing:
        xlsxattn.check(file)
    with pytest.raises(xlsxattn.SpecError) as spec:
        xlsxattn.build({"vocabulary": {"tokens": {"w": [1.0]}}, "z" * 5_000: 1}, tmp_path / "x.xlsx")
    with pytest.raises(ValueError, match="expected one of") as engine:
        xlsxattn.check(file, engine="e" * 5_000)
    with pytest.raises(xlsxattn.SpecError, match="cannot be read") as long:
        xlsxattn.build(f"{'s' * 300}.toml", tmp_path / "x.xlsx")
    for error in (missing.value, spec.value, engine.value, long.value):
        assert len(str(error)) <= MAX_MESSAGE_LENGTH
    assert str(missing.value).endswith("there is no such file")
    assert "没有这个键" in language("zh").tell(str(spec.value))
