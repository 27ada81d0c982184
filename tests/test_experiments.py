"""Every experiment of every template is tried in the embedded engine.

An experiment is a sentence on a page. Its test does what the sentence says and asserts the stated result; an
experiment without a test fails. The tests are in the folder `experiments`, by the name of the sentence in
`pages.experiments`, or, for what a template says in its own words, by template, page and place in the page's
list.
"""

from __future__ import annotations

from functools import cache

import pytest
from experiments.bench import NAMES, TESTS, Bench, book_of, key_of, sheet_of, spec_of

from dev import prebuilt
from xlsxattn import templates

CASES = [(name, page.id, i) for name in templates.names() for page in book_of(name).pages
         for i in range(len(page.tries))]  # fmt: skip


@pytest.fixture(scope="module")
def path_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments")

    @cache
    def built(template, without=""):
        (place := folder / without).mkdir(exist_ok=True)
        return prebuilt.build(template, place / f"{template}.xlsx", "en", without=without)

    return built


@pytest.mark.parametrize(("template", "page_id", "place"), CASES)
def test_experiments_have_the_stated_results(path_of, template, page_id, place):
    page = next(page for page in book_of(template).pages if page.id == page_id)
    sheet = sheet_of(spec_of(template), page)
    untrained = template == "walkthrough" and sheet is not None and sheet.kind != "training"
    path = path_of(template, without="training" if untrained else "")  # it has most of the cells
    TESTS[key_of(template, page, place)](Bench(path, page, place))


def test_opposite_targets_hold_each_other_back(path_of):
    """An experiment of trainings that no template has."""
    page = next(page for page in book_of("learning").pages if page.id == "learn")
    TESTS["OWN_TARGET"](Bench(path_of("learning"), page, 0))


def test_every_test_belongs_to_an_experiment():
    pages_of = {(name, page.id): page for name in templates.names() for page in book_of(name).pages}
    asked = {key_of(template, pages_of[template, id_], i) for template, id_, i in CASES}
    assert {key for key in TESTS if " " in key} <= asked
    assert {key for key in TESTS if " " not in key} == set(NAMES.values())
