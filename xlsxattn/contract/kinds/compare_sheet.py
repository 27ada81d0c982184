"""The kind of sheet that follows the focus word through the sheets before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from xlsxattn.contract.keys import IF_SET_TRUE, WHOLE, Axes, Items, Text, Word
from xlsxattn.contract.kinds.base import Sheet
from xlsxattn.contract.values import MAX_NEAR

ChartAxes: TypeAlias = Annotated[
    Sequence[str],
    Axes("the two dimensions of the chart; default: the first two", Text("a dimension"), "dimensions", 2),
    WHOLE,
]
Near: TypeAlias = Annotated[
    Sequence[str],
    Items(
        "words with which the inputs and outputs of the focus word are compared",
        *(Word("a word"), "words", MAX_NEAR, 0),
    ),
    IF_SET_TRUE,
]


@dataclass(frozen=True, kw_only=True)
class Compare(Sheet):
    """Follows the focus word through the sheets before it."""

    kind = "compare"
    axes: ChartAxes = ()
    near: Near = ()
