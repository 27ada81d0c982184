"""Places the blocks of all pages in cells, and writes their formulas as text."""

from xlsxattn.builder.layout.sheet import lay_out

__all__ = ["lay_out"]
