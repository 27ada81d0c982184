"""Pages: shapes, names and manifest as in docs/contract.md, and random weights."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from conftest import ROOT, THOROUGH
from hypothesis import given, settings
from specs import plain, specs, toml

from xlsxattn import press, templates
from xlsxattn.builder import layout, pages, theme
from xlsxattn.builder.specification import load, parse
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reading.book import read
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.names import last
from xlsxattn.contract.values import MASK_VALUE

D, WORDS = 4, {"c1": 3, "c2": 5}
D_K, D_V, HEADS = 3, 2, 3
BARE = {"id": "attn", "kind": "self-attention"}
LEARNED = {"id": "qkv", "kind": "self-attention", "d_k": D_K, "d_v": D_V, "mask": "causal"}
HEADED = {"id": "heads", "kind": "multi-head", "heads": HEADS, "d_k": D_K, "d_v": D_V, "mask": "causal"}
COMPARE = {"id": "compare", "kind": "compare"}
SHEETS = {sheet["id"]: sheet for sheet in (BARE, LEARNED, HEADED, COMPARE)}


LENGTHS = tuple(WORDS.values())


def book_of(*sheets, lengths=LENGTHS, d_model=D):
    return pages.book(parse(plain(list(lengths), d_model, *sheets), "drawn"))


def shapes_of(book) -> dict[str, tuple[int, int]]:
    """Rows and columns of each name, including slices."""
    found = {}
    for block in book.blocks():
        assert block.name not in found, f"{block.name} stands twice"
        found[block.name] = (block.rows, block.cols)
        found |= {name: (block.rows, cols) for name, _, cols in block.slices}
    return found


@pytest.fixture(scope="module")
def full():
    return book_of(*SHEETS.values())


# --- the contract ------------------------------------------------------------------------------------------


FIRST_SCREEN = r"xlsxattn_(c\d+_\w+|Closing|Focus|Story)"
"""The ranges of the first screen, which tests/checker/test_first_screen.py proves."""
OTHER_SECTIONS = (
    ("## Masks and positions", "## Compare sheets"),
    ("## Training sheets", "## The front page"),
    ("## The first screen", "## The manifest"),
)
"""Sections of the contract whose ranges the full book does not have, with their subsections."""


def contract() -> list[tuple[list[str], str, str]]:
    """The rows of the contract's tables: full names, shape, content."""
    rows = []
    text = (ROOT / "docs/contract.md").read_text("utf-8")
    for first, after in OTHER_SECTIONS:
        text = text[: text.index(first)] + text[text.index(after) :]
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        named = [name for name in re.findall(r"`([^`]+)`", parts[0]) if "_" in name]
        if not line.startswith("| `") or not named:
            continue
        names: list[str] = []
        for name in named:
            cut = name.count("_")  # `_W_K` after `<sheet>_W_Q`: as many parts are replaced
            names.append(name if name[0] != "_" else names[-1].rsplit("_", cut)[0] + name)
        rows.append((names, parts[1], parts[-1]))
    return rows


def skipped(holds: str, sheet: dict[str, object]) -> bool:
    """True if the contract excludes a range from a sheet."""
    masked = sheet.get("mask", "none") != "none"
    learned = sheet != BARE
    return (
        ("only with a mask" in holds and not masked)
        or ("absent without a mask" in holds and not masked)
        or ("multi-head only" in holds and sheet["kind"] != "multi-head")
        or (("absent without weights" in holds or "setting `weights` is false" in holds) and not learned)
    )


def contracted() -> dict[str, str]:
    """All names that the contract requires of the full workbook, with their shapes as in the contract."""
    wanted: dict[str, str] = {}
    attention = [sheet for sheet in SHEETS.values() if sheet["kind"] != "compare"]
    for names, shape, holds in contract():
        if "only with `near`" in holds or "only in exercises" in holds:  # the full book has none of them
            continue
        each = [part.strip() for part in shape.split("×", 1)[-1].split(",")]
        rows = shape.split("×", 1)[0].strip()
        for k, name in enumerate(names):
            column = each[min(k, len(each) - 1)]
            said = shape if "," not in shape or shape.count("×") > 1 else f"{rows} × {column}"
            if shape.count("×") > 1:
                said = shape.split(",")[k].strip()
            for full_name in spelled_out(name, holds, attention):
                wanted[full_name] = said
    return wanted


def spelled_out(name: str, holds: str, attention: list[dict[str, object]]) -> list[str]:
    if name.startswith("<compare>"):
        found = []
        for c in WORDS:
            here = name.replace("<compare>_c_", f"compare_{c}_").replace("<compare>", "compare")
            if "_<sheet>_Attention" in name:
                many = [f"heads_h{h + 1}" for h in range(HEADS)]  # "for every head instead"
                found += [here.replace("<sheet>", sheet) for sheet in ("attn", "qkv", *many)]
            else:
                found += [here.replace("<sheet>", str(sheet["id"])) for sheet in attention]
        return found
    if "<sheet>_Status" in name:
        every = SHEETS if name.startswith("xlsxattn") else [sheet["id"] for sheet in attention]
        return [name.replace("<sheet>", str(sheet)) for sheet in every]
    if "<sheet>" in name or name.startswith("p_"):
        sheets = [sheet for sheet in attention if not skipped(holds, sheet)]
        sheets = [sheet for sheet in sheets if sheet != BARE or "_W_" not in name]  # labels of the weights
        sheets = [sheet for sheet in sheets if sheet == HEADED or "_W_O" not in name]
        found = []
        for sheet in sheets:
            many, p = sheet["kind"] == "multi-head", f"{sheet['id']}_{{c}}"
            if "<k>" in name and not many:
                continue
            whole = name.replace("<sheet>_<context>", p).replace("<sheet>", str(sheet["id"]))
            heads = [whole.replace("<k>", str(h + 1)) for h in range(HEADS)] if "<k>" in whole else [whole]
            if name.startswith("p_"):
                heads = [f"{p}_h{h + 1}{name[1:]}" for h in range(HEADS)] if many else [p + name[1:]]
            found += [head.replace("{c}", c) for head in heads for c in WORDS]
        return found
    return [name.replace("<context>", c) for c in WORDS]


def size(said: str, name: str, n_vocab: int) -> int | None:
    """One dimension of a shape in the contract's notation; None if it depends on other ranges."""
    n = next((count for c, count in WORDS.items() if c in name.split("_")), 0)
    known = {"n": n, "N": max(LENGTHS), "n_vocab": n_vocab, "d_model": D, "d_k": D_K, "d_v": D_V}
    known |= {
        "heads·d_k": HEADS * D_K,
        "heads·d_v": HEADS * D_V,
        "sheets": len(SHEETS),
        "contexts": len(WORDS),
    }
    return int(said) if said.isdigit() else known.get(said)


LABELLED = ("X", "Q", "K", "V", "Scores", "Scaled", "Masked", "Exp", "Attention", "Output", "Concat")
SQUARE = ("Scores", "Scaled", "Masked", "Exp", "Attention")


def labels_of(names: set[str]) -> dict[str, tuple[int, int]]:
    """The labels required by the contract's last paragraph."""
    found = {}
    for name in names:
        sheet, _, rest = name.partition("_")
        c, _, block = rest.partition("_")
        if sheet not in SHEETS or sheet == "compare" or c not in WORDS:
            continue
        head, step = block.partition("_")[::2] if re.match(r"h\d+_", block) else ("", block)
        if step in LABELLED:
            found[f"{name}_Rows"] = (WORDS[c], 1)
        if step in SQUARE:
            found[f"{name}_Cols"] = (1, WORDS[c])
        if step == "X" or (step == "Output" and not head and sheet in ("attn", "heads")):
            found[f"{name}_Cols"] = (1, D)
    return found


def test_names_in_the_contract_are_parsed():
    names = contracted()
    assert {
        "heads_h3_W_V",
        "heads_W_O",
        "qkv_c2_Mask",
        "compare_c1_heads_h2_Attention",
        "vocab_Tokens",
    } <= set(names)
    assert {"c1_Ids", "attn_c1_X", "qkv_W_V_Rows", "heads_c2_h1_Q", "xlsxattn_compare_Status"} <= set(names)
    assert not {"attn_W_Q", "attn_c1_Mask", "attn_c1_Q", "attn_W_O", "heads_c1_Q", "qkv_h1_W_Q"} & set(names)
    assert len(names) > 200


def test_ranges_are_exactly_those_of_the_contract(full):
    wanted = set(contracted())
    below = {name for name in shapes_of(full) if not re.fullmatch(FIRST_SCREEN, name)}
    assert below == wanted | set(labels_of(wanted)) | set(followed()) | set(mapped()) | set(detailed())


def followed() -> dict[str, tuple[int, int]]:
    """The focus word's ranges on every attention sheet, and their shapes."""
    r = {c: min(3, n) for c, n in WORDS.items()}
    found = {f"{sheet}_Rank": (1, 3) for sheet in SHEETS if sheet != "compare"}
    for sheet in ("attn", "qkv", "heads"):
        for c, n in WORDS.items():
            found[f"{sheet}_{c}_FocusAttention_Cols"] = (1, n)
            if f"{sheet}_{c}_Mask" in contracted():
                found[f"{sheet}_{c}_FocusSeen"] = (1, 1)
            each = [f"h{h + 1}_" for h in range(HEADS)] if sheet == "heads" else [""]
            for head in each:
                t = f"{sheet}_{c}_{head}Focus"
                found |= {f"{t}Attention": (1, n), f"{t}Said": (1, 1)}
                found |= {f"{t}{name}": (1, r[c]) for name in ("Weights", "Places", "Words")}
    return found


def detailed() -> dict[str, tuple[int, int]]:
    """The focus word before and after, one score in numbers, and the labels of unscaled sums."""
    found: dict[str, tuple[int, int]] = {}
    for sheet, d, out in (("attn", D, D), ("qkv", D_K, D_V), ("heads", 0, D)):
        for c, n in WORDS.items():
            p, one = f"{sheet}_{c}", (1, 1)
            each = [f"{p}_h{h + 1}" for h in range(HEADS)] if sheet == "heads" else [p]
            found |= {f"{t}_UnscaledSum_Rows": (n, 1) for t in each}
            found |= {
                f"{p}_FocusBefore": (1, D),
                f"{p}_FocusAfter": (1, out),
                f"{p}_FocusBefore_Cols": (1, D),
            }
            found |= {f"{p}_Focus{name}_Rows": one for name in ("Before", "After")}
            if d:
                found |= {f"{p}_Cell{name}": (1, d) for name in ("Query", "Key", "Products")}
                found |= {
                    f"{p}_Cell{name}": one for name in ("Row", "Col", "Score", "Query_Rows", "Key_Rows")
                }
            if sheet == "attn":
                found[f"{p}_CellQuery_Cols"] = (1, D)
    return found


def mapped() -> dict[str, tuple[int, int]]:
    """The maps of all heads, their labels, and the headings above them."""
    found = {f"heads_maps_h{h + 1}_Heading": (1, 1) for h in range(HEADS)}
    for c, n in WORDS.items():
        for h in range(HEADS):
            name = f"heads_{c}_h{h + 1}_Map"
            found |= {name: (n, n), f"{name}_Rows": (n, 1), f"{name}_Cols": (1, n)}
    return found


def test_ranges_of_the_focus_word_and_maps_have_the_shapes_of_the_contract(full):
    shapes = shapes_of(full)
    wanted = {**followed(), **mapped(), **detailed()}
    assert {name: shapes.get(name) for name in wanted} == wanted


def test_the_temperature_is_next_to_its_entropies():
    spec = [{**BARE, "temperature": 2.0}, {**HEADED, "temperature": 0.5, "maps": False}]
    book = book_of(*spec)
    blocks = {block.name: block for block in book.blocks()}
    assert [blocks[f"{sheet}_Temperature"].values for sheet in ("attn", "heads")] == [((2.0,),), ((0.5,),)]
    entropies = {name for name in blocks if name.endswith("_FocusEntropy")}
    heads = {f"heads_{c}_h{h + 1}_FocusEntropy" for c in WORDS for h in range(HEADS)}
    assert entropies == {"attn_c1_FocusEntropy", "attn_c2_FocusEntropy", *heads}
    assert not any(name.endswith("_Map") for name in blocks)


def test_a_full_explanation_extends_the_short_one():
    said = {}
    for explain in ("short", "full"):
        book = pages.book(parse({**plain(list(LENGTHS), D, BARE), "explain": explain}, "drawn"))
        said[explain] = {text.text for sheet in layout.lay_out(book) for text in sheet.texts}
    assert said["short"] < said["full"]
    assert any("Vaswani et al. 2017, §3.2.1" in text for text in said["short"])


def test_every_page_that_computes_has_three_things_to_try(full):
    tried = {page.id: len(page.tries) for page in full.pages}
    assert {page for page, count in tried.items() if count == 3} == {
        "vocab",
        "attn",
        "qkv",
        "heads",
        "compare",
    }


def test_the_glossary_links_to_existing_ranges(full):
    names = set(shapes_of(full))
    entries = next(page for page in full.pages if page.id == "glossary").entries
    assert {entry.target for entry in entries} <= names
    terms = {entry.term for entry in entries}
    assert {"Attention", "Head", "Mask"} <= terms
    assert "Layer norm" not in terms


MANY_HEADS = (
    ("heads_W_[QK]", "d_model × heads·d_k"),
    ("heads_W_V", "d_model × heads·d_v"),
    (r"heads_c\d_Output", "n × d_model"),  # Concat W_O
)


@pytest.mark.parametrize(("name", "sheet"), [("encoder", "paper"), ("encoder", "modern"), ("mouse", "cls")])
def test_columns_after_a_norm_do_not_have_the_names_of_the_dimensions(name, sheet):
    book = pages.book(load(templates.path(name)))
    groups = [group for page in book.pages for band in page.bands for group in band.groups]
    after = [
        group for group in groups if re.search(rf"{sheet}(_[a-z]+)?_(Output|Pooled)$", group.blocks[0].name)
    ]
    assert {group.cols for group in after} == {("x1", "x2", "x3", "x4")}


@pytest.mark.parametrize(
    ("template", "sheets", "labels"),
    [
        ("walkthrough", ["attn", "qkv"], [texts.AFTER, texts.AFTER_LEARNED]),
        ("positions", ["none", "sine"], [texts.AFTER, texts.AFTER_POSITIONS]),
        ("learning", ["attn"], [texts.AFTER]),  # nothing is learned on this sheet yet
    ],
)
def test_each_result_of_the_first_screen_says_what_it_comes_after(template, sheets, labels):
    screen = pages.book(load(templates.path(template))).pages[0].screen
    for lane in screen.lanes:
        _, *after = [line for line in lane.lines if line.label]
        assert [line.label.number_format for line in after] == labels
        assert [line.block.name.split("_")[2] for line in after] == sheets


def test_the_first_screen_compares_the_outputs_of_a_norm_without_names():
    screen = pages.book(load(templates.path("encoder"))).pages[0].screen
    for lane in screen.lanes:
        before, *after = lane.lines
        assert [line.block.name.split("_", 2)[2] for line in after] == ["paper_Output", "modern_Output"]
        assert [line.head for line in (before, *after)] == [(), ("x1", "x2", "x3", "x4"), ()]
        assert "vocab_Dims" not in str(lane.says)
    assert "vocab_Dims" not in str(screen.closing)


def test_every_number_of_a_model_has_a_label_above_its_column():
    for name in ("encoder", "mouse", "sort", "llama"):
        for page in pages.book(load(templates.path(name))).pages[1:]:
            groups = [group for band in page.bands for group in band.groups if group]
            bare = [g.blocks[0].name for g in groups if g.blocks[0].cols > 1 and g.cols is None]
            assert not bare, page.id


def test_ranges_have_the_shapes_of_the_contract(full):
    shapes, n_vocab = shapes_of(full), max(WORDS.values())
    for name, said in contracted().items():
        shape = next((shape for pattern, shape in MANY_HEADS if re.fullmatch(pattern, name)), said)
        for side, words in zip(shapes[name], shape.split("×"), strict=True):
            wanted = size(words.strip(), name, n_vocab)
            if name.startswith("attn") and words.strip() == "d_v":
                wanted = D  # V = X
            assert wanted in (side, None), f"{name}: {shapes[name]}, not {shape}"


def test_labels_have_the_lengths_of_their_blocks(full):
    shapes = shapes_of(full)
    for name, shape in labels_of(set(contracted())).items():
        assert shapes[name] == shape, name


# --- the manifest ------------------------------------------------------------------------------------------


def manifest(book) -> dict[str, tuple[tuple[object, ...], ...]]:
    return {block.name.removeprefix("xlsxattn_"): block.values for block in book.pages[-1].blocks()}


@settings(max_examples=40 if THOROUGH else 15, deadline=None)
@given(specs(most_words=4, most_dimensions=4))
def test_the_manifest_lists_exactly_the_ranges_of_the_workbook(data):
    spec = parse(data, "drawn")
    book = pages.book(spec)
    blocks, found = list(book.blocks()), manifest(book)
    inputs = [name for b in blocks if b.kind == "input" for name in (b.name, *(part[0] for part in b.slices))]
    assert [row[0] for row in found["Inputs"]] == inputs
    formulas = [(b.name, b.parts[0].op.entered) for b in blocks if b.kind == "formula"]
    assert [row[:2] for row in found["Formulas"]] == formulas
    assert [row[0] for row in found["Contexts"]] == [c.id for c in spec.contexts]
    assert [row[:2] for row in found["Sheets"]] == [(s.id, s.kind) for s in spec.sheets]
    assert found["Version"] == ((1.0,),)


def test_inputs_are_words_numbers_weights_and_slices_of_heads(full):
    inputs = {row[0] for row in manifest(full)["Inputs"]}
    words = {"vocab_Tokens", "vocab_Dims", "vocab_E", "vocab_Focus", "c1_Tokens", "c2_Tokens"}
    weights = {f"{s}_W_{w}" for s in ("qkv", "heads") for w in "QKV"} | {"heads_W_O"}
    slices = {f"heads_h{h}_W_{w}" for h in (1, 2, 3) for w in "QKV"}
    cells = {f"{s}_{c}_Cell{at}" for s in ("attn", "qkv") for c in WORDS for at in ("Row", "Col")}
    assert inputs == words | weights | slices | cells


def test_the_manifest_has_the_settings(full):
    settings = {row[0]: json.loads(row[2]) for row in manifest(full)["Sheets"]}
    plain_settings = {"weights": False, "scale": True, "mask": "none"}
    learned = {"weights": True, "scale": True, "mask": "causal", "d_k": D_K, "d_v": D_V}
    assert settings == {
        "attn": plain_settings,
        "qkv": learned,
        "heads": {**learned, "heads": HEADS, "maps": True},
        "compare": {"axes": ["d1", "d2"]},
    }


# --- growth ------------------------------------------------------------------------------------------------


def cells_of(layers: int, n: int, d_model: int) -> int:
    """Computed cells of a decoder's workbook."""
    sheet = {"id": "gpt", "kind": "decoder", "layers": layers, "heads": 2, "d_ff": d_model}
    book = book_of(sheet, lengths=(n,), d_model=d_model)
    return sum(b.rows * b.cols for b in book.blocks() if b.kind == "formula")


def test_a_models_cells_grow_linearly_in_its_layers():
    one, two, three, four = (cells_of(layers, 4, 4) for layers in (1, 2, 3, 4))
    assert two - one == three - two == four - three > 0


def test_a_models_cells_grow_as_n_squared_and_n_times_d_in_its_tokens():
    """The third differences in n and the second in d are 0, and the mixed term is n · d."""
    by_n = [cells_of(2, n, 4) for n in (3, 4, 5, 6, 7)]
    assert set(np.diff(by_n, 3)) == {0}
    assert (np.diff(by_n, 2) > 0).all()
    by_both = np.array([[cells_of(2, n, d) for d in (2, 4, 6, 8)] for n in (3, 4, 5, 6)])
    assert (np.diff(by_both, 2, axis=1) == 0).all()
    mixed = np.diff(np.diff(by_both, axis=0), axis=1)
    assert (mixed == mixed[0, 0]).all()


# --- typed values ------------------------------------------------------------------------------------------


def blocks_of(book) -> dict[str, object]:
    return {block.name: block for block in book.blocks()}


def test_the_mask_value_is_the_constant_minus_1e300(full):
    block = blocks_of(full)["qkv_MaskValue"]
    assert (block.kind, block.values) == ("constant", ((MASK_VALUE,),))
    assert MASK_VALUE == -1e300


def test_index_vectors_start_at_one_and_the_longest_sentence_has_that_of_the_sheet(full):
    blocks = blocks_of(full)
    assert blocks["qkv_c1_RowIdx"].values == ((1.0,), (2.0,), (3.0,))
    assert blocks["qkv_c1_ColIdx"].values == ((1.0, 2.0, 3.0),)
    assert blocks["c1_Index"].values == ((1.0,), (2.0,), (3.0,))
    assert blocks["qkv_c2_RowIdx"].slices == (("qkv_RowIdx", 0, 1),)
    assert blocks["qkv_c2_ColIdx"].slices == (("qkv_ColIdx", 0, 5),)
    assert blocks["qkv_c1_RowIdx"].slices == ()
    assert {blocks[f"qkv_c{i}_{x}Idx"].kind for i in (1, 2) for x in ("Row", "Col")} == {"constant"}


def test_only_the_first_of_two_longest_sentences_has_the_index_of_the_sheet():
    book = book_of(LEARNED, lengths=(3, 3))
    assert shapes_of(book)["qkv_RowIdx"] == (3, 1)
    assert not blocks_of(book)["qkv_c2_RowIdx"].slices


# --- sizes and weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "d_k", "d_v"),
    [
        ({"id": "s", "seed": 1}, 6, 6),
        ({"id": "s", "d_k": 2}, 2, 2),
        ({"id": "s", "d_v": 2}, 6, 2),
        ({"id": "s", "d_k": 2, "d_v": 5}, 2, 5),
        ({"id": "s", "kind": "multi-head", "heads": 3}, 2, 2),
        ({"id": "s", "kind": "multi-head", "heads": 3, "d_v": 5}, 2, 5),
        ({"id": "s", "kind": "multi-head", "heads": 4, "d_k": 3}, 3, 3),
    ],
)
def test_default_d_k_is_d_model_over_heads_and_default_d_v_is_d_k(sheet, d_k, d_v):
    shapes, heads = shapes_of(book_of(sheet, d_model=6)), sheet.get("heads", 1)
    assert (shapes["s_W_Q"], shapes["s_W_K"], shapes["s_W_V"]) == (
        (6, heads * d_k),
        (6, heads * d_k),
        (6, heads * d_v),
    )
    assert shapes["s_c1_h1_Q" if heads > 1 else "s_c1_Q"] == (3, d_k)
    if heads > 1:
        assert shapes["s_W_O"] == (heads * d_v, 6)
        assert shapes["s_c1_Concat"] == (3, heads * d_v)
        assert shapes["s_h2_W_V"] == (6, d_v)


def test_missing_weights_are_drawn_in_the_order_of_the_paper():
    sheet = {**HEADED, "seed": 7}
    blocks = blocks_of(book_of(sheet))
    rng = np.random.default_rng(7)
    shapes = {"Q": (D, HEADS * D_K), "K": (D, HEADS * D_K), "V": (D, HEADS * D_V), "O": (HEADS * D_V, D)}
    for letter, shape in shapes.items():
        drawn = np.round(rng.normal(0, 1 / math.sqrt(D), shape), 2)
        np.testing.assert_array_equal(np.array(blocks[f"heads_W_{letter}"].values), drawn)


def test_the_default_seed_is_0():
    without, zero, one = (
        blocks_of(book_of({**LEARNED, **seed}))["qkv_W_Q"].values for seed in ({}, {"seed": 0}, {"seed": 1})
    )
    assert without == zero != one


def test_no_drawn_weight_is_a_negative_zero():
    blocks = blocks_of(book_of({"id": "s", "seed": 3}, d_model=40))
    values = np.array(blocks["s_W_Q"].values)
    assert (values == 0).any()
    assert not np.signbit(values[values == 0]).any()


def test_a_word_that_looks_like_a_number_is_saved_as_text(tmp_path):
    words = ["1e5", "0", "007"]
    data = {
        "vocabulary": {"tokens": {word: [1.0] for word in words}},
        "contexts": {"c": words},
        "sheets": [{"id": "s"}],
    }
    source = tmp_path / "numbers.toml"
    source.write_text(toml(data), "utf-8")
    press.build(source, tmp_path / "numbers.xlsx")
    names = read(tmp_path / "numbers.xlsx").names
    saved = saved_values(tmp_path / "numbers.xlsx", names)
    assert saved["s_c_X_Rows"] == [["1e5"], ["0"], ["007"]]
    assert saved["s_c_Scores_Cols"] == [["1e5", "0", "007"]]


@pytest.mark.parametrize("template", ["sort", "mouse"])
def test_probabilities_are_grey_and_attention_is_violet_on_every_page(template):
    """The colours of a heat map or of bars by the last part of the name."""
    made = pages.book(load(templates.path(template)))
    heats = {}
    for block in made.blocks():
        heats.setdefault(last(block.name), set()).add(theme.LOOKS[block.look].heat)
    grey, violet = {"probabilities", "chances"}, {"weights", "shares"}
    assert heats["Attention"] <= violet
    assert heats["Probability"] | heats["LogitExp"] | heats.get("TopProbabilities", set()) <= grey
