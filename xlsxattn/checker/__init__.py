"""Proves a workbook: an engine recalculates its formulas, NumPy says what they must give."""
