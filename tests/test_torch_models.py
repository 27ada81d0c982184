"""Comparison of whole workbooks with PyTorch: its weights are put into a spec, an engine evaluates it.

float64, within 1e-12 of the largest value; with the exact GELU 1e-10, as IronCalc's NORMSDIST is that coarse.
Each of PyTorch's modules is compared on 24 draws of sizes, lengths and masks (100 with XLSXATTN_THOROUGH=1),
which the settings of a test share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ironcalc
import numpy as np
import pytest
from conftest import THOROUGH, optional_library

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as spec
from xlsxattn.builder.layout.placed import places
from xlsxattn.contract.kinds import GATED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

torch = optional_library("torch")

DRAWS = 100 if THOROUGH else 24
MASKS = ("none", "causal", "padding", "causal+padding")
PLAIN = {"position": "none", "final_norm": False, "layers": 1}


def seeds(settings: Sequence[object], one: object) -> range:
    """The seeds of one setting; settings have no seed in common."""
    return range(settings.index(one), DRAWS, len(settings))


class Evaluated:
    """A spec's workbook as the embedded engine evaluates it, twice, as its first pass may read 0."""

    def __init__(self, data: dict[str, Any], path: Path) -> None:
        book = pages.book(spec.parse(data, "spec"))
        sheets = layout.lay_out(book)
        for sheet in sheets:  # no heat maps and outlines: they cost much and change no value
            sheet.placed = [replace(placed, word=None, heat=()) for placed in sheet.placed]
        writer.write(path, book.title, sheets)
        self.model = ironcalc.load_from_xlsx(str(path))
        self.model.evaluate()
        self.model.evaluate()
        self.places = places(sheets)
        self.tabs = {one["name"]: i for i, one in enumerate(self.model.get_worksheets_properties())}

    def __getitem__(self, name: str) -> Any:
        tab, r = self.places[name]
        get, at = self.model.get_cell_value, self.tabs[tab]
        rows = range(r.top + 1, r.bottom + 2)
        return np.array([[get(at, i, j) for j in range(r.left + 1, r.right + 2)] for i in rows])


def close(found: Any, expected: Any, within: float = 1e-12) -> None:
    expected = expected.detach().numpy()
    np.testing.assert_allclose(
        found.astype(float), expected, rtol=0, atol=within * max(1.0, np.abs(expected).max())
    )


class Draw:
    """Random sentences of different lengths, padded with blank cells to a common length."""

    def __init__(self, seed: int, d_model: int, contexts: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self.words = [f"w{i}" for i in range(int(self.rng.integers(2, 6)))]
        self.E = self.rng.normal(size=(len(self.words), d_model))
        self.length = int(self.rng.integers(1, 6))
        self.said = [
            [str(word) for word in self.rng.choice(self.words, int(self.rng.integers(1, self.length + 1)))]
            for _ in range(contexts)
        ]

    def embedded(self, i: int = 0) -> Any:
        blank = np.zeros(self.E.shape[1])
        said = self.said[i] + [""] * (self.length - len(self.said[i]))
        return torch.tensor(np.array([self.E[self.words.index(word)] if word else blank for word in said]))

    def padding(self, i: int = 0) -> Any:
        """True where a key is ignored, as in PyTorch."""
        return torch.arange(self.length) >= len(self.said[i])

    def data(self, **sheet: Any) -> dict[str, Any]:
        return {
            "length": self.length,
            "vocabulary": {"tokens": dict(zip(self.words, self.E.tolist(), strict=True))},
            "contexts": {f"c{i}": said for i, said in enumerate(self.said)},
            "sheets": [{"id": "s", **sheet}, {"id": "blanks", "mask": "padding"}],  # blank cells are allowed
        }


def causal(n: int) -> Any:
    """True where a key is ignored."""
    return torch.ones(n, n, dtype=torch.bool).triu(1)


def attention_weights(layer: Any, before: str = "") -> dict[str, Any]:
    found = {}
    for letter, part in zip("QKV", layer.in_proj_weight.detach().chunk(3), strict=True):
        found[f"{before}W_{letter}"] = part.T.tolist()
    found[f"{before}W_O"] = layer.out_proj.weight.detach().T.tolist()
    if layer.in_proj_bias is not None:
        for letter, part in zip("QKV", layer.in_proj_bias.detach().chunk(3), strict=True):
            found[f"{before}b_{letter}"] = part.tolist()
        found[f"{before}b_O"] = layer.out_proj.bias.detach().tolist()
    return found


def layer_weights(layer: Any, before: str) -> dict[str, Any]:
    found = attention_weights(layer.self_attn, before)
    norms = [layer.norm1, layer.norm2]
    if hasattr(layer, "multihead_attn"):
        found |= attention_weights(layer.multihead_attn, f"{before}Cross_")
        norms.append(layer.norm3)
    for number, linear in ((1, layer.linear1), (2, layer.linear2)):
        found[f"{before}W_{number}"] = linear.weight.detach().T.tolist()
        found[f"{before}b_{number}"] = linear.bias.detach().tolist()
    for number, norm in enumerate(norms, 1):
        found[f"{before}Norm{number}_Gamma"] = norm.weight.detach().tolist()
        found[f"{before}Norm{number}_Beta"] = norm.bias.detach().tolist()
    return found


def shaken(module: Any) -> Any:
    """A module with random norms and biases, so that omitting one changes the result."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) / 2)
    return module


@pytest.mark.parametrize("mask", MASKS)
def test_multihead_attention(mask, tmp_path: Path):
    for seed in seeds(MASKS, mask):
        heads, d_k = (int(size) for size in np.random.default_rng(seed).integers(1, 4, 2))
        draw = Draw(seed, heads * d_k)
        layer = shaken(torch.nn.MultiheadAttention(heads * d_k, heads, batch_first=True, dtype=torch.float64))
        weights = attention_weights(layer)
        data = draw.data(kind="multi-head", heads=heads, mask=mask, bias=True, weights=weights)
        X = draw.embedded()[None]
        output, maps = layer(
            X,
            X,
            X,
            attn_mask=causal(draw.length) if "causal" in mask else None,
            key_padding_mask=draw.padding()[None] if "padding" in mask else None,
            average_attn_weights=False,
        )
        found = Evaluated(data, tmp_path / "workbook.xlsx")
        close(found["s_c0_Output"], output[0])
        for h in range(heads):
            close(found[f"s_c0_h{h + 1}_Attention"], maps[0, h])


@pytest.mark.parametrize("mask", ["none", "padding"])
def test_cross_attention(mask, tmp_path: Path):
    for seed in seeds(["none", "padding"], mask):
        heads, d_k = (int(size) for size in np.random.default_rng(seed).integers(1, 4, 2))
        draw = Draw(seed, heads * d_k, contexts=2)
        layer = torch.nn.MultiheadAttention(
            heads * d_k, heads, bias=False, batch_first=True, dtype=torch.float64
        )
        data = draw.data(kind="cross-attention", heads=heads, mask=mask, weights=attention_weights(layer))
        query, memory = draw.embedded(0)[None], draw.embedded(1)[None]
        padding = draw.padding(1)[None] if mask == "padding" else None
        output, maps = layer(query, memory, memory, key_padding_mask=padding, average_attn_weights=False)
        found = Evaluated(data, tmp_path / "workbook.xlsx")
        close(found["s_c0_Output"], output[0])
        for h in range(heads):
            close(found[f"s_c0_h{h + 1}_Attention"], maps[0, h])


def torch_layer(kind: Any, draw: Draw, heads: int, d_ff: int, residual: str, activation: str) -> Any:
    d_model = draw.E.shape[1]
    made = kind(
        d_model, heads, d_ff, dropout=0.0, activation=activation, batch_first=True,
        norm_first=residual == "pre-norm", dtype=torch.float64,
    )  # fmt: skip
    return shaken(made).train()  # not eval(), which would use another code path


SORTS = [(r, a) for r in ("pre-norm", "post-norm") for a in ("relu", "gelu")]


@pytest.mark.parametrize(("residual", "activation"), SORTS)
def test_transformer_encoder_layer(residual, activation, tmp_path: Path):
    for seed in seeds(SORTS, (residual, activation)):
        rng = np.random.default_rng(seed)
        heads, d_k, d_ff = (int(size) for size in rng.integers(1, 4, 3))
        mask = str(rng.choice(MASKS))
        draw = Draw(seed, heads * d_k + heads)
        layer = torch_layer(torch.nn.TransformerEncoderLayer, draw, heads, d_ff, residual, activation)
        expected = layer(
            draw.embedded()[None],
            src_mask=causal(draw.length) if "causal" in mask else None,
            src_key_padding_mask=draw.padding()[None] if "padding" in mask else None,
        )
        sizes = {"heads": heads, "d_ff": d_ff, "residual": residual, "activation": activation}
        weights = layer_weights(layer, "l1_")
        data = draw.data(kind="encoder", mask=mask, weights=weights, **PLAIN, **sizes)
        found = Evaluated(data, tmp_path / "workbook.xlsx")
        close(found["s_c0_Output"], expected[0], 1e-10 if activation == "gelu" else 1e-12)


@pytest.mark.parametrize(("residual", "activation"), SORTS)
def test_transformer_decoder_layer(residual, activation, tmp_path: Path):
    for seed in seeds(SORTS, (residual, activation)):
        rng = np.random.default_rng(seed)
        heads, d_k, d_ff = (int(size) for size in rng.integers(1, 4, 3))
        padded = bool(rng.integers(2))
        draw = Draw(seed, heads * d_k + heads, contexts=2)
        encoder = torch_layer(torch.nn.TransformerEncoderLayer, draw, heads, d_ff, residual, activation)
        decoder = torch_layer(torch.nn.TransformerDecoderLayer, draw, heads, d_ff, residual, activation)
        padding = draw.padding(0)[None] if padded else None
        memory = encoder(draw.embedded(0)[None], src_key_padding_mask=padding)
        expected = decoder(
            draw.embedded(1)[None], memory, tgt_mask=causal(draw.length), memory_key_padding_mask=padding
        )
        weights = layer_weights(encoder, "enc_l1_") | layer_weights(decoder, "dec_l1_")
        sizes = {"heads": heads, "d_ff": d_ff, "residual": residual, "activation": activation}
        data = draw.data(
            kind="encoder-decoder",
            mask="padding" if padded else "none",
            scale_embeddings=False,
            weights=weights,
            **PLAIN,
            **sizes,
        )
        found = Evaluated(data, tmp_path / "workbook.xlsx")
        within = 1e-10 if activation == "gelu" else 1e-12
        close(found["s_c0_Output"], memory[0], within)
        close(found["s_c1_Output"], expected[0], within)


GATES = {
    "swiglu": torch.nn.functional.silu,
    "geglu": torch.nn.functional.gelu,
    "geglu-tanh": lambda h: torch.nn.functional.gelu(h, approximate="tanh"),
}


@pytest.mark.parametrize("activation", GATED)
def test_feed_forward_with_a_gate(activation, tmp_path: Path):
    """Shazeer 2020, section 2: (act(x W_1) ∘ x W_3) W_2; its attention adds nothing, as W_O is 0."""
    for seed in seeds([*GATED], activation):
        rng = np.random.default_rng(seed)
        draw = Draw(seed, int(rng.integers(1, 5)))
        d_model, d_ff, biased = draw.E.shape[1], int(rng.integers(1, 6)), bool(rng.integers(2))
        gate, up = (torch.nn.Linear(d_model, d_ff, biased, dtype=torch.float64) for _ in range(2))
        down = torch.nn.Linear(d_ff, d_model, biased, dtype=torch.float64)
        x = torch.nn.functional.rms_norm(draw.embedded(), [d_model], eps=1e-5)
        expected = draw.embedded() + down(GATES[activation](gate(x)) * up(x))
        weights = {f"l1_Norm{i}_Gamma": [1.0] * d_model for i in (1, 2)}
        weights |= {f"l1_W_{letter}": np.zeros((d_model, d_model)).tolist() for letter in "QKVO"}
        weights |= {f"l1_b_{letter}": [0.0] * d_model for letter in "QKVO"} if biased else {}
        for number, linear in ((1, gate), (3, up), (2, down)):
            weights[f"l1_W_{number}"] = linear.weight.T.tolist()
            weights |= {f"l1_b_{number}": linear.bias.tolist()} if biased else {}
        sizes = {"d_ff": d_ff, "bias": biased, "norm": "rms", "residual": "pre-norm"}
        sizes |= {"activation": activation, "weights": weights}
        found = Evaluated(draw.data(kind="encoder", **PLAIN, **sizes), tmp_path / "workbook.xlsx")
        close(found["s_c0_Output"], expected, 1e-10 if activation == "geglu" else 1e-12)


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_norms(norm, tmp_path: Path):
    kind = torch.nn.LayerNorm if norm == "layer" else torch.nn.RMSNorm
    for seed in seeds(["layer", "rms"], norm):
        draw = Draw(seed, int(np.random.default_rng(seed).integers(1, 7)))
        d_model = draw.E.shape[1]
        module = kind(d_model, eps=1e-3, dtype=torch.float64)
        module.weight.data = torch.randn(d_model, dtype=torch.float64)
        weights = {"Input_Gamma": module.weight.tolist()}
        if norm == "layer":
            module.bias.data = torch.randn(d_model, dtype=torch.float64)
            weights["Input_Beta"] = module.bias.tolist()
        others = {"d_ff": 1, "bias": False, "embedding_norm": True, "norm": norm, "epsilon": 1e-3}
        data = draw.data(kind="encoder", **PLAIN, **others, seed=seed)
        drawn = spec.parse(data, "drawn").sheets[0].weights
        data["sheets"][0] |= {"weights": {name: [list(r) for r in m] for name, m in drawn.items()} | weights}
        close(Evaluated(data, tmp_path / "workbook.xlsx")["s_c0_Input"], module(draw.embedded()))


def rotated(x: Any, base: float, pairs: str) -> Any:
    """Each pair of the last axis as a complex number, rotated by position times frequency."""
    d = x.shape[-1]
    if pairs == "halves":
        x = torch.cat([x[..., : d // 2, None], x[..., d // 2 :, None]], -1).flatten(-2)
    turn = torch.arange(x.shape[-2])[:, None] * base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    z = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    x = torch.view_as_real(z * torch.polar(torch.ones_like(turn), turn)).flatten(-2)
    return torch.cat([x[..., 0::2], x[..., 1::2]], -1) if pairs == "halves" else x


@pytest.mark.parametrize("pairs", ["adjacent", "halves"])
def test_rotary_grouped_queries(pairs, tmp_path: Path):
    for seed in seeds(["adjacent", "halves"], pairs):
        rng = np.random.default_rng(seed)
        kv, times, half = (int(size) for size in rng.integers(1, 4, 3))
        heads, d_k = kv * times, 2 * half
        draw = Draw(seed, int(rng.integers(2, 6)))
        shapes = {"W_Q": heads * d_k, "W_K": kv * d_k, "W_V": kv * d_k}
        W = {name: torch.tensor(rng.normal(size=(draw.E.shape[1], cols))) for name, cols in shapes.items()}
        W["W_O"] = torch.tensor(rng.normal(size=(heads * d_k, draw.E.shape[1])))

        def split(name: str, count: int, draw: Draw = draw, W: Any = W, d_k: int = d_k) -> Any:
            return (draw.embedded() @ W[name]).reshape(draw.length, count, d_k).transpose(0, 1)

        Q, K = rotated(split("W_Q", heads), 100.0, pairs), rotated(split("W_K", kv), 100.0, pairs)
        expected = torch.nn.functional.scaled_dot_product_attention(
            Q[None], K[None], split("W_V", kv)[None], is_causal=True, enable_gqa=True
        )[0]
        data = draw.data(
            kind="multi-head",
            heads=heads,
            kv_heads=kv,
            position="rotary",
            base=100.0,
            pairs=pairs,
            mask="causal",
            weights={name: matrix.tolist() for name, matrix in W.items()},
        )
        output = expected.transpose(0, 1).flatten(1) @ W["W_O"]
        close(Evaluated(data, tmp_path / "workbook.xlsx")["s_c0_Output"], output)


def test_generated_tokens_equal_those_of_pytorch(tmp_path: Path):
    written, lengths = 0, set()
    for seed in range(DRAWS):
        temperature = (0.1, 1.0, 10.0)[seed % 3]
        rng = np.random.default_rng(seed)
        heads, d_k, d_ff = (int(size) for size in rng.integers(1, 4, 3))
        draw = Draw(seed, heads * d_k + heads)
        draw.length += int(rng.integers(4))
        layers = [
            torch_layer(torch.nn.TransformerEncoderLayer, draw, heads, d_ff, "pre-norm", "relu")
            for _ in range(2)
        ]
        E, P = torch.tensor(draw.E), torch.tensor(rng.normal(size=(draw.length, draw.E.shape[1])))
        ids = [draw.words.index(word) for word in draw.said[0]]
        lengths.add((len(ids), draw.length))
        while len(ids) <= draw.length:
            x = (E[ids] + P[: len(ids)])[None]
            for layer in layers:
                x = layer(x, src_mask=causal(len(ids)))
            logits = x[0] @ E.T
            if len(ids) == draw.length:
                break
            ids.append(int(logits[-1].argmax()))
            written += 1
        weights = {"P": P.tolist()}
        for k, layer in enumerate(layers, 1):
            weights |= layer_weights(layer, f"l{k}_")
        sizes = {"heads": heads, "d_ff": d_ff, "layers": 2, "final_norm": False, "activation": "relu"}
        sizes |= {"temperature": temperature}
        data = draw.data(kind="decoder", generate=True, weights=weights, **sizes)
        found = Evaluated(data, tmp_path / "workbook.xlsx")
        assert [word for (word,) in found["s_c0_Tokens"]] == [draw.words[i] for i in ids], seed
        close(found["s_c0_Probability"], (logits / temperature).softmax(-1))
    assert written > DRAWS
    assert any(typed == cells for typed, cells in lengths)  # a prompt that fills all cells
    assert any(typed == 1 < cells for typed, cells in lengths)
