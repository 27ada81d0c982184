"""Experiments of trainings."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.bench import SAME, VISIBLE, far, shows
from xlsxattn import press, templates
from xlsxattn.view.look import look

if TYPE_CHECKING:
    from xlsxattn.view.look import OpenWorkbook


def losses(b, rate):
    """The loss before each step and after the last, at a learning rate."""
    b.put("learn_LearningRate", rate)
    return b.get("learn_Loss")[:, 0]


@shows("NUDGE")
def nudges(b):
    found = []
    for h in (0.1, 1e-5, 1e-8):
        b.put("learn_CheckH", h)
        found.append(b.get("learn_CheckDifference").item())
    assert found[0] > found[1] < found[2]


@shows("OWN_TARGET")
def opposite_targets(b):
    usual = b.get("learn_Loss")[-1]
    for col, number in enumerate(b.get("learn_Targets")[1]):
        b.put("learn_Targets", -number, 0, col)
    assert b.get("learn_Loss")[-1] > usual + VISIBLE


@shows("learning learn 0")
def slow_and_fast(b):
    usual, slow, fast = (losses(b, rate) for rate in (2, 0.2, 20))
    assert slow[0] > slow[-1] > usual[-1]
    assert fast[0] - fast[1] > 0.9 * (fast[0] - fast[-1])
    assert np.abs(b.get("learn_dW_Q_Steps")[2:]).max() < VISIBLE


@shows("learning learn 2")
def step_by_hand(b):
    b.put("learn_Step", 1)
    W_Q, dW_Q = b.get("learn_Shown_W_Q"), b.get("learn_Shown_dW_Q")
    assert W_Q.tolist() == b.get("learn_Start_W_Q").tolist()
    assert far(b.get("learn_Shown_New_W_Q"), W_Q - b.get("learn_Rate") * dW_Q) < SAME


@shows("RATE", "walkthrough learn 0")
def jumps(b):
    assert np.ptp(losses(b, 0)) == 0
    found = losses(b, 50)
    assert np.diff(found).max() > VISIBLE
    assert found[-1] > found[0]


def trained_otherwise(path, rate) -> OpenWorkbook:
    """The walkthrough's training by gradient descent of all three matrices."""
    data = tomllib.loads(templates.path("walkthrough").read_text("utf-8"))
    data["sheets"] = [sheet for sheet in data["sheets"] if sheet["id"] in ("qkv", "learn")]
    training = data["sheets"][-1]
    del training["learns"]
    training |= {"optimizer": "sgd", "lr": rate}
    return look(press.build(data, path).path)


@shows("walkthrough learn 1")
def diverges(_):
    with tempfile.TemporaryDirectory() as folder:
        seen = trained_otherwise(Path(folder) / "book.xlsx", 0.5)
    assert seen["learn_Diverged"].grid == ((17.0,),)


@shows("walkthrough learn 2")
def looks_away(_):
    with tempfile.TemporaryDirectory() as folder:
        seen = trained_otherwise(Path(folder) / "book.xlsx", 0.1)
    loss = [value for (value,) in seen["learn_Loss"].grid]
    assert loss[-1] < loss[0]
    attention = [row[0] for row in seen["learn_cat_Attention_Steps"].grid]  # of “mouse” to “cat”
    assert (round(attention[0], 2), round(attention[-1], 2)) == (0.26, 0.04)
