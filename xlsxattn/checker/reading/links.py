"""External references in formulas: to other files, to other programs, to the network."""

from __future__ import annotations

import re
from functools import lru_cache

DATA_TABLE = "TABLE"
"""The pseudo function of a data table, which recalculates a sheet with other inputs."""
MAX_FORMULAS = 1 << 16
"""Number of formulas whose references are remembered, as several checks need them."""
_TEXT = re.compile(r'"[^"]*"')
_OTHER_FILE = re.compile(r"\[[^\[\]]*\][^!,;()+*/&=<>^]*!")
_OTHER_PROGRAM = re.compile(r"[\w.]\|(?:'[^']*'|[^'!|]+)!")
_FETCHES = re.compile(
    r"\b(?:WEBSERVICE|RTD|DDE|IMAGE|CALL|REGISTER|REGISTER\.ID|EXEC|STOCKHISTORY|SQL\.REQUEST|CUBE\w+|IMPORT\w+)"
    r"\s*\(",
    re.IGNORECASE,
)


@lru_cache(maxsize=MAX_FORMULAS)
def reaches(formula: str) -> str:
    """The first external reference of a formula: to another file, another program or the network; or ""."""
    bare = _TEXT.sub('""', formula)
    match = _OTHER_FILE.search(bare) or _OTHER_PROGRAM.search(bare) or _FETCHES.search(bare)
    return match[0].strip() if match else ""
