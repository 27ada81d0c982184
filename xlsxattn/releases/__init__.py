"""The formulas of live checks in each release, for workbooks of older versions.

The value of a live check is always ✓ in a correct workbook, so only its formula can be verified.
``<version>.json`` in this folder lists the normalized formulas of a release: names without ids, texts reduced
to their mark, and arguments for each sentence, layer or head listed once. ``python -m dev.releases`` writes
these files.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.contract.names import VOCABULARY, is_name
from xlsxattn.contract.values import MARKS, MAX_FORMULA_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlsxattn.checker.manifest_formulas import Formulas
    from xlsxattn.contract.names import Parse, RangeName

FOLDER = Path(__file__).parent
FIRST = "0.1.0"
"""The release whose workbooks do not state their version."""
TOKEN = re.compile(r'"(?:[^"]|"")*"|[A-Za-z_]\w*(?:_\w+)+|.', re.ASCII | re.DOTALL)


def kept(
    version: str, own: Formulas, ours: Formulas, differing: Iterable[str], parse: Parse
) -> frozenset[str]:
    """The live checks whose formula differs, but is the one of a release, on the same ranges."""
    known = forms(version or FIRST)
    return frozenset(
        name
        for name in differing
        if parse(name).is_live_check
        and name in own
        and len(own[name][1]) <= MAX_FORMULA_LENGTH
        and form(name, *own[name], parse) in known
        and (name not in ours or _reads_alike(own[name][1], ours[name][1], parse))
    )


@cache
def forms(version: str) -> frozenset[str]:
    """The normalized formulas of live checks of a release; empty if it is unknown."""
    path = FOLDER / f"{version}.json"
    listed = path.name in {each.name for each in FOLDER.glob("*.json")}
    return frozenset(json.loads(path.read_text("utf-8"))["live checks"] if listed else ())


def form(name: str, entered: str, formula: str, parse: Parse) -> str:
    """The normalized form of a live check: its block, how it is entered, and its generalized formula.

    >>> from xlsxattn.contract.names import parse
    >>> form("qkv_Status", "cells", '=IF(MAX(qkv_a_Drift,qkv_b_Drift)<1E-9,"✓ fine","✗ off")', parse)
    'Status cells =IF(MAX(Drift)<1E-9,"✓","✗")'
    """
    tokens = [_general(token, parse) for token in TOKEN.findall(formula)]
    return f"{_block(parse(name))} {entered} {_listed_once(tokens)}"


def _general(token: str, parse: Parse) -> str:
    """A token without ids in names and without text after a mark."""
    if token.startswith('"') and len(token) > len('""'):
        return f'"{token[1]}"' if token[1] in MARKS else '"..."'
    return _block(parse(token)) if is_name(token) else token


def _block(name: RangeName) -> str:
    return f"{name.sheet}_{name.block}" if name.sheet == VOCABULARY else name.block


def _listed_once(tokens: Iterable[str]) -> str:
    """A formula in which consecutive equal arguments or terms are merged."""
    levels: list[list[str]] = [[""]]  # the arguments of each open parenthesis
    for part in tokens:
        if part == "(":
            levels.append([""])
        elif part == ")" and len(levels) > 1:
            inner = levels.pop()
            levels[-1][-1] += f"({_once(inner)})"
        elif part in ",+":
            levels[-1] += [part, ""]
        else:
            levels[-1][-1] += part
    return "(".join(_once(level) for level in levels)


def _once(listed: list[str]) -> str:
    """Join alternating parts and separators, with consecutive equal parts merged."""
    pairs = zip(["", *listed[1::2]], listed[::2], strict=True)
    distinct = [next(same) for _, same in groupby(pairs, key=lambda pair: pair[1])]
    return "".join(sign + part for sign, part in distinct)


def _reads_alike(one: str, other: str, parse: Parse) -> bool:
    """Whether two formulas read the same ranges of each block that both of them read."""
    mine, yours = _read(one, parse), _read(other, parse)
    return all(mine[block] == yours[block] for block in mine.keys() & yours.keys())


def _read(formula: str, parse: Parse) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for token in TOKEN.findall(formula):
        if is_name(token):
            found.setdefault(_block(parse(token)), set()).add(token)
    return found
