"""Workbooks of templates are built once for each state of the sources; only proved ones are kept."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from dev import prebuilt


@pytest.fixture
def built(tmp_path, monkeypatch):
    """The builds, as (template, language); the one in the language xx has a finding."""
    made = []

    def build(source, target, *, changed):
        made.append((source.stem, changed["lang"]))
        target.write_text(f"workbook {len(made)}", "utf-8")
        findings = [SimpleNamespace(message="wrong")] if changed["lang"] == "xx" else []
        return SimpleNamespace(report=SimpleNamespace(every_finding=findings))

    monkeypatch.setattr(prebuilt, "CACHE", tmp_path / "kept")
    monkeypatch.setattr(prebuilt.press, "build", build)
    return made


def test_a_workbook_is_built_once_for_each_language_and_state(built, tmp_path, monkeypatch):
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    prebuilt.build("causal", one)
    prebuilt.build("causal", other, "en")
    assert one.read_text() == other.read_text() == "workbook 1"
    prebuilt.build("causal", one, "zh")
    monkeypatch.setattr(prebuilt, "_digest", lambda: "another state")
    prebuilt.build("causal", one)
    assert built == [("causal", "en"), ("causal", "zh"), ("causal", "en")]


@pytest.mark.usefixtures("built")
def test_a_workbook_that_is_not_proved_is_not_kept(tmp_path):
    for _ in range(2):
        with pytest.raises(prebuilt.ProofError, match="causal: wrong"):
            prebuilt.build("causal", tmp_path / "one.xlsx", "xx")
    assert not (tmp_path / "one.xlsx").exists()


@pytest.mark.usefixtures("built")
def test_unused_states_are_removed(tmp_path):
    old, recent = tmp_path / "kept" / "old", tmp_path / "kept" / "recent"
    for folder in (old, recent):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    prebuilt.build("causal", tmp_path / "one.xlsx")
    assert not old.exists()
    assert recent.exists()
