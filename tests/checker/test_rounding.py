"""The tolerances, compared with rounding errors measured in long double."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import THOROUGH
from random_models import model

from xlsxattn.checker.cells import Area
from xlsxattn.checker.compare import compare, tolerance
from xlsxattn.checker.reference import expected, layers, models, rounding, transformer, writing
from xlsxattn.checker.reference.browsing import browsed
from xlsxattn.checker.reference.rounding import COARSE_PHI, COARSE_SAFETY, Rounding, exact, expect
from xlsxattn.checker.reference.vocabulary_head import distribution, top
from xlsxattn.contract.names import RangeName

LONG = np.longdouble
CASES = 48 if THOROUGH else 20


def long_double(monkeypatch):
    """Let the reference compute with 64 instead of 53 bits of precision."""

    def exactly(values):
        longer = np.asarray(values, dtype=float).astype(LONG)
        return rounding.NoisyArray(longer[None], np.abs(longer))

    for module in (layers, models, transformer, writing):
        if hasattr(module, "exact"):
            monkeypatch.setattr(module, "exact", exactly)


def drawn(rng, case):
    kind = ("encoder", "decoder", "encoder-decoder", "classifier")[case % 4]
    d, heads, n = (int(rng.choice(sizes)) for sizes in ((4, 8, 16, 32, 64), (1, 2, 4), range(1, 17)))
    said = {c: [f"w{i}" for i in rng.integers(0, 12, n)] for c in "ct"}
    turned = {"qk_norm": bool(rng.integers(2)), "stretch": bool(rng.integers(2))}
    return model(
        rng, kind, d, said, **(turned if kind in ("encoder", "decoder") else {}),
        layers=int(rng.integers(1, 9)), heads=heads, kv_heads=heads,
        d_k=max(2, d // heads // 2 * 2), d_v=d // heads, d_ff=2 * d,
        activation=str(rng.choice(list(layers.ACTIVATIONS))),
        norm=str(rng.choice(["layer", "rms"])), residual=str(rng.choice(["pre-norm", "post-norm"])),
        position=str(rng.choice(["none", "sinusoidal", "learned", "rotary"])),
        mask="causal" if kind == "decoder" else "none", final_norm=case % 3 == 0, scale=case % 5 != 0,
        embedding_norm=case % 2 == 0, tied=case % 7 != 0,
    )  # fmt: skip


@pytest.mark.skipif(np.finfo(LONG).eps > 1e-18, reason="long double is no longer than double here")
def test_tolerances_are_ten_times_the_rounding_error_and_at_most_a_billionth(monkeypatch):
    rng = np.random.default_rng(21)
    cases = [drawn(rng, case) for case in range(CASES)]
    plain = [expected([sheet], ["c", "t"], inputs) for sheet, inputs in cases]
    long_double(monkeypatch)
    used, relative = [], []
    for (sheet, inputs), once in zip(cases, plain, strict=True):
        twice = expected([sheet], ["c", "t"], inputs)
        for name, x in once.items():
            if x.kind == "number" and name.startswith("s_"):
                error = float(np.nanmax(np.abs(twice[name].values - x.values)))
                used.append(error / tolerance(x))
                relative.append(tolerance(x) / x.magnitude)
    assert len(used) > 200 * CASES
    assert np.quantile(used, 0.999) < 0.1
    assert max(relative) < 1e-9
    assert max(used) > 1e-4  # long double makes a difference


def test_exact_numbers_have_no_noise_and_sums_do():
    r = Rounding(coarse=False)
    one, other = exact([[1.0, 2.0]]), exact([[3.0], [4.0]])
    assert expect(one).amplification == 1
    made = r.product(one, other)
    assert made.clean.tolist() == [[11.0]]
    assert 0 < made.spread().item() < 1e-12
    assert expect(made).amplification < 10


def test_cancellation_increases_only_later_errors():
    r = Rounding(coarse=False)
    large = r.total(exact([[1e8]]), exact([[1.0]]))
    small = r.total(large, exact([[-1e8]]))
    assert small.clean.item() == 1
    assert small.spread().item() > 1e-8
    through = r.times(small, 1e-8)
    assert expect(through).amplification > 1e6
    assert expect(through).magnitude == pytest.approx(1e-8)


def test_the_norm_of_nearly_equal_numbers_amplifies_errors():
    def amplified(apart):
        r = Rounding(coarse=False)
        x = r.rounded(np.array([[[1.0, 1.0 + apart, 1.0 - apart]]]), np.ones((1, 3)))
        return expect(layers.norm(r, "B", x, np.ones((1, 3)), np.zeros((1, 3)), 1e-30)[1]).amplification

    assert amplified(1.0) < 100 < amplified(1e-4) < amplified(1e-6) < math.inf


def test_scores_that_are_large_and_cancel_are_magnified_by_the_softmax():
    def amplified(size):
        r = Rounding(coarse=False)
        S = r.rounded(np.array([[[size, size + 1]]]), np.full((1, 2), size))
        return expect(layers.over_rows(r, None, S, None, None)[1]).amplification

    assert amplified(1.0) < 100 < amplified(1e3) < amplified(1e6)


def softmaxed(first, second):
    """A row of two scores with its softmax, its largest weights, and the strongest pairs of a map of it."""
    r, p, head = Rounding(coarse=True), RangeName("s", context="c"), RangeName(layer=1, head=1)
    scores = np.array([[first, second]])
    S = r.rounded(scores[None], np.abs(scores))
    steps, A = layers.over_rows(r, None, S, None, None)
    ranges, probability = distribution(r, p, S)
    largest, _ = top(p, S, probability, np.array(["a", "b"]), 2)
    both = rounding.NoisyArray(np.repeat(A.values, 2, axis=1), np.repeat(A.size, 2, axis=0))
    pairs = browsed(p, head, {p.at(layer=1, head=1): both}, np.array([["a"], ["b"]]), 4)
    return {
        "RowSum": expect(steps["RowSum"]),
        "LogitSum": ranges[p["LogitSum"]],
        "TopProbabilities": largest[p["TopProbabilities"]],
        "PairWeights": pairs[p["PairWeights"]],
    }


ONE_WINS = {"RowSum": [[1.0]], "LogitSum": [[1.0]], "TopProbabilities": [[1.0, 0.0]]}
ONE_WINS |= {"PairWeights": [[1.0], [1.0], [0.0], [0.0]]}
A_TIE = {"RowSum": [[2.0]], "LogitSum": [[2.0]], "TopProbabilities": [[0.5, 0.5]]}
A_TIE |= {"PairWeights": [[0.5], [0.5], [0.5], [0.5]]}


def refused(name, wanted, values):
    area = Area("Sheet", 1, 1, *wanted.values.shape)
    ((_, findings),) = compare({name: wanted}, {name: area}, {name: values})
    return bool(findings)


@pytest.mark.parametrize("name", ONE_WINS)
@pytest.mark.parametrize("size", [1e20, 1e43])
def test_huge_scores_that_differ_only_by_rounding_may_be_equal_or_not(name, size):
    for scores in ([size, size], [size, np.nextafter(size, np.inf)], [np.nextafter(size, np.inf), size]):
        wanted = softmaxed(*scores)[name]
        assert not refused(name, wanted, ONE_WINS[name])
        assert not refused(name, wanted, A_TIE[name])


@pytest.mark.parametrize("name", ONE_WINS)
@pytest.mark.parametrize("size", [50.0, 1000.0])
def test_scores_of_ordinary_sizes_are_equal_or_not(name, size):
    one_wins, a_tie = softmaxed(size, 0.0)[name], softmaxed(size, size)[name]
    assert not refused(name, one_wins, ONE_WINS[name])
    assert refused(name, one_wins, A_TIE[name])
    assert not refused(name, a_tie, A_TIE[name])
    assert refused(name, a_tie, ONE_WINS[name])


def test_a_sum_of_huge_scores_is_known_if_one_of_them_surely_wins():
    wanted = softmaxed(1e43, 0.5e43)
    assert all(refused(name, wanted[name], A_TIE[name]) for name in A_TIE)


def test_overflow_is_undecidable():
    r = Rounding(coarse=False)
    with np.errstate(all="ignore"):
        x = expect(r.product(exact([[1e200]]), exact([[1e200]])))
    assert x.amplification == x.magnitude == math.inf


def test_the_noise_is_the_same_every_time():
    first, second = (Rounding(coarse=True).total(exact([[1.0]]), exact([[2.0]])).values for _ in range(2))
    assert (first == second).all()


def test_a_coarse_phi_is_distinguished_from_rounding():
    r = Rounding(coarse=True)
    h = np.array([[2.0, -1.0]])
    x = r.phi(r.rounded(h[None], np.abs(h)), h)
    largest = COARSE_SAFETY * COARSE_PHI
    assert (largest * np.abs(h) * 0.999 <= x.coarse()).all()
    assert (x.coarse() < 4 * largest * np.abs(h)).all()
    assert x.spread().max() < 1e-12
    through = r.product(x, exact([[1.0], [1.0]]))
    assert 3 * largest * 0.999 <= through.coarse().item() < 4 * 3 * largest


@pytest.mark.parametrize("cells", [1, 2, 3, 16, 100])
def test_a_coarse_phi_is_allowed_wherever_its_errors_are_added_and_subtracted(cells):
    """A product of cells with weights and errors of both signs."""
    rng, used = np.random.default_rng(3), []
    for _ in range(300):
        r, h = Rounding(coarse=True), rng.normal(0, 2, (1, cells))
        r.rounded(np.zeros((1, int(rng.integers(1, 99)), 1)), np.zeros((1, 1)))  # advance the noise generator
        x = r.phi(r.rounded(h[None], np.abs(h)), h)
        weights = rng.choice([-1.0, 1.0], (cells, 20)) * rng.uniform(0.5, 1, (cells, 20))
        errors = COARSE_PHI * np.abs(h) * rng.choice([-1.0, 1.0], (20, cells))
        made = r.product(x, exact(weights)).coarse()
        used += (np.abs(np.einsum("wc,cw->w", errors, weights)) / made[0]).tolist()
    assert max(used) < 1
    assert np.median(used) > 0.02  # the tolerance is not much larger than needed
