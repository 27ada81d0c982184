"""A laid-out workbook as a file."""

from xlsxattn.builder.writer.workbook import write

__all__ = ["write"]
