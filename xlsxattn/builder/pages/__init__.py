"""The content of each page: blocks of formulas and texts, not yet placed in cells."""

from xlsxattn.builder.pages.frame import book, formula_table

__all__ = ["book", "formula_table"]
