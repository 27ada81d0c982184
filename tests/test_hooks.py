"""The pre-commit hook and the GitHub action."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import yaml

ROOT = Path(__file__).parent.parent
PROGRAM = Path(sys.executable).with_name("xlsxattn")


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROGRAM), *command[1:]], capture_output=True, text=True, check=False)


def stranger(path: Path) -> Path:
    book = openpyxl.Workbook()
    book["Sheet"]["A1"] = "=1+1"
    book.save(path)
    return path


def test_the_hook_checks_the_given_files(causal: Path, tmp_path: Path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    command = shlex.split(hook["entry"])
    assert command[0] == "xlsxattn"
    done = run([*command, str(causal), str(stranger(tmp_path / "budget.xlsx"))])
    tally = "2 files: 1 hold, 0 fail, 0 not checkable, 1 skipped (made by other programs)\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, tally, "")
    other = tmp_path / "other.xlsx"
    other.write_text("no workbook")
    assert run([*command, str(causal), str(other)]).returncode == 2


def act(files: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the last step of the action as GitHub does, with a folder for its output."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    step = action["runs"]["steps"][-1]
    given = {name: one["default"] for name, one in action["inputs"].items()} | {"files": files} | inputs
    variables = {
        name: given[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in step["env"].items()
    }
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "output.txt")}
    environment = os.environ | variables | runner | {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    script = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=False)


def test_the_action_annotates_findings(causal: Path, tmp_path: Path):
    for name in ("one.xlsx", "two.xlsx"):
        shutil.copy(causal, tmp_path / name)
    done = act(f"{tmp_path}/*.xlsx\n  {causal}\n\ngone.xlsx\n", tmp_path, strict="true")
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "::error file=gone.xlsx,title=not checkable::gone.xlsx: there is no such file",
        "4 files: 3 hold, 0 fail, 1 not checkable",
    ]
    named, _, report = (tmp_path / "output.txt").read_text("utf-8").strip().partition("=")
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    assert (
        action["outputs"][named]["value"]
        == f"${{{{ steps.{action['runs']['steps'][-1]['id']}.outputs.{named} }}}}"
    )
    suites = ET.parse(report).getroot()
    assert (len(suites), suites.get("errors")) == (4, "1")


def test_warnings_fail_the_action_only_if_strict(causal: Path, tmp_path: Path):
    book = openpyxl.load_workbook(causal)
    book.create_sheet("Notes")["A1"] = "=1+1"
    book.save(tmp_path / "noted.xlsx")
    for strict, code, level in (("false", 0, "warning"), ("true", 1, "error")):
        done = act(str(tmp_path / "noted.xlsx"), tmp_path, strict=strict, inputs="as-saved")
        assert done.returncode == code, done.stderr
        assert done.stdout.startswith(f"::{level} file=")


def test_the_action_accepts_names_with_spaces_and_skips_foreign_workbooks(causal: Path, tmp_path: Path):
    shutil.copy(causal, tmp_path / "my first lesson.xlsx")
    theirs = stranger(tmp_path / "the budget.xlsx")
    names = f"{tmp_path}/my first lesson.xlsx\n{theirs}"
    done = act(names, tmp_path, inputs="as-saved")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"::notice file={theirs},title=skipped::{theirs}: skipped, made by another program",
        "2 files: 1 hold, 0 fail, 0 not checkable, 1 skipped (made by other programs)",
    ]
    assert act(names, tmp_path, inputs="as-saved", **{"skip-foreign": "false"}).returncode == 2


def test_the_documentation_shows_hook_and_action():
    text = (ROOT / "docs/how-to/ci.md").read_text("utf-8")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert f"hooks: [{{id: {hook['id']}}}]" in text
    assert "- uses: xlsxattn/xlsxattn@" in text
    assert not re.search(r"v\d+\.\d+", text), "no version has a tag yet"
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    for name in action["inputs"] | action["outputs"]:
        assert f"| `{name}` |" in text
