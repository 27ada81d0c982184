"""Shared fixtures and hooks."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import tempfile
from pathlib import Path
from typing import Any, NoReturn

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported: see the command line
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same for PyTorch

import pytest
import small_books
from hypothesis import settings

from dev import prebuilt
from xlsxattn import press
from xlsxattn.checker import engines
from xlsxattn.cli.commands import COLLECTED

ROOT = Path(__file__).parent.parent
pytest.register_assert_rewrite("experiments")
THOROUGH = os.environ.get("XLSXATTN_THOROUGH") == "1"
"""Whether to run all random cases with all engines: see CONTRIBUTING.md."""
settings.register_profile("xlsxattn", derandomize=not THOROUGH)
settings.load_profile("xlsxattn")  # the result of a default run depends on the sources alone
SAID = "said"
"""The property of a test for messages in the summary, such as how much was proved."""

LONG = (
    "test_answers", "test_properties", "test_edits", "test_campaign", "test_live_page", "test_language",
    "test_preview", "test_hostile", "test_extremes", "test_page", "test_engines", "test_formula_table",
    "test_claims", "test_press", "test_documents", "test_round_trips", "test_experiments", "test_imported",
    "test_chinese", "test_chinese_workbooks", "test_runs", "test_shell", "test_tweaks", "test_trained",
    "test_build_failures", "test_one_reading", "test_live_calculation", "test_exercise",
    "test_unusual_edits", "test_training_reference", "test_interrupt", "test_import", "test_packaging",
)  # fmt: skip
"""Slow test files, the slowest first."""
SKIPPED = "xlsxattn/skipped"
"""The key of skipped tests in pytest's cache."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--skipped", action="store_true", help="run only what was skipped without this option")


def pytest_configure() -> None:
    os.environ["XLSXATTN_LANG"] = "en"  # independent of the system's language
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # each program that a test starts would compile everything again
    gc.set_threshold(*COLLECTED)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore SIGINT by default


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores, as workers wait for engines and browsers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that none of them is the last to start."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    if config.getoption("skipped"):
        wanted = set(config.cache.get(SKIPPED, []))
        left_out = [
            item for item in items if wanted.isdisjoint((item.nodeid, item.nodeid.partition("::")[0]))
        ]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(tryfirst=True)
def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Name a skipped module in its reason, as pytest-xdist drops all but one of several equal reasons."""
    if report.skipped and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if report.nodeid not in reason:
            report.longrepr = path, line, f"{report.nodeid}: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("skipped") and hasattr(config, "cache"):
        config.cache.set(SKIPPED, [report.nodeid for report in terminalreporter.getreports("skipped")])
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == SAID:
                terminalreporter.write_line(str(line))


def cannot_run(reason: str) -> NoReturn:
    """Skip a test, or fail it in CI, where everything must be installed that the tests of CI need."""
    if os.environ.get("XLSXATTN_REQUIRE_ENGINES") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def require(engine: str) -> None:
    """Skip or fail a test whose engine is missing."""
    reason = engines.missing(engine)
    if reason is not None:
        cannot_run(reason)


def import_library(module: str, extra: str) -> Any:
    """Import a library of an extra; without it, the test is skipped, or fails in CI."""
    try:
        return importlib.import_module(module)
    except ImportError:
        cannot_run(f"{module} is missing; get it with: pip install -e '.[{extra}]'")


def optional_library(module: str, extra: str = "torch") -> Any:
    """Import a library that few tests need; if it is missing, skip them, or fail in CI."""
    if os.environ.get("XLSXATTN_REQUIRE_LIBRARIES") == "1":
        return importlib.import_module(module)
    return pytest.importorskip(
        module, reason=f"{module} is missing; get it with: pip install -e '.[{extra}]'"
    )


@pytest.fixture(params=engines.ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    require(request.param)
    return request.param


@pytest.fixture(scope="session")
def walkthrough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of the walkthrough without its training, whose cells outnumber all others; built once."""
    path = tmp_path_factory.mktemp("walkthrough") / "walkthrough.xlsx"
    return prebuilt.build("walkthrough", path, without="training")


@pytest.fixture(scope="session")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of the causal template, built once."""
    return prebuilt.build("causal", tmp_path_factory.mktemp("causal") / "causal.xlsx")


@pytest.fixture(scope="session")
def learning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of the small training, built once."""
    return prebuilt.build("learning", tmp_path_factory.mktemp("learning") / "learning.xlsx")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with temporary files in another one."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small workbook as the press made it, from another title."""
    folder = tmp_path_factory.mktemp("earlier")
    path = small_books.spec("An earlier title", folder / "spec.toml")
    return press.build(path, folder / "book.xlsx").path.read_bytes()


@pytest.fixture
def old(temporary: Path, earlier: bytes) -> bytes:
    """That workbook at the target of the next build."""
    temporary.with_name("work").joinpath("book.xlsx").write_bytes(earlier)
    return earlier
