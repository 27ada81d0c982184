"""What a person asks for: read from TOML, and found sound before anything is built."""

from xlsxattn.builder.specification.spec import Spec, load, parse, quoted_in_vain
from xlsxattn.builder.specification.table import SpecError

__all__ = ["Spec", "SpecError", "load", "parse", "quoted_in_vain"]
