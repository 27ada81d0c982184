"""Reads the files next to a checkpoint that say how to use it: pooling, modules, tokenizer config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.table import show
from xlsxattn.language import say
from xlsxattn.weights.config_keys import listed
from xlsxattn.weights.tensor import read_json, read_json_list
from xlsxattn.weights.tokenizer import steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from xlsxattn.language import Phrase
    from xlsxattn.weights.tokenizer import Split

MODULES, POOLING, TOKENIZER = "modules.json", "1_Pooling", "tokenizer_config.json"
SENTENCES, PROMPTS = "sentence_bert_config.json", "config_sentence_transformers.json"
CHAT = "chat_template.jinja"
SPECIAL_TOKENS, ADDED_TOKENS = "special_tokens_map.json", "added_tokens.json"
MEAN_TOKENS = "pooling_mode_mean_tokens"
POOLS = {"pooling_mode_cls_token": "first", MEAN_TOKENS: "mean", "cls": "first", "mean": "mean"}
"""Supported pooling modes by their names in sentence-transformers' files."""
_SUPPORTED = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Pooling:
    """How the rows of a sentence are pooled into one, "mean" or "first", and remarks for the user."""

    pool: str = "mean"
    notes: tuple[Phrase, ...] = ()


def pooling(folder: Path) -> Pooling:
    """Read the pooling mode of an encoder from sentence-transformers' files; default: mean.

    Raises:
        CheckpointError: a file is not JSON.
    """
    modules = _modules(folder / MODULES)
    folders = [str(module.get("path")) for module in modules if _kind(module) == "Pooling"] or [POOLING]
    notes = [
        say("Not imported: {name}, a module after the model ({file}).", name=_kind(module), file=MODULES)
        for module in modules
        if _kind(module) not in _SUPPORTED
    ]
    path = folder / folders[0] / "config.json"
    if path.parent.parent != folder or folders[0] == ".." or not path.is_file():
        return Pooling("mean", tuple(notes))
    modes = _modes(read_json(path))
    if len(modes) == 1 and modes[0] in POOLS:
        return Pooling(POOLS[modes[0]], tuple(notes))
    sentence = (
        "{path}: pooling by {modes} is not supported: sentences are compared by the mean of their rows."
    )
    shown = f"{folders[0]}/config.json"
    return Pooling("mean", (*notes, say(sentence, path=shown, modes=", ".join(modes) or say("nothing"))))


def _modules(path: Path) -> list[dict[str, Any]]:
    """The pipeline's modules in order; empty if there is no list."""
    if not path.is_file():
        return []
    return [module for module in read_json_list(path) if isinstance(module, dict)]


def _kind(module: Mapping[str, Any]) -> str:
    """The last part of a module's type: Pooling of sentence_transformers.models.Pooling."""
    return str(module.get("type")).rpartition(".")[2]


def _modes(config: Mapping[str, Any]) -> list[str]:
    """The pooling modes that a config enables, in the older or newer format."""
    if (mode := config.get("pooling_mode")) is not None:
        return [str(name) for name in (mode if isinstance(mode, list) else [mode])]
    modes = {MEAN_TOKENS: True, **config}  # the mean is on unless it is switched off
    return [key for key, on in modes.items() if key.startswith("pooling_mode_") and on]


def tokenizer_notes(folder: Path, split: Split) -> list[Phrase]:
    """Report where tokenizer_config.json contradicts tokenizer.json, which is the one used.

    Raises:
        CheckpointError: the file is not JSON.
    """
    notes = [*_sentence_notes(folder, split), *_added_notes(folder, split)]
    path = folder / TOKENIZER
    if not path.is_file():
        return notes
    config = read_json(path)
    actual = _actual_settings(config, split)
    notes += [
        say(
            "{path}: {key} is {said}, which contradicts tokenizer.json; tokenizer.json is used.",
            path=TOKENIZER,
            key=key,
            said=str(config[key]).lower(),
        )
        for key, value in actual.items()
        if isinstance(config.get(key), bool) and config[key] != value
    ]
    if config.get("auto_map"):
        notes.append(say("{path}: auto_map names custom code, which is not run.", path=TOKENIZER))
    return notes


def _sentence_notes(folder: Path, split: Split) -> list[Phrase]:
    """Report what other libraries do to a sentence before the tokenizer, which is not done here."""
    notes = []
    if _optional(folder / SENTENCES).get("do_lower_case") is True and not _lowercases(split):
        notes.append(say("{path}: do_lower_case is true: write sentences in lower case.", path=SENTENCES))
    template = folder / CHAT
    if template.is_file() or _optional(folder / TOKENIZER).get("chat_template"):
        sentence = "{path}: the chat template is not applied: the model reads the sentences as they are."
        notes.append(say(sentence, path=CHAT if template.is_file() else TOKENIZER))
    config = _optional(folder / PROMPTS)
    name, prompts = config.get("default_prompt_name"), config.get("prompts")
    prompt = prompts.get(name) if isinstance(prompts, dict) and isinstance(name, str) else None
    if prompt:
        sentence = "{path}: the prompt {prompt} is not added: begin sentences with it."
        notes.append(say(sentence, path=PROMPTS, prompt=show(prompt)))
    return notes


def _added_notes(folder: Path, split: Split) -> Iterator[Phrase]:
    """Report tokens in a sentence that other files add to the tokenizer, as only tokenizer.json is used."""
    listing = split.data.get("added_tokens")
    known = {_content(token) for token in listing} if isinstance(listing, list) else set()
    for file in (TOKENIZER, SPECIAL_TOKENS, ADDED_TOKENS):
        config = _optional(folder / file)
        named = map(_content, config if file == ADDED_TOKENS else _named_tokens(config))
        used = {
            token
            for token in named
            if token and token not in known and any(token in sentence.text for sentence in split.sentences)
        }
        if used:
            sentence = "{path}: adds {tokens}, which tokenizer.json lacks: sentences are split without that."
            yield say(sentence, path=file, tokens=listed(sorted(map(repr, used))))


def _named_tokens(config: Mapping[str, Any]) -> Iterator[object]:
    """The tokens that tokenizer_config.json or special_tokens_map.json adds to the tokenizer's own."""
    for key, value in config.items():
        if key.endswith("_token"):
            yield value
        elif key in ("additional_special_tokens", "extra_special_tokens", "added_tokens_decoder"):
            tokens = value.values() if isinstance(value, dict) else value
            yield from tokens if isinstance(value, dict | list) else ()


def _optional(path: Path) -> dict[str, Any]:
    """The table in a JSON file; empty if there is no file."""
    return read_json(path) if path.is_file() else {}


def end_tokens(folder: Path) -> list[str]:
    """The tokens that begin and end a sentence according to tokenizer_config.json.

    Raises:
        CheckpointError: the file is not JSON.
    """
    config = _optional(folder / TOKENIZER)
    tokens = (_content(config.get(key)) for key in ("bos_token", "eos_token"))
    return [token for token in tokens if token is not None]


def _content(token: object) -> str | None:
    """The text of a token, given as a string or as a table with "content"."""
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else None


def _lowercases(split: Split) -> bool:
    """True if tokenizer.json lowercases sentences."""
    normalizers = steps(split.data.get("normalizer"))
    return any(step.get("type") == "Lowercase" or step.get("lowercase") is True for step in normalizers)


def _actual_settings(config: Mapping[str, Any], split: Split) -> dict[str, bool]:
    """Settings of tokenizer_config.json as tokenizer.json implements them, as far as that is known."""
    actual = {"split_special_tokens": False}
    if steps(split.data.get("normalizer")):
        actual["do_lower_case"] = _lowercases(split)
    for step in steps(split.data.get("normalizer")):
        if step.get("type") == "BertNormalizer":
            accents = step.get("strip_accents")
            actual["strip_accents"] = _lowercases(split) if accents is None else accents
            actual["tokenize_chinese_chars"] = step.get("handle_chinese_chars", True)
    pre_tokenizers = steps(split.data.get("pre_tokenizer"))
    prefixes = [step["add_prefix_space"] for step in pre_tokenizers if "add_prefix_space" in step]
    if prefixes:
        actual["add_prefix_space"] = any(prefixes)
    token_ids = split.sentences[0].token_ids
    for key, token, i in (("add_bos_token", "bos_token", 0), ("add_eos_token", "eos_token", -1)):
        token_id = split.named.get(_content(config.get(token)) or "")
        if token_id is not None and token_ids:
            actual[key] = token_ids[i] == token_id
    return actual
