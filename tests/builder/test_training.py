"""Trainings in a spec: what is refused, and what follows from the rest."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from xlsxattn.builder import layout, pages
from xlsxattn.builder import specification as spec
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.layout.placed import places

SPEC: dict[str, Any] = {
    "vocabulary": {"tokens": {"cat": [1.0, 0.0], "key": [0.0, 1.0], "mouse": [1.0, 1.0]}},
    "contexts": {"one": "cat mouse"},
    "sheets": [
        {"id": "bare", "kind": "self-attention"},
        {"id": "t", "kind": "self-attention", "seed": 1},
        {
            "id": "s",
            "kind": "training",
            "trains": "t",
            "steps": 3,
            "examples": [{"sentence": "cat mouse", "word": "mouse", "target": [1.0, 0.0]}],
        },
    ],
}


def changed(example: dict[str, Any] | None = None, form: dict[str, Any] | None = None, **keys: Any) -> Any:
    data = deepcopy(SPEC)
    data["sheets"][1] |= form or {}
    data["sheets"][2] |= keys
    if example:
        data["sheets"][2]["examples"][0] |= example
    return data


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (changed({"word": "key"}), "examples[1].word", "its sentence lacks the word 'key'"),
        (changed({"sentence": "cat dog"}), "examples[1].sentence", "the vocabulary lacks the word 'dog'"),
        (changed({"target": [1.0]}), "examples[1].target", "has 1 numbers, expected 2"),
        (changed({"target": ["dog"]}), "examples[1].target", "the vocabulary lacks the word 'dog'"),
        (changed({"targets": [1.0]}), "examples[1].targets", "no such key"),
        (changed(trains="u"), "trains", "found 'u'"),
        (changed(trains="s"), "trains", "found 's'"),
        (changed(trains="bare"), "trains", "'bare' has no weights"),
        (changed(form={"position": "sinusoidal"}), "trains", "'t' has position = 'sinusoidal'"),
        (changed(form={"mask": "padding"}), "trains", "'t' has mask = 'padding'"),
        (changed(form={"kind": "multi-head", "bias": True}), "trains", "'t' has bias = true"),
        (changed(form={"kind": "multi-head", "heads": 2, "kv_heads": 1}), "trains", "'t' has kv_heads = 1"),
        (changed(learns=["W_O"]), "learns", "found 'W_O', and 't' has W_Q, W_K, W_V"),
        (changed(learns=["W_X"]), "learns[1]", "found 'W_X'"),
        (changed(examples=[]), "examples", "found []"),
        (changed(steps=201), "steps", "from 1 to 200"),
        (changed(steps=0), "steps", "from 1 to 200"),
        (changed(lr=0.0), "lr", "a number above 0"),
        (changed(momentum=1.5), "momentum", "expected a number from 0 to 1"),
        (changed(betas=[0.9, 1.0]), "betas[2]", "expected a number from 0 to 0.999999"),
        (changed(eps=1e-13), "eps", "workbooks support 1e-12 or more"),
        (changed(eps=1e7), "eps", "workbooks support 1,000,000 or less"),
        (changed(lr=1e7), "lr", "workbooks support 1,000,000 or less"),
        (changed(start="random", deviation=1e9), "deviation", "support numbers up to ±1,000,000"),
        (changed(betas=[0.9]), "betas", "found [0.9]"),
        (changed(eps=-1.0), "eps", "a number above 0"),
        (changed(weight_decay=-0.1), "weight_decay", "a number from 0 to 1"),
        (changed(optimizer="adamw"), "optimizer", "one of sgd, momentum, adam"),
        (
            changed(
                steps=200, examples=[{"sentence": "cat " * 250 + "key", "word": "key", "target": "cat"}] * 32
            ),
            "steps",
            "would take about 327,782,400 cells; at most 1,000,000 are allowed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_an_invalid_training_is_refused_in_one_sentence(data, place, message):
    with pytest.raises(spec.SpecError) as refused:
        spec.parse(data, "lesson.toml")
    sentence = str(refused.value)
    assert sentence.startswith(f"lesson.toml: sheets[3].{place} (sheet 's'): ")
    assert message in sentence
    assert "\n" not in sentence


def test_examples_are_required():
    data = changed()
    del data["sheets"][2]["examples"]
    with pytest.raises(spec.SpecError, match=r"sheets\[3\].examples .*: is missing"):
        spec.parse(data, "lesson.toml")


def test_a_target_of_words_is_the_mean_of_their_embeddings():
    sheet = spec.parse(changed({"target": "cat mouse"}), "x").sheets[2]
    assert sheet.examples[0].target == (1.0, 0.5)


@pytest.mark.parametrize(
    ("start", "first"), [("given", None), ("identity", [1.0, 0.0]), ("random", [0.13, -0.13])]
)
def test_initial_weights(start, first):
    given, sheet = spec.parse(changed(start=start, seed=0, deviation=1.0), "x").sheets[1:]
    matrix = [list(row) for row in sheet.matrices["W_Q"]]
    assert matrix[0] == (first or list(given.weights["W_Q"][0]))
    assert sheet.learns == ("W_Q", "W_K", "W_V")


def test_each_step_reads_its_own_rows_and_those_before():
    sheets = layout.lay_out(pages.book(spec.parse(changed(learns=["W_Q"], optimizer="momentum"), "x")))
    where = places(sheets)

    def entered(name: str) -> list[str]:
        placed = next(p for sheet in sheets for p in sheet.placed if p.block.name == name)
        return [formula for _, formula in formulas.entries(placed, where)]

    def band(name: str, k: int, rows: int) -> str:
        _, r = where[name]
        return formulas.area(type(r)(r.top + k * rows, r.left, r.top + k * rows + rows - 1, r.right))

    first, *later = (text.replace("$", "") for text in entered("s_W_Q_Steps"))
    assert "Training'!" in first  # the start, on the page in front
    for k, text in enumerate(later, 1):
        alive, proposed, kept = (
            band(name, i, rows)
            for name, i, rows in (
                ("s_Alive_Steps", k, 1),
                ("s_Proposed_W_Q_Steps", k - 1, 2),
                ("s_W_Q_Steps", k - 1, 2),
            )
        )
        assert text == f"=IF({alive}=1,{proposed},{kept})"
    for k, text in enumerate(entered("s_Velocity_W_Q_Steps")):
        assert (band("s_Velocity_W_Q_Steps", k - 1, 2) in text.replace("$", "")) == (k > 0)
        assert band("s_dW_Q_Steps", k, 2) in text.replace("$", "")


def test_outputs_and_their_gradients_have_the_columns_of_the_dimensions():
    book = pages.book(spec.parse(SPEC, "test.toml"))
    groups = [group for page in book.pages for band in page.bands for group in band.groups if group]
    columns = {block.name: group.cols for group in groups for block in group.blocks[:1]}
    shown = {name: columns[f"s_Shown_{name}"] for name in ("Output", "Error", "dOutput")}
    assert shown == dict.fromkeys(shown, ("d1", "d2"))
