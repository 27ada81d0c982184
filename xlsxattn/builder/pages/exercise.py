"""Turns the pages of a workbook into an exercise, with blank answers, marks and hints.

`with_answers` blanks the answers, adds their marks, and gives twins (ranges with the same operation) other
formulas; `waiting` then wraps every formula that reads an answer, so that it shows "–" until the answer is
complete.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from xlsxattn.builder.alternative_formulas import Alternative, alternative_of, at_cell
from xlsxattn.builder.graph import Block, Group, Hints, Page, Part, Side
from xlsxattn.builder.ops import Op
from xlsxattn.builder.pages.parts import computed
from xlsxattn.contract import exercise as texts
from xlsxattn.contract.exercise import answered, mark_of, region, region_of, units
from xlsxattn.contract.names import SHOWN, START, STEPS, WORD, parse
from xlsxattn.language import say

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xlsxattn.contract.exercise import Exercise, Region

    T = TypeVar("T")

ASK = {
    "formula": "Your turn: type a formula into each green cell.",
    "number": "Your turn: compute the green cells by hand, and type the numbers.",
    "either": "Your turn: type a formula or a number into each green cell.",
}
ASK_WITH_HINTS = "{ask} Hints →"
TWIN = "(a different formula, so that the method stays hidden)"
HINT_PAGE, SCRATCH_PAGE = "hints", "scratch"


@dataclass(frozen=True)
class ExerciseBlocks:
    """The blocks of a workbook, and the exercise on them.

    Attributes:
        exercise: the answers and the settings.
        blocks: all blocks of the ordinary pages.
        solved: True for the solutions.
    """

    exercise: Exercise
    blocks: Sequence[Block]
    solved: bool = False

    @cached_property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of every name."""
        shapes = {}
        for b in self.blocks:
            shapes[b.name] = (b.rows, b.cols)
            shapes |= {name: (b.rows, cols) for name, _, cols in b.slices}
            shapes |= {name: (rows, b.cols) for name, rows in b.tops}
        return shapes

    @cached_property
    def by_name(self) -> dict[str, Block]:
        """The blocks by their names, aliases included."""
        return {name: b for b in self.blocks for name in (b.name, *b.aliases)}

    @cached_property
    def sources(self) -> dict[str, set[str]]:
        """The blocks that the formulas of each block read."""
        sources = {}
        for block in self.blocks:
            words = {word for part in block.parts for word in WORD.findall(part.formula)}
            sources[block.name] = {self.by_name[word].name for word in words & self.by_name.keys()}
        return sources

    @cached_property
    def origins(self) -> dict[str, str]:
        """By block, a text that is the same for blocks that are computed alike from the same inputs.

        Inputs are the same in all sentences, as these share words; constants of one name are on all sheets.
        """
        origins = dict[str, str]()
        sentences = {parse(block.name).context for block in self.blocks}
        for block in self.blocks:
            if not block.parts:
                place = parse(block.name).at(context="")
                is_free = block.kind == "constant" or place.sheet in sentences
                origins[block.name] = str(place.at(sheet="") if is_free else place)
        left = [block for block in self.blocks if block.parts]
        while left:
            known = [block for block in left if self.sources[block.name] <= origins.keys()]
            if not known:  # the steps of a training read each other
                return origins
            for block in known:
                origins[block.name] = self._origin(block, origins)
            left = [block for block in left if block.name not in origins]
        return origins

    def _origin(self, block: Block, origins: Mapping[str, str]) -> str:
        def origin(match: re.Match[str]) -> str:
            source = self.by_name.get(match[0])
            if source is None:
                return match[0]
            columns = [place[1:] for place in source.slices if place[0] == match[0]]
            return f"{origins[source.name]}{columns or ''}"

        text = "|".join(WORD.sub(origin, part.formula) for part in block.parts)
        return f"_{hashlib.sha256(text.encode()).hexdigest()}"

    def _alike(self, answer: str) -> list[str]:
        """Blocks that would show an answer's numbers.

        They are on other sheets or of other sentences; for trainings, on the page of all steps, or results of
        the gradient check.
        """
        origin, place = self.origins.get(answer, answer), parse(answer)
        alike = [n for n, one in self.origins.items() if one == origin and n not in self.exercise.answers]
        copies = [name for name, shown in self.copies.items() if shown == answer]
        checks = [place.place["CheckNumeric"]] if place.is_weight_gradient else []
        return [*alike, *copies, *checks]

    @cached_property
    def copies(self) -> dict[str, str]:
        """The ranges of the step of a training that repeat an answer, and the answer."""
        asked = {answer: parse(answer) for answer in self.exercise.answers}
        shown = {answer: place for answer, place in asked.items() if place.block == SHOWN}
        return {place.place[f"{place.part}_{STEPS}"]: answer for answer, place in shown.items()}

    @cached_property
    def reads(self) -> dict[str, set[str]]:
        """The answers that each block waits for.

        Those are the answers that it reads, but not through an answer that is a whole range. Blocks that
        would show an answer's numbers wait as well.
        """
        readers: dict[str, set[str]] = {}
        for name, sources in self.sources.items():
            for source in sources - {name}:
                readers.setdefault(source, set()).add(name)
        reads: dict[str, set[str]] = {}
        for answer in self.exercise.answers:
            waiting = [*readers.get(answer, ()), *self._alike(answer)]
            while waiting:
                name = waiting.pop()
                if answer not in reads.setdefault(name, set()):
                    reads[name].add(answer)
                    waiting += () if self._is_whole(name) else readers.get(name, ())
        return reads

    def _is_whole(self, name: str) -> bool:
        """Whether all of a range is left blank; otherwise its other cells are computed, and wait."""
        return self.exercise.answers.get(name) == ()

    def ready(self, block: Block) -> str:
        """The condition that all answers that a block reads are complete; "" if it reads none."""
        reads = self.reads.get(block.name, set())
        return "*".join(answered(name) for name in self.exercise.answers if name in reads)

    @cached_property
    def regions(self) -> dict[str, Region]:
        """The cells to compute, by range."""
        blocks = {name: self.by_name[name] for name in self.exercise.answers}
        return {n: region(self.exercise.answers[n], block.rows, block.cols) for n, block in blocks.items()}

    def can_be_blank(self, block: Block) -> bool:
        """Whether a block has an alternative formula, with which it can be marked."""
        return not _is_forward(block.name) and self.other_way(block) is not None

    def fits(self) -> bool:
        """Whether every answer is a range of these blocks that can be left blank, and is large enough."""
        for name, place in self.exercise.answers.items():
            block = self.by_name.get(name)
            if block is None or block.name != name or not self.can_be_blank(block):
                return False
            if any(n > most for n, most in zip(place, (block.rows, block.cols), strict=False)):
                return False
        return bool(self.exercise.answers)

    @cached_property
    def operations(self) -> set[str]:
        """The formulas of the answers' operations."""
        return {self.by_name[name].parts[0].op.formula for name in self.exercise.answers}

    def other_way(self, block: Block, *, precise: bool = True) -> str | None:
        """Another formula for each cell of a block."""
        alternative = alternative_for(block)
        if alternative is None:
            return None
        formula = (alternative.precise if precise else "") or alternative.formula
        return at_cell(formula, block.parts[0], (block.rows, block.cols), self.shapes)

    def is_twin(self, block: Block) -> bool:
        """Whether a block is not left blank, but its formula would show how an answer is computed."""
        same = bool(block.parts) and block.parts[0].op.formula in self.operations
        return same and block.name not in self.exercise.answers

    # --- blocks ---------------------------------------------------------------------------------------------

    def block(self, block: Block) -> Block:
        """A block as it is in the exercise, before `wrapped` makes it wait."""
        place = self.regions.get(block.name)
        look = "typed mask" if block.look == "mask" else block.look  # a wrong 0.5 would show as 1
        if place is not None and place.size == block.rows * block.cols:
            parts = block.parts if self.solved else ()
            return replace(block, kind="answer", look=look, parts=parts, region=place)
        if place is not None:
            key = self._usual(block) if self.solved else None
            parts = (self._another(block),)
            return replace(block, look=look, parts=parts, region=place, key=key, concealed=True)
        if block.name in self.copies:
            op = Op("the same", f"={self.copies[block.name]}[cell]", "cells")
            return replace(block, parts=(Part(op, {}, block.cols),), bands=0)
        if self.is_twin(block):
            parts = (self._another(block),) if self.other_way(block) else block.parts
            return replace(block, parts=parts, concealed=True)
        return block

    def _another(self, block: Block) -> Part:
        return _cell_by_cell(block, self.other_way(block) or "")

    def _usual(self, block: Block) -> Part:
        """The formula of a single cell, as it is usually written."""
        part = block.parts[0]
        usual = alternative_for(block)
        formula = (usual.usual if usual else "") or part.op.formula.removeprefix("=")
        at_each = at_cell(formula, part, (block.rows, block.cols), self.shapes)
        return _cell_by_cell(block, at_each or self.other_way(block) or "")

    def wrapped(self, block: Block) -> Block:
        """A block that waits for the answers that its ordinary formula reads."""
        ready = self.ready(block)
        if not ready or not block.parts or block.kind != "formula":
            return block
        return replace(block, parts=tuple(_wrapped(part, ready) for part in block.parts), waits=True)

    def complete(self, block: Block) -> Block:
        """The cell that is 1 if the answer is complete."""
        formula = f"=--(COUNT({{region}})={self.regions[block.name].size})"
        op = Op("1 if it is complete", formula, "cells")
        return computed(answered(block.name), (1, 1), op, "mark", region=region_of(block.name))

    def marks(self, block: Block) -> Block:
        """The marks of an answer, one for each cell to compute."""
        place = self.regions[block.name]
        right, ready = self.other_way(block, precise=False), self.ready(block)
        formula_there = _has_formula(place, block)
        allowed = f"{texts.TOLERANCE:.0E}*(1+ABS({right}))".replace("E-0", "E-")
        if self.exercise.ask != "formula":
            more = f"{units(block.name)}E-{self.exercise.decimals}"
            allowed += f"+IF({formula_there},0,{more})"
        number_mark = f"IF(ABS({{r}}[cell]-({right}))<={allowed},{{right}},{{not_yet}})"
        if self.exercise.ask == "formula":
            number_mark = f"IF({formula_there},{number_mark},{{no_formula}})"
        if ready:
            number_mark = f"IF({ready},{number_mark},{{waiting}})"
        formula = (
            "=IF(ISBLANK({r}[cell]),IF(COUNTA({region})=0,{empty},{blank}),IF(ISERROR({r}[cell]),{error},"
            f"IF(ISNUMBER({{r}}[cell]),{number_mark},{{no_number}})))"
        )
        words = {
            "blank": texts.BLANK,
            "error": texts.ERROR,
            "no_number": texts.NO_NUMBER,
            "no_formula": texts.NO_FORMULA,
            "right": texts.RIGHT,
            "not_yet": texts.NOT_YET,
        }
        op = Op("a mark", formula, "cell arrays", texts=words)
        names = {"r": block.name, "region": region_of(block.name), "empty": '""', "waiting": '"–"'}
        mark = computed(mark_of(block.name), (block.rows, block.cols), op, "mark", **names)
        return replace(mark, marked=place, concealed=True)

    def progress(self) -> Block:
        """The share of points earned so far, from 0 to 1."""
        terms, points = [], 0
        for name in self.exercise.answers:
            worth = self.exercise.points.get(name, 1)
            points += worth
            terms.append(f"{worth}*SUM(--({mark_of(name)}={{right}}))/{self.regions[name].size}")
        formula = f"=({'+'.join(terms)})/{points}"
        op = Op("progress", formula, "cell arrays", texts={"right": texts.RIGHT})
        return computed(START[texts.PROGRESS], (1, 1), op, "progress")

    # --- groups ---------------------------------------------------------------------------------------------

    def below(self, block: Block) -> dict[str, Block]:
        """The blocks below an answer, by their labels: its marks, and whether it is complete."""
        below = {"marks": self.marks(block)} if self.exercise.marks else {}
        return below | {"complete": self.complete(block)}

    def group(self, group: Group) -> Group:
        """A group with its answers, their marks below them, and the task as its title."""
        blocks, rows = list[Block](), list[Any]()
        for i, block in enumerate(group.blocks):
            added = self.below(block) if block.name in self.regions else {}
            blocks += [self.block(block), *added.values()]
            rows += [group.rows[i] if i < len(group.rows) else ("",) * block.rows]
            rows += [(label, *("",) * (b.rows - 1)) for label, b in added.items()]
        sides = tuple(self._side(side) for side in group.sides)
        labels = tuple(rows) if group.rows else ()
        title, target = self._title(group)
        return replace(group, blocks=tuple(blocks), rows=labels, sides=sides, title=title, target=target)

    def _side(self, side: Side) -> Side:
        added = [b for block in side.blocks if block.name in self.regions for b in self.below(block).values()]
        return replace(side, blocks=(*map(self.block, side.blocks), *added))

    def _title(self, group: Group) -> tuple[str, str]:
        """The title of a group, which is the task if it has answers, and the target of its link."""
        every = (*group.blocks, *(block for side in group.sides for block in side.blocks))
        asked = next((block for block in every if block.name in self.regions), None)
        if asked is not None:
            ask = say(ASK[self.exercise.ask])
            if self.exercise.hints:
                return say(ASK_WITH_HINTS, ask=ask), f"{HINT_PAGE} {asked.name}"
            return ask, ""
        return (TWIN if self.is_twin(group.blocks[0]) else group.title), ""


def _is_forward(name: str) -> bool:
    """Whether a range belongs to a forward pass of a training, whose formulas its step shows as well."""
    place = parse(name)
    return place.block in ("Plus", "Minus") or (place.block == SHOWN and not place.is_update)


def alternative_for(block: Block) -> Alternative | None:
    """The alternative formula of a block; None if there is none."""
    return alternative_of(block.parts[0]) if len(block.parts) == 1 and not block.bands else None


def _cell_by_cell(block: Block, formula: str) -> Part:
    return Part(replace(block.parts[0].op, formula=f"={formula}", entered="cell arrays"), {}, block.cols)


def _wrapped(part: Part, ready: str) -> Part:
    formula = f'=IF({ready},{part.op.formula.removeprefix("=")},"–")'
    return replace(part, op=replace(part.op, formula=formula))


def _has_formula(place: Region, block: Block) -> str:
    """The condition that a cell holds a formula; in IronCalc only the first cell of an array formula does."""
    cells = ["{r}[cell]"]
    if place.size > 1:
        cells.append("{r}[first]")
    if place.rows > 1:
        cells += ["{r}[col]", "{r}[1]"]
    tests = ",".join(f"_xlfn.ISFORMULA({cell})" for cell in cells if block.cols > 1 or cell != "{r}[first]")
    return f"IFERROR(OR({tests}),TRUE)"


# --- pages -------------------------------------------------------------------------------------------------


def with_answers(pages: Iterable[Page], exercise: ExerciseBlocks) -> list[Page]:
    """Pages with answers, marks and twins. All groups are expanded, as groups of protected sheets cannot be.

    Raises:
        ValueError: an answer is not a range of these pages, or cannot be left blank.
    """
    if not exercise.fits():
        raise ValueError(say("the exercise does not match the sheets"))
    return [_with_answers(page, exercise) for page in pages]


def _with_answers(page: Page, exercise: ExerciseBlocks) -> Page:
    bands = []
    for band in page.bands:
        groups = tuple(group and exercise.group(group) for group in band.groups)
        has_answers = any(group and group.blocks[0].name in exercise.regions for group in band.groups)
        more = "" if has_answers else band.more
        bands.append(replace(band, groups=groups, more=more, level=0, closed=False))
    facts = tuple(replace(fact, block=exercise.block(fact.block)) for fact in page.facts)
    return replace(page, bands=tuple(bands), facts=facts, tries=())


def waiting(page: Page, exercise: ExerciseBlocks) -> Page:
    """A page whose formulas wait for the answers that they read."""
    return _mapped(page, exercise.wrapped)


def _mapped(thing: T, change: Callable[[Block], Block]) -> T:
    """A page or a part of it with each block changed."""
    result: Any = thing
    if isinstance(thing, Block):
        result = change(thing)
    elif isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        result = tuple(_mapped(one, change) for one in thing)
    elif is_dataclass(thing) and not isinstance(thing, (type, Op)):
        result = replace(thing, **{f.name: _mapped(getattr(thing, f.name), change) for f in fields(thing)})
    return result  # type: ignore[no-any-return]


def hints_page(pages: Iterable[Page], exercise: ExerciseBlocks) -> Page:
    """Three hints for each answer: what it is computed from, why, and the formula in words."""
    steps = {
        block.name: band
        for page in pages
        for band in page.bands
        for group in filter(None, band.groups)
        for block in group.every_block()
    }
    hints = []
    for name in exercise.exercise.answers:
        band, part, alternative = (
            steps[name],
            exercise.by_name[name].parts[0],
            alternative_for(exercise.by_name[name]),
        )
        operands = {key: operand.partition("[")[0] for key, operand in part.names.items()}
        listed = ", ".join(
            dict.fromkeys(operand for operand in operands.values() if operand in exercise.shapes)
        )
        assert alternative is not None  # or it could not be left blank
        words = alternative.in_words({key: parse(operand).quantity for key, operand in operands.items()})
        title = say("{name}: {title}", name=name, title=say(band.title))
        why = band.more or band.why or band.title
        hints.append(Hints(name, title, (say("It is computed from {names}.", names=listed), why, words)))
    return Page(
        HINT_PAGE,
        "Hints",
        "Three hints for each answer, shown one at a time. Think before you click.",
        subtitle="if you get stuck",
        hints=tuple(hints),
    )


def extra_pages(pages: Iterable[Page], exercise: ExerciseBlocks) -> list[Page]:
    """The pages that only an exercise has; the last is empty, for the reader's own cells."""
    lead = "Write anything here: formulas in answers may refer to these cells."
    scratch = Page(SCRATCH_PAGE, "Scratch", lead, subtitle="for helper cells", free=True)
    return [*([hints_page(pages, exercise)] if exercise.exercise.hints else []), scratch]


def with_progress(start: Page, exercise: ExerciseBlocks) -> Page:
    """The first screen with a progress bar."""
    if start.screen is None or not exercise.exercise.marks:
        return start
    return replace(start, screen=replace(start.screen, progress=exercise.progress()))
