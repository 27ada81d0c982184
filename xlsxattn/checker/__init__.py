"""Proves a workbook: an engine recalculates its formulas, and NumPy computes the expected values."""
