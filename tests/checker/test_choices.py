"""Cells with several acceptable values."""

from __future__ import annotations

import math

import pytest

from xlsxattn.checker.compare import distance
from xlsxattn.checker.reference.choices import Counted, OneOf, Wording, own


@pytest.mark.parametrize(
    ("value", "right", "apart"),
    [
        (2.0, OneOf((3.0, 2.0)), 0.0),
        (2.5, OneOf((3.0, 2.0)), 0.5),
        ("are", OneOf(("cat", "are")), 0.0),
        ("bird", OneOf(("cat", "are")), math.inf),
        ("Head 2", Counted(2), 0.0),
        ("第 2 头", Counted(2), 0.0),
        ("Head 12", Counted(2), math.inf),
        ("Head 2 of 3", Counted(2), math.inf),
        ("Head", Counted(2), math.inf),
        (None, Counted(2), math.inf),
        ("word", Counted(), 0.0),
        ("layer 1", Counted(), math.inf),
        (" ", Counted(), math.inf),
        ("0,5 × cat", Wording(((0.5,), (" × ",), ("cat", "are"))), 0.0),
        ("0.5 × are", Wording(((0.5,), (" × ",), ("cat", "are"))), 0.0),
        ("0.5 × are", Wording(((0.6,), (" × ",), ("cat", "are"))), math.inf),
        ("0.5 × are + ...", Wording(((0.5,), (" × ",), ("cat", "are"))), math.inf),
    ],
)
def test_acceptable_values(value, right, apart):
    assert distance(value, right, "number" if isinstance(value, float) else "text") == apart


def test_the_references_own_comes_first():
    assert own(OneOf((3.0, 2.0))) == 3.0
    assert own(Wording(((0.5,), (" × ",), ("cat", "are")))) == "0.5 × cat"
    assert own(Counted(2)) == "2"
