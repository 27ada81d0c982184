"""Translatable messages of the operating system and of the TOML and JSON parsers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.language import Phrase, say

if TYPE_CHECKING:
    import json
    import tomllib
    from pathlib import Path

WITH_A_VALUE = (
    say("Cannot declare {value} twice"),
    say("Cannot mutate immutable namespace {value}"),
    say("Cannot redefine namespace {value}"),
    say("Duplicate inline table key {value}"),
    say("Expected {value}"),
    say("Found invalid character {value}"),
    say("Illegal character {value}"),
    say("Invalid \\escape: {value}"),
    say("Invalid control character {value} at"),
)
"""Parser messages that contain a value."""
MAX_LENGTH = 200
"""Maximum length of a library's error message."""
_VALUE = re.compile(r"""\(.*\)|'[^']*'|"[^"]*\"""")
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def is_there(path: Path) -> bool:
    """Whether a path exists; not if its name is impossible, for which Python raises an error."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def reason(error: Exception) -> Phrase:
    """The message of an operating-system or library error, translatable if the catalogue has it."""
    return say(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def not_written(path: Path, error: OSError) -> Phrase:
    """Why a file cannot be written."""
    if isinstance(error, FileNotFoundError) and not is_there(path.parent):
        sentence = "{path}: the folder {folder} does not exist; create it first"
        return say(sentence, path=path, folder=path.parent)
    return say("{path}: cannot be written: {why}", path=path, why=reason(error))


def words(error: Exception) -> str:
    """The message of an error as part of a sentence; for library errors, with its class, and shortened."""
    text = str(error)
    if isinstance(text, Phrase):
        return text
    return " ".join(f"{type(error).__name__}: {text}".split())[:MAX_LENGTH]


def not_toml(error: tomllib.TOMLDecodeError) -> Phrase:
    """What is wrong in a TOML file, with line and column."""
    match = _PLACE.fullmatch(str(error))
    if match is None:
        return say(str(error))
    what, line, column = match.groups()
    if line is None:
        return say("{what} (at end of document)", what=parser_message(what))
    return say(
        "{what} (at line {line}, column {column})", what=parser_message(what), line=line, column=column
    )


def not_json(error: ValueError | json.JSONDecodeError) -> Phrase:
    """What is wrong in a JSON text, with line and column."""
    what, line, column = (getattr(error, name, None) for name in ("msg", "lineno", "colno"))
    if what is None:
        return reason(error)
    return say(
        "{what} (at line {line}, column {column})", what=parser_message(what), line=line, column=column
    )


def parser_message(text: str) -> Phrase:
    """A parser's message as a translatable sentence, with its value as a placeholder."""
    for sentence in WITH_A_VALUE:
        before, after = sentence.split("{value}")
        value = text.removeprefix(before).removesuffix(after)
        if text == f"{before}{value}{after}" and _VALUE.fullmatch(value):
            return Phrase(sentence, {"value": value})
    return say(text)
