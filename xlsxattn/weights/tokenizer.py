"""Splits sentences into the tokens that a checkpoint was trained on, by its tokenizer.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.language import say
from xlsxattn.weights.tensor import CheckpointError, read_json
from xlsxattn.weights.token_text import SPACE, distinct, from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from xlsxattn.weights.checkpoint import Checkpoint

FILE = "tokenizer.json"
GLASS_SPECIALS = ("<pad>", "<unk>", "<bos>", "<eos>")
GLASS_CHUNK = rf"\n|{SPACE}*[^{SPACE}\n]+|{SPACE}+"


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A tokenizer, and the file it was read from.

    Attributes:
        path: the file, for errors.
        inner: the tokenizers library's own.
        by_bytes: its tokens are spelled byte by byte, as GPT-2's are.
        unknown: the number of the token for what it does not know, where it has one.
    """

    path: Path
    inner: Any
    by_bytes: bool
    unknown: int | None

    def encode(self, sentence: str) -> tuple[int, ...]:
        """The numbers of a sentence's tokens, those at its start and end that the model was trained on too.

        Raises:
            CheckpointError: there is nothing in the sentence.
        """
        numbers = tuple(self.inner.encode(sentence).ids) if sentence.strip() else ()
        if not numbers:
            said = "the sentence {sentence!r} has no tokens, at least one is needed"
            raise CheckpointError(say(said, sentence=sentence))
        return numbers

    def spell(self, numbers: Iterable[int]) -> dict[int, str]:
        """How tokens are spelled in a workbook, by number; no two of them look alike."""
        tokens = {number: self.inner.id_to_token(number) or "" for number in set(numbers)}
        return distinct({n: from_bytes(t) if self.by_bytes else t for n, t in tokens.items()})

    def unknown_in(self, sentence: str, numbers: Sequence[int]) -> str | None:
        """A sentence on what the tokenizer does not know, or nothing."""
        count = numbers.count(self.unknown) if self.unknown is not None else 0
        said = "The tokenizer does not know {n} of the tokens of {sentence!r}."
        return say(said, n=count, sentence=sentence) if count else None


def open_tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    """The tokenizer that stands beside a checkpoint: tokenizer.json, or NAME.tokenizer.json beside NAME.npz.

    Raises:
        CheckpointError: there is none, it is broken, or the tokenizers library is not installed.
    """
    named = checkpoint.folder / f"{checkpoint.path.stem}.{FILE}"
    path = named if named.is_file() else checkpoint.folder / FILE
    if not path.is_file():
        sentence = "{path}: there is no such file, and a sentence cannot be split without it"
        raise CheckpointError(say(sentence, path=path))
    data = read_json(path)
    try:
        import tokenizers  # noqa: PLC0415 - an extra: only importing models needs it
    except ImportError:
        sentence = "{path}: needs the tokenizers library, get it with: pip install 'xlsxattn[models]'"
        raise CheckpointError(say(sentence, path=path)) from None
    if "alphabet" in data and "merges" in data:
        return Tokenizer(path, _glass(path, data, tokenizers), by_bytes=False, unknown=1)
    try:
        inner = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001 - the library raises plain Exceptions
        raise CheckpointError(say("{path}: is no tokenizer: {error}", path=path, error=error)) from None
    inner.no_padding()
    inner.no_truncation()
    model = data.get("model") or {}
    unknown = inner.token_to_id(model["unk_token"]) if isinstance(model.get("unk_token"), str) else None
    return Tokenizer(path, inner, by_bytes=_uses_bytes(data), unknown=unknown)


def _uses_bytes(data: dict[str, Any]) -> bool:
    """Whether a ByteLevel step stands among a tokenizer's decoders or pre-tokenizers."""

    def steps(part: object) -> Iterable[object]:
        if isinstance(part, dict):
            yield part.get("type")
            for key in ("decoders", "pretokenizers"):
                for one in part.get(key) or ():
                    yield from steps(one)

    return any("ByteLevel" in steps(data.get(key)) for key in ("decoder", "pre_tokenizer"))


def _glass(path: Path, data: dict[str, Any], tokenizers: Any) -> Any:  # noqa: ANN401 - the library has no types
    """GlassLM's tokenizer: merges of characters, blanks kept as ▁, within words and lines."""
    try:
        merges = [(str(a), str(b)) for a, b in data["merges"]]
        words = [*GLASS_SPECIALS, *map(str, data["alphabet"]), *(a + b for a, b in merges)]
        model = tokenizers.models.BPE(
            {w: i for i, w in enumerate(words)}, merges, unk_token=GLASS_SPECIALS[1]
        )
    except Exception as error:  # noqa: BLE001 - as above
        raise CheckpointError(say("{path}: is no tokenizer: {error}", path=path, error=error)) from None
    inner = tokenizers.Tokenizer(model)
    inner.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFC(), tokenizers.normalizers.Replace(" ", SPACE)]
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(GLASS_CHUNK), "isolated")
    return inner
