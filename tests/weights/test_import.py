"""`xlsxattn import`: the workbook of a checkpoint, and error messages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import checkpoints
import numpy as np
import pytest
from commands import refusal, run
from conftest import import_library
from marks import MARKED, marked, unmarked

from xlsxattn import press
from xlsxattn.builder import layout
from xlsxattn.builder.pages import frame as pages
from xlsxattn.builder.pages.glossary import PAPERS
from xlsxattn.checker.reading.book import read, saved
from xlsxattn.view.look import look
from xlsxattn.weights import size
from xlsxattn.weights.model import read_model
from xlsxattn.weights.model_spec import spec_of
from xlsxattn.weights.tensor import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

import_library("tokenizers", "models")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return checkpoints.write(tmp_path / "tiny-bert", checkpoints.BERT, checkpoints.draw(checkpoints.BERT))


@pytest.fixture
def gpt(tmp_path: Path) -> Path:
    return checkpoints.write(tmp_path / "tiny-gpt", checkpoints.GPT2, checkpoints.draw(checkpoints.GPT2))


def grid(path: Path, name: str) -> Any:
    return np.array(saved(read(path))[name])


def test_one_head_is_imported_and_proved(bert: Path, tmp_path: Path) -> None:
    ended = run("import", bert, "--sentence", "w1 w2 w3", "--heads", "1.2", "--force", "-q")
    assert ended.code == 0, ended
    written, verdict = ended.out.splitlines()
    assert written == "written: output/tiny-bert.xlsx"
    assert verdict.startswith("proved: all ")
    book = read(tmp_path / "output" / "tiny-bert.xlsx")
    assert "bert_s1_l2_h3_Attention" in book.names
    assert not {
        n for n in book.names if n.startswith(("bert_l1", "bert_s1_l1", "bert_s1_Output", "bert_l2_W_O"))
    }
    assert "bert_s1_l2_Input" in book.manifest.inputs  # the output of layer 1, as numbers
    message = {text for text in book.typed.values() if isinstance(text, str)}
    assert {"1 head", "Only some heads of the layer are shown: where does each token look?"} <= message
    assert any("Heads 2.3 only (layer.head)." in text for text in message)


def test_the_size_is_printed_first(bert: Path) -> None:
    ended = run("import", bert, "--sentence", "w1 w2", "--layers", "0")
    assert ended.code == 0
    assert ended.err.startswith(f"{bert}: the workbook will have ")
    assert len((ended.out + ended.err).splitlines()) <= 5


def test_notes_are_printed_in_full_in_lines_of_300_characters(bert: Path) -> None:
    told = {"chat_template": "x", "auto_map": {"a": "b"}, "additional_special_tokens": ["w1"]}
    told["split_special_tokens"] = True
    (bert / "tokenizer_config.json").write_text(json.dumps(told), "utf-8")
    ended = run("import", bert, "--sentence", "w1 hello", "--heads", "1.2")
    assert ended.code == 0
    notes = [line for line in ended.err.splitlines() if "tokenizer_config.json" in line]
    assert len(notes) == 2
    assert max(map(len, notes)) <= 300
    assert notes[-1].endswith("auto_map names custom code, which is not run.")


def test_selected_layers_start_from_the_output_of_the_previous_ones(bert: Path, tmp_path: Path) -> None:
    whole = press.build(spec_of(read_model(bert, ["w1 w2 w3", "w4"])), tmp_path / "whole.xlsx")
    last = press.build(spec_of(read_model(bert, ["w1 w2 w3", "w4"], layers="1")), tmp_path / "last.xlsx")
    assert whole.report.holds
    assert last.report.holds
    np.testing.assert_allclose(
        grid(last.path, "bert_s1_l2_Input"), grid(whole.path, "bert_s1_l1_Norm2"), rtol=0, atol=1e-6
    )  # the workbook has the short decimal texts of the float32 numbers
    np.testing.assert_allclose(
        grid(last.path, "bert_s2_Output"), grid(whole.path, "bert_s2_Output"), rtol=0, atol=1e-6
    )
    assert not [n for n in read(last.path).names if n.startswith("bert_s1_l1_")]


def test_a_decoder_has_blank_cells_within_its_positions(gpt: Path) -> None:
    imported = read_model(gpt, ["w1 w2 w3 w4 w5 w6"], whole_vocabulary=None, write=8)
    assert imported.blanks == 3
    spec = spec_of(imported)
    assert (len(spec.vocabulary.tokens), len(spec.contexts[0].words), spec.sheets[0].generate) == (
        11,
        9,
        True,
    )


def test_the_focus_is_the_longest_word_that_all_sentences_share(bert: Path) -> None:
    imported = read_model(bert, ["w1 w2 w10", "w10 w1"])
    assert spec_of(imported).focus in imported.sentences[1][1]
    assert spec_of(imported, focus="w2").focus == "w2"
    with pytest.raises(
        CheckpointError, match=r"--focus: no sentence contains the token 'w7'; the tokens are: w1, w2"
    ):
        spec_of(imported, focus="w7")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layers", "2"], "--layers: found '2'; the model's layers are 0 to 1"),
        (["--heads", "0.3"], "--heads: found '3'; the model's heads are 0 to 2"),
        (["--heads", "1.0", "--layers", "0"], "--heads: 1.0 is in layer 1, which --layers does not select"),
        (["-o", "x.txt"], "x.txt: the workbook's name must end in .xlsx"),
        (["--focus", "dog"], "--focus: no sentence contains the token 'dog'; the tokens are: w1, w2"),
        (["--sentence", "w1 " * 10], "has 10 tokens, and the model has positions for 9: make it shorter"),
        (["--sentence", " "], "the sentence ' ' has no tokens, expected at least one"),
    ],
)
def test_bad_options_are_refused_with_one_sentence(bert: Path, options: list[str], message: str) -> None:
    assert message in refusal("import", bert, "--sentence", "w1 w2", *options, "-q")


def test_pickled_checkpoints_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02")
    assert "can run" in refusal("import", "pytorch_model.bin", "--sentence", "w1")


def test_an_edited_import_is_kept(bert: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.xlsx"
    target.write_bytes(b"mine")
    message = refusal("import", bert, "--sentence", "w1", "-q", "-o", target)
    assert message.endswith(
        "the file was changed after it was built, so it was not replaced; use --force to replace it"
    )


def test_an_import_without_enough_memory_is_refused(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size, "_available", lambda: 1_000_000)
    assert "MB of memory, and 1 MB are free" in refusal("import", bert, "--sentence", "w1")


# --- in another language -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ["--layers", "2"],
        ["--layers", "x"],
        ["--heads", "0.3"],
        ["--heads", "7.0"],
        ["--heads", "5"],
        ["--heads", "1.0", "--layers", "0"],
        ["-o", "x.txt"],
        ["--focus", "dog"],
        ["--sentence", "w1 " * 10],
        ["--sentence", " "],
        ["--heads", "1.2", "-v", "--lang", "zh"],
        ["--layers", "0", "--lang", "zh"],
    ],
)
def test_all_messages_of_an_import_are_translated(bert: Path, options: list[str]) -> None:
    ended = marked("import", bert, "--sentence", "w1 w2", *options)
    for text in (ended.out, ended.err):
        assert unmarked(text, "tiny bert BERT layer head pooler dense", *options) == [], text
    assert "⟦" in ended.err


@pytest.mark.parametrize("options", [{}, {"layers": "1"}, {"heads": "1.2"}])
def test_all_texts_of_an_imported_workbook_are_translated(
    bert: Path, gpt: Path, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "language", lambda _: MARKED)
    names = "tiny BERT GPT pooler dense lm_head weight MMULT TRANSPOSE ROWS UNK Concat"
    names += (
        " Sum Input Output MultiHead FeedForward Residual Norm Scaled Masked Hidden Logits Tempered LogitExp"
    )
    for path in (bert, gpt):
        spec = spec_of(read_model(path, ["w1 w2 nonsense w3"], **options))
        assert unmarked(MARKED.tell(spec.vocabulary.said), names) == []
        sheets = layout.lay_out(pages.book(spec))  # long texts are wrapped
        quoted = {"formula", "paper"} | {*PAPERS.values()}
        message = ["\n".join(t.text for t in s.texts if not {t.look, t.text} & quoted) for s in sheets]
        assert [text for text in message if "float32" in text]
        papers = re.compile(r"\([A-Z]\w+( et al\.| and [A-Z]\w+)? \d{4}[^)]*\)")
        assert [word for text in message for word in unmarked(papers.sub("", text), names)] == []


def test_an_import_in_chinese(bert: Path, tmp_path: Path) -> None:
    ended = run("import", bert, "--sentence", "w1 w2 w3", "--layers", "1", "--lang", "zh", "-o", "zh.xlsx")
    assert ended.code == 0
    assert ended.err.startswith(f"{bert}：工作簿将有 ")
    notes = [text for tab in look(tmp_path / "zh.xlsx").notes.values() for text in tab.values()]
    assert [text for text in notes if "只有第 2 层。层和头在这里从 1 数起" in text]
    (bert / "config.json").write_text("{", "utf-8")
    message = refusal("import", bert, "--sentence", "w1", "--lang", "zh")
    assert message.endswith("config.json：不是 JSON：这里应有双引号括起的键（第 1 行第 2 列）")
