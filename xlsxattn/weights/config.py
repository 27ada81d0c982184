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

    from xlsxattn.contract.kinds import Activation

ACTIVATIONS: dict[str, Activation] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu-tanh",
    "gelu_accurate": "gelu-tanh",
    "gelu_pytorch_tanh": "gelu-tanh",
    "silu": "silu",
    "swish": "silu",
}
"""Names of activations in a config, and in a spec. gelu_fast is none of them: its √(2/π) has ten digits."""
MIN_EPSILON, MIN_BASE = 1e-24, 0.001
"""What a workbook takes for smaller ones (docs/contract.md)."""


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
        """The value under the key that is there and not null.

        Raises:
            CheckpointError: two of the keys are there and do not agree.
        """
        given = {key: self.data[key] for key in keys if self.data.get(key) is not None}
        if not given:
            return default
        key, value = next(iter(given.items()))
        for other, found in given.items():
            if found != value or type(found) is not type(value):
                sentence = "found {found}, and {other} says {value}: one of them is needed"
                raise self.error(key, sentence, found=show(value), other=other, value=show(found))
        return value

    def count(self, *keys: str, default: int | None = None) -> int:
        """A whole number from 1."""
        found = self.get(*keys, default=default)
        if found is None:
            raise self.error(keys[0], "is missing, a whole number from 1 is needed")
        if type(found) is not int or found < 1:
            raise self.error(keys[0], "found {found}, a whole number from 1 is needed", found=show(found))
        return found

    def positive(self, *keys: str, default: float | None = None, least: float = 0.0) -> float:
        """A number above 0, and not below the least."""
        found = self.get(*keys, default=default)
        if found is None:
            raise self.error(keys[0], "is missing, a number above 0 is needed")
        if type(found) not in (int, float) or not 0 < found < math.inf:
            raise self.error(keys[0], "found {found}, a number above 0 is needed", found=show(found))
        if found < least:
            sentence = "found {found}, a workbook computes with {least} at least"
            raise self.error(keys[0], sentence, found=show(found), least=least)
        return float(found)

    def flag(self, *keys: str, default: bool) -> bool:
        """True or false."""
        found = self.get(*keys, default=default)
        if not isinstance(found, bool):
            raise self.error(keys[0], "found {found}, true or false is needed", found=show(found))
        return found

    def activation(self, *keys: str, default: str) -> Activation:
        """The activation, in the words of a spec."""
        found = self.get(*keys, default=default)
        if not isinstance(found, str) or found not in ACTIVATIONS:
            sentence = "found {found}, one of {known} is needed"
            raise self.error(keys[0], sentence, found=show(found), known=", ".join(ACTIVATIONS))
        return ACTIVATIONS[found]

    def refuse(self, key: str, allowed: tuple[object, ...]) -> None:
        """Refuse a setting that changes what a model computes, unless it stands at a value that does not."""
        found = self.get(key)
        if found is None or found in allowed:
            return
        if not allowed:
            sentence = "found {found}, a model that is built so cannot be made into a workbook"
            raise self.error(key, sentence, found=show(found))
        sentence = "found {found}, which a workbook cannot compute; {right} is needed"
        raise self.error(key, sentence, found=show(found), right=" / ".join(map(show, allowed)))

    def divided(self, whole: int, key: str, parts: int) -> int:
        """``whole`` divided by the number under a key, which must divide it."""
        if whole % parts:
            raise self.error(key, "found {found}, which does not divide {whole}", found=parts, whole=whole)
        return whole // parts
