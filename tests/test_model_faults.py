"""The campaign's faults of whole models, on a few ranges placed by hand."""

from __future__ import annotations

import pytest

from dev.campaign import kinds
from dev.campaign.faults import FAULTS
from dev.campaign.mutants import mutated
from dev.campaign.partners import home, partners
from dev.campaign.site import site
from xlsxattn.checker.cells import Area
from xlsxattn.checker.reading.book import Book, Formula, Manifest
from xlsxattn.checker.reference import SheetInfo

N, D, D_FF, N_VOCAB = 3, 4, 6, 5
SHAPES = {
    "gpt_l1_b_Q": (1, 2), "gpt_l1_b_K": (1, 2), "gpt_l1_b_V": (1, 2), "gpt_l1_h1_W_K": (D, 2),
    "gpt_a_Input": (N, D), "gpt_a_l1_Residual2": (N, D), "gpt_a_l2_MultiHead": (N, D),
    "gpt_a_l2_Residual1": (N, D), "gpt_a_l1_Residual1": (N, D), "gpt_a_l1_h1_K": (N, 2),
    "gpt_a_l1_Norm2": (N, D), "gpt_a_l1_Norm2_Mean": (N, 1), "gpt_a_l1_Norm2_Variance": (N, 1),
    "gpt_l1_W_1": (D, D_FF), "gpt_l1_b_1": (1, D_FF), "gpt_a_l1_Hidden": (N, D_FF), "gpt_a_l1_Up": (N, D_FF),
    "gpt_a_l1_Activation": (N, D_FF), "gpt_Epsilon": (1, 1), "gpt_DModel": (1, 1),
    "gpt_Temperature": (1, 1), "gpt_Position": (5, 1), "gpt_Frequency": (1, D), "gpt_Angle": (5, D),
    "gpt_Odd": (1, D), "gpt_P": (5, D), "gpt_a_P": (N, D), "gpt_a_X": (N, D), "gpt_Turn": (2, 2),
    "gpt_a_Cos": (N, 2), "gpt_a_Sin": (N, 2), "gpt_a_l1_h1_KRot": (N, 2), "gpt_a_Logits": (N, N_VOCAB),
    "gpt_a_Tempered": (N, N_VOCAB), "gpt_a_LogitMax": (N, 1), "gpt_a_TopLogits": (N, 2), "gpt_Rank": (1, 2),
    "gpt_a_Pooled": (1, D), "gpt_a_PaddingMask": (N, 1), "gpt_a_Output": (N, D),
    "gpt_a_l1_h1_Scores": (N, N), "gpt_a_l1_h1_Scaled": (N, N), "gpt_a_Mask": (N, N),
}  # fmt: skip
ACTIVATION = "gelu"


def laid_out() -> dict[str, Area]:
    """Every range below the one before, in the first columns of one tab; gpt_a_P covers the top of gpt_P."""
    names, row = {}, 0
    for name, (rows, cols) in SHAPES.items():
        names[name] = Area("T", row, 0, rows, cols)
        row += rows + 1
    return names | {"gpt_a_P": Area("T", names["gpt_P"].row, 0, N, D)}


def book(name: str, entered: str, text: str, formulas, activation=ACTIVATION) -> Book:
    sheets = (SheetInfo("gpt", "decoder", {"activation": activation}),)
    manifest = Manifest(sheets, ("a", "c"), (), {name: (entered, text)})
    return Book(
        None, laid_out(), {(f.area.sheet, f.area.row, f.area.col): f for f in formulas}, {}, manifest, None
    )


def faults(name: str, text: str, activation: str = ACTIVATION) -> dict[str, list[str]]:
    """The faulty texts of a block's formula, by kind."""
    formula = Formula(text, laid_out()[name], array=True)
    made: dict[str, list[str]] = {}
    b = book(name, "block", text, [formula], activation)
    for fault in FAULTS:
        for wrong in fault(site(b, name, formula)):
            if wrong.text != text:
                made.setdefault(wrong.kind, []).append(wrong.text)
    return made


CASES = [
    ("gpt_a_l1_h1_K", "=MMULT(gpt_a_Input,0+gpt_l1_h1_W_K)+gpt_l1_b_K",
     "Q's bias in K and V", ["=MMULT(gpt_a_Input,0+gpt_l1_h1_W_K)+gpt_l1_b_Q"]),
    ("gpt_a_l1_Hidden", "=MMULT(gpt_a_l1_Norm2,0+gpt_l1_W_1)+gpt_l1_b_1", "the first token in every MLP",
     ["=MMULT((0*gpt_a_l1_Norm2+{gpt_a_l1_Norm2[1]}),0+gpt_l1_W_1)+gpt_l1_b_1"]),
    ("gpt_a_l1_Hidden", "=MMULT(gpt_a_l1_Norm2,0+gpt_l1_W_1)+gpt_l1_b_1", "one column's bias",
     ["=MMULT(gpt_a_l1_Norm2,0+gpt_l1_W_1)+{gpt_l1_b_1 last}"]),
    ("gpt_a_l2_Residual1", "=gpt_a_l1_Residual2+gpt_a_l2_MultiHead", "the residual adds the input",
     ["=gpt_a_Input+gpt_a_l2_MultiHead"]),
    ("gpt_a_l1_Norm2_Variance", "=VARP(A1:D1)", "sample variance", ["=VAR(A1:D1)"]),
    ("gpt_a_l1_Norm2_Variance", "=DEVSQ(A1:D1)/COLUMNS(A1:D1)", "sample variance",
     ["=DEVSQ(A1:D1)/(COLUMNS(A1:D1)-1)"]),
    ("gpt_a_l1_Norm2", "=(gpt_a_l1_Residual1-gpt_a_l1_Norm2_Mean)/SQRT(gpt_a_l1_Norm2_Variance+gpt_Epsilon)",
     "ε left out", ["=(gpt_a_l1_Residual1-gpt_a_l1_Norm2_Mean)/SQRT(gpt_a_l1_Norm2_Variance)"]),
    ("gpt_a_l1_Norm2", "=gpt_a_l1_Residual1/SQRT(gpt_a_l1_Norm2_MeanSquare+MAX(gpt_Epsilon,1E-24))",
     "ε left out", ["=gpt_a_l1_Residual1/SQRT(gpt_a_l1_Norm2_MeanSquare)"]),
    ("gpt_a_l1_Norm2", "=(gpt_a_l1_Residual1-gpt_a_l1_Norm2_Mean)/SQRT(gpt_Epsilon+gpt_a_l1_Norm2_Variance)",
     "ε left out", ["=(gpt_a_l1_Residual1-gpt_a_l1_Norm2_Mean)/SQRT(gpt_a_l1_Norm2_Variance)"]),
    ("gpt_a_l1_Norm2", "=(gpt_a_l1_Residual1-gpt_a_l1_Norm2_Mean)/SQRT(gpt_a_l1_Norm2_Variance+gpt_Epsilon)",
     "mean not subtracted", ["=(gpt_a_l1_Residual1)/SQRT(gpt_a_l1_Norm2_Variance+gpt_Epsilon)"]),
    ("gpt_a_l1_Activation", "=gpt_a_l1_Hidden*NORMSDIST(gpt_a_l1_Hidden)", "wrong activation",
     ["=gpt_a_l1_Hidden*(gpt_a_l1_Hidden>0)", "=gpt_a_l1_Hidden/(1+EXP(-gpt_a_l1_Hidden))",
      "=TANH(gpt_a_l1_Hidden)"]),
    ("gpt_Angle", "=gpt_Position*gpt_Frequency", "positions off by one", ["=(gpt_Position+1)*gpt_Frequency"]),
    ("gpt_a_Input", "=gpt_a_X+gpt_a_P", "positions off by one", ["=gpt_a_X+{gpt_P[2..4]}"]),
    ("gpt_P", "=IF(gpt_Odd=1,COS(gpt_Angle),SIN(gpt_Angle))", "sine and cosine exchanged",
     ["=IF(gpt_Odd=1,SIN(gpt_Angle),COS(gpt_Angle))"]),
    ("gpt_a_l1_h1_KRot", "=gpt_a_l1_h1_K*gpt_a_Cos+MMULT(gpt_a_l1_h1_K,gpt_Turn)*gpt_a_Sin",
     "rotated backwards", ["=gpt_a_l1_h1_K*gpt_a_Cos+MMULT(gpt_a_l1_h1_K,(0-gpt_Turn))*gpt_a_Sin"]),
    ("gpt_a_Tempered", "=gpt_a_Logits/MAX(gpt_Temperature,1E-6)", "temperature left out", ["=gpt_a_Logits"]),
    ("gpt_a_Tempered", "=gpt_a_Logits/gpt_Temperature", "temperature left out", ["=gpt_a_Logits"]),
    ("gpt_a_LogitMax", "=MAX(A1:E1)", "the smallest in place of the largest", ["=MIN(A1:E1)"]),
    ("gpt_a_TopLogits", "=LARGE(A1:E1,gpt_Rank)", "the smallest in place of the largest",
     ["=SMALL(A1:E1,gpt_Rank)"]),
    ("gpt_a_Pooled", "=MMULT(TRANSPOSE(gpt_a_PaddingMask),gpt_a_Output)/MAX(1,SUM(gpt_a_PaddingMask))",
     "pooled over padding",
     ["=MMULT(TRANSPOSE((0*gpt_a_PaddingMask+1)),gpt_a_Output)/MAX(1,SUM((0*gpt_a_PaddingMask+1)))"]),
]  # fmt: skip


def spelled(text: str) -> str:
    names = laid_out()
    marks = {
        "{gpt_a_l1_Norm2[1]}": (names["gpt_a_l1_Norm2"], 0, 1, 0),
        "{gpt_P[2..4]}": (names["gpt_P"], 1, N, 0),
        "{gpt_l1_b_1 last}": (names["gpt_l1_b_1"], 0, 1, D_FF - 1),
    }
    for mark, (area, down, rows, right) in marks.items():
        top, bottom = area.row + down + 1, area.row + down + rows
        left, last = (chr(65 + col) for col in (right, area.cols - 1))
        corners = [f"{left}{top}", f"{last}{bottom}"]
        text = text.replace(mark, ":".join(dict.fromkeys(corners)))
    return text


@pytest.mark.parametrize(
    ("name", "text", "kind", "wrong"), CASES, ids=[f"{c[2]}: {c[1]}"[:60] for c in CASES]
)
def test_a_fault_of_a_model(name, text, kind, wrong):
    assert faults(name, text)[kind] == [spelled(each) for each in wrong]


def test_the_model_s_own_activation_is_no_fault():
    swiglu = "=gpt_a_l1_Hidden/(1+EXP(-gpt_a_l1_Hidden))*gpt_a_l1_Up"
    made = faults("gpt_a_l1_Activation", swiglu, "swiglu")["wrong activation"]
    assert made[-1] == "=gpt_a_l1_Hidden/(1+EXP(-gpt_a_l1_Hidden))"
    assert swiglu not in made
    relu = "=IF(gpt_a_l1_Hidden>0,gpt_a_l1_Hidden,0)"
    made = faults("gpt_a_l1_Activation", relu, "relu")["wrong activation"]
    assert "=gpt_a_l1_Hidden*(gpt_a_l1_Hidden>0)" not in made


def test_the_first_layer_s_residual_may_add_the_input():
    assert "the residual adds the input" not in faults("gpt_a_l1_Residual1", "=gpt_a_l1_Norm2+gpt_a_X")


# --- names -------------------------------------------------------------------------------------------------

PARTNERS = ["gpt_enc_l1_h1_W_Q", "gpt_enc_l2_h1_W_Q", "gpt_dec_l1_h1_W_Q", "gpt_dec_l1_Cross_h1_W_Q",
            "gpt_enc_l1_h2_W_Q", "gpt_a_l1_g1_K", "gpt_a_l1_g2_K"]  # fmt: skip


def test_partners_differ_in_one_role():
    b = book("gpt_a_X", "block", "=1", [])
    b.names.clear()
    b.names.update({name: Area("T", 3 * i, 0, 2, 2) for i, name in enumerate(PARTNERS)})
    assert set(partners(b, "gpt_enc_l1_h1_W_Q")) == {
        ("layer", "gpt_enc_l2_h1_W_Q"), ("side", "gpt_dec_l1_h1_W_Q"), ("head", "gpt_enc_l1_h2_W_Q"),
    }  # fmt: skip
    assert set(partners(b, "gpt_dec_l1_Cross_h1_W_Q")) == {("cross", "gpt_dec_l1_h1_W_Q")}
    assert set(partners(b, "gpt_a_l1_g1_K")) == {("group", "gpt_a_l1_g2_K")}
    assert home(b, Area("T", 4, 1, 1, 1)) == "gpt_enc_l2_h1_W_Q"


# --- formulas row by row -----------------------------------------------------------------------------------


def by_row(name, entered, texts) -> Book:
    """A range with an array formula for each row; of a triangle only up to the diagonal."""
    area = laid_out()[name]
    formulas = [
        Formula(
            text, Area("T", area.row + i, 0, 1, i + 1 if entered == "lower rows" else area.cols), array=True
        )
        for i, text in enumerate(texts)
    ]
    return book(name, entered, "", formulas)


def kinds_of(b: Book, name: str) -> dict[str, list]:
    grid = [[1.0] * SHAPES[name][1] for _ in range(SHAPES[name][0])]
    made: dict[str, list] = {}
    for mutant in kinds.every(b, {name: grid}):
        if name in mutant.ranges and not mutant.names:
            made.setdefault(mutant.kind, []).append(mutant)
    return made


def test_faults_of_rows_are_in_one_row():
    keys = laid_out()["gpt_a_l1_h1_K"]
    scores = [f"=MMULT(A{keys.row + i + 1}:B{keys.row + i + 1},TRANSPOSE(gpt_a_l1_h1_K))" for i in range(N)]
    made = kinds_of(by_row("gpt_a_l1_h1_Scores", "rows", scores), "gpt_a_l1_h1_Scores")
    assert {
        "misses the last",
        "another row",
        "one short, nothing left",
        "block in two",
        "pasted as values",
    } <= set(made)
    for kind in ("misses the last", "one short, nothing left", "block in two"):
        assert len({at[1] for m in made[kind] for at in m.cells}) == 1, kind
    (drifting,) = made["relative for absolute"]
    (fixed,) = made["absolute for relative"]
    assert len(drifting.cells) == len(fixed.cells) == N
    assert {new.text for new in fixed.cells.values()} == {scores[0]}


def test_faults_of_a_triangle_end_at_its_diagonal():
    area, scores = laid_out()["gpt_a_l1_h1_Scaled"], laid_out()["gpt_a_l1_h1_Scores"]
    texts = [f"=A{scores.row + i + 1}:{chr(65 + i)}{scores.row + i + 1}/2" for i in range(N)]
    b = by_row("gpt_a_l1_h1_Scaled", "lower rows", texts)
    made = kinds_of(b, "gpt_a_l1_h1_Scaled")
    (fixed,) = made["absolute for relative"]
    assert [new.area.cols for new in fixed.cells.values()] == [1, 2, 3]
    wrong = mutated(b, fixed)
    assert wrong.formulas["T", area.row + 2, 0].text == texts[0]
    assert all(at[1] in range(area.row, area.row + N) for m in made["another row"] for at in m.cells)


def test_a_mask_by_rows_is_left_out():
    mask, scaled = laid_out()["gpt_a_Mask"], laid_out()["gpt_a_l1_h1_Scaled"]
    names = laid_out() | {"gpt_a_l1_h1_Masked": Area("T", 500, 0, N, N)}
    text = f"=IF(A{mask.row + 1}:C{mask.row + 1}=1,A{scaled.row + 1}:C{scaled.row + 1},gpt_DModel)"
    formula = Formula(text, Area("T", 500, 0, 1, N), array=True)
    b = book("gpt_a_l1_h1_Masked", "rows", "", [formula])
    b.names.update(names)
    made = [
        w.text for f in FAULTS for w in f(site(b, "gpt_a_l1_h1_Masked", formula)) if w.kind == "wrong mask"
    ]
    assert f"=A{scaled.row + 1}:C{scaled.row + 1}" in made
    assert len(made) == 4
