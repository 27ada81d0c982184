"""Opens pages in a headless Chromium, and returns their DOM and console output."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from conftest import cannot_run, import_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Opened:
    """The result of a page: its DOM and console output."""

    dom: str
    console: tuple[str, ...]

    def answer(self) -> Any:
        """The result of a script that was inserted into the page."""
        found = re.search(r'<pre id="answer">(.*?)</pre>', self.dom, re.DOTALL)
        assert found, (self.console, self.dom[-500:])
        return json.loads(html.unescape(found[1]))


def chromium() -> str:
    """The browser; without one, the test is skipped, or fails in CI."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        reason = "no program 'chromium' was found on the PATH; get it with: apt-get install chromium"
        cannot_run(reason)
    return str(program)


def launched() -> Iterator[Any]:
    """A browser that Playwright controls: the body of a fixture."""
    playwright = import_library("playwright.sync_api", "test")
    with playwright.sync_playwright() as program:
        browser = program.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, page: Path, *, dark: bool = False, until: str = "body") -> Opened:
    """Open a page with empty storage, until it has an element."""
    context = browser.new_context(color_scheme="dark" if dark else "light")
    tab, console = context.new_page(), []
    tab.on("console", lambda message: console.append(message.text))
    tab.on("pageerror", lambda error: console.append(f"{error.name}: {error.message}"))
    tab.goto(page.as_uri())
    tab.wait_for_selector(until, state="attached", timeout=60_000)
    dom = tab.content()
    context.close()
    return Opened(dom, tuple(console))


def asked(browser: Any, folder: Path, page: str, script: str, *, dark: bool = False) -> Any:
    """Open a page with an additional script, whose function ``ask`` returns the result or a promise."""
    asking = (
        f"<script>{script}\n"
        "Promise.resolve(ask()).catch((e) => String(e)).then((found) => {"
        'const made = document.createElement("pre"); made.id = "answer";'
        "made.textContent = JSON.stringify(found); document.body.append(made); });</script></body>"
    )
    place = folder / "asked.html"
    place.write_text(page.replace("</body>", asking), "utf-8")
    return opened(browser, place, dark=dark, until="#answer").answer()


def axe() -> str:
    """The accessibility checker's script."""
    import_library("axe_core_python", "test")
    text = resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    return text.replace("</script", "<\\/script")
