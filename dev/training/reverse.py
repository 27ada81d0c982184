"""Learns the weights of templates/reverse.toml: an encoder–decoder that writes a short word backwards.

The source is one to four letters of a, n, o, p, s, t and blank cells; the target starts with "<",
then the letters follow in reverse, then ">" to the end. Of the 1,554 words that these letters spell,
held out are the real ones below and about a quarter of the others.

    python -m dev.training.reverse            train, print the scores of the rounded weights
    python -m dev.training.reverse --write    and put the weights into templates/reverse.weights.toml
    python -m dev.training.reverse --score    train nothing, score the data file; exits with 1 if one is wrong
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
from dev.training.transformer import Weights, read_model, shapes, translate

LETTERS = "anopst"
WORDS = ["<", ">", *LETTERS]
MAX_LENGTH = 4
N = MAX_LENGTH + 2
REAL = "stop pots spot tops snap pans span naps tap pat top pot not ton nap pan son post past at on oats"
D_MODEL = 8
RECIPE = Recipe(steps=5000, rate=0.01, decay=0.2, seeds=6, batch=256)
DATA = TEMPLATES / "reverse.weights.toml"
COMMENT = """An encoder–decoder that writes words backwards, learned by dev/training/reverse.py: embeddings
and weights, rounded to 2 decimals."""


def examples(words: set[object]) -> Examples:
    """Every word as source, with its target as it is to be written and what each row of that is to say."""
    source, target, right = [], [], []
    for word in sorted(map(str, words)):
        ids = [WORDS.index(letter) + 1 for letter in word]
        answer = [*ids[::-1], *[WORDS.index(">") + 1] * (N - len(ids))]
        source.append([*ids, *[0] * (N - len(ids))])
        target.append([1, *answer[:-1]])
        right.append([token - 1 for token in answer])
    return Examples((torch.tensor(source), torch.tensor(target)), torch.tensor(right))


def parts() -> dict[str, Examples]:
    """The words trained on, those that choose among the seeds, and those held out."""
    lengths = range(1, MAX_LENGTH + 1)
    words: set[object] = {"".join(letters) for k in lengths for letters in product(LETTERS, repeat=k)}
    real: set[object] = set(REAL.split())
    held_out = real | split(words - real, 0.25, seed=1)
    choosing = split(words - held_out, 0.2, seed=2)
    chosen = {TRAINING: words - held_out - choosing, CHOOSING: choosing, HELD_OUT: held_out}
    return {name: examples(some) for name, some in chosen.items()}


def main() -> None:
    """Trains or reads, scores, writes."""
    spec = read_spec("reverse")
    model = read_model(spec["sheets"][0], spec["length"], D_MODEL)
    work = Work(DATA, COMMENT, WORDS, shapes(model, len(WORDS)), RECIPE)

    def forward(W: Weights, source: Tensor, target: Tensor) -> Tensor:
        return translate(model, W, source, target)

    run(forward, work, parts())


if __name__ == "__main__":
    main()
