"""Learns the weights of templates/sort.toml: a decoder that writes four letters in order.

An input is four letters of a, b, c, d and "|"; the model is to write the same letters sorted, and "|" again.
A quarter of the 256 inputs is held out: the model may have met the same letters in another order.

    python -m dev.training.sort            train, print the scores of the rounded weights
    python -m dev.training.sort --write    and put the weights into templates/sort.weights.toml
    python -m dev.training.sort --score    train nothing, score the data file; exits with 1 if one is wrong
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from dev.training.learning import (
    CHOOSING,
    HELD_OUT,
    TEMPLATES,
    TRAINING,
    Examples,
    Recipe,
    Work,
    read_spec,
    run,
    split,
)
from dev.training.transformer import Weights, decode, read_model, shapes

LETTERS = "abcd"
WORDS = [*LETTERS, "|"]
N_LETTERS = 4
D_MODEL = 8
RECIPE = Recipe(steps=3000, rate=0.01, decay=0.2, seeds=6)
DATA = TEMPLATES / "sort.weights.toml"
COMMENT = """A decoder that sorts, learned by dev/training/sort.py: embeddings and weights,
rounded to 2 decimals."""


def examples(prompts: set[object]) -> Examples:
    """Every prompt (a string of letters) with its answer, and what each row is to say next."""
    inputs, right = [], []
    for prompt in sorted(map(str, prompts)):
        letters = [WORDS.index(letter) + 1 for letter in prompt]
        answer, bar = sorted(letters), len(WORDS)
        inputs.append([*letters, bar, *answer])
        right.append([-1] * N_LETTERS + [word - 1 for word in (*answer, bar)])
    return Examples((torch.tensor(inputs),), torch.tensor(right))


def parts() -> dict[str, Examples]:
    """The inputs trained on, those that choose among the seeds, and those held out."""
    prompts: set[object] = {"".join(letters) for letters in product(LETTERS, repeat=N_LETTERS)}
    held_out = split(prompts, 0.25, seed=1)
    choosing = split(prompts - held_out, 0.1, seed=2)
    chosen = {TRAINING: prompts - held_out - choosing, CHOOSING: choosing, HELD_OUT: held_out}
    return {name: examples(some) for name, some in chosen.items()}


def main() -> None:
    """Trains or reads, scores, writes."""
    spec = read_spec("sort")
    model = read_model(spec["sheets"][0], spec["length"], D_MODEL)
    work = Work(DATA, COMMENT, WORDS, shapes(model, len(WORDS)), RECIPE)

    def forward(W: Weights, ids: Tensor) -> Tensor:
        return decode(model, W, ids)

    run(forward, work, parts())


if __name__ == "__main__":
    main()
