"""How far queries and keys are turned: the base of the rotation, and how it is stretched for long texts.

Su et al. 2021; stretched: Peng et al. 2023, section 3.2, which is what Llama 3.1 calls "llama3".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.contract.kinds import Stretch
from xlsxattn.language import say
from xlsxattn.weights.config import MIN_BASE, Config
from xlsxattn.weights.config_keys import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.language import Phrase

BASE = 10_000.0
MIN_STRETCH = 0.001
"""What a workbook takes for a smaller factor, or for a smaller distance of β from α (docs/contract.md)."""
_KNOWN = ("rope_type", "type", "rope_theta", "partial_rotary_factor")
_STRETCH = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
_OF_LAYERS = ("full_attention", "sliding_attention")


@dataclass(frozen=True, slots=True)
class Rotation:
    """The base, how the rotation is stretched, and what a person should know."""

    base: float
    stretch: Stretch | None = None
    notes: tuple[Phrase, ...] = ()


def rotation(config: Config) -> Rotation:
    """The rotation that a config in Hugging Face's form asks for.

    Older configs have ``rope_scaling`` and ``rope_theta``, newer ones ``rope_parameters``; where both stand,
    ``rope_scaling`` counts, as in the transformers library.

    Raises:
        CheckpointError: it is none of those that a workbook can compute.
    """
    key, table = _table(config)
    notes = _unread(config, key, table)
    within = Config(table, config.path)
    if "partial_rotary_factor" in table:
        within.refuse("partial_rotary_factor", (1,))
    kind = table.get("rope_type", table.get("type", "default"))
    base = _base(config, table)
    if kind == "default":
        return Rotation(base, None, notes)
    if kind != "llama3":
        sentence = "found the type {kind}, default or llama3 is needed"
        raise config.error(key, sentence, kind=show(kind))
    return Rotation(base, _stretch(config, within), notes)


def _table(config: Config) -> tuple[str, Mapping[str, object]]:
    """The key that counts, and its table; an empty one where there is none."""
    for key in ("rope_scaling", "rope_parameters"):
        found = config.data.get(key)
        if not found:
            continue
        if not isinstance(found, dict):
            raise config.error(key, "found {found}, a table is needed", found=show(found))
        if nested := [name for name in _OF_LAYERS if name in found]:
            sentence = "has a table for {names}: one rotation for all layers is needed"
            raise config.error(key, sentence, names=", ".join(nested))
        return key, found
    return "rope_parameters", {}


def _unread(config: Config, key: str, table: Mapping[str, object]) -> tuple[Phrase, ...]:
    """What is said of settings that have no part in the rotation."""
    notes, kind = [], table.get("rope_type", table.get("type", "default"))
    other = config.data.get("rope_parameters")
    if key == "rope_scaling" and other and other != table:
        notes.append(
            say("{path}: rope_scaling counts, and rope_parameters is not read.", path=config.path.name)
        )
    known = _KNOWN if kind == "default" else (*_KNOWN, *_STRETCH)
    if odd := sorted(name for name in table if name not in known):
        sentence = "{path}: {key}: {names} have no part in the type {kind}, and are not read."
        notes.append(say(sentence, path=config.path.name, key=key, names=listed(odd), kind=show(kind)))
    return tuple(notes)


def _base(config: Config, table: Mapping[str, object]) -> float:
    """What stands in the table counts before what stands beside it."""
    source = table if "rope_theta" in table else config.data
    if source.get("rope_theta", BASE) is None:
        raise config.error("rope_theta", "found {found}, a number above 0 is needed", found=show(None))
    return Config(source, config.path).positive("rope_theta", default=BASE, least=MIN_BASE)


def _stretch(config: Config, within: Config) -> Stretch:
    outside = "original_max_position_embeddings"
    if outside in config.data:  # stands beside the table in some checkpoints, and counts there
        trained = config.count(outside)
    else:
        trained = within.count(outside, default=config.get("max_position_embeddings"))
    low, high = within.positive("low_freq_factor"), within.positive("high_freq_factor")
    if high - low < MIN_STRETCH:
        sentence = "found {high}, a number above low_freq_factor ({low}) is needed"
        raise within.error("high_freq_factor", sentence, high=high, low=low)
    return Stretch(within.positive("factor", least=MIN_STRETCH), low, high, float(trained))
