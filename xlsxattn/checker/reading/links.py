"""Links in formulas: to other files, to other programs, to the network."""

from __future__ import annotations

import re

DATA_TABLE = "TABLE"
"""What stands for a data table, which no formula can be: it computes a sheet anew with other inputs."""
_TEXT = re.compile(r'"[^"]*"')
_OTHER_FILE = re.compile(r"\[[^\[\]]*\][^!,;()+*/&=<>^]*!")
_OTHER_PROGRAM = re.compile(r"[\w.]\|(?:'[^']*'|[^'!|]+)!")
_FETCHES = re.compile(
    r"\b(?:WEBSERVICE|RTD|DDE|IMAGE|CALL|REGISTER|REGISTER\.ID|EXEC|STOCKHISTORY|SQL\.REQUEST|CUBE\w+|IMPORT\w+)"
    r"\s*\(",
    re.IGNORECASE,
)


def reaches(formula: str) -> str:
    """What in a formula reaches outside the workbook: another file, another program, the network; or ""."""
    bare = _TEXT.sub('""', formula)
    found = _OTHER_FILE.search(bare) or _OTHER_PROGRAM.search(bare) or _FETCHES.search(bare)
    return found[0].strip() if found else ""
