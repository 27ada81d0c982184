"""Small random specs with models, cross-attention, masks and positions, by a seed."""

from __future__ import annotations

import random
from typing import Any

from xlsxattn.contract.keys import keys
from xlsxattn.contract.kinds import Encoder

Data = dict[str, Any]

KINDS = (
    "self-attention",
    "multi-head",
    "cross-attention",
    "encoder",
    "decoder",
    "encoder-decoder",
    "classifier",
    "training",
)
ACTIVATIONS = keys(Encoder)["activation"].key.options
WRITERS = ("decoder", "encoder-decoder")


def drawn(seed: int, *kinds: str) -> Data:
    """A spec with one sheet of each kind with random settings, and one that each training trains."""
    draw = random.Random(seed)
    d_model = draw.choice([2, 3, 4, 6])
    tokens = [f"w{i}" for i in range(draw.randint(2, 6))]
    n = draw.randint(2, 5)
    contexts = {
        name: [draw.choice(tokens) for _ in range(draw.randint(1, n))]
        for name in ("one", "two", "three")[: draw.randint(2, 3)]
    }
    E = {word: [round(draw.uniform(-2, 2), 2) for _ in range(d_model)] for word in tokens}
    data: Data = {"vocabulary": {"tokens": E}, "contexts": contexts}
    if draw.random() < 0.7:
        data["length"] = n
    data["sheets"] = []
    for i, kind in enumerate(kinds or KINDS):
        if kind == "training":
            data["sheets"] += _training(draw, f"s{i}", tokens)
        else:
            data["sheets"].append(sheet(draw, kind, f"s{i}", d_model))
    if draw.random() < 0.5 and any(s["kind"] in ("self-attention", "multi-head") for s in data["sheets"]):
        data["sheets"].append({"id": "compare", "kind": "compare"})
    if not any("padding" in s.get("mask", "") or s.get("generate") for s in data["sheets"]):
        data.pop("length", None)  # blank cells would have no meaning
    return data


def sheet(draw: random.Random, kind: str, sheet_id: str, d_model: int) -> Data:
    """Random settings of a sheet."""
    masks = ["none", "padding"] if kind in ("cross-attention", "encoder-decoder") else ["none", "causal"]
    if masks[1] == "causal":
        masks += ["padding", "causal+padding"]
    made: Data = {"id": sheet_id, "kind": kind, "seed": draw.randint(0, 99), "scale": draw.random() < 0.8}
    made["mask"] = draw.choice(["causal", "causal+padding"] if kind == "decoder" else masks)
    heads = draw.choice([1, 2, 4])
    made |= {"d_k": draw.choice([2, 4]), "d_v": draw.choice([1, 2, 3])}
    if kind == "cross-attention":
        return made | ({"heads": heads} if draw.random() < 0.5 else {})
    made["position"] = draw.choice(["none", "sinusoidal", "learned", "rotary"])
    if made["position"] == "rotary":
        made["pairs"] = draw.choice(["adjacent", "halves"])
    if kind == "self-attention":
        return made
    made |= {"heads": heads, "kv_heads": draw.choice([k for k in (1, 2, 4) if heads % k == 0])}
    made["bias"] = draw.random() < 0.5
    return made | (_heads(draw) if kind == "multi-head" else _model(draw, kind, d_model))


def _heads(draw: random.Random) -> Data:
    made: Data = {"out_proj": draw.random() < 0.8}
    letters = "QKVO" if made["out_proj"] else "QKV"
    if draw.random() < 0.3:
        made["bias"] = [letter for letter in letters if draw.random() < 0.5]
    return made | ({"d_out": draw.randint(1, 6)} if made["out_proj"] and draw.random() < 0.4 else {})


def _model(draw: random.Random, kind: str, d_model: int) -> Data:
    made: Data = {
        "layers": draw.choice([1, 1, 2]),
        "d_ff": draw.choice([1, d_model, 2 * d_model]),
        "norm": draw.choice(["layer", "rms"]),
        "residual": draw.choice(["pre-norm", "post-norm"]),
        "activation": draw.choice(ACTIVATIONS),
        "epsilon": draw.choice([1e-5, 1e-3, 0.1]),
        "base": draw.choice([10.0, 100.0, 10_000.0]),
    }
    for key in ("scale_embeddings", "embedding_norm", "final_norm"):
        made[key] = draw.random() < 0.5
    if kind in WRITERS:
        made |= {"tied": draw.random() < 0.5, "generate": draw.random() < 0.5, "top_k": draw.randint(1, 2)}
        made["temperature"] = draw.choice([0.5, 1.0, 2.0])
        made |= {"mask": "causal"} if kind == "decoder" and made["generate"] else {}
    if kind == "classifier":
        made |= {
            "pool": draw.choice(["mean", "first"]),
            "classes": ["animal", "device", "else"][: draw.randint(2, 3)],
        }
    return made


def _training(draw: random.Random, sheet_id: str, tokens: list[str]) -> list[Data]:
    """An attention sheet with weights, and its training in a few steps."""
    heads, d_v, mask = draw.choice([0, 1, 2]), draw.choice([1, 2, 3]), draw.choice(["none", "causal"])
    form: Data = {"id": f"{sheet_id}f", "kind": "multi-head" if heads else "self-attention", "mask": mask}
    form |= {"d_k": draw.choice([1, 2, 4]), "d_v": d_v, "seed": draw.randint(0, 99)}
    form["scale"] = draw.random() < 0.8
    learned, columns = ["W_Q", "W_K", "W_V"], max(1, heads) * d_v
    if heads:
        form |= {"heads": heads, "out_proj": draw.random() < 0.6}
    if form.get("out_proj"):
        columns = form["d_out"] = draw.randint(1, 4)
        learned.append("W_O")
    examples = []
    for _ in range(draw.randint(1, 3)):
        sentence = draw.choices(tokens, k=draw.randint(1, 4))
        target = [round(draw.uniform(-2, 2), 2) for _ in range(columns)]
        examples.append({"sentence": sentence, "word": draw.choice(sentence), "target": target})
    training: Data = {"id": sheet_id, "kind": "training", "trains": form["id"], "examples": examples}
    training |= {"learns": [m for m in learned if draw.random() < 0.7] or ["W_K"]}
    training |= {"start": draw.choice(["given", "identity", "random"]), "seed": draw.randint(0, 99)}
    training |= {"steps": draw.randint(1, 5), "optimizer": draw.choice(["sgd", "momentum", "adam"])}
    training |= {"lr": draw.choice([0.01, 0.1, 1.0]), "weight_decay": draw.choice([0.0, 0.1])}
    return [form, training]
