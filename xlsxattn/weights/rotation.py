"""Rotary position embedding of a config: its base, and its scaling for long texts.

Su et al. 2021; scaling: Peng et al. 2023, section 3.2, called "llama3" in configs of Llama 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.contract.kinds import Stretch
from xlsxattn.contract.values import MIN_BASE
from xlsxattn.language import say
from xlsxattn.weights.config import Config
from xlsxattn.weights.config_keys import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.language import Phrase

BASE = 10_000.0
LAYER_TYPES = ("full_attention", "sliding_attention")
MIN_STRETCH = 0.001
"""Minimum of the factor and of β − α in a workbook (docs/contract.md)."""
_KNOWN = ("rope_type", "type", "rope_theta", "partial_rotary_factor")
_STRETCH = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")


@dataclass(frozen=True, slots=True)
class Rotation:
    """The base, the scaling, and remarks for the user."""

    base: float
    stretch: Stretch | None = None
    notes: tuple[Phrase, ...] = ()


def rotation(config: Config) -> Rotation:
    """Read the rotation from a config in Hugging Face's format.

    Older configs have ``rope_scaling`` and ``rope_theta``, newer ones ``rope_parameters``; if both exist,
    ``rope_scaling`` is used, as in the transformers library.

    Raises:
        CheckpointError: this kind of rotation is not supported.
    """
    key, table = _table(config)
    notes = _unread(config, key, table)
    within = Config(table, config.path, f"{key}.")
    if "partial_rotary_factor" in table:
        within.refuse("partial_rotary_factor", (1,))
    kind = table.get("rope_type", table.get("type", "default"))
    base = _base(within if "rope_theta" in table else config)
    if kind == "default":
        return Rotation(base, None, notes)
    if kind != "llama3":
        sentence = "found the type {kind}, expected default or llama3"
        raise config.error(key, sentence, kind=show(kind))
    return Rotation(base, _stretch(config, within), notes)


def _table(config: Config) -> tuple[str, Mapping[str, object]]:
    """The key that is used, and its table; empty if there is none."""
    for key in ("rope_scaling", "rope_parameters"):
        table = config.data.get(key)
        if not table:
            continue
        if not isinstance(table, dict):
            raise config.error(key, "found {found}, expected a table", found=show(table))
        if nested := [name for name in LAYER_TYPES if name in table]:
            sentence = "has separate tables for {names}, expected one rotation for all layers"
            raise config.error(key, sentence, names=", ".join(nested))
        return key, table
    return "rope_parameters", {}


def _unread(config: Config, key: str, table: Mapping[str, object]) -> tuple[Phrase, ...]:
    """Remarks on settings that are ignored."""
    notes, kind = [], table.get("rope_type", table.get("type", "default"))
    other = config.data.get("rope_parameters")
    if key == "rope_scaling" and other and other != table:
        sentence = "{path}: rope_scaling is used, rope_parameters is ignored."
        notes.append(say(sentence, path=config.path.name))
    known = _KNOWN if kind == "default" else (*_KNOWN, *_STRETCH)
    if ignored := sorted(name for name in table if name not in known):
        sentence = "{path}: {key}: {names} are ignored for the type {kind}."
        notes.append(say(sentence, path=config.path.name, key=key, names=listed(ignored), kind=show(kind)))
    return tuple(notes)


def _base(config: Config) -> float:
    if config.data.get("rope_theta", BASE) is None:
        raise config.error("rope_theta", "found {found}, expected a number above 0", found="null")
    return config.positive("rope_theta", default=BASE, minimum=MIN_BASE)


def _stretch(config: Config, within: Config) -> Stretch:
    key = "original_max_position_embeddings"
    if key in config.data:  # outside the table in some checkpoints, where it takes precedence
        trained = config.count(key)
    else:
        trained = within.count(key, default=config.get("max_position_embeddings"))
    low, high = within.positive("low_freq_factor"), within.positive("high_freq_factor")
    if high - low < MIN_STRETCH:
        sentence = "found {high}, expected a number above low_freq_factor ({low})"
        raise within.error("high_freq_factor", sentence, high=high, low=low)
    return Stretch(within.positive("factor", minimum=MIN_STRETCH), low, high, float(trained))
