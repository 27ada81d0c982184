"""What all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dev import prebuilt
from xlsxattn.checker import engines

ROOT = Path(__file__).parent.parent
THOROUGH = os.environ.get("XLSXATTN_THOROUGH") == "1"
"""Whether all that tests may draw is drawn, and every engine tries all of it: CONTRIBUTING.md."""
SAID = "said"
"""The property of what a test has to say at the end: how much was proved, where machines differ."""

LONG = ("test_documents", "test_imported", "test_tweaks", "test_round_trips", "test_properties", "test_press")
"""Test files that take long, the longest first."""
SKIPPED = "xlsxattn/skipped"
"""Where pytest's cache keeps which tests were skipped."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--skipped", action="store_true", help="run only what was skipped without this option")


def pytest_configure() -> None:
    os.environ["XLSXATTN_LANG"] = "en"  # whatever the machine's language is
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each program that a test starts would compile all anew
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins deaf to it


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: one that is begun last keeps the other processes waiting."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    if config.getoption("skipped"):
        wanted = set(config.cache.get(SKIPPED, []))
        left_out = [
            item for item in items if wanted.isdisjoint((item.nodeid, item.nodeid.partition("::")[0]))
        ]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("skipped") and hasattr(config, "cache"):
        config.cache.set(SKIPPED, [report.nodeid for report in terminalreporter.getreports("skipped")])
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
