"""What is wrong with a text that is not TOML: the line, what stands in it, and what would be right.

A parser says where it stopped, not what a person meant. Here slips that people make are put right on trial:
one is told when the line can be read without it.
"""

from __future__ import annotations

import re
import tomllib
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING

from xlsxattn.contract.kinds import KINDS, Positive, keys
from xlsxattn.language import say
from xlsxattn.system_errors import not_toml, parser_said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.language import Phrase

    Repair = tuple[Phrase, str]

MAX_LINE_LENGTH, MAX_SHOWN_LENGTH = 1000, 72
NEAR = 2
"""Lines above the one where a parser misses a bracket, in which it may be missing."""
PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
STRAIGHT = str.maketrans("“”„‟″＂‘’‚‛＇", '""""""' + "'''''")
NARROW = str.maketrans("＝［］【】，、：．－　", "=[][],,:.- ")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
NUMBERS = re.compile(rf"\[?\s*(?:{NUMBER.pattern}[\s,;]+)+{NUMBER.pattern}?[\s,;]*\]?")
HEAD = re.compile(r"\s*\[(?!\[)\s*([^\]\s]+)\s*\]")
KEY = re.compile(r"""\s*([\w.-]+|"[^"]*"|'[^']*')\s*=""")
BRACKETS = re.compile(r"([^=#]*=)?[\s\[\],]*|\s*#.*")
COLON = re.compile(r"""\s*("[^"]*"|'[^']*'|[^:="']+?)\s*:\s*(.*)""")
BETWEEN = re.compile(r"""(?<=["'\]])\s+(?=["'\[])|(?<=\])(?=\[)""")
BETWEEN_NUMBERS = re.compile(r"(?<=[\]\d.])\s+(?=[\[\d.+-])|(?<=\])(?=\[)")
QUOTES = "\"'"
FRACTIONS = {
    name for kind in KINDS.values() for name, one in keys(kind).items() if isinstance(one.key, Positive)
}
"""Keys whose value is one number that need not be whole."""
STRANGE_KEY = re.compile(r"""(?=.*[^\x00-\x7f＂‘’“”＝])[^"'‘’“”＂＝\[\]{}#,:：]+""")
"""A key without quotes that has letters which TOML reads in quotes only."""
COMMENT = re.compile(r"\s#[^\"']*$")
QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*\"|'[^']*'|\#.*""")
"""A text in quotes, or a comment."""
ROW = re.compile(r"[^\[\]=]+")
DECIMAL = r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?"
DECIMALS = re.compile(
    rf"\s*(?:{DECIMAL}|[-+]?\d+)(?:(?:\s*,\s+|\s+,?|\s*;\s*)(?:{DECIMAL}|[-+]?\d+))+\s*,?\s*"
)
"""Numbers of a row, apart from each other by more than a comma, some of which have a comma themselves."""


def binary(content: bytes) -> Phrase | None:
    """What a file is, where it is no text; a workbook is told apart."""
    if content.startswith(b"PK") and b"xl/workbook.xml" in content:
        return say("this is a workbook, which 'xlsxattn check' takes; a spec is a text that ends in .toml")
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return say("this is no text; a spec is a text that ends in .toml")
    return None


def decimal_comma(text: str) -> Phrase | None:
    """The first line with decimal commas in a list, which TOML takes for two numbers each: ``[3,0, 0,5]``.

    They are told from commas between numbers by the blanks behind these: ``[3,0,0,5]`` has four numbers. Most
    numbers of a row have one, so that a single blank left out is no fault.

    >>> decimal_comma("cat = [3,0, 0,5]")
    'line 1: found cat = [3,0, 0,5]; write 3.0, not 3,0: cat = [3.0, 0.5]'
    >>> decimal_comma("cat = [3,0,0,5]"), decimal_comma("cat = [1, 0,0, 1]")
    (None, None)
    """
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE_LENGTH or not (wrong := re.search(DECIMAL, line)):
            continue
        bare = QUOTED.sub(lambda found: " " * len(found[0]), line)
        right = ROW.sub(lambda found: _pointed(found[0]), bare)
        if right != bare:
            advice = say("write {right}, not {wrong}", right=wrong[0].replace(",", "."), wrong=wrong[0])
            return _told(number, line, advice, right)
    return None


def _pointed(row: str) -> str:
    """A row of numbers, with points in place of its decimal commas."""
    numbers, wrong = re.findall(rf"{DECIMAL}|[-+]?\d+", row), re.findall(DECIMAL, row)
    if not DECIMALS.fullmatch(row) or 2 * len(wrong) <= len(numbers):
        return row
    end = "," if row.rstrip().endswith(",") else ""
    return ", ".join(number.replace(",", ".") for number in numbers) + end


def slip(text: str, error: tomllib.TOMLDecodeError) -> Phrase:
    """What is wrong with a text that a parser of TOML has refused, and what would be right."""
    lines, said = text.replace("\r\n", "\n").split("\n"), str(error)
    place = PLACE.search(said)
    number = int(place[1]) if place and place[1] else len(lines)
    twice = _twice(lines[:number]) if said.startswith("Cannot") else None
    if told := decimal_comma(text) or twice or _strange_keys(lines, number):
        return told
    full = [at for at in range(number, 0, -1) if not BRACKETS.fullmatch(lines[at - 1])]
    for at in full[: 1 + NEAR * said.startswith("Unclosed")]:  # seen only where another line begins
        line = lines[at - 1]
        if len(line) <= MAX_LINE_LENGTH and not _reads(line) and (found := _repaired(line)):
            return _told(at, line, *found)
    if said.startswith("Unclosed") and len(full) > 1 and all(_reads(lines[at - 1]) for at in full[:2]):
        line = lines[full[1] - 1]
        return _told(full[1], line, say("a comma is missing"), f"{line.rstrip()},")
    if not place or not place[1]:
        return say("not TOML: {error}", error=not_toml(error))
    sentence = "line {line}: found {found}, which is not TOML: {error}"
    return say(sentence, line=number, found=_short(lines[number - 1]), error=parser_said(PLACE.sub("", said)))


def _told(number: int, line: str, advice: Phrase, right: str) -> Phrase:
    sentence = "line {line}: found {found}; {advice}: {right}"
    return say(sentence, line=number, found=_short(line), advice=advice, right=_short(right))


def _twice(lines: list[str]) -> Phrase | None:
    """The key or table that stands twice, the second time in the last line that has one twice."""
    first: dict[str, int] = {}
    table, found = "", None
    for number, line in enumerate((line[:MAX_LINE_LENGTH] for line in lines), 1):
        head, key = HEAD.match(line), KEY.match(line)
        if line.lstrip().startswith("[["):
            table = f"[[{number}]]"
        name = f"[{head[1]}]" if head else table + key[1].strip("\"'") if key else ""
        table = name if head else table
        if name and first.setdefault(name, number) != number:
            word = name if head else name.removeprefix(table)
            sentence = "line {line}: {word} stands in line {first} already, keep one of the two"
            found = say(sentence, line=number, word=word, first=first[name])
    return found


def _strange_keys(lines: list[str], number: int) -> Phrase | None:
    """All lines whose key has letters that need quotes, where the parser stopped at one; ids have no such.

    A list or a text may go on over several lines, whose ends are not looked for: one line has both its ends.
    """
    words: list[int] = []
    ids: list[int] = []
    table, within = "", False
    for at, line in enumerate((line[:MAX_LINE_LENGTH] for line in lines), 1):
        head = HEAD.match(line)
        table = head[1] if head else "" if line.lstrip().startswith("[[") else table
        within ^= bool(line.count('"""') % 2)
        key, equals, value = (part.strip() for part in line.partition("="))
        if within or not equals or not STRANGE_KEY.fullmatch(key):
            continue
        if not _reads(line) and _reads(f"{_quoted(key)} = {value}"):
            (ids if table == "contexts" else words).append(at)
    if number not in {*words, *ids}:
        return None
    found = []
    if words:
        key, _, value = lines[words[0] - 1].partition("=")
        right = _short(f"{_quoted(key.strip())} = {value.strip()}")
        sentence = "{where}: a word of other letters than a to z needs quotes before the =: {right}"
        found.append(say(sentence, where=_lines(words), right=right))
    if ids:
        right = _short(f"s1 = {lines[ids[0] - 1].partition('=')[2].strip()}")
        sentence = "{where}: the id of a context is made of small Latin letters and digits: {right}"
        found.append(say(sentence, where=_lines(ids), right=right))
    return found[0] if len(found) == 1 else say("{one}; {other}", one=found[0], other=found[1])


def _lines(numbers: list[int]) -> Phrase:
    """The numbers of lines, those that follow each other as one run: 5-9, 12."""
    runs: list[list[int]] = []
    for at in numbers:
        if runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    said = [
        say("{first}-{last}", first=run[0], last=run[-1]) if len(run) > 1 else say("{at}", at=run[0])
        for run in runs
    ]
    listed = reduce(lambda one, other: say("{one}, {other}", one=one, other=other), said)
    return say("lines {numbers}" if len(numbers) > 1 else "line {numbers}", numbers=listed)


def _repaired(line: str) -> Repair | None:
    """What one slip, or two, put right makes of a line that can then be read."""
    once = list(_repairs(line))
    pairs = (
        (say("{one}, and {other}", one=advice, other=another), both)
        for advice, half in once
        for another, both in _repairs(half)
        if another != advice
    )
    return next((repair for repair in chain(once, pairs) if _reads(repair[1])), None)


def _reads(line: str) -> bool:
    """Whether a line is TOML by itself, or as a row of a list."""
    for text in (line, f"row = [{COMMENT.sub('', line)}]"):
        try:
            tomllib.loads(text)
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _repairs(line: str) -> Iterator[Repair]:
    """What a person may have meant, the likeliest first."""
    if (straight := line.translate(STRAIGHT)) != line:
        yield say("quotes must be straight ones"), straight
    if (narrow := line.translate(NARROW)) != line:
        yield say("signs must not be full-width ones"), narrow
    if line.lstrip().startswith("[") and not set("=,") & set(line):
        double = "[[" in line or "]]" in line
        name = line.strip(" \t[]")
        yield say("its brackets must match"), f"[[{name}]]" if double else f"[{name}]"
    if colon := COLON.match(line):
        yield say("= is needed between a word and what it is"), f"{_key(colon[1])} = {colon[2]}"
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
    """What a person may have meant by what stands behind the equals sign."""
    if name in FRACTIONS and re.fullmatch(DECIMAL, value):
        right = value.replace(",", ".")
        yield say("write {right}, not {wrong}", right=right, wrong=value), right
    if value.lower() in ("true", "false"):
        yield say("it is written in small letters"), value.lower()
    if NUMBER.fullmatch(value):
        yield say("a number needs digits on both sides of its point, and no zeros in front"), _number(value)
        return
    yield from _lists(value)
    first, last = value[0], value[-1]
    if value.startswith(('"""', "'''", "[")):
        return
    if first in QUOTES:
        if last != first:
            yield say("the closing quote is missing"), value + first
        inner = value[1:-1] if last == first else value[1:]
        yield say("put it in quotes of the other kind"), f"'{inner}'" if first == '"' else f'"{inner}"'
    elif last in QUOTES:
        yield say("the opening quote is missing"), last + value
    if "=" not in value:
        yield say("put the text in quotes"), _quoted(value)


def _lists(value: str) -> Iterator[Repair]:
    """What a person may have meant by a list."""
    value, comma = (value[:-1], ",") if value.endswith(",") else (value, "")
    lacking = value.count("[") - value.count("]")
    if lacking > 0 and value.strip("[ ,"):
        yield say("a closing bracket is missing"), value.rstrip(", ") + "]" * lacking + comma
    if lacking < 0:
        yield say("an opening bracket is missing"), "[" * -lacking + value + comma
        yield say("it has a closing bracket too many"), value[:lacking] + comma
    if NUMBERS.fullmatch(value):
        numbers = ", ".join(_number(one) for one in NUMBER.findall(value))
        yield say("numbers stand in brackets, with commas between them"), f"[{numbers}]{comma}"
    if not value.startswith("["):
        return
    for quote in QUOTES if value.count('"') + value.count("'") else ():
        for sign, advice in (
            (r"\s*[,\]]", "the closing quote is missing"),
            (r"[\[,]\s*", "the opening quote is missing"),
        ):
            for found in re.finditer(sign, value) if value.count(quote) % 2 else ():
                at = found.start() if "closing" in advice else found.end()
                yield say(advice), value[:at] + quote + value[at:] + comma
    between = BETWEEN if set(QUOTES) & set(value) else BETWEEN_NUMBERS
    yield say("a comma is missing"), between.sub(", ", value) + comma
    if not value.startswith("[["):
        parts = [part.strip() for part in value.strip("[] ").split(",") if part.strip()]
        words = ", ".join(part if _reads(f"x = {part}") else _quoted(part) for part in parts)
        yield say("put each word in quotes"), f"[{words}]{comma}"


def _key(text: str) -> str:
    """A key as TOML can read it."""
    return text if text[0] in QUOTES or re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _quoted(text: str) -> str:
    """A text in quotes that it does not have itself."""
    return f'"{text}"' if '"' not in text else f"'{text}'"


def _number(text: str) -> str:
    """A number as TOML writes it: with digits before and after the point, without zeros before others."""
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    whole, point, rest = digits.partition(".")
    whole = whole.lstrip("0") or "0" if "e" not in whole.lower() else whole
    return f"{sign}{whole}{point}{rest or '0' if point else ''}"


def _short(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= MAX_SHOWN_LENGTH else f"{line[: MAX_SHOWN_LENGTH - 3]}..."
