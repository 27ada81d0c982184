"""Runs the command line in tests."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from xlsxattn import cli


@dataclass(frozen=True, slots=True)
class Ended:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


def run(*words: object) -> Ended:
    """Run a command in this process, which is faster than a subprocess and allows patching."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["xlsxattn", *map(str, words)]),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        cli.main()
    assert isinstance(left.value.code, int)
    return Ended(left.value.code, out.getvalue(), err.getvalue())


def listing(folder: Path) -> dict[str, bytes | None]:
    """All files and folders below a folder: path → content, None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refusal(*words: object) -> str:
    """Run a command that must fail with code 2, one sentence and no files written; return the sentence."""
    before = listing(Path())
    ended = run(*words)
    assert (ended.code, ended.out) == (2, ""), ended
    begins = "xlsxattn：" if "zh" in words else "xlsxattn: "
    assert ended.err.startswith(begins), ended.err
    assert ended.err.count("\n") == 1, ended.err
    assert "internal error" not in ended.err, ended.err
    assert listing(Path()) == before
    return ended.err.removeprefix(begins).rstrip("\n")
