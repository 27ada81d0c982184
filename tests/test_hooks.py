"""The ways into other people's repositories: the pre-commit hook and the GitHub action."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PROGRAM = Path(sys.executable).with_name("xlsxattn")


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROGRAM), *command[1:]], capture_output=True, text=True, check=False)


def test_the_hooks_command_line_checks_the_files_it_is_given(walkthrough: Path, tmp_path: Path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    command = shlex.split(hook["entry"])
    assert command[0] == "xlsxattn"
    assert run([*command, str(walkthrough)]).returncode == 0
    other = tmp_path / "other.xlsx"
    other.write_text("no workbook")
    assert run([*command, str(walkthrough), str(other)]).returncode == 2


def test_the_actions_command_line_annotates(causal: Path, tmp_path: Path):
    for name in ("one.xlsx", "two.xlsx"):
        shutil.copy(causal, tmp_path / name)
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    step = action["runs"]["steps"][-1]
    environment = os.environ | {
        "FILES": f"{tmp_path}/*.xlsx {causal} gone.xlsx",
        "ENGINE": action["inputs"]["engine"]["default"],
        "STRICT": "true",
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
    }
    script = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "::error file=gone.xlsx,title=not checkable::gone.xlsx: there is no such file"
    ]


def test_the_page_on_ci_shows_both():
    text = (ROOT / "docs/how-to/ci.md").read_text("utf-8")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert f"hooks: [{{id: {hook['id']}}}]" in text
    assert "- uses: xlsxattn/xlsxattn@" in text
