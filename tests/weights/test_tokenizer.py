"""Tokens become readable, distinct texts that fit in a cell."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import checkpoints
import pytest
from conftest import import_library

from xlsxattn.builder import specification as spec
from xlsxattn.weights.model import read_model
from xlsxattn.weights.sidecars import tokenizer_notes
from xlsxattn.weights.token_text import byte_letters, distinct, from_bytes, spell
from xlsxattn.weights.tokenizer import Split, SplitSentence

if TYPE_CHECKING:
    from pathlib import Path

tokenizers: Any = import_library("tokenizers", "models")


def test_bytes_map_to_the_characters_of_the_library() -> None:
    letters = byte_letters()
    assert sorted(letters.values()) == list(range(256))
    assert set(letters) == set(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    step = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for text in ("a b", "naïve", "\n", "😀", "\x7f\xad"):
        ((written, _),) = step.pre_tokenize_str(text)
        assert bytes(letters[letter] for letter in written) == text.encode()


@pytest.mark.parametrize(
    ("token", "spelled"),
    [
        ("Ġcat", "▁cat"),
        ("cat", "cat"),
        ("ĠnaÃ¯ve", "▁naïve"),
        ("Ċ", "<U+000A>"),
        ("ðŁĺ", "<0xF0><0x9F><0x98>"),
        ("ðŁĺĢ", "😀"),
        ("Ã", "<0xC3>"),
        ("<|endoftext|>", "<|endoftext|>"),
        ("ĠĠĠ", "▁▁▁"),
        ("ÂŃ", "<U+00AD>"),
        ("Âł", "<U+00A0>"),
    ],
)
def test_byte_level_tokens_are_spelled_as_text(token: str, spelled: str) -> None:
    assert spell(from_bytes(token)) == spelled


def test_texts_that_a_workbook_cannot_store_are_escaped() -> None:
    assert spell("_x0041_") == "<U+005F>x0041_"
    assert spell("a\u0308") == "ä"
    assert spell("\u200b") == "<U+200B>"
    assert len(spell("😀" * 300).encode("utf-16-le")) <= 510


def test_tokens_that_look_alike_get_their_ids() -> None:
    tokens = {3: "fi", 7: "ﬁ", 8: "²", 9: "2", 11: "", 12: "x" * 300, 13: "x" * 301, 14: "…"}
    spelled = distinct(tokens)
    assert (spelled[3], spelled[7]) == ("fi", "ﬁ⟨7⟩")
    assert (spelled[8], spelled[9]) == ("²", "2⟨9⟩")
    assert (spelled[11], spelled[14]) == ("⟨11⟩", "…")
    assert spelled[12].endswith("…⟨12⟩")
    twins = [unicodedata.normalize("NFKC", text) for text in spelled.values()]
    assert len(set(twins)) == len(tokens)


def trained(folder: Path, text: list[str]) -> Any:
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    inner.train_from_iterator(text, trainer)
    inner.save(str(folder / "tokenizer.json"))
    return inner


def test_every_token_of_a_byte_level_vocabulary_is_valid(tmp_path: Path) -> None:
    config = checkpoints.GPT2 | {"vocab_size": 300, "n_positions": 40}
    checkpoints.write(tmp_path, config, checkpoints.draw(config), tokenizer=False)
    inner = trained(tmp_path, ["the cat and the mouse ½ ﬁ fi 😀", "the keyboard and the mouse"] * 5)
    n_vocab = inner.get_vocab_size()
    config["vocab_size"] = n_vocab
    checkpoints.write(tmp_path, config, checkpoints.draw(config), tokenizer=False)
    sentence = "the mouse 😀 and\nÄ"
    imported = read_model(tmp_path, [sentence], whole_vocabulary=True)
    assert [imported.tokens.index(token) for token in imported.sentences[0][1]] == inner.encode(sentence).ids
    assert "▁mouse" in imported.sentences[0][1]
    data = {
        "vocabulary": {"tokens": {token: [1.0] for token in imported.tokens}},
        "contexts": {"a": list(imported.sentences[0][1])},
        "sheets": [{"id": "s"}],
    }
    made = spec.parse(data, "spec")
    assert made.vocabulary.tokens == imported.tokens
    assert made.contexts[0].words == imported.sentences[0][1]


def test_truncation_and_padding_from_training_are_disabled(tmp_path: Path) -> None:
    folder = checkpoints.write(
        tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT), tokenizer=False
    )
    checkpoints.write_tokenizer(folder / "tokenizer.json", 11)  # truncates at 4 tokens
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    assert data["truncation"]["max_length"] == 4
    assert len(read_model(folder, ["w1 w2 w3 w4 w5 w6"]).sentences[0][1]) == 6


CONFIG = {
    "do_lower_case": False,
    "add_prefix_space": True,
    "add_bos_token": True,
    "add_eos_token": False,
    "bos_token": {"content": "<s>"},
    "eos_token": "</s>",
}
"""A tokenizer_config.json that agrees with the tokenizer below in everything."""


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"do_lower_case": True}, ["do_lower_case is true"]),
        ({"add_prefix_space": False}, ["add_prefix_space is false"]),
        ({"add_bos_token": False}, ["add_bos_token is false"]),
        ({"add_eos_token": True}, ["add_eos_token is true"]),
        ({"strip_accents": True}, ["strip_accents is true"]),
        ({"tokenize_chinese_chars": False}, ["tokenize_chinese_chars is false"]),
        ({"split_special_tokens": True}, ["split_special_tokens is true"]),
        ({"additional_special_tokens": ["b", "c", "<s>"]}, ["adds 'b', which tokenizer.json lacks"]),
        ({"extra_special_tokens": {"mine": {"content": "b"}}}, ["adds 'b', which"]),
        ({"added_tokens_decoder": {"7": {"content": "a b"}}}, ["adds 'a b', which"]),
        ({"mask_token": "a"}, ["adds 'a', which"]),
        ({"add_bos_token": False, "bos_token": "<other>"}, []),
        ({"auto_map": {"AutoTokenizer": "own.Tokenizer"}}, ["auto_map names custom code"]),
        ({"chat_template": "{{ messages }}"}, ["the chat template is not applied"]),
    ],
)
def test_contradictions_of_the_tokenizer_config_are_reported(
    changed: dict[str, Any], told: list[str], tmp_path: Path
) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(CONFIG | changed), encoding="utf-8")
    data = {
        "normalizer": {"type": "BertNormalizer", "lowercase": False},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True},
    }
    sentence = SplitSentence("a b", 3, (1, 5, 6), ((0, 0), (0, 1), (2, 3)))
    split = Split(tmp_path / "tokenizer.json", data, (sentence,), {}, None, {"<s>": 1, "</s>": 2})
    notes = tokenizer_notes(tmp_path, split)
    assert len(notes) == len(told)
    for note, part in zip(notes, told, strict=True):
        assert note.startswith(f"tokenizer_config.json: {part}")


def test_without_a_tokenizer_config_nothing_is_reported(tmp_path: Path) -> None:
    split = Split(tmp_path / "tokenizer.json", {}, (), {}, None, {})
    assert tokenizer_notes(tmp_path, split) == []


@pytest.mark.parametrize("file", ["special_tokens_map.json", "added_tokens.json"])
def test_tokens_that_other_files_add_are_mentioned(file: str, tmp_path: Path) -> None:
    added = {"cat": 9} if file == "added_tokens.json" else {"additional_special_tokens": ["cat", "dog"]}
    (tmp_path / file).write_text(json.dumps(added), encoding="utf-8")
    sentence = SplitSentence("a cat", 2, (1, 2), ((0, 1), (2, 5)))
    split = Split(tmp_path / "tokenizer.json", {"added_tokens": []}, (sentence,), {}, None, {})
    (note,) = tokenizer_notes(tmp_path, split)
    assert note.startswith(f"{file}: adds 'cat', which tokenizer.json lacks")
    split = replace(split, data={"added_tokens": [{"id": 9, "content": "cat"}]})
    assert tokenizer_notes(tmp_path, split) == []


def test_an_unknown_space_is_mentioned(tmp_path: Path) -> None:
    sentence = SplitSentence("a b", 3, (1, 0, 2), ((0, 1), (1, 2), (2, 3)))
    (note,) = Split(tmp_path, {}, (sentence,), {}, 0, {}).notes()
    assert note.startswith("The tokenizer does not know ' ':")
