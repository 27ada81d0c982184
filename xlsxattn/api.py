"""The Python API: specs from arrays and DataFrames, workbooks from specs, DataFrames from workbooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from xlsxattn import exercises, press, templates
from xlsxattn.builder.specification import SpecError
from xlsxattn.contract import kinds, spec_tables
from xlsxattn.contract.kinds.settings import given
from xlsxattn.contract.values import SAVED, Level
from xlsxattn.language import say
from xlsxattn.suggestions import one_of
from xlsxattn.system_errors import is_there
from xlsxattn.view.look import look, no_range
from xlsxattn.view.notebook import overview

if TYPE_CHECKING:
    import pandas as pd

    from xlsxattn.contract.values import Source


@dataclass(frozen=True)
class Spec(spec_tables.SpecKeys):
    """The specification of a workbook.

    Attributes:
        vocabulary: the words and their embeddings: a DataFrame (words as index, dimensions as columns), a
            mapping from words to numbers, or the table ``{"dimensions": ..., "tokens": ...}`` of a spec file.
        contexts: the sentences by id; each is a text or a list of words.
        sheets: the sheets in order, as `SelfAttention`, `Decoder` ... or as dictionaries of their keys;
            weights may be arrays or DataFrames.
        title: the title of the workbook.
        focus: the word to follow; "" for the first word that all sentences share.
        length: the number of token cells of every sentence; 0 for its number of words.
        explain: how much the workbook explains, ``short`` or ``full``.
        lang: the language of the workbook's texts, ``en`` or ``zh``.
        about: the paragraph on Start; "" for the default one.

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
        """The spec as parsed from a TOML file: dictionaries, lists, strings and numbers.

        Raises:
            SpecError: the index of a DataFrame has duplicates.
        """
        return _table(given(replace(self, vocabulary=_vocabulary(self.vocabulary))))


def _vocabulary(given: spec_tables.Frame | spec_tables.Vocabulary | Mapping[str, Any]) -> dict[str, Any]:
    """The vocabulary as a dictionary, from a DataFrame, a `Vocabulary`, or a mapping of words to numbers."""
    if isinstance(given, spec_tables.Vocabulary):
        return _table(given)
    if isinstance(given, Mapping):
        tables = isinstance(given.get("tokens"), dict) or isinstance(given.get("from"), str)
        return _table(given if tables else {"tokens": given})
    words = [str(word) for word in given.index]
    duplicate = next((word for i, word in enumerate(words) if word in words[:i]), None)
    if duplicate is not None:
        sentence = "{spec}: vocabulary: the index has {twice!r} twice; keep one"
        raise SpecError(say(sentence, spec=press.IN_MEMORY, twice=duplicate))
    numbers = dict(zip(words, given.to_numpy().tolist(), strict=True))
    return _table(
        spec_tables.Vocabulary(dimensions=[str(column) for column in given.columns], tokens=numbers)
    )


def _table(value: spec_tables.Vocabulary | Mapping[str, Any]) -> dict[str, Any]:
    return dict(_plain(value))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value
    """A value with records, arrays and DataFrames converted to dictionaries and lists, as in TOML."""
    if isinstance(value, kinds.Sheet | spec_tables.Vocabulary | kinds.Example):
        value = given(value)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def build(
    source: Spec | Mapping[str, Any] | str | Path,
    target: str | Path | None = None,
    *,
    force: bool = False,
    lang: str = "",
) -> press.Pressed:
    """Build a workbook, prove it, and put it in place.

    Args:
        source: a `Spec`, its dictionary form, a spec file (``lesson.toml``), or the name of a template.
        target: the workbook to write; its folder must exist. None: ``output/lesson.xlsx`` for
            ``lesson.toml``, ``output/causal.xlsx`` for the template ``causal``; that folder is created.
        force: replace the target even if it was edited after it was built.
        lang: the language of the workbook's texts, ``en`` or ``zh``; "" for that of the spec.

    Returns:
        The path of the workbook (``path``) and the report of its proof (``report``). The path is the target
        if ``report.holds``, otherwise ``<name>.failed.xlsx`` next to it, with the target unchanged.

    Raises:
        SpecError: the spec is invalid, or there is no such template or file.
        ValueError: a spec that is not a file was given without a target.
        PressError: the target does not end in ``.xlsx``, cannot be written, or was edited after it was
            built; or the workbook is too large to be proved.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = build("causal", f"{folder}/causal.xlsx")
    ...     result.path.name, result.report.holds
    ('causal.xlsx', True)
    """
    spec = _given(source)
    place = _place(spec, target, "{stem}.xlsx")
    return press.build(spec, place, force=force, make_folder=target is None, changed=_lang(lang))


def exercise(
    source: Spec | Mapping[str, Any] | str | Path,
    target: str | Path | None = None,
    *,
    level: Level = "middle",
    blank: str | Sequence[str] = (),
    solutions: str | Path | None = None,
    force: bool = False,
    lang: str = "",
) -> press.Pressed:
    """Build an exercise, a workbook with cells to compute and to mark, prove it, and put it in place.

    Args:
        source: as for `build`; its ``exercise`` may name the ranges to compute.
        target: the workbook to write; None: ``output/lesson-exercise.xlsx`` for ``lesson.toml``.
        level: what to compute if neither ``blank`` nor the spec names ranges: ``first`` (one cell and
            one row), ``middle`` (whole blocks) or ``whole`` (more).
        blank: the ranges to compute: names such as ``attn_cat_Scores``, patterns such as ``attn_*_Scores``,
            rows ``attn_cat_Scores[3]`` and cells ``attn_cat_Scores[3,1]``, counted from 1.
        solutions: the workbook with the answers to write, another file than the target; None for none. Both
            are written, or neither.
        force: replace files even if they were edited after they were built.
        lang: as for `build`.

    Returns:
        As for `build`; ``solutions`` is the path of the answers.

    Raises:
        SpecError: as for `build`; or a range does not exist, or cannot be left blank.
        ValueError: as for `build`; or an unknown level.
        PressError: as for `build`; or the exercise and its solutions would be one file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     exercise("causal", f"{folder}/lesson.xlsx", blank="causal_chase_Scores[2]").report.answers
    {'causal_chase_Scores': 'open'}
    """
    one_of("level", level, get_args(Level))
    spec = _given(source)
    place = _place(spec, target, "{stem}-exercise.xlsx")
    solved = None if solutions is None else _place(spec, solutions, "")
    return exercises.exercise(
        spec,
        place,
        level=level,
        blank=(blank,) if isinstance(blank, str) else blank,
        solutions=solved,
        force=force,
        make_folder=target is None,
        changed=_lang(lang),
    )


def _given(source: Spec | Mapping[str, Any] | str | Path) -> Path | Mapping[str, Any]:
    """The spec of a source: a file, or a dictionary as parsed from one."""
    if isinstance(source, Spec):
        return source.data
    if isinstance(source, str) and source in templates.names():
        return templates.path(source)
    if not isinstance(source, str | Path | Mapping):
        sentence = "source: found {found!r}, expected a spec, a dictionary, a file or the name of a template"
        raise TypeError(say(sentence, found=source))
    if isinstance(source, str) and not Path(source).suffix and not is_there(Path(source)):
        raise SpecError(templates.unknown(source, [path.name for path in sorted(Path().glob("*.toml"))]))
    return dict(_plain(source)) if isinstance(source, Mapping) else Path(source)


def _place(spec: Path | Mapping[str, Any], target: str | Path | None, name: str) -> Path:
    """The workbook to write; ``name`` is its default name."""
    if target is not None:
        place = Path(target)
    elif isinstance(spec, Path):
        place = Path("output") / name.format(stem=spec.stem)
    else:
        raise ValueError(say("target: a spec that is not a file needs the name of the workbook to write"))
    if place.suffix.lower() != ".xlsx":
        raise press.PressError(say("{target}: the workbook's name must end in .xlsx", target=place))
    return place


def _lang(lang: str) -> Mapping[str, str] | None:
    return {"lang": lang} if lang else None


class Tables(dict[str, "pd.DataFrame"]):
    """The ranges of a workbook by name, as tables."""

    def __init__(self, path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
        super().__init__(tables)
        self.path = path

    def __missing__(self, name: str) -> pd.DataFrame:
        raise no_range(self.path, name, self)

    def __repr__(self) -> str:
        return f"<Tables {self.path}: {len(self)} ranges>"

    def _repr_html_(self) -> str:
        """The names of the first ranges, for a notebook."""
        return overview("Tables", self.path.name, [*self], len(self))


def read(path: str | Path, engine: Source = SAVED) -> Tables:
    """Every range of a workbook as a DataFrame; needs pandas.

    Args:
        path: the workbook.
        engine: ``saved`` for the values in the file (recalculated if any is missing), or ``ironcalc``,
            ``libreoffice`` or ``gnumeric`` to recalculate it.

    Returns:
        A dictionary, range name → DataFrame: rows are words or dimensions, columns words, dimensions, or
        numbers from 1.

    Raises:
        NotCheckableError: the file cannot be read, or was not built by xlsxattn.
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
    seen = look(path, engine)
    return Tables(seen.path, {name: matrix.frame() for name, matrix in seen.matrices.items()})
