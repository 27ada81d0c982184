"""The rules of docs/design.md that a machine can hold."""

from __future__ import annotations

from itertools import pairwise

import pytest

from xlsxattn.builder import theme
from xlsxattn.language import ENGLISH, language

MIN_COUNT = 4.5
"""WCAG 2.1, contrast (minimum), level AA."""


def luminance(colour: str) -> float:
    """WCAG's relative luminance of a colour such as #1F4E79."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def backgrounds(look: theme.Look) -> list[str]:
    """Every colour that can lie behind a look's text."""
    heat = theme.HEATS.get(look.heat, {})
    ends = [heat[key] for key in ("min_color", "mid_color", "max_color") if key in heat]
    return ends or [look.format.get("bg_color", theme.WHITE)]


@pytest.mark.parametrize("name", [name for name in theme.LOOKS if name != "lane"])
def test_text_is_readable_on_all_that_can_lie_behind_it(name):
    look = theme.LOOKS[name]
    ink = look.format.get("font_color", "#000000")
    assert all(contrast(ink, behind) >= MIN_COUNT for behind in backgrounds(look))


@pytest.mark.parametrize("colour", theme.LANES)
def test_white_headings_are_readable_on_every_lanes_accent(colour):
    assert contrast(theme.LOOKS["lane"].format["font_color"], colour) >= MIN_COUNT


@pytest.mark.parametrize("colour", theme.SERIES)
def test_every_series_of_a_chart_stands_out_from_the_page(colour):
    assert contrast(colour, theme.WHITE) >= MIN_COUNT


@pytest.mark.parametrize("rule", [theme.NEVER_SEEN, theme.NO_WORD, theme.BAD])
def test_what_a_rule_dresses_is_readable_too(rule):
    assert contrast(rule["font_color"], rule.get("bg_color", theme.WHITE)) >= MIN_COUNT


def test_pale_text_would_be_seen():
    assert contrast("#CCCCCC", theme.WHITE) < MIN_COUNT


def test_a_heat_map_gets_darker_away_from_its_middle():
    """Who sees no colour at all still sees how far a value is from zero."""
    for heat in theme.HEATS.values():
        ends = [heat[key] for key in ("mid_color", "min_color", "max_color") if key in heat]
        shades = sorted((luminance(colour) for colour in ends), reverse=True)
        assert luminance(theme.WHITE) == shades[0]
        assert all(one - other > 0.03 for one, other in pairwise(shades[:2]))


def test_sizes_of_type_are_those_of_the_design():
    sizes = {name: look.format.get("font_size", 11) for name, look in theme.LOOKS.items()}
    wanted = {"title": 20, "step": 13, "lead": 11, "why": 10, "formula": 9, "map": 8, "attention": 11}
    assert {name: sizes[name] for name in wanted} == wanted


def test_inputs_and_nothing_else_are_yellow():
    yellow = {name for name, look in theme.LOOKS.items() if look.format.get("bg_color") == theme.INPUT_FILL}
    assert yellow == {"input", "token", "dimension", "setting", "legend input"}


def test_chinese_stands_upright():
    aslant = theme.LOOKS["why"].format
    assert theme.told(aslant, ENGLISH) == aslant
    assert theme.told(aslant, language("zh")) == {key: aslant[key] for key in aslant if key != "italic"}
