"""The expected formulas of a workbook, generated again from its settings, shapes and language.

The manifest lists every formula, but whoever edits a cell can also edit the manifest. So the check gets an
independent table: the settings in the manifest and the shapes of the inputs give a spec with placeholder
words and zero weights, whose pages have the formulas. Nothing is laid out, and no number of the file is read.
The answers of an exercise have no entry: the reader may type anything there.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn import releases
from xlsxattn.builder import pages
from xlsxattn.builder.specification import Spec
from xlsxattn.builder.specification.words import Context, Vocabulary
from xlsxattn.checker.manifest_formulas import Formulas, FormulaTable, same
from xlsxattn.checker.reading.limits import NotCheckableError
from xlsxattn.contract import keys, kinds
from xlsxattn.contract.kinds.settings import setting, settings
from xlsxattn.contract.names import WORDS, RangeName, is_text, of_context
from xlsxattn.contract.values import ID, MAX_COLUMNS, MAX_STEPS, PROGRAM_VERSION
from xlsxattn.language import codes, say
from xlsxattn.system_errors import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.manifest import Manifest
    from xlsxattn.checker.reference import SheetInfo

PLACEHOLDER = "word"
UNFIT = "the setting {at} cannot be {found!r}"
MAX_SHOWN = 80
MAX_LENGTH = 2_000
"""Maximum number of words of a sentence and of listed words; larger workbooks are not checkable anyway."""
RANGES_A_HEAD = 5
"""Minimum number of ranges of a head in each sentence."""


def rebuilt(book: Book) -> FormulaTable | None:
    """The table of a workbook's formulas; None if the name of an input is missing, which the check reports.

    Raises:
        NotCheckableError: no workbook has these settings and shapes.
    """
    manifest = book.manifest
    if any(name not in book.names for name in manifest.inputs):
        return None
    try:
        spec = _spec(manifest, book.names)
        possible = (manifest.language,) if manifest.language in codes() else codes()
        tables = [_formulas(replace(spec, lang=code)) for code in possible]
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a manifest may contain anything
        sentence = "{path}: the manifest does not fit the workbook: {error}"
        raise NotCheckableError(say(sentence, path=book.path, error=words(error))) from None
    formulas = min(tables, key=lambda table: len(_differing(manifest, table)))
    kept = frozenset[str]()
    if manifest.program != PROGRAM_VERSION:
        differing = _differing(manifest, formulas)
        kept = releases.kept(manifest.program, manifest.formulas, formulas, differing, manifest.parse)
    return FormulaTable(PROGRAM_VERSION, formulas, kept)


def _formulas(spec: Spec) -> Formulas:
    blocks = pages.book(spec).blocks()
    return {name: (entered, formula) for name, entered, formula in pages.formula_table(blocks)}


def _differing(manifest: Manifest, table: Formulas) -> list[str]:
    listed = manifest.formulas
    names = {**listed, **table}
    return [n for n in names if not same(manifest, n, listed.get(n), table.get(n))]


# --- a spec from the manifest and the shapes ---------------------------------------------------------------


def _spec(manifest: Manifest, names: Mapping[str, Area]) -> Spec:
    """A spec with the same settings and shapes, placeholder words and zero weights.

    Raises:
        ValueError: a setting is invalid, or there would be more ranges than the file has names.
    """
    ids = [*manifest.contexts, *(sheet.id for sheet in manifest.sheets)]
    if wrong := next((i for i in ids if not re.fullmatch(ID, i) or ids.count(i) > 1), None):
        raise ValueError(say("{found!r} is not a valid id", found=wrong))
    d_model = _area(names, WORDS["E"]).cols
    n_vocab = min(_area(names, WORDS["Tokens"]).rows, MAX_LENGTH)  # more words do not change the formulas
    vocabulary = Vocabulary(
        tuple(f"d{j + 1}" for j in range(d_model)),
        tuple(f"{PLACEHOLDER} {i + 1}" for i in range(n_vocab)),
        _zeros(n_vocab, d_model),
    )
    lengths = {c: _area(names, of_context(c)["Tokens"]).rows for c in manifest.contexts}
    sheets: list[kinds.Sheet] = []
    for info in manifest.sheets:
        sheets.append(_sheet(info, manifest, names, sheets))
    _affordable(sheets, lengths, len(names))
    word = vocabulary.tokens[:1]
    contexts = tuple(Context(c, word * n, i) for i, (c, n) in enumerate(lengths.items(), 1))
    exercise = manifest.exercise
    return Spec("", vocabulary.tokens[0], vocabulary, contexts, tuple(sheets), exercise=exercise)


def _area(names: Mapping[str, Area], name: str) -> Area:
    if name not in names:
        raise ValueError(say("the range {name} is missing", name=name))
    return names[name]


def _zeros(rows: int, cols: int) -> NDArray[np.float64]:
    """A matrix of zeros without allocated memory."""
    return np.broadcast_to(np.zeros(()), (rows, cols))


def _sheet(
    info: SheetInfo, manifest: Manifest, names: Mapping[str, Area], before: Sequence[kinds.Sheet]
) -> kinds.Sheet:
    kind = kinds.KINDS.get(info.kind)
    if kind is None:
        raise ValueError(say("there is no kind of sheet {kind!r}", kind=info.kind))
    declared = {one.attribute: one.key for one in keys.keys(kind).values()}
    given: dict[str, Any] = {}
    for name in declared:
        _not_missing(info, kind, name)
    for name, value in info.settings.items():
        if name == "examples":
            continue  # only their lengths, see _training
        at = f"{info.id}.{name}"
        given[name] = (
            _setting(at, value, declared[name], manifest.contexts)
            if name in declared
            else _part(at, name, value, len(names))
        )
    if "kv_heads" in declared and "heads" in given:  # omitted if heads are not grouped
        given.setdefault("kv_heads", given["heads"])
    inputs = {n: manifest.parse(n) for n in manifest.inputs if manifest.parse(n).sheet == info.id}
    if given.get("weights", True) and issubclass(kind, kinds.WithAttention):
        given["weights"] = {
            at.key: _zeros(names[name].rows, names[name].cols)
            for name, at in inputs.items()
            if not is_text(name)
        }
    else:
        given.pop("weights", None)
    given |= _from_shapes(info, kind, manifest, names, given)
    if issubclass(kind, kinds.Training):
        given |= _training(info, names, before)
    sheet = kind(id=info.id, title=PLACEHOLDER, **given)
    if json.loads(json.dumps(settings(sheet))) != dict(info.settings):
        raise ValueError(say("the settings of {sheet!r} are inconsistent", sheet=info.id))
    return replace(sheet, axes=()) if isinstance(sheet, kinds.Compare) else sheet


def _from_shapes(
    info: SheetInfo,
    kind: type[kinds.Sheet],
    manifest: Manifest,
    names: Mapping[str, Area],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Settings that follow from the shapes of ranges: classes, words to compare with, output columns."""
    s, settings = RangeName(info.id), dict[str, Any]()
    if issubclass(kind, kinds.Classifier):
        settings["classes"] = (PLACEHOLDER,) * min(_area(names, s["Classes"]).cols, MAX_LENGTH)
    if given.get("near"):
        settings["near"] = (PLACEHOLDER,) * min(_area(names, s["Tokens"]).rows, MAX_LENGTH)
    if issubclass(kind, kinds.MultiHead) and manifest.contexts:
        settings["d_out"] = _area(names, s.at(context=manifest.contexts[0])["Output"]).cols
    return settings


def _training(info: SheetInfo, names: Mapping[str, Area], before: Sequence[kinds.Sheet]) -> dict[str, Any]:
    """The trained sheet, start weights and examples of a training, with placeholder words.

    Raises:
        ValueError: there is no such sheet before it, or it lacks a learned matrix.
    """
    s, trains, learns = RangeName(info.id), info.settings["trains"], info.settings["learns"]
    form = next((one for one in before if one.id == trains and isinstance(one, kinds.InSentence)), None)
    has = [f"W_{letter}" for letter in kinds.PROJECTED if f"W_{letter}" in (form.weights if form else ())]
    if form is None or not {*learns} <= {*has} or not learns:
        raise ValueError(say("the settings of {sheet!r} are inconsistent", sheet=info.id))
    matrices = {name: _area(names, s[name]) for name in has}
    lengths, words = info.settings["examples"], _area(names, s["Tokens"]).rows
    whole = isinstance(lengths, list) and all(isinstance(n, int) and n > 0 for n in lengths)
    if not whole or (len(lengths), sum(lengths)) != (_area(names, s["Asked"]).rows, words):
        raise ValueError(say("the settings of {sheet!r} are inconsistent", sheet=info.id))
    targets = (0.0,) * _area(names, s["Targets"]).cols
    return {
        "form": form,
        "matrices": {name: _zeros(area.rows, area.cols) for name, area in matrices.items()},
        "examples": tuple(
            kinds.Example(sentence=(PLACEHOLDER,) * n, word="", target=targets) for n in lengths
        ),
    }


def _not_missing(info: SheetInfo, kind: type[kinds.Sheet], name: str) -> None:
    try:
        setting(kind, info.settings, name)
    except KeyError:
        raise ValueError(say("the settings of {sheet!r} lack {key}", sheet=info.id, key=name)) from None


def _setting(at: str, value: object, key: keys.Key, contexts: Sequence[str]) -> object:
    """Convert a setting to the value of the sheet's attribute.

    Raises:
        ValueError: the value is invalid.
    """
    if isinstance(key, keys.Items):
        if value is True:  # the words to compare with are an input
            return (PLACEHOLDER,)
        options = key.item.options if isinstance(key.item, keys.Choice) else None
        if _is_list(value, contexts if isinstance(key.item, keys.ContextId) else options):
            return tuple(value)  # type: ignore[arg-type]  # a list
    elif isinstance(key, keys.SomeOf):
        if isinstance(value, bool):
            return value
        if _is_list(value, key.options):
            return tuple(value)  # type: ignore[arg-type]  # a list
    elif isinstance(key, keys.Positive):
        if value is True:  # the temperature is an input
            return 1.0
    elif _fits(value, key, contexts):
        return value
    raise ValueError(say(UNFIT, at=at, found=str(value)[:MAX_SHOWN]))


def _fits(value: object, key: keys.Key, contexts: Sequence[str]) -> bool:
    if isinstance(key, keys.Flag | keys.Weights):
        return isinstance(value, bool)
    if isinstance(key, keys.Count):
        return _is_count(value)
    if isinstance(key, keys.SheetRef):
        return isinstance(value, str)
    known = (
        contexts if isinstance(key, keys.ContextId) else key.options if isinstance(key, keys.Choice) else ()
    )
    return isinstance(value, str) and value in known


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_list(value: object, known: Sequence[str] | None) -> bool:
    """Whether it is a list of distinct texts, all of them known if `known` is given."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return False
    return len({*value}) == len(value) and (known is None or {*value} <= {*known})


def _part(at: str, name: str, value: object, most: int) -> object:
    """Convert a setting that selects a part of a trained model."""
    if name in ("apart", "qk_norm") and value is True:
        return value
    if name == "stretch" and value is True:  # its numbers are inputs
        return kinds.Stretch(*[1.0] * len(fields(kinds.Stretch)))
    if name in ("taken", "browse") and (numbers := _numbers(value, most)):
        return numbers
    if name == "only" and isinstance(value, dict) and len(value) <= most:
        listed = {layer: _numbers(heads, most) for layer, heads in value.items()}
        if all(layer.isdecimal() for layer in listed) and all(listed.values()):
            return {int(layer): heads for layer, heads in listed.items()}
    raise ValueError(say(UNFIT, at=at, found=str(value)[:MAX_SHOWN]))


def _numbers(value: object, most: int) -> tuple[int, ...]:
    """A list of positive integers as a tuple; () if it is anything else."""
    if not isinstance(value, list) or len(value) > most:
        return ()
    return tuple(n for n in value if _is_count(n))


def _affordable(sheets: Sequence[kinds.Sheet], lengths: Mapping[str, int], names: int) -> None:
    """Refuse settings that would cost more than the file itself, before any range is created.

    Raises:
        ValueError: a sentence or a setting is too large, or there would be more ranges than names.
    """
    for c, n in lengths.items():
        if n > MAX_LENGTH:
            raise ValueError(
                say("the sentence {c} has {n:,} words, the limit is {most:,}", c=c, n=n, most=MAX_LENGTH)
            )
    ranges = heads = 0
    for sheet in sheets:
        if isinstance(sheet, kinds.WithAttention):
            n_heads = _heads(sheet, names) * len(sheet.contexts or lengths)
            ranges += n_heads * RANGES_A_HEAD
            heads += n_heads
        elif isinstance(sheet, kinds.Compare):
            ranges += heads
        elif isinstance(sheet, kinds.Training) and sheet.steps > MAX_STEPS:
            raise ValueError(say(UNFIT, at=f"{sheet.id}.steps", found=sheet.steps))
    if ranges > names:
        sentence = "its sheets would need at least {ranges:,} ranges, but it has only {names:,} names"
        raise ValueError(say(sentence, ranges=ranges, names=names))


def _heads(sheet: kinds.WithAttention, names: int) -> int:
    """The number of heads of a sheet in each sentence."""
    for name, value, most in (("d_k", sheet.d_k, MAX_COLUMNS), ("heads", sheet.heads, names)):
        if value > most:
            raise ValueError(say(UNFIT, at=f"{sheet.id}.{name}", found=value))
    if not isinstance(sheet, kinds.Model):
        return max(1, sheet.heads)
    if max(sheet.layers, len(sheet.taken)) > names:
        raise ValueError(say(UNFIT, at=f"{sheet.id}.layers", found=sheet.layers))
    if isinstance(sheet, kinds.Writer) and sheet.top_k > MAX_LENGTH:
        raise ValueError(say(UNFIT, at=f"{sheet.id}.top_k", found=sheet.top_k))
    return sum(len(sheet.heads_of(k)) for k in sheet.numbers)
