"""Words, labels and marks: what every sheet of the reference needs before it computes anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from xlsxattn.checker.findings import Finding, Kind, shape_text
from xlsxattn.checker.reference.attention import Expected, Sized, given, numbers
from xlsxattn.contract.kinds import KINDS, Sheet, setting
from xlsxattn.contract.names import cols_of, of_context, part_of, rows_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges

    Inputs: TypeAlias = Mapping[str, Array]

SUMS_TO_ONE = 1e-9  # how far from 1 a row of Attention may sum


class ShapesDisagree(ValueError):
    """The inputs do not fit each other; the finding names the range and both shapes."""

    def __init__(self, name: str, **values: object) -> None:
        self.finding = Finding(Kind.RESIZED, name, values=values)
        super().__init__(self.finding.message)


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """One row of the manifest: a sheet's id, its kind and its settings as the contract lists them.

    A setting is an attribute as well; one that its kind may leave out is then as the kind has it.
    """

    id: str
    kind: str
    settings: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a setting of any type
        if name.startswith("__"):
            raise AttributeError(name)
        return setting(KINDS.get(self.kind, Sheet), self.settings, name)

    @property
    def writes_into(self) -> tuple[str, ...]:
        """The contexts whose blank cells it writes; none where a damaged manifest does not say so."""
        if not self.settings.get("generate"):
            return ()
        target = self.settings.get("target")
        return (target,) if target else tuple(self.settings.get("contexts", ()))

    @property
    def uses_blanks(self) -> bool:
        """Whether a blank cell of a sentence is meant: as padding, or to be written into."""
        return "padding" in self.settings.get("mask", "") or bool(self.settings.get("generate"))

    def is_a(self, *kinds: type[Sheet]) -> bool:
        """Whether it is of one of some kinds."""
        return issubclass(KINDS.get(self.kind, Sheet), kinds)


class ContextWords(NamedTuple):
    """One sentence: Tokens (n, 1), Ids (n, 1), the focus word's position or 0, and X (n, d_model)."""

    id: str
    tokens: Array
    ids: Array
    focus: int
    X: Sized

    @property
    def exists(self) -> Array:
        """Which cells hold a word: (n,), the padding mask."""
        return np.array([word != "" for word in self.tokens[:, 0]])


def count(n: int) -> Sized:
    """1, 2, ..., n as (n, 1)."""
    return given(np.arange(1.0, n + 1)[:, None])


def constant(values: Array | list[list[float]]) -> Expected:
    """A range of numbers that nothing was summed for."""
    return numbers(given(values))


def mark(*, good: bool, noted: bool = False, amplification: float = 1.0) -> Expected:
    """✓ or ✗, and – where all is good and something is noted, (1, 1)."""
    sign = "✗" if not good else "–" if noted else "✓"
    return Expected(np.array([[sign]], dtype=object), "mark", amplification=amplification)


def text(value: str) -> Expected:
    """One cell of text."""
    return Expected(np.array([[value]], dtype=object), "text")


def labels(block: str, rows: Array | None = None, cols: Array | None = None) -> Ranges:
    """Words or dims beside a block, (rows, 1), and above it, (1, columns), where it has them."""
    beside = {} if rows is None else {rows_of(block): Expected(rows.reshape(-1, 1), "text")}
    return beside | ({} if cols is None else {cols_of(block): Expected(cols.reshape(1, -1), "text")})


def unknown(sheet: str, key: str, value: object) -> ValueError:
    """A setting that nothing here was written for."""
    sentence = "the reference does not support {key} {value} of the sheet {sheet}"
    return ValueError(say(sentence, key=key, value=value, sheet=sheet))


def shaped(inputs: Inputs, name: str, rows: int | None, cols: int | None, why: str = "") -> Array:
    """An input with the rows and columns (None: any) that the input `why` asks for, or ShapesDisagree."""
    have = inputs[name].shape
    want = (have[0] if rows is None else rows, have[1] if cols is None else cols)
    if have != want:
        because = {"other": why, "other_shape": shape_text(*inputs[why].shape)} if why else {}
        raise ShapesDisagree(name, shape=shape_text(*have), needed=shape_text(*want), **because)
    return inputs[name]


def numbered(words: Sequence[str], inputs: Inputs) -> list[int]:
    """Positions (from 1) of words in the vocabulary: exact, the first where one stands twice, else 0."""
    known = list(shaped(inputs, "vocab_Tokens", len(inputs["vocab_E"]), 1, "vocab_E")[:, 0])
    return [known.index(word) + 1 if word and word in known else 0 for word in words]


def embedded(ids: Sequence[int], inputs: Inputs) -> Array:
    """The embeddings of words by number, (n, d_model); zeros for 0."""
    E = inputs["vocab_E"]  # (n_vocab, d_model)
    return np.array([E[i - 1] if i else np.zeros(E.shape[1]) for i in ids]).reshape(len(ids), E.shape[1])


def look_up(name: str, inputs: Inputs) -> ContextWords:
    """A sentence's Ids and X: exact words, the first where one stands twice, 0 and zeros for the unknown."""
    tokens = shaped(inputs, part_of(name, "Tokens"), None, 1)  # (n, 1)
    words, focus = list(tokens[:, 0]), shaped(inputs, "vocab_Focus", 1, 1)[0, 0]
    ids = numbered(words, inputs)
    position = words.index(focus) + 1 if focus and focus in words else 0
    X = given(embedded(ids, inputs))  # (n, d_model)
    return ContextWords(name, tokens, np.array(ids, dtype=float)[:, None], position, X)


def joined(words: Array) -> Expected:
    """The words joined by single blanks, (1, 1)."""
    return text(" ".join(filter(None, " ".join(words[:, 0]).split(" "))))


def sentence(c: ContextWords) -> Expected:
    """A context's typed words joined by single blanks, (1, 1)."""
    return joined(c.tokens)


def uses_blanks(sheets: Sequence[SheetInfo]) -> bool:
    """Whether blank token cells mean something: a sheet has a padding mask, or generates."""
    return any(sheet.uses_blanks for sheet in sheets)


def vocabulary(
    contexts: Sequence[ContextWords], known_words: Sequence[str], *, blanks: bool = False
) -> Ranges:
    """The computed ranges of the words and of each sentence; with blanks, a blank cell is no unknown word."""
    often = Counter(known_words)
    times = [float(often[word]) if word else 0.0 for word in known_words]
    found = {"vocab_Index": numbers(count(len(known_words)), blank_ok=True)}
    found |= {"vocab_Times": numbers(given([[n] for n in times]), blank_ok=True)}
    for c in contexts:
        found |= {
            of_context(c.id)["Index"]: numbers(count(len(c.ids))),
            of_context(c.id)["Ids"]: numbers(given(c.ids)),
        }
        found |= {
            of_context(c.id)["Sentence"]: sentence(c),
            of_context(c.id)["Focus"]: numbers(given([[c.focus]])),
        }
    known = [
        bool(i) or (blanks and not there) for c in contexts for i, there in zip(c.ids, c.exists, strict=True)
    ]
    there = any(c.focus for c in contexts)
    good = all(known) and max(times) <= 1
    return found | {"vocab_Status": mark(good=good, noted=not there)}
