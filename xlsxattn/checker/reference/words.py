"""Words, labels, marks and input checks, shared by all sheets of the reference."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding, shape_text
from xlsxattn.checker.reference.attention import Expected, Sized, given, numbers
from xlsxattn.contract.kinds import KINDS, Sheet
from xlsxattn.contract.kinds.settings import setting
from xlsxattn.contract.names import cols_of, of_context, part_of, rows_of
from xlsxattn.contract.values import BAD, GOOD, NONE
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges

    Inputs: TypeAlias = Mapping[str, Array]

SUMS_TO_ONE = 1e-9  # allowed deviation of a row sum of Attention from 1


class ShapesDisagree(ValueError):
    """The shapes of inputs do not match; the finding names the range and both shapes."""

    def __init__(self, name: str, **values: object) -> None:
        self.finding = Finding(Kind.RESIZED, name, values=values)
        super().__init__(self.finding.message)


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """A sheet in the manifest: its id, kind and settings.

    Settings are also attributes; omitted ones have the default of the kind.
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
        """The contexts whose blank cells it fills; () if a damaged manifest lacks them."""
        if not self.settings.get("generate"):
            return ()
        target = self.settings.get("target")
        return (target,) if target else tuple(self.settings.get("contexts", ()))

    @property
    def uses_blanks(self) -> bool:
        """Whether blank cells of a sentence have a meaning: as padding, or to be filled by the model."""
        return "padding" in self.settings.get("mask", "") or bool(self.settings.get("generate"))

    def is_a(self, *kinds: type[Sheet]) -> bool:
        """Whether it is of one of these kinds."""
        return issubclass(KINDS.get(self.kind, Sheet), kinds)


class ContextWords(NamedTuple):
    """A sentence: Tokens (n, 1), Ids (n, 1), the position of the focus word or 0, and X (n, d_model).

    All but the id may have the sets of inputs as a leading axis.
    """

    id: str
    tokens: Array
    ids: Array
    focus: Any
    X: Sized

    @property
    def exists(self) -> Array:
        """The padding mask (..., n): which cells contain a word."""
        exists: Array = self.tokens[..., 0] != ""
        return exists


def count(n: int) -> Sized:
    """1, 2, ..., n as (n, 1)."""
    return given(np.arange(1.0, n + 1)[:, None])


def constant(values: Array | list[list[float]]) -> Expected:
    """A range of given numbers, which are not sums."""
    return numbers(given(values))


def mark(*, good: bool | Array, noted: bool | Array = False, amplification: float | Array = 1.0) -> Expected:
    """A status (..., 1, 1): ✗ if not good, – if good but noted, else ✓."""
    sign = np.where(good, np.where(noted, NONE, GOOD), BAD).astype(object)
    return Expected(sign[..., None, None], "mark", amplification=amplification)


def text(value: str) -> Expected:
    """A cell of text, (1, 1)."""
    return Expected(np.array([[value]], dtype=object), "text")


def labels(block: str, rows: Array | None = None, cols: Array | None = None) -> Ranges:
    """The row labels (..., rows, 1) and column labels (..., 1, cols) of a block, if given."""
    found: Ranges = {}
    if rows is not None:
        found[rows_of(block)] = Expected(rows.reshape(*rows.shape[:-2], -1, 1), "text")
    if cols is not None:
        found[cols_of(block)] = Expected(cols.reshape(*cols.shape[:-2], 1, -1), "text")
    return found


def output_labels(sheet: SheetInfo, block: str, rows: Array | None, dims: Array) -> Ranges:
    """The labels of a model's output: after a norm, its columns may be numbered instead of named dims."""
    normed = sheet.final_norm or sheet.residual == "post-norm"
    return labels(block, rows) | optional(labels(block, None, dims), lacking=bool(normed))


def optional(found: Ranges, *, lacking: bool) -> Ranges:
    """Ranges that a workbook may lack if ``lacking``."""
    return {name: replace(x, optional=lacking) for name, x in found.items()}


def unknown(sheet: str, key: str, value: object) -> ValueError:
    """The error for an unsupported setting."""
    sentence = "the reference does not support {key} {value} of the sheet {sheet}"
    return ValueError(say(sentence, key=key, value=value, sheet=sheet))


def shaped(inputs: Inputs, name: str, rows: int | None, cols: int | None, why: str = "") -> Array:
    """An input, after a check of its rows and columns (None: any), which the input `why` determines."""
    have = inputs[name].shape[-2:]
    want = (have[0] if rows is None else rows, have[1] if cols is None else cols)
    if have != want:
        because = {"other": why, "other_shape": shape_text(*inputs[why].shape[-2:])} if why else {}
        raise ShapesDisagree(name, shape=shape_text(*have), needed=shape_text(*want), **because)
    return inputs[name]


def numbered(words: Sequence[str], inputs: Inputs) -> list[int]:
    """The positions (from 1) of words in the vocabulary: case-sensitive, the first of duplicates, or 0."""
    known = list(shaped(inputs, "vocab_Tokens", len(inputs["vocab_E"]), 1, "vocab_E")[:, 0])
    return [known.index(word) + 1 if word and word in known else 0 for word in words]


def embedded(ids: Sequence[int], inputs: Inputs) -> Array:
    """The embeddings of words by position, (n, d_model); zeros for position 0."""
    E = inputs["vocab_E"]  # (n_vocab, d_model)
    return np.array([E[i - 1] if i else np.zeros(E.shape[1]) for i in ids]).reshape(len(ids), E.shape[1])


def look_up(name: str, inputs: Inputs) -> ContextWords:
    """The words, Ids and X of a sentence; unknown words have id 0 and zeros."""
    tokens = shaped(inputs, part_of(name, "Tokens"), None, 1)  # (n, 1)
    words, focus = list(tokens[:, 0]), shaped(inputs, "vocab_Focus", 1, 1)[0, 0]
    ids = numbered(words, inputs)
    position = words.index(focus) + 1 if focus and focus in words else 0
    X = given(embedded(ids, inputs))  # (n, d_model)
    return ContextWords(name, tokens, np.array(ids, dtype=float)[:, None], position, X)


def joined(words: Array) -> Expected:
    """The words, (..., n, 1), joined by single spaces, (..., 1, 1)."""
    rows = words.reshape(-1, words.shape[-2])
    texts = [" ".join(filter(None, " ".join(row).split(" "))) for row in rows]
    return Expected(np.array(texts, dtype=object).reshape(*words.shape[:-2], 1, 1), "text")


def sentence(c: ContextWords) -> Expected:
    """The typed words of a context joined by single spaces, (..., 1, 1)."""
    return joined(c.tokens)


def uses_blanks(sheets: Sequence[SheetInfo]) -> bool:
    """Whether blank token cells have a meaning: a sheet has a padding mask, or generates text."""
    return any(sheet.uses_blanks for sheet in sheets)


def vocabulary(
    contexts: Sequence[ContextWords], known_words: Sequence[str], *, blanks: bool = False
) -> Ranges:
    """The computed ranges of the vocabulary and of each sentence; `blanks`: blank cells are allowed."""
    counts = Counter(known_words)
    times = [float(counts[word]) if word else 0.0 for word in known_words]
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
    all_known = True
    for c in contexts:
        for i, exists in zip(c.ids[:, 0], c.exists, strict=True):
            all_known &= bool(i) or (blanks and not exists)
    has_focus = any(c.focus for c in contexts)
    good = all_known and max(times) <= 1
    return found | {"vocab_Status": mark(good=good, noted=not has_focus)}
