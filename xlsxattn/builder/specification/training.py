"""Resolves the training sheets of a spec: the trained sheet, the initial weights, and the examples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.builder.specification.table import show
from xlsxattn.builder.specification.words import sentence_of
from xlsxattn.contract.kinds import MultiHead, SelfAttention
from xlsxattn.contract.values import MAX_TRAINED
from xlsxattn.language import say
from xlsxattn.suggestions import with_near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.specification.table import Table
    from xlsxattn.builder.specification.words import Vocabulary
    from xlsxattn.contract.kinds import Example, Sheet, Training

MAX_CELLS = 1_000_000
"""Maximum number of cells of all steps; more would take an engine and the check minutes."""
SQUARES = 6
"""Number of quantities of a step with a column for each word and a row for each example."""


def resolved(table: Table, sheet: Training, before: Sequence[Sheet], vocabulary: Vocabulary) -> Training:
    """The training with its trained sheet, its initial weights, and the words and numbers of its examples.

    Raises:
        SpecError: one of them is invalid, or there would be too many cells.
    """
    form = _form(table, sheet, before)
    learns = tuple(name for name in form.weights if name in (sheet.learns or form.weights))
    for name in sheet.learns:
        if name not in form.weights:
            known = ", ".join(form.weights)
            sentence = "found {found}, and {trains!r} has {known}"
            raise table.error("learns", sentence, found=show(name), trains=form.id, known=known)
    d_out = len(form.weights["W_O"][0]) if form.projects_out else max(1, form.heads) * form.d_v
    examples = tuple(
        _example(table, f"examples[{i}]", one, vocabulary, d_out) for i, one in enumerate(sheet.examples, 1)
    )
    sheet = replace(sheet, form=form, learns=learns, examples=examples)
    sheet = replace(sheet, matrices=_start(sheet, form, vocabulary.d_model))
    _refuse_large(table, sheet, form)
    _refuse_large_numbers(table, sheet, vocabulary)
    return sheet


def _form(table: Table, sheet: Training, before: Sequence[Sheet]) -> SelfAttention | MultiHead:
    """The trained sheet: attention with weights, and with supported settings."""
    known = {one.id: one for one in before if isinstance(one, SelfAttention | MultiHead)}
    form = known.get(sheet.trains)
    if form is None:
        listed = ", ".join(known) or say("none")
        sentence = "found {found}, expected the id of an earlier attention sheet of one sentence: {known}"
        said = say(sentence, found=show(sheet.trains), known=listed)
        raise table.error("trains", with_near(said, sheet.trains, known))
    if not form.weights:
        sentence = "{trains!r} has no weights that could be trained: give it weights, d_k or a seed"
        raise table.error("trains", sentence, trains=form.id)
    missing = {
        "position": form.position != "none",
        "mask": form.mask not in ("none", "causal"),
        "bias": bool(form.biases),
        "kv_heads": form.grouped,
    }
    for key, is_there in missing.items():
        if is_there:
            value = show(getattr(form, key))
            sentence = "{trains!r} has {key} = {value}, through which no gradient is computed yet"
            raise table.error("trains", sentence, trains=form.id, key=key, value=value)
    return form


def _example(table: Table, key: str, one: Example, vocabulary: Vocabulary, d_out: int) -> Example:
    """An example with the words of its sentence and the numbers of its target."""
    words = sentence_of(table, f"{key}.sentence", one.sentence)
    _known(table, f"{key}.sentence", words, vocabulary)
    if one.word not in words:
        said = say("its sentence lacks the word {word!r}", word=one.word)
        raise table.error(f"{key}.word", with_near(said, one.word, words))
    return replace(one, sentence=words, target=_target(table, f"{key}.target", one.target, vocabulary, d_out))


def _target(table: Table, key: str, value: object, vocabulary: Vocabulary, d_out: int) -> tuple[float, ...]:
    """The target output of a word: given as numbers, or as words whose embeddings are averaged."""
    worded = isinstance(value, str) or (isinstance(value, list) and isinstance(next(iter(value), 0), str))
    if worded:
        words = sentence_of(table, key, value)
        _known(table, key, words, vocabulary)
        rows = [vocabulary.E[vocabulary.tokens.index(word)] for word in words]
        target = tuple(float(x) for x in np.mean(rows, axis=0).round(6))
    else:
        target = table.vector(key, value)
    if len(target) != d_out:
        sentence = "has {n} numbers, expected {needed}, one for each column of the output"
        raise table.error(key, sentence, n=len(target), needed=d_out)
    return target


def _known(table: Table, key: str, words: Sequence[str], vocabulary: Vocabulary) -> None:
    for word in words:
        if word not in vocabulary.tokens:
            said = say("the vocabulary lacks the word {word!r}", word=word)
            raise table.error(key, with_near(said, word, vocabulary.tokens))


def _start(sheet: Training, form: SelfAttention | MultiHead, d_model: int) -> Mapping[str, Any]:
    """The initial weights."""
    if sheet.start == "given":
        return dict(form.weights)
    rng = np.random.default_rng(sheet.seed)
    deviation = sheet.deviation or d_model**-0.5
    initial = {}
    for name, matrix in form.weights.items():
        shape = (len(matrix), len(matrix[0]))
        drawn = rng.normal(0.0, deviation, shape).round(2) + 0.0
        initial[name] = (np.eye(*shape) if sheet.start == "identity" else drawn).tolist()
    return initial


def _refuse_large_numbers(table: Table, sheet: Training, vocabulary: Vocabulary) -> None:
    """Refuse numbers that the workbook would replace by smaller ones."""
    embeddings = dict(zip(vocabulary.tokens, vocabulary.E, strict=True))
    for i, one in enumerate(sheet.examples, 1):
        _limited(table, f"examples[{i}].target", one.target)
        _limited(table, f"examples[{i}].sentence", [embeddings[word] for word in one.sentence])
    for matrix in sheet.matrices.values():
        _limited(table, "trains" if sheet.start == "given" else "deviation", matrix)


def _limited(table: Table, key: str, numbers: object) -> None:
    largest = max(np.ravel(np.array(numbers, dtype=float)).tolist(), key=abs)
    if abs(largest) > MAX_TRAINED:
        sentence = "uses the number {found}, trainings support numbers up to ±{most:,.0f}"
        raise table.error(key, sentence, found=show(largest), most=MAX_TRAINED)


def _refuse_large(table: Table, sheet: Training, form: SelfAttention | MultiHead) -> None:
    """Refuse a training with more cells than engines compute in a reasonable time."""
    words, examples, heads = (
        sum(len(one.sentence) for one in sheet.examples),
        len(sheet.examples),
        max(1, form.heads),
    )
    columns = sum(len(matrix[0]) for matrix in form.weights.values())
    a_step = SQUARES * heads * examples * words + 2 * (words + examples) * columns
    cells = sheet.steps * a_step
    if cells > MAX_CELLS:
        sentence = (
            "{steps} steps of {examples} examples with {words} words would take about {cells:,} cells; at "
            "most {most:,} are allowed: take fewer steps, or fewer or shorter examples"
        )
        sizes = {"steps": sheet.steps, "examples": examples, "words": words}
        raise table.error("steps", sentence, **sizes, cells=cells, most=MAX_CELLS)
