"""Random models for tests of the reference: settings as in a manifest, and all inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from xlsxattn.checker.reference import SheetInfo

DEFAULTS: dict[str, Any] = {
    "contexts": ["c"],
    "layers": 2,
    "heads": 2,
    "kv_heads": 2,
    "d_k": 2,
    "d_v": 2,
    "d_ff": 8,
    "norm": "layer",
    "residual": "post-norm",
    "activation": "relu",
    "bias": True,
    "mask": "none",
    "position": "none",
    "pairs": "adjacent",
    "scale": True,
    "scale_embeddings": False,
    "embedding_norm": False,
    "final_norm": False,
    "tied": True,
    "top_k": 2,
    "generate": False,
    "pool": "mean",
    "qk_norm": False,
}

STRETCHED = {"Stretch": 8.0, "Low": 1.0, "High": 4.0, "Trained": 64.0}
"""Parameters of the setting `stretch`."""


def column(words: Any) -> Any:
    return np.array([[word] for word in words], dtype=object)


def words_of(n_vocab: int) -> list[str]:
    return [f"w{i}" for i in range(n_vocab)]


def attention_weights(w: str, s: dict[str, Any], d: int, normal: Any) -> dict[str, Any]:
    widths = {
        "Q": (d, s["heads"] * s["d_k"]),
        "K": (d, s["kv_heads"] * s["d_k"]),
        "V": (d, s["kv_heads"] * s["d_v"]),
        "O": (s["heads"] * s["d_v"], d),
    }
    found = {f"{w}_W_{letter}": normal(*shape) / np.sqrt(shape[0]) for letter, shape in widths.items()}
    if s["bias"]:
        found |= {f"{w}_b_{letter}": normal(1, shape[1]) / 4 for letter, shape in widths.items()}
    return found


def norm_weights(name: str, s: dict[str, Any], d: int, normal: Any) -> dict[str, Any]:
    found = {f"{name}_Gamma": 1 + normal(1, d) / 4}
    return found | ({f"{name}_Beta": normal(1, d) / 4} if s["norm"] == "layer" else {})


def tower_weights(w: str, s: dict[str, Any], d: int, normal: Any, *, cross: bool = False) -> dict[str, Any]:
    found = {}
    for k in range(1, s["layers"] + 1):
        own = f"{w}_l{k}"
        found |= attention_weights(own, s, d, normal)
        if cross:
            found |= attention_weights(f"{own}_Cross", s, d, normal)
        shapes = {"1": (d, s["d_ff"]), "2": (s["d_ff"], d)}
        if s["activation"] in ("swiglu", "geglu", "geglu-tanh"):
            shapes["3"] = (d, s["d_ff"])
        for letter, shape in shapes.items():
            found[f"{own}_W_{letter}"] = normal(*shape) / np.sqrt(shape[0])
            if s["bias"]:
                found[f"{own}_b_{letter}"] = normal(1, shape[1]) / 4
        if s["qk_norm"]:
            found |= {f"{own}_{x}Norm_Gamma": 1 + normal(1, s["d_k"]) / 4 for x in "QK"}
        for i in range(1, 4 if cross else 3):
            found |= norm_weights(f"{own}_Norm{i}", s, d, normal)
    return found | (norm_weights(f"{w}_Output", s, d, normal) if s["final_norm"] else {})


def model(
    rng: np.random.Generator, kind: str, d_model: int, contexts: dict[str, list[str]], n_vocab: int = 12,
    **changed: Any,
) -> tuple[SheetInfo, dict[str, Any]]:  # fmt: skip
    """A model `s` with random weights of about 1/√d, on these sentences."""
    s = DEFAULTS | changed

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    inputs: dict[str, Any] = {
        "vocab_Tokens": column(words_of(n_vocab)),
        "vocab_Dims": column(f"d{j}" for j in range(d_model)).T,
        "vocab_E": normal(n_vocab, d_model),
        "vocab_Focus": column([""]),
        "s_Epsilon": np.array([[1e-5]]),
        "s_Temperature": np.array([[s.get("temperature", 1.0)]]),
        "s_Base": np.array([[10000.0]]),
        **{f"s_{name}": np.array([[x]]) for name, x in STRETCHED.items()},
        "s_Classes": column(["yes", "no", "perhaps"]).T,
        "s_W_C": normal(d_model, 3),
        "s_b_C": normal(1, 3),
        "s_W_U": normal(d_model, n_vocab),
        "s_P": normal(max(map(len, contexts.values())), d_model),
    }
    inputs |= {f"{name}_Tokens": column(tokens) for name, tokens in contexts.items()}
    if s["embedding_norm"]:
        inputs |= norm_weights("s_Input", s, d_model, normal)
    if kind == "encoder-decoder":
        s |= {"source": "c", "target": "t"}
        inputs |= tower_weights("s_enc", s, d_model, normal)
        inputs |= tower_weights("s_dec", s, d_model, normal, cross=True)
    else:
        inputs |= tower_weights("s", s, d_model, normal)
    return SheetInfo("s", kind, s), inputs
