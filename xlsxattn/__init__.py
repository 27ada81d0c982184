"""Attention and Transformers as spreadsheets: live formulas, made from a small spec, proved cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlsxattn.checker.check import check
    from xlsxattn.press import build

__all__ = ["build", "check"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    """Load what is heavy only when it is asked for, so that ``xlsxattn --help`` answers at once."""
    if name == "check":
        from xlsxattn.checker.check import check  # noqa: PLC0415

        return check
    if name == "build":
        from xlsxattn.press import build  # noqa: PLC0415

        return build
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
