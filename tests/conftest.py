"""What all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dev import prebuilt
from xlsxattn.checker import engines

ROOT = Path(__file__).parent.parent
SAID = "said"
"""The property of what a test has to say at the end: how much was proved, where machines differ."""

LONG = ("test_properties", "test_documents", "test_tweaks", "test_imported", "test_experiments", "test_press")
"""Test files that take long, the longest first."""


def pytest_configure() -> None:
    os.environ["XLSXATTN_LANG"] = "en"  # whatever the machine's language is
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins deaf to it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: one that is begun last keeps the other processes waiting."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == SAID:
                terminalreporter.write_line(str(line))


def require(engine: str) -> None:
    """Skip a test whose engine is missing, by name; in CI, where every engine must be there, fail it."""
    reason = engines.missing(engine)
    if reason is not None:
        (pytest.fail if os.environ.get("XLSXATTN_REQUIRE_ENGINES") == "1" else pytest.skip)(reason)


@pytest.fixture(params=engines.ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Every engine in turn."""
    require(request.param)
    return request.param


@pytest.fixture(scope="session")
def walkthrough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The walkthrough's workbook, built once."""
    return prebuilt.build("walkthrough", tmp_path_factory.mktemp("walkthrough") / "walkthrough.xlsx")


@pytest.fixture(scope="session")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The causal template's workbook, built once."""
    return prebuilt.build("causal", tmp_path_factory.mktemp("causal") / "causal.xlsx")
