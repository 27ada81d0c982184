"""The progress bar: on a terminal, after a second, and not with -q or -v."""

from __future__ import annotations

import io
import logging
import sys
import time

import click
import pytest

from xlsxattn.cli import progress as cli_progress
from xlsxattn.cli.progress import progress
from xlsxattn.cli.verbosity import common_options

LOG = logging.getLogger("xlsxattn.press")


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self):
        return True


@click.command()
@common_options
def steps():
    with progress():
        LOG.debug("", extra={"step": "writing", "done": 1, "of": 4})
        time.sleep(0.3)
        LOG.debug("", extra={"step": "evaluating"})
        time.sleep(0.3)


@pytest.fixture
def printed(monkeypatch):
    """The standard error of the command, by options, with the bar shown at once or later."""

    def run(*options, soon=0.0, stream=Terminal):
        monkeypatch.setattr(cli_progress, "SOON", soon)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", error := stream())
        steps.main([*options], standalone_mode=False)
        return error.getvalue()

    return run


def test_a_terminal_shows_each_step(printed):
    text = printed()
    assert "writing" in text
    assert "evaluating" in text


def test_short_steps_are_not_shown(printed):
    assert "writing" not in printed(soon=60.0)


@pytest.mark.parametrize(("options", "stream"), [(["-q"], Terminal), ([], io.StringIO)])
def test_nothing_is_shown_with_q_v_or_in_a_file(printed, options, stream):
    assert printed(*options, stream=stream) == ""


def test_progress_is_not_logged_with_v(printed):
    assert printed("-v") == ""


def test_the_log_is_restored(printed):
    log = logging.getLogger("xlsxattn")
    before = log.level, list(log.handlers)
    printed()
    assert (log.level, list(log.handlers)) == before
