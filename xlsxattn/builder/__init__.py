"""Makes a workbook: from a spec to named ranges of live formulas."""
