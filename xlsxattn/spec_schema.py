"""The JSON schema of a spec, for editors and for the reference: every key, what it means, what it may be.

A schema tells shapes, not sense: whether a sentence's words are in the vocabulary, or matrices fit each
other, is said when the spec is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxattn.language import codes, language
from xlsxattn.suggestions import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlsxattn.language import Language

    Node = dict[str, Any]

MAX_ABS, MAX_TEXT_LENGTH, MAX_WORDS, MAX_CONTEXTS, MAX_SIZE = 1e50, 255, 256, 100, 1024
TITLE = "A spec of xlsxattn"
MAX_ABOUT_LENGTH, MAX_TRIES = 1000, 3
MASKS = ("none", "causal", "padding", "causal+padding")
MODELS = ("encoder", "decoder", "encoder-decoder", "classifier")


def _ref(name: str) -> Node:
    return {"$ref": f"#/definitions/{name}"}


def _text(about: str) -> Node:
    return {"description": about, "type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH}


def _id(about: str) -> Node:
    return {"description": about, "allOf": [_ref("id")]}


def _count(about: str, most: int = MAX_SIZE, **more: int) -> Node:
    return {"description": about, "type": "integer", "minimum": 1, "maximum": most, **more}


def _flag(about: str, **more: bool) -> Node:
    return {"description": about, "type": "boolean", **more}


def _one(about: str, options: Iterable[str], **more: str) -> Node:
    return {"description": about, "enum": list(options), **more}


def _positive(about: str, default: float) -> Node:
    return {
        "description": about, "type": "number", "exclusiveMinimum": 0, "maximum": MAX_ABS, "default": default,
    }  # fmt: skip


def _list(about: str, item: Node, least: int, most: int) -> Node:
    return {
        "description": about, "type": "array", "items": item, "uniqueItems": True,
        "minItems": least, "maxItems": most,
    }  # fmt: skip


KEYS: dict[str, Node] = {
    "id": _id("a short id, from which the names of all its ranges are made"),
    "kind": {"description": "what the sheet computes"},
    "title": _text("the title on the sheet and on its tab; otherwise the kind's name"),
    "about": _text("the line below the title: what there is to see; otherwise what the kind is"),
    "try": _list(
        "what to try on the sheet and what to look for, in place of the usual sentences",
        _text("a sentence"),
        1,
        MAX_TRIES,
    )
    | {"uniqueItems": False},
    "scale": _flag("whether scores are divided by √d_k", default=True),
    "mask": _one("what may not be seen: nothing, later words, blank cells, or both", MASKS),
    "position": _one(
        "how places become numbers: not at all, by adding sines and cosines, by adding a learned table, "
        "or by turning queries and keys",
        ("none", "sinusoidal", "learned", "rotary"),
    ),
    "base": _positive("the base of the frequencies of sinusoidal and rotary positions", 10000),
    "pairs": _one(
        "which columns rotary positions turn together: neighbours, or those half a width apart",
        ("adjacent", "halves"),
        default="adjacent",
    ),
    "contexts": _list("the contexts it runs on; otherwise all", _ref("id"), 1, MAX_CONTEXTS),
    "source": _id("the encoder's context; otherwise the first"),
    "target": _id("the decoder's context; otherwise the second"),
    "queries": _id("the context whose words look; otherwise the first"),
    "keys": _id("the context whose words are looked at; otherwise the second"),
    "layers": _count("how many layers; in an encoder-decoder on each side", 64, default=1),
    "heads": _count("how many heads", 64, default=1),
    "kv_heads": _count("how many heads of keys and values, shared by groups of heads; otherwise heads", 64),
    "d_k": _count("columns of a head's queries and keys; otherwise as the weights have, or d_model / heads"),
    "d_v": _count("columns of a head's values; otherwise as the weights have, or d_k"),
    "d_ff": _count("columns inside the feed-forward layers; otherwise 4 · d_model", 4 * MAX_SIZE),
    "norm": _one("LayerNorm, or RMSNorm", ("layer", "rms"), default="layer"),
    "epsilon": _positive("what the norms add to the variance", 1e-5),
    "residual": _one("whether a norm stands before each part or after the sum", ("pre-norm", "post-norm")),
    "activation": _one("inside the feed-forward", ("relu", "gelu", "gelu-tanh", "silu", "swiglu")),
    "bias": _flag("whether the linear layers of attention and feed-forward add a bias"),
    "scale_embeddings": _flag("whether embeddings are multiplied by √d_model"),
    "embedding_norm": _flag("whether a norm stands before the first layer", default=False),
    "final_norm": _flag("whether a norm stands after the last layer; otherwise as if residual is pre-norm"),
    "tied": _flag("whether logits are made with the embeddings; if not, with a matrix W_U", default=True),
    "top_k": _count("how many of the likeliest words are listed; otherwise 3", 1_000_000),
    "temperature": _positive(
        "what the logits are divided by; on an attention sheet a cell to play with, dividing scores",
        1.0,
    ),
    "maps": _flag("whether a page shows all heads' attention at a glance; otherwise where they are few"),
    "generate": _flag("whether blank cells are written by the model", default=False),
    "similarity": _flag(
        "whether sentences are held against each other, and the focus word followed through the layers",
        default=False,
    ),
    "pool": _one(
        "what the classes are read from: the mean of all words, or the first",
        ("mean", "first"),
        default="mean",
    ),
    "classes": _list("the names of the classes", _text("a class"), 2, 256),
    "weights": {
        "description": "the learned weights by name, row by row, or the name of a data file",
        "allOf": [_ref("weights")],
    },
    "seed": {
        "description": "draws the weights if none are given",
        "type": "integer",
        "minimum": 0,
        "default": 0,
    },
    "axes": _list("the two dimensions of the chart; otherwise the first two", _text("a dimension"), 1, 2),
    "near": _list("words that the focus word's inputs and outputs are held against", _ref("word"), 0, 256),
}
"""Every key of a sheet."""

_OWN = ("id", "kind", "title", "about", "try")
_ATTENTION = ("scale", "mask", "position", "base", "pairs")
_PLAYED = (*_ATTENTION, "temperature")
_SIZES = ("d_k", "d_v", "weights", "seed")
_LAYERS = (
    *("layers", "heads", "kv_heads", "d_ff", "norm", "epsilon", "residual", "activation", "bias"),
    *("scale_embeddings", "embedding_norm", "final_norm", "maps"),
)
_MODEL = (*_ATTENTION, *_LAYERS, *_SIZES)
_WRITING = ("tied", "top_k", "temperature", "generate")
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "self-attention": (
        "Every word looks at every word. Without weights, sizes and a seed, Q = K = V = X.",
        (*_OWN, *_PLAYED, *_SIZES),
    ),
    "multi-head": (
        "Several heads look at once, each in a subspace of its own; W_O joins them.",
        (*_OWN, *_PLAYED, "heads", "kv_heads", "bias", "maps", *_SIZES),
    ),
    "cross-attention": (
        "The words of one context look at those of another.",
        (*_OWN, "queries", "keys", "scale", "mask", "temperature", "heads", *_SIZES),
    ),
    "encoder": ("A whole encoder.", (*_OWN, "contexts", *_MODEL, "similarity")),
    "decoder": ("A whole decoder: it tells the next word.", (*_OWN, "contexts", *_MODEL, *_WRITING)),
    "encoder-decoder": (
        "An encoder for a source, and a decoder that looks at it.",
        (*_OWN, "source", "target", *_MODEL, *_WRITING),
    ),
    "classifier": ("An encoder, and the classes it tells.", (*_OWN, "contexts", *_MODEL, "pool", "classes")),
    "compare": ("Follows the focus word through the sheets before it.", (*_OWN, "axes", "near")),
}
"""Every kind of sheet: what it is, and the keys it has."""

_CHANGED: dict[tuple[str, str], Node] = {
    ("decoder", "mask"): {"enum": ["causal", "causal+padding"], "default": "causal"},
    ("decoder", "position"): {"default": "learned"},
    ("decoder", "residual"): {"default": "pre-norm"},
    ("decoder", "activation"): {"default": "gelu"},
    ("encoder-decoder", "mask"): {"enum": ["none", "padding"]},
    ("encoder-decoder", "scale_embeddings"): {"default": True},
    ("cross-attention", "mask"): {"enum": ["none", "padding"], "default": "none"},
    ("self-attention", "mask"): {"default": "none"},
    ("multi-head", "mask"): {"default": "none"},
}
"""What a key is in one kind only."""


def _default(kind: str, key: str) -> Node:
    """The default that depends on whether the sheet is a whole model."""
    model = kind in MODELS
    found = {
        "position": "sinusoidal" if model else "none",
        "bias": model,
        "residual": "post-norm",
        "activation": "relu",
        "scale_embeddings": False,
    }
    return {"default": found[key]} if key in found else {}


def _sheet(kind: str) -> Node:
    about, keys = KINDS[kind]
    properties = {key: KEYS[key] | _default(kind, key) | _CHANGED.get((kind, key), {}) for key in keys}
    properties["kind"] = {**KEYS["kind"], "const": kind}
    needed = [
        "id",
        *(["kind"] if kind != "self-attention" else []),
        *(["classes"] if "classes" in keys else []),
    ]
    return {
        "title": kind, "description": about, "type": "object",
        "properties": properties, "required": needed, "additionalProperties": False,
    }  # fmt: skip


DEFINITIONS: dict[str, Node] = {
    "number": {"type": "number", "minimum": -MAX_ABS, "maximum": MAX_ABS},
    "row": {"type": "array", "items": _ref("number"), "minItems": 1},
    "matrix": {"type": "array", "items": _ref("row"), "minItems": 1},
    "id": {
        "description": "lower-case letters and digits, a letter first, at most 32; some are reserved",
        "type": "string",
        "pattern": "^[a-z][a-z0-9]{0,31}$",
        "not": {"pattern": "^(vocab|xlsxattn|w|b|[hlg][0-9]+)$"},
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
    "tokens": {
        "description": "each word and its embedding, all of one length",
        "type": "object",
        "minProperties": 1,
        "propertyNames": _ref("word"),
        "additionalProperties": _ref("row"),
    },
    "vocabulary": {
        "description": "the words and their embeddings",
        "type": "object",
        "properties": {
            "dimensions": _list(
                "a name for each number of an embedding; otherwise d1, d2, ...",
                _text("a dimension"),
                1,
                MAX_SIZE,
            ),
            "tokens": _ref("tokens"),
            "from": _text(
                "a file, in place of tokens: a data file with a table [tokens], or word vectors as GloVe or "
                "word2vec write them (gzip too), as CSV, or as an .npy beside a list of its words"
            ),
            "words": _list(
                "words that are taken from a file of word vectors, beside those of the sentences",
                _ref("word"),
                0,
                1_000_000,
            ),
            "components": _count(
                "keep only so many principal components of the words' vectors", MAX_SIZE
            ),
        },
        "oneOf": [{"required": ["tokens"]}, {"required": ["from"]}],
        "additionalProperties": False,
    },
}  # fmt: skip

TOP: dict[str, Node] = {
    "title": _text("the workbook's title") | {"default": "Attention"},
    "about": _text("what the workbook shows: the paragraph on Start, in place of the usual one")
    | {"maxLength": MAX_ABOUT_LENGTH},
    "lang": _one("the language of the workbook's texts; --lang overrides it", codes(), default="en"),
    "focus": {
        "description": "the word that is outlined and compared; otherwise the first that all sentences share",
        "allOf": [_ref("word")],
    },
    "length": _count("how many token cells every context gets: its words, then blank ones", MAX_WORDS),
    "explain": _one(
        "how much the workbook says beside its numbers: a sentence a step, or a second one as well",
        ("short", "full"),
        default="short",
    ),
    "vocabulary": {"description": "the words and their embeddings", "allOf": [_ref("vocabulary")]},
    "contexts": {
        "description": "the sentences by id: a text, split on white space, or a list of words",
        "type": "object",
        "minProperties": 1,
        "maxProperties": MAX_CONTEXTS,
        "propertyNames": _ref("id"),
        "additionalProperties": _ref("sentence"),
    },
    "sheets": {
        "description": "the sheets in order",
        "type": "array",
        "minItems": 1,
        "items": {"oneOf": [_ref(kind) for kind in KINDS]},
    },
}
"""Every key of a spec."""


def schema(lang: str = "en") -> dict[str, Any]:
    """The JSON schema (draft 7, which editors of TOML read) of a spec, described in a language.

    >>> schema()["required"]
    ['vocabulary', 'contexts', 'sheets']
    >>> sorted(schema()["definitions"]["compare"]["properties"])
    ['about', 'axes', 'id', 'kind', 'near', 'title', 'try']

    Raises:
        ValueError: there is no such language.
    """
    one_of("lang", lang, codes())
    made = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "description": "What a workbook is made from: words, sentences, and sheets.",
        "type": "object",
        "properties": TOP,
        "required": ["vocabulary", "contexts", "sheets"],
        "additionalProperties": False,
        "definitions": {**DEFINITIONS, **{kind: _sheet(kind) for kind in KINDS}},
    }
    told: dict[str, Any] = _told(made, language(lang))
    return told | {"title": language(lang).tell(TITLE)}


def _told(node: Any, spoken: Language) -> Any:  # noqa: ANN401 - JSON
    """A part of the schema, its descriptions told in a language."""
    if isinstance(node, list):
        return [_told(one, spoken) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _told(one, spoken) for key, one in node.items()}
    about = found.get("description")
    return found | {"description": spoken.tell(about)} if isinstance(about, str) else found
