"""Findings are data, and every sentence of every kind can be formatted."""

from __future__ import annotations

import json
from string import Formatter

import pytest

from xlsxattn.checker.finding_kinds import About, Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.language import MAX_MESSAGE_LENGTH, codes, language

EXAMPLES = {"found": 1.5, "expected": "two", "name": "a_X", "cell": "S!B2"} | {
    "n": 3,
    "rows": 4,
    "heads": 2,
    "others": 5,
}


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize(("kind", "sentence"), [(kind, s) for kind in Kind for s in kind.sentences])
def test_every_sentence_is_used_if_its_values_are_available(kind, sentence):
    """A sentence after a more general one would never be used."""
    wanted = fields(sentence)
    own = {key: EXAMPLES[key] for key in ("found", "expected") if key in wanted}
    values = {key: EXAMPLES.get(key, key) for key in wanted - {"name", "cell", "found", "expected"}}
    name = "a_X" if "name" in wanted or kind.about is About.RANGE else ""
    finding = Finding(kind, name, "S!B2", values=values, **own)
    assert (
        finding.message.values["message"].sentence if finding.more else finding.message.sentence == sentence
    )
    for code in codes()[1:]:
        assert language(code).tell(finding.message) != finding.message


def test_a_kind_is_its_identifier_and_a_finding_has_its_severity():
    finding = Finding(Kind.STALE_VALUE, "a_X", "S!B2", values={"saved": 1.0, "fresh": 2.0})
    assert finding.kind == "stale value"
    assert json.dumps({"kind": finding.kind}) == '{"kind": "stale value"}'
    assert (finding.severity, finding.sheet) == ("warning", "S")
    assert Finding(Kind.MOVED, "a_X", severity="error").severity == "error"


def test_a_finding_must_have_what_its_kind_is_about():
    for kind in (Kind.MISSING, Kind.VALUE):
        with pytest.raises(AssertionError):
            Finding(kind)
    assert Finding(Kind.MACROS, values={"part": "xl/vbaProject.bin"}).sheet == ""


def test_additions_to_a_message():
    plain = Finding(Kind.EMPTY, "a_X", "S!B2")
    more = Finding(Kind.EMPTY, "a_X", "S!B2", more=2, round=3, unread=True)
    assert more.message.startswith(plain.message)
    for text in ("2 more cells", "round 3", "--engine libreoffice"):
        assert text in more.message
        assert text not in plain.message


def test_numbers_are_shown_with_15_digits_and_texts_in_quotes():
    said = Finding(Kind.VALUE, "a_X", "S!B2", found=0.1 + 0.2, expected="0.3").message
    assert said == "a_X holds 0.3, NumPy has '0.3'"
    assert "“0.3”" in language("zh").tell(said)


def test_a_finding_names_its_range_and_others():
    finding = Finding(Kind.OVERLAP, "a_X", "S!B2", values={"other": "b_X"})
    assert finding.names == ("a_X", "b_X")


def test_messages_are_short_and_can_still_be_translated():
    """Long values are shortened, so that the message still says what differs."""
    values = {"right": "=" + 900 * "a", "there": "MIN(", "part": "MAX("}
    message = Finding(Kind.OTHER_FORMULA, "a_X", "S!B2", values=values).message
    assert len(message) <= MAX_MESSAGE_LENGTH
    assert message.endswith("found MIN( instead of MAX(")
    assert language("zh").tell(message) != message
