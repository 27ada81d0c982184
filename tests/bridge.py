"""Controls a LibreOffice process for many workbooks, in the Python that has the UNO bridge."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import cannot_run

from xlsxattn.checker.engines import processes

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).with_name("uno_edit.py")
SYSTEM_PYTHON = "/usr/bin/python3"  # the Python of Debian's packages
SECONDS = 180.0
START = 60.0
"""Extra seconds for a run with a time limit: startup, and finishing the current workbook."""


def missing() -> str | None:
    """Why LibreOffice cannot be controlled, or None."""
    if not shutil.which("soffice"):
        return "LibreOffice is missing: get it with: apt-get install libreoffice-calc"
    probe = [SYSTEM_PYTHON, "-I", "-c", "import uno"]
    if not Path(SYSTEM_PYTHON).exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        return "LibreOffice's bridge to Python is missing: get it with: apt-get install python3-uno"
    return None


def in_libreoffice(jobs: Sequence[dict[str, Any]], folder: Path, until: float | None = None) -> None:
    """Run jobs in the format of `uno_edit`; with a time limit in seconds, later jobs are skipped."""
    if reason := missing():
        cannot_run(reason)
    order = folder / "jobs.json"
    order.write_text(json.dumps(jobs), "utf-8")
    more = [] if until is None else [str(until)]
    allowed = SECONDS if until is None else until + START
    code = processes.run([SYSTEM_PYTHON, "-I", str(SCRIPT), str(order), *more], folder, allowed)
    assert code == 0, f"LibreOffice could not be steered (exit code {code})"
