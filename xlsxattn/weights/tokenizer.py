"""Splits sentences into the tokens that a checkpoint was trained on, by its tokenizer.json."""

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
"""What older checkpoints have in its place."""
GLASS_UNKNOWN = 1
MEMORY, SECONDS = 4 * 1024**3, 120
"""What splitting may take: address space in bytes, and time."""
MAX_SENTENCE_BYTES = 100_000
MAX_NAMED, MAX_REASON = 5, 200
_CHILD = Path(__file__).with_name("tokenizer_child.py")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class SplitSentence:
    """A sentence as a tokenizer splits it.

    Attributes:
        text: the sentence.
        count: how many tokens it has.
        numbers: the tokens' numbers, those at its start and end that the model was trained on too; none where
            they are too many.
        spans: which characters of the text each stands for, from and to.
    """

    text: str
    count: int
    numbers: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def tokens_of(self, start: int, end: int) -> list[int]:
        """The numbers of the tokens that stand for some of these characters."""
        pairs = zip(self.numbers, self.spans, strict=True)
        return [n for n, (a, b) in pairs if max(a, start) < min(b, end)]


@dataclass(frozen=True, slots=True)
class Split:
    """All sentences, split.

    Attributes:
        path: the tokenizer's file, for errors.
        data: what stands in it.
        sentences: the sentences.
        tokens: the tokens' spelling, by number, no two of them alike.
        unknown: the number of the token for what the tokenizer does not know, where it has one.
        named: the numbers of tokens that were asked for by name.
    """

    path: Path
    data: Mapping[str, Any]
    sentences: tuple[SplitSentence, ...]
    tokens: Mapping[int, str]
    unknown: int | None
    named: Mapping[str, int | None]

    def notes(self) -> list[Phrase]:
        """What a person should know of words that became something else: unknown ones, and ones in pieces."""
        lost, unknown, pieces = [], [], []
        for sentence in self.sentences:
            for word in _WORD.finditer(sentence.text):
                numbers = sentence.tokens_of(*word.span())
                if not numbers:
                    lost.append(repr(word[0]))
                elif self.unknown in numbers:
                    unknown.append(repr(word[0]))
                elif len(numbers) > 1:
                    pieces.append(f"{word[0]} = {' + '.join(self.tokens[n] for n in numbers)}")
        notes = [
            (
                unknown,
                "The tokenizer does not know {words}: the model reads a token for unknown words there.",
            ),
            (lost, "The tokenizer leaves out {words}: it has no token for them."),
            (pieces, "The tokenizer splits {words}."),
        ]
        return [say(said, words=_first(dict.fromkeys(words))) for words, said in notes if words]


def _first(words: Iterable[str]) -> Phrase:
    """The first few of some words."""
    words = list(words)
    said, more = ", ".join(words[:MAX_NAMED]), len(words) - MAX_NAMED
    return say("{names} and {n} more", names=said, n=more) if more > 0 else say("{names}", names=said)


def split(
    checkpoint: Checkpoint, sentences: Sequence[str], most: int, *, whole: int = 0, named: Iterable[str] = ()
) -> Split:
    """Split sentences by the tokenizer beside a checkpoint: tokenizer.json, or of NAME.npz its own.

    Args:
        checkpoint: the checkpoint.
        sentences: at least one text.
        most: tokens that a sentence may have; of a longer one only the count is given.
        whole: spell all the tokens below this number, not only those of the sentences.
        named: tokens whose numbers are wanted.

    Raises:
        CheckpointError: there is no tokenizer, it is broken, takes too much, a sentence is empty, or the
            tokenizers library is not installed.
    """
    path = _file(checkpoint)
    data = read_json(path)
    if find_spec("tokenizers") is None:
        sentence = "{path}: needs the tokenizers library, get it with: pip install 'xlsxattn[models]'"
        raise CheckpointError(say(sentence, path=path))
    for text in sentences:
        _check_text(text)
    order = {
        "path": str(path.absolute()),
        "sentences": list(sentences),
        "most": most,
        "all": whole,
        "named": [*named, *([unknown] if (unknown := _unknown_token(data)) else [])],
        "memory": MEMORY,
        "seconds": SECONDS,
    }
    answer = _answer(path, order)
    found = tuple(_sentence(text, one) for text, one in zip(sentences, answer["sentences"], strict=True))
    tokens = {int(n): token for n, token in answer["tokens"].items()}
    by_bytes = _uses_bytes(data)
    spelled = distinct({n: from_bytes(t) if by_bytes else t for n, t in tokens.items()})
    return Split(path, data, found, spelled, _unknown(data, answer["named"]), answer["named"])


def _unknown_token(data: Mapping[str, Any]) -> str | None:
    """The token for what a tokenizer does not know, where its file names one."""
    model = data.get("model")
    found = model.get("unk_token") if isinstance(model, dict) else None
    return found if isinstance(found, str) else None


def _unknown(data: Mapping[str, Any], named: Mapping[str, int | None]) -> int | None:
    if "alphabet" in data:
        return GLASS_UNKNOWN
    token, model = _unknown_token(data), data.get("model")
    number = model.get("unk_id") if isinstance(model, dict) else None
    return named.get(token) if token else number if isinstance(number, int) else None


def _file(checkpoint: Checkpoint) -> Path:
    beside = checkpoint.folder / f"{checkpoint.path.stem}.{FILE}"
    path = beside if beside.is_file() else checkpoint.folder / FILE
    if path.is_file():
        return path
    other = next((name for name in OTHERS if (checkpoint.folder / name).is_file()), None)
    if other is None:
        sentence = "{path}: there is no such file, and a sentence cannot be split without it"
        raise CheckpointError(say(sentence, path=path))
    sentence = "{path}: there is no such file, only {other}; make it with: {call}"
    folder = repr(checkpoint.folder.name)
    call = f"transformers.AutoTokenizer.from_pretrained({folder}).save_pretrained({folder})"
    raise CheckpointError(say(sentence, path=path, other=other, call=call))


def _check_text(text: str) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        sentence = "the sentence {sentence} is no Unicode text: character {n} is half of one"
        raise CheckpointError(say(sentence, sentence=ascii(text[:60]), n=error.start + 1)) from None
    if size > MAX_SENTENCE_BYTES:
        sentence = "a sentence has {n:,} bytes, at most {most:,} are possible"
        raise CheckpointError(say(sentence, n=size, most=MAX_SENTENCE_BYTES))
    if not text.strip():
        raise _no_tokens(text)


def _no_tokens(text: str) -> CheckpointError:
    return CheckpointError(
        say("the sentence {sentence!r} has no tokens, at least one is needed", sentence=text)
    )


def _sentence(text: str, found: dict[str, Any]) -> SplitSentence:
    if not found["count"]:
        raise _no_tokens(text)
    spans = tuple((a, b) for a, b in found.get("spans", ()))
    return SplitSentence(text, found["count"], tuple(found.get("ids", ())), spans)


def _answer(path: Path, order: dict[str, Any]) -> dict[str, Any]:
    """What the tokenizer makes of the sentences, in a child process: one may expand without end."""
    command = [sys.executable, "-P", str(_CHILD)]
    try:
        ended = subprocess.run(  # noqa: S603 - a list, so no shell; its paths are absolute and ours
            command, input=json.dumps(order).encode(), capture_output=True, timeout=SECONDS, check=False
        )
        answer = json.loads(ended.stdout) if ended.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        answer = None
    if answer is None:
        sentence = (
            "{path}: takes more than {gb} GB or {seconds} seconds for the sentences: "
            "it may expand them without end"
        )
        raise CheckpointError(say(sentence, path=path, gb=MEMORY // 1024**3, seconds=SECONDS))
    if "failed" in answer:
        raise CheckpointError(
            say("{path}: is no tokenizer: {error}", path=path, error=answer["failed"][:MAX_REASON])
        )
    found: dict[str, Any] = answer
    return found


def _uses_bytes(data: Mapping[str, Any]) -> bool:
    """Whether a ByteLevel step stands among a tokenizer's decoders or pre-tokenizers."""
    return any(
        step.get("type") == "ByteLevel"
        for key in ("decoder", "pre_tokenizer")
        for step in steps(data.get(key))
    )


def steps(part: object) -> list[dict[str, Any]]:
    """The steps of one stage of a tokenizer: itself, or those that it is a sequence of."""
    found, waiting = [], [part]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, dict):
            found.append(one)
            for key in ("decoders", "pretokenizers", "normalizers"):
                waiting += one[key] if isinstance(one.get(key), list) else []
    return found
