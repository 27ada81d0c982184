"""How the trained templates get their weights: descent on several seeds, rounding, scores, data files."""

from __future__ import annotations

import argparse
import math
import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from dev.training.transformer import Weights, start

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
TRAINING, CHOOSING, HELD_OUT = "training", "kept for choosing among seeds", "held out"
Forward = Callable[..., Tensor]  # (weights, *inputs of a batch) → logits, batch × rows × n_answers


@dataclass(frozen=True, slots=True)
class Examples:
    """Inputs (each batch × n, ids) and right (batch × rows): answers from 0, −1 where nothing is asked."""

    inputs: tuple[Tensor, ...]
    right: Tensor

    def at(self, rows: Tensor) -> Examples:
        """Some of the examples, by index or by a mask."""
        return Examples(tuple(given[rows] for given in self.inputs), self.right[rows])


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to learn: Adam's steps and largest rate, weight decay, examples a step (0: all of them)."""

    steps: int
    rate: float
    decay: float
    seeds: int
    batch: int = 0
    lead: float = 2.0  # the right logit is asked to win even with this much taken off: a margin for rounding
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Work:
    """A script's data file, the words whose embeddings it learns (none: they are given), shapes, recipe."""

    data: Path
    comment: str
    words: list[str]
    wanted: dict[str, tuple[int, int]]
    recipe: Recipe


def split(groups: set[object], part: float, seed: int) -> set[object]:
    """A seeded choice of that part of the groups, to be held out."""
    return set(random.Random(seed).sample(sorted(groups, key=str), round(part * len(groups))))


def rounded(W: Weights, decimals: int) -> Weights:
    """The weights as a data file will hold them, in float64 and without negative zeros."""
    return {name: w.detach().double().round(decimals=decimals) + 0.0 for name, w in W.items()}


def margins(logits: Tensor, right: Tensor) -> Tensor:
    """Smallest lead of the right logit over the best other one, per example; negative: an answer is wrong.

    Judged with the right tokens before each row. An example without a wrong row is then also written right
    token by token, for each row sees the rows before it alone, and these are right.
    """
    chosen = torch.nn.functional.one_hot(right.clamp(min=0), logits.shape[-1]).bool()
    others = logits.masked_fill(chosen, -math.inf).amax(-1)
    lead = logits.masked_fill(~chosen, 0).sum(-1) - others
    return lead.masked_fill(right < 0, math.inf).amin(-1)


def loss(logits: Tensor, right: Tensor, lead: float) -> Tensor:
    """Mean cross-entropy of the rows that are asked, with `lead` taken off the right logit, per seed."""
    chosen = torch.nn.functional.one_hot(right.clamp(min=0), logits.shape[-1]) * (right >= 0)[..., None]
    entropy = -((logits - lead * chosen).log_softmax(-1) * chosen).sum(-1)
    return entropy.sum((-1, -2)) / (right >= 0).sum()


def learn(
    forward: Forward, wanted: dict[str, tuple[int, int]], examples: Examples, recipe: Recipe
) -> list[Weights]:
    """Trains one model a seed, side by side, and gives their rounded weights.

    AdamW (Loshchilov & Hutter 2019); the rate rises over 100 steps, then falls along a cosine. In the second
    half the model computes with rounded weights while the exact ones are corrected: no harm is done by it.
    """
    random_start = [start(wanted, torch.Generator().manual_seed(seed)) for seed in range(recipe.seeds)]
    W = {name: torch.stack([w[name] for w in random_start]).requires_grad_() for name in wanted}
    optimiser = torch.optim.AdamW(W.values(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98))
    together = torch.func.vmap(forward, in_dims=(0,) + (None,) * len(examples.inputs))
    draw = torch.Generator().manual_seed(0)
    for step in range(recipe.steps):
        done = step / recipe.steps
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * min(1, (step + 1) / 100) * (1 + math.cos(math.pi * done)) / 2
        some = examples
        if recipe.batch:
            some = examples.at(torch.randint(len(examples.right), (recipe.batch,), generator=draw))
        used: Weights = dict(W)
        if done > 0.5:
            used = {name: w + (w.round(decimals=recipe.decimals) - w).detach() for name, w in W.items()}
        each = loss(together(used, *some.inputs), some.right, recipe.lead)
        optimiser.zero_grad()
        torch.autograd.backward(each.sum())  # the seeds share no weight: each follows its own loss
        optimiser.step()
        if step % 1000 == 0:
            print(f"  step {step}: loss {', '.join(f'{value:.3f}' for value in each.detach())}", flush=True)
    return [
        rounded({name: w[seed] for name, w in W.items()}, recipe.decimals) for seed in range(recipe.seeds)
    ]


def best(forward: Forward, found: list[Weights], choosing: Examples) -> Weights:
    """The weights whose smallest margin on the examples kept for choosing is the largest."""
    smallest = [float(margins(forward(W, *choosing.inputs), choosing.right).min()) for W in found]
    print("  smallest margin on the examples kept for choosing, by seed:", [round(m, 2) for m in smallest])
    return found[smallest.index(max(smallest))]


def report(forward: Forward, W: Weights, parts: dict[str, Examples]) -> bool:
    """Prints how many examples of each part are right throughout, and the smallest margin; true: all are."""
    holds = True
    for name, part in parts.items():
        lead = margins(forward(W, *part.inputs), part.right)
        print(
            f"{name}: {int((lead > 0).sum())} of {len(lead)} right, smallest margin {float(lead.min()):.2f}"
        )
        holds = holds and bool((lead > 0).all())
    return holds


def write_data(work: Work, W: Weights) -> None:
    """A data file of docs/spec-models.md: `E` as [tokens], where there are words, all else as [weights]."""

    def row(numbers: Tensor) -> str:
        decimals = work.recipe.decimals
        return "[" + ", ".join(f"{float(v):{decimals + 3}.{decimals}f}" for v in numbers) + "]"

    lines = [f"# {line}" for line in work.comment.splitlines()]
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
    """The weights of a data file as float64 matrices, in the shapes the model wants."""
    path = work.data
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        _stop(f"{path.name} is missing: train it with --write")
    rows = {"E": list(table.get("tokens", {}).values())} | table["weights"]
    W = {}
    for name, shape in work.wanted.items():
        if name not in rows:
            _stop(f"{path.name}: {name} is missing")
        w = torch.tensor(rows[name], dtype=torch.float64)
        w = w[None] if w.dim() == 1 else w
        if tuple(w.shape) != shape:
            _stop(f"{path.name}: {name} is {tuple(w.shape)}, the model wants {shape}")
        W[name] = w
    return W


def _stop(sentence: str) -> NoReturn:
    raise SystemExit(sentence)


def read_spec(name: str) -> dict[str, Any]:
    """The spec templates/<name>.toml."""
    return tomllib.loads((TEMPLATES / f"{name}.toml").read_text(encoding="utf-8"))


def run(forward: Forward, work: Work, parts: dict[str, Examples]) -> None:
    """What every script does: train or read, score after rounding, write; exits with 1 if any is wrong."""
    name = work.data.name
    parser = argparse.ArgumentParser(description=f"Learn the weights of templates/{name}.")
    parser.add_argument("--write", action="store_true", help="put the weights into the data file")
    parser.add_argument("--score", action="store_true", help="train nothing, score the data file")
    asked = parser.parse_args()
    if asked.write and asked.score:
        parser.error("--score reads the data file, --write replaces it: ask for one")
    if asked.score:
        W = read_data(work)
    else:
        found = learn(forward, work.wanted, parts[TRAINING], work.recipe)
        W = best(forward, found, parts[CHOOSING])
    holds = report(forward, W, parts)
    if asked.write:
        write_data(work, W)
    if not holds:
        raise SystemExit(1)
