"""The HTML page: complete, safe, without console messages, accessible, in light and dark mode."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import openpyxl
import pytest
from browser import asked, axe, launched, opened
from commands import run
from marks import MARKED
from workbooks import tweaked

from dev import prebuilt
from xlsxattn.language import ENGLISH, language
from xlsxattn.view import page, steps
from xlsxattn.view.look import look

CONTRAST = """
function ask() {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = rgb(getComputedStyle(node).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255, 255];
  };
  const seen = [];
  for (const node of document.querySelectorAll("body *")) {
    if (!["SCRIPT", "STYLE", "NOSCRIPT", "OPTION", "PRE"].includes(node.tagName)
        && [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim())) {
      const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      seen.push([ratio, node.tagName, node.textContent.slice(0, 40)]);
    }
  }
  const cells = [...document.querySelectorAll("[data-look=above], [data-look=below], [data-look=full]")];
  const colours = new Set(cells.map((c) => getComputedStyle(c).backgroundColor));
  return { seen: seen.length, worst: seen.sort((x, y) => x[0] - y[0])[0], colours: colours.size,
    paper: light(rgb(getComputedStyle(document.body).backgroundColor)) };
}
"""
KEYS = """
function ask() {
  const press = (key) =>
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const said = () => document.getElementById("cell").textContent;
  const table = [...document.querySelectorAll("table")]
    .find((t) => t.textContent.includes("causal_chase_Attention"));
  const stops = table.querySelectorAll("[tabindex]").length;
  table.querySelector("td[tabindex]").focus();
  const first = said();
  press("ArrowDown"); press("ArrowRight");
  const second = said();
  press("ArrowUp"); press("ArrowUp"); press("ArrowUp");
  const top = said();
  press("End");
  return { stops, first, second, top, end: said(), after: table.querySelectorAll("[tabindex]").length,
    outline: getComputedStyle(document.activeElement).outlineStyle };
}
"""
TABLES = """
function ask() {
  return [...document.querySelectorAll("table")].map((t) => ({
    name: t.querySelector("caption b").textContent, rows: t.tBodies[0].rows.length,
    texts: [...t.tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent)) }));
}
"""


browser = pytest.fixture(scope="module")(launched)


@pytest.fixture
def ask(browser, tmp_path):
    """Ask a page with a script."""
    return partial(asked, browser, tmp_path)


@pytest.fixture(scope="module")
def pages(walkthrough, causal) -> dict[str, str]:
    return {"walkthrough": page.render(look(walkthrough)), "causal": page.render(look(causal))}


@pytest.mark.parametrize("name", ["walkthrough", "causal"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_on_all_colours_passes_wcag_aa(pages, name, dark, ask):
    found = ask(pages[name], CONTRAST, dark=dark)
    assert found["worst"][0] >= 4.5, found["worst"]
    assert found["seen"] > 200
    assert found["colours"] > 5
    assert (found["paper"] < 0.1) == dark


def test_pale_text_fails_the_contrast_check(pages, ask):
    pale = pages["causal"].replace("--muted: #52606d", "--muted: #b0b8c0")
    assert ask(pale, CONTRAST)["worst"][0] < 2.5


VIOLATIONS = "\nasync function ask() { return (await axe.run()).violations.map((v) => [v.id, v.help]); }"


@pytest.mark.parametrize("name", ["walkthrough", "causal"])
def test_the_accessibility_checker_finds_nothing(pages, name, ask):
    assert ask(pages[name], axe() + VIOLATIONS) == []


def test_the_accessibility_checker_finds_a_nameless_list(pages, ask):
    nameless = pages["causal"].replace('<label for="theme">Colours</label>', "")
    assert [found[0] for found in ask(nameless, axe() + VIOLATIONS)] == ["select-name"]


def test_arrow_keys_move_through_a_table_and_the_cell_is_announced(pages, ask):
    found = ask(pages["causal"], KEYS)
    assert (found["stops"], found["after"]) == (1, 1)
    assert found["first"].startswith("causal_chase_Attention, row the, column the: 1 by {=causal_chase_Exp/")
    assert found["second"].startswith("causal_chase_Attention, row cat, column cat: 0.97539757159726")
    assert found["top"].startswith("causal_chase_Attention, row the, column cat: 0 by")
    assert found["end"].startswith("causal_chase_Entropy, row the, column entropy: 0 by")
    assert found["outline"] == "solid"


@pytest.mark.parametrize("name", ["walkthrough", "causal"])
def test_the_console_stays_empty_and_every_table_is_drawn(pages, name, tmp_path, request, ask, browser):
    place = tmp_path / "page.html"
    place.write_text(pages[name], "utf-8")
    seen = opened(browser, place)
    assert seen.console == ()
    drawn = {table["name"]: table for table in ask(pages[name], TABLES)}
    book = look(request.getfixturevalue(name))
    for context in book.manifest.contexts:
        for sheet in book.manifest.sheets:
            if sheet.kind == "self-attention":
                attention = book[f"{sheet.id}_{context}_Attention"]
                texts = drawn[attention.name]["texts"]
                assert [row[0] for row in texts] == list(attention.rows)
                assert [row[1 : 1 + len(attention.cols)] for row in texts] == [
                    [attention.text(value) for value in row] for row in attention.grid
                ]


def test_an_error_of_the_script_is_in_the_console(pages, tmp_path, browser):
    place = tmp_path / "page.html"
    place.write_text(pages["causal"].replace("data.pages.forEach", "data.leaves.forEach"), "utf-8")
    assert "TypeError" in " ".join(opened(browser, place).console)


@pytest.mark.parametrize("name", ["walkthrough", "causal"])
def test_the_page_makes_no_network_requests(pages, name):
    text = pages[name]
    assert "default-src 'none'" in text
    assert "connect-src" not in text
    assert not re.search(r"https?:|//[a-z]|@import|url\(|src=", text.split('id="data">')[0])
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|WebSocket|sendBeacon", text)


def test_the_data_is_json_that_a_program_can_read(pages, walkthrough):
    seen = look(walkthrough)
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', pages["walkthrough"])
    data = json.loads(text)
    assert data == json.loads(json.dumps(page.data(seen)))
    assert data["version"] == 1
    assert data["lanes"] == {"cat": "cat and mouse are friends", "keyboard": "keyboard and mouse are useful"}
    attention = data["ranges"]["attn_cat_Attention"]
    assert attention["values"] == [list(row) for row in seen["attn_cat_Attention"].grid]
    assert attention["rows"] == attention["cols"] == ["cat", "and", "mouse", "are", "friends"]
    assert (attention["heat"], attention["role"]) == ("weights", "computed")
    assert data["ranges"]["vocab_E"]["role"] == "input"
    named = {f["main"] for p in data["pages"] for s in p["steps"] for f in s["figures"]}
    assert {"vocab_E", "qkv_W_Q", "attn_cat_X", "heads_cat_h2_Attention"} <= named <= data["ranges"].keys()


def test_words_are_escaped_in_the_page(causal, tmp_path, ask, browser):
    nasty = '</script><script>document.title="broken"</script><b>&amp;{{style}}'
    book = tweaked(causal, {"chase_Tokens": {0: nasty}, "vocab_Tokens": {0: nasty}}, tmp_path / "nasty.xlsx")
    text = page.render(look(book))
    assert text.count("</script>") == 5
    place = tmp_path / "nasty.html"
    place.write_text(text, "utf-8")
    seen = opened(browser, place)
    assert seen.console == ()
    assert "<title>No looking ahead</title>" in seen.dom
    names = [t["texts"][0][0] for t in ask(text, TABLES) if t["name"] == "causal_chase_X"]
    assert names == [nasty]


def test_the_files_of_the_page_are_in_the_package():
    folder = Path(page.__file__).parent
    assert {path.name for path in folder.iterdir()} >= {"page.html", "page.css", "page.js"}


def test_the_page_formats_numbers_like_the_terminal(pages, walkthrough, ask):
    seen = look(walkthrough)
    drawn = {table["name"]: table["texts"] for table in ask(pages["walkthrough"], TABLES)}
    assert len(drawn) > 80
    figures = {f.main.name: f for sheet in steps.pages(seen) for step in sheet.steps for f in step.figures}
    for name, texts in drawn.items():
        parts = [figures[name], *figures[name].below]
        wanted = [[part.main.text(value) for value in row] for part in parts for row in part.main.grid]
        assert [row[1 : 1 + len(wanted[0])] for row in texts] == wanted, name


FACTS = """
function ask() { return [...document.querySelectorAll(".facts li")].map((li) => li.textContent); }
"""


def test_single_values_are_formatted_like_in_the_terminal(pages, walkthrough, ask):
    seen = look(walkthrough)
    said = ask(pages["walkthrough"], FACTS)
    assert {"✓ every row sums to 1", "Self-attention ✓ every row sums to 1"} <= {*said}
    named = {"attn_Scale": "√d_k", "attn_cat_Drift": "deviation", "vocab_Focus": "follow the word"}
    for name, label in {**named, "qkv_cat_FocusEntropy": "entropy, sentence 1"}.items():
        assert f"{label} {seen[name].text(seen[name].grid[0][0])}" in said


# --- in the reader's language ------------------------------------------------------------------------------

OWN_WORDS = """
function ask() {
  const text = (place) => document.querySelector(place).textContent;
  const own = { lang: document.documentElement.lang, main: document.querySelector("main").lang,
    title: document.querySelector("h1").lang, nav: document.querySelector("nav").getAttribute("aria-label"),
    skip: text(".skip"), label: text("label"), about: text("#about"), hint: text("#cell"),
    options: [...document.querySelectorAll("option")].map((o) => o.textContent) };
  const ranges = JSON.parse(text("#data")).ranges;
  const said = (kind) => {
    const cells = [...document.querySelectorAll("td[data-range]")];
    const cell = cells.find((one) => ranges[one.dataset.range].role === kind);
    cell.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    return text("#cell");
  };
  return { ...own, input: said("input"), computed: said("computed") };
}
"""


@pytest.fixture(scope="module")
def chinese(tmp_path_factory) -> Path:
    return prebuilt.build("causal", tmp_path_factory.mktemp("zh") / "causal.zh.xlsx", "zh")


def test_a_page_is_in_its_workbook_s_language(chinese, ask):
    seen = look(chinese)
    assert seen.language == language("zh")
    found = ask(page.render(seen), OWN_WORDS)
    assert (found["lang"], found["main"], found["title"]) == ("zh-CN", "", "")
    assert (found["nav"], found["skip"], found["label"]) == ("工作表", "跳到工作表", "配色")
    assert found["options"] == ["跟随系统", "浅色", "深色"]
    assert found["about"] == "causal.zh.xlsx，数值为文件中保存的值"
    assert found["hint"].startswith("单击一个数")
    assert found["input"].endswith("（输入）")
    assert re.search("^[a-z_]+.*，行 .*，列 .*：.*，公式 [{=]", found["computed"], re.IGNORECASE)


def test_a_page_can_be_in_another_language_than_its_workbook(chinese, causal, tmp_path, monkeypatch, ask):
    found = ask(page.render(look(chinese), ENGLISH), OWN_WORDS)
    assert (found["lang"], found["main"], found["title"], found["nav"]) == ("en", "zh-CN", "zh-CN", "Sheets")
    assert re.search("row .* column .* by [{=]", found["computed"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLSXATTN_LANG", "zh")  # it sets the language of messages, not of the page
    for words, lang, said in (((), "en", "Colours"), (("--lang", "zh"), "zh-CN", "配色")):
        assert run("preview", causal, "-o", "page.html", *words).out == "已写入：page.html\n"
        text = Path("page.html").read_text("utf-8")
        assert f'<html lang="{lang}">' in text
        assert f">{said}</label>" in text


def test_all_texts_of_a_page_are_translated(chinese, ask):
    found = ask(page.render(look(chinese), MARKED), OWN_WORDS)
    told = [found[place] for place in ("nav", "skip", "label", "about", "hint", "input", "computed")]
    assert [text for text in (*told, *found["options"]) if "⟦" not in text] == []
    folder = Path(page.__file__).parent
    bare = re.sub(r"\{\{.*?\}\}|<[^>]*>", "", (folder / "page.html").read_text("utf-8"))
    assert re.findall("[A-Za-z]{2,}", bare) == []
    script = re.sub(r"//.*", "", (folder / "page.js").read_text("utf-8"))
    literals = re.findall(r"""(?<!say\()"([^"\n]*)"|`([^`\n]*)`""", script)
    assert len(literals) > 50
    assert [text for text in map("".join, literals) if re.search("[a-z]{3,} [a-z]{2,}", text)] == []


def test_the_accessibility_checker_finds_nothing_in_chinese(chinese, ask):
    for spoken in (None, ENGLISH):
        assert ask(page.render(look(chinese), spoken), axe() + VIOLATIONS) == []


def test_the_language_of_a_workbook_is_detected_after_renaming(chinese, causal, tmp_path):
    book = openpyxl.load_workbook(chinese)
    for i, sheet in enumerate(book.worksheets[:-1]):
        sheet["A1"] = "Mine"
        assert sheet.title != f"Mine {i}"
    book.save(tmp_path / "mine.xlsx")
    assert look(tmp_path / "mine.xlsx").language == language("zh")
    assert look(causal).language == ENGLISH
