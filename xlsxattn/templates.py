"""The specs included in the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.language import MessageError, say
from xlsxattn.suggestions import nearest
from xlsxattn.system_errors import not_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.language import Phrase


class CopyError(MessageError):
    """A template that cannot be copied; the message is shown to the user."""


def folder() -> Path:
    """The folder of the templates: inside an installed package, or next to it in a checkout."""
    here = Path(__file__).parent
    installed = here / "templates"
    return installed if installed.is_dir() else here.parent / "templates"


def names() -> list[str]:
    """The names of the templates, the walkthrough first."""
    stems = sorted(path.stem for path in folder().glob("*.toml") if "." not in path.stem)
    return sorted(stems, key=lambda name: name != "walkthrough")


def unknown(name: str, specs: Sequence[str] = ()) -> Phrase:
    """The message for an unknown template, with the nearest template or spec file."""
    known = names()
    candidates = {name: name for name in known} | {spec.removesuffix(".toml"): spec for spec in specs}
    near = nearest(name, candidates)
    if near:
        return say("there is no template '{name}'; did you mean '{near}'?", name=name, near=candidates[near])
    sentence = (
        "there is no template '{name}'; the templates are: {known}; the name of a spec file ends in .toml"
    )
    return say(sentence, name=name, known=", ".join(known))


def path(name: str) -> Path:
    """The file of a template."""
    return folder() / f"{name}.toml"


def shown(spec: Path) -> str:
    """How messages name a spec: by the name of its template, or by its path."""
    return spec.stem if spec.parent == folder() else str(spec)


def title(name: str) -> str:
    """The title of a template."""
    return str(tomllib.loads(path(name).read_text(encoding="utf-8")).get("title", name))


def lang(name: str) -> str:
    """The language code of a template."""
    return str(tomllib.loads(path(name).read_text(encoding="utf-8")).get("lang", "en"))


def data_files(name: str) -> list[Path]:
    """The data files that a template refers to: learned weights, embeddings."""
    spec = tomllib.loads(path(name).read_text(encoding="utf-8"))
    named = [spec.get("vocabulary", {}).get("from"), *(s.get("weights") for s in spec.get("sheets", []))]
    return [folder() / one for one in dict.fromkeys(name for name in named if isinstance(name, str))]


def _with_language(content: bytes, lang: str) -> bytes:
    """Set the language of a spec: replace its own, or add one below its title."""
    line, pattern = b'lang = "%s"' % lang.encode(), rb'(?m)^lang = "\w*"'
    if re.search(pattern, content):
        return re.sub(pattern, line, content, count=1)
    return re.sub(rb"(?m)^title = .*\n", rb"\g<0>" + line + b"\n", content, count=1)


def copy(name: str, target: Path, lang: str = "") -> None:
    """Copy a template and its data files: all of them or none.

    The copy gets the language, if one is given. An existing data file with the same content is kept.

    Raises:
        CopyError: a different file exists already, or a file cannot be written.
    """
    copies = {target: path(name)} | {target.parent / one.name: one for one in data_files(name)}
    written: list[Path] = []
    try:
        for place, source in copies.items():
            content = source.read_bytes()
            if place == target and lang:
                content = _with_language(content, lang)
            if place != target and place.is_file() and place.read_bytes() == content:
                continue
            with place.open("xb") as file:
                written.append(place)
                file.write(content)
    except OSError as error:
        for path_written in written:
            path_written.unlink()
        if isinstance(error, FileExistsError):
            raise CopyError(
                say("{place}: the file exists already; choose another name", place=place)
            ) from None
        raise CopyError(not_written(place, error)) from None
