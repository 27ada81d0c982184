"""The reader's answers to an exercise, which the reference uses as inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Sized

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Own
    from xlsxattn.checker.reference.words import Inputs
    from xlsxattn.contract.names import RangeName


def own(inputs: Inputs, p: RangeName) -> Own:
    """A function that replaces a block with this prefix by the reader's answer, if `inputs` has one.

    An answer is NaN in cells that need not be computed.
    """

    def replaced(block: str, x: Sized) -> Sized:
        answer = inputs.get(p[block])
        if answer is None or answer.shape[-2:] != x.value.shape[-2:]:
            return x
        asked = ~np.isnan(answer)
        return Sized(np.where(asked, answer, x.value), np.where(asked, np.abs(answer), x.size))

    return replaced
