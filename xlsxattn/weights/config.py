"""Reads the settings that a checkpoint's makers wrote down, each under any of the names it goes by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.table import show
from xlsxattn.weights.tensor import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACTIVATIONS = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu-tanh",
    "gelu_fast": "gelu-tanh",
    "gelu_pytorch_tanh": "gelu-tanh",
    "silu": "silu",
    "swish": "silu",
}


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, and the file they stand in, for errors."""

    data: Mapping[str, Any]
    path: Path

    def error(self, key: str, sentence: str) -> CheckpointError:
        """An error about one key."""
        return CheckpointError(f"{self.path}: {key}: {sentence}")

    def get(self, *keys: str, default: object = None) -> Any:  # noqa: ANN401 - JSON
        """The value under the first key that is there and not null."""
        return next((self.data[key] for key in keys if self.data.get(key) is not None), default)

    def count(self, *keys: str, default: int | None = None) -> int:
        """A whole number from 1."""
        found = self.get(*keys, default=default)
        if found is None:
            raise self.error(keys[0], "is missing, a whole number from 1 is needed")
        if type(found) is not int or found < 1:
            raise self.error(keys[0], f"found {show(found)}, a whole number from 1 is needed")
        return found

    def positive(self, *keys: str, default: float | None = None) -> float:
        """A number above 0."""
        found = self.get(*keys, default=default)
        if type(found) not in (int, float) or not 0 < found < math.inf:
            raise self.error(keys[0], f"found {show(found)}, a number above 0 is needed")
        return float(found)

    def flag(self, *keys: str, default: bool) -> bool:
        """True or false."""
        found = self.get(*keys, default=default)
        if not isinstance(found, bool):
            raise self.error(keys[0], f"found {show(found)}, true or false is needed")
        return found

    def activation(self, *keys: str, default: str) -> str:
        """The activation, in the words of a spec."""
        found = self.get(*keys, default=default)
        if not isinstance(found, str) or found not in ACTIVATIONS:
            raise self.error(keys[0], f"found {show(found)}, one of {', '.join(ACTIVATIONS)} is needed")
        return ACTIVATIONS[found]

    def refuse(self, key: str, allowed: tuple[object, ...]) -> None:
        """Refuse a setting that changes what a model computes, unless it stands at a value that does not."""
        found = self.get(key)
        if found is not None and found not in allowed:
            raise self.error(
                key, f"found {show(found)}, a model that is built so cannot be made into a workbook"
            )

    def divided(self, whole: int, key: str, parts: int) -> int:
        """``whole`` divided by the number under a key, which must divide it."""
        if whole % parts:
            raise self.error(key, f"found {parts}, which does not divide {whole}")
        return whole // parts
