"""The live page in a browser: edits, undo, the link, the download; no requests, an empty console."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from browser import axe, launched
from commands import run
from conftest import THOROUGH, require
from workbooks import tweaked

import xlsxattn
from dev import prebuilt
from xlsxattn import templates
from xlsxattn.checker import engines
from xlsxattn.view import page
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY = "[data-ready]"
browser = pytest.fixture(scope="module")(launched)


@pytest.fixture(scope="module")
def live(causal, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("live") / "causal.html"
    return xlsxattn.preview(causal, target)


class Tab:
    """A page in a browser, with its requests and its console output."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        self.tab = browser.new_context(accept_downloads=True, **options).new_page()
        self.noise: list[str] = []
        self.tab.on("console", lambda message: self.noise.append(message.text))
        self.tab.on("pageerror", lambda error: self.noise.append(str(error)))
        self.tab.on("request", lambda request: self.noise.append(request.url))
        self.tab.goto(path.as_uri() + fragment)
        self.tab.wait_for_selector(READY, state="attached", timeout=60_000)
        self.noise = [line for line in self.noise if not line.startswith(("data:", path.as_uri()))]

    def call(self, script: str) -> Any:
        return self.tab.evaluate(script)

    def text(self, place: str) -> str:
        return self.tab.inner_text(place)


@pytest.fixture
def tab(browser, live) -> Iterator[Tab]:
    opened = Tab(browser, live)
    yield opened
    assert opened.noise == []
    opened.tab.context.close()


def test_the_page_recalculates_on_opening(tab):
    assert re.fullmatch(
        r"✓ \d+ formulas recalculated in this page: all \d+ cells equal the file's", tab.text("#proof")
    )


def test_an_edit_recalculates_outlines_and_can_be_undone(tab):
    before = tab.call("xlsxattn.read('causal_chase_Output')")
    assert tab.call("xlsxattn.formula('causal_chase_Output')").startswith("{=MMULT(")
    tab.tab.click('td[data-range="vocab_E"][data-row="2"][data-col="0"]')
    assert tab.tab.is_visible("#slider")
    tab.tab.fill("#entry", "2.5")
    tab.tab.press("#entry", "Enter")
    after = tab.call("xlsxattn.read('causal_chase_Output')")
    assert after != before
    assert tab.call("document.querySelectorAll('td.changed[data-range=causal_chase_Output]').length") > 0
    assert tab.text("#said").startswith("cells changed: ")
    tab.tab.click("#undo")
    assert tab.call("xlsxattn.read('causal_chase_Output')") == before
    tab.tab.click("#redo")
    assert tab.call("xlsxattn.read('causal_chase_Output')") == after


def test_a_new_word_is_in_all_headings(tab):
    tab.call("xlsxattn.set('chase_Tokens', 1, 0, 'dog')")
    table = "table:has(td[data-range=causal_chase_Attention])"
    assert tab.call(f"document.querySelector('{table}').tHead.textContent").count("dog") == 1
    assert "the dog chased" in tab.call(f"document.querySelector('{table}').caption.textContent")
    assert "dog" in tab.text("#sight")


@pytest.mark.parametrize("typed", ["2,5", "much", "1e999", "=1+1"])
def test_invalid_numbers_are_reported(tab, typed):
    before = tab.call("xlsxattn.read('vocab_E')")
    tab.tab.click('td[data-range="vocab_E"]')
    tab.tab.fill("#entry", typed)
    tab.tab.press("#entry", "Enter")
    assert tab.text("#said") == f"{typed} is not a number: write it like 2.5"
    assert tab.call("xlsxattn.read('vocab_E')") == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("xlsxattn.set('nix', 0, 0, 1)", "there is no range nix"),
        ("xlsxattn.set('causal_chase_X', 0, 0, 1)", "causal_chase_X is not an input"),
        ("xlsxattn.set('vocab_E', 99, 0, 1)", "vocab_E has 9 × 4 cells: there is no row 99, column 0"),
        ("xlsxattn.set('vocab_Focus', 0, 0, 3)", "vocab_Focus needs a text on one line"),
        ("xlsxattn.set('vocab_Focus', 0, 0, '\\u2028')", "vocab_Focus needs a text on one line"),
        ("xlsxattn.set('vocab_Focus', 0, 0, '\\uffff')", "vocab_Focus needs a text on one line"),
        ("xlsxattn.set('vocab_Focus', 0, 0, '\\ud800')", "vocab_Focus needs a text on one line"),
        ("xlsxattn.set('vocab_Focus', 0, 0, 'a_x0041_')", "a workbook cannot store _x0041_"),
        ("xlsxattn.set('__proto__', 0, 0, 1)", "there is no range __proto__"),
        ("xlsxattn.read('constructor')", "there is no range constructor"),
        ("xlsxattn.set(Symbol(), 0, 0, 1)", "there is no range symbol"),
        ("xlsxattn.set('vocab_E', Symbol(), 0, 1)", "there is no row symbol, column 0"),
        ("xlsxattn.set('vocab_E', 0, 0, { toString() { throw 1; } })", "object is not a number"),
        ("xlsxattn.set('vocab_E', 0, 0, 5n)", "5 is not a number"),
    ],
)
def test_invalid_calls_are_errors(tab, call, message):
    assert message in tab.call(f"(() => {{ try {{ {call}; }} catch (error) {{ return String(error); }} }})()")


def test_minus_zero_is_zero_and_no_change(tab):
    tab.call("xlsxattn.set('vocab_E', 0, 0, -0)")
    assert tab.call("Object.is(xlsxattn.read('vocab_E')[0][0], 0)")
    assert tab.tab.get_attribute("#link", "href") == "#"


def test_choosing_a_number_outlines_what_it_reads_and_what_moves_it(tab):
    tab.tab.click('td[data-range="causal_chase_Attention"][data-row="1"][data-col="1"]')
    read = tab.call("[...new Set([...document.querySelectorAll('td.read')].map((c) => c.dataset.range))]")
    assert sorted(read) == ["causal_chase_Exp", "causal_chase_RowSum"]
    assert "{=causal_chase_Exp/causal_chase_RowSum}" in tab.text("#cell")
    values = tab.call("xlsxattn.read('causal_chase_Attention')")
    tab.tab.click("#moves")
    assert re.match(r"vocab_E · cat · \w+ [+−]0\.\d+", tab.text("#ranking li:first-child"))
    assert tab.call("document.querySelectorAll('td.raises, td.lowers').length") > 4
    assert tab.call("xlsxattn.read('causal_chase_Attention')") == values


EFFECTS = """
(() => {
  const output = () => xlsxattn.read("causal_chase_Attention")[3][1], start = output();
  const sizes = xlsxattn.read("vocab_E").flatMap((line, row) => line.map((value, col) => {
    xlsxattn.set("vocab_E", row, col, value + 0.1);
    const effect = output() - start;
    xlsxattn.set("vocab_E", row, col, value);
    return Math.abs(effect);
  }));
  return sizes.filter((size) => size > 1e-12).sort((a, b) => b - a);
})()
"""


def test_inputs_that_affect_a_number_are_ranked(tab):
    wanted = tab.call(EFFECTS)
    tab.tab.click('td[data-range="causal_chase_Attention"][data-row="3"][data-col="1"]')
    tab.tab.click("#moves")
    tab.tab.wait_for_selector("#ranking li")
    ranked = tab.call("[...document.querySelectorAll('#ranking b')].map((one) => one.textContent)")
    assert [abs(float(text.replace("−", "-"))) for text in ranked] == pytest.approx(wanted[:8], rel=0.05)
    assert tab.text("#said").startswith(f"inputs that affect it: {len(wanted)};")


def test_a_link_to_a_sheet_shows_its_heading_below_the_sentences(tab):
    tab.tab.click("#contents li:nth-child(2) a")
    heading = "document.querySelector('#sheet2 h2').getBoundingClientRect().top"
    assert tab.call(heading) >= tab.call("document.querySelector('#sight').getBoundingClientRect().bottom")


def test_only_changed_sheets_are_rewritten(tab, causal, tmp_path):
    tab.call("xlsxattn.set('vocab_E', 2, 0, -1.25)")
    tab.call("xlsxattn.set('chase_Tokens', 1, 0, 'a & b <c>')")
    with tab.tab.expect_download() as download:
        tab.tab.click("#download")
    file = tmp_path / "home.xlsx"
    download.value.save_as(file)
    assert look(file)["vocab_E"].grid[2][0] == -1.25
    assert look(file)["chase_Tokens"].grid[1][0] == "a & b <c>"
    with zipfile.ZipFile(file) as ours, zipfile.ZipFile(causal) as first:
        assert ours.testzip() is None
        assert ours.namelist() == first.namelist()
        changed = [name for name in first.namelist() if ours.read(name) != first.read(name)]
    assert all(name.startswith("xl/worksheets/sheet") or name == "docProps/app.xml" for name in changed)
    assert len(changed) < 6


def test_the_download_is_proved_by_check(tab, tmp_path):
    tab.call("xlsxattn.set('vocab_E', 2, 0, -1.25)")
    with tab.tab.expect_download() as download:
        tab.tab.click("#download")
    file = tmp_path / "home.xlsx"
    download.value.save_as(file)
    ended = run("check", file, "--format", "json")
    assert ended.code == 0
    assert '"saved_by": "the live page"' in ended.out
    assert f"{file}, saved by the live page" in run("check", file, "--inputs", "as-saved", "-v").out


@pytest.mark.parametrize("name", templates.names() if THOROUGH else ["learning", "pingguo"])
def test_every_engine_proves_a_download(browser, name, tmp_path):
    book = prebuilt.build(name, tmp_path / f"{name}.xlsx")
    tab = Tab(browser, xlsxattn.preview(book, tmp_path / f"{name}.html"))
    tab.call("xlsxattn.set('vocab_E', 1, 0, 1.25)")
    with tab.tab.expect_download() as download:
        tab.tab.click("#download")
    download.value.save_as(tmp_path / "home.xlsx")
    for engine in engines.ENGINES:
        require(engine)
    ended = run("check", tmp_path / "home.xlsx", "--engine", "all", "--inputs", "as-saved")
    assert (ended.code, "agree with NumPy" in ended.out) == (0, True), ended.out


def test_a_link_contains_the_changes(tab, browser, live):
    tab.call("xlsxattn.set('vocab_E', 2, 0, 1.5)")
    tab.call("xlsxattn.set('vocab_Focus', 0, 0, 'dog')")
    other = Tab(browser, live, tab.tab.get_attribute("#link", "href"))
    for name in ("vocab_E", "vocab_Focus", "causal_chase_Output"):
        assert other.call(f"xlsxattn.read('{name}')") == tab.call(f"xlsxattn.read('{name}')")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["nix", [["vocab_E", 0, 0, 1]]], "the link belongs to another workbook: nothing was changed"),
        (["", [["vocab_E", 0, 0, 1], ["causal_chase_X", 0, 0, 1]]], "causal_chase_X is not an input"),
        (["", [["vocab_E", 0, 0, "=1+1"]]], "=1+1 is not a number"),
        (["", [["vocab_E", 0.5, 0, 1]]], "there is no row 0.5"),
        (["", [["vocab_Focus", 0, 0, {"a": 1}]]], "vocab_Focus needs a text"),
        (["", [["__proto__", 0, 0, 1]]], "there is no range __proto__"),
        (["", [["vocab_Focus", 0, 0, "\ud800"]]], "vocab_Focus needs a text"),
        (["", [["vocab_E", 0, 0, [1]]]], "object is not a number"),
        (["", 5], "the link is damaged"),
        (None, "the link is damaged"),
    ],
)
def test_a_wrong_link_changes_nothing(tab, browser, live, changes, message):
    tab.call("xlsxattn.set('vocab_E', 0, 0, 9)")
    mark = re.search(r"%5B%22(\w+)%22", tab.tab.get_attribute("#link", "href"))[1]
    text = json.dumps([changes[0] or mark, changes[1]]) if changes else "{{"
    other = Tab(browser, live, f"#changes={quote(text)}")
    assert message in other.text("#said")
    assert other.tab.get_attribute("#link", "href") == "#"


def test_lines_and_heads_follow_the_chosen_head(browser, walkthrough, tmp_path):
    tab = Tab(browser, xlsxattn.preview(walkthrough, tmp_path / "walkthrough.html"))
    tab.tab.click("#lines summary")
    tab.tab.wait_for_selector("#grid button")
    assert tab.call("document.querySelectorAll('#grid button').length") > 2
    first = tab.call("document.querySelector('#drawn').innerHTML")
    tab.tab.click("#grid button:nth-child(2)")
    assert tab.call("document.querySelector('#drawn').innerHTML") != first
    assert tab.call("document.querySelector('#head').value") == "1"
    assert tab.noise == []


def test_a_number_of_an_attention_matrix_chooses_its_head_and_word(browser, walkthrough, tmp_path):
    tab = Tab(browser, xlsxattn.preview(walkthrough, tmp_path / "walkthrough.html"))
    tab.tab.click('td[data-range="heads_cat_h2_Attention"][data-row="4"]')
    assert tab.call("document.querySelector('#head').selectedOptions[0].textContent") == "Multi-head · head 2"
    assert tab.text("#lanes-in-sight [aria-pressed=true]").startswith("friends")


def test_a_layer_is_named_once(browser, tmp_path):
    book = prebuilt.build("mouse", tmp_path / "mouse.xlsx")
    tab = Tab(browser, xlsxattn.preview(book, tmp_path / "mouse.html"))
    heads = tab.call("[...document.querySelectorAll('#head option')].map((one) => one.textContent)")
    assert heads[0] == "Classifier, layer 1 · head 1"


def test_without_scripts_the_page_shows_a_note_and_no_controls(browser, live):
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(live.as_uri())
    assert "enable scripts" in tab.inner_text("noscript")
    assert not tab.is_visible("#bar")
    assert not tab.is_visible("#theme")


def test_heat_maps_are_printed(tab):
    tab.tab.emulate_media(media="print")
    cell = "document.querySelector('td[data-range=causal_chase_Attention]')"
    assert tab.call(f"getComputedStyle({cell}).printColorAdjust") == "exact"


def test_the_charts_of_the_comparison_name_the_sheets(browser, walkthrough, tmp_path):
    path = xlsxattn.preview(walkthrough, tmp_path / "walkthrough.html")
    tab = Tab(browser, path)
    legend = tab.call("[...document.querySelectorAll('.legend li')].map((item) => item.textContent)")
    assert {"Self-attention", "Learned Q, K, V", "keyboard and mouse are useful"} <= set(legend)
    marks = "[...document.querySelectorAll('svg polyline[stroke], svg circle')].map((mark) => mark.outerHTML)"
    assert len(tab.call(marks)) >= 9  # an arrow and three points per sentence, and the input
    labels = tab.call("[...document.querySelectorAll('figure.chart text')].map((one) => one.textContent)")
    assert labels.count("Multi-head") == labels.count("Learned Q, K, V") == 2
    assert path.stat().st_size < 450_000


def test_the_first_screen_is_arranged_as_on_the_sheet(tab):
    head = "th[data-label=xlsxattn_chase_Look_Cols]"
    assert tab.text(head) == "how much “cat” looks at it"
    assert tab.text("th[data-label=xlsxattn_chase_Before_Rows]") == "“cat” before"
    tab.call("xlsxattn.set('vocab_Focus', 0, 0, 'mouse')")
    assert tab.text(head) == "how much “mouse” looks at it"
    assert "after attention = " in tab.text("[data-range=xlsxattn_chase_Said]")


def test_answers_are_folded_below_their_questions(tab):
    folded = "[...document.querySelectorAll('main details')].map((one) => [one.open, one.textContent])"
    answers = tab.call(folded)
    assert len(answers) > 3
    assert not any(opened for opened, _ in answers)
    assert all(len(text) > len("answer") + 20 for _, text in answers)


def test_no_word_is_truncated_on_a_narrow_screen(browser, live):
    tab = Tab(browser, live, viewport={"width": 400, "height": 800})
    tab.tab.add_style_tag(content="section { content-visibility: visible !important; }")
    script = """[...document.querySelectorAll("th")].filter((head) => {
      const range = document.createRange();
      range.selectNodeContents(head);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
      return lines > Math.max(1, head.textContent.split(" ").length);
    }).map((head) => head.textContent)"""
    assert tab.call(script) == []


def test_the_slider_is_moved_and_undone_by_keyboard(tab):
    tab.tab.click('td[data-range="vocab_E"][data-row="2"][data-col="0"]')
    before = tab.call("xlsxattn.read('vocab_E')")
    tab.tab.focus("#slider")
    tab.tab.keyboard.press("ArrowRight")
    assert tab.call("xlsxattn.read('vocab_E')") != before
    tab.tab.keyboard.press("Control+z")
    assert tab.call("xlsxattn.read('vocab_E')") == before


def test_a_word_is_typed_without_the_spaces_around_it(tab):
    tab.tab.click('[data-range="vocab_Focus"]')
    tab.tab.fill("#entry", "dog ")
    tab.tab.press("#entry", "Enter")
    assert tab.call("xlsxattn.read('vocab_Focus')[0][0]") == "dog"


def test_the_tables_of_the_first_screen_are_printed_whole(browser, walkthrough, tmp_path):
    path = xlsxattn.preview(walkthrough, tmp_path / "walkthrough.html")
    tab = Tab(browser, path, viewport={"width": 700, "height": 900})
    tab.tab.emulate_media(media="print")
    tables = "[...document.querySelectorAll('.first table')].map((one) => one.getBoundingClientRect().right)"
    assert max(tab.call(tables)) <= 700


def test_charts_follow_the_numbers(tab):
    chart = "figure.chart svg[role=img]"
    before = tab.call(f"document.querySelector('{chart}').innerHTML")
    tab.call("xlsxattn.set('vocab_Focus', 0, 0, 'chased')")
    assert tab.call(f"document.querySelector('{chart}').innerHTML") != before


def test_the_page_can_be_used_with_the_keyboard(tab):
    tab.tab.focus('td[data-range="vocab_E"][tabindex]')
    tab.tab.keyboard.press("ArrowDown")
    tab.tab.keyboard.press("7")
    tab.tab.keyboard.press("Enter")
    assert tab.call("xlsxattn.read('vocab_E')[1][0]") == 7
    assert tab.call("document.activeElement.dataset.range") == "vocab_E"
    tab.tab.keyboard.press("Control+z")
    assert tab.call("xlsxattn.read('vocab_E')[1][0]") != 7


@pytest.fixture(scope="module")
def chinese(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zh")
    return xlsxattn.preview(prebuilt.build("causal", folder / "causal.xlsx", "zh"), folder / "causal.html")


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("live", "light", 360), ("live", "dark", 1280), ("chinese", "dark", 360), ("chinese", "light", 1280)],
)
def test_the_accessibility_checker_finds_nothing(browser, language, theme, width, request):
    book = request.getfixturevalue(language)
    tab = Tab(browser, book, color_scheme=theme, viewport={"width": width, "height": 900})
    tab.tab.click('td[data-range="vocab_E"]')
    tab.tab.click("#lines summary")
    tab.tab.click('td[data-range="causal_chase_Attention"][data-row="1"][data-col="1"]')
    tab.tab.click("#moves")
    tab.call(axe().replace("<\\/script", "</script"))
    found = tab.call("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))")
    assert found == []
    assert tab.call("document.documentElement.scrollWidth") <= width


def test_words_are_escaped_in_the_page(browser, causal, tmp_path):
    nasty = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>'
    book = tweaked(causal, {"chase_Tokens": {0: nasty}, "vocab_Tokens": {0: nasty}}, tmp_path / "nasty.xlsx")
    tab = Tab(browser, xlsxattn.preview(book, tmp_path / "nasty.html"))
    assert tab.tab.title() == "No looking ahead"
    assert tab.call("xlsxattn.read('chase_Tokens')[0][0]") == nasty
    assert tab.noise == []


def test_a_page_that_cannot_compute_is_still(browser, causal, tmp_path):
    text = (
        page.render(look(causal), live=True)
        .replace('"MMULT"', '"NIX"')
        .replace("MMULT: product", "NIX: product")
    )
    place = tmp_path / "still.html"
    place.write_text(text, "utf-8")
    tab = Tab(browser, place)
    assert tab.text("#about").endswith("; a still page: this page cannot compute MMULT")
    assert tab.call("document.querySelectorAll('td[data-range=causal_chase_Attention]').length") == 25
    assert not tab.tab.is_visible("#tools")


def test_large_workbooks_and_the_option_give_a_still_page(causal, tmp_path, monkeypatch):
    still = xlsxattn.preview(causal, tmp_path / "still.html", still=True).read_text("utf-8")
    assert "class Calculation" not in still
    monkeypatch.setattr(page, "MAX_LIVE", 1000)
    large = xlsxattn.preview(causal, tmp_path / "large.html").read_text("utf-8")
    assert "class Calculation" not in large
    assert '"why":"a still page: the workbook is too large' in large
