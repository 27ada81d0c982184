"""Range names as records: every name is restored from its parts, with the meaning in the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.campaign import imported
from tests import specs
from xlsxattn.builder import specification
from xlsxattn.builder.pages.frame import book as pages_of
from xlsxattn.contract.names import RangeName, is_text, parse, parser, weight

SHEETS, CONTEXTS = ("s", "cmp", "enc", "l"), ("c", "in", "maps", "dec")
PARSE = parser(SHEETS, CONTEXTS)
NAMES = {
    "vocab_E": RangeName("vocab", block="E"),
    "c_Tokens": RangeName(context="c", block="Tokens"),
    "cmp_Tokens": RangeName("cmp", block="Tokens"),
    "s_c_l2_h13_Attention_Rows": RangeName(
        "s", context="c", layer=2, head=13, block="Attention", label="Rows"
    ),
    "s_c_g1_KRot": RangeName("s", context="c", group=1, block="KRot"),
    "s_c_l1_Cross_h1_K": RangeName("s", context="c", layer=1, cross=True, head=1, block="K"),
    "s_c_l1_Norm1_MeanSquare": RangeName("s", context="c", layer=1, block="Norm1", part="MeanSquare"),
    "s_b_C": RangeName("s", block="b_C"),
    "s_l2_h1_W_Q": RangeName("s", layer=2, head=1, block="W_Q"),
    "s_enc_l1_W_1": RangeName("s", side="enc", layer=1, block="W_1"),
    "s_dec_l1_Cross_b_O": RangeName("s", side="dec", layer=1, cross=True, block="b_O"),
    "s_dec_l1_Norm3_Gamma": RangeName("s", side="dec", layer=1, block="Norm3", part="Gamma"),
    "s_dec_l1_Status": RangeName("s", side="dec", layer=1, block="Status"),
    "s_l1_W_Q_First_Cols": RangeName("s", layer=1, block="W_Q", part="First", label="Cols"),
    "s_l1_W_2_Frobenius": RangeName("s", layer=1, block="W_2", part="Frobenius"),
    "s_c_Track_l11": RangeName("s", context="c", block="Track", part="l11"),
    "s_c_Cosine_X": RangeName("s", context="c", block="Cosine", part="X"),
    "s_in_c_Heading": RangeName("s", page="in", context="c", block="Heading"),
    "s_l3_c_Heading": RangeName("s", context="c", layer=3, block="Heading"),
    "s_enc_out_c_Heading": RangeName("s", side="enc", page="out", context="c", block="Heading"),
    "s_maps_h2_Heading": RangeName("s", page="maps", head=2, block="Heading"),
    "cmp_c_s_h1_Attention": RangeName("cmp", context="c", of="s", head=1, block="Attention"),
    "xlsxattn_s_Status": RangeName("xlsxattn", of="s", block="Status"),
    "xlsxattn_Formulas": RangeName("xlsxattn", block="Formulas"),
    # ids that look like a part of another name
    "s_in_X": RangeName("s", context="in", block="X"),
    "s_in_in_Heading": RangeName("s", page="in", context="in", block="Heading"),
    "s_in_Heading": RangeName("s", context="in", block="Heading"),
    "s_maps_Heading": RangeName("s", context="maps", block="Heading"),
    "s_dec_l1_h1_Q": RangeName("s", context="dec", layer=1, head=1, block="Q"),
    "s_dec_Output": RangeName("s", context="dec", block="Output"),
    "s_dec_Output_Gamma": RangeName("s", side="dec", block="Output", part="Gamma"),
    "s_dec_l1_dec_Heading": RangeName("s", side="dec", context="dec", layer=1, block="Heading"),
    "enc_c_l1_Norm1": RangeName("enc", context="c", layer=1, block="Norm1"),
    "cmp_c_enc_Output": RangeName("cmp", context="c", of="enc", block="Output"),
    "l_l1_W_Q": RangeName("l", layer=1, block="W_Q"),
    # names of users
    "budget_Rows": RangeName(block="budget", label="Rows"),
    "s_total": RangeName(block="s_total"),
    "s_c_l01_X": RangeName(block="s_c_l01_X"),
    "Total": RangeName(block="Total"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_parsed(name):
    assert PARSE(name) == NAMES[name]
    assert str(PARSE(name)) == name


@given(st.text(st.sampled_from("_abclhgWRows1E "), max_size=12))
def test_any_name_is_restored_from_its_parts(text):
    assert str(PARSE(text)) == str(parse(text)) == text
    assert weight(text).key == text


def _specs() -> dict[str, specification.Spec]:
    here = [Path(path) for path in sorted(Path("templates").glob("*.toml")) if "weights" not in path.name]
    made = {path.stem: specification.load(path) for path in here}
    return made | {f"imported {name}": imported.spec(name) for name in imported.MODELS}


SPECS = _specs()


@pytest.mark.parametrize("made", SPECS.values(), ids=SPECS)
def test_every_name_of_a_workbook_is_known(made):
    """Also without the ids, except for ranges of contexts."""
    known = parser([sheet.id for sheet in made.sheets], [context.id for context in made.contexts])
    blocks = [block for page in pages_of(made).pages for block in page.blocks()]
    names = [name for block in blocks for name in (block.name, *block.aliases)]
    assert len(names) > 50
    for name in names:
        at = known(name)
        assert str(at) == name
        assert at.sheet or at.context
        assert not at.sheet or parse(name) == at
    weights = [name for sheet in made.sheets for name in getattr(sheet, "weights", {})]
    assert [name for name in weights if weight(name).key != name] == []
    assert {name for name in names if known(name).label} == {
        name for name in names if name[-5:] in ("_Rows", "_Cols")
    }


@pytest.mark.parametrize("reserved", ["vocab", "xlsxattn", "w", "b", "l1", "h12", "g3"])
def test_reserved_ids_are_refused(reserved):
    data = specs.plain([2], 2, {"id": "attn", "kind": "self-attention"})
    with pytest.raises(specification.SpecError, match="is reserved"):
        specification.parse({**data, "contexts": {reserved: ["w0"]}}, "x.toml")
    data["sheets"][0]["id"] = reserved
    with pytest.raises(specification.SpecError, match="is reserved"):
        specification.parse(data, "x.toml")


def test_names_are_built_from_prefixes():
    p = RangeName("gpt", context="s1")
    assert p["X"] == "gpt_s1_X"
    assert p.at(layer=2).at(cross=True, head=3)["Scores"] == "gpt_s1_l2_Cross_h3_Scores"
    assert p.at(layer=2)["Norm1_Gamma"] == "gpt_s1_l2_Norm1_Gamma"
    assert p.at(page="in")["Heading"] == "gpt_in_s1_Heading"
    assert p.at(layer=2)["Heading"] == "gpt_l2_s1_Heading"


def test_word_inputs_are_distinguished_from_numeric_ones():
    assert all(map(is_text, ("vocab_Tokens", "vocab_Dims", "vocab_Focus", "s_Classes", "c_Tokens")))
    assert not any(map(is_text, ("vocab_E", "s_Base", "c_Focus", "s_W_C")))
