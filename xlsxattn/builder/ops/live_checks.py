"""Live checks: cells that say whether a sheet is right, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder.ops.op import Op

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WORDS = 'LEFT({words},1)<>"✗"', "{words}"
"""If the live check of the words fails, all sheets repeat its message."""


def status(good: str, *demands: tuple[str, str]) -> Op:
    """A live check: the message of the first condition that does not hold (✗), or ``good`` (✓).

    A message that begins with – is a note, and not a failure.
    """
    formula, texts = "{good}", {"good": good, "failed": "✗ a cell shows an error"}
    for i, (condition, bad) in reversed([*enumerate(demands, 1)]):
        formula, texts[f"bad{i}"] = f"IF({condition},{formula},{{bad{i}}})", bad
    return Op("a live check", f"=IFERROR({formula},{{failed}})", "cells", texts=texts)


def are_numbers(settings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Conditions of a live check: no setting is a text, which formulas would treat as nearly 0."""
    return tuple((f"NOT(ISTEXT({name}))", message) for name, message in settings.items())


def sums_to_one(drifts: Sequence[str], demands: Sequence[tuple[str, str]] = ()) -> Op:
    """The live check of an attention sheet or a layer: all rows of the softmax sum to 1.

    ``demands``: conditions checked before that, with their messages.
    """
    near = f"MAX({','.join(drifts)})<1E-9", "✗ a row does not sum to 1"
    return status("✓ every row sums to 1", WORDS, *demands, near)


def no_failure(statuses: Iterable[str]) -> str:
    """The condition that no live check fails, that is, begins with ✗."""
    return "AND({})".format(",".join(f'LEFT({name},1)<>"✗"' for name in statuses))
