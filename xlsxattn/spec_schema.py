"""The JSON schema of a spec, for editors and the reference, generated from the declarations of its keys.

The schema validates structure only. Whether the words of a sentence are in the vocabulary, or matrices have
compatible shapes, is checked when the spec is built.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from xlsxattn.contract import keys, kinds, spec_tables
from xlsxattn.contract.kinds import KINDS
from xlsxattn.contract.values import (
    ID,
    MAX_ABS,
    MAX_CONTEXTS,
    MAX_POINTS,
    MAX_TEXT_LENGTH,
    MAX_WORDS,
    RESERVED,
)
from xlsxattn.language import codes, language
from xlsxattn.suggestions import one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxattn.language import Language

    Node = dict[str, Any]

TITLE = "A spec of xlsxattn"


def _ref(name: str) -> Node:
    return {"$ref": f"#/definitions/{name}"}


def _referred(name: str) -> Callable[[Any], Node]:
    return lambda _: {"allOf": [_ref(name)]}


def _text(key: keys.Text) -> Node:
    return {"type": "string", "minLength": 1, "maxLength": key.most}


def _count(key: keys.Count) -> Node:
    most = {} if key.most is None else {"maximum": key.most}
    return {"type": "integer", "minimum": key.least, **most, **_usual(key.usual)}


def _positive(key: keys.Positive) -> Node:
    least = {"exclusiveMinimum": 0} if key.least is None else {"minimum": key.least}
    return {"type": "number", **least, "maximum": key.most or MAX_ABS, **_usual(key.usual)}


def _usual(value: float | None) -> Node:
    return {} if value is None else {"default": value}


def _items(key: keys.Items) -> Node:
    return {
        "type": "array",
        "items": _item(key.item),
        "uniqueItems": key.unique,
        "minItems": key.least,
        "maxItems": key.most,
    }


def _item(key: keys.Key) -> Node:
    """The schema of a list item: a reference if it has its own definition."""
    node = _SHAPES[type(key)](key)
    return node["allOf"][0] if "allOf" in node else {"description": key.means, **node}


def _some_of(key: keys.SomeOf) -> Node:
    some = {"type": "array", "items": {"enum": [*key.options]}, "uniqueItems": True}
    return {"anyOf": [{"type": "boolean"}, some]}


def _within(key: keys.Within) -> Node:
    return {"type": "number", "minimum": key.least, "maximum": key.most}


def _tables(key: keys.TableList) -> Node:
    form = {
        "type": "object",
        "properties": _table(key.form),
        "required": _needed(key.form),
        "additionalProperties": False,
    }
    return {"type": "array", "items": form, "minItems": 1, "maxItems": key.most}


_SHAPES: dict[type[keys.Key], Callable[[Any], Node]] = {
    keys.Flag: lambda _: {"type": "boolean"},
    keys.Choice: lambda key: {"enum": [*key.options]},
    keys.SomeOf: _some_of,
    keys.LanguageCode: lambda _: {"enum": [*codes()]},
    keys.Id: _referred("id"),
    keys.ContextId: _referred("id"),
    keys.Word: _referred("word"),
    keys.Weights: _referred("weights"),
    keys.Text: _text,
    keys.Prose: _text,
    keys.Count: _count,
    keys.Positive: _positive,
    keys.Items: _items,
    keys.Axes: _items,
    keys.Within: _within,
    keys.TableList: _tables,
    keys.SheetRef: _referred("id"),
    keys.Words: _referred("sentence"),
    keys.TargetValues: lambda _: {"anyOf": [_referred("row")(_), _referred("sentence")(_)]},
}
_PARTS: dict[str, Node] = {
    "vocabulary": {"allOf": [_ref("vocabulary")]},
    "tokens": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": _ref("word"),
        "additionalProperties": _ref("row"),
    },
    "contexts": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MAX_CONTEXTS,
        "propertyNames": _ref("id"),
        "additionalProperties": _ref("sentence"),
    },
    "exercise": {"allOf": [_ref("exercise")]},
    "points": {
        "type": "object",
        "additionalProperties": {"type": "integer", "minimum": 1, "maximum": MAX_POINTS},
    },
    "sheets": {"type": "array", "minItems": 1, "items": {"oneOf": [_ref(kind) for kind in KINDS]}},
}
"""The parts of a spec with their own structure."""


def _key(one: keys.Declared) -> Node:
    shape = _PARTS[one.name] if isinstance(one.key, keys.Part) else _SHAPES[type(one.key)](one.key)
    given = list(one.default) if isinstance(one.default, tuple) else one.default  # JSON has no tuples
    default = {"default": given} if one.has_default else {}
    return {"description": one.key.means, **shape, **default}


def _table(declared: type) -> Node:
    return {name: _key(one) for name, one in keys.keys(declared).items()}


def _needed(declared: type) -> list[str]:
    return [name for name, one in keys.keys(declared).items() if one.is_needed]


def _sheet(kind: type[kinds.Sheet]) -> Node:
    """The schema of a kind of sheet; ``kind`` is optional only for the default kind."""
    named = [] if kind is kinds.DEFAULT_KIND else ["kind"]
    properties = _table(kind)
    return {
        "title": kind.kind,
        "description": inspect.getdoc(kind),
        "type": "object",
        "properties": {
            "id": properties.pop("id"),
            "kind": {"description": "what the sheet computes", "const": kind.kind},
            **properties,
        },
        "required": [*_needed(kind), *named],
        "additionalProperties": False,
    }


def _definitions() -> Node:
    return {
        "number": {"type": "number", "minimum": -MAX_ABS, "maximum": MAX_ABS},
        "row": {"type": "array", "items": _ref("number"), "minItems": 1},
        "matrix": {"type": "array", "items": _ref("row"), "minItems": 1},
        "id": {
            "description": (
                "lower-case letters and digits, starting with a letter, at most 32 characters; some "
                "ids are reserved"
            ),
            "type": "string",
            "pattern": f"^{ID}$",
            "not": {"pattern": f"^({RESERVED})$"},
        },
        "word": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH, "pattern": r"^\S(.*\S)?$"},
        "weights": {
            "anyOf": [
                {"description": "a data file with a table [weights]", "type": "string", "minLength": 1},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"anyOf": [_ref("matrix"), _ref("row")]},
                },
            ]
        },
        "sentence": {
            "anyOf": [
                {"type": "string", "pattern": r"\S"},
                {"type": "array", "items": _ref("word"), "minItems": 1, "maxItems": MAX_WORDS},
            ]
        },
        "vocabulary": {
            "description": "the words and their embeddings",
            "type": "object",
            "properties": _table(spec_tables.Vocabulary),
            "oneOf": [{"required": ["tokens"]}, {"required": ["from"]}],
            "additionalProperties": False,
        },
        "exercise": {
            "description": "what `xlsxattn exercise` leaves for the reader to compute",
            "type": "object",
            "properties": _table(spec_tables.ExerciseKeys),
            "additionalProperties": False,
        },
        **{name: _sheet(kind) for name, kind in KINDS.items()},
    }


def schema(lang: str = "en") -> dict[str, Any]:
    """The JSON schema of a spec (draft 7, which TOML editors support), with descriptions in a language.

    >>> schema()["required"]
    ['vocabulary', 'contexts', 'sheets']
    >>> sorted(schema()["definitions"]["compare"]["properties"])
    ['about', 'axes', 'id', 'kind', 'near', 'title', 'try']

    Raises:
        ValueError: unknown language.
    """
    one_of("lang", lang, codes())
    english = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "description": "What a workbook is made from: words, sentences, and sheets.",
        "type": "object",
        "properties": _table(spec_tables.SpecKeys),
        "required": _needed(spec_tables.SpecKeys),
        "additionalProperties": False,
        "definitions": _definitions(),
    }
    translated: dict[str, Any] = _translated(english, language(lang))
    return translated | {"title": language(lang).tell(TITLE)}


def _translated(node: Any, target: Language) -> Any:  # noqa: ANN401 - JSON
    """A part of the schema with its descriptions translated."""
    if isinstance(node, list):
        return [_translated(item, target) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _translated(item, target) for key, item in node.items()}
    about = result.get("description")
    return result | {"description": target.tell(about)} if isinstance(about, str) else result
