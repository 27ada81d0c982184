"""How a workbook's parts hang together: refused where two programs could take different parts for it.

One program finds the sheets by content types, another by relationships, one minds the case of a part's name
and another does not. What is read here must be what all of them read.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from openpyxl.xml.functions import fromstring

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlsxattn.checker.reading.archive import GuardedArchive
    from xlsxattn.language import Phrase

TYPES, ROOT = "[Content_Types].xml", "_rels/.rels"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_MICROSOFT = "http://schemas.microsoft.com/office/2006/relationships/"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_WORKBOOKS = (
    f"{_SHEET}sheet.main+xml",
    f"{_SHEET}template.main+xml",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    "application/vnd.ms-excel.template.macroEnabled.main+xml",
)
_STRINGS = f"{_SHEET}sharedStrings+xml"
WORKSHEET = f"{_OFFICE}worksheet"
_KINDS = {
    WORKSHEET: f"{_SHEET}worksheet+xml",
    f"{_OFFICE}chartsheet": f"{_SHEET}chartsheet+xml",
    f"{_OFFICE}dialogsheet": f"{_SHEET}dialogsheet+xml",
    f"{_MICROSOFT}xlMacrosheet": "application/vnd.ms-excel.macrosheet+xml",
    f"{_MICROSOFT}xlIntlMacrosheet": "application/vnd.ms-excel.intlmacrosheet+xml",
}
"""Sheets: what their relationship says, and the content type that goes with it."""
_PLAIN_TARGET = re.compile(r"[^%\\?#:]+")


@dataclass(frozen=True, slots=True)
class Link:
    """A relationship: its type, and the part that it leads to; "" outside the workbook."""

    type: str
    part: str


@dataclass(frozen=True, slots=True)
class Package:
    """What a workbook consists of: its main part, that part's relationships by id, content types by part."""

    workbook: str
    links: Mapping[str, Link]
    types: Mapping[str, str]


def read_package(archive: GuardedArchive) -> Package:
    """Find the parts of a workbook as every program finds them.

    Raises:
        AmbiguousError: programs could find different ones.
    """
    # the same in other capitals, with other slashes, or percent-encoded
    names = (unquote(name).replace("\\", "/").lower().removeprefix("/") for name in archive.namelist())
    _refuse_twice(names, say("its part {name} stands in the archive twice"))
    if min(part.header_offset for part in archive.infolist()) or archive.comment:
        raise AmbiguousError(say("its archive has something before its first part or after its last"))
    types = _types(archive)
    root = [link for link in _links(archive, ROOT, "").values() if link.type == f"{_OFFICE}officeDocument"]
    if len(root) != 1:
        raise AmbiguousError(say("it names {n} workbooks, one is needed", n=len(root)))
    main = root[0].part
    declared = sorted(part for part, kind in types.items() if kind in _WORKBOOKS)
    if declared != [main]:
        raise AmbiguousError(_disagree(main, say("workbook"), declared))
    folder, name = posixpath.split(main)
    links = _links(archive, posixpath.join(folder, "_rels", f"{name}.rels"), folder)
    strings = sorted(link.part for link in links.values() if link.type == f"{_OFFICE}sharedStrings")
    declared = sorted(part for part, kind in types.items() if kind == _STRINGS)
    if len(strings) > 1 or (strings != declared and declared):
        raise AmbiguousError(_disagree(", ".join(strings), say("shared strings"), declared))
    for link in links.values():
        wanted = _KINDS.get(link.type)
        if wanted and types.get(link.part) != wanted:
            sentence = "its part {part} is linked as a {kind}, and declared as {type}"
            kind = link.type.rpartition("/")[2]
            raise AmbiguousError(say(sentence, part=link.part, kind=kind, type=types.get(link.part)))
    return Package(main, links, types)


def _disagree(linked: str, kind: Phrase, declared: list[str]) -> Phrase:
    sentence = "its relationships have {linked} for the {kind}, its content types {declared}"
    return say(sentence, linked=linked or "–", kind=kind, declared=", ".join(declared))


def _types(archive: GuardedArchive) -> dict[str, str]:
    """The content type of every part of the archive."""
    root = fromstring(archive.looked_over(TYPES))
    defaults = [one for one in root if _local(one) == "Default"]
    overrides = [one for one in root if _local(one) == "Override"]
    twice = say("the content type of {name} is declared twice")
    _refuse_twice((str(one.get("Extension")).lower() for one in defaults), twice)
    _refuse_twice((str(one.get("PartName")).lower() for one in overrides), twice)
    by_end = {str(one.get("Extension")).lower(): str(one.get("ContentType")) for one in defaults}
    by_name = {str(one.get("PartName")): str(one.get("ContentType")) for one in overrides}
    return {
        part: by_name.get(f"/{part}") or by_end.get(part.rpartition(".")[2].lower(), "")
        for part in archive.namelist()
    }


def _links(archive: GuardedArchive, part: str, folder: str) -> dict[str, Link]:
    """The relationships in a part, by id."""
    found = [one for one in fromstring(archive.looked_over(part)) if _local(one) == "Relationship"]
    _refuse_twice((str(one.get("Id")) for one in found), say("its relationship {name} stands twice"))
    parts = {*archive.namelist()}
    return {str(one.get("Id")): _link(one, part, folder, parts) for one in found}


def _link(one: Any, part: str, folder: str, parts: set[str]) -> Link:
    kind, target = str(one.get("Type")), str(one.get("Target"))
    read = kind in _KINDS or kind in (f"{_OFFICE}officeDocument", f"{_OFFICE}sharedStrings")
    if not read:
        return Link(kind, "")
    path = posixpath.normpath(posixpath.join("/", folder, target)).removeprefix("/")
    inside = one.get("TargetMode", "Internal") == "Internal" and path in parts
    if not inside or not _PLAIN_TARGET.fullmatch(target) or not _below(folder, target):
        sentence = "{part} leads to {target}, where programs find different parts or none"
        raise AmbiguousError(say(sentence, part=part, target=target))
    return Link(kind, path)


def _below(folder: str, target: str) -> bool:
    """Whether a target climbs no higher than the archive's root."""
    depth = 0 if target.startswith("/") else len(folder.split("/")) if folder else 0
    for step in target.removeprefix("/").split("/"):
        depth += {"..": -1, ".": 0}.get(step, 1)
        if depth < 0:
            return False
    return True


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _refuse_twice(names: Iterable[str], sentence: Phrase) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise AmbiguousError(say(sentence.sentence, name=name))
        seen.add(name)
