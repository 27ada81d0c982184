"""Ctrl-C during an import: one sentence, and no partial file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import checkpoints
import pytest
from commands import listing
from conftest import import_library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

import_library("tokenizers", "models")
pty = pytest.importorskip("pty", reason="this system has no terminals")

PAUSED = """
import sys, time
from xlsxattn import cli, press
from xlsxattn.builder.writer import bulk
from xlsxattn.checker import check
from xlsxattn.checker.engines import processes
from xlsxattn.cli import progress
from xlsxattn.weights import model

def pause(*_, seconds=20, **__):
    time.sleep(0.3)  # so that the bar is there
    print("paused", file=sys.__stdout__, flush=True)  # the bar takes what is printed otherwise
    time.sleep(seconds)

def on_the_way(_, xml, band):
    yield xml
    bulk.Packer._filled = rest  # another thread packs on
    pause(seconds=1)

def rest(_, xml, band):
    yield xml

progress.SOON, bulk.MIN_COUNT = 0.01, 50
{owner} = {what}
cli.main()
"""
STAGES = {
    "reading weights": ("model._weights", "pause"),
    "computing the omitted layers": ("model.streams", "pause"),
    "waiting for the engine": ("processes._ended", "pause"),
    "among numbers": ("bulk.Packer._filled", "on_the_way"),
    "sealing": ("press._seal", "pause"),
    "proving": ("check.prove", "pause"),
}
OLDER = b"an older file"


@pytest.fixture
def ended(tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Interrupt an import in a stage; return exit code, standard output and error."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    temporary.mkdir()
    checkpoints.write(work / "tiny", checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    (work / "book.xlsx").write_bytes(OLDER)
    before = listing(work)

    def interrupted(stage: str, errors: int) -> tuple[int, str]:
        owner, what = STAGES[stage]
        options = ["--sentence", "w3 w5 w4 w9", "--layers", "1", "-o", "book.xlsx", "--force"]
        command = [sys.executable, "-c", PAUSED.format(owner=owner, what=what), "import", "tiny", *options]
        environment = {**os.environ, "TMPDIR": str(temporary), "TERM": "xterm"}
        with subprocess.Popen(
            command, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            assert process.stdout
            paused, made = process.stdout.readline(), list(temporary.iterdir())
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
        assert paused == "paused\n"
        assert made or stage in list(STAGES)[:2]
        assert listing(work) == before
        assert listing(temporary) == {}
        return process.returncode, rest

    return interrupted


@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupted_import_reports_it_and_leaves_nothing(
    stage: str, ended: Callable, tmp_path: Path
) -> None:
    with (tmp_path / "errors").open("w+") as errors:
        assert ended(stage, errors.fileno()) == (130, "")
        errors.seek(0)
        *told, last = filter(None, errors.read().splitlines())
    assert last == "xlsxattn: interrupted"
    sized = [line for line in told if line.startswith("tiny: the workbook will have ")]
    assert len(sized) == (stage not in list(STAGES)[:2])


@pytest.mark.parametrize("stage", ["reading weights", "among numbers"])
def test_on_a_terminal_the_progress_bar_is_removed(stage: str, ended: Callable) -> None:
    ours, theirs = pty.openpty()
    read = list[bytes]()

    def listen() -> None:
        with suppress(OSError):  # Linux reports the end of the stream as an error
            while some := os.read(ours, 1 << 16):
                read.append(some)

    (listener := Thread(target=listen, daemon=True)).start()
    try:
        assert ended(stage, theirs) == (130, "")
    finally:
        os.close(theirs)
        listener.join(10)
        os.close(ours)
    said = b"".join(read).decode()
    assert "━" in said  # the bar
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h") > 0  # the cursor: hidden, shown again
    assert said.rpartition("\x1b[2K")[2].strip() == "xlsxattn: interrupted"
