"""Comparison of the reference of trainings with PyTorch: gradients with autograd, steps with torch.optim."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import THOROUGH, optional_library
from random_models import column, words_of

from xlsxattn.checker.reference import SheetInfo, expected

torch = optional_library("torch")

DRAWS = 20 if THOROUGH else 6
STEPS = 30
RATES = {"sgd": 0.05, "momentum": 0.02, "adam": 0.05}
PLAIN = {"weights": True, "scale": True, "mask": "none"}


def draw(rng: Any, optimizer: str, heads: int) -> tuple[list[SheetInfo], dict[str, Any]]:
    """A training sheet `s` of one head (0) or several, that trains a sheet `t`, with all inputs."""
    d, d_k, d_v, E = (int(n) for n in rng.integers(1, 5, 4))
    many, mask = heads > 0, str(rng.choice(["none", "causal"]))
    lengths = [int(n) for n in rng.integers(1, 6, E)]
    vocabulary = words_of(8)
    tokens = [str(word) for word in rng.choice(vocabulary, sum(lengths))]
    firsts = np.cumsum([0, *lengths[:-1]])
    asked = [tokens[at + int(rng.integers(n))] for at, n in zip(firsts, lengths, strict=True)]
    asked = [word if rng.random() < 0.8 else "none" for word in asked]
    H, d_out = max(1, heads), int(rng.integers(1, 5))
    shapes = {"W_Q": (d, H * d_k), "W_K": (d, H * d_k), "W_V": (d, H * d_v)}
    shapes |= {"W_O": (H * d_v, d_out)} if many else {}
    W = {m: rng.normal(size=shape) / 2 for m, shape in shapes.items()}
    learns = [m for m in shapes if rng.random() < 0.7] or ["W_Q"]
    settings = {"trains": "t", "learns": learns, "steps": STEPS, "optimizer": optimizer, "examples": lengths}
    of_heads = {"heads": heads, "d_k": d_k, "d_v": d_v} if many else {}
    trained = SheetInfo("t", "multi-head" if many else "self-attention", PLAIN | {"mask": mask} | of_heads)
    numbers = {"LearningRate": RATES[optimizer], "WeightDecay": rng.choice([0.0, 0.05]), "Momentum": 0.8}
    numbers |= {"Beta1": 0.9, "Beta2": 0.99, "Epsilon": 1e-8}
    numbers |= {"Step": rng.integers(0, STEPS + 2), "CheckRow": 1, "CheckCol": 2, "CheckH": 1e-4}
    inputs = {
        "vocab_Tokens": column(vocabulary),
        "vocab_Dims": column(words_of(d)).T,
        "vocab_E": rng.normal(size=(8, d)),
        "vocab_Focus": column(["w1"]),
        "c_Tokens": column(rng.choice(vocabulary, 4)),
        "s_Tokens": column(tokens),
        "s_Asked": column(asked),
        "s_Targets": rng.normal(size=(E, d_out if many else d_v)),
        "s_CheckMatrix": column([learns[-1]]),
        **{f"{owner}_{m}": x for m, x in W.items() for owner in "st"},
        **{f"s_{name}": np.array([[float(x)]]) for name, x in numbers.items()},
    }
    return [trained, SheetInfo("s", "training", settings)], inputs


class PyTorch:
    """The same training by PyTorch: the blocks of each step, and their gradients."""

    def __init__(self, sheets: list[SheetInfo], inputs: dict[str, Any]) -> None:
        trained, s = sheets
        self.heads = trained.settings.get("heads", 0) or 1
        self.scale = np.sqrt(inputs["t_W_K"].shape[1] / self.heads)
        E = dict(zip(inputs["vocab_Tokens"][:, 0], inputs["vocab_E"], strict=True))
        tokens, asked = list(inputs["s_Tokens"][:, 0]), inputs["s_Asked"][:, 0]
        self.X = torch.tensor(np.array([E[word] for word in tokens]))
        self.examples = []
        first = 0
        for e, n in enumerate(s.settings["examples"]):
            own = tokens[first : first + n]
            if asked[e] in own:
                at = first + own.index(asked[e])
                end = at + 1 if trained.settings["mask"] == "causal" else first + n
                self.examples.append((e, at, slice(first, end)))
            first += n
        self.Targets = torch.tensor(inputs["s_Targets"])
        self.W = {
            m: torch.tensor(inputs[f"s_{m}"], requires_grad=m in s.settings["learns"])
            for m in ("W_Q", "W_K", "W_V", "W_O")
            if f"s_{m}" in inputs
        }
        learned = [self.W[m] for m in s.settings["learns"]]
        rate, decay = RATES[s.settings["optimizer"]], float(inputs["s_WeightDecay"].item())
        if s.settings["optimizer"] == "adam":
            self.optimizer = torch.optim.Adam(learned, lr=rate, betas=(0.9, 0.99), weight_decay=decay)
        else:
            momentum = 0.8 if s.settings["optimizer"] == "momentum" else 0
            self.optimizer = torch.optim.SGD(learned, lr=rate, momentum=momentum, weight_decay=decay)
        self.learns = s.settings["learns"]
        self.blocks: list[dict[str, Any]] = []

    def loss(self) -> Any:
        """The loss, example by example."""
        Q, K, V = (self.X @ self.W[f"W_{letter}"] for letter in "QKV")
        blocks: dict[str, Any] = {"Q": Q, "K": K, "V": V}
        total = torch.zeros((), dtype=torch.float64)
        for e, at, seen in self.examples:
            outputs = []
            for h, (q, k, v) in enumerate(zip(*(x.chunk(self.heads, 1) for x in (Q, K, V)), strict=True)):
                Scores = q[at : at + 1] @ k[seen].T
                Scaled = Scores / self.scale
                A = torch.softmax(Scaled, 1)
                outputs.append(A @ v[seen])
                blocks |= {f"Scores{e}{h}": Scores, f"Scaled{e}{h}": Scaled, f"Attention{e}{h}": A}
            Concat = torch.cat(outputs, 1)
            Output = Concat @ self.W["W_O"] if "W_O" in self.W else Concat
            blocks |= {f"Concat{e}": Concat, f"Output{e}": Output}
            total = total + ((Output - self.Targets[e]) ** 2).sum()
        for block in blocks.values():
            if block.requires_grad:
                block.retain_grad()
        self.blocks.append(blocks)
        return total / max(1, len(self.examples))

    def run(self) -> tuple[list[float], list[dict[str, Any]], list[dict[str, Any]]]:
        """The losses, the weights before each step and after the last, and the gradients of each step."""
        losses, weights, gradients = [], [self.copied()], []
        for _ in range(STEPS):
            self.optimizer.zero_grad(set_to_none=False)
            loss = self.loss()
            losses.append(loss.item())
            if loss.requires_grad:
                loss.backward()
            gradients.append(
                {m: np.zeros(w.shape) if w.grad is None else w.grad.numpy().copy() for m, w in self.W.items()}
            )
            for w in self.W.values():  # so that decay is also applied if no example is valid
                if w.requires_grad and w.grad is None:
                    w.grad = torch.zeros_like(w)
            self.optimizer.step()
            weights.append(self.copied())
        return [*losses, self.loss().item()], weights, gradients

    def copied(self) -> dict[str, Any]:
        return {m: w.detach().numpy().copy() for m, w in self.W.items()}


def close(found: Any, by_torch: Any, allowed: float = 1e-12) -> None:
    by_torch = np.asarray(by_torch, dtype=float).reshape(found.shape)
    np.testing.assert_allclose(found, by_torch, rtol=0, atol=allowed * max(1e-3, np.abs(by_torch).max()))


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("heads", [0, 1, 3])
def test_a_run_of_thirty_steps_agrees_with_torch(optimizer, heads):
    rng = np.random.default_rng(100 + heads)
    for _ in range(DRAWS):
        sheets, inputs = draw(rng, optimizer, heads)
        found = expected(sheets, ["c"], inputs)
        pytorch = PyTorch(sheets, inputs)
        losses, weights, gradients = pytorch.run()
        learned = {f"s_{m}_Steps": np.concatenate([w[m] for w in weights]) for m in pytorch.learns}
        slopes = {f"s_d{m}_Steps": np.concatenate([g[m] for g in gradients]) for m in pytorch.learns}
        for name, by_torch in {**learned, **slopes, "s_Loss": losses}.items():
            close(found[name].values, by_torch, 1e-11)
        read = {name: values.tolist() for name, values in (learned | slopes).items()}
        step_by_step = expected(sheets, ["c"], inputs, read=read)
        for name, by_torch in {**learned, **slopes, "s_Loss": losses}.items():
            close(step_by_step[name].values, by_torch)
        inner_gradients(found, pytorch, max(1, heads), "h" if heads else "")


def inner_gradients(found: Any, pytorch: PyTorch, heads: int, lettered: str) -> None:
    """The gradients of intermediate results at the first step, by autograd."""
    blocks = pytorch.blocks[0]
    for e, at, seen in pytorch.examples:
        for h in range(heads):
            p = f"s_h{h + 1}_" if lettered else "s_"
            for block in ("Attention", "Scaled", "Scores"):
                name, own = f"{p}d{block}_Steps", blocks[f"{block}{e}{h}"]
                if name in found:
                    close(found[name].values[e, seen], own.grad[0] if own.grad is not None else own[0] * 0)
        for block, name in (("Output", "dOutput"), ("Concat", "dConcat")):
            if f"s_{name}_Steps" in found:
                close(found[f"s_{name}_Steps"].values[e], blocks[f"{block}{e}"].grad[0])
        if "s_dQ_Steps" in found:
            alike = [one for one, there, _ in pytorch.examples if there == at]
            assert alike == [e]
            close(found["s_dQ_Steps"].values[e], blocks["Q"].grad[at])
    N = len(pytorch.X)
    for letter in "KV":
        if f"s_d{letter}_Steps" in found and pytorch.examples:
            close(found[f"s_d{letter}_Steps"].values[:N], blocks[letter].grad)
