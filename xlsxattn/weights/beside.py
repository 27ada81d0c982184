"""What stands beside a checkpoint and says how it is used: pooling, more modules, its tokenizer's config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.language import say
from xlsxattn.weights.tensor import read_json, read_json_list
from xlsxattn.weights.tokenizer import steps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.language import Phrase
    from xlsxattn.weights.tokenizer import Split

MODULES, POOLING, TOKENIZER = "modules.json", "1_Pooling", "tokenizer_config.json"
POOLS = {
    "pooling_mode_cls_token": "first",
    "pooling_mode_mean_tokens": "mean",
    "cls": "first",
    "mean": "mean",
}
"""Ways to make one row of a sentence that a workbook has, by their names in sentence-transformers' files."""
_UNDERSTOOD = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Pooling:
    """How a sentence's rows become one, "mean" or "first", and what a person should know."""

    pool: str = "mean"
    notes: tuple[Phrase, ...] = ()


def pooling(folder: Path) -> Pooling:
    """How an encoder's sentences are pooled, as sentence-transformers keeps it; else by the mean.

    Raises:
        CheckpointError: a file is not JSON.
    """
    modules = _modules(folder / MODULES)
    places = [str(one.get("path")) for one in modules if _kind(one) == "Pooling"] or [POOLING]
    notes = [
        say("Left out: {name}, a module behind the model ({file}).", name=_kind(one), file=MODULES)
        for one in modules
        if _kind(one) not in _UNDERSTOOD
    ]
    path = folder / places[0] / "config.json"
    if not path.is_file() or folder not in path.parents:
        return Pooling("mean", tuple(notes))
    modes = _modes(read_json(path))
    if len(modes) == 1 and modes[0] in POOLS:
        return Pooling(POOLS[modes[0]], tuple(notes))
    sentence = (
        "{path}: pools by {modes}, which no workbook has: sentences are compared by the mean of their rows."
    )
    named = f"{places[0]}/config.json"
    return Pooling("mean", (*notes, say(sentence, path=named, modes=", ".join(modes) or say("nothing"))))


def _modules(path: Path) -> list[dict[str, Any]]:
    """The modules that a sentence passes through, in order; none where there is no list of them."""
    return [one for one in read_json_list(path) if isinstance(one, dict)] if path.is_file() else []


def _kind(module: Mapping[str, Any]) -> str:
    """The last part of a module's type: sentence_transformers.models.Pooling."""
    return str(module.get("type")).rpartition(".")[2]


def _modes(config: Mapping[str, Any]) -> list[str]:
    """The ways of pooling that a config turns on, in its older or its newer form."""
    if (mode := config.get("pooling_mode")) is not None:
        return [str(one) for one in (mode if isinstance(mode, list) else [mode])]
    return [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]


def tokenizer_notes(folder: Path, split: Split) -> list[Phrase]:
    """Where tokenizer_config.json says otherwise than tokenizer.json, by which the sentences were split.

    Raises:
        CheckpointError: the file is not JSON.
    """
    path = folder / TOKENIZER
    if not path.is_file():
        return []
    config = read_json(path)
    found = _does(config, split)
    notes = [
        say(
            "{path}: {key} is {said}, and tokenizer.json does otherwise: sentences are split as that has it.",
            path=TOKENIZER,
            key=key,
            said=str(config[key]).lower(),
        )
        for key, does in found.items()
        if isinstance(config.get(key), bool) and config[key] != does
    ]
    if config.get("auto_map"):
        notes.append(
            say("{path}: auto_map names code of the tokenizer's own, which is not run.", path=TOKENIZER)
        )
    return notes


def end_tokens(folder: Path) -> list[str]:
    """The tokens that tokenizer_config.json says may begin and end a sentence.

    Raises:
        CheckpointError: the file is not JSON.
    """
    path = folder / TOKENIZER
    config = read_json(path) if path.is_file() else {}
    found = (config.get(key) for key in ("bos_token", "eos_token"))
    return [token for one in found if (token := _content(one)) is not None]


def _content(token: object) -> str | None:
    """A token's text: it stands alone, or in a table."""
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else None


def _does(config: Mapping[str, Any], split: Split) -> dict[str, bool]:
    """What tokenizer.json does, in the words of tokenizer_config.json; only what it shows."""
    found: dict[str, bool] = {}
    normalizers = steps(split.data.get("normalizer"))
    if normalizers:
        found["do_lower_case"] = any(
            step.get("type") == "Lowercase" or step.get("lowercase") is True for step in normalizers
        )
    prefixes = [
        s["add_prefix_space"] for s in steps(split.data.get("pre_tokenizer")) if "add_prefix_space" in s
    ]
    if prefixes:
        found["add_prefix_space"] = any(prefixes)
    numbers = split.sentences[0].numbers
    for key, token, at in (("add_bos_token", "bos_token", 0), ("add_eos_token", "eos_token", -1)):
        number = split.named.get(_content(config.get(token)) or "")
        if number is not None and numbers:
            found[key] = numbers[at] == number
    return found
