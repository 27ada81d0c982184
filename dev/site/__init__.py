"""Puts the live page and the workbook of every template into the documentation site."""
