"""Runs the scripts of the live page in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from conftest import cannot_run

from xlsxattn.view import page
from xlsxattn.view.pack import packed

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 300
OPENED = """
const opened = readWorkbook(await unpackedParts(...request.packed));
const calculation = new Calculation(opened.sheets, opened.names);
const plain = (value) => isError(value) ? value.code : value;
const ranges = () => Object.fromEntries(request.names.map((name) => {
  const { rows, cols, values } = calculation.matrix(calculation.area(name));
  return [name, Array.from({ length: rows }, (_, i) => values.slice(i * cols, (i + 1) * cols).map(plain))];
}));
"""


def node() -> str:
    """Node.js; without it, the test is skipped, or fails in CI."""
    program = shutil.which("node")
    if program is None:
        reason = "no program 'node' was found on the PATH; get it with: apt-get install nodejs"
        cannot_run(reason)
    return str(program)


def computed(script: str, **request: Any) -> Any:
    """Run a script after those of the page; what it returns. ``request`` is a variable of the script."""
    program = f'"use strict";\n{page.calculation()}\nconst request = {json.dumps(request)};\n'
    program += f"(async () => {{ {script} }})().then((answer) => console.log(JSON.stringify(answer)));"
    ended = subprocess.run(
        [node(), "-"], input=program, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout)


def in_workbook(path: Path, script: str, **request: Any) -> Any:
    """Run a script with ``calculation``, ``opened`` and ``ranges`` of a workbook."""
    return computed(OPENED + script, packed=packed(path), **request)
