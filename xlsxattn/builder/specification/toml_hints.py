"""Explains syntax errors in TOML: the line, the likely mistake, and a correction.

The parser only reports where it stopped. This module tries corrections of common mistakes, and reports the
first one that makes the line valid.
"""

from __future__ import annotations

import re
import tomllib
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING

from xlsxattn.contract.keys import Positive, keys
from xlsxattn.contract.kinds import KINDS
from xlsxattn.language import say
from xlsxattn.system_errors import not_toml, parser_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.language import Phrase

    Repair = tuple[Phrase, str]

MAX_LINE_LENGTH, MAX_SHOWN_LENGTH = 1000, 72
LINES_BEFORE = 2
"""Number of lines before the reported one that may lack a closing bracket."""
PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
STRAIGHT = str.maketrans("“”„‟″＂‘’‚‛＇", '""""""' + "'''''")
NARROW = str.maketrans("＝［］【】，、：．－　", "=[][],,:.- ")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
NUMBERS = re.compile(rf"\[?\s*(?:{NUMBER.pattern}[\s,;]+)+{NUMBER.pattern}?[\s,;]*\]?")
HEAD = re.compile(r"\s*\[(?!\[)\s*([^\]\s]+)\s*\]")
ROWS_HEAD = re.compile(r"\s*\[\[\s*([^\]\s]+)\s*\]\]")
KEY = re.compile(r"""\s*([\w.-]+|"[^"]*"|'[^']*')\s*=""")
BRACKETS = re.compile(r"([^=#]*=)?[\s\[\],]*|\s*#.*")
COLON = re.compile(r"""\s*("[^"]*"|'[^']*'|[^:="']+?)\s*:\s*(.*)""")
BETWEEN = re.compile(r"""(?<=["'\]])\s+(?=["'\[])|(?<=\])(?=\[)""")
BETWEEN_NUMBERS = re.compile(r"(?<=[\]\d.])\s+(?=[\[\d.+-])|(?<=\])(?=\[)")
QUOTES = "\"'"
FRACTIONS = {
    name for kind in KINDS.values() for name, one in keys(kind).items() if isinstance(one.key, Positive)
}
"""Keys whose value is a number that may have decimals."""
UNQUOTED_KEY = re.compile(r"""(?=.*[^\x00-\x7f＂‘’“”＝])[^"'‘’“”＂＝\[\]{}#,:：]+""")
"""A key without quotes that has letters which TOML allows only in quotes."""
COMMENT = re.compile(r"\s#[^\"']*$")
QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*\"|'[^']*'|\#.*""")
"""A quoted text, or a comment."""
ROW = re.compile(r"[^\[\]=]+")
DECIMAL = r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?"
DECIMALS = re.compile(
    rf"\s*(?:{DECIMAL}|[-+]?\d+)(?:(?:\s*,\s+|\s+,?|\s*;\s*)(?:{DECIMAL}|[-+]?\d+))+\s*,?\s*"
)
"""A row of numbers with some decimal commas, separated by more than a comma."""


def binary(content: bytes) -> Phrase | None:
    """Message for a file that is not text; None for text."""
    if content.startswith(b"PK") and b"xl/workbook.xml" in content:
        return say("this is a workbook, use 'xlsxattn check'; a spec is a text file that ends in .toml")
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return say("this is not text; a spec is a text file that ends in .toml")
    return None


def decimal_comma(text: str) -> Phrase | None:
    """Message for the first line with decimal commas, which TOML reads as separators: ``[3,0, 0,5]``.

    Separators are recognized by the space after them: ``[3,0,0,5]`` has four numbers. Most numbers of the row
    must have a decimal comma, so that a missing space alone is not reported.

    >>> decimal_comma("cat = [3,0, 0,5]")
    'line 1: found cat = [3,0, 0,5]; write 3.0, not 3,0: cat = [3.0, 0.5]'
    >>> decimal_comma("cat = [3,0,0,5]"), decimal_comma("cat = [1, 0,0, 1]")
    (None, None)
    """
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE_LENGTH or not (wrong := re.search(DECIMAL, line)):
            continue
        bare = QUOTED.sub(lambda match: " " * len(match[0]), line)
        right = ROW.sub(lambda match: _with_points(match[0]), bare)
        if right != bare:
            advice = say("write {right}, not {wrong}", right=wrong[0].replace(",", "."), wrong=wrong[0])
            return _correction(number, line, advice, right)
    return None


def _with_points(row: str) -> str:
    """A row of numbers with decimal points instead of commas."""
    numbers, wrong = re.findall(rf"{DECIMAL}|[-+]?\d+", row), re.findall(DECIMAL, row)
    if not DECIMALS.fullmatch(row) or 2 * len(wrong) <= len(numbers):
        return row
    end = "," if row.rstrip().endswith(",") else ""
    return ", ".join(number.replace(",", ".") for number in numbers) + end


def explain(text: str, error: tomllib.TOMLDecodeError) -> Phrase:
    """Explain a syntax error, with a correction if one is found."""
    lines, message = text.replace("\r\n", "\n").split("\n"), str(error)
    place = PLACE.search(message)
    number = int(place[1]) if place and place[1] else len(lines)
    duplicate = _duplicate(lines[:number]) if message.startswith("Cannot") else None
    if explanation := decimal_comma(text) or duplicate or _unquoted_keys(lines, number):
        return explanation
    unclosed = message.startswith("Unclosed")  # reported at a later line
    candidates = [n for n in range(number, 0, -1) if not BRACKETS.fullmatch(lines[n - 1])]
    for n in candidates[: 1 + LINES_BEFORE * unclosed]:
        line = lines[n - 1]
        if len(line) <= MAX_LINE_LENGTH and not _is_valid(line) and (repair := _repaired(line)):
            return _correction(n, line, *repair)
    if unclosed and len(candidates) > 1 and all(_is_valid(lines[n - 1]) for n in candidates[:2]):
        n = candidates[1]
        return _correction(n, lines[n - 1], say("a comma is missing"), f"{lines[n - 1].rstrip()},")
    if not place or not place[1]:
        return say("not TOML: {error}", error=not_toml(error))
    sentence = "line {line}: found {found}, which is not TOML: {error}"
    return say(
        sentence, line=number, found=_short(lines[number - 1]), error=parser_message(PLACE.sub("", message))
    )


def _correction(number: int, line: str, advice: Phrase, right: str) -> Phrase:
    sentence = "line {line}: found {found}; {advice}: {right}"
    return say(sentence, line=number, found=_short(line), advice=advice, right=_short(right))


def _duplicate(lines: list[str]) -> Phrase | None:
    """Message for the last duplicate key or table."""
    first: dict[str, int] = {}
    table, message = "", None
    for number, line in enumerate((line[:MAX_LINE_LENGTH] for line in lines), 1):
        head, key = HEAD.match(line), KEY.match(line)
        if rows := ROWS_HEAD.match(line):
            table = f"[[{number}]]"
            if earlier := first.get(f"[{rows[1]}]"):
                advice = say("each table of a list needs double brackets")
                message = _correction(earlier, lines[earlier - 1], advice, f"[[{rows[1]}]]")
        name = f"[{head[1]}]" if head else table + key[1].strip("\"'") if key else ""
        table = name if head else table
        if name and first.setdefault(name, number) != number:
            word = name if head else name.removeprefix(table)
            sentence = "line {line}: {word} is already defined in line {first}; keep one of them"
            message = say(sentence, line=number, word=word, first=first[name])
    return message


def _unquoted_keys(lines: list[str], number: int) -> Phrase | None:
    """Message for all keys that need quotes, if the parser stopped at one of them.

    Values over several lines are not considered.
    """
    words: list[int] = []
    ids: list[int] = []
    table, within = "", False
    for n, line in enumerate((line[:MAX_LINE_LENGTH] for line in lines), 1):
        head = HEAD.match(line)
        table = head[1] if head else "" if line.lstrip().startswith("[[") else table
        within ^= bool(line.count('"""') % 2)
        key, equals, value = (part.strip() for part in line.partition("="))
        if within or not equals or not UNQUOTED_KEY.fullmatch(key):
            continue
        if not _is_valid(line) and _is_valid(f"{_quoted(key)} = {value}"):
            (ids if table == "contexts" else words).append(n)
    if number not in {*words, *ids}:
        return None
    messages = []
    if words:
        key, _, value = lines[words[0] - 1].partition("=")
        right = _short(f"{_quoted(key.strip())} = {value.strip()}")
        sentence = "{where}: a word with letters other than a to z needs quotes before the =: {right}"
        messages.append(say(sentence, where=_lines(words), right=right))
    if ids:
        right = _short(f"s1 = {lines[ids[0] - 1].partition('=')[2].strip()}")
        sentence = "{where}: the id of a context has only lower-case Latin letters and digits: {right}"
        messages.append(say(sentence, where=_lines(ids), right=right))
    if len(messages) == 1:
        return messages[0]
    return say("{one}; {other}", one=messages[0], other=messages[1])


def _lines(numbers: list[int]) -> Phrase:
    """Line numbers as text, with consecutive ones as a range: 5-9, 12."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and runs[-1][-1] == n - 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    texts = [
        say("{first}-{last}", first=run[0], last=run[-1]) if len(run) > 1 else say("{at}", at=run[0])
        for run in runs
    ]
    listed = reduce(lambda one, other: say("{one}, {other}", one=one, other=other), texts)
    return say("lines {numbers}" if len(numbers) > 1 else "line {numbers}", numbers=listed)


def _repaired(line: str) -> Repair | None:
    """The first correction of one or two mistakes that makes a line valid."""
    once = list(_repairs(line))
    pairs = (
        (say("{one}, and {other}", one=advice, other=another), both)
        for advice, half in once
        for another, both in _repairs(half)
        if another != advice
    )
    return next((repair for repair in chain(once, pairs) if _is_valid(repair[1])), None)


def _is_valid(line: str) -> bool:
    """True if a line is valid TOML by itself, or as an item of a list."""
    for text in (line, f"row = [{COMMENT.sub('', line)}]"):
        try:
            tomllib.loads(text)
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _repairs(line: str) -> Iterator[Repair]:
    """Possible corrections of a line, the most likely first."""
    if (straight := line.translate(STRAIGHT)) != line:
        yield say("use straight quotes"), straight
    if (narrow := line.translate(NARROW)) != line:
        yield say("use half-width characters"), narrow
    if line.lstrip().startswith("[") and not set("=,") & set(line):
        double = "[[" in line or "]]" in line
        name = line.strip(" \t[]")
        yield say("its brackets must match"), f"[[{name}]]" if double else f"[{name}]"
    if colon := COLON.match(line):
        yield say("write = between a word and its value"), f"{_key(colon[1])} = {colon[2]}"
    key, equals, value = line.partition("=")
    name, value = key.strip(), COMMENT.sub("", value).strip()
    if not equals:
        yield from _lists(line.strip())
        return
    for quote in QUOTES:
        if (name[:1] == quote) != (name[-1:] == quote):
            missing = say(
                "the closing quote is missing" if name[0] == quote else "the opening quote is missing"
            )
            yield missing, f"{quote}{name.strip(quote)}{quote} = {value}"
    if name and not set(QUOTES) & {name[0], name[-1]}:
        yield say("put the word in quotes"), f"{_quoted(name)} = {value}"
    if value:
        yield from ((advice, f"{key.rstrip()} = {right}") for advice, right in _values(name, value))


def _values(name: str, value: str) -> Iterator[Repair]:
    """Possible corrections of a value."""
    if name in FRACTIONS and re.fullmatch(DECIMAL, value):
        right = value.replace(",", ".")
        yield say("write {right}, not {wrong}", right=right, wrong=value), right
    if value.lower() in ("true", "false"):
        yield say("write it in lower case"), value.lower()
    if NUMBER.fullmatch(value):
        yield say("a number needs digits on both sides of the point, and no leading zeros"), _number(value)
        return
    yield from _lists(value)
    first, last = value[0], value[-1]
    if value.startswith(('"""', "'''", "[")):
        return
    if first in QUOTES:
        if last != first:
            yield say("the closing quote is missing"), value + first
        inner = value[1:-1] if last == first else value[1:]
        yield say("use the other kind of quotes"), f"'{inner}'" if first == '"' else f'"{inner}"'
    elif last in QUOTES:
        yield say("the opening quote is missing"), last + value
    if "=" not in value:
        yield say("put the text in quotes"), _quoted(value)


def _lists(value: str) -> Iterator[Repair]:
    """Possible corrections of a list."""
    value, comma = (value[:-1], ",") if value.endswith(",") else (value, "")
    missing = value.count("[") - value.count("]")
    if missing > 0 and value.strip("[ ,"):
        yield say("a closing bracket is missing"), value.rstrip(", ") + "]" * missing + comma
    if missing < 0:
        yield say("an opening bracket is missing"), "[" * -missing + value + comma
        yield say("there is one closing bracket too many"), value[:missing] + comma
    if NUMBERS.fullmatch(value):
        numbers = ", ".join(_number(one) for one in NUMBER.findall(value))
        yield say("write numbers in brackets, separated by commas"), f"[{numbers}]{comma}"
    if not value.startswith("["):
        return
    for quote in QUOTES if value.count('"') + value.count("'") else ():
        for sign, advice in (
            (r"\s*[,\]]", "the closing quote is missing"),
            (r"[\[,]\s*", "the opening quote is missing"),
        ):
            for match in re.finditer(sign, value) if value.count(quote) % 2 else ():
                i = match.start() if "closing" in advice else match.end()
                yield say(advice), value[:i] + quote + value[i:] + comma
    between = BETWEEN if set(QUOTES) & set(value) else BETWEEN_NUMBERS
    yield say("a comma is missing"), between.sub(", ", value) + comma
    if not value.startswith("[["):
        parts = [part.strip() for part in value.strip("[] ").split(",") if part.strip()]
        words = ", ".join(part if _is_valid(f"x = {part}") else _quoted(part) for part in parts)
        yield say("put each word in quotes"), f"[{words}]{comma}"


def _key(text: str) -> str:
    """A key, quoted if necessary."""
    return text if text[0] in QUOTES or re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _quoted(text: str) -> str:
    """A text in quotes, of the kind that it does not contain."""
    return f'"{text}"' if '"' not in text else f"'{text}'"


def _number(text: str) -> str:
    """A number in TOML syntax: digits on both sides of the point, no leading zeros."""
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    whole, point, rest = digits.partition(".")
    whole = whole.lstrip("0") or "0" if "e" not in whole.lower() else whole
    return f"{sign}{whole}{point}{rest or '0' if point else ''}"


def _short(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= MAX_SHOWN_LENGTH else f"{line[: MAX_SHOWN_LENGTH - 3]}..."
