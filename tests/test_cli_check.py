"""Messages of ``check`` for foreign workbooks and other files; a full disk; --debug."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from commands import refusal, run

from xlsxattn.checker.reading.book import NotCheckableError, read
from xlsxattn.checker.reading.file_type import is_foreign

PROGRAM = Path(sys.executable).with_name("xlsxattn")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stranger(name: str = "budget.xlsx") -> Path:
    book = openpyxl.Workbook()
    book["Sheet"]["A1"] = "=1+1"
    book.save(name)
    return Path(name)


def without_contract(source: Path, *, names: bool = True, digest: bool = True) -> Path:
    """A workbook of xlsxattn without its last sheet, optionally without the names on it and its property."""
    book = openpyxl.load_workbook(source)
    del book["Contract"]
    for name in [] if names else [name for name in book.defined_names if name.startswith("xlsxattn_")]:
        del book.defined_names[name]
    for prop in [] if digest else [*book.custom_doc_props.names]:
        del book.custom_doc_props[prop]
    book.save("lost.xlsx")
    return Path("lost.xlsx")


# --- foreign workbooks -------------------------------------------------------------------------------------


def test_foreign_workbooks_are_skipped_and_listed_with_the_option(causal):
    ended = run("check", "--skip-foreign", causal, stranger())
    assert ended.code == 0
    assert "budget.xlsx: skipped, made by another program" in ended.out.splitlines()
    tally = "2 files: 1 hold, 0 fail, 0 not checkable, 1 skipped (made by other programs)"
    assert ended.out.splitlines()[-1] == tally
    assert refusal("check", "budget.xlsx").startswith("budget.xlsx: made by another program")


def test_machine_readable_reports_list_foreign_workbooks():
    ended = run("check", "--skip-foreign", "--format", "json", stranger())
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["files"][0]["verdict"] == "skipped"


def test_a_quiet_check_counts_foreign_workbooks(causal):
    ended = run("check", "-q", "--skip-foreign", stranger(), causal)
    assert (ended.code, ended.err) == (0, "")
    (tally,) = ended.out.splitlines()
    assert tally.endswith("1 skipped (made by other programs)")


@pytest.mark.parametrize(("names", "digest"), [(True, True), (False, True), (True, False), (False, False)])
def test_a_workbook_without_its_contract_is_not_foreign(causal, names, digest):
    path = without_contract(causal, names=names, digest=digest)
    sentence = refusal("check", "--skip-foreign", path)
    assert sentence.startswith("lost.xlsx: its last sheet (Contract), ")
    assert "was deleted: use an earlier copy, or build it again" in sentence


@pytest.mark.parametrize("mark", ["the property", "xlsxattn_", "vocab_", ""])
def test_each_mark_alone_identifies_a_workbook_of_xlsxattn(causal, mark):
    """A workbook has all of them, so each is tested alone."""
    book = openpyxl.load_workbook(causal)
    for name in [name for name in book.defined_names if not mark or not name.startswith(mark)]:
        del book.defined_names[name]
    for prop in [*book.custom_doc_props.names] if mark != "the property" else []:
        del book.custom_doc_props[prop]
    del book["Contract"]
    book.save("lost.xlsx")
    assert is_foreign(Path("lost.xlsx")) == (not mark)


def test_a_file_that_is_not_a_workbook_is_not_foreign():
    for content in (b"", b"text", b"PK\x03\x04 cut short"):
        Path("x.xlsx").write_bytes(content)
        assert not is_foreign(Path("x.xlsx"))
        assert run("check", "--skip-foreign", "x.xlsx").code == 2
    assert not is_foreign(Path("gone.xlsx"))


# --- reasons -----------------------------------------------------------------------------------------------


def archive(*parts: str) -> bytes:
    with zipfile.ZipFile("x.xlsx", "w") as made:
        for part in parts:
            made.writestr(part, "<a/>")
    return Path("x.xlsx").read_bytes()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (lambda _: b"", "this file is empty: build or download it again"),
        (lambda _: b"my notes", "this is not an .xlsx workbook: save it as .xlsx in a spreadsheet program"),
        (
            lambda _: POINTER,
            "this is a Git LFS pointer instead of the workbook; get the workbook with: git lfs pull",
        ),
        (
            lambda good: good[: len(good) // 2],
            (
                "this file is truncated or damaged: the end of its archive is missing; "
                "download or build it again"
            ),
        ),
        (
            lambda _: archive("mimetype", "content.xml"),
            "this is an OpenDocument file (.ods): save it as .xlsx",
        ),
        (lambda _: archive("xl/workbook.bin"), "this is a binary workbook (.xlsb): save it as .xlsx"),
        (lambda _: archive("word/document.xml"), "this is a text document (.docx), not a workbook"),
        (
            lambda _: archive("a.txt"),
            "this is an archive without a workbook: save the workbook as .xlsx",
        ),
    ],
)
def test_other_file_types_are_named(causal, content, why):
    Path("x.xlsx").write_bytes(content(causal.read_bytes()))
    assert refusal("check", "x.xlsx") == f"x.xlsx: {why}"


def test_an_unreadable_file_is_reported(causal, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(NotCheckableError) as said:
        read(causal)
    assert str(said.value) == f"{causal}: it cannot be read: Permission denied; check its permissions"


# --- reports -----------------------------------------------------------------------------------------------


def test_a_report_is_written_in_addition_to_the_output(causal):
    printed = run("check", causal, "--report", "a.json")
    assert printed == run("check", causal, "--report", "b.xml") == run("check", causal)
    assert json.loads(Path("a.json").read_text("utf-8"))["summary"]["hold"] == 1
    assert Path("b.xml").read_text("utf-8").startswith("<?xml")
    assert refusal("check", causal, "--report", "a.txt").startswith("a.txt: ")
    assert run("check", causal, "--report", "gone/a.json").code == 2


# --- the terminal ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("words", [["check"], ["show"], ["check", "--format", "json"]])
def test_a_full_disk_is_one_sentence(causal, words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, *words, causal], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    assert done.returncode == 2
    sentence = "cannot write to standard output or to temporary files: No space left on device"
    assert done.stderr == f"xlsxattn: {sentence}\n"


@pytest.mark.parametrize("words", [["--debug", "check"], ["check", "--debug"]], ids=" ".join)
def test_debug_may_precede_or_follow_a_command(causal, monkeypatch, words):
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("as if")

    monkeypatch.setattr("xlsxattn.checker.check.check", failing)
    ended = run(*words, causal)
    assert ended.code == 2
    assert "Traceback" in ended.err
    assert ended.err.endswith("xlsxattn: internal error: RuntimeError: as if (--debug shows more)\n")
