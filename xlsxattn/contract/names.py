"""Range names as records: the only module that builds and parses them (see docs/contract.md).

    gpt_s1_l2_h3_Attention_Rows    sheet gpt, context s1, layer 2, head 3, block Attention, label Rows
    tr_dec_l1_Cross_W_Q            sheet tr, side dec, layer 1, the cross-attention's block W_Q
    gpt_in_s1_Heading              sheet gpt, page in, context s1, block Heading
    s1_Tokens                      context s1, block Tokens

Ids consist of lower-case letters and digits; blocks start with a capital letter, except biases (``b_Q``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VOCABULARY, FRONT = "vocab", "xlsxattn"
"""Used in place of a sheet id: the vocabulary, and the front page with the manifest."""
MANIFEST = ("Version", "Sheets", "Contexts", "Inputs", "Formulas")
"""The tables of the manifest: ``xlsxattn_Version``, ..."""
PROGRAM, LANGUAGE, FIRST_SCREEN, EXERCISE, SEAL = "Program", "Language", "Front", "Exercise", "Seal"
ORIGIN = (PROGRAM, LANGUAGE, FIRST_SCREEN, EXERCISE, SEAL)
"""Optional tables of the manifest: the version that built the workbook, the language of its texts, the
contents of the first screen, the settings of an exercise, and whose personal copy it is."""
SIDES = ("enc", "dec")
"""The two sides of an encoder-decoder."""
PAGES = ("in", "out", "heads", "similar", "maps")
"""Pages of a model that have their own headings."""
ROWS, COLS = "Rows", "Cols"
LABELS = (ROWS, COLS)
"""The labels of the rows and columns of a block."""
GAMMA, BETA = "Gamma", "Beta"
"""The learned parameters of a norm: γ and β."""
SUMMARIES = ("First", "Last", "Frobenius")
"""The summaries of a large matrix."""
FEW_ROWS, FEW_COLUMNS = 4, 3
"""Numbers of rows and columns of the first and last columns in a summary."""
MATRIX, BIAS = "W", "b"
CROSS, HEADING, STATUS = "Cross", "Heading", "Status"
LIVE_CHECKS = (STATUS, "Drift", "AttentionSum")
"""Blocks that show the same for all inputs, so that their values cannot verify their formulas."""
STEPS = "Steps"
"""The last part of the name of a range with one band of rows for each step of a training."""
MEMORY = {"sgd": (), "momentum": ("Velocity",), "adam": ("Moment1", "Moment2")}
"""Quantities that an optimizer keeps from one training step to the next."""
UPDATES = ("Velocity", "Moment1", "Moment2", "Correction1", "Correction2", "Proposed", "Largest")
"""Quantities, besides gradients, that belong to a training step and not to the weights before or after it."""
SHOWN = "Shown"
"""The block of all quantities of the step of a training that is shown."""
TYPED_FOR = "Words"
"""The words for which the typed rows of a model were computed."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+")
"""At least two parts joined by underscores: never a cell address, a number or a function."""
PART = re.compile(
    r"([A-Za-z_]\w*)\[(row|first|cell|above|col|across|down|column|\.\.(?:rows?|cell|diagonal)|\d+)\]",
    re.ASCII,
)
"""In a formula of the manifest, a name with the part of its range that each cell reads (docs/contract.md)."""
BAND = re.compile(r"([A-Za-z_]\w*)\[(step|before|all)\]", re.ASCII)
"""The same with the band of rows that each training step reads."""
WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
"""A word of a formula: a name, or a function."""
_NUMBERED = re.compile(r"([lhg])([1-9][0-9]*)")
_ANY = "w"
"""Placeholder for the sheet id of a name without one; not allowed as an id."""
_NUMBER_OF = {"l": "layer", "h": "head", "g": "group"}


@dataclass(frozen=True, slots=True)
class RangeName:
    """The name of a range, or a prefix of names (without a block); "" and 0 mean absent.

    Attributes:
        sheet: the sheet's id, or ``vocab``, or ``xlsxattn``; "" for ranges of a context only.
        side: ``enc`` or ``dec``, for weights, live checks and headings of an encoder-decoder.
        page: for headings, the page of the model: ``in``, ``out``, ``heads``, ``similar`` or ``maps``.
        context: the context's id.
        of: the sheet that a compare sheet follows, or whose status the front page repeats.
        layer: the layer's number.
        cross: whether it belongs to cross-attention.
        head: the head's number.
        group: the number of the group of heads that share keys and values.
        block: the content: ``Attention``, ``W_Q``, ``Norm1``.
        part: a part of the block: ``Gamma``, ``Mean``, ``First``; or a depth, ``X`` or ``l1``.
        label: ``Rows`` or ``Cols`` if it is the row or column labels of the range.
    """

    sheet: str = ""
    side: str = ""
    page: str = ""
    context: str = ""
    of: str = ""
    layer: int = 0
    cross: bool = False
    head: int = 0
    group: int = 0
    block: str = ""
    part: str = ""
    label: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the name in order; in a heading, the layer comes before the context."""
        layer, sentence = (f"l{self.layer}" if self.layer else "",), (self.context, self.of)
        among = (*layer, *sentence) if self.block == HEADING else (*sentence, *layer)
        cross = CROSS if self.cross else ""
        head, group = f"h{self.head}" if self.head else "", f"g{self.group}" if self.group else ""
        before = (self.sheet, self.side, self.page, *among, cross, head, group)
        return tuple(filter(None, (*before, self.block, self.part, self.label)))

    def __str__(self) -> str:
        """The name as defined in the workbook."""
        return "_".join(self.parts)

    def __getitem__(self, block: str) -> str:
        """The name of a block with this prefix: ``p["Scores"]``."""
        return _named(self, block)

    def at(self, **places: Any) -> RangeName:  # noqa: ANN401 - an id or a number
        """A copy with other parts: ``p.at(layer=1, head=2)``."""
        return replace(self, **places)

    def under(self, part: RangeName) -> RangeName:
        """A copy for a head or group: ``p.under(RangeName(head=2))``."""
        return _under(self, part.head, part.group)

    @property
    def lane(self) -> RangeName:
        """The prefix of all names of the same context on the same sheet."""
        return RangeName(self.sheet, context=self.context)

    @property
    def place(self) -> RangeName:
        """The prefix: the name without its block."""
        return replace(self, block="", part="", label="")

    @property
    def labelled(self) -> RangeName:
        """The range that a label belongs to; other names unchanged."""
        return replace(self, label="")

    @property
    def last(self) -> str:
        """The last part of the name."""
        return last(self.label or self.part or self.block)

    @property
    def key(self) -> str:
        """The key of a weight in a spec: the name without the sheet."""
        return str(replace(self, sheet=""))

    def relative(self, place: RangeName) -> str:
        """The name without a prefix: ``h2_W_Q`` within ``gpt_l1``."""
        return "_".join(self.parts[len(place.parts) :])

    @property
    def is_matrix(self) -> bool:
        """Whether it is a learned matrix, or a summary of one."""
        return self.block.startswith(f"{MATRIX}_")

    @property
    def is_bias(self) -> bool:
        """Whether it is a bias."""
        return self.block.startswith(f"{BIAS}_")

    @property
    def is_of_norm(self) -> bool:
        """Whether it is γ or β of a norm."""
        return self.part in (GAMMA, BETA)

    @property
    def is_weight(self) -> bool:
        """Whether it is a learned parameter, or a summary of one."""
        return self.is_matrix or self.is_bias or self.is_of_norm

    @property
    def is_row(self) -> bool:
        """Whether it is a learned row vector: a bias, γ or β."""
        return self.is_bias or self.is_of_norm

    @property
    def is_summary(self) -> bool:
        """Whether it is a summary of a large matrix."""
        return self.is_matrix and self.part in SUMMARIES

    @property
    def is_map(self) -> bool:
        """Whether it is on the page that shows the attention of all heads."""
        return self.page == "maps" or (self.block == "Map" and self.head > 0)

    @property
    def is_of_steps(self) -> bool:
        """Whether it has a band of rows for each step of a training."""
        return self.part.split("_")[-1] == STEPS or self.block == "Loss"

    @property
    def is_update(self) -> bool:
        """Whether it belongs to a training step: a gradient, or a quantity computed from gradients."""
        return self.quantity.partition("_")[0] in UPDATES or _is_gradient(self.quantity)

    @property
    def is_weight_gradient(self) -> bool:
        """Whether it is the gradient of a learned matrix."""
        return self.quantity.partition("_")[0] == f"d{MATRIX}"

    @property
    def quantity(self) -> str:
        """What it holds: its block, or the quantity that a training's shown step shows."""
        return self.part if self.block == SHOWN else self.block

    def bands(self, steps: int) -> int:
        """The number of bands of rows in a training with this number of steps."""
        return steps if self.is_update else steps + 1

    @property
    def is_manifest(self) -> bool:
        """Whether it is a table of the manifest."""
        return self.sheet == FRONT and self.block in (*MANIFEST, *ORIGIN)

    @property
    def is_status(self) -> bool:
        """Whether it is the status of a sheet, a layer or the workbook."""
        return self.block == STATUS

    @property
    def is_live_check(self) -> bool:
        """Whether it is a live check, or one of the numbers that it is computed from."""
        return self.block in LIVE_CHECKS and not self.label


@lru_cache(maxsize=1 << 16)
def _named(place: RangeName, block: str) -> str:
    """The name of a block with a prefix, cached as a check needs the same names for every set of inputs."""
    return str(replace(place, block=block, part="", label=""))


@lru_cache(maxsize=1 << 12)
def _under(place: RangeName, head: int, group: int) -> RangeName:
    return replace(place, head=head, group=group)


WORDS = RangeName(VOCABULARY)
"""The prefix of the vocabulary: ``WORDS["E"]`` is vocab_E."""
START = RangeName(FRONT)
"""The prefix of the manifest and of the live checks on Start."""


def of_context(context: str) -> RangeName:
    """The prefix of the ranges of a context."""
    return RangeName(context=context)


def rows_of(name: str) -> str:
    """The name of the row labels of a range."""
    return part_of(name, ROWS)


def cols_of(name: str) -> str:
    """The name of the column labels of a range."""
    return part_of(name, COLS)


def part_of(name: str, part: str) -> str:
    """The name of a part of a range: its mean, its first columns, its labels."""
    return f"{name}_{part}"


def last(name: str) -> str:
    """The last part of a name."""
    return name.rpartition("_")[2]


def beginning_with(ids: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names whose first part is one of these ids."""
    starts = tuple(f"{one}_" for one in ids)
    return [name for name in names if name.startswith(starts)]


def ends_in(name: str, tails: str | tuple[str, ...]) -> bool:
    """Whether a name ends in these parts, such as ``Cross_h1_Attention``, or in one of several."""
    several = (tails,) if isinstance(tails, str) else tails
    return f"_{name}".endswith(tuple(f"_{tail}" for tail in several))


def endings(name: str) -> list[str]:
    """All endings of a name, the longest first: of ``Cross_h1_Scores`` also ``h1_Scores`` and ``Scores``."""
    parts = name.split("_")
    return ["_".join(parts[i:]) for i in range(len(parts))]


def is_name(text: str) -> bool:
    """Whether a text is a valid range name."""
    return NAME.fullmatch(text) is not None


def is_text(name: str) -> bool:
    """Whether an input range holds words rather than numbers."""
    worded = ("Tokens", "Classes", "Asked", "CheckMatrix", "Matrices", TYPED_FOR)
    return last(name) in worded or name in (WORDS["Dims"], WORDS["Focus"])


Parse: TypeAlias = "Callable[[str], RangeName]"


def parser(sheets: Iterable[str], contexts: Iterable[str]) -> Parse:
    """A parser of range names, given the ids of a workbook's sheets and contexts.

    An unknown name is parsed as a single block.
    """
    return _parser(frozenset(sheets), frozenset(contexts))


@lru_cache(maxsize=16)
def _parser(sheets: frozenset[str], contexts: frozenset[str]) -> Parse:
    return lru_cache(maxsize=None)(_Ids(sheets, contexts).parsed)


@lru_cache(maxsize=4096)
def parse(name: str) -> RangeName:
    """Parse a name without knowing the ids: the first id is assumed to be a sheet's."""
    return _Ids(None, None).parsed(name)


def weight(key: str) -> RangeName:
    """Parse the key of a weight in a spec, which has no sheet."""
    found = parse(f"{_ANY}_{key}")
    return replace(found, sheet="") if found.sheet else RangeName(block=key)


@dataclass(frozen=True)
class _Ids:
    """The ids of a workbook's sheets and contexts; None if any id is accepted."""

    sheets: frozenset[str] | None
    contexts: frozenset[str] | None

    def parsed(self, name: str) -> RangeName:
        """Parse a name; an unknown one is a single block with an optional label."""
        found = self._parsed(name.split("_"))
        if found is not None and str(found) == name:
            return found
        before, _, label = name.rpartition("_")
        return RangeName(block=before, label=label) if before and label in LABELS else RangeName(block=name)

    def _parsed(self, parts: list[str]) -> RangeName | None:
        begins = (part[:1].isupper() or part == BIAS or _is_gradient(part) for part in parts)
        ids = next((i for i, found in enumerate(begins) if found), len(parts))
        before, said = parts[:ids], parts[ids:]
        if not before or not said:
            return None
        cross = said[0] == CROSS
        if cross:
            while said[1:] and _NUMBERED.fullmatch(said[1]):
                before.append(said.pop(1))
            said = said[1:]
        block = _block(said)
        if block is None:
            return None
        if self._is_sheet(before[0]):
            found: RangeName | None = replace(block, sheet=before[0], cross=cross)
            return found and self._placed(found, before[1:])
        if len(before) == 1 and self._is_context(before[0]):
            return replace(block, context=before[0], cross=cross)
        return None

    def _placed(self, found: RangeName, ids: list[str]) -> RangeName | None:
        """Parse the ids and numbers between the sheet and the block."""
        if found.sheet == FRONT and found.is_status and len(ids) == 1:
            return replace(found, of=ids[0])
        if found.block == HEADING:
            return self._heading(found, ids)
        for part in ids:
            number = _NUMBERED.fullmatch(part)
            if number:
                found = found.at(**{_NUMBER_OF[number[1]]: int(number[2])})
            elif part in SIDES and not found.side and (found.is_weight or found.is_status):
                found = replace(found, side=part)
            elif not found.context and self._is_context(part):
                found = replace(found, context=part)
            elif found.context and not found.of and self._is_sheet(part):
                found = replace(found, of=part)
            else:
                return None
        return found

    def _heading(self, found: RangeName, ids: list[str]) -> RangeName | None:
        """Parse the parts before ``Heading``: a page or a layer, then the context; or a head."""
        for i, part in enumerate(ids, 1):
            number = _NUMBERED.fullmatch(part)
            if number:
                found = found.at(**{_NUMBER_OF[number[1]]: int(number[2])})
            elif i == len(ids) and self._is_context(part):
                found = replace(found, context=part)
            elif part in SIDES and not found.side:
                found = replace(found, side=part)
            elif part in PAGES and not found.page:
                found = replace(found, page=part)
            else:
                return None
        return found

    def _is_sheet(self, part: str) -> bool:
        return part in (VOCABULARY, FRONT) or self.sheets is None or part in self.sheets

    def _is_context(self, part: str) -> bool:
        return self.contexts is None or part in self.contexts


def _is_gradient(part: str) -> bool:
    """Whether a part of a name denotes a gradient: ``dOutput``, ``dW``."""
    return part[:1] == "d" and part[1:2].isupper()


def _block(said: list[str]) -> RangeName | None:
    """Parse what follows the ids: the block, its part, its label."""
    label = said[-1] if len(said) > 1 and said[-1] in LABELS else ""
    said = said[:-1] if label else said
    if not all(said):
        return None
    size = 2 if said[0] in (MATRIX, BIAS) else 1
    return RangeName(block="_".join(said[:size]), part="_".join(said[size:]), label=label)
