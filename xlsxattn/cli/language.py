"""The language of a command: --lang, else XLSXATTN_LANG, else that of the system's messages."""

from __future__ import annotations

import copy
import re
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from xlsxattn.language import ENGLISH, Language, Phrase, codes, is_wide, language, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_KEY = "xlsxattn.lang"
ENVIRONMENT = ("XLSXATTN_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
CLICK = tuple(
    f"click.{name}" for name in ("core", "decorators", "exceptions", "formatting", "parser", "types")
)
"""Modules of click with translatable messages."""
ROOM, ROOM_BESIDE = 76, 44
"""Widths of a paragraph of help, and of the text beside an option, in columns of the terminal."""
PIECE = r"[（“]*(?:[!-~]+|[^!-~])[，。；：、！？）”…]*\s*"
"""An unbreakable part of a help text: a word or a wide character, with its punctuation."""
WIDE, WIDE_MARK = "[\u3001-\u9fff\uff00-\uffef]", "[“”、。！（），：；？]"
BESIDE_QUOTES = rf"(?<={WIDE}) (?=“)|(?<=”) (?={WIDE})"
"""A space between a character and a quotation mark, which Chinese texts do not have."""


def choose(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language of a command line and its environment; English if neither names an available one.

    >>> choose(["build", "--lang=zh"], {}).code, choose([], {"LANG": "zh_CN.UTF-8"}).code
    ('zh', 'zh')
    >>> choose(["build"], {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}).code
    'en'
    """
    given = [b for a, b in pairwise(arguments) if a == "--lang"]
    given += [a.removeprefix("--lang=") for a in arguments if a.startswith("--lang=")]
    named = next((environment[name] for name in ENVIRONMENT if environment.get(name)), "")
    begun = [
        code for code in codes() if named.lower().replace("-", "_").partition(".")[0].split("_")[0] == code
    ]
    known = [code for code in given if code in codes()]
    return language((known[-1:] or begun or [ENGLISH.code])[0])


def lang(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --lang."""
    option = click.option(
        "--lang",
        type=click.Choice(codes()),
        expose_value=False,
        callback=_choose,
        help="The language of workbooks and messages.",
    )
    return option(command)


def _choose(ctx: click.Context, _: click.Parameter, code: str | None) -> None:
    if code:
        ctx.find_root().meta[_KEY] = code


def language_option() -> str:
    """The code of the language given by --lang to the running command; "" without it."""
    return str(click.get_current_context().find_root().meta.get(_KEY, ""))


_CURRENT: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current_language() -> Language:
    """The language of the running command."""
    return _CURRENT.get()


def tell(text: str) -> str:
    """A text in the language of the running command."""
    translation = visible(current_language().tell(text))
    return re.sub(BESIDE_QUOTES, "", translation) if current_language().quotes else translation


def with_punctuation(text: str) -> str:
    """A message of click with the quotation marks and punctuation of the language."""
    quotes = current_language().quotes
    if isinstance(text, Phrase):
        return text
    text = " ".join(text.split())  # click breaks lists into lines
    if not quotes:
        return text
    text = re.sub("'([^']*)'", lambda name: quotes.format(text=name[1]), text)
    text = re.sub("(?<=[^\\x00-\\x7f])[.] ?", "。", text.replace("”, “", "”、“"))
    return re.sub(f" *({WIDE_MARK}) *", r"\1", text)


class _Formatter(click.HelpFormatter):
    """Help with the punctuation of the language, also where click adds it."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        usage = current_language().tell("Usage:")
        own = usage if is_wide(usage[-1]) else f"{usage} "
        super().write_usage(prog, args, own if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(
            f"{'':>{self.current_indent}}{current_language().tell('{heading}:').format(heading=heading)}\n"
        )

    def write_dl(self, rows: Iterable[tuple[str, str]], *args: int, **more: int) -> None:
        super().write_dl([(name, _with_semicolons(said)) for name, said in rows], *args, **more)


class _Context(click.Context):
    formatter_class = _Formatter


def _with_semicolons(said: str) -> str:
    """The text beside an option, with the semicolons of the language in the brackets at its end."""
    before, bracket, values = said.rpartition("[")
    return before + bracket + values.replace("; ", "；") if bracket else said


@contextmanager
def use_language(chosen: Language) -> Iterator[None]:
    """Set the language of a command, also for click's own texts, which use gettext."""
    originals: list[tuple[Any, str, Any]] = []
    spell = {"_": chosen.tell, "ngettext": lambda one, many, n: chosen.tell(one if n == 1 else many)}
    for module in map(import_module, CLICK) if chosen.texts else ():
        originals += [(module, name, getattr(module, name)) for name in spell if hasattr(module, name)]
    token = _CURRENT.set(chosen)
    try:
        for module, name, _ in originals:
            setattr(module, name, spell[name])
        yield
    finally:
        _CURRENT.reset(token)
        for module, name, before in originals:
            setattr(module, name, before)


def translated(command: click.Command, chosen: Language) -> click.Command:
    """A command, with its subcommands, whose help is translated."""
    if not chosen.texts:
        return command
    copied = copy.copy(command)
    copied.context_class = _Context
    copied.params = [copy.copy(param) for param in command.params]
    copied._help_option = None  # noqa: SLF001 - click creates and caches it when needed
    shown: list[Any] = [copied, *copied.params]
    for one in shown:
        if getattr(one, "help", None):
            room = ROOM if one is copied else ROOM_BESIDE
            parts = (chosen.tell(" ".join(part.split())) for part in one.help.split("\n\n"))
            one.help = "\n\n".join(_wrapped(part, room) for part in parts)
        if isinstance(one, click.Option) and isinstance(one.type, click.IntRange):
            one.type = copy.copy(one.type)
            one.type.name = chosen.tell(one.type.name)
    if isinstance(copied, click.Group):
        copied.commands = {name: translated(one, chosen) for name, one in copied.commands.items()}
    return copied


def _wrapped(text: str, room: int) -> str:
    """A paragraph, broken into lines if it has wide (CJK) characters, which click counts as narrow."""
    from rich.cells import cell_len

    if cell_len(text) == len(text):
        return text
    lines = [""]
    for piece in re.findall(PIECE, text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > room:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece
    return "\b\n" + "\n".join(lines) if len(lines) > 1 else text
