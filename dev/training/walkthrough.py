"""Trains the weights of templates/walkthrough.toml by gradient descent.

The model is scaled dot-product attention, softmax(Q Kᵀ / √d_k) V with Q = X W_Q, K = X W_K, V = X W_V
(Vaswani et al. 2017, eq. 1); on a multi-head sheet Concat(head_1, ..., head_h) W_O (section 3.2.2).

Every training sentence contains a pair of words, a companion and a word that it may disambiguate, as in "bird
and python are small". If the word is ambiguous and the companion has a sense, the target of the word is the
mean of all training words of that sense. The target of every other word is the word itself. A sheet with
fewer output columns is trained on the first dimensions of the targets.

    python -m dev.training.walkthrough            train, and print the results of the rounded weights
    python -m dev.training.walkthrough --write    also write the weights to the template
    python -m dev.training.walkthrough --check    also exit with 1 if the template has other weights
"""

from __future__ import annotations

import argparse
import re
import tomllib
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, Array]

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "walkthrough.toml"
HELD_OUT = ("mouse", "cat", "dog", "keyboard", "screen")  # not in the training set
TESTS = (
    "cat and mouse are friends",
    "keyboard and mouse are useful",
    "dog and mouse are friends",
    "screen and mouse are useful",
)
SEED = 7
STEPS = 2000
RATE = 0.03
REPEAT = 3  # repetitions of each pair of ambiguous word and companion
# Weight decay: W_Q and W_K towards zero, so that attention is no sharper than necessary; W_V and W_O, more
# strongly, towards the identity, so that dimensions keep their meaning and attention does the mixing.
DECAY = {"W_Q": 0.002, "W_K": 0.002, "W_V": 0.06, "W_O": 0.06}
DECIMALS = 2
MARGIN = 1e-6  # minimum distance from a rounding boundary, so that other machines round alike


class Sentences(NamedTuple):
    """X and target: n_sentences × n × d_model. Word 0 is the companion of word 2."""

    X: Array
    target: Array


class Vocabulary:
    """The words of the template, with roles that follow from their numbers.

    Ambiguous: animal and tech are both above 1. Weak: no number is. For others, the largest number determines
    the role: "sense 0" for animal, "sense 1" for tech (the index of the dimension), or "grammar".
    """

    def __init__(self, table: dict[str, Any]) -> None:
        self.E = {word: np.array(row, float) for word, row in table["tokens"].items()}
        names: list[str] = table["dimensions"]
        self.senses = [names.index("animal"), names.index("tech")]
        self.role = {word: self._role(row) for word, row in self.E.items()}
        senses = [f"sense {sense}" for sense in self.senses]
        self.means = {role: np.mean([self.E[word] for word in self.having(role)], 0) for role in senses}

    def _role(self, row: Array) -> str:
        if row[self.senses].min() > 1:
            return "ambiguous"
        if row.max() <= 1:
            return "weak"
        lead = int(row.argmax())
        return f"sense {lead}" if lead in self.senses else "grammar"

    def having(self, role: str) -> list[str]:
        """The training words of a role, in the order of the template."""
        found = [word for word, its in self.role.items() if its == role and word not in HELD_OUT]
        if not found:
            raise SystemExit(f"{TEMPLATE.name}: training needs a word of the role '{role}'")
        return found

    def sentences(self, words: list[list[str]]) -> Sentences:
        """Embeddings and targets of sentences of equal length."""
        unknown = {word for sentence in words for word in sentence} - self.E.keys()
        if unknown:
            raise SystemExit(f"{TEMPLATE.name}: the vocabulary lacks {', '.join(sorted(unknown))}")
        X = np.array([[self.E[word] for word in sentence] for sentence in words])
        target = X.copy()
        for row, sentence in zip(target, words, strict=True):
            if self.role[sentence[2]] == "ambiguous":
                row[2] = self.means.get(self.role[sentence[0]], row[2])
        return Sentences(X, target)

    def training(self) -> Sentences:
        """Pairs of ambiguous words with companions or weak words, and of clear words.

        The grammar words and the weak word at the end alternate.
        """
        ambiguous, grammar, weak = (self.having(role) for role in ("ambiguous", "grammar", "weak"))
        clear = [word for role in self.means for word in self.having(role)]
        pairs = [*product(ambiguous, clear)] * REPEAT + [*product(ambiguous, weak), *product(clear, clear)]
        fillers = islice(cycle(product(grammar, grammar, weak)), len(pairs))
        return self.sentences([[c, g, a, h, w] for (a, c), (g, h, w) in zip(pairs, fillers, strict=True)])


def split(M: Array, heads: int) -> Array:
    """Columns to heads: (..., n, heads·k) → (..., heads, n, k)."""
    return np.moveaxis(M.reshape(*M.shape[:-1], heads, -1), -2, -3)


def join(M: Array) -> Array:
    """Concatenate heads: (..., heads, n, k) → (..., n, heads·k)."""
    M = np.moveaxis(M, -3, -2)
    return M.reshape(*M.shape[:-2], -1)


def forward(W: Weights, X: Array, heads: int) -> tuple[Array, Array]:
    """Attention (n_sentences × heads × n × n) and Output (n_sentences × n × d_out) by eq. 1."""
    Q, K, V = (split(X @ W[name], heads) for name in ("W_Q", "W_K", "W_V"))
    S = np.einsum("bhik,bhjk->bhij", Q, K) / np.sqrt(Q.shape[-1])
    A = np.exp(S - S.max(-1, keepdims=True))
    A /= A.sum(-1, keepdims=True)
    concat = join(np.einsum("bhij,bhjv->bhiv", A, V))
    return A, concat @ W["W_O"] if "W_O" in W else concat


def gradient(W: Weights, X: Array, target: Array, heads: int) -> Weights:
    """Gradient of the loss (mean squared distance per word, plus weight decay); shapes as in W."""
    A, out = forward(W, X, heads)
    Q, K, V = (split(X @ W[name], heads) for name in ("W_Q", "W_K", "W_V"))
    d_out = d_concat = 2 * (out - target) / (X.shape[0] * X.shape[1])
    aims = {name: np.eye(*w.shape) if name in ("W_V", "W_O") else 0 * w for name, w in W.items()}
    grad = {name: 2 * DECAY[name] * (w - aims[name]) for name, w in W.items()}
    if "W_O" in W:
        grad["W_O"] += np.einsum("bic,bid->cd", join(A @ V), d_out)
        d_concat = d_out @ W["W_O"].T
    d_head = split(d_concat, heads)
    d_A = np.einsum("bhiv,bhjv->bhij", d_head, V)
    d_S = A * (d_A - np.sum(d_A * A, -1, keepdims=True)) / np.sqrt(Q.shape[-1])
    parts = {"W_Q": d_S @ K, "W_K": d_S.swapaxes(-1, -2) @ Q, "W_V": A.swapaxes(-1, -2) @ d_head}
    for name, part in parts.items():
        grad[name] += np.einsum("bid,bic->dc", X, join(part))
    return grad


def start(sheet: dict[str, Any], d_model: int) -> Weights:
    """Initial weights: the identity, as on the first sheet, with seeded noise in W_Q and W_K."""
    heads = sheet.get("heads", 1)
    d_k = sheet.get("d_k", d_model // heads)
    d_v = sheet.get("d_v", d_k)
    columns = {"W_Q": heads * d_k, "W_K": heads * d_k, "W_V": heads * d_v}
    W = {name: np.eye(d_model, n) for name, n in columns.items()}
    if sheet["kind"] == "multi-head":
        W["W_O"] = np.eye(heads * d_v, d_model)
    rng = np.random.default_rng(SEED)
    for name in ("W_Q", "W_K"):
        W[name] += rng.uniform(-0.1, 0.1, W[name].shape)
    return W


def train(W: Weights, data: Sentences, heads: int) -> Weights:
    """Adam (Kingma & Ba 2015, algorithm 1) on the full batch, with cosine decay of the learning rate."""
    target = data.target[..., : forward(W, data.X[:1], heads)[1].shape[-1]]
    mean = {name: np.zeros_like(w) for name, w in W.items()}
    square = {name: np.zeros_like(w) for name, w in W.items()}
    for step in range(1, STEPS + 1):
        rate = RATE * (1 + np.cos(np.pi * step / STEPS)) / 2
        for name, g in gradient(W, data.X, target, heads).items():
            mean[name] += 0.1 * (g - mean[name])
            square[name] += 0.001 * (g**2 - square[name])
            m, v = mean[name] / (1 - 0.9**step), square[name] / (1 - 0.999**step)
            W[name] = W[name] - rate * m / (np.sqrt(v) + 1e-8)
    return W


def rounded(W: Weights) -> tuple[Weights, float]:
    """Round the weights to DECIMALS; also return the smallest distance from a rounding boundary."""
    R = {name: np.round(w, DECIMALS) + 0.0 for name, w in W.items()}
    margin = 0.5 * 10**-DECIMALS - max(float(np.abs(W[name] - R[name]).max()) for name in W)
    if margin < MARGIN:
        raise SystemExit(f"a weight lies within {MARGIN} of a rounding boundary: choose another SEED")
    return R, margin


def report(title: str, W: Weights, vocabulary: Vocabulary, heads: int) -> None:
    """Print the loss, the attention of the ambiguous word to its companion (per head), and its output."""
    words = [sentence.split() for sentence in TESTS]
    tests = vocabulary.sentences(words)
    print(title)
    for name, data in (("training", vocabulary.training()), ("held out", tests)):
        out = forward(W, data.X, heads)[1]
        error = out - data.target[..., : out.shape[-1]]
        distance = np.mean(np.sum(error**2, -1))
        print(f"  {name}: {len(out)} sentences, squared distance per word {distance:.4f}")
    attention, out = forward(W, tests.X, heads)
    for (companion, _, word, *_), A, row in zip(words, attention, out[:, 2], strict=True):
        given = " and ".join(f"{a:.2f}" for a in A[:, 2, 0])
        animal, tech = row[vocabulary.senses]
        print(f"  {word} gives {companion} {given} of its attention; animal {animal:.2f}, tech {tech:.2f}")


def put(text: str, sheet: str, name: str, M: Array) -> str:
    """Replace the rows of one matrix in the text of the template."""
    rows = "".join("  [" + ", ".join(f"{v:5.{DECIMALS}f}" for v in row) + "],\n" for row in M)
    pattern = rf'(?ms)(^id = "{sheet}"$(?:(?!^\[\[sheets\]\]).)*?^{name} = \[\n).*?(?=^\]$)'
    text, found = re.subn(pattern, lambda match: match[1] + rows, text)
    if found != 1:
        raise SystemExit(f"{TEMPLATE.name}: sheet '{sheet}' needs the lines '{name} = [' and ']'")
    return text


def main() -> None:
    """Train every sheet with weights; print, write or check the results."""
    parser = argparse.ArgumentParser(description="Train the weights of templates/walkthrough.toml.")
    parser.add_argument("--write", action="store_true", help="write the weights to the template")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the template has other weights")
    options = parser.parse_args()
    text = TEMPLATE.read_text(encoding="utf-8")
    spec = tomllib.loads(text)
    vocabulary = Vocabulary(spec["vocabulary"])
    d_model = len(spec["vocabulary"]["dimensions"])
    print(f"held out of training: {', '.join(HELD_OUT)}")
    report("no weights", {name: np.eye(d_model) for name in ("W_Q", "W_K", "W_V")}, vocabulary, 1)
    differing = []
    for sheet in spec["sheets"]:
        if "weights" not in sheet:
            continue
        heads = sheet.get("heads", 1)
        W, margin = rounded(train(start(sheet, d_model), vocabulary.training(), heads))
        report(f"{sheet['id']} (rounding margin {margin:.1e})", W, vocabulary, heads)
        for name, M in W.items():
            text = put(text, sheet["id"], name, M)
            if sheet["weights"].get(name) != M.tolist():
                differing.append(f"{sheet['id']} {name}")
    if options.write:
        TEMPLATE.write_text(text, encoding="utf-8", newline="\n")
    elif options.check and differing:
        raise SystemExit(f"{TEMPLATE.name}: training gives other numbers for {', '.join(differing)}")


if __name__ == "__main__":
    main()
