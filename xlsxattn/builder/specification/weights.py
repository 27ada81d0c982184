"""The learned weights of a sheet: which it needs, of which shape; given, in a data file, or drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.builder.specification.table import known_here, show
from xlsxattn.language import say
from xlsxattn.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.builder.specification.settings import SheetSpec
    from xlsxattn.builder.specification.table import Matrix, Table

    Shape = tuple[int, int]

MAX_SIZE = 1024
MAX_LISTED = 12
"""Names that an error lists."""
NEEDS = {
    "W_U": "tied = false",
    "P": 'position = "learned"',
    "W_3": 'activation = "swiglu"',
    "b_3": 'activation = "swiglu", bias = true',
    "W_O": say("several heads"),
    "W_C": say("a classifier"),
    "b_C": say("a classifier"),
    "b": "bias = true",
    "Beta": 'norm = "layer"',
    "Input": "embedding_norm = true",
    "Output": "final_norm = true",
}
"""Which setting a weight belongs to, by how its name ends, or by its parts."""


def shapes(sheet: SheetSpec, d_model: int, n_vocab: int, n: int) -> dict[str, Shape]:
    """Every weight's name, without the sheet's id, and its shape; ``n`` is the longest context's length."""
    if not sheet.is_model:
        found = dict(_attention(sheet, d_model, ""))
        return {**({"P": (n, d_model)} if sheet.position == "learned" else {}), **found}
    found = {"P": (n, d_model)} if sheet.position == "learned" else {}
    found |= _norm(sheet, d_model, "Input") if sheet.embedding_norm else {}
    for side in sides(sheet):
        for layer in range(1, sheet.layers + 1):
            found |= _layer(sheet, d_model, f"{side}l{layer}_", crossed=side == "dec_")
        found |= _norm(sheet, d_model, f"{side}Output") if sheet.final_norm else {}
    if sheet.kind in ("decoder", "encoder-decoder") and not sheet.tied:
        found["W_U"] = (d_model, n_vocab)
    if sheet.kind == "classifier":
        found |= {"W_C": (d_model, len(sheet.classes)), "b_C": (1, len(sheet.classes))}
    return found


def sides(sheet: SheetSpec) -> tuple[str, ...]:
    """What the names of a model's two sides begin with; nothing where it has one."""
    return ("enc_", "dec_") if sheet.kind == "encoder-decoder" else ("",)


def _layer(sheet: SheetSpec, d_model: int, w: str, *, crossed: bool) -> dict[str, Shape]:
    found = {**dict(_attention(sheet, d_model, w)), **_norm(sheet, d_model, f"{w}Norm1")}
    if crossed:
        found |= {**dict(_attention(sheet, d_model, f"{w}Cross_")), **_norm(sheet, d_model, f"{w}Norm2")}
    gates = ("1", "3") if sheet.activation == "swiglu" else ("1",)
    for gate in gates:
        found[f"{w}W_{gate}"] = (d_model, sheet.d_ff)
        if sheet.bias:
            found[f"{w}b_{gate}"] = (1, sheet.d_ff)
    found[f"{w}W_2"] = (sheet.d_ff, d_model)
    if sheet.bias:
        found[f"{w}b_2"] = (1, d_model)
    return found | _norm(sheet, d_model, f"{w}Norm{3 if crossed else 2}")


def _attention(sheet: SheetSpec, d_model: int, w: str) -> Iterator[tuple[str, Shape]]:
    keys, values = sheet.kv_heads * sheet.d_k, sheet.kv_heads * sheet.d_v
    columns = {"Q": sheet.heads * sheet.d_k, "K": keys, "V": values}
    for letter, cols in columns.items():
        yield f"{w}W_{letter}", (d_model, cols)
    if sheet.headed:
        yield f"{w}W_O", (sheet.heads * sheet.d_v, d_model)
    for letter, cols in {**columns, "O": d_model}.items() if sheet.bias else ():
        yield f"{w}b_{letter}", (1, cols)


def _norm(sheet: SheetSpec, d_model: int, name: str) -> dict[str, Shape]:
    beta = {f"{name}_Beta": (1, d_model)} if sheet.norm == "layer" else {}
    return {f"{name}_Gamma": (1, d_model), **beta}


def given(table: Table) -> dict[str, Matrix]:
    """The weights that a spec gives, as matrices: in its own table, or in a data file."""
    found = table.data.get("weights")
    if found is None:
        return {}
    if isinstance(found, str):
        weights = table.data_file("weights", found).table("weights", None)
    else:
        weights = table.table("weights", None)
    if not weights.data:
        raise table.error("weights", "is empty: give all weights, or leave the key out")
    return {name: weights.matrix(name, row=is_row(name)) for name in weights.data}


def is_row(name: str) -> bool:
    """Whether a weight is one row: a bias, γ or β."""
    return name.endswith(("_Gamma", "_Beta")) or f"_{name}".rpartition("_")[0].endswith("_b")


def sizes(
    table: Table, given: Mapping[str, Matrix], heads: int, kv_heads: int, d_model: int, prefix: str
) -> dict[str, int]:
    """d_k and d_v of one head: as asked for, else as the weights have them, else d_model / heads."""
    found = {}
    for key, name in (("d_k", f"{prefix}W_K"), ("d_v", f"{prefix}W_V")):
        if key in table.data:
            found[key] = table.count(key, 1, MAX_SIZE)
        elif name in given:
            columns = len(given[name][0])
            if columns % kv_heads:
                wanted = "kv_heads" if "kv_heads" in table.data else "heads"
                raise table.error(
                    wanted,
                    "found {kv_heads}, which does not divide the {columns} columns of {name}",
                    kv_heads=kv_heads,
                    columns=columns,
                    name=name,
                )
            found[key] = columns // kv_heads
        elif key == "d_v":
            found[key] = found["d_k"]
        elif d_model % heads:
            raise table.error(
                "heads",
                "found {heads}, which does not divide the {d_model} dimensions; "
                "give d_k or a number of heads that divides it",
                heads=heads,
                d_model=d_model,
            )
        else:
            found[key] = d_model // heads
    if "d_ff" not in table.data and f"{prefix}W_1" in given:
        found["d_ff"] = len(given[f"{prefix}W_1"][0])
    return found


def shaped(table: Table, given: Mapping[str, Matrix], shapes: Mapping[str, Shape]) -> dict[str, Matrix]:
    """The given weights in the order that is needed, none missing, none left over, each of its shape."""
    known = ", ".join([*list(shapes)[:MAX_LISTED], *(["..."] if len(shapes) > MAX_LISTED else [])])
    for name in given:
        if name not in shapes:
            near, needed = nearest(name, shapes), _needed(name)
            hint = say("did you mean '{near}'?", near=near) if near else known_here([known])
            if needed and (near or "").casefold() != name.casefold():
                hint = say("it belongs to {needed}", needed=needed)
            raise table.error(f"weights.{name}", "there is no such key; {hint}", hint=hint)
    for name, (rows, cols) in shapes.items():
        if name not in given:
            raise table.error(
                f"weights.{name}", "is missing: give all of {known}, or no weights", known=known
            )
        found = (len(given[name]), len(given[name][0]))
        if found != (rows, cols):
            sentence = "has the shape {found_rows} × {found_cols}, {rows} × {cols} is needed"
            if name == "P":
                sentence = (
                    "has the shape {found_rows} × {found_cols}, {rows} × {cols} is needed, "
                    "a row for each of the {rows} positions"
                )
            shape = {"found_rows": found[0], "found_cols": found[1], "rows": rows, "cols": cols}
            raise table.error(f"weights.{name}", sentence, **shape)
    return {name: given[name] for name in shapes}


def _needed(name: str) -> str:
    """The setting that a weight of no use here would belong to; none for a name that no model has."""
    parts = name.split("_")
    ends = ("_".join(parts[-2:]), parts[-1], parts[-2] if len(parts) > 1 else "", parts[0])
    return next((NEEDS[end] for end in ends if end in NEEDS), "")


def drawn(seed: int, shapes: Mapping[str, Shape], d_model: int) -> dict[str, Matrix]:
    """Weights nobody gave: normal, deviation 1/√d_model, rounded to 2 decimals, in the order of ``shapes``.

    γ is 1 and β and the biases are 0, as before training.
    """
    rng = np.random.default_rng(seed)
    deviation = 1 / math.sqrt(d_model)
    made: dict[str, Any] = {}
    for name, shape in shapes.items():
        if is_row(name):
            made[name] = np.full(shape, 1.0 if name.endswith("_Gamma") else 0.0)
        else:
            made[name] = rng.normal(0.0, deviation, shape).round(2) + 0.0
    return {name: tuple(tuple(row) for row in array.tolist()) for name, array in made.items()}


def seed_of(table: Table) -> int:
    """The seed that weights are drawn by: a whole number from 0."""
    seed = table.data.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise table.error("seed", "found {found}, a whole number from 0 is needed", found=show(seed))
    return seed
