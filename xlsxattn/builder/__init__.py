"""Builds a workbook: turns a spec into named ranges of live formulas."""
