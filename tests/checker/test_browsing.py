"""The summaries of wide matrices, with hand-computed values."""

from __future__ import annotations

import math

import numpy as np
from test_reference_models import inputs_of, layer, model

D = 9


def summaries(*, apart):
    rng = np.random.default_rng(1)
    weights = layer("s_l1", D, W_1=rng.uniform(-1, 1, (D, 12)), W_2=rng.uniform(-1, 1, (12, D)))
    weights |= {"s_W_U": np.eye(D)}
    found = model("encoder", inputs_of(np.eye(D)[:2], c="ab") | weights, apart=apart, d_ff=12)
    return weights, found


def test_a_summary_has_four_rows_three_columns_at_both_ends_and_the_norm():
    weights, found = summaries(apart=True)
    W = weights["s_l1_W_1"]
    assert found["s_l1_W_1_First"].values.tolist() == [[W[i, j] for j in (0, 1, 2)] for i in range(4)]
    assert found["s_l1_W_1_Last"].values.tolist() == [[W[i, j] for j in (9, 10, 11)] for i in range(4)]
    assert found["s_l1_W_1_First_Rows"].values.tolist() == [[1], [2], [3], [4]]
    assert found["s_l1_W_1_First_Cols"].values.tolist() == [[1, 2, 3]]
    assert found["s_l1_W_1_Last_Cols"].values.tolist() == [[10, 11, 12]]
    length = math.sqrt(math.fsum(x * x for x in W.reshape(-1)))
    np.testing.assert_allclose(found["s_l1_W_1_Frobenius"].values, [[length]], rtol=1e-15)
    assert found["s_l1_W_Q_Frobenius"].values.item() == 3.0  # of the identity


def test_without_a_page_of_their_own_weights_have_no_summary():
    _, found = summaries(apart=False)
    assert not [name for name in found if name.endswith(("_First", "_Last", "_Frobenius"))]
