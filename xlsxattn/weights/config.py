"""Reads the settings that a checkpoint's makers wrote down, each under any of the names it goes by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.table import SENTENCE, show
from xlsxattn.language import say
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

    def error(self, key: str, sentence: str, /, **values: object) -> CheckpointError:
        """An error about one key; what it says, as `say` takes it."""
        said = say(sentence, **values)
        return CheckpointError(say(SENTENCE, source=self.path, place=key, sentence=said))

    def get(self, *keys: str, default: object = None) -> Any:  # noqa: ANN401 - JSON
        """The value under the first key that is there and not null."""
        return next((self.data[key] for key in keys if self.data.get(key) is not None), default)

    def count(self, *keys: str, default: int | None = None) -> int:
        """A whole number from 1."""
        found = self.get(*keys, default=default)
        if found is None:
            raise self.error(keys[0], "is missing, a whole number from 1 is needed")
        if type(found) is not int or found < 1:
            raise self.error(keys[0], "found {found}, a whole number from 1 is needed", found=show(found))
        return found

    def positive(self, *keys: str, default: float | None = None) -> float:
        """A number above 0."""
        found = self.get(*keys, default=default)
        if type(found) not in (int, float) or not 0 < found < math.inf:
            raise self.error(keys[0], "found {found}, a number above 0 is needed", found=show(found))
        return float(found)

    def flag(self, *keys: str, default: bool) -> bool:
        """True or false."""
        found = self.get(*keys, default=default)
        if not isinstance(found, bool):
            raise self.error(keys[0], "found {found}, true or false is needed", found=show(found))
        return found

    def activation(self, *keys: str, default: str) -> str:
        """The activation, in the words of a spec."""
        found = self.get(*keys, default=default)
        if not isinstance(found, str) or found not in ACTIVATIONS:
            sentence = "found {found}, one of {known} is needed"
            raise self.error(keys[0], sentence, found=show(found), known=", ".join(ACTIVATIONS))
        return ACTIVATIONS[found]

    def refuse(self, key: str, allowed: tuple[object, ...]) -> None:
        """Refuse a setting that changes what a model computes, unless it stands at a value that does not."""
        found = self.get(key)
        if found is not None and found not in allowed:
            sentence = "found {found}, a model that is built so cannot be made into a workbook"
            raise self.error(key, sentence, found=show(found))

    def divided(self, whole: int, key: str, parts: int) -> int:
        """``whole`` divided by the number under a key, which must divide it."""
        if whole % parts:
            raise self.error(key, "found {found}, which does not divide {whole}", found=parts, whole=whole)
        return whole // parts
