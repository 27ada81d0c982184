"""Spells a token so that a person can read it in a cell, and a workbook can keep it.

Blanks become ▁; bytes that are no text, and characters that nobody would see, their numbers in brackets.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACE = "▁"
MAX_LENGTH = 255
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}


def byte_letters() -> dict[str, int]:
    """The letter by which GPT-2's tokenizer writes each byte, and the byte (Radford et al. 2019, 2.2).

    Bytes that print stand for themselves, the others for the letters from U+0100 on.
    """
    printing = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printing]
    return {chr(b): b for b in printing} | {chr(0x100 + i): b for i, b in enumerate(others)}


_LETTERS = byte_letters()


def from_bytes(token: str) -> str:
    """The text of a byte-level token; bytes that are no UTF-8 as ``<0xE2>``, other tokens as they are."""
    if not all(letter in _LETTERS for letter in token):
        return token
    raw = bytes(_LETTERS[letter] for letter in token)
    return "".join(
        f"<0x{ord(c) - 0xDC00:02X}>" if "\udc80" <= c <= "\udcff" else c
        for c in raw.decode("utf-8", "surrogateescape")
    )


def spell(token: str) -> str:
    """A token's text as a cell can hold it: NFC, seen, at most 255 characters."""
    text = unicodedata.normalize("NFC", token.replace(" ", SPACE))
    text = "".join(f"<U+{ord(c):04X}>" if unicodedata.category(c) in _UNSEEN else c for c in text)
    text = _ESCAPE.sub("<U+005F>", text)
    while len(text.encode("utf-16-le")) > 2 * MAX_LENGTH - 40:  # room for its number
        text = text[:-2] + "…"
    return text


def distinct(tokens: Mapping[int, str]) -> dict[int, str]:
    """The spelled tokens by id, no two of them alike in Unicode NFKC: the later of two twins gets its number.

    Tokens that a cell cannot hold whole, and the empty one, get theirs too.
    """
    spelled: dict[int, str] = {}
    taken: set[str] = set()
    for number, token in sorted(tokens.items()):
        text = spell(token)
        cut = text.endswith("…") and not token.endswith("…")
        while not text or cut or _twin(text) in taken:
            text, cut = f"{text}⟨{number}⟩", False
        taken.add(_twin(text))
        spelled[number] = text
    return spelled


def _twin(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
