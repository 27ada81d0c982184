"""What a person asks for: read from TOML, and found sound before anything is built."""

from xlsxattn.builder.specification.spec import Spec, compared_with_none, load, parse, quoted_in_vain
from xlsxattn.builder.specification.table import SpecError

__all__ = ["Spec", "SpecError", "compared_with_none", "load", "parse", "quoted_in_vain"]
