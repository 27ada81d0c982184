"""The command line in a shell: streams, verbosity, colours, completion."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

import openpyxl
import pytest
from commands import Ended, run

import xlsxattn
from xlsxattn import templates
from xlsxattn.checker.report import MAX_FAILING

PROGRAM = Path(sys.executable).with_name("xlsxattn")


@pytest.fixture(scope="module")
def holds(causal):
    """The verdict on the template causal."""
    run_of = xlsxattn.check(causal, inputs="as-saved").runs[0]
    cells = sum(result.shape[0] * result.shape[1] for result in run_of.results)
    return f"all {cells:,} cells of {len(run_of.results)} ranges agree with NumPy (ironcalc)"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [["-q", "build"], ["build", "-q"], ["build", "--quiet"]], ids=" ".join)
def test_a_quiet_build_prints_the_path_and_the_verdict(words, holds):
    ended = run(*words, "causal")
    verdict = f"written: output/causal.xlsx\nproved: {holds}\n"
    assert (ended.code, ended.out, ended.err) == (0, verdict, "")


def test_a_check_of_a_good_workbook_is_one_line(causal, holds):
    line = f"{causal}: {holds}\n"
    assert run("check", causal) == run("check", "-q", causal) == Ended(0, line, "")
    folder = f"xlsxattn: {causal.parent}: this is a folder; name a workbook in it\n"
    counts = "2 files: 1 hold, 0 fail, 1 not checkable\n"
    assert run("check", "-q", causal, causal.parent) == Ended(2, counts, folder)


def table(printed: str) -> list[list[str]]:
    """The rows below the rule of a printed table, cell by cell."""
    lines = printed.splitlines()
    (rule,) = (i for i, line in enumerate(lines) if line.startswith("-----"))
    return [re.split("  +", line) for line in takewhile(lambda line: "  " in line, lines[rule + 1 :])]


def test_a_failing_check_lists_only_ranges_that_fail(causal, tmp_path):
    book = openpyxl.load_workbook(causal)
    name = "causal_chase_Scores"
    tab, cell = next(iter(book.defined_names[name].destinations))
    first = book[tab][cell][0][0]
    first.value.text = first.value.text.replace("=MMULT", "=2*MMULT")
    book.save(broken := tmp_path / "broken.xlsx")
    ended = run("check", broken)
    assert ended.code == 1
    failed = table(ended.out)
    assert failed[0][1] == name
    assert 2 <= len(failed) <= MAX_FAILING
    assert {row[-1] for row in failed} == {"differs"}
    assert len(table(run("check", "-v", broken).out)) > len(failed)
    quiet = run("check", "-q", causal, broken).out.splitlines()
    assert not [line for line in quiet if line.startswith("-----")]
    assert quiet[0].startswith(str(broken))
    assert quiet[-2].startswith(f"{broken}: ")
    assert quiet[-1] == "2 files: 1 hold, 1 fail, 0 not checkable"


def test_a_quiet_show_leaves_out_the_hint(causal):
    assert run("show", "-q", causal).err == ""
    assert "more ranges" in run("show", causal).err


@pytest.mark.parametrize("words", [["-v", "build"], ["build", "-v"]], ids=" ".join)
def test_a_verbose_build_prints_every_step_to_standard_error(words):
    usual = run("build", "causal", "-o", "x.xlsx")
    Path("x.xlsx").unlink()
    ended = run(*words, "causal", "-o", "x.xlsx")
    assert "proving" not in usual.err
    assert ended.out.endswith(usual.out)
    assert len(table(ended.out)) > MAX_FAILING
    *steps, begin, see = ended.err.splitlines()
    assert [begin, see] == usual.err.splitlines()
    assert steps[0] == "xlsxattn: x.xlsx: writing formulas, then the values that ironcalc computes"
    assert "xlsxattn: x.xlsx: proving the workbook" in steps
    assert re.search(r"ironcalc recalculates the workbook with \d+ sets of inputs$", steps[-1])
    assert run("build", "causal", "-o", "x.xlsx").err == usual.err  # the next command has its usual verbosity


def test_a_build_ends_with_what_to_do_next_and_its_command_works(holds):
    ended = run("build", "causal")
    assert ended.out.splitlines() == ["written: output/causal.xlsx", f"proved: {holds}"]
    begin, see = ended.err.splitlines()
    assert begin == (
        "Open it in Excel, LibreOffice or Gnumeric: on the sheet Start, change a yellow word; the other "
        "sheets update."
    )
    program, *words = shlex.split(see.removeprefix("Or see it in the terminal: "))
    assert program == "xlsxattn"
    assert run(*words).code == 0


def test_a_build_prints_at_most_five_lines():
    text = "[[sheets]]".join(templates.path("walkthrough").read_text("utf-8").split("[[sheets]]")[:2])
    Path("short.toml").write_text(text, "utf-8")
    text = text.replace("“mouse”", "“zebra”").replace("keyboard and mouse", "keyboard and cable")
    Path("lesson.toml").write_text(text, "utf-8")
    for source, hints in (("short.toml", 2), ("lesson.toml", 3)):
        ended = run("build", source)
        assert (ended.code, len(ended.out.splitlines()), len(ended.err.splitlines())) == (0, 2, hints)
    assert len(run("build", "-v", "lesson.toml", "-o", "x.xlsx").err.splitlines()) > hints + 1


def test_what_to_do_next_names_the_workbook_s_own_tabs_in_the_reader_s_language():
    spoken = run("build", "causal", "--lang", "zh", "-o", "a.xlsx").err.splitlines()
    begin = "用 Excel、LibreOffice 或 Gnumeric 打开它：在工作表“开始”上"
    assert spoken[0].startswith(begin)
    assert spoken[1] == "也可以在终端中查看：xlsxattn show a.xlsx"
    text = templates.path("causal").read_text("utf-8")
    Path("b.toml").write_text(re.sub("(?m)^title = .*", '\\g<0>\nlang = "zh"', text, count=1), "utf-8")
    assert "on the sheet 开始, change" in run("build", "b.toml").err


def test_hints_name_a_program_outside_the_path_by_its_path():
    clean = {**os.environ, "PATH": os.defpath, "XLSXATTN_LANG": "en"}
    called = os.path.relpath(PROGRAM)
    command = [called, "build", "causal"]
    ended = subprocess.run(command, env=clean, capture_output=True, text=True, check=True)
    assert ended.stderr.endswith(f"terminal: {called} show output/causal.xlsx\n")
    clean["PATH"] = f"{PROGRAM.parent}:{clean['PATH']}"
    ended = subprocess.run(
        [PROGRAM, "build", "causal"], env=clean, capture_output=True, text=True, check=True
    )
    assert ended.stderr.endswith("terminal: xlsxattn show output/causal.xlsx\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="the system has no terminals to give away")
def test_check_has_no_colours_if_they_are_turned_off(causal):
    def said(**more):
        clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        ours, theirs = os.openpty()
        command = [PROGRAM, "check", "--inputs", "as-saved", causal]
        with subprocess.Popen(command, stdout=theirs, env=clean | more):
            os.close(theirs)
            parts = []
            with suppress(OSError):  # Linux reports an error at the end
                while part := os.read(ours, 4096):
                    parts.append(part)
        os.close(ours)
        return b"".join(parts).decode()

    assert re.search("\x1b\\[32m.*agree with NumPy", said())
    assert "agree with NumPy" in (plain := said(NO_COLOR="1"))
    assert "\x1b[" not in plain


def test_show_has_no_colours_if_they_are_turned_off(causal):
    def said(**more):
        clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        ended = subprocess.run(
            [PROGRAM, "show", causal, "causal_chase_Attention"],
            env=clean | more, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return ended.stdout

    assert "\x1b[" not in said()
    coloured = said(FORCE_COLOR="1", COLORTERM="truecolor")
    assert "\x1b[" in coloured
    assert "48;2;159;143;208" in coloured
    assert "\x1b[" not in said(FORCE_COLOR="1", COLORTERM="truecolor", NO_COLOR="1")  # no bold either


# --- completion --------------------------------------------------------------------------------------------


def completed(*words: str) -> list[str]:
    """The completions of the last of these words."""
    asked = {
        "_XLSXATTN_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    ended = subprocess.run([PROGRAM], env=os.environ | asked, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines()]


def test_commands_templates_options_and_ranges_are_completed(causal):
    assert completed("xlsxattn", "pre") == ["preview"]
    assert set(completed("xlsxattn", "build", "")) == set(templates.names())
    Path("cause.toml").write_text("", "utf-8")
    assert completed("xlsxattn", "build", "cau") == ["causal", "cause.toml"]
    assert completed("xlsxattn", "new", "cau") == ["causal"]
    assert "--engine" in completed("xlsxattn", "check", "--")
    assert completed("xlsxattn", "check", "--engine", "g") == ["gnumeric"]
    shutil.copy(causal, "c.xlsx")
    assert completed("xlsxattn", "show", "c.xlsx", "causal_chase_Sc") == [
        "causal_chase_Scores",
        "causal_chase_Scaled",
    ]
    assert completed("xlsxattn", "show", "missing.xlsx", "a") in ([], [""])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_completion_script(shell):
    ended = run("completion", shell)
    assert ended.code == 0
    assert f"_XLSXATTN_COMPLETE={shell}_complete" in ended.out


def test_bash_accepts_the_completion_script():
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no program 'bash' was found on the PATH")
    script = f'export PATH="{PROGRAM.parent}:$PATH"; eval "$(xlsxattn completion bash)"; complete -p xlsxattn'
    ended = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip().endswith("xlsxattn")


def test_an_unknown_shell_is_refused():
    ended = run("completion", "tcsh")
    assert ended.code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in ended.err
