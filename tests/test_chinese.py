"""Messages in Chinese, for input without spaces and with Chinese punctuation."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from commands import refusal, run
from source_texts import said
from specs import CHINESE_SPEC

from xlsxattn import templates
from xlsxattn.builder import specification as spec
from xlsxattn.builder.pages import frame as pages
from xlsxattn.builder.specification.words import parts_of
from xlsxattn.cli.language import ENVIRONMENT
from xlsxattn.language import Language, language, say

CHINESE = language("zh")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def refused(*edits: tuple[str, str], lang: str = "en") -> str:
    """The message for the edited spec, without the name of the file."""
    text = CHINESE_SPEC
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    Path("a.toml").write_text(text, "utf-8")
    if lang == "en":
        return refusal("build", "a.toml").removeprefix("a.toml: ")
    ended = run("build", "a.toml", "--lang", lang)
    assert ended.code == 2
    return ended.err.removeprefix("xlsxattn：a.toml：").rstrip("\n")


# --- words without spaces ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["香蕉和苹果很好吃", "香蕉、和、苹果，很好吃。", "香蕉和苹果 很好吃", "香蕉和苹果 很 好吃"]
)
def test_a_sentence_without_spaces_is_corrected(typed):
    edit = ("香蕉 和 苹果", typed)
    assert refused(edit) == (
        "contexts.fruit: words must be separated by spaces: "
        'fruit = "香蕉 和 苹果 很 好吃"; or given as a list'
    )
    assert refused(edit, lang="zh") == (
        'contexts.fruit：词之间要用空格分开：fruit = "香蕉 和 苹果 很 好吃"；或写成列表'
    )


def test_all_sentences_without_spaces_are_reported_together():
    told = refused(("香蕉 和 苹果", "香蕉和苹果"), ("电脑 和 苹果", "电脑,和,苹果"))
    assert "contexts: words must be separated by spaces" in told
    assert 'fruit = "香蕉 和 苹果"; firm = "电脑 和 苹果"' in told


@pytest.mark.parametrize(
    ("word", "tokens", "parts"),
    [
        ("abc", "a b c", "a b c"),
        ("cat,mouse", "cat mouse", "cat mouse"),
        ("cats", "cat", ""),
        ("concat", "cat con", "con cat"),
        ("catxdog", "cat dog", ""),
        ("cat.", "cat", ""),
        ("cat.", "cat .", "cat ."),
        ("香蕉和芒果", "香蕉 和", "香蕉 和 芒果"),
        ("芒果和荔枝", "和", ""),
        ("我的苹果", "苹果", ""),
        ("我的苹果和他们", "苹果 和", ""),
        ("苹果苹果", "苹 果 苹果", "苹果 苹果"),
    ],
)
def test_a_text_is_split_into_known_words_only_if_unambiguous(word, tokens, parts):
    assert parts_of(word, tokens.split()) == tuple(parts.split())


# --- keys -------------------------------------------------------------------------------------------------


def test_all_words_that_need_quotes_are_reported_together():
    edits = [(f'"{word}" =', f"{word} =") for word in ("苹果", "香蕉", "电脑", "很")]
    assert refused(*edits) == (
        'lines 6-8, 10: a word with letters other than a to z needs quotes before the =: "苹果" = [2.0, 2.0]'
    )
    assert refused(*edits, lang="zh") == (
        '第 6–8、10 行：等号左边的词含有拉丁字母以外的字符，须加引号："苹果" = [2.0, 2.0]'
    )
    assert refused(edits[0]).startswith("line 6: a word")


def test_an_invalid_id_is_reported_with_the_allowed_characters():
    edits = ("fruit =", "水果 ="), ("firm =", "公司 =")
    assert refused(*edits) == (
        'lines 13-14: the id of a context has only lower-case Latin letters and digits: s1 = "香蕉 和 苹果"'
    )
    assert refused(*edits, lang="zh") == (
        '第 13–14 行：语境的标识只能用小写拉丁字母和数字：s1 = "香蕉 和 苹果"'
    )
    assert "lower-case Latin letters and digits" in refused(("fruit =", '"水果" ='))
    both = refused(('"苹果" =', "苹果 ="), edits[0], lang="zh")
    assert re.fullmatch("第 6 行：.*；第 13 行：.*", both)


def test_multiline_texts_have_no_keys():
    edit = ('lang = "zh"', 'about = """\n苹果 = 1\n"""\nlang = "zh"'), ('"很" =', "很 =")
    assert refused(*edit).startswith("line 13: a word")


def test_a_key_of_other_kinds_names_those_kinds():
    edit = ('id = "attn"\n', 'id = "attn"\n[[sheets]]\nid = "c"\nkind = "compare"\nmaks = "causal"\n')
    assert refused(edit) == (
        "sheets[2].maks (sheet 'c'): there is no such key; 'mask' belongs to self-attention, multi-head, "
        "cross-attention, encoder, decoder, encoder-decoder, classifier"
    )
    assert "没有这个键；“mask”属于 self-attention" in refused(edit, lang="zh")
    assert "did you mean 'axes'" in refused((edit[0], edit[1].replace('maks = "causal"', "axis = []")))


# --- hints of a build -------------------------------------------------------------------------------------


def test_texts_that_mention_other_words_are_reported(here):
    text = "[[sheets]]".join(templates.path("walkthrough").read_text("utf-8").split("[[sheets]]")[:3])
    (here / "lesson.toml").write_text(text, "utf-8")
    assert "quote" not in run("build", "lesson.toml").err
    for old, new in (("mouse", "apple"), ("keyboard", "pear")):
        text = re.sub(rf"(?m)^{old}\b|(?<=[\" ]){old}(?=[\" ])", new, text)
    (here / "lesson.toml").write_text(text, "utf-8")
    ended = run("build", "lesson.toml")
    assert ended.code == 0, ended.err
    hint = "The texts (title, about, try) quote 'mouse', 'keyboard', which the vocabulary lacks: "
    assert hint in ended.err
    assert (
        "（title、about、try）中提到“mouse”、“keyboard”，" in run("build", "lesson.toml", "--lang", "zh").err
    )
    assert "quote" not in run("build", "lesson.toml", "-q").err


@pytest.mark.parametrize("name", templates.names())
def test_templates_mention_only_their_own_words(name):
    one = spec.load(templates.path(name))
    book = pages.book(one)
    titles = [page.title for page in book.pages]
    assert spec.unknown_quoted_words(one, [book.language.tell("Start"), *titles]) == ()


def test_a_hint_in_chinese_names_the_language_option(monkeypatch):
    hint = "（要中文工作簿，请加 --lang zh）"
    assert hint not in run("build", "causal", "-o", "a.xlsx").err
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert hint in run("build", "causal", "-o", "a.xlsx").err
    assert hint not in run("build", "causal", "-o", "b.xlsx", "--lang", "zh").err
    assert hint not in run("build", "causal", "-o", "a.xlsx", "--lang", "en").err
    Path("a.toml").write_text(CHINESE_SPEC, "utf-8")
    assert hint not in run("build", "a.toml").err


def test_a_copy_with_english_comments_names_the_chinese_template():
    hint = "文件中的注释和说明仍是英文；用中文写的模板：pingguo\n"
    assert run("new", "causal", "a.toml", "--lang", "zh").err == hint
    assert run("new", "pingguo", "b.toml", "--lang", "zh").err == ""
    assert run("new", "causal", "c.toml", "--lang", "zh", "-q").err == ""
    assert run("new", "causal", "d.toml").err == ""


# --- punctuation ------------------------------------------------------------------------------------------


def test_joined_sentences_have_chinese_punctuation():
    joining = {text for text in said() if not re.search("[A-Za-z]", re.sub(r"\{[^{}]*\}", "", text))}
    marked = {t for t in joining if any(re.search("[:;,] ", words) for words, *_ in Formatter().parse(t))}
    assert len(marked) > 5
    assert sorted(marked - CHINESE.texts.keys()) == []


def test_chinese_texts_have_chinese_punctuation():
    for text in CHINESE.texts.values():
        bare = re.sub(r"\{[^{}]*\}|\[行,列\]", "x", text).replace(" → ", "→")  # before an answer
        assert not re.search(r"[。，：；？！（“][ ]|[ ][。，：；？！）”]", bare), text
        assert not re.search(r"[\u4e00-\u9fff][,;?!]|[\u4e00-\u9fff]: ", bare), text
        assert not re.search(r"\d %", bare), text
        assert not re.search(r"(?<![A-Za-z0-9_/ （=])'[^']*'(?![A-Za-z0-9_)])", bare), text


def test_quoted_values_have_the_quotation_marks_of_the_language():
    sentence = say("the vocabulary lacks the word {word!r}", word="a'b\n")
    assert CHINESE.tell(sentence) == "词表中没有词“a'b\\n”"
    assert Language("xx").tell(sentence) == 'the vocabulary lacks the word "a\'b\\n"'
    assert CHINESE.tell(say("{name} is {found!r}", name=1, found=2.0)) == "1 is 2.0"


@pytest.mark.parametrize("words", [("--help",), ("import", "--help"), ("build", "--help")])
def test_help_has_the_punctuation_of_the_language(words):
    out = run(*words, "--lang", "zh").out
    assert re.search("^用法：xlsxattn", out, re.MULTILINE)
    assert re.search("^选项：$", out, re.MULTILINE)
    assert not re.search(r"[\u4e00-\u9fff]:|： |。 [^ ]|; ", out)
    assert re.search("^Usage: xlsxattn", run(*words).out, re.MULTILINE)
    assert re.search("^Options:$", run(*words).out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("build",), "缺少参数“SOURCE”。"),
        (("buidl",), "没有命令“buidl”；您是指“build”吗？"),
        (("build", "--nope"), "没有选项“--nope”。您是指“--force”吗？"),
        (("build", "a", "b"), "多余的参数（b）"),
        (("import", "x", "--sentence", "a", "--write", "99"), "“--write”的值无效：99 不在范围 0<=x<=64 内。"),
    ],
)
def test_messages_of_click_have_chinese_punctuation(words, told):
    assert run(*words, "--lang", "zh").err == f"xlsxattn：{told}\n"


def test_an_invalid_line_is_reported_with_chinese_colons():
    assert refused(("dimensions =", "dimensions")).count(": ") > 0
    assert ": " not in refused(("dimensions =", "dimensions"), lang="zh")
