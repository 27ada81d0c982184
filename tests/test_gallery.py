"""The check of what the gallery has made: workbooks byte for byte, pictures by their workbook's digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dev.gallery import __main__ as gallery
from dev.gallery import pictures, reference, workbooks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(causal, tmp_path) -> Path:
    """A checkout in which all of one template's workbook is up to date."""
    workbooks.put(tmp_path, {"causal": causal})
    drawn = pictures._digests({"causal": causal})
    for picture in drawn:
        (tmp_path / picture).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / picture).touch()
    (tmp_path / pictures.RECORD).write_text(json.dumps(drawn), "utf-8")
    return tmp_path


def test_a_workbook_with_another_byte_or_no_picture_is_out_of_date(root, causal, monkeypatch, capsys):
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
