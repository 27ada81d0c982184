"""Causal and padding masks, and their ranges.

Source: Vaswani et al. 2017, "Attention Is All You Need", §3.2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import causal_mask, given, numbers
from xlsxattn.checker.reference.words import constant, count
from xlsxattn.contract.values import MASK_VALUE
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Array, Own, Ranges
    from xlsxattn.checker.reference.words import ContextWords
    from xlsxattn.contract.names import RangeName


def index(p: RangeName, n: int, *, rows: bool = True, cols: bool = True) -> Ranges:
    """The mask's index vectors, (n, 1) and (1, n)."""
    found = {p["RowIdx"]: numbers(count(n))} if rows else {}
    return found | ({p["ColIdx"]: constant(count(n).value.T)} if cols else {})


def mask_value(s: RangeName) -> Ranges:
    """The mask value of a sheet, which stands for −∞."""
    return {s["MaskValue"]: constant([[MASK_VALUE]])}


def visible(mask: str, c: ContextWords, own: Own = lambda _, x: x) -> Array | None:
    """The mask of a sentence, (..., n, n): 1 or 0; None without a mask. `own` has a reader's answers.

    Raises:
        ValueError: the mask is unknown.
    """
    if mask not in ("none", "causal", "padding", "causal+padding"):
        raise ValueError(say("the reference does not support the mask {mask}", mask=mask))
    if mask == "none":
        return None
    n = c.tokens.shape[-2]
    seen = np.ones((n, n))
    if "causal" in mask:
        seen = own("CausalMask", given(causal_mask(n))).value
    if "padding" in mask:
        seen = seen * np.swapaxes(own("PaddingMask", given(c.exists[..., None].astype(float))).value, -1, -2)
    return seen


def padding(p: RangeName, c: ContextWords) -> Ranges:
    """The padding mask, (..., n, 1)."""
    return {p["PaddingMask"]: constant(c.exists[..., None].astype(float))}


def mask_ranges(p: RangeName, mask: str, c: ContextWords, seen: Array | None) -> Ranges:
    """The mask ranges of a sentence, whose mask is `seen`."""
    if seen is None:
        return {}
    n = c.tokens.shape[-2]
    found = index(p, n) | {p["Mask"]: constant(seen)}
    if "padding" in mask:
        found |= padding(p, c)
    if mask == "causal+padding":
        found |= {p["CausalMask"]: constant(causal_mask(n))}
    return found
