"""Writes a laid-out workbook to a file."""

from xlsxattn.builder.writer.workbook import write

__all__ = ["write"]
