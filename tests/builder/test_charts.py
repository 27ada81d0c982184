"""Charts: titles, series, and points that LibreOffice must not add."""

from __future__ import annotations

import re
import zipfile

import pytest
from specs import plain

from xlsxattn.builder import pages, theme
from xlsxattn.builder import specification as spec
from xlsxattn.builder.pages.compare_page import MAX_POINTS
from xlsxattn.checker.reading.book import read


@pytest.fixture(scope="module")
def charts(walkthrough):
    with zipfile.ZipFile(walkthrough) as archive:
        found = [name for name in archive.namelist() if "charts/chart" in name]
        return [archive.read(name).decode() for name in found]


def compare(*lengths):
    data = plain(list(lengths), 4, {"id": "a"}, {"id": "q", "seed": 1}, {"id": "c", "kind": "compare"})
    (page,) = (p for p in pages.book(spec.parse(data, "data")).pages if p.id == "c")
    return page


def test_chart_series_are_named_by_their_sentence(charts, walkthrough):
    """They are linked to the heading; titles are constant, as LibreOffice does not update linked ones."""
    found = set()
    for chart in charts:
        assert "<c:title><c:tx><c:strRef>" not in chart.partition("<c:plotArea>")[0]
        if "barChart" in chart and chart.count("<c:ser>") == 1:
            name = re.search("<c:ser>.*?<c:tx><c:strRef><c:f>(.*?)</c:f>.*?<c:v>(.*?)</c:v>", chart)
            assert "<c:legend>" not in chart  # one entry explains nothing
            found.add((name[1].replace("$", "").replace("'", ""), name[2]))
    areas = {n: a for n, a in read(walkthrough).names.items() if re.fullmatch(r"[a-z]+_[a-z]+_Heading", n)}
    headings = {area.address().replace("'", "") for area in areas.values()}
    assert {words for _, words in found} == {"cat and mouse are friends", "keyboard and mouse are useful"}
    assert {place for place, _ in found} <= headings


def test_a_long_sentence_is_not_in_the_legend():
    data = plain([3, 20], 4, {"id": "a"})
    (page,) = (p for p in pages.book(spec.parse(data, "data")).pages if p.id == "a")
    assert [chart.series[0].title for chart in page.charts] == [("a_c1_Heading", 0), "attention"]


def test_a_scatter_omits_missing_points(charts):
    (scatter,) = (chart for chart in charts if "scatterChart" in chart)
    assert '<c:dispBlanksAs val="span"/>' in scatter


def test_each_point_is_identified_by_its_colour_shape_and_label():
    (scatter,) = (chart for chart in compare(3, 4).charts if chart.kind == "scatter")
    points = [series for series in scatter.series if not series.is_line]
    assert [series.title for series in points] == ["input", *["Self-attention"] * 4]
    assert all(series.is_labelled and len(series.blocks) == 1 for series in points)
    told = {(series.colour, series.mark) for series in points}
    assert len(told) == len(points)
    assert {series.colour for series in points[1:]} == {1, 2}
    assert theme.SERIES[1] == theme.LANES[0]
    arrows = [(s.title, s.colour, len(s.blocks)) for s in scatter.series if s.is_line]
    assert arrows == [(("c_c1_Heading", 0), 1, 3), (("c_c2_Heading", 0), 2, 3)]  # input, both outputs


def test_arrows_of_a_scatter_are_straight_and_have_heads(charts):
    (scatter,) = (chart for chart in charts if "scatterChart" in chart)
    assert scatter.count('<a:tailEnd type="triangle"/>') == 2
    assert scatter.count("<c:ser>") == scatter.count('<c:smooth val="0"/>')
    assert scatter.count('<c:showSerName val="1"/>') == scatter.count("<c:legendEntry>") == 7
    assert scatter.count('<c:showVal val="0"/>') == 7  # which LibreOffice would show
    labels = re.findall("<c:dLbls>.*?</c:dLbls>", scatter)
    assert all('<a:srgbClr val="FFFFFF"/>' in label for label in labels)  # legible on an arrow


def test_with_many_points_there_is_one_series_per_sentence():
    (scatter,) = (chart for chart in compare(*[3] * 7).charts if chart.kind == "scatter")
    assert MAX_POINTS < 2 * 7
    assert len(scatter.series) == 8
    assert {len(series.blocks) for series in scatter.series} == {1, 2}


def test_no_sheet_or_head_has_the_colour_of_a_sentence():
    """A chart of one series has the colour of its sentence; series of sheets or heads have other colours."""
    assert not {*theme.OTHER_SERIES} & {*theme.LANES}
    data = plain([3, 4], 4, {"id": "a"}, {"id": "h", "kind": "multi-head"}, {"id": "c", "kind": "compare"})
    book = {page.id: page for page in pages.book(spec.parse(data, "data")).pages}
    assert [chart.series[0].colour for chart in book["a"].charts] == [1, 2]
    for chart in (*book["h"].charts, *book["c"].charts[:2]):
        assert {series.colour for series in chart.series} == {None}


def test_a_line_for_each_sentence_has_its_colour():
    data = plain([3, 2], 4, {"id": "a", "kind": "encoder", "similarity": True})
    charts = [chart for page in pages.book(spec.parse(data, "data")).pages for chart in page.charts]
    (lines,) = (chart.series for chart in charts if chart.kind == "line")
    assert tuple(theme.SERIES[line.colour] for line in lines) == theme.LANES[:2]


def test_large_losses_are_abbreviated_at_the_axis(learning):
    with zipfile.ZipFile(learning) as archive:
        lines = [text for name in archive.namelist() if "lineChart" in (text := _chart(archive, name))]
    assert len(lines) == 1
    assert '<c:numFmt formatCode="[&gt;=100000]0.0E+0;General" sourceLinked="0"/>' in lines[0]


def _chart(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode() if "charts/chart" in name else ""
