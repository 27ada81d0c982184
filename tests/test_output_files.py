"""Where workbooks are written: only to suitable targets, and never over a file that was edited."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from commands import listing, refusal, run
from small_books import (
    cut_short,
    empty_file,
    garbled,
    no_digest,
    of_another_maker,
    one_part_changed,
    one_part_more,
    other_number,
    saved_again,
    spec,
    text_file,
    title,
)

from xlsxattn import press
from xlsxattn.builder import ops

pytestmark = pytest.mark.usefixtures("temporary")


# --- the target -------------------------------------------------------------------------------------------


def test_a_folder_that_does_not_exist_is_refused():
    sentence = refusal("build", spec(), "-o", "nowhere/book.xlsx")
    assert sentence == (
        "nowhere/book.xlsx: the folder nowhere does not exist; create it, or choose another with -o"
    )


def test_a_folder_that_is_a_file_is_refused():
    sentence = refusal("build", spec(), "-o", "spec.toml/book.xlsx")
    assert sentence == "spec.toml/book.xlsx: spec.toml is a file, not a folder"


def test_a_default_folder_that_is_a_file_is_refused():
    Path("output").write_text("mine", "utf-8")
    assert refusal("build", spec()) == "output/spec.xlsx: output is a file, not a folder"


def test_a_target_that_is_a_folder_is_refused():
    Path("book.xlsx").mkdir()
    sentence = refusal("build", spec(), "-o", "book.xlsx")
    assert sentence == "book.xlsx: this is a folder; give the name of a file"


@pytest.mark.parametrize("name", ["book", "book.xls", "book.xlsx.bak", "book.toml", ".xlsx"])
def test_a_target_without_the_suffix_xlsx_is_refused(name):
    assert refusal("build", spec(), "-o", name) == f"{name}: the workbook's name must end in .xlsx"


def test_a_name_too_long_for_the_disk_is_refused():
    name = f"{'x' * 300}.xlsx"
    sentence = refusal("build", spec(), "-o", name)
    assert sentence.startswith("x" * 150)
    assert sentence.endswith("x.xlsx: cannot be written: File name too long")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_that_rejects_files_is_refused():
    sentence = refusal("build", spec(), "-o", "/proc/book.xlsx")
    assert sentence.startswith("/proc/book.xlsx: cannot be written: ")


def test_a_read_only_folder_is_refused(monkeypatch):
    """Also if the tests run as root, who may write anywhere."""

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "mkdir", refuse)
    assert refusal("build", spec(), "-o", "book.xlsx") == "book.xlsx: cannot be written: Permission denied"
    assert refusal("build", spec()) == "output/spec.xlsx: cannot be written: Permission denied"


# --- existing targets -------------------------------------------------------------------------------------


def test_an_unedited_workbook_is_replaced(old):
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert title("book.xlsx") == "Two words"
    assert Path("book.xlsx").read_bytes() != old


CHANGES = [
    other_number, saved_again, one_part_changed, one_part_more, no_digest,
    of_another_maker, text_file, empty_file, cut_short, garbled,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_edited_file_is_kept(old, change):
    change(Path("book.xlsx"))
    changed = Path("book.xlsx").read_bytes()
    assert changed != old
    sentence = refusal("build", spec(), "-o", "book.xlsx")
    assert sentence.startswith("book.xlsx: ")
    assert "use --force to replace it" in sentence
    assert Path("book.xlsx").read_bytes() == changed


@pytest.mark.parametrize("change", [other_number, text_file, garbled], ids=lambda change: change.__name__)
def test_an_edited_file_is_replaced_by_force(old, change):
    change(Path("book.xlsx"))
    assert Path("book.xlsx").read_bytes() != old
    assert run("build", spec(), "-o", "book.xlsx", "--force").code == 0
    assert title("book.xlsx") == "Two words"
    assert run("build", spec("Once more"), "-o", "book.xlsx").code == 0  # as built again: no force needed
    assert title("book.xlsx") == "Once more"


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_is_edited_while_it_is_built_is_kept(monkeypatch, there):
    proved = press._proved

    def edited(final, target):
        target.write_bytes(b"mine")
        return proved(final, target)

    if not there:
        Path("book.xlsx").unlink()
    monkeypatch.setattr(press, "_proved", edited)
    with pytest.raises(press.PressError, match="changed after it was built, so it was not replaced"):
        press.build(Path(spec()), Path("book.xlsx"))
    assert Path("book.xlsx").read_bytes() == b"mine"


@pytest.mark.usefixtures("old")
def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced():
    Path("there").mkdir()
    Path("book.xlsx").rename("there/book.xlsx")
    Path("book.xlsx").symlink_to("there/book.xlsx")
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert Path("book.xlsx").is_symlink()
    assert title("there/book.xlsx") == "Two words"
    Path("loop.xlsx").symlink_to("loop.xlsx")
    assert "Too many levels of symbolic links" in refusal("build", "spec.toml", "-o", "loop.xlsx")


@pytest.mark.usefixtures("old")
def test_a_file_keeps_its_permissions_and_a_read_only_one_its_content():
    Path("book.xlsx").chmod(0o600)
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert Path("book.xlsx").stat().st_mode & 0o777 == 0o600
    Path("book.xlsx").chmod(0o400)
    sentence = "book.xlsx: cannot be written: the file is read-only"
    assert refusal("build", "spec.toml", "-o", "book.xlsx", "--force") == sentence


# --- a proof that fails -----------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["={scores}/{scale}+1", "={scores}/0", "={scores}"])
def test_a_failed_proof_keeps_the_target_and_writes_the_workbook_next_to_it(old, monkeypatch, formula):
    monkeypatch.setattr(ops.attention, "SCALED", replace(ops.attention.SCALED, formula=formula))
    ended = run("build", spec(), "-o", "book.xlsx")
    assert ended.code == 1
    assert Path("book.xlsx").read_bytes() == old
    assert set(listing(Path())) == {"spec.toml", "book.xlsx", "book.failed.xlsx"}
    assert "attn_one_Scaled" in ended.err
    assert ended.err.splitlines()[-1] == (
        "xlsxattn: the proof failed: the workbook is in book.failed.xlsx, book.xlsx is unchanged"
    )
    assert "written:" not in ended.out
    assert run("check", "book.failed.xlsx").code == 1


def test_a_failed_proof_creates_no_target(monkeypatch):
    monkeypatch.setattr(ops.attention, "SCALED", replace(ops.attention.SCALED, formula="={scores}"))
    assert run("build", spec()).code == 1
    assert set(listing(Path())) == {"spec.toml", "output", "output/spec.failed.xlsx"}
