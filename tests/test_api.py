"""The Python API: specs from arrays and tables, results as tables, public names and types."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import openpyxl
import pandas as pd
import pytest

import xlsxattn
from xlsxattn import templates
from xlsxattn.checker import check
from xlsxattn.checker.reading.book import read
from xlsxattn.contract import kinds
from xlsxattn.view import look

WORDS = {"river": [3.0, 0.0], "bank": [2.0, 2.0], "loan": [0.0, 3.0]}
SENTENCES = {"river": "river bank", "loan": ["bank", "loan"]}
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "module",
    [
        *("xlsxattn", "xlsxattn.api", "xlsxattn.spec_schema"),
        *("xlsxattn.contract.keys", "xlsxattn.contract.kinds.settings"),
    ],
)
def test_the_examples_in_the_docstrings_are_true(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def test_a_spec_from_arrays_builds_and_is_read_as_tables(tmp_path):
    rng = np.random.default_rng(1)
    weights = {name: rng.normal(size=(2, 3)).round(2) for name in ("W_Q", "W_K", "W_V")}
    spec = xlsxattn.Spec(
        vocabulary=pd.DataFrame.from_dict(WORDS, orient="index", columns=["water", "money"]),
        contexts=SENTENCES,
        sheets=[{"id": "qkv", "weights": weights}],
        title="Bank, twice",
    )
    made = xlsxattn.build(spec, tmp_path / "bank.xlsx")
    assert made.report.holds
    tables = xlsxattn.read(made.path)
    X = np.array([WORDS["river"], WORDS["bank"]])
    Q, K, V = (X @ weights[name] for name in ("W_Q", "W_K", "W_V"))
    attention = softmax(Q @ K.T / np.sqrt(3))
    table = tables["qkv_river_Attention"]
    assert list(table.index) == list(table.columns) == ["river", "bank"]
    np.testing.assert_allclose(table.to_numpy(), attention, atol=1e-12)
    assert table.loc["bank", "river"] == pytest.approx(attention[1, 0])
    np.testing.assert_allclose(tables["qkv_river_Output"].to_numpy(), attention @ V, atol=1e-12)
    assert list(tables["qkv_river_Output"].columns) == ["v1", "v2", "v3"]
    assert list(tables["vocab_E"].columns) == ["water", "money"]
    assert tables["river_Tokens"]["Tokens"].tolist() == ["river", "bank"]
    assert list(tables["qkv_W_Q"].index) == ["water", "money"]
    assert xlsxattn.look(made.path).title == "Bank, twice"


@pytest.mark.parametrize(
    "vocabulary",
    [
        WORDS,
        {"tokens": WORDS},
        {word: np.array(numbers) for word, numbers in WORDS.items()},
        {word: tuple(numbers) for word, numbers in WORDS.items()},
        {word: pd.Series(numbers) for word, numbers in WORDS.items()},
        {word: np.array(numbers, dtype=np.float32) for word, numbers in WORDS.items()},
        {word: [np.float64(number) for number in numbers] for word, numbers in WORDS.items()},
    ],
    ids=["lists", "a table", "arrays", "tuples", "series", "float32", "numpy's numbers"],
)
def test_a_vocabulary_in_many_forms_is_one_spec(vocabulary):
    assert xlsxattn.Spec(vocabulary, SENTENCES, [{"id": "attn"}]).data == {
        "vocabulary": {"tokens": WORDS},
        "contexts": SENTENCES,
        "sheets": [{"id": "attn"}],
    }


def test_words_may_be_named_like_keys():
    words = {"tokens": [1.0, 0.0], "from": [0.0, 1.0]}
    assert xlsxattn.Spec(words, {"a": "tokens from"}, []).data["vocabulary"] == {"tokens": words}


@pytest.mark.parametrize("name", templates.names())
def test_every_template_can_be_written_in_python(name, tmp_path):
    data = tomllib.loads(templates.path(name).read_text("utf-8"))
    spec = xlsxattn.Spec(**data)
    assert spec.data == data
    if name == "causal":
        one = xlsxattn.build(name, tmp_path / "a.xlsx")
        two = xlsxattn.build(spec, tmp_path / "b.xlsx")
        three = xlsxattn.build(data, tmp_path / "c.xlsx")
        four = xlsxattn.build(str(templates.path(name)), tmp_path / "d.xlsx")
        assert len({made.path.read_bytes() for made in (one, two, three, four)}) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"contexts": {"a": "river sea"}}, "the spec: contexts.a: the vocabulary lacks the word 'sea'"),
        (
            {"sheets": [{"id": "attn", "mask": "casual"}]},
            r"the spec: sheets\[1\].mask \(sheet 'attn'\): found 'casual'",
        ),
        (
            {"sheets": [{"id": "attn", "weights": {"W_Q": np.eye(2)}}]},
            r"sheets\[1\].weights.W_K \(sheet 'attn'\): is missing",
        ),
        (
            {"vocabulary": {"river": [1.0, np.nan], "bank": [1, 2]}},
            "number 2 is nan, expected a number within",
        ),
        ({"vocabulary": pd.DataFrame([[1], [2]], index=["a", "a"])}, "vocabulary: the index has 'a' twice"),
    ],
)
def test_an_invalid_build_raises_one_sentence_and_writes_no_file(change, sentence, tmp_path):
    spec = xlsxattn.Spec(
        **{"vocabulary": WORDS, "contexts": {"a": "river bank"}, "sheets": [{"id": "attn"}]} | change
    )
    with pytest.raises(xlsxattn.SpecError, match=sentence):
        xlsxattn.build(spec, tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_an_edited_workbook_is_kept_unless_forced(tmp_path):
    target = tmp_path / "x.xlsx"
    target.write_bytes(b"mine")
    with pytest.raises(xlsxattn.PressError, match="changed after it was built, so it was not replaced"):
        xlsxattn.build("causal", target)
    assert xlsxattn.build("causal", str(target), force=True).report.holds


def test_without_pandas_arrays_work_and_tables_name_the_missing_library(causal, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    seen = xlsxattn.look(causal)
    np.testing.assert_allclose(seen["causal_chase_Attention"].array().sum(axis=1), 1)
    assert seen["chase_Tokens"].array()[1, 0] == "cat"
    with pytest.raises(xlsxattn.PandasMissing, match=r"pip install 'xlsxattn\[pandas\]'"):
        xlsxattn.read(causal)


def test_blanks_are_nan_in_numbers(causal):
    matrix = xlsxattn.look(causal)["causal_chase_Scores"]
    lower = replace(matrix, grid=tuple(row[: i + 1] + (None,) * (4 - i) for i, row in enumerate(matrix.grid)))
    assert np.isnan(lower.frame().to_numpy()).sum() == 10


# --- names and types ---------------------------------------------------------------------------------------


def test_public_names_exist_and_are_documented():
    for name in xlsxattn.__all__:
        assert getattr(xlsxattn, name).__doc__
    assert sorted(xlsxattn.__all__) == sorted(xlsxattn._FROM)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = xlsxattn.nonsense


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(xlsxattn.__file__).read_text("utf-8"))
    told = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == {name: f"xlsxattn.{module}" for name, module in xlsxattn._FROM.items()}
    assert (Path(xlsxattn.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=kinds.KINDS)
def test_sheets_as_records_and_as_tables_give_the_same_spec(kind):
    needed = {"classes": ["yes", "no"]} if kind is xlsxattn.Classifier else {}
    if kind is xlsxattn.Training:
        needed = {"trains": "y", "examples": [{"sentence": "a b", "word": "a", "target": [1.0]}]}
    examples = [xlsxattn.Example(**one) for one in needed.get("examples", ())]
    given = {**needed, **({"examples": examples} if examples else {})}
    sheet = kind(id="x", title="", about="a\nb", try_=["c"], **given)
    assert getattr(xlsxattn, kind.__name__) is kind
    table = {"kind": kind.kind, "id": "x", "about": "a\nb", "try": ["c"], **needed}
    assert xlsxattn.Spec(WORDS, SENTENCES, [sheet]).data["sheets"] == [table]


def test_a_given_key_is_kept_even_if_it_equals_the_default():
    sheet = xlsxattn.CrossAttention(id="x", temperature=1.0, heads=1, seed=0, title="")
    assert xlsxattn.Spec(WORDS, SENTENCES, [sheet]).data["sheets"] == [
        {"kind": "cross-attention", "id": "x", "seed": 0, "temperature": 1.0, "heads": 1}
    ]


def test_a_vocabulary_from_a_file_can_be_written_in_python():
    words = xlsxattn.Vocabulary(from_="glove.txt", components=2)
    assert xlsxattn.Spec(words, SENTENCES, []).data["vocabulary"] == {"from": "glove.txt", "components": 2}


TYPED = {
    "made = xlsxattn.build('causal', 'x.xlsx'); reveal: bool = made.report.holds": True,
    "tables = xlsxattn.read('x.xlsx'); n: int = len(tables['a'].columns)": True,
    "sheet: xlsxattn.Sheet = xlsxattn.Decoder(id='a', heads=2, mask='causal')": True,
    "xlsxattn.Decoder(id='a', heads='two')": False,
    "xlsxattn.Decoder(id='a', mask='none')": False,
    "xlsxattn.Compare(id='a', heads=2)": False,
    "xlsxattn.Spec({}, {'a': 'b'}, [{'id': 'a'}, xlsxattn.Encoder(id='b', layers=2)])": True,
    "xlsxattn.build(3, 'x.xlsx')": False,
    "xlsxattn.read('x.xlsx')['a'].nonsense()": False,
}
"""Lines of Python, and whether their types are right."""


def test_the_package_is_typed(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "lesson.py").write_text("\n".join(["import xlsxattn", *TYPED]), "utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--cache-dir",
        str(ROOT / ".mypy_cache/api"),
    ]
    ended = subprocess.run(
        [*command, "--ignore-missing-imports", "lesson.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wrong = {int(line) for line in re.findall(r"^lesson\.py:(\d+): error", ended.stdout, re.MULTILINE)}
    assert wrong == {i for i, good in enumerate(TYPED.values(), 2) if not good}, ended.stdout


# --- display in a shell and a notebook ---------------------------------------------------------------------


def test_results_have_a_short_repr_and_html(walkthrough, tmp_path):
    book = openpyxl.load_workbook(walkthrough)
    for name in [name for name in book.defined_names if name.endswith("_Scaled")]:
        del book.defined_names[name]
    book.save(tmp_path / "broken.xlsx")
    broken = xlsxattn.check(tmp_path / "broken.xlsx", inputs="as-saved")
    assert not broken.holds
    good = xlsxattn.check(walkthrough, inputs="as-saved")
    shown = [
        xlsxattn.build("causal", tmp_path / "causal.xlsx"),
        *(good, broken, xlsxattn.look(walkthrough), xlsxattn.read(walkthrough)),
    ]
    for result in shown:
        assert repr(result).startswith(f"<{type(result).__name__} ")
        assert "\n" not in repr(result)
        assert len(repr(result)) < 300
        assert len(result._repr_html_()) < 2000
    assert re.search(r"all [\d,]+ cells of \d+ ranges", repr(good))
    assert "_Scaled" in broken._repr_html_()
    assert len(repr(good.runs[0])) < 100
    assert len(repr(xlsxattn.look(walkthrough)["attn_cat_X"])) < 100


def test_a_workbook_is_a_collection_of_its_ranges(causal):
    seen = xlsxattn.look(causal)
    assert [*seen] == [*seen.matrices] == [*xlsxattn.read(causal)]
    assert "causal_chase_X" in seen
    assert "causal_chase_Y" not in seen
    assert len(seen) == len(seen.matrices)


# --- invalid arguments -------------------------------------------------------------------------------------


def test_an_unknown_choice_is_refused_with_the_known_ones(causal, tmp_path):
    wrong = "found 'ironclac', expected one of {}; did you mean 'ironcalc'?"
    shown = wrong.format("saved, ironcalc, libreoffice, gnumeric")
    checked = wrong.format("ironcalc, libreoffice, gnumeric, saved, all")
    for sentence, call in {
        "inputs: found 'bla', expected one of perturbed, as-saved": lambda: xlsxattn.check(
            causal, inputs="bla"
        ),
        f"engine: {checked}": lambda: xlsxattn.check(causal, "ironclac"),
        f"engine: {shown}": lambda: xlsxattn.look(causal, "ironclac"),
        "lang: found 'fr', expected one of en, zh": lambda: xlsxattn.schema("fr"),
        "lang: found 'de', expected one of en, zh": lambda: xlsxattn.preview(
            causal, tmp_path / "x.html", lang="de"
        ),
    }.items():
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_engines_and_inputs_have_literal_types():
    hints = {f.__name__: get_type_hints(f) for f in (check.check, look.look)}
    assert get_args(hints["check"]["engine"]) == ("ironcalc", "libreoffice", "gnumeric", "saved", "all")
    assert get_args(hints["check"]["inputs"]) == ("perturbed", "as-saved")
    assert get_args(hints["look"]["engine"]) == ("saved", "ironcalc", "libreoffice", "gnumeric")


def test_a_target_of_another_file_type_is_refused(tmp_path):
    with pytest.raises(xlsxattn.PressError, match=r"x\.txt: the workbook's name must end in \.xlsx"):
        xlsxattn.build("causal", tmp_path / "x.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_default_target_is_that_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert xlsxattn.build("causal").path == Path("output/causal.xlsx")
    Path("lesson.toml").write_bytes(templates.path("causal").read_bytes())
    assert xlsxattn.build(Path("lesson.toml")).path == Path("output/lesson.xlsx")
    with pytest.raises(ValueError, match=r"^target: .* needs the name of the workbook"):
        xlsxattn.build(xlsxattn.Spec(WORDS, SENTENCES, [{"id": "attn"}]))


def test_an_unknown_template_has_the_message_of_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bank.toml").write_text("", "utf-8")
    for word, near in (("causel", "causal"), ("bnk", "bank.toml")):
        with pytest.raises(xlsxattn.SpecError, match=f"there is no template '{word}'; did you mean '{near}'"):
            xlsxattn.build(word, tmp_path / "x.xlsx")


def test_unknown_ranges_and_sheets_get_a_suggestion(causal, tmp_path):
    with pytest.raises(KeyError, match=r"no range 'causal_chase_Atention'; did you mean 'causal_chase_Att"):
        xlsxattn.look(causal)["causal_chase_Atention"]
    with pytest.raises(KeyError, match="did you mean 'causal_chase_Attention'"):
        xlsxattn.read(causal)["causal_chase_Atention"]
    with pytest.raises(xlsxattn.PreviewError, match=r"; did you mean 'causal'\?"):
        xlsxattn.preview(causal, tmp_path / "x.png", "casual")


def test_the_package_has_its_version_and_lists_its_names():
    assert xlsxattn.__version__ == version("xlsxattn")
    assert {*xlsxattn.__all__, "__version__"} <= {*dir(xlsxattn)}
    program = "import xlsxattn; xlsxattn.chek"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Did you mean: 'check'?" in ended.stderr


@pytest.mark.parametrize(
    ("starts", "named"),
    [(("given", "given"), "learn1"), (("identity", "given"), "learn1"), (("random",), "learn1")],
)
def test_the_first_screen_is_about_the_first_training_of_its_sheet(starts, named, tmp_path):
    data = tomllib.loads(templates.path("learning").read_text("utf-8"))
    sheet, training = data["sheets"]
    trainings = [
        training | {"id": f"learn{k}", "title": f"Learning {k}", "start": start}
        for k, start in enumerate(starts, 1)
    ]
    path = tmp_path / "starts.xlsx"
    report = xlsxattn.build(data | {"sheets": [sheet, *trainings]}, path).report
    assert report.holds, [finding.message for finding in report.every_finding]
    assert read(path).manifest.front.get("training") == named
