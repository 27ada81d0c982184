"""Definitions shared by builder and checker: kinds and keys, range names, values. Data only, no formulas."""
