"""A pseudo language that marks every translated text, to find untranslated words."""

from __future__ import annotations

import re
from string import Formatter
from unittest.mock import patch

from commands import Ended, run

from xlsxattn import templates
from xlsxattn.cli import language as cli_language
from xlsxattn.cli.commands import cli
from xlsxattn.contract.keys import keys
from xlsxattn.contract.kinds import KINDS
from xlsxattn.contract.spec_tables import SpecKeys
from xlsxattn.language import Language

NAMES = {
    *("xlsxattn", "NumPy", "IronCalc", "LibreOffice", "Gnumeric", "ssconvert", "version"),
    *(
        "OPTIONS",
        "COMMAND",
        "ARGS",
        "FILE",
        "FILES",
        "SOURCE",
        "TEMPLATE",
        "CHECKPOINT",
        "RANGE",
        "PATH",
        "TEXT",
    ),
    *(
        "INTEGER",
        "ironcalc",
        "libreoffice",
        "gnumeric",
        "Microsoft",
        "Excel",
        "Compatible",
        "Openpyxl",
        "inf",
    ),
    *cli.commands,
    *templates.names(),
    *keys(SpecKeys),
    *(key for kind in KINDS.values() for key in ("kind", *keys(kind))),
    *("-".join(KINDS)).split("-"),
    *("tokens", "dimensions", "from", "weights"),
    *(
        choice
        for command in cli.commands.values()
        for p in command.params
        for choice in getattr(p.type, "choices", ())
    ),
}
"""Names: of programs, commands, choices, templates, keys of a spec."""
KEPT = re.compile(
    r"""/[\w./+-]+            # paths
    | [\w*./-]*\.(?:xlsx|toml|json|npz|html|png|pdf|bin|npy|safetensors|txt)\b  # files
    | hf\ download            # a command of another program
    | -{1,2}[a-z]\w*          # options
    | ^::\w+\ file=|,title=   # GitHub annotations
    | \w+_[\w*]+              # ranges, weights, keys
    | \{?=[^\n]*              # formulas
    | '[^'\n]*' | "[^"\n]*"   # user input
    | \[[a-z|-]+\]            # choices
    | [A-Z]+[0-9]+            # cells
    """,
    re.VERBOSE | re.MULTILINE,
)


class Marks(dict):
    """A catalogue that marks every text, but not its values."""

    def __bool__(self):
        return True

    def get(self, text, _=None):
        parts = []
        for words, name, spec, conversion in Formatter().parse(text):
            parts.append(f"⟦{words}⟧" if words else "")
            if name is not None:
                how = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
                parts.append("{" + name + how + "}")
        return "".join(parts)


MARKED = Language("xx", Marks())


def unmarked(text: str, *typed: str) -> list[str]:
    """The untranslated words, except user input.

    Where a line is cut short, its mark is left open.
    """
    rest = KEPT.sub(" ", re.sub(r"⟦[^⟦⟧]*⟧|⟦[^⟦⟧\n]*\.\.\.\n", " ", text))
    own = {*NAMES, *re.findall("[A-Za-z]+", " ".join(typed))}
    return [
        word
        for word in re.findall("[A-Za-z]{3,}", rest)
        if word not in own and not own & set(word.split("-"))
    ]


def marked(*words: object) -> Ended:
    """Run a command in the pseudo language."""
    with patch.object(cli_language, "choose", lambda *_: MARKED):
        return run(*words)
