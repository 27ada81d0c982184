"""The reference: expected values of all computed ranges, by NumPy, from the papers and the contract."""

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.ranges import expected, expected_of_sets
from xlsxattn.checker.reference.words import ShapesDisagree, SheetInfo

__all__ = ["Expected", "ShapesDisagree", "SheetInfo", "expected", "expected_of_sets"]
