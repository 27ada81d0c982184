"""Reads the settings of a checkpoint's config, each under any of its names."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.table import SENTENCE, show
from xlsxattn.language import say
from xlsxattn.weights.tensor import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.contract.kinds.models import Activation

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
"""Activations by their names in a config. gelu_fast is missing: it rounds √(2/π) to ten digits."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings; for errors, the path of their file and their prefix, such as "rope_scaling."."""

    data: Mapping[str, Any]
    path: Path
    prefix: str = ""

    def error(self, key: str, sentence: str, /, **values: object) -> CheckpointError:
        """An error about one key; arguments as for `say`."""
        text = say(sentence, **values)
        return CheckpointError(say(SENTENCE, source=self.path, place=self.prefix + key, sentence=text))

    def get(self, *keys: str, default: object = None) -> Any:  # noqa: ANN401 - JSON
        """The value of a setting that may have any of these keys; null counts as missing.

        Raises:
            CheckpointError: two of the keys have different values.
        """
        given = {key: self.data[key] for key in keys if self.data.get(key) is not None}
        if not given:
            return default
        key, value = next(iter(given.items()))
        for other_key, other in given.items():
            if other_key != key and (other != value or type(other) is not type(value)):
                sentence = "found {found}, but {other} is {value}: they must agree"
                raise self.error(key, sentence, found=show(value), other=other_key, value=show(other))
        return value

    def count(self, *keys: str, default: int | None = None) -> int:
        """A positive whole number."""
        value = self.get(*keys, default=default)
        if value is None:
            raise self.error(keys[0], "is missing, expected a whole number of at least 1")
        if type(value) is not int or value < 1:
            raise self.error(
                keys[0], "found {found}, expected a whole number of at least 1", found=show(value)
            )
        return value

    def positive(self, *keys: str, default: float | None = None, minimum: float = 0.0) -> float:
        """A positive number, at least ``minimum``."""
        value = self.get(*keys, default=default)
        if value is None:
            raise self.error(keys[0], "is missing, expected a number above 0")
        if type(value) not in (int, float) or not 0 < value <= sys.float_info.max:
            raise self.error(keys[0], "found {found}, expected a number above 0", found=show(value))
        if value < minimum:
            sentence = "found {found}, workbooks support {least} or more"
            raise self.error(keys[0], sentence, found=show(value), least=minimum)
        return float(value)

    def flag(self, *keys: str, default: bool) -> bool:
        """A boolean."""
        value = self.get(*keys, default=default)
        if not isinstance(value, bool):
            raise self.error(keys[0], "found {found}, expected true or false", found=show(value))
        return value

    def activation(self, *keys: str, default: str) -> Activation:
        """The activation, by its name in a spec."""
        value = self.get(*keys, default=default)
        if not isinstance(value, str) or value not in ACTIVATIONS:
            sentence = "found {found}, expected one of {known}"
            raise self.error(keys[0], sentence, found=show(value), known=", ".join(ACTIVATIONS))
        return ACTIVATIONS[value]

    def refuse(self, key: str, allowed: tuple[object, ...]) -> None:
        """Reject a setting that changes what a model computes, unless it has one of the allowed values."""
        value = self.get(key)
        if value is None or value in allowed:
            return
        if not allowed:
            sentence = "found {found}, which workbooks do not support"
            raise self.error(key, sentence, found=show(value))
        sentence = "found {found}, which workbooks do not support; expected {right}"
        raise self.error(key, sentence, found=show(value), right=" / ".join(map(show, allowed)))

    def divided(self, whole: int, key: str, parts: int) -> int:
        """``whole`` divided by ``parts``, the value of ``key``, which must divide it."""
        if whole % parts:
            raise self.error(key, "found {found}, which does not divide {whole}", found=parts, whole=whole)
        return whole // parts
