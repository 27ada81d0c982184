"""Trains the weights of templates/mouse.toml: a classifier that distinguishes the animal from the device.

It classifies the first word of a sentence. The class is computed from the row of the first word only (pool
"first"), so the other words can only influence it through attention. A sentence is

    SUBJECT and [WEAK] COMPANION [are WEAK | are near DISTRACTOR]

A clear subject has its own class, an ambiguous one that of its companion; the distractor has no influence.
Sentences without a companion, or with an ambiguous one, are undecided: their target is 0.5 for both classes.

    SUBJECT [and AMBIGUOUS] [are WEAK]          SUBJECT and WEAK

The loss also contains the attention that the first word pays to other words than the companion (in undecided
sentences: than itself and an ambiguous companion), so that attention shows the reason for the class.
Mouse, cat, dog, keyboard and screen are not in the training set.

    python -m dev.training.mouse            train, and print the scores of the rounded weights
    python -m dev.training.mouse --write    also write them to templates/mouse.weights.toml
    python -m dev.training.mouse --score    score the data file; exits with 1 if an example is wrong
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dev.training.learning import HELD_OUT, SELECTION, TRAINING, Examples, Recipe, Work, read_spec, run
from dev.training.transformer import Model, Weights, attention_weights, classify, embed, read_model, shapes

NEW = ("mouse", "cat", "dog", "keyboard", "screen")  # held out
SELECT = ("worm", "goat", "cable")  # for model selection
RECIPE = Recipe(steps=800, rate=0.01, decay=0.1, seeds=2)
UNDECIDED = 4.0  # weight in the loss of the cross-entropy of undecided sentences
LOOKING = 0.02  # weight in the loss of attention to words that do not decide


@dataclass(frozen=True, slots=True)
class Sentence:
    """Its words, the index of its class (None: undecided), and the positions that may be attended to."""

    words: list[str]
    target: int | None
    reasons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences as tensors: ids, padded with blanks (batch × n), and where to look, 1 or 0 (batch × n)."""

    decided: Examples
    decided_reasons: Tensor
    undecided: Tensor
    undecided_reasons: Tensor


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


def decided(found: dict[str, list[str]], classes: list[str]) -> Iterator[Sentence]:
    """Every sentence of these words that has a class."""
    clear = {word: number for number, name in enumerate(classes) for word in found.get(name, ())}
    for subject in (*found["ambiguous"], *clear):
        for companion, sense in clear.items():
            if companion == subject:
                continue
            right = clear.get(subject, sense)
            itself = (0,) if subject in clear else ()
            start = [subject, "and", companion]
            yield Sentence(start, right, (*itself, 2))
            for weak in found["weak"]:
                yield Sentence([*start, "are", weak], right, (*itself, 2))
                yield Sentence([subject, "and", weak, companion], right, (*itself, 3))
            for distractor in clear:
                if distractor not in (subject, companion):
                    yield Sentence([*start, "are", "near", distractor], right, (*itself, 2))


def undecided(found: dict[str, list[str]]) -> Iterator[Sentence]:
    """Every sentence of these words without a hint at a class."""
    for subject in found["ambiguous"]:
        starts: list[tuple[list[str], tuple[int, ...]]] = [([subject], (0,))]
        starts += [([subject, "and", other], (0, 2)) for other in found["ambiguous"] if other != subject]
        for start, reasons in starts:
            yield Sentence(start, None, reasons)
            for weak in found["weak"]:
                yield Sentence([*start, "are", weak], None, reasons)
        for weak in found["weak"]:
            yield Sentence([subject, "and", weak], None, (0,))


def sentences(spec: dict[str, Any], allowed: set[str]) -> tuple[list[Sentence], list[Sentence]]:
    """The sentences of the allowed words: with a class, and undecided."""
    found = roles(spec["vocabulary"]["tokens"], allowed)
    return list(decided(found, spec["sheets"][0]["classes"])), list(undecided(found))


def part(spec: dict[str, Any], allowed: set[str]) -> Part:
    """The sentences of the allowed words as tensors."""
    words, n = list(spec["vocabulary"]["tokens"]), spec["length"]

    def padded(some: list[Sentence]) -> tuple[Tensor, Tensor]:
        ids = [[words.index(word) + 1 for word in one.words] + [0] * (n - len(one.words)) for one in some]
        reasons = [[float(i in one.reasons) for i in range(n)] for one in some]
        return torch.tensor(ids), torch.tensor(reasons)

    with_class, without = sentences(spec, allowed)
    ids, reasons = padded(with_class)
    targets = torch.tensor([[one.target] for one in with_class])
    return Part(Examples((ids,), targets), reasons, *padded(without))


def parts(spec: dict[str, Any]) -> dict[str, Part]:
    """Sentences for training, for model selection, and of the held-out words."""
    tokens: dict[str, list[float]] = spec["vocabulary"]["tokens"]
    weak = set(roles(tokens, set(tokens))["weak"])
    chosen = {
        TRAINING: set(tokens) - {*NEW, *SELECT},
        SELECTION: weak | set(SELECT),
        HELD_OUT: weak | set(NEW),
    }
    return {name: part(spec, allowed) for name, allowed in chosen.items()}


class Classifier:
    """The model of the template: logits of the classes, and where the first word looks."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.E = torch.tensor(list(spec["vocabulary"]["tokens"].values()))
        sheet = spec["sheets"][0]
        self.model: Model = read_model(sheet, spec["length"], self.E.shape[1])
        self.shapes = shapes(self.model, n_classes=len(sheet["classes"]))

    def logits(self, W: Weights, ids: Tensor) -> Tensor:
        """Logits, batch × 1 × n_classes."""
        return classify(self.model, W, self.E.to(W["W_C"].dtype), ids)[:, None]

    def looks(self, W: Weights, ids: Tensor) -> Tensor:
        """Attention of the first word, the mean of the heads: batch × n."""
        x = embed(self.model, W, self.E.to(W["W_C"].dtype), ids)
        return attention_weights(self.model, W, "l1_", x, (x, ids[:, None, :] > 0))[:, :, 0].mean(1)

    def penalty(self, W: Weights, some: Part) -> Tensor:
        """Cross-entropy of undecided sentences, less its minimum, and attention to other words."""
        even = -self.logits(W, some.undecided).log_softmax(-1).mean() - math.log(2)
        aside = [
            1 - (self.looks(W, ids) * reasons).sum(-1).mean()
            for ids, reasons in (
                (some.decided.inputs[0], some.decided_reasons),
                (some.undecided, some.undecided_reasons),
            )
        ]
        return UNDECIDED * even + LOOKING * sum(aside, torch.zeros(()))

    def describe(self, W: Weights, name: str, some: Part) -> None:
        """Print the attention of ambiguous first words to the companion, and undecided probabilities."""
        chosen = some.decided_reasons[:, 0] == 0
        looks = (self.looks(W, some.decided.inputs[0]) * some.decided_reasons).sum(-1)
        for sense in (0, 1):
            of_class = looks[chosen & (some.decided.targets[:, 0] == sense)]
            print(
                f"{name}: attention on the companion, class {sense}: "
                f"{float(of_class.min()):.3f} to {float(of_class.max()):.3f}"
            )
        P = self.logits(W, some.undecided)[:, 0].softmax(-1)[:, 0]
        print(f"{name}: undecided, probability of class 0: {float(P.min()):.3f} to {float(P.max()):.3f}")


def bag_of_words(E: Tensor, chosen: dict[str, Examples]) -> None:
    """Print the scores of a logistic regression on the sum of the embeddings, which ignores word order."""
    X = torch.cat([torch.zeros(1, E.shape[1]), E])
    W = torch.zeros(E.shape[1] + 1, 2, requires_grad=True)
    known = chosen[TRAINING]
    optimizer = torch.optim.LBFGS([W], max_iter=200)

    def logits(part: Examples) -> Tensor:
        total = X[part.inputs[0]].sum(-2)
        return torch.cat([total, torch.ones(len(total), 1)], -1) @ W

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits(known), known.targets[:, 0])
        torch.autograd.backward(loss)
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    for name, part in chosen.items():
        count = int((logits(part).argmax(-1) == part.targets[:, 0]).sum())
        print(f"bag of words, {name}: {count} of {len(part.targets)} right")


def main() -> None:
    """Train or score the model."""
    spec = read_spec("mouse")
    classifier, chosen = Classifier(spec), parts(spec)

    def penalty(W: Weights, part: str) -> Tensor:
        return classifier.penalty(W, chosen[part])

    examples = {name: some.decided for name, some in chosen.items()}
    mouse = list(spec["vocabulary"]["tokens"]).index("mouse") + 1
    held_out = examples[HELD_OUT]
    examples["held out, mouse first"] = held_out.at(held_out.inputs[0][:, 0] == mouse)
    bag_of_words(classifier.E, examples)
    W = run(classifier.logits, Work("mouse", [], classifier.shapes, RECIPE, penalty), examples)
    for name, some in chosen.items():
        classifier.describe(W, name, some)


if __name__ == "__main__":
    main()
