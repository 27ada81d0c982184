"""Attention and Transformers as spreadsheets of live formulas, built from a small spec, proved cell by cell.

>>> import xlsxattn
>>> sorted(xlsxattn.__all__)[:4]
['Classifier', 'Compare', 'CrossAttention', 'Decoder']
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlsxattn.api import Spec, build, exercise, read
    from xlsxattn.builder.specification import SpecError
    from xlsxattn.checker.engines import EngineFailed, EngineMissing
    from xlsxattn.checker.explanation import Explanation
    from xlsxattn.checker.reading.limits import NotCheckableError
    from xlsxattn.contract.kinds import (
        Classifier,
        Compare,
        CrossAttention,
        Decoder,
        Encoder,
        EncoderDecoder,
        Example,
        MultiHead,
        SelfAttention,
        Sheet,
        Training,
    )
    from xlsxattn.contract.spec_tables import Vocabulary
    from xlsxattn.press import Pressed, PressError
    from xlsxattn.proof import check, explain
    from xlsxattn.spec_schema import schema
    from xlsxattn.view.look import OpenWorkbook, look
    from xlsxattn.view.matrix import Matrix, PandasMissing
    from xlsxattn.view.preview import PreviewError, preview

    __version__: str

_NAMES = {
    "api": ("Spec", "build", "exercise", "read"),
    "builder.specification": ("SpecError",),
    "checker.engines": ("EngineFailed", "EngineMissing"),
    "checker.explanation": ("Explanation",),
    "checker.reading.limits": ("NotCheckableError",),
    "contract.kinds": (
        *("Classifier", "Compare", "CrossAttention", "Decoder", "Encoder", "EncoderDecoder", "Example"),
        *("MultiHead", "SelfAttention", "Sheet", "Training"),
    ),
    "contract.spec_tables": ("Vocabulary",),
    "press": ("PressError", "Pressed"),
    "proof": ("check", "explain"),
    "spec_schema": ("schema",),
    "view.look": ("OpenWorkbook", "look"),
    "view.matrix": ("Matrix", "PandasMissing"),
    "view.preview": ("PreviewError", "preview"),
}
_FROM = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "Classifier",
    "Compare",
    "CrossAttention",
    "Decoder",
    "Encoder",
    "EncoderDecoder",
    "EngineFailed",
    "EngineMissing",
    "Example",
    "Explanation",
    "Matrix",
    "MultiHead",
    "NotCheckableError",
    "OpenWorkbook",
    "PandasMissing",
    "PressError",
    "Pressed",
    "PreviewError",
    "SelfAttention",
    "Sheet",
    "Spec",
    "SpecError",
    "Training",
    "Vocabulary",
    "build",
    "check",
    "exercise",
    "explain",
    "look",
    "preview",
    "read",
    "schema",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any attribute
    """Import modules on first access, so that ``xlsxattn --help`` starts fast."""
    if name == "__version__":
        return import_module("importlib.metadata").version("xlsxattn")
    if name not in _FROM:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__]
        )
    return getattr(import_module(f"xlsxattn.{_FROM[name]}"), name)


def __dir__() -> list[str]:
    """All names, imported or not, for ``dir`` and for Python's suggestions."""
    return sorted({*globals(), *__all__, "__version__"})
