"""Workbooks in Chinese only differ in their texts, and have a font and room for them."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from commands import run
from conftest import require
from specs import CHINESE_SPEC, plain

import xlsxattn
from dev import prebuilt
from xlsxattn.builder import theme
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.theme import cell_width
from xlsxattn.checker.check import check
from xlsxattn.checker.reading.book import read
from xlsxattn.language import language
from xlsxattn.view import page
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from pathlib import Path


def entered(path: Path) -> dict[str, str]:
    """The formula of every named range, as the manifest has it, without the words it shows."""
    formulas = read(path).manifest.formulas
    shown = {name: re.sub('"[✓✗–]?[^"]*"', '""', text) for name, (_, text) in formulas.items()}
    return {name: text.replace('&""', "") for name, text in shown.items()}  # one may end with a word


@pytest.fixture(scope="module")
def chinese(tmp_path_factory) -> Path:
    return prebuilt.build("walkthrough", tmp_path_factory.mktemp("zh") / "walkthrough.xlsx", "zh")


def test_names_and_formulas_are_the_same_in_every_language(chinese, tmp_path):
    english = prebuilt.build("walkthrough", tmp_path / "walkthrough.xlsx")
    ours, theirs = read(chinese), read(english)
    assert list(ours.names) == list(theirs.names)
    assert [(a.row, a.col) for n, a in ours.names.items() if not n.startswith("x")] == [
        (a.row, a.col) for n, a in theirs.names.items() if not n.startswith("x")
    ]
    assert ours.manifest.sheets == theirs.manifest.sheets
    assert entered(chinese) == entered(english)


def test_a_chinese_workbook_is_in_chinese(chinese):
    book = openpyxl.load_workbook(chinese, data_only=True)
    assert book.sheetnames == [
        "开始",
        "输入数据",
        "自注意力",
        "学习得到的 Q、K、V",
        "学习过程",
        "学习过程，各步",
        "改变维度",
        "多头注意力",
        "多头注意力，所有头",
        "对比",
        "怎样阅读",
        "术语表",
        "校验信息",
    ]
    texts = {c.value for sheet in book.worksheets for row in sheet for c in row if isinstance(c.value, str)}
    assert {"同一个词，两种语境", "✓ 每行之和都是 1", "✓ “mouse”的输入在每个句子中都相同"} <= texts
    assert "mouse" in texts  # what a person has typed stays as it is
    assert any('"不在词表中"' in str(f) for f in book._number_formats)
    links = [cell.hyperlink for row in book.worksheets[0] for cell in row if cell.hyperlink]
    assert {link.location for link in links} - book.defined_names.keys() == {"'怎样阅读'!A1", "'术语表'!A1"}
    assert all(link.tooltip.startswith("转到：") for link in links)
    assert all(sheet.cell(1, c).value != "← Start" for sheet in book.worksheets for c in range(1, 30))


@pytest.mark.parametrize("engine", ["ironcalc", "libreoffice", "gnumeric"])
def test_every_engine_proves_a_chinese_workbook(tmp_path, engine):
    require(engine)
    chinese = prebuilt.build("causal", tmp_path / "causal.xlsx", "zh")
    report = check(chinese, engine, "as-saved")  # the build has proved it with other inputs
    assert report.every_finding == ()
    assert any(result.kind == "mark" for run in report.runs for result in run.results)


def test_the_language_of_the_spec_may_be_overridden(tmp_path):
    data = plain([2], 2, {"id": "attn"}) | {"lang": "zh"}
    for lang, tab in (("", "开始"), ("zh", "开始"), ("en", "Start")):
        xlsxattn.build(data, tmp_path / "a.xlsx", force=True, lang=lang)
        assert openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames[0] == tab


def test_side_headings_get_as_many_lines_as_they_need():
    assert [
        layout._lines(text, 11) for text in ("row max", "row in the vocabulary", "行最大值", "在词汇表中的行")
    ] == [1, 2, 1, 2]
    assert layout._lines("行最大值", 8) == 2


# --- words, fonts and room --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> dict[str, set[str]]:
    """The texts of every sheet of two templates, by tab."""
    found: dict[str, set[str]] = {}
    for name in ("walkthrough", "sort"):
        path = prebuilt.build(name, tmp_path_factory.mktemp("zh") / f"{name}.xlsx", "zh")
        for sheet in openpyxl.load_workbook(path, data_only=True):
            cells = {str(cell.value) for row in sheet for cell in row if isinstance(cell.value, str)}
            found.setdefault(f"{name} {sheet.title}", set()).update(cells)
    return found


def test_papers_are_cited_in_chinese_brackets(texts):
    cited = [text for cells in texts.values() for text in cells if "Vaswani" in text and len(text) > 40]
    assert cited
    assert [text for text in cited if not re.search("(。|？|；|：.*)（Vaswani et al. 2017.*）$", text)] == []


def test_heads_are_separated_from_their_sheet(texts):
    assert {"多头注意力，头 1", "多头注意力，头 2"} <= texts["walkthrough 对比"]


def test_input_is_translated_unambiguously(texts):
    assert "sort 输入数据" in texts
    assert {"输入数据", "输入"} <= texts["sort 开始"]
    assert not any("“输入”" in text for cells in texts.values() for text in cells)


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A workbook of Chinese words, with several heads, charts and a comparison."""
    path = tmp_path_factory.mktemp("words") / "book.xlsx"
    more = 'temperature = 1\n[[sheets]]\nid = "heads"\nkind = "multi-head"\nheads = 2\nseed = 7\n'
    text = f'{CHINESE_SPEC}{more}[[sheets]]\nid = "compare"\nkind = "compare"\naxes = ["水果", "公司"]\n'
    path.with_suffix(".toml").write_text(text, "utf-8")
    assert run("build", path.with_suffix(".toml"), "-o", path).code == 0
    return path


def test_no_page_shows_the_ids_of_its_sentences(book):
    """Ids have only Latin letters; pages say "sentence 1", because its words may be changed later."""
    pages = openpyxl.load_workbook(book, data_only=True).worksheets[:-1]
    cells = {str(cell.value) for sheet in pages for row in sheet for cell in row}
    with zipfile.ZipFile(book) as archive:
        charts = "".join(archive.read(n).decode() for n in archive.namelist() if "charts/chart" in n)
    cells |= set(re.findall("<(?:a:t|c:v)>(.*?)</", charts))
    shown = {text for text in cells if not text.startswith(("{", "=")) and not re.search("[A-Z]{4}", text)}
    spoken = r"(?<![A-Za-z_])(fruit|firm)(?![A-Za-z_])"  # \b treats adjacent Chinese characters as letters
    assert {text for text in shown if re.search(spoken, text)} == set()
    assert {"熵，句子 1：", "熵，句子 2：", "句子 1"} <= shown


def test_wide_words_above_a_map_are_vertical(book, walkthrough):
    for path, name, turned in ((book, "heads_fruit", 255), (walkthrough, "heads_cat", 90)):
        wb = openpyxl.load_workbook(path)
        tab, cells = next(iter(wb.defined_names[f"{name}_h1_Map_Cols"].destinations))
        corner = wb[tab][cells.replace("$", "")][0][0]
        assert corner.alignment.textRotation == turned
        assert wb[tab].row_dimensions[corner.row].height >= 4 * 9


def test_chinese_pages_have_a_font_with_chinese_characters_and_room_for_it(book, walkthrough):
    for path, font, row in ((book, theme.WIDE_FONT, 16.5), (walkthrough, theme.FONT, 15.0)):
        wb = openpyxl.load_workbook(path)
        fonts = {cell.font.name for sheet in wb for line in sheet for cell in line if cell.value is not None}
        assert fonts <= {font, theme.MONO}
        assert {sheet.sheet_format.defaultRowHeight for sheet in wb} == {row}
        with zipfile.ZipFile(path) as archive:
            charts = [archive.read(n).decode() for n in archive.namelist() if "charts/chart" in n]
        assert all((theme.WIDE_FONT in text) == (path == book) for text in charts)


def test_rows_are_as_high_as_lines_of_the_chinese_font(book, tmp_path):
    """A line of it is 1.32 times as high as the font."""
    sort = prebuilt.build("sort", tmp_path / "sort.xlsx", "zh")
    for sheet in (ws for path in (book, sort) for ws in openpyxl.load_workbook(path)):
        for row in sheet:
            height = sheet.row_dimensions[row[0].row].height or 16.5
            for cell in (cell for cell in row if cell.value is not None and not cell.alignment.textRotation):
                assert 1.32 * cell.font.size <= height, (sheet.title, cell.coordinate)


def test_papers_fit_in_the_glossary(tmp_path):
    prebuilt.build("encoder", tmp_path / "a.xlsx", "zh")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["术语表"]
    longest = max((str(cell.value) for cell in sheet["B"][4:] if cell.value), key=cell_width)
    assert longest == "Hendrycks and Gimpel 2016"
    assert sheet.column_dimensions["B"].width > len(longest)


def test_show_labels_single_cells(book):
    told = run("show", book, "xlsxattn_*Status", "attn_Scale", "--lang", "zh").out
    assert "Status" not in re.sub(r"\w+_Status", "", told)
    assert re.search(r"多头注意力 +✓ 每行之和都是 1", told)
    assert re.search(r"√d_k +1\.414", told)
    assert "attn_Scale  1 × 1（自注意力!C3）" in told
    assert "attn_Scale  1 × 1, 自注意力!C3" in run("show", book, "attn_Scale").out


def test_the_html_page_has_the_texts_of_the_sheets(tmp_path):
    prebuilt.build("encoder", tmp_path / "a.xlsx", "zh")
    seen = look(tmp_path / "a.xlsx")
    data = page.data(seen)["ranges"]
    assert data["paper_NLayers"]["label"] == "层数"
    assert data["paper_Epsilon"]["digits"] == 5
    assert seen["paper_Epsilon"].text(1e-5) == "0.00001"
    assert {*data["cat_Sentence"]["cols"]} == {"Sentence"}
    html = page.render(seen)
    assert '<html lang="zh-CN">' in html
    assert "italic" not in html
    assert ' lang="zh-CN"' in page.render(seen, language("en"))


def test_a_check_without_files_says_so(book, tmp_path):
    wb = openpyxl.load_workbook(book)
    tab, cells = next(iter(wb.defined_names["vocab_E"].destinations))
    wb[tab][cells.replace("$", "")][0][0].value = "三"
    wb.save(tmp_path / "text.xlsx")
    ended = run("check", tmp_path / "text.xlsx", "--lang", "zh")
    assert ended.code == 1
    assert "全部" not in ended.out
    assert "通过" not in ended.out
