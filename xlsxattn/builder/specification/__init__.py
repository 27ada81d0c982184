"""Reads and validates specs."""

from xlsxattn.builder.specification.spec import Spec, load, parse, uncompared_focus, unknown_quoted_words
from xlsxattn.builder.specification.table import SpecError

__all__ = ["Spec", "SpecError", "load", "parse", "uncompared_focus", "unknown_quoted_words"]
