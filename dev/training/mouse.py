"""Trains the weights of templates/mouse.toml: a classifier that distinguishes the animal from the device.

It classifies the first word of a sentence. The class is computed from the row of the first word only (pool
"first"), so the other words can only influence it through attention. A sentence is

    SUBJECT and COMPANION [are WEAK | are near DISTRACTOR]

A clear subject has its own class, an ambiguous one that of its companion; the distractor has no influence.
Mouse, cat, dog, keyboard and screen are not in the training set.

    python -m dev.training.mouse            train, and print the scores of the rounded weights
    python -m dev.training.mouse --write    also write them to templates/mouse.weights.toml
    python -m dev.training.mouse --score    score the data file; exits with 1 if an example is wrong
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from dev.training.learning import HELD_OUT, SELECTION, TRAINING, Examples, Recipe, Work, read_spec, run
from dev.training.transformer import Weights, classify, read_model, shapes

NEW = ("mouse", "cat", "dog", "keyboard", "screen")  # held out
SELECT = ("worm", "goat", "cable")  # for model selection
RECIPE = Recipe(steps=3000, rate=0.01, decay=0.1, seeds=6)


def roles(tokens: dict[str, list[float]], allowed: set[str]) -> dict[str, list[str]]:
    """The allowed words by role, which follows from their numbers (animal, tech, grammar, quality)."""
    found: dict[str, list[str]] = {"ambiguous": [], "animal": [], "device": [], "weak": []}
    for word, (animal, tech, grammar, _) in tokens.items():
        if word not in allowed or grammar > 1:
            continue
        if min(animal, tech) > 1:
            found["ambiguous"].append(word)
        elif max(animal, tech) <= 1:
            found["weak"].append(word)
        else:
            found["animal" if animal > tech else "device"].append(word)
    return found


def sentences(found: dict[str, list[str]], classes: list[str]) -> Iterator[tuple[list[str], int]]:
    """Every sentence of these words, with the index of its class."""
    clear = {word: number for number, name in enumerate(classes) for word in found.get(name, ())}
    for subject in (*found["ambiguous"], *clear):
        for companion, sense in clear.items():
            if companion == subject:
                continue
            right = clear.get(subject, sense)
            start = [subject, "and", companion]
            yield start, right
            for weak in found["weak"]:
                yield [*start, "are", weak], right
            for distractor in clear:
                if distractor not in (subject, companion):
                    yield [*start, "are", "near", distractor], right


def examples(spec: dict[str, Any], allowed: set[str]) -> Examples:
    """Every sentence of the allowed words as ids, padded with blanks, and its class."""
    tokens: dict[str, list[float]] = spec["vocabulary"]["tokens"]
    words = list(tokens)
    made = list(sentences(roles(tokens, allowed), spec["sheets"][0]["classes"]))
    padded = [
        [words.index(word) + 1 for word in text] + [0] * (spec["length"] - len(text)) for text, _ in made
    ]
    return Examples((torch.tensor(padded),), torch.tensor([[right] for _, right in made]))


def parts(spec: dict[str, Any]) -> dict[str, Examples]:
    """Sentences for training, for model selection, and of the held-out words."""
    tokens: dict[str, list[float]] = spec["vocabulary"]["tokens"]
    weak = set(roles(tokens, set(tokens))["weak"])
    chosen = {
        TRAINING: set(tokens) - {*NEW, *SELECT},
        SELECTION: weak | set(SELECT),
        HELD_OUT: weak | set(NEW),
    }
    found = {name: examples(spec, allowed) for name, allowed in chosen.items()}
    ids = found[HELD_OUT].inputs[0]
    found["held out, mouse first"] = found[HELD_OUT].at(ids[:, 0] == list(tokens).index("mouse") + 1)
    return found


def bag_of_words(spec: dict[str, Any], chosen: dict[str, Examples]) -> None:
    """Print the scores of a logistic regression on the sum of the embeddings, which ignores word order."""
    E = torch.tensor(list(spec["vocabulary"]["tokens"].values()))
    X = torch.cat([torch.zeros(1, E.shape[1]), E])
    W = torch.zeros(E.shape[1] + 1, 2, requires_grad=True)
    known = chosen[TRAINING]
    optimiser = torch.optim.LBFGS([W], max_iter=200)

    def logits(part: Examples) -> Tensor:
        total = X[part.inputs[0]].sum(-2)
        return torch.cat([total, torch.ones(len(total), 1)], -1) @ W

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits(known), known.targets[:, 0])
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    for name, part in chosen.items():
        count = int((logits(part).argmax(-1) == part.targets[:, 0]).sum())
        print(f"bag of words, {name}: {count} of {len(part.targets)} right")


def main() -> None:
    """Train or score the model."""
    spec = read_spec("mouse")
    E = torch.tensor(list(spec["vocabulary"]["tokens"].values()))
    sheet = spec["sheets"][0]
    model = read_model(sheet, spec["length"], E.shape[1])
    work = Work("mouse", [], shapes(model, n_classes=len(sheet["classes"])), RECIPE)

    def forward(W: Weights, ids: Tensor) -> Tensor:
        return classify(model, W, E.to(W["W_C"].dtype), ids)[:, None]

    chosen = parts(spec)
    bag_of_words(spec, chosen)
    run(forward, work, chosen)


if __name__ == "__main__":
    main()
