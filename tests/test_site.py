"""The site is built in strict mode; its links are valid, and its frames calculate in a browser."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from browser import axe, launched
from conftest import import_library, optional_library

optional_library("mkdocs", "docs")
playwright = import_library("playwright.sync_api", "test")
browser = pytest.fixture(scope="module")(launched)

from dev.site import hook
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SITE = "https://xlsxattn.github.io/xlsxattn/"
HOMES = ("", "zh/")
HEADED = "{ rules: { 'page-has-heading-one': { enabled: false } } }"
"""A frame has no first heading: it is that of the page around it."""
FITS = """() => {
  const root = document.documentElement;
  return root.scrollWidth <= innerWidth && root.scrollHeight <= innerHeight;
}"""
"""Whether a frame needs no scroll bars."""
PAGES = (*HOMES, "tutorial/", "zh/tutorial/", "gallery/", "zh/gallery/")


class Links(HTMLParser):
    """The addresses in a page, and the ids that addresses can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in ("href", "src") and tag != "base" and value:
                self.addresses.append(value)
            elif key in ("id", "name") and value:
                self.ids.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(target)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return target


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    """The address of a server of the site."""
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tab(browser, address) -> Iterator[Any]:
    """A tab whose page makes no requests to other servers, and has an empty console."""
    opened, noise = browser.new_context(bypass_csp=True).new_page(), []
    opened.on("console", lambda message: noise.append(message.text))
    opened.on("pageerror", lambda error: noise.append(str(error)))
    opened.on("request", lambda request: noise.append(request.url))
    yield opened
    assert [line for line in noise if not line.startswith((address, "data:", "blob:"))] == []
    opened.context.close()


def show_all(tab: Any) -> list[Any]:
    """Scroll through a page, so that all its frames are loaded; return them."""
    frames = tab.query_selector_all("iframe")
    for frame in frames:
        frame.scroll_into_view_if_needed()
        frame.content_frame().wait_for_selector("[data-ready]", state="attached", timeout=60_000)
    return [frame.content_frame() for frame in frames]


@functools.cache
def ranges(workbook: Path) -> set[str]:
    return set(look(workbook).matrices)


def test_every_link_of_the_site_is_valid(site):
    pages = {
        path: Links(path.read_text("utf-8")) for path in site.rglob("*.html") if "live" not in path.parts
    }
    texts = {ROOT / name: (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md")}
    links = {path: page.addresses for path, page in pages.items()}
    links |= {path: re.findall(rf"\]\(({SITE}[^)\s]*)", text) for path, text in texts.items()}
    assert links[ROOT / "README.md"], "the README links to the site"
    for path, addresses in links.items():
        here = SITE + path.relative_to(site).as_posix() if path in pages else SITE
        for link in addresses:
            whole = urlsplit(urljoin(here, link))
            if not whole.geturl().startswith(SITE):
                continue
            target = site / unquote(whole.path).removeprefix(urlsplit(SITE).path)
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), (path, link)
            fragment = unquote(whole.fragment)
            if fragment and target in pages:
                assert fragment in pages[target].ids | {"__skip"}, (path, link)
            elif fragment:
                assert set(fragment.split(",")) <= ranges(target.with_suffix(".xlsx")), (path, link)


def test_every_template_has_a_live_page_and_a_workbook(site):
    for workbook in hook.workbooks():
        for suffix in (".html", ".xlsx"):
            assert (site / f"{workbook.address}{suffix}").is_file()


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        (f"[a]({SITE}live/causal.html#causal_chase_Nothing)", "has no range causal_chase_Nothing"),
        (f"[a]({SITE}live/nothing.html)", "the site has no live/nothing.html"),
    ],
)
def test_a_link_to_nothing_is_a_warning(link, problem, monkeypatch, caplog):
    monkeypatch.setitem(hook.RANGES, "live/causal", frozenset({"causal_chase_X"}))
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    files = [SimpleNamespace(url="live/causal.html", src_uri="live/causal.html")]
    hook.on_page_markdown(link, page=page, config=SimpleNamespace(site_url=SITE), files=files)
    assert problem in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


@pytest.mark.parametrize("page", PAGES)
def test_pages_fit_and_their_pieces_show_what_they_name(page, tab, address):
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto(address + page)
    assert tab.get_attribute("html", "lang") == ("zh" if page.startswith("zh") else "en")
    frames = show_all(tab)
    assert bool(frames) == ("gallery" not in page)
    for width in (1280, 400):
        tab.set_viewport_size({"width": width, "height": 800})
        for frame in frames:
            for name in unquote(urlsplit(frame.url).fragment).split(","):
                frame.wait_for_selector(f'[data-range="{name}"]', state="visible", timeout=10_000)
            assert not frame.is_visible("header")
            frame.wait_for_function(FITS, timeout=10_000)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("page", "typed", "ranges"), [("", "keyboard", "attn_cat_Output"), ("zh/", "手机", "attn_fruit_Output")]
)
def test_the_example_on_the_home_page_recalculates_what_is_typed(page, typed, ranges, tab, address):
    tab.goto(address + page)
    [frame] = show_all(tab)
    before = frame.evaluate(f"xlsxattn.read('{ranges}')")[2]
    assert before[0] > before[1]
    frame.click("#lanes-in-sight button")
    frame.fill("#entry", typed)
    frame.press("#entry", "Enter")
    after = frame.evaluate(f"xlsxattn.read('{ranges}')")[2]
    assert after[0] < after[1]
    assert frame.inner_text(f'[data-range="{ranges}"][data-row="2"][data-col="0"]') == f"{after[0]:.2f}"


def test_a_live_page_opens_at_the_range_and_the_head_in_its_address(tab, address):
    tab.goto(f"{address}live/sort.html#gpt_prompt_l1_h2_Attention")
    tab.wait_for_selector("[data-ready]", state="attached", timeout=60_000)
    cell = tab.locator("[data-range=gpt_prompt_l1_h2_Attention]").first
    playwright.expect(cell).to_be_in_viewport()
    assert tab.input_value("#head") == "1"


@pytest.mark.parametrize("page", HOMES)
def test_the_home_pages_are_accessible_in_light_and_dark(page, tab, address):
    tab.goto(address + page)
    [frame] = show_all(tab)
    for place, part in ((frame, "document"), (tab, "'figure.live'")):
        place.evaluate(axe())
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            assert frame.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
            found = place.evaluate(
                f"axe.run({part}, {HEADED}).then((all) => all.violations.map((one) => one.id))"
            )
            assert found == []
