"""The language of messages: how it is chosen, and what is translated."""

from __future__ import annotations

import json
import json.scanner
import re
import tomllib
import tomllib._parser
from typing import TYPE_CHECKING

import openpyxl
import pytest
from commands import run
from specs import plain, toml

from dev import prebuilt
from xlsxattn import templates
from xlsxattn.cli.language import ENVIRONMENT, choose
from xlsxattn.language import codes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "environment", "code"),
    [
        ((), {}, "en"),
        ((), {"LANG": "zh_CN.UTF-8"}, "zh"),
        ((), {"LC_MESSAGES": "zh_TW", "LANG": "en_GB.UTF-8"}, "zh"),
        ((), {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ((), {"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ((), {"XLSXATTN_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
        ((), {"XLSXATTN_LANG": "en", "LC_ALL": "zh_CN.UTF-8"}, "en"),
        ((), {"LANG": "de_DE.UTF-8"}, "en"),
        (("--lang", "zh"), {"LANG": "en_US.UTF-8"}, "zh"),
        (("--lang=en",), {"LANG": "zh_CN.UTF-8"}, "en"),
        (("--lang", "xx"), {"LANG": "zh_CN.UTF-8"}, "zh"),
    ],
)
def test_the_language_of_messages(words, environment, code):
    assert choose(["check", *words], environment).code == code


@pytest.mark.usefixtures("here")
def test_messages_follow_the_language_and_english_comes_back():
    assert run("check", "no.xlsx", "--lang", "zh").err == "xlsxattn：no.xlsx：没有这个文件\n"
    sentence = "xlsxattn：没有模板“walkthruogh”；您是指“walkthrough”吗？\n"
    assert run("build", "--lang", "zh", "walkthruogh").err == sentence
    assert run("buidl", "--lang", "zh").err == "xlsxattn：没有命令“buidl”；您是指“build”吗？\n"
    assert run("check", "--lang", "zh").err == "xlsxattn：缺少参数“FILES...”。\n"
    wrong = run("check", "a.xlsx", "--engine", "abacus", "--lang", "zh").err
    assert wrong.startswith("xlsxattn：“--engine”的值无效：“abacus”不是以下之一：“ironcalc”、“libreoffice”")
    said = run("build", "--lang", "zh", "--help").out
    assert "用法：" in said
    assert "选项" in said
    assert "显示此帮助并退出。" in said
    assert "由 SOURCE" in said
    assert run("check", "no.xlsx").err == "xlsxattn: no.xlsx: there is no such file\n"
    assert "Show this message and exit." in run("build", "--help").out


def test_errors_of_a_spec_are_translated_with_place_and_values(here):
    (here / "a.toml").write_text('title = "a"\nlang = "zh"\nlenght = 3\n', "utf-8")
    assert run("build", "a.toml", "--lang", "zh").err == (
        "xlsxattn：a.toml：lenght：没有这个键；您是指“length”吗？\n"
    )
    (here / "b.toml").write_text(toml(plain([2], 2, {"id": "a"}) | {"lang": "xx"}), "utf-8")
    assert run("build", "b.toml").err == "xlsxattn: b.toml: lang: found 'xx', expected one of en, zh\n"


@pytest.mark.usefixtures("here")
def test_the_environment_sets_the_language_of_messages_only(monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    made = run("build", "causal", "-o", "a.xlsx", "-v")
    assert made.code == 0
    assert "已写入：a.xlsx" in made.out
    assert "都与 NumPy 一致" in made.out
    assert "a.xlsx：正在验证工作簿" in made.err
    assert openpyxl.load_workbook("a.xlsx").sheetnames[0] == "Start"
    assert run("build", "causal", "-o", "b.xlsx", "--lang", "zh").code == 0
    assert openpyxl.load_workbook("b.xlsx").sheetnames[0] == "开始"


def test_a_new_spec_has_the_key_lang(here):
    said = run("new", "causal", "--lang", "zh")
    assert "编辑之后运行：" in said.out
    assert tomllib.loads((here / "my-causal.toml").read_text("utf-8"))["lang"] == "zh"
    for code in ("zh", "en"):
        assert run("new", "pingguo", f"{code}.toml", "--lang", code).code == 0
        assert tomllib.loads((here / f"{code}.toml").read_text("utf-8"))["lang"] == code
    assert run("new", "causal", "other.toml").code == 0
    assert (here / "other.toml").read_bytes() == templates.path("causal").read_bytes()


@pytest.fixture
def faulty(here) -> Path:
    chinese = prebuilt.build("causal", here / "chinese.xlsx", "zh")
    book = openpyxl.load_workbook(chinese)
    tab, cell = next(iter(book.defined_names["causal_Scale"].destinations))
    book[tab][cell.replace("$", "")] = 3
    book.save(here / "faulty.xlsx")
    return here / "faulty.xlsx"


def test_findings_are_translated_but_keys_are_not(faulty):
    check = ("check", faulty, "--inputs", "as-saved")
    told = run(*check, "--lang", "zh", "-q")
    assert told.code == 1
    assert "错误：因果注意力!" in told.out
    assert "NumPy 得到" in told.out
    found = {code: json.loads(run(*check, "--format", "json", "--lang", code).out) for code in codes()}
    findings = (found[code]["files"][0]["findings"] for code in ("zh", "en"))
    for ours, theirs in zip(*findings, strict=True):
        assert ours.pop("message") != theirs.pop("message")
        assert ours == theirs
    assert found["zh"].pop("files")[0]["verdict"] == found["en"].pop("files")[0]["verdict"] == "fails"
    assert found["zh"] == found["en"]
    junit = {code: run(*check, "--format", "junit", "--lang", code).out for code in codes()}
    assert "NumPy 得到" in junit["zh"]
    bare = {code: re.sub('(message|time)="[^"]*"|>[^<]*<', "", text) for code, text in junit.items()}
    assert bare["zh"] == bare["en"]
