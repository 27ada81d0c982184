"""The head that a person has chosen to look at, and its strongest pairs; and what is said of every matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected, Sized, numbers
from xlsxattn.checker.reference.rounding import NoisyArray, expect
from xlsxattn.checker.reference.vocabulary_head import any_doubt, falling
from xlsxattn.checker.reference.words import constant, count, labels, sentence, shaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.transformer import Tower
    from xlsxattn.checker.reference.words import ContextWords

STRONGEST, WIDE = 5, 8
FEW_ROWS, FEW_COLUMNS = 4, 3


def chosen_head(tower: Tower, own: Sequence[ContextWords]) -> tuple[Ranges, str]:
    """What the browser's page holds once, and the chosen head as names have it, ``l6_h12``."""
    s, heads, layers = tower.sheet.id, int(tower.sheet.heads), tower.numbers
    layer = shaped(tower.inputs, f"{s}_Layer", 1, 1)[0, 0]
    head = shaped(tower.inputs, f"{s}_Head", 1, 1)[0, 0]
    at = max(1, sum(k <= layer for k in layers))
    h = max(1, min(heads, math.floor(head)))
    pairs = min(STRONGEST, *(len(c.tokens) ** 2 for c in own))
    found = {
        f"{s}_Layers": constant([[float(k)] for k in layers]),
        f"{s}_Heads": numbers(count(heads)),
        f"{s}_PairRank": numbers(count(pairs)),
        f"{s}_Chosen": constant([[float((at - 1) * heads + h)]]),
    }
    found |= {f"{s}_heads_{c.id}_Heading": sentence(c) for c in own}
    return found, f"l{layers[at - 1]}_h{h}"


def browsed(p: str, head: str, maps: Mapping[str, NoisyArray], tokens: Array, pairs: int) -> Ranges:
    """The chosen head's map, (n, n), and its strongest pairs, the first in reading order where equal."""
    A, n = maps[f"{p}_{head}"], len(tokens)
    flat = NoisyArray(A.values.reshape(len(A.values), 1, n * n), A.size.reshape(1, n * n))
    order, doubts = falling(flat, pairs)
    doubt, places = any_doubt(doubts), order[0]
    top = np.sort(flat.values, axis=2)[:, 0, ::-1][:, :pairs, None]
    found = {
        f"{p}_Map": expect(A),
        f"{p}_PairWeights": expect(NoisyArray(top, flat.size[0, places][:, None])),
        f"{p}_PairPlaces": doubt.over(constant(places[:, None] + 1.0)),
        f"{p}_PairFrom": doubt.over(Expected(tokens[places // n], "text")),
        f"{p}_PairTo": doubt.over(Expected(tokens[places % n], "text")),
    }
    return found | labels(f"{p}_Map", tokens, tokens)


def shelved(tower: Tower) -> Ranges:
    """Of every wide matrix of a layer a few rows, at both ends, and its length as a vector."""
    found: Ranges = {}
    for k in tower.numbers:
        w = f"{tower.w}_l{k}"
        wide = {
            name: W
            for name, W in tower.inputs.items()
            if name.startswith(f"{w}_") and "_W_" in name and len(W) > 1 and W.shape[1] >= WIDE
        }
        only = tower.sheet.only
        for name, W in wide.items():
            if (not only and "_h" in name.removeprefix(w)) or "_g" in name.removeprefix(w):
                continue  # names over columns of a matrix that is there already
            numbered = np.arange(1.0, W.shape[1] + 1)[None, :]
            found[f"{name}_First"] = constant(W[:FEW_ROWS, :FEW_COLUMNS])
            found[f"{name}_Last"] = constant(W[:FEW_ROWS, -FEW_COLUMNS:])
            found[f"{name}_First_Rows"] = numbers(count(min(FEW_ROWS, len(W))))
            found[f"{name}_First_Cols"] = constant(numbered[:, :FEW_COLUMNS])
            found[f"{name}_Last_Cols"] = constant(numbered[:, -FEW_COLUMNS:])
            length = np.array([[math.hypot(*W.reshape(-1))]])
            found[f"{name}_Frobenius"] = numbers(Sized(length, length))
    return found
