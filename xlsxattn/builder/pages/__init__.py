"""What stands on each page: blocks of formulas with their words, and no cell yet."""

from xlsxattn.builder.pages.frame import book, formula_table

__all__ = ["book", "formula_table"]
