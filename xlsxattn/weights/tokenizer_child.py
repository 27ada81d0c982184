"""Tokenizes sentences in a process of its own, because a hostile tokenizer may expand without bound.

Usage: ``python -P tokenizer_child.py`` reads a request as JSON from standard input and writes the answer as
JSON to standard output. The request has the file, the sentences and the limits; the answer has the tokens of
each sentence, or an error. Nothing of xlsxattn is imported, to start quickly.
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
except ImportError:  # Windows has no resource limits
    resource = None  # type: ignore[assignment]

GLASS_SPECIALS = ("<pad>", "<unk>", "<bos>", "<eos>")
SPACE = "▁"
GLASS_CHUNK = rf"\n|{SPACE}*[^{SPACE}\n]+|{SPACE}+"


def limit(memory: int, seconds: int) -> None:
    """Limit the address space and processor time of this process, if the system supports it."""
    if resource is None:
        return
    limits = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0}
    for kind, amount in limits.items():
        _, most = resource.getrlimit(kind)
        with suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(kind, (amount if most == resource.RLIM_INFINITY else min(amount, most), most))


def load(path: str) -> Any:
    """Load a tokenizer, without the truncation, padding and dropout used in training."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
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
    """GlassLM's tokenizer: BPE on characters, within words and lines; spaces become ▁."""
    merges = [(str(a), str(b)) for a, b in data["merges"]]
    words = [*GLASS_SPECIALS, *map(str, data["alphabet"]), *(a + b for a, b in merges)]
    model = tokenizers.models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token=GLASS_SPECIALS[1])
    inner = tokenizers.Tokenizer(model)
    inner.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFC(), tokenizers.normalizers.Replace(" ", SPACE)]
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(GLASS_CHUNK), "isolated")
    return inner


def split(request: dict[str, Any]) -> dict[str, Any]:
    """The token ids and character spans of each sentence, and the text of each token.

    A sentence with more tokens than allowed has only their count.
    """
    inner = load(request["path"])
    sentences, token_ids = [], set(range(request["all"]))
    for sentence in request["sentences"]:
        encoding = inner.encode(sentence)
        if len(encoding) > request["most"]:
            sentences.append({"count": len(encoding)})
            continue
        sentences.append({"count": len(encoding), "ids": encoding.ids, "spans": encoding.offsets})
        token_ids |= set(encoding.ids)
    tokens = {str(n): inner.id_to_token(n) or "" for n in token_ids}
    named = {word: inner.token_to_id(word) for word in request["named"]}
    return {"sentences": sentences, "tokens": tokens, "named": named}


def main() -> None:
    """Read the request, write the answer."""
    request = json.load(sys.stdin)
    limit(request["memory"], request["seconds"])
    try:
        answer = split(request)
    except BaseException as error:  # noqa: BLE001 - the library raises plain Exception, and Rust's panics
        answer = {"failed": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
