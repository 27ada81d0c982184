"""Signals end a command in one sentence, whenever they come, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BUILDING = """
import time
from xlsxattn import cli, press
def pause(*_):
    print("paused", flush=True)
    time.sleep(20)
press._seal = pause
cli.main()
"""
LOADING = """
import sys, time
from xlsxattn import cli
class Slow:
    def find_spec(self, name, *_):
        if name == "xlsxattn.cli.commands":
            print("paused", flush=True)
            time.sleep(20)
sys.meta_path.insert(0, Slow())
cli.main()
"""
IN_A_DESTRUCTOR = """
import time
from xlsxattn import cli, press
class Late:
    def __del__(self):
        print("paused", flush=True)
        time.sleep(20)
def pause(*_):
    Late()
    time.sleep(1)
press._seal = pause
cli.main()
"""
BUILD = ("build", "causal", "-o", "lesson.xlsx", "--force")
OLDER = b"an older file"


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        (BUILDING, signal.SIGINT),
        (BUILDING, signal.SIGTERM),
        (BUILDING, signal.SIGHUP),
        (LOADING, signal.SIGINT),
        (LOADING, signal.SIGTERM),
        (IN_A_DESTRUCTOR, signal.SIGINT),
    ],
)
def test_a_signal_ends_a_build_without_leftovers(script: str, sent: int, tmp_path: Path) -> None:
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    (work / "lesson.xlsx").write_bytes(OLDER)
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", script, *BUILD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=work, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "paused\n"
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "xlsxattn: interrupted"
    assert "Traceback" not in err
    assert [path.name for path in work.iterdir()] == ["lesson.xlsx"]
    assert (work / "lesson.xlsx").read_bytes() == OLDER
    assert list(temporary.iterdir()) == []
