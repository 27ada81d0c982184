"""What stands on each page: blocks of formulas with their words, and no cell yet."""

from xlsxattn.builder.pages.frame import book

__all__ = ["book"]
