"""What a Python program uses: specs from arrays and tables, workbooks from specs, tables from workbooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlsxattn import press, templates
from xlsxattn.builder.specification import SpecError
from xlsxattn.contract import kinds
from xlsxattn.language import say
from xlsxattn.view.look import SAVED, look

if TYPE_CHECKING:
    import pandas as pd

    from xlsxattn.view.look import Source


@dataclass(frozen=True)
class Spec(kinds.Spec):
    """What a workbook is made from.

    Attributes:
        vocabulary: the words and their embeddings: a DataFrame (words as index, dimensions as columns), a
            mapping from words to numbers, or the table ``{"dimensions": ..., "tokens": ...}`` of a file.
        contexts: the sentences by id; each a text, or a list of words.
        sheets: the sheets in order, as `SelfAttention`, `Decoder` ... or as tables of their keys; weights may
            be arrays or DataFrames.
        title: the workbook's title.
        focus: the word to follow; "" for the first that all sentences share.
        length: how many token cells every sentence gets; 0 for as many as it has words.
        explain: how much the workbook says beside its numbers, ``short`` or ``full``.
        lang: the language of the workbook's texts, ``en`` or ``zh``.
        about: the paragraph on Start; "" for the usual one.

    >>> import numpy as np
    >>> spec = Spec(
    ...     vocabulary={"river": [3.0, 0.0], "bank": [2.0, 2.0], "loan": np.array([0.0, 3.0])},
    ...     contexts={"river": "river bank", "loan": ["bank", "loan"]},
    ...     sheets=[
    ...         kinds.SelfAttention(id="attn", mask="causal"),
    ...         {"id": "qkv", "weights": {w: np.eye(2) for w in ("W_Q", "W_K", "W_V")}},
    ...     ],
    ... )
    >>> spec.data["vocabulary"]["tokens"]["loan"]
    [0.0, 3.0]
    >>> spec.data["sheets"][0]
    {'kind': 'self-attention', 'id': 'attn', 'mask': 'causal'}
    >>> spec.data["sheets"][1]["weights"]["W_Q"]
    [[1.0, 0.0], [0.0, 1.0]]
    """

    @property
    def data(self) -> dict[str, Any]:
        """The spec as a TOML file would have it: tables, lists, texts and numbers.

        Raises:
            SpecError: a word stands twice in a DataFrame's index.
        """
        return _table(kinds.given(replace(self, vocabulary=_vocabulary(self.vocabulary))))


def _vocabulary(given: kinds.Frame | kinds.Vocabulary | Mapping[str, Any]) -> dict[str, Any]:
    """The vocabulary's table, from a table of pandas, from its keys, or from words and their numbers."""
    if isinstance(given, kinds.Vocabulary):
        return _table(given)
    if isinstance(given, Mapping):
        tables = isinstance(given.get("tokens"), dict) or isinstance(given.get("from"), str)
        return _table(given if tables else {"tokens": given})
    words = [str(word) for word in given.index]
    twice = next((word for i, word in enumerate(words) if word in words[:i]), None)
    if twice is not None:
        sentence = "{spec}: vocabulary: the index has {twice!r} twice, keep one"
        raise SpecError(say(sentence, spec=press.IN_MEMORY, twice=twice))
    numbers = dict(zip(words, given.to_numpy().tolist(), strict=True))
    return _table(kinds.Vocabulary(dimensions=[str(column) for column in given.columns], tokens=numbers))


def _table(value: kinds.Vocabulary | Mapping[str, Any]) -> dict[str, Any]:
    return dict(_plain(value))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a program has at hand
    """A value with records, arrays and tables made tables and lists, as TOML knows them."""
    if isinstance(value, kinds.Sheet | kinds.Vocabulary | kinds.Example):
        value = kinds.given(value)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def build(
    source: Spec | Mapping[str, Any] | str | Path, target: str | Path, *, force: bool = False, lang: str = ""
) -> press.Pressed:
    """Build a workbook, prove it, and put it in place.

    Args:
        source: a `Spec`, the tables of one, a spec's file (``lesson.toml``), or a template's name.
        target: the workbook to write; its folder must exist.
        force: replace a target even if a person has changed it.
        lang: the language of the workbook's texts, ``en`` or ``zh``; "" for the spec's own.

    Returns:
        Where the workbook went (``path``), and the report of its proof (``report``). It is the target when
        ``report.holds``, else ``<name>.failed.xlsx`` beside it, the target staying as it was.

    Raises:
        SpecError: the spec cannot be built, or there is no such template or file.
        PressError: the target is not called ``.xlsx``, cannot be written, or a person has changed it; or
            the workbook is too large to be proved.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = build("causal", f"{folder}/causal.xlsx")
    ...     made.path.name, made.report.holds
    ('causal.xlsx', True)
    """
    if Path(target).suffix.lower() != ".xlsx":
        raise press.PressError(say("{target}: the workbook's name must end in .xlsx", target=target))
    found: Path | Mapping[str, Any]
    if isinstance(source, Spec):
        found = source.data
    elif isinstance(source, str) and source in templates.names():
        found = templates.path(source)
    elif isinstance(source, str) and not Path(source).suffix and not Path(source).exists():
        raise SpecError(templates.unknown(source, [path.name for path in sorted(Path().glob("*.toml"))]))
    else:
        found = Path(source) if isinstance(source, str | Path) else dict(_plain(source))
    return press.build(found, Path(target), force=force, changed={"lang": lang} if lang else None)


def read(path: str | Path, engine: Source = SAVED) -> dict[str, pd.DataFrame]:
    """Every range of a workbook as a table, with words as index; needs pandas.

    Args:
        path: the workbook.
        engine: ``saved`` takes the values in the file (and recalculates it where one is missing); else
            ``ironcalc``, ``libreoffice`` or ``gnumeric``, which recalculates it.

    Returns:
        Range name → DataFrame: rows are words or dimensions, columns words, dimensions, or numbers from 1.

    Raises:
        NotCheckableError: the file cannot be read, or is not one of ours.
        PandasMissing: pandas is not installed.
        ValueError: there is no such engine.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tables = read(build("causal", f"{folder}/causal.xlsx").path)
    >>> print(tables["causal_chase_Attention"].round(3))
              the    cat  chased    the  mouse
    the     1.000  0.000   0.000  0.000   0.00
    cat     0.025  0.975   0.000  0.000   0.00
    chased  0.051  0.139   0.809  0.000   0.00
    the     0.428  0.086   0.058  0.428   0.00
    mouse   0.020  0.538   0.031  0.020   0.39
    """
    return {name: matrix.frame() for name, matrix in look(path, engine).matrices.items()}
