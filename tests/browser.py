"""Opens pages in a headless Chromium, and returns their DOM and console output."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from conftest import cannot_run, import_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--v=0", "--timeout=30000", "--dump-dom"),
)
DARK = "--blink-settings=preferredColorScheme=0"
SECONDS = 120


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


def opened(page: Path, *flags: str) -> Opened:
    """Open a page in a browser with its own profile."""
    program = chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *FLAGS, *flags, f"--user-data-dir={profile}", page.as_uri()]
        ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    return Opened(ended.stdout, tuple(line for line in ended.stderr.splitlines() if ":CONSOLE:" in line))


def asked(page: str, script: str, folder: Path, *flags: str) -> Any:
    """Open a page with an additional script, whose function ``ask`` returns the result or a promise."""
    asking = (
        f"<script>{script}\n"
        "Promise.resolve(ask()).catch((e) => String(e)).then((found) => {"
        'const made = document.createElement("pre"); made.id = "answer";'
        "made.textContent = JSON.stringify(found); document.body.append(made); });</script></body>"
    )
    place = folder / "asked.html"
    place.write_text(page.replace("</body>", asking), "utf-8")
    return opened(place, *flags).answer()


def axe() -> str:
    """The accessibility checker's script."""
    import_library("axe_core_python", "test")
    text = resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    return text.replace("</script", "<\\/script")
