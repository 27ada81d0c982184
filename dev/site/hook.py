"""A hook of MkDocs: puts the live page and the workbook of every template into the site.

A paragraph of a Markdown page that is only a link to ranges of a live page, with a picture or a text, becomes
the live page itself, in a frame that shows the steps of these ranges. The picture is for readers without
JavaScript and of the Markdown file. Addresses of the site may be absolute, so that they also work there.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # MkDocs loads this file as a script

from dev import prebuilt
from xlsxattn import preview, templates
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page
    from mkdocs.utils.templates import TemplateContext

log = get_plugin_logger("xlsxattn")
CHINESE = "zh/"
"""The folder of the Chinese pages."""
TEXTS = {
    "en": ("Live: click a word or a number, type another, and press Enter.", "Open it alone"),
    "zh": ("可以直接修改：单击一个词或一个数，输入新的，再按回车。", "单独打开"),
}
"""The caption of a frame, and the text of its link."""
RANGES: dict[str, frozenset[str]] = {}
"""The names of the ranges in each workbook of the site, by its address."""
_FRAME = re.compile(r'<p><a href="((?:[^"]+/)?live/[^"]+#[^"]+)">(<img alt="([^"]*)"[^>]*>|([^<]+))</a></p>')
_RANGES = re.compile(r"/((?:zh/)?live/\w+)\.html#([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class LiveWorkbook:
    """A workbook of the site: address without suffix, template, language, and the kind of sheet left out."""

    address: str
    template: str
    lang: str
    without: str = ""


def workbooks() -> Iterator[LiveWorkbook]:
    """All workbooks of the site."""
    for name in templates.names():
        yield LiveWorkbook(f"live/{name}", name, templates.lang(name))
        yield LiveWorkbook(f"{CHINESE}live/{name}", name, "zh")
    # the tutorial has many frames, so it leaves out the training, which has most of the cells
    yield LiveWorkbook("live/tutorial", "walkthrough", "en", without="training")
    yield LiveWorkbook(f"{CHINESE}live/tutorial", "walkthrough", "zh", without="training")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the workbooks and their live pages."""
    with tempfile.TemporaryDirectory() as folder:
        for workbook in workbooks():
            place = Path(folder, f"{Path(workbook.address).name}.xlsx")
            prebuilt.build(workbook.template, place, workbook.lang, without=workbook.without)
            page = preview(place, place.with_suffix(".html")).read_text("utf-8")
            contents: dict[str, str | bytes] = {".xlsx": place.read_bytes(), ".html": with_pieces(page)}
            for suffix, content in contents.items():
                files.append(File.generated(config, f"{workbook.address}{suffix}", content=content))
            RANGES[workbook.address] = frozenset(look(place).matrices)
    return files


def with_pieces(page: str) -> str:
    """Add to a live page the style and script that show some of its steps in a frame."""
    style, script = (Path(__file__).with_name(name).read_text("utf-8") for name in ("piece.css", "piece.js"))
    page = page.replace("</style>", f"{style}</style>", 1)
    head, end, tail = page.rpartition("</body>")
    return f"{head}<script>\n{script}</script>\n{end}{tail}"


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make addresses of the site relative, so that MkDocs checks them, and check the ranges in them."""
    here = posixpath.dirname(page.file.src_uri)
    sources = {file.url: file.src_uri for file in files}

    def relative(match: re.Match[str]) -> str:
        address, fragment = match[1], match[2] or ""
        if address not in sources:
            log.warning("%s: the site has no %s", page.file.src_uri, address)
        return f"]({posixpath.relpath(sources.get(address, address), here or '.')}{fragment})"

    for address, names in _RANGES.findall(markdown):
        for name in unquote(names).split(","):
            if name not in RANGES.get(address, ()):
                log.warning("%s: %s has no range %s", page.file.src_uri, address, name)
    site = re.escape(str(config.site_url))
    return re.sub(rf"\]\({site}([^)#\s]*)(#[^)\s]+)?\)", relative, markdown)


def on_page_content(html: str, *, page: Page, **_: object) -> str:
    """Show live pages in frames."""
    text, alone = TEXTS[_language(page)]

    def frame(match: re.Match[str]) -> str:
        address, shown, title = match[1], match[2], match[3] or match[4]
        return (
            f'<figure class="live"><iframe src="{address}" title="{title}" loading="lazy"></iframe>'
            f"<noscript>{shown}</noscript>"
            f'<figcaption>{escape(text)} <a href="{address}">{escape(alone)}</a></figcaption></figure>'
        )

    return _FRAME.sub(frame, html)


def on_post_build(*, config: MkDocsConfig, **_: object) -> None:
    """Copy the sitemap to the folder of the Chinese pages, where the theme looks for it."""
    place = Path(config.site_dir)
    shutil.copyfile(place / "sitemap.xml", place / CHINESE / "sitemap.xml")


def on_page_context(
    context: TemplateContext, *, page: Page, config: MkDocsConfig, **_: object
) -> TemplateContext:
    """Set the language of the theme to that of the page."""
    config.theme["language"] = _language(page)
    return context


def _language(page: Page) -> str:
    return "zh" if page.file.src_uri.startswith(CHINESE) else "en"
