"""The schema for editors: every template and example is valid, and the program refuses what it refuses."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from commands import run

from xlsxattn import spec_schema, templates
from xlsxattn.builder.specification import SpecError
from xlsxattn.builder.specification import spec as specs
from xlsxattn.contract.kinds import KINDS

ROOT = Path(__file__).parent.parent
SCHEMA = spec_schema.schema()
KEYS = {key for kind in KINDS for key in SCHEMA["definitions"][kind]["properties"]}
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
GOOD = {
    "title": "t",
    "about": "a paragraph",
    "focus": "a",
    "vocabulary": {"dimensions": ["x", "y"], "tokens": {"a": [1.0, 2.0], "b": [3, 4.5]}},
    "contexts": {"one": "a b", "two": ["b", "a"]},
    "sheets": [
        {"id": "attn", "about": "what there is to see", "try": ["a", "a"]},
        {
            "id": "qkv",
            "kind": "self-attention",
            "d_k": 3,
            "d_v": 1,
            "seed": 7,
            "scale": False,
            "mask": "causal",
        },
        {"id": "heads", "kind": "multi-head", "heads": 2, "d_k": 2},
        {"id": "own", "weights": {name: [[1, 0], [0, 1]] for name in ("W_Q", "W_K", "W_V")}},
        {"id": "cmp", "kind": "compare", "axes": ["x", "y"]},
    ],
}


def examples() -> list[tuple[str, str]]:
    found = [(name, templates.path(name).read_text("utf-8")) for name in templates.names()]
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        blocks = re.findall(r"```toml[^\n]*\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        found += [(f"{page.name} {i}", text) for i, text in enumerate(blocks, 1) if "[vocabulary]" in text]
    return found


def test_the_schema_is_valid():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("name", "text"), examples(), ids=lambda value: value[:30].split("\n")[0])
def test_every_template_and_every_example_fits(name, text):
    assert not [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))], name


def test_the_good_spec_fits_and_builds():
    VALIDATOR.validate(GOOD)
    assert len(specs.parse(GOOD, "good").sheets) == 5


def changed(path, value):
    data = copy.deepcopy(GOOD)
    *way, last = path
    place = data
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


BAD = [
    (("vocabulary",), ...), (("contexts",), ...), (("sheets",), ...), (("sheets",), []), (("sheet",), []),
    (("title",), 3), (("title",), ""), (("title",), "x" * 256), (("focus",), ["a"]), (("focus",), ""),
    (("vocabulary", "tokens"), ...), (("vocabulary", "tokens"), {}), (("vocabulary", "token"), {}),
    (("vocabulary", "tokens", "a"), []), (("vocabulary", "tokens", "a"), ["1", "2"]),
    (("vocabulary", "tokens", "a"), [1e51, 0]), (("vocabulary", "tokens", " a"), [1, 2]),
    (("vocabulary", "tokens", "a"), [True, False]), (("vocabulary", "dimensions"), "x y"),
    (("vocabulary", "dimensions"), ["x", "x"]), (("vocabulary", "dimensions"), []),
    (("contexts",), {}), (("contexts", "one"), ""), (("contexts", "one"), " "), (("contexts", "one"), []),
    (("contexts", "one"), 3), (("contexts", "One"), "a"), (("contexts", "w"), "a"), (("contexts", "h1"), "a"),
    (("contexts", "vocab"), "a"), (("contexts", "1a"), "a"), (("contexts", "a" * 33), "a"),
    (("contexts", "one"), ["a", " b"]),
    (("sheets", 0, "id"), ...), (("sheets", 0, "id"), "Attn"), (("sheets", 0, "id"), "l2"),
    (("sheets", 0, "id"), 1),
    (("sheets", 0, "kind"), "attention"), (("sheets", 0, "kind"), 1), (("sheets", 0, "heads"), 2),
    (("sheets", 0, "axes"), ["x", "y"]), (("sheets", 0, "maks"), "none"), (("sheets", 0, "mask"), "casual"),
    (("sheets", 0, "scale"), "yes"), (("sheets", 0, "scale"), 1), (("sheets", 1, "d_k"), 0),
    (("sheets", 1, "d_k"), 2.5), (("sheets", 1, "d_k"), 1025), (("sheets", 1, "d_v"), "3"),
    (("sheets", 1, "d_v"), True), (("sheets", 1, "seed"), -1), (("sheets", 1, "seed"), 1.5),
    (("sheets", 2, "heads"), 0), (("sheets", 2, "heads"), 65), (("sheets", 2, "kind"), ...),
    (("sheets", 3, "weights"), {}), (("sheets", 3, "weights"), [[1]]), (("sheets", 3, "weights", "W_Q"), []),
    (("sheets", 3, "weights", "W_Q"), [[]]), (("sheets", 3, "weights", "W_Q"), [["a"]]),
    (("sheets", 4, "axes"), "x"), (("sheets", 4, "axes"), ["x", "x"]), (("sheets", 4, "axes"), []),
    (("sheets", 4, "mask"), "none"), (("sheets", 0, "title"), ""), (("sheets", 0), "attn"),
    (("about",), ["a"]), (("about",), "x" * 1001), (("about",), ""), (("sheets", 0, "about"), 1),
    (("sheets", 0, "about"), "x" * 256), (("sheets", 0, "try"), "a"), (("sheets", 0, "try"), []),
    (("sheets", 4, "try"), ["a"] * 4), (("sheets", 4, "try"), [1]), (("sheets", 4, "try"), [""]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), BAD, ids=lambda value: json.dumps(value, default=str)[:50])
def test_a_bad_spec_is_refused_by_both(path, value):
    data = changed(path, value)
    assert list(VALIDATOR.iter_errors(data))
    with pytest.raises(SpecError):
        specs.parse(data, "bad")


def test_every_key_of_the_documents_is_in_the_schema():
    text = (ROOT / "docs/spec-models.md").read_text("utf-8")
    table = text[text.index("| key | default") :].split("\n\n")[0]
    listed = {key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert {"layers", "kv_heads", "generate", "classes"} <= listed <= KEYS
    page = (ROOT / "docs/how-to/own-sentences.md").read_text("utf-8")
    table = page[page.index("| key of a sheet |") :].split("\n\n")[0]
    assert {
        key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])
    } <= KEYS


def test_every_key_has_a_description():
    for kind in KINDS:
        for key, node in SCHEMA["definitions"][kind]["properties"].items():
            assert len(node["description"]) > 10, (kind, key)


def test_the_command_prints_the_schema():
    ended = run("schema")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == SCHEMA


@pytest.mark.parametrize(
    ("kind", "key", "default"),
    [
        ("encoder", "residual", "post-norm"), ("decoder", "residual", "pre-norm"),
        ("encoder", "position", "sinusoidal"), ("decoder", "activation", "gelu"),
        ("decoder", "mask", "causal"), ("multi-head", "bias", False),
        ("encoder-decoder", "scale_embeddings", True), ("encoder", "scale_embeddings", False),
    ],
)  # fmt: skip
def test_defaults_that_depend_on_the_kind(kind, key, default):
    assert SCHEMA["definitions"][kind]["properties"][key]["default"] == default
