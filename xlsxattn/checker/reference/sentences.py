"""Sentence embeddings, their similarity, and the focus word through the layers of an encoder.

Sources: Reimers and Gurevych 2019, "Sentence-BERT", section 3 (mean of the tokens' rows); Ethayarajh 2019
(a word's self-similarity across contexts, layer by layer).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected, Trace, cosine, numbers
from xlsxattn.checker.reference.choices import Counted
from xlsxattn.checker.reference.rounding import NoisyArray, expect
from xlsxattn.checker.reference.transformer import followed
from xlsxattn.checker.reference.words import labels, output_labels, sentence, unknown
from xlsxattn.checker.reference.writing import rounding
from xlsxattn.contract.names import RangeName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.rounding import Rounding
    from xlsxattn.checker.reference.transformer import Tower, TowerResult
    from xlsxattn.checker.reference.words import ContextWords, SheetInfo

MIN_ROW_LENGTH = 1e-12  # minimum norm of a sentence embedding, as in torch.nn.functional.normalize


def shares(sheet: SheetInfo, c: ContextWords) -> Array:
    """The pooling weights of the tokens, (n,): only the first, or equal weights.

    With a padding mask, blank cells are excluded from the mean.
    """
    mask, pool = sheet.mask, sheet.pool or "mean"
    if pool not in ("mean", "first"):
        raise unknown(sheet.id, "pool", pool)
    if pool == "first":
        return np.asarray(np.eye(1, len(c.tokens))[0])
    counts = c.exists if "padding" in mask else np.ones(len(c.tokens), dtype=bool)
    return np.asarray(counts / max(1, counts.sum()), dtype=float)


def pooled(r: Rounding, share: Array, Output: NoisyArray) -> NoisyArray:
    """The weighted sum of the rows, (1, d_model)."""
    values = np.einsum("n,rnd->rd", share, Output.values)[:, None, :]  # (runs, 1, d_model)
    return r.rounded(values, np.einsum("n,nd->d", share, np.abs(Output.clean))[None, :])


def similar(tower: Tower, own: Sequence[ContextWords], made: Mapping[str, TowerResult]) -> Ranges:
    """Sentence embeddings, their cosines with the first, and the focus word's rows with their cosines."""
    sheet, dims = tower.sheet, tower.inputs["vocab_Dims"]
    s = RangeName(sheet.id)
    depths = ["X", "Input", *(f"l{k}" for k in tower.numbers)]
    counted = [Counted(), Counted(), *(Counted(k) for k in tower.numbers)]
    ranges: Ranges = {s["Depths"]: Expected(np.array([[one] for one in counted], dtype=object), "text")}
    units: list[NoisyArray] = []
    tracks: list[list[Trace]] = []
    for c in own:
        p, r = s.at(context=c.id), rounding(sheet)
        Pooled = pooled(r, shares(sheet, c), made[c.id].Output)
        lengths = np.sqrt(np.einsum("rnd,rnd->rn", Pooled.values, Pooled.values))[:, :, None]  # (runs, 1, 1)
        unit = Pooled.values / np.maximum(lengths, MIN_ROW_LENGTH)  # (runs, 1, d_model)
        units.append(r.rounded(unit, np.abs(unit[0])))
        first = NoisyArray(np.swapaxes(units[0].values, 1, 2), units[0].size.T)
        ranges |= {p["Pooled"]: expect(Pooled), p["Normed"]: expect(units[-1])}
        ranges[p["Similarity"]] = expect(r.product(units[-1], first))
        ranges |= output_labels(sheet, p["Pooled"], None, dims) if c is own[0] else {}
        ranges[s.at(page="similar", context=c.id)["Heading"]] = sentence(c)
        tracks.append([Trace(c.X, 1.0, {}), *(_trace(depth) for depth in made[c.id].depths)])
        ranges |= labels(p["Track_X"], None, dims)
        for name, here, there in zip(depths, tracks[-1], tracks[0], strict=True):
            row, other = here.Output.row(c.focus), there.Output.row(own[0].focus)
            ranges[p[f"Track_{name}"]] = _with_coarse(numbers(row, here.M if c.focus else 1.0), here.coarse)
            turn = sum(
                trace.coarse * math.sqrt(a.value.size) / max(math.hypot(*a.value[0]), 1e-300)
                for trace, a in ((here, row), (there, other))
                if trace.coarse
            )
            ranges[p[f"Cosine_{name}"]] = _with_coarse(cosine(row, other, here.M, there.M), turn)
    return ranges


def _trace(depth: NoisyArray) -> Trace:
    M = expect(depth).amplification
    return Trace(followed(depth, M), M, {}, float(depth.coarse().max(initial=0.0)))


def _with_coarse(x: Expected, coarse: float) -> Expected:
    """A range with an additional tolerance for engines with a coarse Φ."""
    return Expected(x.values, x.kind, x.magnitude, x.amplification, coarse=float(coarse))
