"""Tokenizes sentences with a checkpoint's own tokenizer.json."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlsxattn.language import say
from xlsxattn.weights.tensor import CheckpointError, read_json
from xlsxattn.weights.token_text import distinct, from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xlsxattn.language import Phrase
    from xlsxattn.weights.checkpoint import Checkpoint

FILE = "tokenizer.json"
OTHERS = ("vocab.txt", "vocab.json", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model")
"""Tokenizer files of older checkpoints, used to explain a missing tokenizer.json."""
GLASS_UNKNOWN = 1
MEMORY, SECONDS = 4 * 1024**3, 120
"""Limits of the tokenizer process: address space in bytes, and time."""
MAX_SENTENCE_BYTES = 100_000
MAX_NAMED, MAX_REASON = 5, 200
_CHILD = Path(__file__).with_name("tokenizer_child.py")
_WORD = re.compile(r"(\w+)|[^\w\s]+")
"""A word, or symbols between words."""


@dataclass(frozen=True, slots=True)
class SplitSentence:
    """A tokenized sentence.

    Attributes:
        text: the sentence.
        count: number of tokens.
        token_ids: the ids of the tokens, including special tokens; empty if there are too many.
        spans: the start and end of each token in the text, in characters.
    """

    text: str
    count: int
    token_ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def tokens_of(self, start: int, end: int) -> list[int]:
        """The ids of the tokens that overlap a span of characters."""
        pairs = zip(self.token_ids, self.spans, strict=True)
        return [n for n, (a, b) in pairs if max(a, start) < min(b, end)]

    def spans_of(self, token_id: int | None) -> list[tuple[int, int]]:
        """The spans of all tokens with an id."""
        return [span for n, span in zip(self.token_ids, self.spans, strict=True) if n == token_id]


@dataclass(frozen=True, slots=True)
class Split:
    """All sentences, tokenized.

    Attributes:
        path: the tokenizer's file, for errors.
        data: its content.
        sentences: the tokenized sentences.
        tokens: the text of each token by id; no two look alike.
        unknown: the id of the unknown token, if there is one.
        named: the ids of the tokens requested by name.
    """

    path: Path
    data: Mapping[str, Any]
    sentences: tuple[SplitSentence, ...]
    tokens: Mapping[int, str]
    unknown: int | None
    named: Mapping[str, int | None]

    def notes(self) -> list[Phrase]:
        """Remarks on words and symbols that are unknown or dropped, and on split words."""
        lost, unknown, pieces = [], [], []
        for sentence in self.sentences:
            spaces = (sentence.text[a:b] for a, b in sentence.spans_of(self.unknown))
            unknown += [repr(text) for text in spaces if text.isspace()]
            for word in _WORD.finditer(sentence.text):
                token_ids = sentence.tokens_of(*word.span())
                if not token_ids:
                    lost.append(repr(word[0]))
                elif self.unknown in token_ids:
                    unknown.append(repr(word[0]))
                elif word[1] and len(token_ids) > 1:
                    pieces.append(f"{word[0]} = {' + '.join(self.tokens[n] for n in token_ids)}")
        notes = [
            (unknown, "The tokenizer does not know {words}: the model reads the unknown token instead."),
            (lost, "The tokenizer drops {words}: it has no token for them."),
            (pieces, "The tokenizer splits {words}."),
        ]
        return [say(text, words=_first(dict.fromkeys(words))) for words, text in notes if words]


def _first(words: Iterable[str]) -> Phrase:
    """The first few words, and the number of the others."""
    words = list(words)
    names, more = ", ".join(words[:MAX_NAMED]), len(words) - MAX_NAMED
    return say("{names} and {n} more", names=names, n=more) if more > 0 else say("{names}", names=names)


def split(
    checkpoint: Checkpoint, sentences: Sequence[str], most: int, *, whole: int = 0, named: Iterable[str] = ()
) -> Split:
    """Tokenize sentences with the tokenizer.json next to a checkpoint, or NAME.tokenizer.json of NAME.npz.

    Args:
        checkpoint: the checkpoint.
        sentences: at least one text.
        most: maximum number of tokens; of a longer sentence, only the count is returned.
        whole: return the text of all tokens below this id, not only of those in the sentences.
        named: tokens whose ids are returned as well.

    Raises:
        CheckpointError: there is no tokenizer, it is invalid or exceeds its limits, a sentence is empty, or
            the tokenizers library is not installed.
    """
    path = _file(checkpoint)
    data = read_json(path)
    if find_spec("tokenizers") is None:
        sentence = "{path}: needs the tokenizers library; install it with: pip install 'xlsxattn[models]'"
        raise CheckpointError(say(sentence, path=path))
    for text in sentences:
        _check_text(text)
    request = {
        "path": str(path.absolute()),
        "sentences": list(sentences),
        "most": most,
        "all": whole,
        "named": [*named, *([unknown] if (unknown := _unknown_token(data)) else [])],
        "memory": MEMORY,
        "seconds": SECONDS,
    }
    answer = _answer(path, request)
    split_sentences = tuple(
        _sentence(text, one) for text, one in zip(sentences, answer["sentences"], strict=True)
    )
    tokens = {int(n): token for n, token in answer["tokens"].items()}
    by_bytes = _uses_bytes(data)
    spelled = distinct({n: from_bytes(t) if by_bytes else t for n, t in tokens.items()})
    return Split(path, data, split_sentences, spelled, _unknown(data, answer["named"]), answer["named"])


def _unknown_token(data: Mapping[str, Any]) -> str | None:
    """The unknown token, if the tokenizer's file names one."""
    model = data.get("model")
    token = model.get("unk_token") if isinstance(model, dict) else None
    return token if isinstance(token, str) else None


def _unknown(data: Mapping[str, Any], named: Mapping[str, int | None]) -> int | None:
    if "alphabet" in data:
        return GLASS_UNKNOWN
    if token := _unknown_token(data):
        return named.get(token)
    model = data.get("model")
    token_id = model.get("unk_id") if isinstance(model, dict) else None
    return token_id if isinstance(token_id, int) else None


def _file(checkpoint: Checkpoint) -> Path:
    beside = checkpoint.folder / f"{checkpoint.path.stem}.{FILE}"
    path = beside if beside.is_file() else checkpoint.folder / FILE
    if path.is_file():
        return path
    other = next((name for name in OTHERS if (checkpoint.folder / name).is_file()), None)
    if other is None:
        sentence = "{path}: there is no such file, which is needed to tokenize the sentences"
        raise CheckpointError(say(sentence, path=path))
    sentence = "{path}: there is no such file, only {other}; create it with: {call}"
    folder = repr(checkpoint.folder.name)
    call = f"transformers.AutoTokenizer.from_pretrained({folder}).save_pretrained({folder})"
    raise CheckpointError(say(sentence, path=path, other=other, call=call))


def _check_text(text: str) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        sentence = "the sentence {sentence} is not valid Unicode: character {n} is an unpaired surrogate"
        raise CheckpointError(say(sentence, sentence=ascii(text[:60]), n=error.start + 1)) from None
    if size > MAX_SENTENCE_BYTES:
        sentence = "a sentence has {n:,} bytes; at most {most:,} are allowed"
        raise CheckpointError(say(sentence, n=size, most=MAX_SENTENCE_BYTES))
    if not text.strip():
        raise _no_tokens(text)


def _no_tokens(text: str) -> CheckpointError:
    return CheckpointError(
        say("the sentence {sentence!r} has no tokens, expected at least one", sentence=text)
    )


def _sentence(text: str, answer: dict[str, Any]) -> SplitSentence:
    if not answer["count"]:
        raise _no_tokens(text)
    spans = tuple((a, b) for a, b in answer.get("spans", ()))
    return SplitSentence(text, answer["count"], tuple(answer.get("ids", ())), spans)


def _answer(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Run the tokenizer in a child process with limits: a hostile one may expand its input without bound."""
    command = [sys.executable, "-P", str(_CHILD)]
    try:
        process = subprocess.run(  # noqa: S603 - no shell; fixed absolute paths
            command, input=json.dumps(request).encode(), capture_output=True, timeout=SECONDS, check=False
        )
        answer = json.loads(process.stdout) if process.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        answer = None
    if answer is None:
        sentence = (
            "{path}: needs more than {gb} GB or {seconds} seconds for the sentences: "
            "it may expand its input without bound"
        )
        raise CheckpointError(say(sentence, path=path, gb=MEMORY // 1024**3, seconds=SECONDS))
    if "failed" in answer:
        raise CheckpointError(
            say("{path}: is not a valid tokenizer: {error}", path=path, error=answer["failed"][:MAX_REASON])
        )
    result: dict[str, Any] = answer
    return result


def _uses_bytes(data: Mapping[str, Any]) -> bool:
    """True if a tokenizer's decoder or pre-tokenizer has a ByteLevel step."""
    return any(
        step.get("type") == "ByteLevel"
        for key in ("decoder", "pre_tokenizer")
        for step in steps(data.get(key))
    )


def steps(part: object) -> list[dict[str, Any]]:
    """The steps of one stage of a tokenizer, nested sequences flattened."""
    flat, queue = [], [part]
    while queue:
        step = queue.pop(0)
        if isinstance(step, dict):
            flat.append(step)
            for key in ("decoders", "pretokenizers", "normalizers"):
                queue += step[key] if isinstance(step.get(key), list) else []
    return flat
