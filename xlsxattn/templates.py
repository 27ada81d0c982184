"""The specs that come with the program."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.language import say
from xlsxattn.suggestions import nearest
from xlsxattn.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.language import Phrase


class CopyError(Exception):
    """A template that cannot be copied; its text is the sentence a person reads."""


def folder() -> Path:
    """Where the templates are: inside an installed package, or beside it in a checkout."""
    here = Path(__file__).parent
    installed = here / "templates"
    return installed if installed.is_dir() else here.parent / "templates"


def names() -> list[str]:
    """The templates' names, the walkthrough first."""
    found = sorted(path.stem for path in folder().glob("*.toml") if "." not in path.stem)
    return sorted(found, key=lambda name: name != "walkthrough")


def unknown(name: str, specs: Sequence[str] = ()) -> Phrase:
    """That a word is no template's, and the template, or the spec's file, that it may stand for."""
    own = names()
    meant = {one: one for one in own} | {spec.removesuffix(".toml"): spec for spec in specs}
    near = nearest(name, meant)
    values = {"name": name, "near": meant.get(near or "", ""), "known": ", ".join(own)}
    if near:
        return say(
            "there is no template '{name}'; did you mean '{near}'? the templates are: {known}; "
            "a spec's file ends in .toml",
            **values,
        )
    return say(
        "there is no template '{name}'; the templates are: {known}; a spec's file ends in .toml", **values
    )


def path(name: str) -> Path:
    """The file of a template."""
    return folder() / f"{name}.toml"


def title(name: str) -> str:
    """What a template says it is about."""
    return str(tomllib.loads(path(name).read_text(encoding="utf-8")).get("title", name))


def lang(name: str) -> str:
    """The language that a template is written in, by its code."""
    return str(tomllib.loads(path(name).read_text(encoding="utf-8")).get("lang", "en"))


def data_files(name: str) -> list[Path]:
    """The data files that a template names, beside it: learned weights, embeddings."""
    spec = tomllib.loads(path(name).read_text(encoding="utf-8"))
    named = [spec.get("vocabulary", {}).get("from"), *(s.get("weights") for s in spec.get("sheets", []))]
    return [folder() / one for one in dict.fromkeys(name for name in named if isinstance(name, str))]


def _asking(content: bytes, lang: str) -> bytes:
    """A spec that asks for a language, in the place of its own or below its title."""
    asked, own = b'lang = "%s"' % lang.encode(), rb'(?m)^lang = "\w*"'
    if re.search(own, content):
        return re.sub(own, asked, content, count=1)
    return re.sub(rb"(?m)^title = .*\n", rb"\g<0>" + asked + b"\n", content, count=1)


def copy(name: str, target: Path, lang: str = "") -> None:
    """Copy a template, and beside it the data files that it names: all or none.

    With a language, the copy asks for it. A data file that is there already, with the same content, stays.

    Raises:
        CopyError: there is another file in the place of one, or it cannot be written.
    """
    copies = {target: path(name)} | {target.parent / one.name: one for one in data_files(name)}
    made: list[Path] = []
    try:
        for place, source in copies.items():
            content = source.read_bytes()
            if place == target and lang:
                content = _asking(content, lang)
            if place != target and place.is_file() and place.read_bytes() == content:
                continue
            with place.open("xb") as file:
                made.append(place)
                file.write(content)
    except OSError as error:
        for one in made:
            one.unlink()
        if isinstance(error, FileExistsError):
            raise CopyError(
                say("{place}: there is such a file already, choose another name", place=place)
            ) from None
        raise CopyError(say("{place}: cannot be written: {why}", place=place, why=reason(error))) from None
