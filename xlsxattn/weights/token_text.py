"""Converts a token to text that is readable in a cell and unchanged when saved in a workbook.

Spaces become ▁; bytes that are not UTF-8, and invisible characters, become their codes in brackets.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from xlsxattn.contract.values import MAX_TEXT_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACE = "▁"
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}


def byte_letters() -> dict[str, int]:
    """The characters that GPT-2's tokenizer uses for bytes, and the bytes (Radford et al. 2019, 2.2).

    Printable bytes map to themselves, the others to characters from U+0100 on.
    """
    printing = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printing]
    return {chr(b): b for b in printing} | {chr(0x100 + i): b for i, b in enumerate(others)}


_LETTERS = byte_letters()


def from_bytes(token: str) -> str:
    """Decode a byte-level token; invalid UTF-8 as ``<0xE2>``, other tokens unchanged."""
    if not all(letter in _LETTERS for letter in token):
        return token
    raw = bytes(_LETTERS[letter] for letter in token)
    return "".join(
        f"<0x{ord(c) - 0xDC00:02X}>" if "\udc80" <= c <= "\udcff" else c
        for c in raw.decode("utf-8", "surrogateescape")
    )


def spell(token: str) -> str:
    """A token as text for a cell: NFC, all characters visible, at most 255 of them."""
    text = unicodedata.normalize("NFC", token.replace(" ", SPACE))
    text = "".join(f"<U+{ord(c):04X}>" if unicodedata.category(c) in _INVISIBLE else c for c in text)
    text = _ESCAPE.sub("<U+005F>", text)
    while len(text.encode("utf-16-le")) > 2 * MAX_TEXT_LENGTH - 40:  # leave room for the id
        text = text[:-2] + "…"
    return text


def distinct(tokens: Mapping[int, str]) -> dict[int, str]:
    """The text of each token by id. If two are equal in Unicode NFKC, the id is appended to the later one.

    The id is also appended to truncated and empty tokens.
    """
    texts: dict[int, str] = {}
    used: set[str] = set()
    for token_id, token in sorted(tokens.items()):
        text = spell(token)
        cut = text.endswith("…") and not token.endswith("…")
        while not text or cut or _folded(text) in used:
            text, cut = f"{text}⟨{token_id}⟩", False
        used.add(_folded(text))
        texts[token_id] = text
    return texts


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
