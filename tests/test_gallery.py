"""The check of generated files: workbooks byte for byte, pictures by the digest of their workbook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dev.gallery import __main__ as gallery
from dev.gallery import pictures, reference, workbooks
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(causal, tmp_path) -> Path:
    """A checkout in which the workbook and the picture of one template are up to date."""
    workbooks.put(tmp_path, {"causal": causal})
    drawn = pictures._digests({"causal": causal})
    for picture in drawn:
        (tmp_path / picture).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / picture).touch()
    (tmp_path / pictures.RECORD).write_text(json.dumps(drawn), "utf-8")
    return tmp_path


def test_changed_workbooks_and_missing_pictures_are_out_of_date(root, causal, monkeypatch, capsys):
    monkeypatch.setattr(gallery, "ROOT", root)
    monkeypatch.setattr(workbooks, "build_all", lambda _: {"causal": causal})
    monkeypatch.setattr(workbooks, "build_others", lambda _: {})
    monkeypatch.setattr(reference, "stale", lambda *_: [])
    assert gallery.main(["--check"]) == 0
    (root / "output/causal.xlsx").write_bytes(causal.read_bytes() + b"\0")
    (root / "output/causal.png").unlink()
    assert gallery.main(["--check"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[:-1]] == ["output/causal.xlsx", "output/causal.png"]
    assert said[-1].endswith("python -m dev.gallery")


def test_the_gallery_shows_the_attention_of_the_first_sheet(causal, walkthrough):
    part = pictures._attention("causal", look(causal))
    assert (part.first, part.lanes) == ("causal_chase_Attention", ("chase",))
    part = pictures._attention("walkthrough", look(walkthrough))
    assert (part.first, part.lanes) == ("attn_cat_Attention", ("cat", "keyboard"))


def test_lanes_of_a_picture_are_found_by_their_formulas():
    """The sentences above the lanes are indented, and a formula of one line is lower than one with two."""
    words = [
        (20, 10, "cat"),
        (220, 10, "keyboard"),
        (212, 50, "{=b_Exp"),
        (216, 60, "/b)}"),
        (12, 58, "{=a)}"),
    ]
    printed = tuple(pictures.Word(left, top, left + 50, text) for left, top, text in words)
    page = pictures.Printed(400, 300, 300, (), printed)
    assert pictures._columns(page, 30) == [(12 - pictures.MARGIN, 212 - pictures.MARGIN), (208, 400)]
