"""Random checkpoints of all families are rejected in one sentence, or give the results of transformers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import contract
import pytest
import random_checkpoints
from conftest import import_library
from transformers_model import close, ids_of, run_model

from xlsxattn.weights.model import read_model
from xlsxattn.weights.tensor import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

import_library("tokenizers", "models")

DRAWN = int(os.environ.get("XLSXATTN_DRAWN_MODELS", "22"))
SENTENCE = "w3 w5 w4 w5 w9 w2"
EXACT = 1e-12
MAX_LENGTH = 400


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(DRAWN))
def test_a_drawn_checkpoint_is_refused_or_computed_right(seed: int, tmp_path: Path) -> None:
    kind, config = random_checkpoints.draw(seed)
    known = random_checkpoints.write(tmp_path, seed, kind, config)
    try:
        imported = read_model(tmp_path, [SENTENCE], whole_vocabulary=True)
    except CheckpointError as error:
        sentence = str(error).replace(str(tmp_path), "")
        assert "\n" not in sentence
        assert len(sentence) < MAX_LENGTH
        print("refused:", sentence)
        return
    print("accepted:", config, imported.notes)
    assert known, f"transformers has no such model, but it was accepted: {config}"
    output, logits = contract.outputs(imported)
    hidden, expected_logits = run_model(tmp_path, kind, ids_of(imported))
    close(output, hidden, EXACT)
    if logits is not None:
        close(logits, expected_logits, EXACT)
