"""Training shared by the scripts: gradient descent with several seeds, rounding, scores, data files."""

from __future__ import annotations

import argparse
import math
import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from dev.training.transformer import Weights, start

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
TRAINING, SELECTION, HELD_OUT = "training", "model selection", "held out"
Forward = Callable[..., Tensor]  # (weights, *inputs of a batch) → logits, batch × rows × n_classes
Penalty = Callable[..., Tensor]  # (weights, part=TRAINING or SELECTION) → a term of the loss


@dataclass(frozen=True, slots=True)
class Examples:
    """Inputs (each batch × n, ids) and targets (batch × rows): classes from 0, −1 for ignored rows."""

    inputs: tuple[Tensor, ...]
    targets: Tensor

    def at(self, rows: Tensor) -> Examples:
        """Select examples by index or by a mask."""
        return Examples(tuple(ids[rows] for ids in self.inputs), self.targets[rows])


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyperparameters: steps and maximum learning rate, weight decay, batch size (0: all examples)."""

    steps: int
    rate: float
    decay: float
    seeds: int
    batch: int = 0
    margin: float = 2.0  # subtracted from the target logit in the loss: a margin for rounding
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Work:
    """A template, the words whose embeddings are trained (none: they are given), shapes, recipe, penalty."""

    template: str
    words: list[str]
    wanted: dict[str, tuple[int, int]]
    recipe: Recipe
    penalty: Penalty | None = None

    @property
    def data(self) -> Path:
        """The data file of the template."""
        return TEMPLATES / f"{self.template}.weights.toml"


def split(groups: set[object], part: float, seed: int) -> set[object]:
    """A seeded random subset with that part of the groups."""
    return set(random.Random(seed).sample(sorted(groups, key=str), round(part * len(groups))))


def divide(
    groups: set[object], held_out: set[object], part: float, examples: Callable[[set[object]], Examples]
) -> dict[str, Examples]:
    """Examples for training, for model selection (that part of those not held out), and held-out ones."""
    selection = split(groups - held_out, part, seed=2)
    sets = {TRAINING: groups - held_out - selection, SELECTION: selection, HELD_OUT: held_out}
    return {name: examples(some) for name, some in sets.items()}


def rounded(W: Weights, decimals: int) -> Weights:
    """Round weights as in the data file, in float64 and without negative zeros."""
    return {name: w.detach().double().round(decimals=decimals) + 0.0 for name, w in W.items()}


def margins(logits: Tensor, targets: Tensor) -> Tensor:
    """Minimum of target logit minus best other logit, per example; negative if a row is wrong.

    Rows are scored with the right tokens before them. An example without wrong rows is therefore also right
    if it is generated token by token, because each row only depends on earlier rows.
    """
    chosen = torch.nn.functional.one_hot(targets.clamp(min=0), logits.shape[-1]).bool()
    others = logits.masked_fill(chosen, -math.inf).amax(-1)
    margin = logits.masked_fill(~chosen, 0).sum(-1) - others
    return margin.masked_fill(targets < 0, math.inf).amin(-1)


def loss(logits: Tensor, targets: Tensor, margin: float) -> Tensor:
    """Mean cross-entropy of rows with a target, with `margin` subtracted from the target logit, per seed."""
    chosen = torch.nn.functional.one_hot(targets.clamp(min=0), logits.shape[-1]) * (targets >= 0)[..., None]
    entropy = -((logits - margin * chosen).log_softmax(-1) * chosen).sum(-1)
    return entropy.sum((-1, -2)) / (targets >= 0).sum()


def learn(forward: Forward, work: Work, examples: Examples) -> list[Weights]:
    """Train one model per seed in parallel, and return their rounded weights.

    AdamW (Loshchilov & Hutter 2019) with warm-up over 100 steps and cosine decay. In the second half, the
    forward pass uses rounded weights and the gradient updates the exact ones, so that rounding does no harm.
    """
    wanted, recipe = work.wanted, work.recipe
    random_start = [start(wanted, torch.Generator().manual_seed(seed)) for seed in range(recipe.seeds)]
    W = {name: torch.stack([w[name] for w in random_start]).requires_grad_() for name in wanted}
    optimizer = torch.optim.AdamW(W.values(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98))
    together = torch.func.vmap(forward, in_dims=(0,) + (None,) * len(examples.inputs))
    draw = torch.Generator().manual_seed(0)
    for step in range(recipe.steps):
        done = step / recipe.steps
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1, (step + 1) / 100) * (1 + math.cos(math.pi * done)) / 2
        some = examples
        if recipe.batch:
            some = examples.at(torch.randint(len(examples.targets), (recipe.batch,), generator=draw))
        used: Weights = dict(W)
        if done > 0.5:
            used = {name: w + (w.round(decimals=recipe.decimals) - w).detach() for name, w in W.items()}
        each = loss(together(used, *some.inputs), some.targets, recipe.margin)
        if work.penalty:
            each = each + torch.func.vmap(partial(work.penalty, part=TRAINING))(used)
        optimizer.zero_grad()
        torch.autograd.backward(each.sum())  # seeds share no weights, so each follows its own loss
        optimizer.step()
        if step % 1000 == 0:
            print(f"  step {step}: loss {', '.join(f'{value:.3f}' for value in each.detach())}", flush=True)
    return [
        rounded({name: w[seed] for name, w in W.items()}, recipe.decimals) for seed in range(recipe.seeds)
    ]


def best(forward: Forward, work: Work, models: list[Weights], selection: Examples) -> Weights:
    """The model with the largest minimum margin on the examples for model selection.

    If there is a penalty: the one with the smallest penalty among those that get all of them right.
    """
    smallest = [float(margins(forward(W, *selection.inputs), selection.targets).min()) for W in models]
    print("  minimum margin for model selection, by seed:", [round(m, 2) for m in smallest])
    if work.penalty is None:
        return models[smallest.index(max(smallest))]
    penalties = [float(work.penalty(W, part=SELECTION)) for W in models]
    print("  penalty for model selection, by seed:", [round(value, 3) for value in penalties])
    order = sorted(range(len(models)), key=lambda seed: (smallest[seed] <= 0, penalties[seed]))
    return models[order[0]]


def report(forward: Forward, W: Weights, parts: dict[str, Examples]) -> bool:
    """Print how many examples of each part are right, and the minimum margin; return whether all are."""
    all_right = True
    for name, part in parts.items():
        margin = margins(forward(W, *part.inputs), part.targets)
        right = margin > 0
        print(f"{name}: {int(right.sum())} of {len(right)} right, minimum margin {float(margin.min()):.2f}")
        all_right = all_right and bool(right.all())
    return all_right


def write_data(work: Work, W: Weights) -> None:
    """Write a data file (docs/spec-models.md): `E` as [tokens] if there are words, the rest as [weights]."""

    def row(numbers: Tensor) -> str:
        decimals = work.recipe.decimals
        return "[" + ", ".join(f"{float(v):{decimals + 3}.{decimals}f}" for v in numbers) + "]"

    lines = [f"# Trained by dev/training/{work.template}.py; rounded to {work.recipe.decimals} decimals."]
    if work.words:
        width = max(len(word) for word in work.words) + 2
        quoted = [f'"{word}"'.ljust(width) for word in work.words]
        lines += ["", "[tokens]", *(f"{word} = {row(e)}" for word, e in zip(quoted, W["E"], strict=True))]
    lines += ["", "[weights]"]
    for name, w in W.items():
        if name == "E":
            continue
        lines += (
            [f"{name} = {row(w[0])}"] if len(w) == 1 else [f"{name} = [", *(f"  {row(r)}," for r in w), "]"]
        )
    work.data.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def read_data(work: Work) -> Weights:
    """Read the weights of a data file as float64 matrices, and verify their shapes."""
    path = work.data
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        _stop(f"{path.name}: is missing; train the model with --write")
    rows = {"E": list(table.get("tokens", {}).values())} | table["weights"]
    W = {}
    for name, shape in work.wanted.items():
        if name not in rows:
            _stop(f"{path.name}: {name} is missing")
        w = torch.tensor(rows[name], dtype=torch.float64)
        w = w[None] if w.dim() == 1 else w
        if tuple(w.shape) != shape:
            _stop(f"{path.name}: {name} has the shape {tuple(w.shape)}, the model needs {shape}")
        W[name] = w
    return W


def _stop(message: str) -> NoReturn:
    raise SystemExit(message)


def read_spec(name: str) -> dict[str, Any]:
    """The spec templates/<name>.toml."""
    return tomllib.loads((TEMPLATES / f"{name}.toml").read_text(encoding="utf-8"))


def run(forward: Forward, work: Work, parts: dict[str, Examples]) -> Weights:
    """Train a model or read its data file, score it, write it; exit with 1 if an example is wrong."""
    parser = argparse.ArgumentParser(description=f"Train the weights of templates/{work.template}.toml.")
    parser.add_argument("--write", action="store_true", help="write the weights to the data file")
    parser.add_argument("--score", action="store_true", help="score the data file instead of training")
    options = parser.parse_args()
    if options.write and options.score:
        parser.error("--score reads the data file, --write replaces it: use only one of them")
    if options.score:
        W = read_data(work)
    else:
        models = learn(forward, work, parts[TRAINING])
        W = best(forward, work, models, parts[SELECTION])
    all_right = report(forward, W, parts)
    if options.write:
        write_data(work, W)
    if not all_right:
        raise SystemExit(1)
    return W
