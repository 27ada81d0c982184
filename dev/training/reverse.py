"""Trains the weights of templates/reverse.toml: an encoder–decoder that reverses a short word.

The source is one to four letters of a, n, o, p, s, t, padded with blank cells. The target starts with "<",
followed by the letters in reverse, and ">" to the end. There are 1,554 words; the real words below and about
a quarter of the others are held out.

    python -m dev.training.reverse            train, and print the scores of the rounded weights
    python -m dev.training.reverse --write    also write them to templates/reverse.weights.toml
    python -m dev.training.reverse --score    score the data file; exits with 1 if an example is wrong
"""

from __future__ import annotations

from functools import partial
from itertools import product

import torch

from dev.training.learning import Examples, Recipe, Work, divide, read_spec, run, split
from dev.training.transformer import read_model, shapes, translate

LETTERS = "anopst"
WORDS = ["<", ">", *LETTERS]
MAX_LENGTH = 4
N = MAX_LENGTH + 2
REAL = "stop pots spot tops snap pans span naps tap pat top pot not ton nap pan son post past at on oats"
D_MODEL = 8
RECIPE = Recipe(steps=5000, rate=0.01, decay=0.2, seeds=6, batch=256)


def examples(words: set[object]) -> Examples:
    """Every word as source, the decoder's input, and the next token for each of its rows."""
    source, written, targets = [], [], []
    for word in sorted(map(str, words)):
        ids = [WORDS.index(letter) + 1 for letter in word]
        answer = [*ids[::-1], *[WORDS.index(">") + 1] * (N - len(ids))]
        source.append([*ids, *[0] * (N - len(ids))])
        written.append([1, *answer[:-1]])
        targets.append([token - 1 for token in answer])
    return Examples((torch.tensor(source), torch.tensor(written)), torch.tensor(targets))


def parts() -> dict[str, Examples]:
    """The words for training, for model selection, and held out."""
    lengths = range(1, MAX_LENGTH + 1)
    words: set[object] = {"".join(letters) for k in lengths for letters in product(LETTERS, repeat=k)}
    real: set[object] = set(REAL.split())
    held_out = real | split(words - real, 0.25, seed=1)
    return divide(words, held_out, 0.2, examples)


def main() -> None:
    """Train or score the model."""
    spec = read_spec("reverse")
    model = read_model(spec["sheets"][0], spec["length"], D_MODEL)
    run(partial(translate, model), Work("reverse", WORDS, shapes(model, len(WORDS)), RECIPE), parts())


if __name__ == "__main__":
    main()
