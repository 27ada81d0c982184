"""The spec: what a person asks for, read from TOML and found sound before anything is built.

Every error is one sentence that names the file, the key, what was found and what would be right.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.table import SpecError, Table, nearest, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.builder.table import Matrix

KINDS = {"self-attention": "Self-attention", "multi-head": "Multi-head", "compare": "Compare"}
MASKS = ("none", "causal")
RESERVED = re.compile(r"vocab|xlsxattn|w|b|h\d+|l\d+")
ID = re.compile(r"[a-z][a-z0-9]*")
LONGEST_ID = 32
MOST_WORDS, MOST_CONTEXTS, MOST_HEADS, MOST_COLUMNS = 256, 100, 64, 1024
SHEET_KEYS = {
    "self-attention": ("id", "title", "kind", "scale", "mask", "d_k", "d_v", "seed", "weights"),
    "multi-head": ("id", "title", "kind", "scale", "mask", "heads", "d_k", "d_v", "seed", "weights"),
    "compare": ("id", "title", "kind", "axes"),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, their embeddings E (n_vocab × d_model), and the names of the d_model dimensions."""

    dimensions: tuple[str, ...]
    tokens: tuple[str, ...]
    E: Matrix

    @property
    def d_model(self) -> int:
        """Length of an embedding."""
        return len(self.dimensions)


@dataclass(frozen=True, slots=True)
class Context:
    """One sentence: its id and its words."""

    id: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SheetSpec:
    """One sheet: its id, kind and settings.

    ``weights`` holds W_Q, W_K, W_V (and W_O in a multi-head sheet), or nothing where Q = K = V = X.
    """

    id: str
    kind: str
    title: str
    scale: bool = True
    mask: str = "none"
    heads: int = 1
    d_k: int = 0
    d_v: int = 0
    weights: Mapping[str, Matrix] = field(default_factory=dict)
    axes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a workbook is made from."""

    title: str
    focus: str
    vocabulary: Vocabulary
    contexts: tuple[Context, ...]
    sheets: tuple[SheetSpec, ...]


def load(path: Path) -> Spec:
    """Read and check a spec.

    Raises:
        SpecError: the file cannot be read, is not TOML, or asks for what cannot be built.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise SpecError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not TOML: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise SpecError(f"{path}: its lists or tables are nested too deeply") from None
    except ValueError:  # Python reads no whole number of more digits
        raise SpecError(f"{path}: a number in it has more than 4,300 digits") from None
    return parse(data, str(path))


def parse(data: Mapping[str, Any], source: str) -> Spec:
    """Check a spec that is already in memory; ``source`` names it in errors."""
    top = Table(data, source, "", ("title", "focus", "vocabulary", "contexts", "sheets"))
    vocabulary = _vocabulary(top.table("vocabulary", ("dimensions", "tokens")))
    contexts = _contexts(top, vocabulary)
    focus = _focus(top, contexts)
    return Spec(
        top.text("title", "Attention"), focus, vocabulary, contexts, _sheets(top, vocabulary, contexts)
    )


def _token(table: Table, key: str, value: object) -> str:
    word = table.word(key, value)
    if word != word.strip():
        raise table.error(key, f"the word {word!r} begins or ends with a blank, which nobody would see")
    return word


def _vocabulary(table: Table) -> Vocabulary:
    tokens = table.table("tokens", None)
    if not tokens.data:
        raise table.error("tokens", "is empty, at least one word is needed")
    E = {}
    twins: dict[str, str] = {}
    for key, value in tokens.data.items():
        word = _token(tokens, key, key)
        twin = twins.setdefault(unicodedata.normalize("NFKC", word), word)
        if twin != word or word in E:
            raise tokens.error(
                key, f"{word!r} and {twin!r} look alike (the same text in Unicode NFKC), keep one"
            )
        E[word] = tokens.vector(key, value)
    found = table.data.get("dimensions", [f"d{i + 1}" for i in range(len(next(iter(E.values()))))])
    if not isinstance(found, list) or not found:
        raise table.error("dimensions", f"found {show(found)}, a list of names is needed")
    if len(found) > MOST_COLUMNS:
        raise table.error("dimensions", f"has {len(found)} names, at most {MOST_COLUMNS} are possible")
    dimensions = tuple(table.word(f"dimensions[{i + 1}]", name) for i, name in enumerate(found))
    for i, name in enumerate(dimensions):
        if name in dimensions[:i]:
            raise table.error("dimensions", f"has {name!r} twice, every dimension needs a name of its own")
    for word, vector in E.items():
        if len(vector) != len(dimensions):
            raise tokens.error(
                word, f"has {len(vector)} numbers, {len(dimensions)} are needed, one a dimension"
            )
    return Vocabulary(dimensions, tuple(E), tuple(E.values()))


def _contexts(top: Table, vocabulary: Vocabulary) -> tuple[Context, ...]:
    table = top.table("contexts", None)
    if not 1 <= len(table.data) <= MOST_CONTEXTS:
        raise top.error(
            "contexts", f"has {len(table.data)} sentences, from 1 to {MOST_CONTEXTS} are possible"
        )
    return tuple(
        Context(_identifier(table, key, key, "a context"), _sentence(table, key, value, vocabulary))
        for key, value in table.data.items()
    )


def _sentence(table: Table, key: str, value: object, vocabulary: Vocabulary) -> tuple[str, ...]:
    if not isinstance(value, str | list):
        raise table.error(key, f"found {show(value)}, a sentence or a list of words is needed")
    found = value.split() if isinstance(value, str) else value
    if not found:
        raise table.error(key, "the sentence is empty, at least one word is needed")
    if len(found) > MOST_WORDS:
        raise table.error(key, f"the sentence has {len(found)} words, at most {MOST_WORDS} are possible")
    words = tuple(_token(table, key, word) for word in found)
    for word in words:
        if word not in vocabulary.tokens:
            near = nearest(word, vocabulary.tokens)
            hint = f", did you mean {near!r}?" if near else f": add {word!r} to vocabulary.tokens"
            said = " ".join(words)
            said = said if len(said) <= 80 else f"{said[:77]}..."  # noqa: PLR2004
            raise table.error(key, f"the vocabulary lacks the word {word!r} of the sentence {said!r}{hint}")
    return words


def _focus(top: Table, contexts: tuple[Context, ...]) -> str:
    if "focus" in top.data:
        focus = top.text("focus", "")
        if not any(focus in context.words for context in contexts):
            raise top.error("focus", f"no sentence has the word {focus!r}, give a word that stands in one")
        return focus
    first = contexts[0].words
    return next((word for word in first if all(word in c.words for c in contexts)), first[0])


def _identifier(table: Table, key: str, value: object, what: str) -> str:
    if not isinstance(value, str) or not ID.fullmatch(value) or len(value) > LONGEST_ID:
        form = f"lower-case letters and digits, a letter first, at most {LONGEST_ID}"
        raise table.error(key, f"{show(value)} cannot be the id of {what}: {form} are needed")
    if RESERVED.fullmatch(value):
        raise table.error(key, f"{value!r} is reserved, choose another id for {what}")
    return value


def _sheets(top: Table, vocabulary: Vocabulary, contexts: tuple[Context, ...]) -> tuple[SheetSpec, ...]:
    listed = top.data.get("sheets")
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise top.error("sheets", "at least one [[sheets]] table is needed")
    taken = {context.id: f"contexts.{context.id}" for context in contexts}
    sheets: list[SheetSpec] = []
    for i, data in enumerate(listed):
        place = f"sheets[{i + 1}]"
        named = Table(data, top.source, place, None)
        kind = named.data.get("kind", "self-attention")
        if not isinstance(kind, str) or kind not in KINDS:
            raise named.error("kind", f"found {show(kind)}, one of {', '.join(KINDS)} is needed")
        table = Table(data, top.source, place, SHEET_KEYS[kind])
        if "id" not in data:
            raise table.error("id", "is missing")
        sheet_id = _identifier(table, "id", data["id"], "a sheet")
        if sheet_id in taken:
            raise table.error("id", f"{sheet_id!r} is taken by {taken[sheet_id]}, ids must differ")
        taken[sheet_id] = place
        if kind == "compare":
            sheets.append(_compare(table, sheet_id, vocabulary, sheets))
        else:
            sheets.append(_attention(table, sheet_id, kind, vocabulary.d_model))
    return tuple(sheets)


def _compare(table: Table, sheet_id: str, vocabulary: Vocabulary, before: list[SheetSpec]) -> SheetSpec:
    if all(sheet.kind == "compare" for sheet in before):
        raise table.error("kind", "there is no attention sheet before it to compare, put one first")
    found = table.data.get("axes", list(vocabulary.dimensions[:2]))
    named = isinstance(found, list) and all(isinstance(axis, str) for axis in found)
    axes = tuple(table.word("axes", axis) for axis in found) if named else ()
    two = len(axes) == len(set(axes)) == min(2, vocabulary.d_model)
    if not two or not set(axes) <= set(vocabulary.dimensions):
        known = ", ".join(vocabulary.dimensions[:8])
        raise table.error("axes", f"found {show(found)}, two of the dimensions ({known}) are needed")
    return SheetSpec(sheet_id, "compare", table.text("title", KINDS["compare"]), axes=axes)


def _attention(table: Table, sheet_id: str, kind: str, d_model: int) -> SheetSpec:
    mask = table.data.get("mask", "none")
    if mask not in MASKS:
        raise table.error("mask", f"found {show(mask)}, one of {', '.join(MASKS)} is needed")
    heads, seed = table.count("heads", 1, MOST_HEADS), _seed(table)
    given = _weights(table, ("W_Q", "W_K", "W_V", "W_O") if kind == "multi-head" else ("W_Q", "W_K", "W_V"))
    learned = kind == "multi-head" or given or any(key in table.data for key in ("d_k", "d_v", "seed"))
    d_k, d_v = _sizes(table, given, heads, d_model)
    weights: Mapping[str, Matrix] = {}
    if learned:
        shapes = {"W_Q": (d_model, heads * d_k), "W_K": (d_model, heads * d_k), "W_V": (d_model, heads * d_v)}
        if kind == "multi-head":
            shapes["W_O"] = (heads * d_v, d_model)
        weights = _shaped(table, given, shapes) if given else _drawn(seed, shapes)
    return SheetSpec(
        sheet_id,
        kind,
        table.text("title", KINDS[kind]),
        scale=table.flag("scale", default=True),
        mask=mask,
        heads=heads,
        d_k=d_k,
        d_v=d_v,
        weights=weights,
    )


def _weights(table: Table, names: tuple[str, ...]) -> dict[str, Matrix]:
    if "weights" not in table.data:
        return {}
    weights = table.table("weights", names)
    for name in names:
        if name not in weights.data:
            raise weights.error(name, f"is missing: give all of {', '.join(names)}, or no weights")
    return {name: weights.matrix(name) for name in names}


def _sizes(table: Table, given: Mapping[str, Matrix], heads: int, d_model: int) -> tuple[int, int]:
    """d_k and d_v of one head: as asked for, else as the weights have them, else d_model / heads."""
    sizes = {}
    for key, name in (("d_k", "W_K"), ("d_v", "W_V")):
        if key in table.data:
            sizes[key] = table.count(key, 1, MOST_COLUMNS)
        elif given:
            columns = len(given[name][0])
            if columns % heads:
                raise table.error(
                    "heads", f"found {heads}, which does not divide the {columns} columns of {name}"
                )
            sizes[key] = columns // heads
        elif key == "d_v":
            sizes[key] = sizes["d_k"]
        elif d_model % heads:
            hint = "give d_k or a number of heads that divides it"
            raise table.error(
                "heads", f"found {heads}, which does not divide the {d_model} dimensions; {hint}"
            )
        else:
            sizes[key] = d_model // heads
    return sizes["d_k"], sizes["d_v"]


def _shaped(
    table: Table, given: Mapping[str, Matrix], shapes: Mapping[str, tuple[int, int]]
) -> Mapping[str, Matrix]:
    for name, (rows, cols) in shapes.items():
        found = (len(given[name]), len(given[name][0]))
        if found != (rows, cols):
            sentence = f"has the shape {found[0]} × {found[1]}, {rows} × {cols} is needed"
            raise table.error(f"weights.{name}", sentence)
    return given


def _seed(table: Table) -> int:
    seed = table.data.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise table.error("seed", f"found {show(seed)}, a whole number from 0 is needed")
    return seed


def _drawn(seed: int, shapes: Mapping[str, tuple[int, int]]) -> Mapping[str, Matrix]:
    """Weights nobody gave: normal, deviation 1/√d_model, rounded to 2 decimals, in the order Q, K, V, O."""
    import numpy as np  # noqa: PLC0415 - only specs without weights need it

    rng = np.random.default_rng(seed)
    deviation = 1 / math.sqrt(shapes["W_Q"][0])
    drawn = {name: rng.normal(0.0, deviation, shape).round(2) + 0.0 for name, shape in shapes.items()}
    return {name: tuple(tuple(row) for row in array.tolist()) for name, array in drawn.items()}
