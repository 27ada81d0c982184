"""Numbers of any magnitude are built and proved, or refused in one sentence."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from bridge import in_libreoffice
from conftest import THOROUGH, require
from model_specs import KINDS, drawn
from specs import plain
from workbooks import answers, job, report_on

from xlsxattn import press
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.specification import SpecError, parse
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.report import Report

DRAWN = int(os.environ.get("XLSXATTN_EXTREMES", "300" if THOROUGH else "60"))
"""Specs that are built."""
IN_ALL_ENGINES = 20
MAX_EXPONENT = 50


def power(draw: random.Random) -> float:
    """A number from 1e-50 to 1e50, with every order of magnitude equally likely."""
    return 10.0 ** draw.uniform(-MAX_EXPONENT, MAX_EXPONENT)


LEAST = {"epsilon": 1e-24, "base": 0.001, "temperature": 1e-6}
"""Workbooks support no smaller values; a training supports numbers up to 1e6."""


def extreme(seed: int) -> dict[str, Any]:
    """A spec of any kind and settings, whose embeddings, weights and settings have any magnitude."""
    draw = random.Random(seed)
    data = drawn(seed, KINDS[seed % len(KINDS)])
    weights = [dict(getattr(sheet, "weights", {})) for sheet in parse(data, "drawn").sheets]
    tokens = data["vocabulary"]["tokens"]
    most = 1e6 if any(sheet["kind"] == "training" for sheet in data["sheets"]) else 10.0**MAX_EXPONENT
    scale = min(power(draw), most / 2) if draw.random() < 0.8 else 1.0
    data["vocabulary"]["tokens"] = {word: [scale * x for x in row] for word, row in tokens.items()}
    for sheet, matrices in zip(data["sheets"], weights, strict=True):
        for key in ("epsilon", "base", "temperature"):
            if key in sheet and draw.random() < 0.4:
                sheet[key] = max(power(draw), LEAST[key])
        if matrices and draw.random() < 0.7:
            del sheet["seed"]
            shared = power(draw)
            sheet["weights"] = {
                name: scaled(rows, draw.choice([shared, shared, power(draw), 1.0]), most)
                for name, rows in matrices.items()
            }
    return data


def scaled(rows: Any, by: float, most: float) -> list[list[float]]:
    return [[x * by if abs(x * by) <= most else x for x in map(float, row)] for row in rows]


def test_numbers_of_any_size_build_and_hold(tmp_path):
    built = 0
    for seed in range(DRAWN):
        try:
            report = press.build(extreme(seed), tmp_path / f"{seed}.xlsx").report
        except SpecError:
            continue
        assert not errors(report), (seed, errors(report)[0])
        built += 1
    assert built > DRAWN // 2


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("extremes")
    return [write(extreme(seed), folder / f"{seed}.xlsx") for seed in range(IN_ALL_ENGINES)]


def write(data: dict[str, Any], path: Path) -> Path:
    book = pages.book(parse(data, "drawn"))
    writer.write(path, book.title, layout.lay_out(book))
    return path


def test_numbers_of_any_size_hold_in_gnumeric(written, tmp_path):
    require("gnumeric")
    for path in written:
        book = read(path)
        (values,) = answers("gnumeric", [job(book, tmp_path / path.name)])
        assert not errors(report_on(book, "gnumeric", values)), path.name


def test_numbers_of_any_size_hold_in_libreoffice(written, tmp_path):
    require("libreoffice")
    targets = [tmp_path / path.name for path in written]
    jobs = [
        {"source": str(path), "target": str(target), "steps": []}
        for path, target in zip(written, targets, strict=True)
    ]
    in_libreoffice(jobs, tmp_path)
    for path, target in zip(written, targets, strict=True):
        book = read(path)
        values = saved_values(target, book.names)
        assert not errors(report_on(book, "libreoffice", values)), path.name


def errors(report: Report) -> list[Any]:
    return [finding for finding in report.every_finding if finding.severity == "error"]


# --- by name -----------------------------------------------------------------------------------------------


def sized(scale: float, *sheets: dict[str, Any]) -> dict[str, Any]:
    """Two sentences of three and two words in two dimensions, all embeddings of one magnitude."""
    data = plain([3, 2], 2, *sheets)
    tokens = data["vocabulary"]["tokens"]
    data["vocabulary"]["tokens"] = {word: [scale * x for x in row] for word, row in tokens.items()}
    return data


NAMED = {
    "a decoder at 1e-50": sized(1e-50, {"id": "lm", "kind": "decoder", "seed": 1}),
    "a decoder with ReLU at 1e-30": sized(
        1e-30, {"id": "lm", "kind": "decoder", "seed": 1, "activation": "relu", "residual": "post-norm"}
    ),
    "an encoder whose epsilon is 1e33": sized(
        1.0, {"id": "enc", "kind": "encoder", "seed": 1, "epsilon": 1e33}
    ),
    "a classifier at 1e-30": sized(
        1e-30, {"id": "cls", "kind": "classifier", "seed": 1, "classes": ["a", "b"], "epsilon": 1e30}
    ),
    "a comparison at 1e-9": sized(1e-9, {"id": "attn"}, {"id": "compare", "kind": "compare"}),
    "a comparison at 1e-45": sized(1e-45, {"id": "attn"}, {"id": "compare", "kind": "compare"}),
    "a vocabulary of one word": plain([2], 2, {"id": "lm", "kind": "decoder", "seed": 1}, n_vocab=1),
}


def test_numbers_too_large_for_a_spreadsheet_are_refused(tmp_path):
    sheet = {"id": "lm", "kind": "decoder", "seed": 1, "activation": "swiglu", "residual": "post-norm"}
    data = sized(1e49, {**sheet, "layers": 2, "norm": "rms", "epsilon": 1.0})
    weights = dict(parse(data, "drawn").sheets[0].weights)
    large = {
        name: [[1e50 if x else x for x in map(float, row)] for row in rows] for name, rows in weights.items()
    }
    data["sheets"][0] |= {"weights": large}
    del data["sheets"][0]["seed"]
    with pytest.raises(SpecError, match=r"^the spec: the values of lm_c1_\w+ exceed .*smaller$"):
        press.build(data, tmp_path / "large.xlsx")
    assert not list(tmp_path.iterdir())


def test_by_name(engine, tmp_path):
    books = [read(write(data, tmp_path / f"{i}.xlsx")) for i, data in enumerate(NAMED.values())]
    jobs = [job(book, tmp_path / f"copy-{i}.xlsx") for i, book in enumerate(books)]
    for name, book, values in zip(NAMED, books, answers(engine, jobs), strict=True):
        report = report_on(book, engine, values)
        assert not errors(report), (name, errors(report)[0])
        assert {result.verdict for run in report.runs for result in run.results} == {"ok"}, name
