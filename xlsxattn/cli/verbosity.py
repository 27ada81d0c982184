"""How much a command prints: -v adds steps and tables, -q omits hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xlsxattn.cli.language import lang

if TYPE_CHECKING:
    from collections.abc import Callable

_QUIET, _VERBOSE = "xlsxattn.quiet", "xlsxattn.verbose"


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options -v, -q, --lang and --debug."""
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_set_verbose,
        help="Show every step, and all ranges.",
    )
    quiet = click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_set_quiet,
        help="Print results only, no hints.",
    )
    # main() reads it, as an error may come before click has read any option
    debug = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show the traceback of an internal error."
    )
    return verbose(quiet(lang(debug(command))))


def is_quiet() -> bool:
    """Whether the running command has the option -q."""
    return bool(click.get_current_context().find_root().meta.get(_QUIET))


def is_verbose() -> bool:
    """Whether the running command has the option -v, and not -q."""
    return bool(click.get_current_context().find_root().meta.get(_VERBOSE)) and not is_quiet()


def _set_quiet(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if given:
        ctx.find_root().meta[_QUIET] = True


def _set_verbose(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if not given:
        return
    ctx.find_root().meta[_VERBOSE] = True
    import logging

    from xlsxattn.cli.log_handlers import ToStandardError

    log, handler = logging.getLogger("xlsxattn"), ToStandardError(logging.INFO)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    ctx.call_on_close(lambda: log.removeHandler(handler))
