"""The keys that a sheet sets, and its settings in the manifest."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_args

from xlsxattn.contract.keys import TRUE_OR_FALSE, WHOLE, ManifestRule, default_of, keys
from xlsxattn.contract.kinds import KINDS
from xlsxattn.contract.kinds.base import Sheet


def given(record: Any) -> dict[str, Any]:
    """The values of a record that differ from the defaults, by their names in TOML.

    >>> from xlsxattn.contract.kinds import MultiHead
    >>> given(MultiHead(id="heads", heads=2))
    {'kind': 'multi-head', 'id': 'heads', 'heads': 2}
    """
    found = {"kind": record.kind} if isinstance(record, Sheet) else {}
    for each in fields(record):
        value = getattr(record, each.name)
        if default_of(each) is MISSING or not (value is None or value in ("", default_of(each))):
            found[each.name.rstrip("_")] = value
    return found


def settings(sheet: Sheet) -> dict[str, Any]:
    """The settings of a sheet in the manifest, as JSON values.

    >>> from xlsxattn.contract.kinds import Compare
    >>> settings(Compare(id="compare", axes=("animal", "tech")))
    {'axes': ('animal', 'tech')}
    """
    found: dict[str, Any] = {}
    for each in fields(sheet):
        rules = [part for part in get_args(each.type) if isinstance(part, ManifestRule)]
        value = rules[-1].value(sheet, getattr(sheet, each.name)) if rules else None
        found |= {} if value is None else {each.name: value}
    return found


def setting(kind: type[Sheet], said: Mapping[str, Any], name: str) -> Any:
    """A setting from a manifest, or the default of its kind if the manifest omits it.

    >>> from xlsxattn.contract.kinds import MultiHead
    >>> [setting(MultiHead, {"heads": 2}, name) for name in ("heads", "bias", "generate")]
    [2, False, False]

    Raises:
        KeyError: a manifest must not omit it for this kind.
        AttributeError: no kind has this setting.
    """
    if name in said:
        return said[name]
    for each in fields(kind):
        if each.name == name:
            if {WHOLE, TRUE_OR_FALSE} & {*get_args(each.type)[-1:]}:
                raise KeyError(name)
            return default_of(each)
    if not _is_known(name):
        raise AttributeError(name)
    plain = getattr(kind, name, None)
    return None if isinstance(plain, property) else plain


@cache
def _is_known(name: str) -> bool:
    """Whether any kind has this setting."""
    return any(hasattr(one, name) or name in keys(one) for one in KINDS.values())
