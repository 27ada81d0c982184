"""The weights of a sheet: their names and shapes; given in the spec or a data file, or random."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from xlsxattn.builder.specification.table import known_here
from xlsxattn.contract.kinds import (
    GATED,
    PROJECTED,
    Classifier,
    EncoderDecoder,
    Model,
    MultiHead,
    WithAttention,
    Writer,
)
from xlsxattn.contract.names import BETA, BIAS, GAMMA, SIDES, RangeName, part_of, weight
from xlsxattn.language import say
from xlsxattn.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.builder.specification.table import Matrix, Table

    Shape = tuple[int, int]
    A = TypeVar("A", bound=WithAttention)

GATE = say("an activation with a gate ({gated})", gated=", ".join(GATED))
MAX_LISTED = 12
"""Maximum number of names listed in an error."""
NEEDS = {
    "W_U": "tied = false",
    "P": 'position = "learned"',
    "W_3": GATE,
    "b_3": say("{gate}, bias = true", gate=GATE),
    "W_O": say("several heads"),
    "W_C": say("a classifier"),
    "b_C": say("a classifier"),
    "b": "bias = true",
    "Beta": 'norm = "layer"',
    "Input": "embedding_norm = true",
    "Output": "final_norm = true",
}
"""The setting that a weight requires, by parts of its name."""


def shapes(sheet: WithAttention, d_model: int, n_vocab: int, n: int) -> dict[str, Shape]:
    """Names, without the sheet's id, and shapes of all weights; ``n`` is the longest context's length."""
    shapes = {"P": (n, d_model)} if sheet.position == "learned" else {}
    if not isinstance(sheet, Model):
        return shapes | dict(_attention(sheet, d_model, RangeName()))
    if sheet.embedding_norm:
        shapes |= _norm(sheet, d_model, "Input")
    for side in sides(sheet):
        for layer in range(1, sheet.layers + 1):
            shapes |= _layer(sheet, d_model, RangeName(side=side, layer=layer), crossed=side == "dec")
        if sheet.final_norm:
            shapes |= _norm(sheet, d_model, RangeName(side=side)["Output"])
    if isinstance(sheet, Writer) and not sheet.tied:
        shapes["W_U"] = (d_model, n_vocab)
    if isinstance(sheet, Classifier):
        shapes |= {"W_C": (d_model, len(sheet.classes)), "b_C": (1, len(sheet.classes))}
    return shapes


def sides(sheet: WithAttention) -> tuple[str, ...]:
    """The sides of a model: encoder and decoder, or one without a name."""
    return SIDES if isinstance(sheet, EncoderDecoder) else ("",)


def _layer(sheet: Model, d_model: int, w: RangeName, *, crossed: bool) -> dict[str, Shape]:
    shapes = dict(_attention(sheet, d_model, w)) | _norm(sheet, d_model, w["Norm1"])
    if crossed:
        shapes |= dict(_attention(sheet, d_model, w.at(cross=True))) | _norm(sheet, d_model, w["Norm2"])
    gates = ("1", "3") if sheet.gated else ("1",)
    for gate in gates:
        shapes[w[f"W_{gate}"]] = (d_model, sheet.d_ff)
        if sheet.bias:
            shapes[w[f"b_{gate}"]] = (1, sheet.d_ff)
    shapes[w["W_2"]] = (sheet.d_ff, d_model)
    if sheet.bias:
        shapes[w["b_2"]] = (1, d_model)
    return shapes | _norm(sheet, d_model, w["Norm3" if crossed else "Norm2"])


def _attention(sheet: WithAttention, d_model: int, w: RangeName) -> Iterator[tuple[str, Shape]]:
    heads, kv_heads = max(1, sheet.heads), max(1, sheet.kv_heads)
    columns = {"Q": heads * sheet.d_k, "K": kv_heads * sheet.d_k, "V": kv_heads * sheet.d_v}
    for letter, cols in columns.items():
        yield w[f"W_{letter}"], (d_model, cols)
    d_out = sheet.d_out if isinstance(sheet, MultiHead) else d_model
    if sheet.projects_out:
        yield w["W_O"], (heads * sheet.d_v, d_out)
    for letter, cols in {**columns, "O": d_out}.items():
        if letter in sheet.biases:
            yield w[f"b_{letter}"], (1, cols)


def _norm(sheet: Model, d_model: int, name: str) -> dict[str, Shape]:
    beta = {part_of(name, BETA): (1, d_model)} if sheet.norm == "layer" else {}
    return {part_of(name, GAMMA): (1, d_model), **beta}


def given(table: Table, key: str) -> dict[str, Matrix]:
    """Read the weights under a key as matrices, from a table or a data file."""
    value = table.data[key]
    weights = (table.data_file(key, value) if isinstance(value, str) else table).table(key, None)
    if not weights.data:
        raise table.error(key, "is empty: give all weights, or omit the key")
    return {name: weights.matrix(name, row=is_row(name)) for name in weights.data}


def is_row(name: str) -> bool:
    """True if a weight is a single row: a bias, γ or β."""
    return weight(name).is_row


def sized(table: Table, sheet: A, d_model: int) -> A:
    """The sheet with d_k and d_v of one head: as set, as in the weights, or d_model / heads.

    Also sets d_ff of a model, 4 · d_model by default, and the output columns of a multi-head sheet.
    """
    w = RangeName(side=sides(sheet)[0], layer=1) if isinstance(sheet, Model) else RangeName()
    heads, weights = max(1, sheet.heads), sheet.weights
    d_k = sheet.d_k or _columns(table, sheet, w["W_K"])
    if not d_k and d_model % heads:
        sentence = (
            "found {heads}, which does not divide the {d_model} dimensions; "
            "give d_k, or a number of heads that divides {d_model}"
        )
        raise table.error("heads", sentence, heads=heads, d_model=d_model)
    d_k = d_k or d_model // heads
    sheet = replace(sheet, d_k=d_k, d_v=sheet.d_v or _columns(table, sheet, w["W_V"]) or d_k)
    if isinstance(sheet, MultiHead):
        return replace(sheet, d_out=_output_columns(table, sheet, d_model))
    if isinstance(sheet, Model):
        columns = len(weights[w["W_1"]][0]) if w["W_1"] in weights else 4 * d_model
        return replace(sheet, d_ff=sheet.d_ff or columns)
    return sheet


def _output_columns(table: Table, sheet: MultiHead, d_model: int) -> int:
    """Output columns of a multi-head sheet: as set, as in W_O, or d_model; heads · d_v without W_O."""
    if sheet.out_proj:
        return sheet.d_out or (len(sheet.weights["W_O"][0]) if "W_O" in sheet.weights else d_model)
    if "O" in sheet.biases:
        raise table.error("bias", "contains 'O', but out_proj = false: remove it from the list")
    columns = sheet.heads * sheet.d_v
    if sheet.d_out not in (0, columns):
        sentence = "found {found}, but the concatenated heads have {columns} columns: omit the key"
        raise table.error("d_out", sentence, found=sheet.d_out, columns=columns)
    return columns


def _columns(table: Table, sheet: WithAttention, name: str) -> int:
    """Columns of one head in a weight; 0 if the weight is not given."""
    if name not in sheet.weights:
        return 0
    columns, kv_heads = len(sheet.weights[name][0]), max(1, sheet.kv_heads)
    if columns % kv_heads:
        key = "kv_heads" if "kv_heads" in table.data else "heads"
        sentence = "found {kv_heads}, which does not divide the {columns} columns of {name}"
        raise table.error(key, sentence, kv_heads=kv_heads, columns=columns, name=name)
    return columns // kv_heads


def shaped(
    table: Table, sheet: WithAttention, given: Mapping[str, Matrix], shapes: Mapping[str, Shape]
) -> dict[str, Matrix]:
    """Validate names and shapes of the given weights, and return them in the order of ``shapes``."""
    known = ", ".join([*list(shapes)[:MAX_LISTED], *(["..."] if len(shapes) > MAX_LISTED else [])])
    for name in given:
        if name not in shapes:
            near, needed = nearest(name, shapes), _needed(sheet, name)
            hint = say("did you mean '{near}'?", near=near) if near else known_here([known])
            if needed and (near or "").casefold() != name.casefold():
                hint = say("it belongs to {needed}", needed=needed)
            raise table.error(f"weights.{name}", "there is no such key; {hint}", hint=hint)
    for name, (rows, cols) in shapes.items():
        if name not in given:
            raise table.error(
                f"weights.{name}", "is missing: give all of {known}, or no weights", known=known
            )
        shape = (len(given[name]), len(given[name][0]))
        if shape != (rows, cols):
            sentence = "has the shape {found_rows} × {found_cols}, expected {rows} × {cols}"
            if name == "P":
                sentence = (
                    "has the shape {found_rows} × {found_cols}, expected {rows} × {cols}, "
                    "one row per position"
                )
            values = {"found_rows": shape[0], "found_cols": shape[1], "rows": rows, "cols": cols}
            raise table.error(f"weights.{name}", sentence, **values)
    return {name: given[name] for name in shapes}


def _needed(sheet: WithAttention, name: str) -> str:
    """The setting that an unused weight requires; "" for an unknown name."""
    parsed = weight(name)
    if isinstance(sheet, MultiHead) and name.casefold() in ("w_o", "b_o") and not sheet.out_proj:
        return "out_proj = true"
    if isinstance(sheet, MultiHead) and parsed.is_bias and parsed.block[2:] in PROJECTED:
        return say('a bias list with "{letter}"', letter=parsed.block[2:]) if sheet.bias else "bias = true"
    keys = (parsed.part, parsed.block, BIAS if parsed.is_bias else "")  # all β belong to layer norms
    return next((NEEDS[key] for key in keys if key in NEEDS), "")


def drawn(seed: int, shapes: Mapping[str, Shape], d_model: int) -> dict[str, Matrix]:
    """Random weights: normal with standard deviation 1/√d_model, rounded to 2 decimals.

    γ is 1, β and biases are 0.
    """
    rng = np.random.default_rng(seed)
    deviation = 1 / math.sqrt(d_model)
    weights: dict[str, Any] = {}
    for name, shape in shapes.items():
        if is_row(name):
            weights[name] = np.full(shape, 1.0 if weight(name).part == GAMMA else 0.0)
        else:
            weights[name] = rng.normal(0.0, deviation, shape).round(2) + 0.0
    return {name: tuple(tuple(row) for row in array.tolist()) for name, array in weights.items()}
