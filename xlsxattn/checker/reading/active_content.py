"""Parts of a workbook with macros or embedded programs, or with links to something outside.

They are found by what they are: programs follow the relationships and content types, whatever the names of
the parts are.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from xlsxattn.checker.reading.package import RELATIONS, relationships

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.reading.archive import GuardedArchive

Activity: TypeAlias = Literal["macros", "links"]

_MACROS = re.compile(
    r"vbaProject|macrosheet|activeX|oleObject|/package$|attachedToolbars|webextension|ui/extensibility",
    re.IGNORECASE,
)
_LINKS = re.compile(r"externalLink|connections|queryTable", re.IGNORECASE)
"""Relationship types and content types."""
_NAMES: tuple[tuple[re.Pattern[str], Activity], ...] = (
    (re.compile(r"vbaProject|macrosheets/|activeX/|embeddings/", re.IGNORECASE), "macros"),
    (re.compile(r"externalLinks/[^/]*$|connections\.xml$|queryTables/", re.IGNORECASE), "links"),
)
"""Names of parts, for those that nothing refers to."""
_QUERIES, _HEAD = b"DataMashup", 4096
"""The root of the custom XML part with the queries of Power Query, and where to search for it."""


def active_parts(archive: GuardedArchive, types: Mapping[str, str]) -> dict[str, Activity]:
    """The active parts of a workbook, and what they contain.

    Args:
        archive: the workbook.
        types: the content type of each part.

    Raises:
        AmbiguousError: programs could find different relationships.
    """
    found: dict[str, Activity] = {}
    for part, kind in types.items():
        if activity := _activity(kind) or next((does for name, does in _NAMES if name.search(part)), None):
            found[part] = activity
    for owner, link in _all_relationships(archive):
        kind, target = str(link.get("Type")), str(link.get("Target"))
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(owner), target)).lstrip("/")
        if link.get("TargetMode") == "External":
            if not kind.endswith("/hyperlink"):
                found.setdefault(owner or target, "links")
        elif activity := _activity(kind):
            found.setdefault(path, activity)
        elif kind.endswith("/customXml") and path in types and _holds_queries(archive, path):
            found.setdefault(path, "links")
    return found


def _activity(kind: str) -> Activity | None:
    return "macros" if _MACROS.search(kind) else "links" if _LINKS.search(kind) else None


def _all_relationships(archive: GuardedArchive) -> Iterator[tuple[str, Any]]:
    """All relationships, each with the part that has it; "" for the workbook as a whole."""
    for part in archive.namelist():
        if match := RELATIONS.fullmatch(part):
            for link in relationships(archive, part):
                yield match[1] + match[2], link


def _holds_queries(archive: GuardedArchive, part: str) -> bool:
    """Whether a custom XML part, which may be in UTF-16, has the queries of Power Query."""
    with archive.charged(part) as source:
        return _QUERIES in source.read(_HEAD).replace(b"\0", b"")
