"""Builds: a complete and proved workbook replaces its target, or nothing changes."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import openpyxl
import pytest
from commands import listing, refusal, run
from openpyxl.worksheet.formula import ArrayFormula
from specs import plain

from dev import prebuilt
from xlsxattn import press, templates
from xlsxattn.builder import ops, writer
from xlsxattn.builder.writer import bulk
from xlsxattn.checker.reading import opening
from xlsxattn.checker.reading.limits import Allowance

SPEC = """
title = {title}
[vocabulary.tokens]
cat = [1.0, 0.5]
mouse = [0.0, 2.0]
[contexts]
one = "cat mouse"
[[sheets]]
id = "attn"
title = {title}
[[sheets]]
id = "compare"
kind = "compare"
"""
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def spec(title="Two words", name="spec.toml"):
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    Path(name).write_text(SPEC.format(title=f'"{quoted}"'), "utf-8")
    return name


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Work in an empty folder, with temporary files in another one."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A small workbook as the press made it, from another title."""
    folder = tmp_path_factory.mktemp("earlier")
    (folder / "spec.toml").write_text(SPEC.format(title='"An earlier title"'), "utf-8")
    return press.build(folder / "spec.toml", folder / "book.xlsx").path.read_bytes()


@pytest.fixture
def old(earlier):
    """That workbook at the target of the next build."""
    Path("book.xlsx").write_bytes(earlier)
    return earlier


def title(path):
    """The first text of the first sheet."""
    (first, *_) = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    return next(filter(None, first))


# --- what is built -----------------------------------------------------------------------------------------


def test_the_default_output_folder_is_created_with_only_the_workbook(temporary):
    ended = run("build", spec())
    assert ended.code == 0
    assert set(listing(Path())) == {"spec.toml", "output", "output/spec.xlsx"}
    assert ended.out.startswith("written: output/spec.xlsx\n")
    assert listing(temporary) == {}


def test_an_invalid_spec_creates_no_folder():
    spec()
    Path("spec.toml").write_text("title = 1", "utf-8")
    refusal("build", "spec.toml")
    assert not Path("output").exists()


def test_the_same_spec_gives_the_same_bytes_in_another_place_time_zone_and_process(tmp_path):
    first = press.build(Path(spec()), Path("first.xlsx")).path.read_bytes()
    away = tmp_path / "away"
    away.mkdir()
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    command = [sys.executable, "-m", "xlsxattn", "build", str(Path("spec.toml").absolute())]
    subprocess.run(command, cwd=away, env=environment, check=True, capture_output=True)
    assert (away / "output/spec.xlsx").read_bytes() == first


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(1)", "=cat_Tokens", "{=1}", "#N/A", "TRUE", "1e5", '="x"&1']


def test_words_that_look_like_formulas_or_numbers_are_stored_as_text():
    rows = "\n".join(f"'{word}' = [{i}, 1.0]" for i, word in enumerate(DANGEROUS))
    words = ", ".join(f"'{word}'" for word in DANGEROUS)
    dimensions = "dimensions = ['=2+2', '-d']"
    text = SPEC.format(title='"=1+1"').replace('"cat mouse"', f"[{words}]")
    text = re.sub(r"cat = .*\nmouse = .*", lambda _: rows, text)
    text = text.replace("[vocabulary.tokens]", f"[vocabulary]\n{dimensions}\n[vocabulary.tokens]")
    Path("spec.toml").write_text(text, "utf-8")
    assert run("build", "spec.toml", "-o", "book.xlsx").code == 0
    book = openpyxl.load_workbook("book.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    texts = [cell.value for cell in cells if cell.data_type == "s"]
    assert [word for word in [*DANGEROUS, "=2+2", "-d"] if word not in texts] == []
    entered = [
        cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value
        for cell in cells
        if cell.data_type == "f"
    ]
    assert [word for word in [*DANGEROUS, "=2+2"] if word in entered] == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "=Start", "-", "=A1:B2"])
def test_titles_that_look_like_formulas_are_stored_as_text(text):
    assert run("build", spec(text), "-o", "book.xlsx").code == 0
    book = openpyxl.load_workbook("book.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == text]
    assert len(cells) >= 3  # on Start: the title, a box, a label; and the title of the sheet
    assert {cell.data_type for cell in cells} == {"s"}
    assert book.properties.title == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 248, id="248 characters"),
        pytest.param(
            "x" * 255,
            id="255 characters",
        ),
        pytest.param("x" * 31, id="as long as a tab's name"),
        pytest.param("y" * 40, id="longer than a tab's name"),
        pytest.param("[a]:*?/\\b", id="illegal in a tab's name"),
        pytest.param("[]:*?/\\", id="nothing legal in a tab's name"),
        pytest.param("'quoted'", id="quotes at the ends"),
        pytest.param("What's new", id="a quote inside"),
        pytest.param(
            "Attention!",
            id="an exclamation mark",
        ),
        pytest.param("Start", id="the first tab"),
        pytest.param("cONTRACT", id="the last tab, in other case"),
        pytest.param("inputs", id="the second tab, in other case"),
        pytest.param("Compare", id="another sheet"),
        pytest.param("History", id="reserved by Excel"),
        pytest.param("😀" * 20, id="emoji"),
        pytest.param("中文 عربي ß", id="other scripts"),
        pytest.param('<a href="&amp;">&P %s {0}', id="marks of other languages"),
        pytest.param("A1", id="an address"),
    ],
)
def test_any_title_builds_proves_and_has_a_tab_that_excel_takes(text):
    ended = run("build", spec(text), "-o", "book.xlsx", "-q")
    assert (ended.code, ended.err) == (0, "")
    assert title("book.xlsx") == text
    tabs = openpyxl.load_workbook("book.xlsx").sheetnames
    assert len({tab.casefold() for tab in tabs} - {"history"}) == len(tabs) == 7
    for tab in tabs:
        assert 1 <= len(tab.encode("utf-16-le")) // 2 <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$", tab)


def test_a_comparison_with_one_sentence_compares_nothing_and_says_so_once():
    ended = run("build", spec(), "-o", "book.xlsx")
    assert ended.err.count("'cat' is in only one sentence, so nothing is compared.") == 1
    saved = openpyxl.load_workbook("book.xlsx", data_only=True)
    ((tab, place),) = saved.defined_names["compare_Status"].destinations
    assert saved[tab][place].value == "– only one sentence contains “cat”: nothing to compare"


def test_the_lines_of_a_chart_are_straight():
    alike = {"id": "enc", "kind": "encoder", "similarity": True}
    press.build(plain([3, 2], 2, alike), Path("alike.xlsx"))
    with zipfile.ZipFile("alike.xlsx") as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]
    (lines,) = [xml for xml in charts if "<c:lineChart>" in xml]
    assert re.findall(r"<c:smooth [^>]*>|</c:ser>", lines) == ['<c:smooth val="0"/>', "</c:ser>"] * 2


# --- the target --------------------------------------------------------------------------------------------


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


# --- existing targets --------------------------------------------------------------------------------------


def test_an_unedited_workbook_is_replaced(old):
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert title("book.xlsx") == "Two words"
    assert Path("book.xlsx").read_bytes() != old


def other_number(path):
    book = openpyxl.load_workbook(path)
    book["Inputs"].cell(1, 12).value = 7
    book.save(path)


def saved_again(path):
    openpyxl.load_workbook(path).save(path)


def one_part_changed(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/sharedStrings.xml"] = parts["xl/sharedStrings.xml"].replace(b"mouse", b"house")
    rewritten(path, parts)


def one_part_more(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/notes.xml", "<mine/>")


def no_digest(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if "custom" not in name}
    rewritten(path, parts)


def rewritten(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def of_another_maker(path):
    openpyxl.Workbook().save(path)


def text_file(path):
    path.write_text("my notes", "utf-8")


def empty_file(path):
    path.write_bytes(b"")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-2000])


def garbled(path):
    """The directory of the archive is intact, but the content is not."""
    content = bytearray(path.read_bytes())
    content[60:160] = b"\xff" * 100
    path.write_bytes(content)


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


# --- a proof that fails ------------------------------------------------------------------------------------


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


# --- when the disk fills -----------------------------------------------------------------------------------


def full(*_, **__):
    raise FULL


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(os, "mkdir", id="making the folder"),
        pytest.param(zipfile.ZipFile, "writestr", id="packing"),
        pytest.param(os, "fsync", id="flushing"),
        pytest.param(Path, "replace", id="putting in place"),
    ],
)
def test_a_full_disk_keeps_the_old_workbook_and_leaves_nothing(old, temporary, monkeypatch, owner, name):
    spec()
    monkeypatch.setattr(owner, name, full)
    assert refusal("build", "spec.toml", "-o", "book.xlsx") == (
        "book.xlsx: cannot be written: the disk is full"
    )
    assert Path("book.xlsx").read_bytes() == old
    assert listing(temporary) == {}


def test_a_full_disk_of_temporary_files_is_named(old, temporary, monkeypatch):
    monkeypatch.setattr(writer, "write", full)
    assert refusal("build", spec(), "-o", "book.xlsx") == (
        f"{temporary}: the disk is full; TMPDIR=FOLDER chooses another folder for temporary files"
    )
    assert Path("book.xlsx").read_bytes() == old


IN_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size={kilobytes}k{options} tmpfs disk
[ -n "{options}" ] || cp book.xlsx disk/
"$@" || echo "code $?"
find disk -type f
[ -n "{options}" ] || cmp book.xlsx disk/book.xlsx
"""


def on_a_disk_of_its_own(kilobytes, options=""):
    """Build onto a small disk that is mounted only for this process."""
    Path("disk").mkdir()
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        subprocess.run([*alone, "mount", "-t", "tmpfs", "tmpfs", "disk"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system mounts no disk for a test")
    script = IN_A_SMALL_DISK.format(kilobytes=kilobytes, options=options)
    command = [sys.executable, "-m", "xlsxattn", "build", "encoder", "-o", "disk/book.xlsx"]
    return subprocess.run(
        [*alone, "sh", "-c", script, "sh", *command], capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize("kilobytes", [40, 64, 104])
def test_a_really_full_disk_keeps_the_old_workbook(old, kilobytes):
    assert len(old) < 40 * 1024
    ended = on_a_disk_of_its_own(kilobytes)
    assert ended.stdout == "code 2\ndisk/book.xlsx\n"
    assert ended.stderr == "xlsxattn: disk/book.xlsx: cannot be written: the disk is full\n"


def test_a_read_only_disk_is_refused():
    ended = on_a_disk_of_its_own(1000, ",ro")
    assert ended.stdout == "code 2\n"
    assert ended.stderr == "xlsxattn: disk/book.xlsx: cannot be written: Read-only file system\n"


# --- when the process ends ---------------------------------------------------------------------------------


PAUSED = """
import os, sys, time, zipfile
from xlsxattn import cli, press
from xlsxattn.checker import check, engines

def pause(*_, **__):
    print("paused", flush=True)
    time.sleep(60)

setattr({owner}, "{name}", pause)
cli.main()
"""
STAGES = {
    "writing": ("press.writer", "write"),
    "packing": ("zipfile.ZipFile", "write"),
    "recalculating": ("engines", "evaluate_edited"),
    "flushing": ("os", "fsync"),
    "proving": ("check", "check"),
}


@contextmanager
def paused(stage, temporary):
    """A build of book.xlsx in a separate process that waits at a stage."""
    owner, name = STAGES[stage]
    script, environment = PAUSED.format(owner=owner, name=name), {**os.environ, "TMPDIR": str(temporary)}
    command, pipe = [sys.executable, "-c", script, "build", spec(), "-o", "book.xlsx"], subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "paused\n", process.communicate()
        yield process


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_build_keeps_the_old_workbook_and_the_next_one_cleans_up(old, temporary, stage):
    with paused(stage, temporary) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert Path("book.xlsx").read_bytes() == old
    assert list(Path().glob(".xlsxattn-*")) != []
    assert list(temporary.glob(".xlsxattn-*")) != []
    assert run("build", "spec.toml", "-o", "another.xlsx").code == 0
    assert set(listing(Path())) == {"spec.toml", "book.xlsx", "another.xlsx"}
    assert Path("book.xlsx").read_bytes() == old
    assert list(temporary.glob(".xlsxattn-*")) == []


@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupted_build_reports_it_and_leaves_nothing(old, temporary, stage):
    with paused(stage, temporary) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err.strip()) == (130, "", "xlsxattn: interrupted")
    assert set(listing(Path())) == {"spec.toml", "book.xlsx"}
    assert Path("book.xlsx").read_bytes() == old
    assert listing(temporary) == {}


@pytest.mark.parametrize("place", ["bulk.Packer._filled", "packing.PackingArchive.copy", "packing.joined"])
def test_an_interrupt_while_writing_numbers_leaves_nothing(old, temporary, monkeypatch, place):
    def stop(*_, **__):
        raise KeyboardInterrupt

    name = spec()
    Path(name).write_text(
        f'{SPEC.format(title=1)}[[sheets]]\nid = "enc"\nkind = "encoder"\n'.replace("title = 1", ""), "utf-8"
    )
    monkeypatch.setattr(bulk, "MIN_COUNT", 1)
    monkeypatch.setattr(f"xlsxattn.builder.writer.{place}", stop)
    ended = run("build", name, "-o", "book.xlsx")
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "xlsxattn: interrupted")
    assert set(listing(Path())) == {"spec.toml", "book.xlsx"}
    assert Path("book.xlsx").read_bytes() == old
    assert listing(temporary) == {}
    monkeypatch.undo()


def test_files_of_a_running_build_are_not_removed():
    folder, odd = Path(f".xlsxattn-{os.getpid()}-abc"), Path(".xlsxattn-notes")
    folder.mkdir()
    odd.write_text("mine", "utf-8")
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert set(listing(Path())) == {"spec.toml", "book.xlsx", str(folder), str(odd)}


def test_files_of_another_computer_are_removed_after_a_day():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    new, old = (Path(f".xlsxattn-{gone.pid}-elsewhere-{name}") for name in ("new", "old"))
    for folder in (new, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert set(listing(Path())) == {"spec.toml", "book.xlsx", str(new)}


def test_leftovers_that_cannot_be_removed_do_not_stop_a_build():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    Path(f".xlsxattn-{gone.pid}-abc/deep").mkdir(parents=True)
    Path(f".xlsxattn-{gone.pid}-file").write_text("mine", "utf-8")
    assert run("build", spec(), "-o", "book.xlsx").code == 0
    assert set(listing(Path())) == {"spec.toml", "book.xlsx", f".xlsxattn-{gone.pid}-file"}


# --- check -------------------------------------------------------------------------------------------------


def version_2(path):
    book = openpyxl.load_workbook(path)
    tab, address = next(book.defined_names["xlsxattn_Version"].destinations)
    book[tab][address].value = 2
    book.save(path)


def no_manifest(path):
    book = openpyxl.load_workbook(path)
    del book.defined_names["xlsxattn_Formulas"]
    book.save(path)


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (Path.unlink, "there is no such file"),
        (a_folder, "this is a folder"),
        (text_file, "this is not an .xlsx workbook"),
        (empty_file, "this file is empty: build or download it again"),
        (cut_short, "this file is truncated or damaged: the end of its archive is missing"),
        (garbled, "the workbook is damaged"),
        (of_another_maker, "made by another program; xlsxattn checks only workbooks that it has built"),
        (no_manifest, "the name xlsxattn_Formulas on the last sheet (Contract) is missing"),
        (version_2, "xlsxattn_Version is 2"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("engine", ["ironcalc", "saved", "all"])
def test_check_refuses_other_files_in_one_sentence(old, change, right, engine):
    assert old
    change(Path("book.xlsx"))
    sentence = refusal("check", "book.xlsx", "--engine", engine)
    assert sentence.startswith(f"book.xlsx: {right}")


def test_check_does_not_trust_missing_values(old):
    assert old
    assert run("check", "book.xlsx", "--engine", "saved").code == 0
    saved_again(Path("book.xlsx"))
    sentence = refusal("check", "book.xlsx", "--engine", "saved")
    assert sentence == "book.xlsx: the file has no saved values; recalculate and save it first"
    assert run("check", "book.xlsx").code == 0  # an engine needs no saved values


@pytest.mark.parametrize("worst", [0, 1, 2])
def test_the_worst_file_determines_the_exit_code(old, worst):
    for name in ("good.xlsx", "wrong.xlsx"):
        Path(name).write_bytes(old)
    book = openpyxl.load_workbook("wrong.xlsx")
    tab, address = next(book.defined_names["attn_Scale"].destinations)
    book[tab][address].value = 3
    book.save("wrong.xlsx")
    files = ["good.xlsx", "wrong.xlsx", "missing.xlsx"][: worst + 1]
    for order in permutations(files):
        ended = run("check", *order)
        assert ended.code == worst
        assert "good.xlsx: all" in ended.out
        assert bool(re.search(r"^wrong\.xlsx: \d+ errors?", ended.out, re.MULTILINE)) == (worst > 0)
        assert ended.err == ("xlsxattn: missing.xlsx: there is no such file\n" if worst > 1 else "")


@pytest.mark.parametrize(
    ("module", "limit", "said"),
    [
        ("opening", "names", "the workbook has too many defined names, the limit is 3"),
        ("book", "area", r"the array formulas cover [\d,]+ cells, the limit is 3"),
        ("manifest", "area", r"its sheets would need [\d,]+ scores, the limit is 3"),
    ],
)
def test_a_workbook_beyond_a_limit_is_not_built(old, temporary, monkeypatch, module, limit, said):
    small = Allowance(**{limit: 3})
    if module == "opening":
        monkeypatch.setattr(opening.load, "__defaults__", (small,))
    else:
        monkeypatch.setattr(f"xlsxattn.checker.reading.{module}.STANDARD", small)
    sentence = refusal("build", spec(), "-o", "book.xlsx")
    assert re.fullmatch(rf"book\.xlsx: {said}; .*; use a smaller spec", sentence), sentence
    assert Path("book.xlsx").read_bytes() == old
    assert listing(temporary) == {}


def test_check_writes_nothing(old, temporary):
    before = listing(Path())
    assert run("check", "book.xlsx").code == 0
    assert listing(Path()) == before == {"book.xlsx": old}
    assert listing(temporary) == {}


def test_a_template_is_not_changed_by_a_build():
    before = listing(templates.folder())
    for name in ("causal", "glove"):  # the latter with a data file
        assert run("build", name).code == 0
    assert listing(templates.folder()) == before
    assert set(listing(Path())) == {"output", "output/causal.xlsx", "output/glove.xlsx"}


@pytest.mark.parametrize("name", templates.names())
def test_every_template_is_proved(name):
    prebuilt.build(name, Path("book.xlsx"))
