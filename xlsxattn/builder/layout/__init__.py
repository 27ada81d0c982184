"""Where everything stands: from pages to blocks in cells, and the text of their formulas."""

from xlsxattn.builder.layout.sheet import lay_out

__all__ = ["lay_out"]
