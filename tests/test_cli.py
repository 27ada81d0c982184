"""The command line: help, templates, exit codes, and one sentence for every error."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from commands import listing, refusal, run

from xlsxattn import press, templates
from xlsxattn.builder import specification as spec
from xlsxattn.checker import engines

TEMPLATES = templates.names()
KNOWN = f"the templates are: {', '.join(TEMPLATES)}; the name of a spec file ends in .toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [["--help"], ["-h"], []], ids=["--help", "-h", "nothing"])
def test_help_names_every_command(words):
    ended = run(*words)
    assert (ended.code, ended.err) == (0, "")
    for command in ("build", "import", "check", "templates", "new"):
        assert f"\n  {command} " in ended.out


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("build", ["SOURCE", "--output", "--force"]),
        ("check", ["FILES", "--engine", "ironcalc|libreoffice|gnumeric|saved|all"]),
        (
            "import",
            ["CHECKPOINT", "--sentence", "--layers", "--heads", "--vocabulary", "needed|all", "--force"],
        ),
        ("templates", []),
        ("new", ["TEMPLATE", "FILE"]),
    ],
)
def test_every_command_has_help(command, parts):
    ended = run(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert [part for part in parts if part not in "".join(ended.out.split())] == []


def test_the_version_is_the_installed_package_s():
    ended = run("--version")
    assert (ended.code, ended.err) == (0, "")
    assert importlib.metadata.version("xlsxattn") in ended.out


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["nonsense"], "there is no command 'nonsense'"),
        (["build"], "Missing argument 'SOURCE'"),
        (["build", "walkthrough", "causal"], "unexpected extra argument (causal)"),
        (["build", "walkthrough", "--nonsense"], "No such option"),
        (["build", "walkthrough", "-o"], "'-o' requires an argument"),
        (["check"], "Missing argument 'FILES...'"),
        (["check", "x.xlsx", "--engine", "excel"], "'excel' is not one of 'ironcalc', 'libreoffice'"),
        (["new"], "Missing argument 'TEMPLATE'"),
    ],
    ids=" ".join,
)
def test_an_invalid_command_line_is_refused(words, right):
    assert right in refusal(*words)


def test_a_misspelt_word_gets_a_suggestion(causal):
    Path("lesson.toml").touch()
    Path("output").mkdir()
    Path("output/causal.xlsx").write_bytes(causal.read_bytes())
    for words, near in {
        ("bild", "causal"): "build",
        ("build", "lesso.toml"): "lesson.toml",
        ("build", "lesso"): "lesson.toml",
        ("new", "casual"): "causal",
        ("check", "output/causl.xlsx"): "output/causal.xlsx",
        ("check", "output/causal.xlx"): "output/causal.xlsx",
        ("check", "causal.xlsx"): "output/causal.xlsx",
        ("show", "output/causal.xlsx", "causal_chase_Scors"): "causal_chase_Scores",
        ("show", "output/causal.xlsx", "casual"): "causal_*",
        ("preview", "output/causal.xlsx", "-o", "x.png", "--sheet", "casual"): "causal",
    }.items():
        assert f"did you mean '{near}'" in refusal(*words), words


# --- templates ---------------------------------------------------------------------------------------------


def test_templates_lists_each_with_its_title_the_walkthrough_first():
    ended = run("templates")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines()]
    assert lines == [[name, spec.load(templates.path(name)).title] for name in TEMPLATES]
    assert [line[0] for line in lines][:1] == ["walkthrough"]
    assert "causal" in TEMPLATES


@pytest.mark.parametrize("command", ["build", "new"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("wlkthrough", "did you mean 'walkthrough'?"),
        ("casual", "did you mean 'causal'?"),
        ("zzz", KNOWN),
        ("", KNOWN),
    ],
)
def test_an_unknown_template_is_refused_with_the_nearest_or_the_list_of_them(command, name, hint):
    assert refusal(command, name) == f"there is no template '{name}'; {hint}"


@pytest.mark.parametrize(
    ("name", "file"),
    [*((name, None) for name in TEMPLATES), ("causal", "lesson.toml"), ("causal", "my lesson's first.toml")],
)
def test_new_copies_a_template_and_prints_the_command_that_builds_it(name, file):
    ended = run("new", name, *([file] if file else []))
    assert (ended.code, ended.err) == (0, "")
    target = file or f"my-{name}.toml"
    copied = {target: templates.path(name)} | {one.name: one for one in templates.data_files(name)}
    assert listing(Path()) == {place: source.read_bytes() for place, source in copied.items()}
    assert ended.out.startswith(f"written: {target}\n")
    program, *words = shlex.split(ended.out.splitlines()[-1])
    assert (program, words) == ("xlsxattn", ["build", target])
    if name in ("causal", "glove"):  # the latter with a data file
        assert run(*words).code == 0
        assert Path("output", target).with_suffix(".xlsx").is_file()


def test_new_does_not_overwrite_files():
    Path("lesson.toml").write_text("mine", "utf-8")
    sentence = refusal("new", "walkthrough", "lesson.toml")
    assert sentence == "lesson.toml: the file exists already; choose another name"
    Path("my-causal.toml").mkdir()
    assert "the file exists already" in refusal("new", "causal")


@pytest.mark.parametrize("name", ["lesson", "lesson.xlsx", "lesson.toml.bak", "LESSON.TOML"])
def test_new_refuses_a_name_that_is_not_a_spec(name):
    assert refusal("new", "walkthrough", name) == f"{name}: a spec's name must end in .toml"


def test_new_refuses_a_folder_that_does_not_exist():
    sentence = refusal("new", "walkthrough", "nowhere/lesson.toml")
    assert sentence == "nowhere/lesson.toml: the folder nowhere does not exist; create it first"


class FullFile:
    """A file on a disk without room."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def write(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_new_leaves_no_partial_file_on_a_full_disk(monkeypatch):
    made = Path.open

    def opened(path, mode="r", *rest, **options):
        if "x" not in mode:
            return made(path, mode, *rest, **options)
        path.touch()
        return FullFile()

    monkeypatch.setattr(Path, "open", opened)
    sentence = refusal("new", "walkthrough", "lesson.toml")
    assert sentence == "lesson.toml: cannot be written: No space left on device"


# --- internal errors ---------------------------------------------------------------------------------------


def raises(error):
    def failing(*_, **__):
        raise error

    return failing


def test_an_internal_error_is_one_sentence_without_traceback(monkeypatch):
    monkeypatch.setattr(press, "build", raises(RuntimeError("two\nlines")))
    ended = run("build", "walkthrough")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "xlsxattn: internal error: RuntimeError: two lines (--debug shows more)\n"


def test_debug_shows_the_traceback_of_an_internal_error(monkeypatch):
    monkeypatch.setattr(press, "build", raises(RuntimeError("boom")))
    ended = run("--debug", "build", "walkthrough")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Traceback (most recent call last):\n")
    assert "test_cli.py" in ended.err
    assert "RuntimeError: boom" in ended.err


def test_debug_shows_no_traceback_of_bad_input():
    assert refusal("--debug", "build", "missing.toml") == "missing.toml: there is no such file"


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (MemoryError(), 2, "there is not enough memory for this workbook"),
        (engines.EngineFailed("IronCalc gave no answer."), 2, "spec.toml: IronCalc gave no answer."),
        (engines.EngineMissing("IronCalc is missing."), 2, "spec.toml: IronCalc is missing."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_exceptions_set_exit_code_and_message(monkeypatch, error, code, sentence):
    monkeypatch.setattr(press, "build", raises(error))
    ended = run("build", "spec.toml")
    assert (ended.code, ended.out, ended.err.strip()) == (code, "", f"xlsxattn: {sentence}")


@pytest.mark.parametrize("command", ["xlsxattn", "-m"])
def test_a_refusal_looks_the_same_from_a_process_of_its_own(command):
    module = [sys.executable, "-m", "xlsxattn"]
    words = module if command == "-m" else [str(Path(sys.executable).with_name("xlsxattn"))]
    ended = subprocess.run([*words, "build", "missing.toml"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "xlsxattn: missing.toml: there is no such file\n"
    assert listing(Path()) == {}


def test_numpy_has_one_thread_by_default(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    run("--version")
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    run("--version")
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
