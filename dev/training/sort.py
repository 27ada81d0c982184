"""Trains the weights of templates/sort.toml: a decoder that sorts four letters.

The prompt is four letters of a, b, c, d and "|"; the target is the same letters sorted, and "|" again. A
quarter of the 256 prompts is held out; their letters may be in the training set in another order.

    python -m dev.training.sort            train, and print the scores of the rounded weights
    python -m dev.training.sort --write    also write them to templates/sort.weights.toml
    python -m dev.training.sort --score    score the data file; exits with 1 if an example is wrong
"""

from __future__ import annotations

from functools import partial
from itertools import product

import torch

from dev.training.learning import Examples, Recipe, Work, divide, read_spec, run, split
from dev.training.transformer import decode, read_model, shapes

LETTERS = "abcd"
WORDS = [*LETTERS, "|"]
N_LETTERS = 4
D_MODEL = 8
RECIPE = Recipe(steps=3000, rate=0.01, decay=0.2, seeds=6)


def examples(prompts: set[object]) -> Examples:
    """Every prompt (a string of letters) with its answer, and the next token for each row."""
    inputs, targets = [], []
    for prompt in sorted(map(str, prompts)):
        letters = [WORDS.index(letter) + 1 for letter in prompt]
        answer, bar = sorted(letters), len(WORDS)
        inputs.append([*letters, bar, *answer])
        targets.append([-1] * N_LETTERS + [word - 1 for word in (*answer, bar)])
    return Examples((torch.tensor(inputs),), torch.tensor(targets))


def parts() -> dict[str, Examples]:
    """The prompts for training, for model selection, and held out."""
    prompts: set[object] = {"".join(letters) for letters in product(LETTERS, repeat=N_LETTERS)}
    return divide(prompts, split(prompts, 0.25, seed=1), 0.1, examples)


def main() -> None:
    """Train or score the model."""
    spec = read_spec("sort")
    model = read_model(spec["sheets"][0], spec["length"], D_MODEL)
    run(partial(decode, model), Work("sort", WORDS, shapes(model, len(WORDS)), RECIPE), parts())


if __name__ == "__main__":
    main()
