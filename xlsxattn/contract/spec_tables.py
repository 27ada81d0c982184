"""The tables of a spec other than its sheets: the spec itself, ``[vocabulary]`` and ``[exercise]``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from xlsxattn.contract.keys import Choice, Count, Flag, Items, LanguageCode, Part, Prose, Text, Word
from xlsxattn.contract.kinds.base import Sheet
from xlsxattn.contract.values import (
    MAX_ABOUT_LENGTH,
    MAX_BLANKS,
    MAX_COLUMNS,
    MAX_DECIMALS,
    MAX_LISTED,
    MAX_WORDS,
    Ask,
    Explain,
)


class Frame(Protocol):
    """A pandas DataFrame: words as index, dimensions as columns."""

    @property
    def index(self) -> Any: ...
    @property
    def columns(self) -> Any: ...
    def to_numpy(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words and their embeddings, in the spec or in a file."""

    dimensions: Annotated[
        Sequence[str],
        Items(
            "a name for each number of an embedding; default: d1, d2, ...",
            *(Text("a dimension"), "names", MAX_COLUMNS),
        ),
    ] = ()
    tokens: Annotated[
        Mapping[str, Any], Part("each word and its embedding; all embeddings have the same length")
    ] = field(default_factory=dict)
    from_: Annotated[
        str,
        Text(
            "a file instead of tokens: a data file with a table [tokens], or word vectors in the "
            "format of GloVe or word2vec (optionally gzipped), as CSV, or as .npy next to a list "
            "of its words"
        ),
    ] = ""
    words: Annotated[
        Sequence[str],
        Items(
            "words to take from a file of word vectors, in addition to those of the sentences",
            *(Word("a word"), "words", MAX_LISTED, 0),
        ),
    ] = ()
    components: Annotated[int, Count("number of principal components of the word vectors to keep")] = 0


@dataclass(frozen=True, kw_only=True)
class ExerciseKeys:
    """What ``xlsxattn exercise`` leaves for the reader to compute."""

    blank: Annotated[
        Sequence[str],
        Items(
            "the ranges to compute, with * for any part of a name; [3] for a row, [3,1] for a cell of them",
            *(Text("a range"), "names of ranges", MAX_BLANKS),
        ),
    ] = ()
    ask: Annotated[
        Ask,
        Choice("what the reader types: formulas, numbers computed by hand, or either"),
    ] = "formula"
    decimals: Annotated[int, Count("decimals of numbers computed by hand", MAX_DECIMALS)] = 2
    points: Annotated[Mapping[str, int], Part("points of a range, if not 1")] = field(default_factory=dict)
    hints: Annotated[bool, Flag("whether there are three hints for each range")] = True
    marks: Annotated[
        bool, Flag("whether marks below the answers show if they are right; false for examinations")
    ] = True


@dataclass(frozen=True)
class SpecKeys:
    """The specification of a workbook."""

    vocabulary: Annotated[Frame | Mapping[str, Any] | Vocabulary, Part("the words and their embeddings")]
    contexts: Annotated[
        Mapping[str, str | Sequence[str]],
        Part("the sentences by id: a text, which is split on whitespace, or a list of words"),
    ]
    sheets: Annotated[Sequence[Sheet | Mapping[str, Any]], Part("the sheets in order")]
    title: Annotated[str, Text("the workbook's title")] = "Attention"
    focus: Annotated[
        str, Word("the word that is outlined and compared; default: the first word that all sentences share")
    ] = ""
    length: Annotated[
        int, Count("number of token cells of every context: its words, then blank cells", MAX_WORDS)
    ] = 0
    explain: Annotated[Explain, Choice("how much the workbook explains: one sentence per step, or two")] = (
        "short"
    )
    lang: Annotated[str, LanguageCode("the language of the workbook's texts; --lang overrides it")] = "en"
    about: Annotated[
        str,
        Prose(
            "what the workbook shows: the paragraph on Start, instead of the default one", MAX_ABOUT_LENGTH
        ),
    ] = ""
    exercise: Annotated[
        Mapping[str, Any],
        Part("what `xlsxattn exercise` leaves for the reader to compute; `build` ignores it"),
    ] = field(default_factory=dict)
