"""The ranges of a training sheet, computed by hand; a fault in one step is found only in that step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_models import column

from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.compare import compare
from xlsxattn.checker.reference import ShapesDisagree, SheetInfo, expected

STEPS = 20
FEW, FAULTY = 8, 6
"""Steps of a run that is computed for each of its ranges, and the step with the fault."""
TRAINED = {"weights": True, "scale": True, "mask": "none"}
LENGTHS = [3, 2, 4]
W = {
    "W_Q": [[0.5, -0.2], [0.1, 0.4], [-0.3, 0.2]],
    "W_K": [[0.3, 0.1], [-0.4, 0.5], [0.2, 0.3]],
    "W_V": [[0.6, -0.1], [0.2, 0.7], [-0.5, 0.1]],
}
W_O = {"W_O": [[0.5, -0.3, 0.2], [0.1, 0.6, -0.4]]}
NUMBERS = {"WeightDecay": 0.02, "Step": 5, "CheckRow": 2, "CheckCol": 1, "CheckH": 1e-4}
CONSTANTS = {
    "sgd": {"LearningRate": 0.1},
    "momentum": {"LearningRate": 0.05, "Momentum": 0.7},
    "adam": {"LearningRate": 0.1, "Beta1": 0.8, "Beta2": 0.95, "Epsilon": 1e-8},
}


def problem(
    optimizer="adam", heads=0, mask="none", learns=None, steps=STEPS, **changed
) -> tuple[Any, dict[str, Any]]:
    weights = W | (W_O if heads else {})
    settings = {"trains": "t", "learns": learns or [*weights], "steps": steps, "optimizer": optimizer}
    of_heads = {"heads": heads, "d_k": 2 // heads, "d_v": 2 // heads} if heads else {}
    inputs = {
        "vocab_Tokens": column("abcdef"),
        "vocab_Dims": column("xyz").T,
        "vocab_E": np.random.default_rng(1).normal(size=(6, 3)),
        "vocab_Focus": column("b"),
        "c_Tokens": column("fbc"),
        "s_Tokens": column("abcdefabe"),
        "s_Asked": column("bdb"),
        "s_Targets": np.random.default_rng(2).normal(size=(3, 3 if heads else 2)),
        "s_CheckMatrix": column(["W_K"]),
        **{f"{owner}_{m}": np.array(values) for owner in "st" for m, values in weights.items()},
        **{f"s_{name}": np.array([[float(x)]]) for name, x in (NUMBERS | CONSTANTS[optimizer]).items()},
    } | changed
    sheets = [
        SheetInfo(
            "s", "training", settings | {"examples": LENGTHS}
        ),  # it may precede the sheet that it trains
        SheetInfo("t", "multi-head" if heads else "self-attention", TRAINED | {"mask": mask} | of_heads),
    ]
    return sheets, inputs


def run(*args, read=None, **kwargs):
    sheets, inputs = problem(*args, **kwargs)
    return expected(sheets, ["c"], inputs, read=read or {})


def held(found):
    """A workbook with only these values."""
    return {name: x.values.tolist() for name, x in found.items() if name.startswith("s_")}


def wrong(found, values):
    """The rows with wrong cells, by range."""
    names = {name: Area("S", 0, 0, *x.values.shape) for name, x in found.items()}
    rows = {}
    for result, findings in compare({n: x for n, x in found.items() if n in values}, names, values):
        if findings:
            rows[result.range] = {int(f.cell.rpartition("!")[2].lstrip("ABCDEFGHIJ")) for f in findings}
    return rows


@pytest.mark.parametrize("optimizer", CONSTANTS)
@pytest.mark.parametrize("heads", [0, 2])
def test_a_fault_in_one_step_is_found_in_that_step_alone(optimizer, heads):
    whole = held(run(optimizer, heads, steps=FEW))
    assert wrong(run(optimizer, heads, steps=FEW, read=whole), whole) == {}
    for name in [*(name for name in whole if name.endswith("_Steps")), "s_Loss"]:
        row = len(whole[name]) * FAULTY // (FEW + 1)
        fault = 0.0 if name == "s_Alive_Steps" else whole[name][row][0] + 0.001
        alone = [[None] * len(cells) for cells in whole[name]]
        alone[row][0] = fault
        values = held(
            run(optimizer, heads, steps=FEW, read={name: alone})
        )  # all later steps continue from the fault
        values[name][row][0] = fault
        assert wrong(run(optimizer, heads, steps=FEW, read=values), values) == {name: {row + 1}}


def test_a_step_that_skips_the_previous_one_is_found():
    whole = held(run("momentum"))
    late = whole["s_dW_K_Steps"]
    values = {**whole, "s_dW_K_Steps": [*late[:3], *late[:-3]]}  # each gradient is that of a step before
    found = wrong(run("momentum", read=values), values)
    assert found["s_dW_K_Steps"] == {*range(4, 3 * STEPS + 1)}
    assert "s_dW_Q_Steps" not in found


@pytest.mark.parametrize("junk", [CellError("#NUM!"), "text", None, True, float("inf")])
def test_missing_numbers_are_taken_from_the_reference(junk):
    whole = held(run())
    values = {**whole, "s_W_Q_Steps": [list(row) for row in whole["s_W_Q_Steps"]]}
    values["s_W_Q_Steps"][30][1] = junk
    assert wrong(run(read=values), values) == {"s_W_Q_Steps": {31}}
    del values["s_dW_K_Steps"], values["s_Alive_Steps"]
    values["s_Largest_Steps"] = [[1.0]]  # another shape
    found = run(read=values)
    np.testing.assert_allclose(found["s_dW_K_Steps"].values, whole["s_dW_K_Steps"], rtol=1e-12, atol=1e-14)


def test_numbers_are_clipped_to_their_limits():
    far = {"LearningRate": 3e6, "WeightDecay": -1, "Beta1": 2, "Beta2": -1, "Epsilon": 0, "Step": 99.5}
    far |= {"CheckRow": 9, "CheckCol": -3, "CheckH": 1}
    given = {f"s_{name}": np.array([[float(x)]]) for name, x in far.items()}
    given |= {"s_W_Q": np.full((3, 2), -3e7), "s_Targets": np.full((3, 2), 3e7)}
    found = run(**given)
    wanted = {"Rate": 1e6, "Decay": 0, "B1": 1 - 2**-20, "B2": 0, "Eps": 1e-12, "Chosen": STEPS}
    assert {name: found[f"s_{name}"].values.item() for name in wanted} == wanted
    assert (found["s_Start_W_Q"].values == -1e6).all()
    assert (found["s_Goal"].values == 1e6).all()
    assert found["s_Distance"].values.item() == 0.1
    assert found["s_CheckEntry"].values.item() == 6 + 5  # the second matrix, row 3, column 1
    assert found["s_Correction2_Steps"].values[0, 0] == 1
    np.testing.assert_allclose(found["s_Correction1_Steps"].values[:2, 0], [2**-20, 2**-19], rtol=1e-6)


def test_examples_are_found_by_their_words():
    found = run(mask="causal")
    assert found["s_AskedRow"].values[:, 0].tolist() == [2, 4, 8]  # b of the third example, not of the first
    assert found["s_Mask"].values.astype(int).tolist() == [
        [1, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 1, 0],
    ]
    found = run(mask="causal", s_Asked=column(["b", "", "d"]), s_Tokens=column("abcdefaeZ"))
    assert found["s_AskedRow"].values[:, 0].tolist() == [2, 0, 0]
    assert found["s_Count"].values.item() == 1
    assert found["s_Ids"].values[-1, 0] == 0
    np.testing.assert_array_equal(found["s_Attention_Steps"].values[1:3], np.full((2, 9), 1 / 9))
    assert (found["s_Masked_Steps"].values[1] == -1e300).all()
    assert (found["s_dOutput_Steps"].values[1:3] == 0).all()
    assert found["s_Status"].values.item() == "✗"
    found = run(mask="causal", heads=2, s_Asked=column(["", "", ""]))
    for name in ("s_Concat_Steps", "s_Output_Steps"):
        assert found[name].magnitude >= np.abs(found[name].values).max() > 0


def test_matrices_that_are_not_learned_have_no_gradient():
    found = run(learns=["W_K"], optimizer="sgd")
    assert {"s_Q", "s_V", "s_K_Steps", "s_dK_Steps", "s_dAttention_Steps", "s_Shown_K"} <= {*found}
    assert not {"s_Q_Steps", "s_Shown_V", "s_dQ_Steps", "s_dV_Steps", "s_dW_Q_Steps", "s_W_V_Steps"} & {
        *found
    }
    assert found["s_Matrices"].values.tolist() == [["W_K"]]
    only = run(learns=["W_O"], heads=2, optimizer="sgd")
    assert "s_dW_O_Steps" in only
    assert not {"s_dConcat_Steps", "s_h1_dAttention_Steps", "s_dV_Steps"} & {*only}
    values = run(learns=["W_V"], heads=2, optimizer="sgd")
    assert {"s_dConcat_Steps", "s_dV_Steps"} <= {*values}
    assert "s_h1_dScaled_Steps" not in values


def test_a_diverging_run_stops_and_reports_the_step():
    fast = {"s_LearningRate": np.array([[10.0]]), "s_WeightDecay": np.array([[1.0]])}
    found = run("sgd", **fast)
    k = int(found["s_Diverged"].values.item())
    assert 2 < k < STEPS
    alive, largest = found["s_Alive_Steps"].values[:, 0], found["s_Largest_Steps"].values[:, 0]
    assert alive.tolist() == [1.0] * k + [0.0] * (STEPS + 1 - k)
    assert (largest[: k - 1] < 1e6).all()
    assert largest[k - 1] >= 1e6
    losses, plotted = found["s_Loss"].values[:, 0], found["s_Plotted"].values[:, 0]
    assert losses.max() > 4 * losses[0]
    assert plotted.tolist() == [min(loss, 4 * losses[0]) for loss in losses]
    assert (
        found["s_W_Q_Steps"].values[3 * k :] == np.tile(found["s_Final_W_Q"].values, (STEPS + 1 - k, 1))
    ).all()
    assert found["s_Verdict"].values.item() == "✗"
    assert run()["s_Verdict"].values.item() == "✓"
    still = run(s_LearningRate=np.array([[0.0]]))
    assert still["s_Verdict"].values.item() == "–"


def test_a_loss_without_any_error_certainly_does_not_fall():
    verdict = run(s_Asked=column(["", "", ""]))["s_Verdict"]
    assert (verdict.values.item(), verdict.amplification) == ("–", 1.0)


def test_a_run_near_the_limit_may_stop_or_continue():
    values = held(run("sgd"))
    values["s_Largest_Steps"][3] = [1e6]
    for stops in (False, True):
        values["s_Alive_Steps"] = [[0.0 if stops and k > 3 else 1.0] for k in range(STEPS + 1)]
        assert "s_Alive_Steps" not in wrong(run("sgd", read=values), values)
    values["s_Largest_Steps"][3] = [1e6 + 1]
    values["s_Alive_Steps"] = [[1.0]] * (STEPS + 1)
    assert wrong(run("sgd", read=values), values)["s_Alive_Steps"] == {5}


def test_the_gradient_check_agrees_with_the_gradient():
    found = run(heads=2)
    numeric, slope = (found[f"s_Check{x}"].values.item() for x in ("Numeric", "Gradient"))
    assert slope == found["s_Shown_dW_K"].values[1, 0]
    assert abs(numeric - slope) < 1e-6 * abs(slope)
    assert found["s_CheckDifference"].values.item() == abs(numeric - slope)
    values = held(found)
    for name in ("s_CheckNumeric", "s_CheckGradient", "s_CheckDifference"):
        broken = {**values, name: [[-values[name][0][0] - 1e-9]]}
        assert wrong(run(heads=2, read=broken), broken) == {name: {1}}


def test_held_out_sentences_show_the_focus_words_attention():
    found = run(mask="causal")
    weights = found["s_c_Attention_Steps"].values
    assert weights.shape == (STEPS + 1, 3)
    assert (weights[:, 2] == 0).all()  # the last word comes after the focus word
    np.testing.assert_allclose(weights[0], found["t_c_Attention"].values[1], rtol=1e-13)
    np.testing.assert_array_equal(found["s_c_Trained"].values, found["t_c_FocusAttention"].values)
    nobody = run(vocab_Focus=column("a"))
    assert (nobody["s_c_Attention_Steps"].values == 0).all()
    assert (nobody["s_c_Exp_Steps"].values == 1).all()


def test_inputs_that_do_not_fit_are_named():
    for name, shape in (("s_W_Q", (3, 3)), ("s_Targets", (3, 3)), ("s_Asked", (2, 1)), ("s_Step", (2, 1))):
        with pytest.raises(ShapesDisagree) as error:
            run(**{name: np.zeros(shape) if name != "s_Asked" else column("ab")})
        assert error.value.finding.range == name


def test_a_blank_numeric_input_fails_the_status():
    values = held(run())
    values["s_Step"] = [[None]]
    assert run(read=values)["s_Status"].values.item() == "✗"
    values["s_Step"] = [[5.0]]
    assert run(read=values)["s_Status"].values.item() == "✓"
