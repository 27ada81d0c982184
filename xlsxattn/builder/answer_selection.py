"""Selects the ranges to compute in an exercise: from names and patterns, or from a preset."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from xlsxattn.builder import pages
from xlsxattn.builder.pages.exercise import ExerciseBlocks
from xlsxattn.builder.specification import SpecError
from xlsxattn.contract.exercise import Exercise
from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import FRONT, SHOWN, RangeName, parse
from xlsxattn.language import say
from xlsxattn.suggestions import nearest, with_near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.specification import Spec
    from xlsxattn.contract.values import Level

BLANK = re.compile(r"([\w*?]+)(?:\[(\d+)(?:,\s*(\d+))?\])?", re.ASCII)
"""A name or pattern, and a row or a cell."""
AMBIGUOUS = (1, 4)
"""Values of d_k for which common mistakes give the right result: √4 is also 4/2, and 2."""
MAX_LISTED = 5
"""Maximum number of ranges listed in a message."""
MIDDLE = ("Mask", "Scores", "Scaled", "Masked", "Attention", "Output")
WHOLE = ("Q", "K", "V", "Exp", "Concat", "P", "Input", "MultiHead")
NORMS = ("Norm1", "Norm2")


def exercise(spec: Spec, named: str, level: Level = "middle", blank: Sequence[str] = ()) -> Exercise:
    """The exercise on a spec: the given ranges, or those of the spec, or those of a preset.

    Raises:
        SpecError: a range does not exist or cannot be left blank, or there is nothing to compute.
    """
    parts = ExerciseBlocks(Exercise({}), [*pages.book(spec).blocks()])
    inner = [b for b in parts.blocks if b.kind == "formula" and parse(b.name).sheet != FRONT]
    possible = {b.name: b for b in inner if parts.can_be_blank(b)}
    if not possible:
        sentence = "{spec}: has no range that an exercise can leave blank: no sheet computes attention"
        raise SpecError(say(sentence, spec=named))
    table = spec.exercise_table
    places = dict[str, tuple[int, ...]]()
    where = named if blank else say("{spec}: exercise.blank", spec=named)
    for text in blank or table.blank or preset(spec, possible, parts.shapes, level):
        places |= _places(text, where, possible, parts.by_name, places)
    answers = {name: places[name] for name in possible if name in places}
    trained = {sheet.id for sheet in spec.sheets if isinstance(sheet, Training)}
    of_training = [name for name in answers if parse(name).sheet in trained]
    others = [name for name in answers if name not in of_training]
    if of_training and others:
        sentence = (
            "{spec}: {name} and {other} cannot be in one exercise: the training shows the other's formulas"
        )
        raise SpecError(say(sentence, spec=named, name=of_training[0], other=others[0]))
    points = dict[str, int]()
    for pattern, n in table.points.items():
        matches = [name for name in answers if fnmatchcase(name, pattern)]
        if not matches and not blank:
            listed = ", ".join([*answers][:MAX_LISTED]) + (", …" if len(answers) > MAX_LISTED else "")
            sentence = "{spec}: exercise.points: {name} is not left blank, only {names}"
            sentence = say(sentence, spec=named, name=pattern, names=listed)
            raise SpecError(with_near(sentence, pattern, answers))
        points |= dict.fromkeys(matches, n)
    return Exercise(answers, table.ask, table.decimals, points, table.hints, table.marks)


def _places(
    text: str,
    named: str,
    possible: Mapping[str, Block],
    every: Mapping[str, Block],
    before: Mapping[str, tuple[int, ...]],
) -> dict[str, tuple[int, ...]]:
    """The ranges that a name or pattern matches, each with its row or cell."""
    match = BLANK.fullmatch(str(text).strip())  # Python callers may pass anything
    if match is None:
        sentence = "{spec}: {text!r} is not the name of a range, such as attn_cat_Scores, attn_*_Scores[3]"
        raise SpecError(say(sentence, spec=named, text=text))
    pattern, place = match[1], tuple(int(n) for n in match.groups()[1:] if n)
    matches = [name for name in possible if fnmatchcase(name, pattern)]
    if not matches:
        raise SpecError(_cannot(pattern, named, possible, every))
    for name in matches:
        b = possible[name]
        if any(not 0 < n <= most for n, most in zip(place, (b.rows, b.cols), strict=False)):
            sentence = "{spec}: {text}: {name} has {rows} rows and {cols} columns"
            raise SpecError(say(sentence, spec=named, text=text, name=name, rows=b.rows, cols=b.cols))
        if name in before and before[name] != place:
            sentence = (
                "{spec}: {text}: {name} is already left blank; give one row, one cell, or the whole range"
            )
            raise SpecError(say(sentence, spec=named, text=text, name=name))
    return dict.fromkeys(matches, place)


def _cannot(name: str, named: str, possible: Mapping[str, Block], every: Mapping[str, Block]) -> str:
    """Why a range cannot be left blank."""
    matched = [block for key, block in every.items() if fnmatchcase(key, name)]
    block = matched[0] if matched else None
    if block is None and nearest(name, possible) is None:
        sentence = "{spec}: there is no range {name!r}; an example is {example}"
        return say(sentence, spec=named, name=name, example=next(iter(possible)))
    if block is None:
        return with_near(say("{spec}: there is no range {name!r}", spec=named, name=name), name, possible)
    if block.kind == "formula":
        sentence = "{spec}: {name} cannot be left blank, but for example {example} can"
        return say(sentence, spec=named, name=name, example=next(iter(possible)))
    sentence = "{spec}: {name} cannot be left blank: it holds typed values, not formulas"
    return say(sentence, spec=named, name=name)


def preset(
    spec: Spec, possible: Mapping[str, Block], shapes: Mapping[str, tuple[int, int]], level: Level
) -> list[str]:
    """The ranges of a preset, as texts: those of one attention in which common mistakes are visible.

    Scaled is left out if its d_k is ambiguous. With a training, `whole` selects its backward pass, without
    dOutput if it equals Error.
    """
    training = next((sheet for sheet in spec.sheets if isinstance(sheet, Training)), None)
    if level == "whole" and training:
        places = {name: parse(name) for name in possible}
        of_step = [name for name, at in places.items() if (at.sheet, at.block) == (training.id, SHOWN)]
        same = len(training.examples) == 2  # noqa: PLR2004 - dOutput is then Error
        return [name for name in of_step if not (same and places[name].part == "dOutput")]
    place = _attention(possible, shapes)
    ranges = [name for name in possible if parse(name).place == place]
    blocks = {parse(name).block: name for name in ranges}
    ambiguous = "Scores" in blocks and _d_k(possible[blocks["Scores"]], shapes) in AMBIGUOUS
    if level == "first" and "Scores" in blocks:
        row = _focus_row(spec, place.context)
        return [f"{blocks['Scores']}[{row},1]", f"{blocks['Attention']}[{row}]"]
    if level == "first":
        return [f"{ranges[0]}[1]"]
    middle = [block for block in MIDDLE if block in blocks and (block != "Scaled" or not ambiguous)]
    chosen = [blocks[block] for block in middle] or ranges[:3]
    if level == "middle":
        return chosen
    chosen += [blocks[block] for block in WHOLE if block in blocks]
    chosen += [name for name in possible if parse(name).block in NORMS and not parse(name).part][:1]
    return list(dict.fromkeys(chosen))


def _attention(possible: Mapping[str, Block], shapes: Mapping[str, tuple[int, int]]) -> RangeName:
    """The prefix of the first attention whose d_k is not ambiguous, or else of the first attention."""
    anchors = [name for name in possible if parse(name).block == "Scores"]
    sized = [name for name in anchors if _d_k(possible[name], shapes) not in AMBIGUOUS]
    others = [name for name in possible if parse(name).block in ("Q", "Output")]
    first = next(iter([*sized, *anchors, *others, *possible]))
    return parse(first).place


def _d_k(scores: Block, shapes: Mapping[str, tuple[int, int]]) -> int:
    part = scores.parts[0]
    return next((shapes[name][1] for name in part.names.values() if name in shapes), 0)


def _focus_row(spec: Spec, context: str) -> int:
    """The row of the focus word in a sentence; the last row if it is the first, which may only see itself."""
    words = next((c.words for c in spec.contexts if c.id == context), ())
    row = words.index(spec.focus) + 1 if spec.focus in words else 1
    return row if row > 1 else max(len(words), 1)
