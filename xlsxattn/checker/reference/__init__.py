"""The reference: expected values of all computed ranges, by NumPy, from the papers and the contract."""

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.ranges import expected
from xlsxattn.checker.reference.words import ShapesDisagree, SheetInfo

__all__ = ["Expected", "ShapesDisagree", "SheetInfo", "expected"]
