"""Faults of a training: gradients, optimizers, and steps that read other steps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev.campaign.formulas import address, inside, moved, put
from dev.campaign.partners import home, place
from dev.campaign.site import Fault
from xlsxattn.contract.kinds import Training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.campaign.formulas import Operand
    from dev.campaign.site import Faults, Site


def _is_trained(s: Site) -> bool:
    owner = place(s.book, s.range).sheet
    return any(sheet.id == owner and sheet.is_a(Training) for sheet in s.book.manifest.sheets)


def _quantity(s: Site) -> str:
    """The quantity that a range holds, of the shown step or of all: ``dScaled``, ``Proposed``."""
    at = place(s.book, s.range)
    return at.part.split("_")[0] if at.block == "Shown" else at.block


def _named(s: Site, *blocks: str) -> Iterator[Operand]:
    """The operands of some quantities, by name or by address."""
    for op in s.reads:
        name = op.name or home(s.book, op.area)
        if not name:
            continue
        at = place(s.book, name)
        if at.block in blocks or (at.block == "Shown" and at.part in blocks):
            yield op


def gradients(s: Site) -> Faults:
    """A gradient with the other sign, a softmax without −Σ, a mean over another count."""
    if not _is_trained(s):
        return
    quantity = _quantity(s)
    if quantity[:1] == "d" and not place(s.book, s.range).label:
        yield Fault("sign of a gradient", f"=0-({s.text.removeprefix('=')})")
    if quantity == "dScaled":
        yield Fault("−Σ left out", re.sub(r"-MMULT\([^()]*\)", "", s.text))
    for op in _named(s, "Count"):
        yield Fault("mean over another count", put(s.text, [op], f"({op.text}+1)"))
        yield Fault("mean over another count", put(s.text, [op], f"({op.text}*2)"))


def optimizers(s: Site) -> Faults:
    """Adam without its corrections, a step without weight decay, a difference over h in place of 2h."""
    if not _is_trained(s):
        return
    for op in _named(s, "Correction1", "Correction2"):
        if s.text[op.start - 1] == "/":
            yield Fault("no bias correction", s.text[: op.start - 1] + s.text[op.end :])
    for op in _named(s, "Decay"):
        if s.text[op.end] == "*":
            yield Fault("weight decay left out", s.text[: op.start] + "0" + s.text[op.end :])
    if _quantity(s) == "CheckNumeric":
        yield Fault("h in place of 2h", s.text.replace("/(2*", "/(1*"))


def other_steps(s: Site) -> Faults:
    """Old weights for new ones in one block, the step before that before, and the next step."""
    if not _is_trained(s) or not (place(s.book, s.range).is_of_steps and s.formula.array):
        return
    for op in s.reads:
        outer = s.book.names.get(home(s.book, op.area)) if not op.name else None
        if outer is None or outer == op.area:
            continue
        there = moved(op.area, -op.area.rows)
        if inside(there, outer):
            yield Fault("another step", put(s.text, [op], address(there, s.area.sheet)))


TRAINING_FAULTS: tuple[Callable[[Site], Faults], ...] = (gradients, optimizers, other_steps)
"""Faults of trainings; on other sheets they do not apply."""
