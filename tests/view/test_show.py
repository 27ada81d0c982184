"""Matrices in the terminal and in a notebook."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from commands import refusal, run
from rich.console import Console
from workbooks import tweaked

from xlsxattn.view import heat
from xlsxattn.view.look import look
from xlsxattn.view.show import table

TRIANGLE = """\
causal_chase_Attention  5 × 5, Causal attention!C81
{=causal_chase_Exp/causal_chase_RowSum}
           the     cat   chased     the   mouse
───────────────────────────────────────────────
the      1.000   0.000    0.000   0.000   0.000
cat      0.025   0.975    0.000   0.000   0.000
chased   0.051   0.139    0.809   0.000   0.000
the      0.428   0.086    0.058   0.428   0.000
mouse    0.020   0.538    0.031   0.020   0.390
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_a_range_is_shown_as_a_table(causal):
    ended = run("show", causal, "causal_chase_Attention")
    assert (ended.code, ended.err) == (0, "")
    assert lines(ended.out) == [*lines(TRIANGLE), ""]


def test_without_a_range_the_main_ranges_are_shown_with_a_hint(causal):
    ended = run("show", causal)
    assert ended.code == 0
    heads = [line.split()[0] for line in lines(ended.out) if " × " in line]
    assert heads == ["causal_chase_Attention", "causal_chase_Output"]
    assert re.fullmatch(r"\d+ more ranges: name them, or see them all with --list\n", ended.err)


def test_a_pattern_shows_all_matches_in_order(causal):
    ended = run("show", causal, "causal_chase_Sca*", "causal_chase_Scores")
    assert [line.split()[0] for line in lines(ended.out) if " × " in line] == [
        "causal_chase_Scores",
        "causal_chase_Scaled",
    ]


def test_the_list_has_every_range_with_shape_place_and_formula(causal):
    ended = run("show", causal, "--list")
    assert (ended.code, ended.err) == (0, "")
    for name, matrix in look(causal).matrices.items():
        (line,) = (line for line in ended.out.splitlines() if line.split()[:1] == [name])
        assert f"{matrix.shape[0]} × {matrix.shape[1]}" in line
        assert matrix.area.address() in line
        assert (matrix.formula or matrix.role) in line


def test_an_unknown_range_is_refused_with_the_nearest(causal):
    sentence = refusal("show", causal, "causal_chase_attention")
    assert sentence.endswith("no range 'causal_chase_attention'; did you mean 'causal_chase_Attention'?")
    assert refusal("show", causal, "*nix*").endswith("there is no range '*nix*'; --list shows them all")


def test_a_workbook_without_saved_values_is_recalculated_and_says_so(causal, tmp_path):
    bare = tweaked(causal, {"chase_Tokens": {1: "dog"}}, tmp_path / "bare.xlsx")
    ended = run("show", bare, "causal_chase_X")
    assert ended.err == f"{bare}: values are missing; recalculated by ironcalc\n"
    assert "dog       2.00     0.20      0.40     2.20" in ended.out


def test_a_file_that_is_not_a_workbook_is_refused():
    assert refusal("show", "nix.xlsx") == "nix.xlsx: there is no such file"


def shown(matrix, width, **options):
    console = Console(width=width, force_terminal=True, color_system="truecolor", **options)
    with console.capture() as caught:
        console.print(table(matrix, width))
    return caught.get()


@pytest.mark.parametrize("width", [20, 40, 60, 120])
def test_columns_that_do_not_fit_are_omitted_with_a_note(causal, width):
    matrix = look(causal)["causal_chase_Attention"]
    text = re.sub(r"\x1b\[[^m]*m", "", shown(matrix, width))
    assert all(len(line) <= width for line in lines(text))
    assert ("of 5 columns" in " ".join(text.split())) == (width < 60)
    for number in re.findall(r"\d\.\d+", text.partition("─")[2]):
        assert len(number) == 5  # no number is ever cut short


def colours(text: str) -> set[str]:
    return {"#{:02X}{:02X}{:02X}".format(*map(int, c)) for c in re.findall(r"48;2;(\d+);(\d+);(\d+)", text)}


def test_numbers_have_the_colours_of_their_heat_map(causal, monkeypatch):
    seen = look(causal)
    attention = seen["causal_chase_Attention"]
    wanted = {attention.scale.colour(value) for row in attention.grid for value in row}
    assert colours(shown(attention, 80)) == wanted
    assert heat.FULL in wanted
    assert heat.GREY in colours(shown(seen["causal_chase_Masked"], 80))
    assert colours(shown(seen["causal_chase_RowMax"], 80)) == set()
    monkeypatch.setenv("NO_COLOR", "1")
    assert colours(shown(attention, 80)) == set()


def test_control_characters_are_escaped_in_the_terminal(causal, tmp_path):
    nasty = "[red]x[/red] :cat:"
    book = tweaked(causal, {"chase_Tokens": {0: nasty}, "vocab_Tokens": {0: nasty}}, tmp_path / "n.xlsx")
    assert nasty in run("show", book, "causal_chase_X").out


def test_a_notebook_shows_a_heat_map(causal):
    matrix = look(causal)["causal_chase_Masked"]
    text = matrix._repr_html_()
    cells = re.findall(r"<td[^>]*?(?:background-color:(#\w+))?[^>]*>([^<]*)</td>", text)[1:]
    assert len(cells) == 25
    assert "<script" not in text
    assert text.count(heat.GREY) == 10
    assert html.unescape(text).count("−∞") == 10
    for word in ("chased", "mouse"):
        assert f'<th scope="row" style="text-align:right">{word}</th>' in text
    assert "{=IF(causal_chase_Mask=1" in text
    assert "<code>causal_chase_Attention</code>" in look(causal)._repr_html_()


def test_words_are_escaped_in_a_notebook(causal, tmp_path):
    book = tweaked(causal, {"chase_Tokens": {0: "<b>x"}, "vocab_Tokens": {0: "<b>x"}}, tmp_path / "n.xlsx")
    text = look(book)["causal_chase_X"]._repr_html_()
    assert "<b>x" not in text
    assert "&lt;b&gt;x" in text


def test_large_matrices_are_truncated_in_a_notebook(causal):
    matrix = look(causal)["causal_chase_Attention"]
    tall = replace(matrix, grid=matrix.grid * 1000, area=replace(matrix.area, rows=5000), rows=())
    assert tall._repr_html_().count("<tr>") == 4096 // 5 + 1
    assert "4181 more rows" in tall._repr_html_()
    assert "还有 4181 行" in replace(tall, lang="zh")._repr_html_()


def test_the_loss_of_a_training_is_shown_as_bars(learning):
    shown = lines(run("show", learning, "learn_Loss").out)
    bars = [line for line in shown if "█" in line]
    assert [line.split()[0] for line in bars] == [str(k) for k in range(9)]  # after 0, 1, ... steps
    lengths = [line.count("█") for line in bars]
    assert lengths[0] == 40
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < 10
    heads = [line.split()[0] for line in lines(run("show", learning).out) if " × " in line]
    assert "learn_Loss" in heads
    assert not any("Plus" in head or "Shown" in head for head in heads)
