"""The specs that come with the program."""

from __future__ import annotations

import tomllib
from pathlib import Path


def folder() -> Path:
    """Where the templates are: inside an installed package, or beside it in a checkout."""
    here = Path(__file__).parent
    installed = here / "templates"
    return installed if installed.is_dir() else here.parent / "templates"


def names() -> list[str]:
    """The templates' names, the walkthrough first."""
    found = sorted(path.stem for path in folder().glob("*.toml") if "." not in path.stem)
    return sorted(found, key=lambda name: name != "walkthrough")


def path(name: str) -> Path:
    """The file of a template."""
    return folder() / f"{name}.toml"


def title(name: str) -> str:
    """What a template says it is about."""
    return str(tomllib.loads(path(name).read_text(encoding="utf-8")).get("title", name))


def data_files(name: str) -> list[Path]:
    """The data files that a template names, beside it: learned weights, embeddings."""
    spec = tomllib.loads(path(name).read_text(encoding="utf-8"))
    named = [spec.get("vocabulary", {}).get("from"), *(s.get("weights") for s in spec.get("sheets", []))]
    return [folder() / one for one in dict.fromkeys(named) if isinstance(one, str)]
