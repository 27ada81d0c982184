"""Any valid spec is built and proved: random specs, and named extremes."""

from __future__ import annotations

import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from bridge import in_libreoffice
from conftest import SAID, THOROUGH, require
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from model_specs import KINDS
from model_specs import drawn as of_kind
from specs import AWKWARD_TITLES, AWKWARD_WORDS, plain, specs, toml
from workbooks import answers, evaluate_many, job, proved, report_on

from xlsxattn import press
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.specification import parse
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.engines import Job
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.report import Report

DRAWN = 200 if THOROUGH else 36
MAX_LENGTH = 180  # seconds that LibreOffice may take for them
MIN_COUNT = DRAWN // 5  # the minimum number, even on a slow machine
SMALL = specs(most_words=5, most_dimensions=4, most_contexts=3, most_sheets=2)
"""Specs with awkward words and titles, in addition to specs of every kind of sheet with any settings."""
SETTINGS = ("kind", "position", "mask", "activation")
FIRST_SEED = 2000
"""The first seed of random models; from there, each value of a setting occurs among those that are built."""
ATTN = {"id": "attn", "kind": "self-attention"}
LEARNED = {"id": "qkv", "kind": "self-attention", "seed": 1}
COMPARE = {"id": "compare", "kind": "compare"}


def heads(count: int, **more) -> dict[str, object]:
    return {"id": "heads", "kind": "multi-head", "heads": count, **more}


def build(data, folder: Path) -> Report:
    """Build a spec as `xlsxattn build` does."""
    source, target = folder / "drawn.toml", folder / "drawn.xlsx"
    source.write_text(toml(data), "utf-8")
    pressed = press.build(source, target)
    assert (pressed.path == target) is pressed.report.holds
    return pressed.report


def prove(data, engine: str, folder: Path) -> tuple[Mapping[str, Grid], Report]:
    """The same in any engine, once: a build writes and recalculates twice."""
    path = written(data, folder / "drawn.xlsx")
    (values,) = evaluate_many([path], engine)
    return values, proved(path, engine, values)


def written(data, path: Path) -> Path:
    book = pages.book(parse(data, "drawn"))
    writer.write(path, book.title, layout.lay_out(book))
    return path


def assert_proved(report: Report, *, decided: bool = True) -> None:
    assert not report.every_finding, report.every_finding[:3]
    assert report.runs
    for run in report.runs:
        assert len(run.results) > 30
        assert {r.verdict for r in run.results} <= ({"ok"} if decided else {"ok", "not decidable"})


# --- drawn -------------------------------------------------------------------------------------------------


@settings(max_examples=DRAWN // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=specs())
def test_any_spec_builds_and_proves(data, tmp_path_factory):
    assert_proved(build(data, tmp_path_factory.mktemp("drawn")), decided=False)


def test_one_dimension_with_positions_builds_and_proves(tmp_path):
    data = plain([5, 2], 1, heads(1, position="sinusoidal"), n_vocab=9)
    assert_proved(build(data, tmp_path), decided=False)


def test_the_same_spec_gives_the_same_bytes_over_an_existing_file(tmp_path):
    written = []
    for title in ("a", "b", "a"):
        assert_proved(build({"title": title, **plain([3, 2], 3, ATTN, COMPARE)}, tmp_path))
        written.append((tmp_path / "drawn.xlsx").read_bytes())
    assert written[0] == written[2] != written[1]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> list[tuple[Book, Job]]:
    """The workbooks of small specs, the same in every run, with every kind and setting several times."""
    folder, settled = tmp_path_factory.mktemp("drawn"), []

    @settings(
        max_examples=DRAWN // 3, deadline=None, database=None, derandomize=True, phases=[Phase.generate]
    )
    @given(SMALL)
    def draw(data):
        settled.append(data)

    draw()
    last = FIRST_SEED + DRAWN - len(settled)
    settled += [of_kind(seed, KINDS[seed % len(KINDS)]) for seed in range(FIRST_SEED, last)]
    assert len({str(data) for data in settled}) > 0.9 * DRAWN
    for key in SETTINGS:
        count = Counter(sheet[key] for data in settled for sheet in data["sheets"] if key in sheet)
        assert {*KINDS, "compare"} == {*count} if key == "kind" else len(count) >= 4
        often = 60 if key == "activation" else 20  # there are seven, and not every kind has one
        assert min(count.values()) >= DRAWN // often, count
    books = [read(written(data, folder / f"{i}.xlsx")) for i, data in enumerate(settled)]
    return [(book, job(book, folder / f"{i}-copy.xlsx")) for i, book in enumerate(books)]


def assert_drawn(drawn, engine: str, found, record_property) -> None:
    """Assert that all values of an engine are proved, and record their number for the summary of the run."""
    for (book, _), values in zip(drawn, found, strict=False):
        assert_proved(report_on(book, engine, values), decided=False)
    record_property(SAID, f"{engine} recalculated {len(found)} of {len(drawn)} drawn specs: all proved")


@pytest.mark.parametrize("engine", ["ironcalc", "gnumeric"])
def test_drawn_specs_prove_in(engine, drawn, record_property):
    require(engine)
    chosen = drawn if THOROUGH or engine == "ironcalc" else drawn[::2]
    with ThreadPoolExecutor(2) as pool:  # each is a process of its own
        found = list(pool.map(lambda one: answers(engine, [one[1]])[0], chosen))
    assert len(found) == len(chosen) >= DRAWN // 2
    assert_drawn(chosen, engine, found, record_property)


def test_drawn_specs_prove_in_libreoffice(drawn, record_property, tmp_path):
    """All in one LibreOffice, as many as it can compute in the time limit."""
    chosen = drawn if THOROUGH else drawn[1::2]  # those that Gnumeric does not compute
    targets = [tmp_path / f"{i}.xlsx" for i in range(len(chosen))]
    sources = [one.path for _, one in chosen]
    jobs = [
        {"source": str(source), "target": str(target), "steps": []}
        for source, target in zip(sources, targets, strict=True)
    ]
    in_libreoffice(jobs, tmp_path, until=MAX_LENGTH)
    done = [to for to in targets if to.exists()]
    assert len(done) >= MIN_COUNT
    assert done == targets[: len(done)]
    found = [saved_values(to, one.areas) for (_, one), to in zip(chosen, done, strict=False)]
    assert_drawn(chosen, "libreoffice", found, record_property)


# --- extremes, by name -------------------------------------------------------------------------------------

EXTREMES = {
    "64 words in 64 dimensions": plain([64], 64, ATTN, LEARNED, COMPARE),
    "16 heads over 64 words in 64 dimensions": plain([64], 64, heads(16)),
    "16 heads followed into Compare": plain([8, 5], 16, heads(16), COMPARE),
    "one word in one dimension": plain([1], 1, ATTN, LEARNED, heads(1), COMPARE),
    "one word that the vocabulary has among others": plain([1], 3, ATTN, heads(3), COMPARE, n_vocab=9),
    "many words, one dimension": plain([9, 3], 1, ATTN, LEARNED, heads(1, mask="causal"), COMPARE),
    "models in one dimension": plain(
        [3, 2],
        1,
        {"id": "enc", "kind": "encoder", "norm": "rms", "seed": 1},
        {"id": "gpt", "kind": "decoder", "norm": "rms", "seed": 2},
        {"id": "class", "kind": "classifier", "norm": "rms", "seed": 3, "classes": ["a", "b"]},
    ),
    "an encoder that lists all sentences in another order": plain(
        [3, 2], 2, {"id": "enc", "kind": "encoder", "seed": 1, "contexts": ["c2", "c1"]}, COMPARE
    ),
    "one word and many": plain([1, 12, 1], 2, ATTN, {**LEARNED, "mask": "causal"}, COMPARE),
    "12 words in 2 lanes": plain([12, 12], 4, ATTN, LEARNED, heads(2), COMPARE),
    "8 sentences": plain([8, 1, 5, 2, 7, 3, 6, 4], 3, ATTN, COMPARE),
    "no scale and many masked heads": plain([7, 4], 6, heads(3, mask="causal", scale=False), COMPARE),
    "more heads than dimensions": plain([4], 2, heads(16, d_k=1, d_v=1), COMPARE),
    "64 sentences of one word": plain([1] * 64, 2, ATTN, n_vocab=3),
    "all zeros": plain([3, 2], 2, ATTN, COMPARE),
    "one word again and again": plain([6, 3], 3, ATTN, {**LEARNED, "mask": "causal"}, COMPARE, n_vocab=1),
    "weights that are nothing beside the largest": plain([4], 2, ATTN, COMPARE),
    "20 sheets": plain([2], 2, *({"id": f"s{i}", "seed": i} for i in range(18)), heads(2), COMPARE),
}  # fmt: skip
EXTREMES["all zeros"]["vocabulary"]["tokens"] = {word: [0, 0] for word in ("w1", "w2", "w3")}
EXTREMES["weights that are nothing beside the largest"] |= {
    "vocabulary": {"tokens": {"w1": [9.0, 0.0], "w2": [1.0, 0.0], "w3": [2.0, 0.0], "w4": [0.5, 0.0]}},
    "contexts": {"c1": ["w1", "w2", "w3", "w4"]},
}
EXTREMES["one word again and again"]["contexts"] = {"c1": ["w1"] * 6, "c2": ["w1"] * 3}


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name, tmp_path):
    assert_proved(prove(EXTREMES[name], "ironcalc", tmp_path)[1])


# --- words and titles --------------------------------------------------------------------------------------


def awkward() -> dict[str, object]:
    data = plain([len(AWKWARD_WORDS)], 2, ATTN, {**LEARNED, "mask": "causal"}, COMPARE)
    tokens = {word: [float(i), 1.0] for i, word in enumerate(AWKWARD_WORDS)}
    contexts = {"c1": list(AWKWARD_WORDS), "c2": list(reversed(AWKWARD_WORDS))}
    return data | {"vocabulary": {"tokens": tokens}, "contexts": contexts, "focus": "US"}


def test_words_of_any_kind_are_words(engine, tmp_path):
    values, report = prove(awkward(), engine, tmp_path)
    assert_proved(report, decided=False)
    assert [row[0] for row in values["c1_Ids"]] == [float(i + 1) for i in range(len(AWKWARD_WORDS))]
    assert values["c2_Focus"] == [[float(len(AWKWARD_WORDS) - AWKWARD_WORDS.index("US"))]]


def test_titles_of_any_kind_give_valid_tabs(engine, tmp_path):
    sheets = [{"id": f"s{i}", "title": title} for i, title in enumerate(AWKWARD_TITLES)]
    assert_proved(prove({"title": "'", **plain([2], 2, *sheets, COMPARE)}, engine, tmp_path)[1])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_drawn_spec_survives_toml(data):
    spec = data.draw(specs())
    assert tomllib.loads(toml(spec)) == spec
