"""Navigation: Start, its legend, the glossary, links back to Start."""

from __future__ import annotations

import re
from dataclasses import replace

import openpyxl
import pytest
from model_specs import drawn
from specs import plain

from xlsxattn import templates
from xlsxattn.builder import layout, ops, pages, theme
from xlsxattn.builder import specification as spec
from xlsxattn.builder.layout.printing import repeated
from xlsxattn.builder.pages import experiments
from xlsxattn.builder.pages.glossary import PAPERS, TERMS
from xlsxattn.contract.values import ANSWER
from xlsxattn.language import codes

SPECS = {name: spec.load(templates.path(name), {"lang": "en"}) for name in templates.names()}
SPECS |= {f"drawn {seed}": spec.parse(drawn(seed), "drawn") for seed in range(4)}


def pages_of(one):
    return {page.id: page for page in pages.book(one).pages}


@pytest.fixture(scope="module")
def book(walkthrough):
    return openpyxl.load_workbook(walkthrough)


@pytest.mark.parametrize("name", SPECS)
def test_the_guide_says_how_to_read_a_formula(name):
    guide = pages_of(SPECS[name])["guide"]
    said = " ".join(guide.paragraphs)
    for sign in ("MMULT(A,TRANSPOSE(B))", "Curly brackets", "-- converts TRUE to 1", "0+ converts blanks"):
        assert sign in said
    numbered = guide.paragraphs[1:]
    assert [text[:3] for text in numbered] == [f"{i}. " for i in range(1, len(numbered) + 1)]


@pytest.mark.parametrize("name", SPECS)
def test_formulas_above_blocks_are_their_own(name):
    """The formula shown above a block is the block's own."""
    book = pages.book(SPECS[name])
    for sheet in layout.lay_out(book)[1:-1]:
        blocks = {(p.row, p.col): p.block for p in sheet.placed}
        for text in sheet.texts:
            if text.look != "formula" or text.text.startswith(" "):
                continue
            below = [
                b for (row, col), b in blocks.items() if 0 < row - text.row < 8 and 0 <= col - text.col < 2
            ]
            own = {part.formula for b in below for part in b.parts}
            start = text.text.split(" | ")[0].strip("{}")
            assert any(formula.startswith(start) for formula in own), (sheet.tab, text.text)


@pytest.mark.parametrize("name", ["walkthrough", "causal", "llama", "sort"])
def test_the_guide_explains_range_parts_and_masks_if_present(name):
    made = pages_of(SPECS[name])
    start, blocks = made["guide"], [block for page in made.values() for block in page.blocks()]
    in_parts = any("[" in part.formula for block in blocks for part in block.parts)
    assert any(text.startswith("5.  In the formulas shown, [row]") for text in start.paragraphs) == in_parts
    unseen = "legend unseen" in {sample.look for line in start.legend for sample in line}
    assert unseen == any(block.look == "masked" for block in blocks)
    assert unseen == (name != "sort")


def test_masked_cells_are_grey_in_colour_scales():
    """LibreOffice draws a colour scale over the style that hides a number."""
    heat = theme.HEATS["masked"]
    assert (heat["min_color"], heat["min_value"]) == (theme.MASKED_OUT["bg_color"], -1e299)
    assert heat["mid_value"] == 0


def test_headings_of_stacked_lanes_are_not_repeated_in_print():
    sheets = {sheet.id: sheet for sheet in layout.lay_out(pages.book(SPECS["glove"]))}
    assert repeated(sheets["attn"]) == 0
    sheets = {sheet.id: sheet for sheet in layout.lay_out(pages.book(SPECS["walkthrough"]))}
    assert repeated(sheets["attn"]) == sheets["attn"].bars[0].where.top > 0


def test_the_legend_shows_the_colours_of_the_sheets():
    start = pages_of(SPECS["pingguo"])["guide"]
    dressed = {sample.look: theme.LOOKS[sample.look].format for line in start.legend for sample in line}
    colours = {look: form.get("bg_color") for look, form in dressed.items()}
    assert colours["legend positive"] == theme.HEATS["diverging"]["max_color"]
    assert colours["legend negative"] == theme.HEATS["diverging"]["min_color"]
    assert colours["legend weight"] == theme.HEATS["weights"]["max_color"]
    assert [colours[look] for look in theme.LANE_SAMPLES[:2]] == list(theme.LANES[:2])
    assert dressed["legend focus"]["top_color"] == theme.OUTLINE["top_color"]
    assert colours["legend input"] == theme.INPUT_FILL
    assert "legend unseen" not in dressed
    assert theme.LANE_SAMPLES[2] not in dressed


def test_the_legend_covers_masks_and_single_sentences():
    looks = {sample.look for line in pages_of(SPECS["causal"])["guide"].legend for sample in line}
    assert "legend unseen" in looks
    assert not looks & {*theme.LANE_SAMPLES}
    many = spec.parse(plain([2] * 7, 2, {"id": "a"}), "many")
    looks = {sample.look for line in pages_of(many)["guide"].legend for sample in line}
    assert looks >= {*theme.LANE_SAMPLES}


# --- the glossary ------------------------------------------------------------------------------------------


def test_the_glossary_has_the_basic_terms():
    terms = {entry.term for entry in pages_of(SPECS["walkthrough"])["glossary"].entries}
    assert terms >= {
        *("Dot product", "Matrix product, MMULT", "Array formula", "--", "Projection", "Weights", "Lane"),
        *("Focus word", "Cosine", "Row maximum", "Concat", "d_k", "d_v", "exp", "Entropy without √d"),
    }


@pytest.mark.parametrize("name", SPECS)
def test_glossary_entries_link_to_ranges_and_papers_have_titles(name):
    found = pages_of(SPECS[name])
    names = {block.name for page in found.values() for block in page.blocks()}
    glossary = found["glossary"]
    assert all(entry.target in names for entry in glossary.entries)
    assert len({entry.term for entry in glossary.entries}) == len(glossary.entries)
    cited = {entry.paper for entry in glossary.entries}
    cited |= {band.paper for page in found.values() for band in page.bands}
    assert dict(glossary.papers).keys() == {paper.partition(",")[0] for paper in cited if paper}


def test_every_paper_that_the_code_cites_has_a_title():
    cited = {term.paper for term in TERMS}
    for thing in (thing for topic in ops.__all__ for thing in vars(ops)[topic].__dict__.values()):
        for op in thing.values() if isinstance(thing, dict) else [thing]:
            cited |= {op.paper} if isinstance(op, ops.Op) else set()
    assert {paper.partition(",")[0] for paper in cited if paper} == set(PAPERS)


# --- links -------------------------------------------------------------------------------------------------


def linked(sheet, place):
    """The cells of a sheet that link to a target."""
    return [c for row in sheet for c in row if c.hyperlink and c.hyperlink.location == place]


def test_start_links_to_the_glossary_and_sheets_link_to_start(book):
    assert [cell.value for cell in linked(book["Start"], "'Glossary'!A1")] == ["Glossary"]
    for sheet in book.worksheets[1:]:
        (back,) = linked(sheet, "xlsxattn_Status")
        assert (back.value, back.row) == ("← Start", 1)
    tab, _ = next(iter(book.defined_names["xlsxattn_Status"].destinations))
    assert tab == "Start"


@pytest.mark.parametrize("name", SPECS)
def test_the_link_to_start_does_not_cover_the_title(name):
    for sheet in layout.lay_out(pages.book(SPECS[name]))[1:]:
        (title,) = (text for text in sheet.texts if text.look == "title")
        (back,) = (text for text in sheet.texts if text.look == "way back")
        left = sum(7.0 * sheet.widths.get(col, 8.5) + 5.0 for col in range(back.col))
        assert left >= theme.pixels(title.text, "title")


def test_texts_have_no_jargon():
    said = [text for name, text in vars(experiments).items() if name.isupper() and isinstance(text, str)]
    for one in SPECS.values():
        for page in pages_of(one).values():
            said += [page.lead, *page.tries, *(band.why for band in page.bands), *page.paragraphs]
    assert not [text for text in said if re.search(r"\blanes?\b", text)]


@pytest.mark.parametrize("code", codes())
@pytest.mark.parametrize("name", templates.names())
def test_sheets_named_in_texts_are_tabs(name, code):
    """Quoted names in “…” are tabs or words of the spec, and no tab of a template is truncated."""
    made = spec.load(templates.path(name))
    made = (
        replace(made, lang=code) if made.lang == "en" else made
    )  # otherwise the template has texts in its own language
    book = pages.book(made)
    sheets = layout.lay_out(book)
    tabs = {sheet.tab for sheet in sheets}
    assert [sheet.tab for sheet in sheets[1:]] == [page.title for page in book.pages[1:]]
    tabs |= set(PAPERS.values())
    words = {*made.vocabulary.tokens, *made.vocabulary.dimensions}
    for sheet in sheets:
        for text in sheet.texts:
            quoted = re.findall("“(.*?)”", text.text)
            unknown = {q for q in quoted if q not in tabs and not words.issuperset(q.split())}
            assert not unknown, (sheet.tab, text.text)


def test_tabs_of_long_titles_keep_the_page():
    data = {
        "vocabulary": {"tokens": {"a": [1.0, 2.0], "b": [2.0, 1.0]}},
        "contexts": {"c": "a b"},
        "sheets": [{"id": "m", "kind": "encoder", "title": "An encoder with a very long title", "layers": 2}],
    }
    tabs = [sheet.tab for sheet in layout.lay_out(pages.book(spec.parse(data, "data")))]
    assert "An encoder with a very…, layer 2" not in tabs
    assert {"An encoder with a ver…, layer 1", "An encoder with a ver…, layer 2"} <= set(tabs)
    assert max(map(len, tabs)) == 31


def test_experiments_have_a_folded_answer_below():
    own = [text for name, text in vars(experiments).items() if name.isupper() and isinstance(text, str)]
    assert all(text.count(ANSWER) == 1 for text in own)
    for sheet in layout.lay_out(pages.book(SPECS["walkthrough"])):
        answers = {text.row for text in sheet.texts if text.look == "answer"}
        assert answers <= sheet.closed
        assert all(sheet.levels[row] == 1 for row in answers)
        assert all(row - 1 not in sheet.levels or row - 1 in answers for row in answers)
        if sheet.id in ("attn", "qkv", "dims", "heads", "compare"):
            assert answers
