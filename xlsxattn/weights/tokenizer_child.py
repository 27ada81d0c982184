"""Splits sentences by a tokenizer.json: a program of its own, because a tokenizer may expand without end.

Usage: ``python -P tokenizer_child.py``, with an order in JSON as standard input and the answer as standard
output. The order names the file, the sentences and the limits; the answer holds each sentence's tokens or
what went wrong. Nothing of xlsxattn is imported, so that a start costs little.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

GLASS_SPECIALS = ("<pad>", "<unk>", "<bos>", "<eos>")
SPACE = "▁"
GLASS_CHUNK = rf"\n|{SPACE}*[^{SPACE}\n]+|{SPACE}+"


def limit(memory: int, seconds: int) -> None:
    """Bound what this process may take, as far as the system lets it: address space, processor time."""
    if resource is None:
        return
    wanted = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0}
    for kind, amount in wanted.items():
        _, most = resource.getrlimit(kind)
        with suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(kind, (amount if most == resource.RLIM_INFINITY else min(amount, most), most))


def opened(path: str) -> Any:
    """The tokenizer of a file, without the truncation, padding and chance of the training."""
    with open(path, "rb") as file:  # noqa: PTH123 - a start costs little
        data = json.load(file)
    if "alphabet" in data and "merges" in data:
        return glass(data)
    inner = tokenizers.Tokenizer.from_file(path)
    inner.no_padding()
    inner.no_truncation()
    if getattr(inner.model, "dropout", None):
        inner.model.dropout = None
    return inner


def glass(data: dict[str, Any]) -> Any:
    """GlassLM's tokenizer: merges of characters, blanks kept as ▁, within words and lines."""
    merges = [(str(a), str(b)) for a, b in data["merges"]]
    words = [*GLASS_SPECIALS, *map(str, data["alphabet"]), *(a + b for a, b in merges)]
    model = tokenizers.models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token=GLASS_SPECIALS[1])
    inner = tokenizers.Tokenizer(model)
    inner.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFC(), tokenizers.normalizers.Replace(" ", SPACE)]
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(GLASS_CHUNK), "isolated")
    return inner


def split(order: dict[str, Any]) -> dict[str, Any]:
    """Each sentence's tokens by number, with the characters that each stands for; and how tokens are spelled.

    Of a sentence with more tokens than the order allows, only their count is given.
    """
    inner = opened(order["path"])
    sentences, numbers = [], set(range(order["all"]))
    for sentence in order["sentences"]:
        found = inner.encode(sentence)
        if len(found) > order["most"]:
            sentences.append({"count": len(found)})
            continue
        sentences.append({"count": len(found), "ids": found.ids, "spans": found.offsets})
        numbers |= set(found.ids)
    tokens = {str(n): inner.id_to_token(n) or "" for n in numbers}
    named = {word: inner.token_to_id(word) for word in order["named"]}
    return {"sentences": sentences, "tokens": tokens, "named": named}


def main() -> None:
    """Read the order, write the answer."""
    order = json.load(sys.stdin)
    limit(order["memory"], order["seconds"])
    try:
        answer = split(order)
    except Exception as error:  # noqa: BLE001 - the library raises plain Exceptions
        answer = {"failed": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
