"""Builds whose disk fills or whose process ends: the old workbook stays, and nothing is left over."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import listing, refusal, run
from small_books import SPEC, spec

from xlsxattn.builder import writer
from xlsxattn.builder.writer import bulk

pytestmark = pytest.mark.usefixtures("temporary")

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# --- when the disk fills ----------------------------------------------------------------------------------


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


# --- when the process ends --------------------------------------------------------------------------------
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


# --- leftovers of other builds ----------------------------------------------------------------------------


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
