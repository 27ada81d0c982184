"""Every text has a translation, and none is unused."""

from __future__ import annotations

import ast
import errno
import json
import json.scanner
import os
import re
import tomllib
import tomllib._parser
import zipfile
from collections import Counter
from dataclasses import replace
from html import unescape
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import openpyxl
import pytest
from conftest import ROOT
from model_specs import ACTIVATIONS, drawn
from source_texts import constant, described, modules, named, said
from specs import plain

from xlsxattn import exercises, spec_schema, system_errors, templates
from xlsxattn.builder import answer_selection, writer
from xlsxattn.builder import specification as spec
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.pages import frame as pages
from xlsxattn.cli.commands import cli
from xlsxattn.cli.language import CLICK
from xlsxattn.contract.kinds import Classifier, Stretch, Training
from xlsxattn.contract.values import ANSWER
from xlsxattn.language import ENGLISH, FOLDER, Language, Phrase, codes, language, say
from xlsxattn.view import page

if TYPE_CHECKING:
    import click

OTHERS = [code for code in codes() if code != "en"]
NO_WORDS = re.compile(r"[^A-Za-z]*([A-Za-z]{1,2}[^A-Za-z]+)*[A-Za-z]{0,2}")
PAPER = r"[A-Z]\w+( et al\.| and [A-Z]\w+)? \d{4}(, §[\d.]+)?"
NAMES = re.compile(rf"\w+_\w+|(Norm\d|Input|Output) [γβ]|\{{?=.*|{PAPER}", re.DOTALL)
"""Texts that are the same in all languages: symbols, names of ranges, formulas."""
PARSERS = (tomllib._parser, json.decoder, json.scanner)
REFUSALS = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EROFS, errno.ENOSPC),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.EBUSY, errno.EMFILE, errno.EFBIG, errno.EDQUOT),
)


class Recorder(dict):
    """A catalogue that marks and records every requested text."""

    def __init__(self):
        super().__init__()
        self.asked: set[str] = set()

    def __bool__(self):
        return True

    def get(self, text, _=None):
        self.asked.add(text)
        return f"⟦{text.replace(ANSWER, f'⟧{ANSWER}⟦')}⟧"  # an answer has its own cells


def same_everywhere(text: str) -> bool:
    return bool(NO_WORDS.fullmatch(text) or NAMES.fullmatch(text))


def typed_in(s: spec.Spec) -> set[str]:
    """What a person has typed."""
    words = {*s.vocabulary.tokens, *s.vocabulary.dimensions, *(c.id for c in s.contexts)}
    if s.lang != ENGLISH.code:  # the texts of its template
        words |= {
            s.title,
            s.about,
            *(text for one in s.sheets for text in (one.title, one.about, *one.try_)),
        }
    return words | {name for sheet in s.sheets if isinstance(sheet, Classifier) for name in sheet.classes}


ASKS = {"walkthrough": "formula", "encoder": "number", "llama": "either", "padding": "formula"}
ASKS |= dict.fromkeys(("positions", "mouse", "causal", "learning"), "formula")
"""Templates that are turned into exercises, and the kind of answers."""


def examples() -> list[spec.Spec]:
    """Specs that have every kind of page and every setting."""
    found = [spec.load(templates.path(name)) for name in templates.names()]
    found += [_both(), *(spec.parse(drawn(seed), "drawn") for seed in range(10))]
    alone = plain([3], 2, {"id": "attn", "title": "?"}, {"id": "compare", "kind": "compare"})
    wide = plain([3, 2], 8, {"id": "gpt", "kind": "decoder", "heads": 2, "layers": 2})
    bare = {"kind": "encoder", "residual": "pre-norm", "final_norm": False}  # no norm at the end
    acting = [{"id": f"a{i}", "activation": one, **bare} for i, one in enumerate(ACTIVATIONS)]
    found.append(spec.parse(plain([2], 2, *acting), "activations"))
    joined = [{"heads": 2, "d_out": 3}, {"heads": 2, "out_proj": False}, {"out_proj": False}]
    heads = [{"id": f"m{i}", "kind": "multi-head", **one} for i, one in enumerate(joined)]
    found.append(spec.parse(plain([2], 2, *heads), "heads"))
    large = spec.parse(wide, "large")
    (model,) = large.sheets
    large = replace(large, sheets=(replace(model, apart=True, browse=(1, 1)),))
    found += [exercise_on(name, ask) for name, ask in ASKS.items()]
    return [*found, spec.parse(alone, "alone"), large, turning()]


def _both() -> spec.Spec:
    """Attention without and with random weights, and an encoder, of two sentences."""
    near = {"id": "compare", "kind": "compare", "near": ["w1"]}
    alike = {"id": "enc", "kind": "encoder", "similarity": True, "residual": "pre-norm", "final_norm": True}
    return spec.parse(plain([3, 2], 2, {"id": "attn"}, {"id": "random", "seed": 1}, alike, near), "both")


def exercise_on(name: str, ask: str) -> spec.Spec:
    """A template as an exercise with every possible answer."""
    one = spec.load(templates.path(name))
    if name != "learning":
        one = replace(one, sheets=tuple(s for s in one.sheets if not isinstance(s, Training)))
    possible = answer_selection.exercise(one, name, blank=["learn_*" if name == "learning" else "*"])
    return replace(exercises._in_one_step(one, possible), exercise=replace(possible, ask=ask))


def turning() -> spec.Spec:
    """A model with features that only imports have: scaled rotations, norms of queries and keys."""
    table = {"id": "gpt", "kind": "decoder", "position": "rotary", "heads": 2, "d_k": 2}
    found = spec.parse(plain([3], 4, table), "turning")
    (model,) = found.sheets
    gammas = {f"l1_{letter}Norm_Gamma": ((1.0, 1.0),) for letter in "QK"}
    stretch = Stretch(factor=4.0, low=1.0, high=2.0, trained=9.0)
    model = replace(model, stretch=stretch, qk_norm=True, weights={**model.weights, **gammas})
    return replace(found, sheets=(model,))


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> dict[str, set[str] | list[tuple[spec.Spec, Path]]]:
    """All examples as workbooks with marked texts, and the requested texts."""
    texts, books = Recorder(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "language", lambda _: Language("xx", texts))
        asked: set[str] = set()
        for i, one in enumerate(examples()):
            texts.asked.clear()
            book = pages.book(one)
            sheets = layout.lay_out(book)
            if i <= len(templates.names()):  # number formats are translated when they are written
                path = tmp_path_factory.mktemp("marked") / f"{i}.xlsx"
                writer.write(path, book.title, sheets, language=book.language)
                books.append((one, path))
            asked |= texts.asked - typed_in(one)
    return {"asked": asked, "books": books}


def written() -> set[str]:
    """Every text in the source."""
    return {node.value for _, tree in modules() for node in ast.walk(tree) if constant(node)}


def shown_elsewhere() -> set[str]:
    """The texts of the HTML page, and of the schema that editors show."""
    return {*page.page_texts(), *page.script_texts(), *described(spec_schema.schema()), spec_schema.TITLE}


def parsers() -> set[str]:
    """The messages of Python's TOML and JSON parsers, without values."""
    found = set()
    for module in PARSERS:
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if named(call) in ("suffixed_err", "JSONDecodeError"):
                found |= {arg.value for arg in call.args if constant(arg)}
    return found


def system() -> set[str]:
    """The messages of the system about files, and of Python about invalid UTF-8."""
    found = {os.strerror(number) for number in REFUSALS}
    for wrong in (b"\xff", b"\xc3(", b"\xc3"):
        with pytest.raises(UnicodeDecodeError) as said:
            wrong.decode("utf-8")
        found.add(said.value.reason)
    return found


def help_texts(command: click.Command) -> set[str]:
    """The help texts of a command and its subcommands, by paragraph."""
    texts = [command.help, *(getattr(param, "help", None) for param in command.params)]
    found = {" ".join(part.split()) for text in texts if text for part in text.split("\n\n")}
    return found.union(*map(help_texts, getattr(command, "commands", {}).values()))


def others_texts() -> set[str]:
    """The texts of click, and of Python's TOML and JSON parsers."""
    names = (*CLICK, *(module.__name__ for module in PARSERS))
    sources = [Path(import_module(name).__file__ or "").read_text("utf-8") for name in names]
    return {node.value for text in sources for node in ast.walk(ast.parse(text)) if constant(node)}


def has_words(text: str) -> bool:
    """Whether a sentence has words in addition to its values."""
    return re.search("[A-Za-z]{2}", re.sub(r"\{[^{}]*\}", "", text)) is not None


# --- the catalogue ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_missing(code, marked):
    shown = {text for text in marked["asked"] if not same_everywhere(text)}
    shown |= said() | help_texts(cli) | shown_elsewhere() | parsers() | system()
    wanted = {text for text in shown if has_words(text)}
    assert sorted(wanted - language(code).texts.keys()) == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_unused(code, marked):
    shown = marked["asked"] | written() | help_texts(cli) | others_texts()
    shown |= shown_elsewhere() | system()
    assert sorted(language(code).texts.keys() - shown) == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_have_the_placeholders_of_their_text(code):
    for english, text in language(code).texts.items():
        wanted, found = ({v for _, v, _, _ in Formatter().parse(t) if v} for t in (english, text))
        assert text.strip(), english
        assert found == wanted, text


@pytest.mark.parametrize("code", OTHERS)
def test_a_text_is_in_only_one_table(code):
    tables = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8")).values()
    assert [text for text, n in Counter(text for table in tables for text in table).items() if n > 1] == []


@pytest.mark.parametrize("code", OTHERS)
def test_translated_live_checks_keep_their_mark(code):
    for english, text in language(code).texts.items():
        if english[0] in "✓✗–":
            assert text[:2] == english[:2]


def test_a_phrase_is_its_english_text_and_is_translated_with_its_values():
    phrase = say("{title}, layer {k}", title=say("Decoder"), k=2)
    assert phrase == "Decoder, layer 2"
    assert isinstance(str(ValueError(phrase)), Phrase)
    assert ENGLISH.tell(phrase) == phrase
    assert Language("xx", {"{title}, layer {k}": "{k} of {title}", "Decoder": "D"}).tell(phrase) == "2 of D"


# --- workbooks and messages -------------------------------------------------------------------------------


def test_every_text_of_a_workbook_is_translated(marked):
    """Each text of cells, charts, tooltips and number formats is marked, language-independent, or typed."""
    for one, path in marked["books"]:
        book = openpyxl.load_workbook(path)
        assert all("⟦" in tab for tab in book.sheetnames)
        cells = {cell.value for sheet in book.worksheets[:-1] for row in sheet for cell in row}
        with zipfile.ZipFile(path) as archive:
            parts = {name: unescape(archive.read(name).decode()) for name in archive.namelist()}
        charts = "".join(text for name, text in parts.items() if "charts/chart" in name)
        sheets = "".join(text for name, text in parts.items() if "worksheets/sheet" in name)
        cells |= set(re.findall("<(?:a:t|c:v)>(.*?)</", charts))
        cells |= set(re.findall('tooltip="(.*?)"', sheets))
        cells |= {text for form in book._number_formats for text in re.findall('"([^"]+)"', form)}
        texts = {c for c in cells if isinstance(c, str) and not same_everywhere(c)}
        # the first line of a wrapped text has ⟦, the last one ⟧
        plain_texts = {text for text in texts if not {"⟦", "⟧"} & {*text}}
        assert plain_texts - typed_in(one) == set(), path


def glued(tree: ast.Module) -> list[tuple[int, str]]:
    """The f-strings with words, and their lines; markup and reprs are not translated."""
    found = []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    reprs = {node for f in functions if f.name in ("__repr__", "_repr_html_") for node in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node not in reprs:
            parts = (part.value if constant(part) else "_" for part in node.values)
            bare = re.sub(r"<[^<>]*>|::_ file=_,title=", "", "".join(parts))
            found += [(node.lineno, bare)] if re.search("[a-z]{3,} [a-z_]|[a-z_] [a-z]{3,}", bare) else []
    return found


def test_messages_are_not_concatenated():
    """A sentence in an f-string already contains its values, so it cannot be translated: use `say`."""
    excepted = {
        "xlsxattn/__init__.py",  # Python's message for a module without a name
        "xlsxattn/builder/ops/layers.py",  # translated with the pages, once for Q and once for K
        "xlsxattn/builder/ops/positions.py",  # likewise
        "xlsxattn/view/notebook.py",  # the display of objects in a notebook, in English like their repr
        "xlsxattn/checker/engines/ironcalc_child.py",  # imports nothing of ours; its words are quoted
    }
    found = {
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, tree in modules()
        for line, text in glued(tree)
        if str(path.relative_to(ROOT)) not in excepted
    }
    assert found == set()


def test_concatenated_messages_are_found():
    assert [
        line for line, _ in glued(ast.parse('f"{a}: is missing"\nf"<b class=\'x\'>{a}</b>"\nf"{a}_b"'))
    ] == [1]
    assert glued(ast.parse('f"has {n} words"')) == [(1, "has _ words")]


def test_messages_of_libraries_are_translated():
    chinese = language("zh")
    for text, told in (
        ('a = "b', "字符串没有结束（文件末尾）"),
        ("a", "键之后应有“=”（文件末尾）"),
        ("a = 1\n[b]\n[b]", "不能两次声明 ('b',)（第 3 行第 3 列）"),
        ("a = 1\na = 2", "同一个键不能赋值两次（文件末尾）"),
        ('a = "\x01"', "有非法字符 '\\x01'（第 1 行第 6 列）"),
    ):
        with pytest.raises(tomllib.TOMLDecodeError) as toml_said:
            tomllib.loads(text)
        assert system_errors.not_toml(toml_said.value) == str(toml_said.value)
        assert chinese.tell(system_errors.not_toml(toml_said.value)) == told
    with pytest.raises(json.JSONDecodeError) as json_said:
        json.loads('{"a": }')
    assert chinese.tell(system_errors.not_json(json_said.value)) == "这里应有一个值（第 1 行第 7 列）"
    assert (
        chinese.tell(system_errors.reason(PermissionError(errno.EACCES, "Permission denied"))) == "没有权限"
    )
    assert chinese.tell(system_errors.reason(ValueError("whatever"))) == "whatever"
    assert chinese.tell(system_errors.words(ValueError(say("{ref} is not a range", ref="A")))) == "A 不是区域"
    assert system_errors.words(KeyError("mask")) == "KeyError: 'mask'"
