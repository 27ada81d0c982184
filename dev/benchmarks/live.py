"""Measure the live page: its size, the time until it is ready, and edits compared with IronCalc's.

Each edit changes a number of the vocabulary, first in the page, where it is computed and drawn up to the next
frame, then in IronCalc, which only computes. Everything runs on one core. Processor time is that of the
page's main thread, and of IronCalc's process.

Usage: ``python -m dev.benchmarks.live [TEMPLATE ...]``, with Playwright and Chromium.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import ironcalc
from playwright.sync_api import sync_playwright

from dev import prebuilt
from xlsxattn import preview
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPENINGS, EDITS, WARM_UP = 5, 20, 5
READY = """
new MutationObserver((_, observer) => {
  if (!("ready" in document.documentElement.dataset)) return;
  window.readyAt = performance.now();
  observer.disconnect();
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-ready"] });
"""
EDIT = """
async ([row, column, value]) => {
  const start = performance.now();
  xlsxattn.set("vocab_E", row, column, value);
  const computed = performance.now();
  await new Promise((drawn) => requestAnimationFrame(() => {
    const channel = new MessageChannel(); // its message comes after the frame
    channel.port1.onmessage = drawn;
    channel.port2.postMessage(0);
  }));
  return [computed - start, performance.now() - start];
}
"""
HEADING = """\
| page of | file, kB | page, kB | ready, ms | the same, processor | edit, script, ms | edit, drawn, ms \
| the same, processor | IronCalc, processor | processor: page / IronCalc, min **median** max |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""


def main(names: Sequence[str]) -> None:
    """Print a table."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(HEADING)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as engine:
        folder = Path(name)
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for case in names or ("walkthrough", "walkthrough without training", "mouse", "sort"):
            template, _, without = case.partition(" without ")
            book = prebuilt.build(template, folder / f"{case}.xlsx", without=without)
            print(_row(browser, case, book, preview(book, folder / f"{case}.html")), flush=True)
        browser.close()


def _row(browser: Any, case: str, book: Path, page: Path) -> str:
    openings = []
    for _ in range(OPENINGS):
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.add_init_script(READY)
        session = tab.context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.goto(page.as_uri())
        tab.wait_for_selector("[data-ready]", state="attached", timeout=60_000)
        openings.append((tab.evaluate("readyAt"), _processor(session)))
        if len(openings) < OPENINGS:
            tab.close()
    ready, ready_processor = (statistics.median(column) for column in zip(*openings, strict=True))
    typed = _ironcalc(book)
    pairs: list[tuple[float, float, float, float]] = []
    for k in range(EDITS + WARM_UP):
        place = k % 3, k % 4, round(0.1 * k - 1, 2)
        before = _processor(session)
        script, drawn = tab.evaluate(EDIT, place)
        used = _processor(session) - before
        start = process_time()
        typed(*place)
        pairs.append((script, drawn, used, 1000 * (process_time() - start)))
    tab.close()
    script, drawn, used, theirs = (statistics.median(c) for c in zip(*pairs[WARM_UP:], strict=True))
    ratios = sorted(pair[2] / pair[3] for pair in pairs[WARM_UP:])
    sizes = f"{book.stat().st_size / 1000:.0f} | {page.stat().st_size / 1000:.0f}"
    return (
        f"| {case} | {sizes} | {ready:.0f} | {ready_processor:.0f} | {script:.0f} | {drawn:.0f} | {used:.0f} "
        f"| {theirs:.0f} | {ratios[0]:.2f} **{statistics.median(ratios):.2f}** {ratios[-1]:.2f} |"
    )


def _processor(session: Any) -> float:
    """The processor time of the page's main thread so far, in ms."""
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return 1000 * float(metrics["TaskDuration"])


def _ironcalc(book: Path) -> Callable[[int, int, float], None]:
    """Type a number of the vocabulary into IronCalc, and recalculate."""
    area = read(book).names["vocab_E"]
    model = ironcalc.load_from_xlsx(str(book))
    sheet = [one["name"] for one in model.get_worksheets_properties()].index(area.sheet)

    def typed(row: int, column: int, value: float) -> None:
        model.set_user_input(sheet, area.row + row + 1, area.col + column + 1, str(value))
        model.evaluate()

    return typed


if __name__ == "__main__":
    main(sys.argv[1:])
