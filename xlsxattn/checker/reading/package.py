"""The relationships and content types of a workbook: refused if programs could find different parts.

Some programs find sheets by content types, others by relationships; some treat part names as case-sensitive,
others do not. All of them must find the same parts as this module.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.xml.constants import ARC_STYLE
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.reading.headers import check_headers
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
_TABLE = f"{_SHEET}table+xml"
_STYLES = f"{_SHEET}styles+xml"
THEME = "application/vnd.openxmlformats-officedocument.theme+xml"
WORKSHEET = f"{_OFFICE}worksheet"
_KINDS = {
    WORKSHEET: f"{_SHEET}worksheet+xml",
    f"{_OFFICE}chartsheet": f"{_SHEET}chartsheet+xml",
    f"{_OFFICE}dialogsheet": f"{_SHEET}dialogsheet+xml",
    f"{_MICROSOFT}xlMacrosheet": "application/vnd.ms-excel.macrosheet+xml",
    f"{_MICROSOFT}xlIntlMacrosheet": "application/vnd.ms-excel.intlmacrosheet+xml",
}
"""Kinds of sheets: relationship type → content type."""
_TO_NONE = say("{part} refers to {target}, which programs resolve to different parts or to none")
RELATIONS = re.compile(r"((?:.*/)?)_rels/([^/]*)\.rels", re.IGNORECASE)
"""The name of a part with relationships: the folder and the name of the part that has them, if any."""
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_PLAIN_TARGET = re.compile(r"[^%\\?#:]+")


@dataclass(frozen=True, slots=True)
class Link:
    """A relationship: its type and its target part; "" if it is external."""

    type: str
    part: str


@dataclass(frozen=True, slots=True)
class Package:
    """The main part of a workbook, its relationships by id, and the content types by part."""

    workbook: str
    links: Mapping[str, Link]
    types: Mapping[str, str]


def read_package(archive: GuardedArchive) -> Package:
    """Find the parts of a workbook.

    Raises:
        AmbiguousError: programs could find different parts.
    """
    # duplicates may differ in case, slashes or percent-encoding
    names = (
        posixpath.normpath("/" + unquote(name).replace("\\", "/").lower()).lstrip("/")
        for name in archive.namelist()
    )
    _refuse_duplicates(names, say("the part {name} is in the archive twice"))
    around = min(part.header_offset for part in archive.infolist()) or archive.trailing
    if around or archive.comment:
        raise AmbiguousError(say("its archive has data before the first part or after the last"))
    check_headers(archive)
    _check_owners(archive.namelist())
    types = _types(archive)
    root = [link for link in _links(archive, ROOT, "").values() if link.type == f"{_OFFICE}officeDocument"]
    if len(root) != 1:
        raise AmbiguousError(say("it refers to {n} workbooks, but needs exactly one", n=len(root)))
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
    _check_styles(archive, links, types)
    for link in links.values():
        wanted = _KINDS.get(link.type)
        if wanted and types.get(link.part) != wanted:
            sentence = "the part {part} is linked as {kind}, but declared as {type}"
            kind = link.type.rpartition("/")[2]
            raise AmbiguousError(say(sentence, part=link.part, kind=kind, type=types.get(link.part)))
    return Package(main, links, types)


def _check_owners(parts: Sequence[str]) -> None:
    """Relationships must be named exactly like the part that has them."""
    known = {part.lower() for part in parts}
    for found in filter(None, map(RELATIONS.fullmatch, parts)):
        owner = found[1] + found[2]
        if (owner.lower() in known and owner not in parts) or not found[0].endswith(f"_rels/{found[2]}.rels"):
            raise AmbiguousError(say(_TO_NONE, part=found[0], target=owner))


def _check_styles(archive: GuardedArchive, links: Mapping[str, Link], types: Mapping[str, str]) -> None:
    """All programs must find the same styles and the same theme."""
    kinds = (("styles", say("styles"), _STYLES), ("theme", say("theme"), THEME))
    for relation, kind, declared_as in kinds:
        linked = sorted(link.part for link in links.values() if link.type == f"{_OFFICE}{relation}")
        declared = sorted(part for part, each in types.items() if each == declared_as)
        if len(linked) > 1 or linked != declared:
            raise AmbiguousError(_disagree(", ".join(linked), kind, declared))
        if relation == "styles" and linked != [ARC_STYLE] * (ARC_STYLE in archive.namelist()):
            sentence = "its styles are in {part} instead of {usual}"
            raise AmbiguousError(say(sentence, part=", ".join(linked) or "–", usual=ARC_STYLE))


def tables_of(archive: GuardedArchive, package: Package) -> list[str]:
    """The names of the tables of all sheets, which formulas use like range names."""
    parts = [part for part, kind in package.types.items() if kind == _TABLE]
    roots = (fromstring(archive.read_scanned(part)) for part in parts)
    return [str(root.get("displayName") or root.get("name")) for root in roots]


def _disagree(linked: str, kind: Phrase, declared: list[str]) -> Phrase:
    sentence = "the {kind} part is {linked} by its relationships, but {declared} by its content types"
    return say(sentence, linked=linked or "–", kind=kind, declared=", ".join(declared))


def _types(archive: GuardedArchive) -> dict[str, str]:
    """The content type of every part of the archive."""
    root = fromstring(archive.read_scanned(TYPES))
    check_namespace(TYPES, root.iter(), f"{_PACKAGE}content-types")
    defaults = [one for one in root if tag_of(one) == "Default"]
    overrides = [one for one in root if tag_of(one) == "Override"]
    sentence = say("the content type of {name} is declared twice")
    _refuse_duplicates((str(one.get("Extension")).lower() for one in defaults), sentence)
    _refuse_duplicates((str(one.get("PartName")).lower() for one in overrides), sentence)
    by_end = {str(one.get("Extension")).lower(): str(one.get("ContentType")) for one in defaults}
    by_name = {str(one.get("PartName")): str(one.get("ContentType")) for one in overrides}
    return {
        part: by_name.get(f"/{part}") or by_end.get(part.rpartition(".")[2].lower(), "")
        for part in archive.namelist()
    }


def _links(archive: GuardedArchive, part: str, folder: str) -> dict[str, Link]:
    """The relationships in a part, by id."""
    parts = {*archive.namelist()}
    return {str(one.get("Id")): _link(one, part, folder, parts) for one in relationships(archive, part)}


def relationships(archive: GuardedArchive, part: str) -> list[Any]:
    """The relationships in a part.

    Raises:
        AmbiguousError: programs could find different ones.
    """
    root = fromstring(archive.read_scanned(part))
    check_namespace(part, root.iter(), f"{_PACKAGE}relationships")
    elements = [one for one in root if tag_of(one) == "Relationship"]
    sentence = say("the relationship {name} is defined twice")
    _refuse_duplicates((str(one.get("Id")) for one in elements), sentence)
    return elements


def check_namespace(part: str, elements: Iterable[Any], namespace: str) -> None:
    """Refuse elements of another namespace, which only some programs tell apart.

    Raises:
        AmbiguousError: there are such elements.
    """
    for one in elements:
        if one.tag != f"{{{namespace}}}{tag_of(one)}":
            sentence = "{part} contains {name} in another XML namespace, which only some programs read"
            raise AmbiguousError(say(sentence, part=part, name=tag_of(one)))


def _link(one: Any, part: str, folder: str, parts: set[str]) -> Link:
    kind, target = str(one.get("Type")), str(one.get("Target"))
    named = ("officeDocument", "sharedStrings", "styles", "theme")
    read = kind in _KINDS or kind in [f"{_OFFICE}{name}" for name in named]
    if not read:
        return Link(kind, "")
    path = posixpath.normpath(posixpath.join("/", folder, target)).removeprefix("/")
    inside = one.get("TargetMode", "Internal") == "Internal" and path in parts
    if not inside or not _PLAIN_TARGET.fullmatch(target) or not _below(folder, target):
        raise AmbiguousError(say(_TO_NONE, part=part, target=target))
    return Link(kind, path)


def _below(folder: str, target: str) -> bool:
    """Whether a target stays within the root of the archive."""
    depth = 0 if target.startswith("/") else len(folder.split("/")) if folder else 0
    for step in target.removeprefix("/").split("/"):
        depth += {"..": -1, ".": 0}.get(step, 1)
        if depth < 0:
            return False
    return True


def linked(archive: GuardedArchive, part: str, kind: str) -> Iterator[str]:
    """The parts of a kind that a part has relationships to."""
    links = get_rels_path(part)  # type: ignore[no-untyped-call]
    if links not in (parts := set(archive.namelist())):
        return
    nearly = {part.lower() for part in parts}
    for link in get_dependents(archive, links):
        if not link.Type.endswith(kind):
            continue
        if link.target in parts:
            yield link.target
        elif unquote(str(link.target)).lower() in nearly:
            raise AmbiguousError(say(_TO_NONE, part=part, target=link.target))


def tag_of(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _refuse_duplicates(names: Iterable[str], sentence: Phrase) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise AmbiguousError(say(sentence.sentence, name=name))
        seen.add(name)
