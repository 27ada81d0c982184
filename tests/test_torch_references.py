"""Comparison of layers, norms, positions and generation with PyTorch, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import THOROUGH, optional_library
from random_models import model, words_of

from xlsxattn.checker.reference import SheetInfo, expected
from xlsxattn.checker.reference.layers import ACTIVATIONS

torch = optional_library("torch")

DRAWS = 100 if THOROUGH else 24
F = torch.nn.functional


def close(found: Any, by_torch: Any) -> None:
    by_torch = by_torch.detach().numpy()
    np.testing.assert_allclose(found, by_torch, rtol=0, atol=1e-12 * max(1.0, np.abs(by_torch).max()))


def tensor(values: Any) -> Any:
    return torch.tensor(np.asarray(values, dtype=float))


def integer(rng: Any, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def sentence(rng: Any, n: int, n_vocab: int = 12, blanks: float = 0.0, start: int = 0) -> list[str]:
    """Random words; from `start` on some of them blank, but never all."""
    said = [words_of(n_vocab)[i] for i in rng.integers(0, n_vocab, n)]
    return ["" if i >= max(1, start) and rng.random() < blanks else word for i, word in enumerate(said)]


def rows_of(inputs: Any, words: list[str]) -> Any:
    E = inputs["vocab_E"]
    return tensor([E[int(word[1:])] if word else np.zeros(E.shape[1]) for word in words])


def load(layer: Any, names: dict[str, tuple[str, ...]], inputs: Any) -> None:
    """Load our matrices into a PyTorch layer: transposed, and concatenated where the layer stores them so."""
    with torch.no_grad():
        for name, parts in names.items():
            held = layer.get_parameter(name)
            ours = np.concatenate([inputs[part].T for part in parts])
            held.copy_(tensor(ours).reshape(held.shape))


def attention_names(at: str, w: str) -> dict[str, tuple[str, ...]]:
    names = {
        f"{at}in_proj_weight": (f"{w}_W_Q", f"{w}_W_K", f"{w}_W_V"),
        f"{at}out_proj.weight": (f"{w}_W_O",),
    }
    return names | {
        f"{at}in_proj_bias": (f"{w}_b_Q", f"{w}_b_K", f"{w}_b_V"),
        f"{at}out_proj.bias": (f"{w}_b_O",),
    }


def layer_names(w: str, norms: int) -> dict[str, tuple[str, ...]]:
    names = attention_names("self_attn.", w) | {
        "linear1.weight": (f"{w}_W_1",),
        "linear2.weight": (f"{w}_W_2",),
    }
    names |= {"linear1.bias": (f"{w}_b_1",), "linear2.bias": (f"{w}_b_2",)}
    for i in range(1, norms + 1):
        names |= {f"norm{i}.weight": (f"{w}_Norm{i}_Gamma",), f"norm{i}.bias": (f"{w}_Norm{i}_Beta",)}
    return names


def blind_to(words: list[str]) -> Any:
    return torch.tensor([word == "" for word in words])[None]


def later(n: int) -> Any:
    return torch.ones(n, n, dtype=torch.bool).triu(1)


@pytest.mark.parametrize("mask", ["none", "causal", "padding", "causal+padding"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_multi_head_sheet_agrees_with_multihead_attention(mask, bias):
    rng = np.random.default_rng(11)
    for _ in range(DRAWS):
        heads, d_k, n = integer(rng, 1, 4), integer(rng, 1, 4), integer(rng, 1, 10)
        d_model = heads * d_k
        c = sentence(rng, n, blanks=0.3 if "padding" in mask else 0)
        sizes = {"heads": heads, "kv_heads": heads, "d_k": d_k, "d_v": d_k, "bias": True}
        _, inputs = model(rng, "encoder", d_model, {"c": c}, layers=1, **sizes)
        inputs |= {name.replace("s_l1_", "s_"): x for name, x in inputs.items() if name.startswith("s_l1_")}
        settings = {"weights": True, "scale": True, "mask": mask, "heads": heads, "d_k": d_k, "d_v": d_k}
        settings |= {"bias": bias} if bias else {}
        found = expected([SheetInfo("s", "multi-head", settings)], ["c"], inputs)
        layer = torch.nn.MultiheadAttention(d_model, heads, bias=bias, dtype=torch.float64, batch_first=True)
        names = attention_names("", "s")
        load(layer, {k: v for k, v in names.items() if bias or "bias" not in k}, inputs)
        X = rows_of(inputs, c)[None]
        output, A = layer(
            X, X, X, attn_mask=later(n) if "causal" in mask else None, average_attn_weights=False,
            key_padding_mask=blind_to(c) if "padding" in mask else None,
        )  # fmt: skip
        close(found["s_c_Output"].values, output[0])
        for h in range(heads):
            close(found[f"s_c_h{h + 1}_Attention"].values, A[0, h])


class CausalAttention(torch.nn.Module):
    """One head as in Raschka, "Build a Large Language Model (From Scratch)", listing 3.3."""

    def __init__(self, d_in: int, d_out: int, *, qkv_bias: bool) -> None:
        super().__init__()
        linear = [torch.nn.Linear(d_in, d_out, bias=qkv_bias, dtype=torch.float64) for _ in range(3)]
        self.W_query, self.W_key, self.W_value = linear

    def forward(self, x: Any) -> Any:
        queries, keys, values = self.W_query(x), self.W_key(x), self.W_value(x)
        scores = (queries @ keys.T).masked_fill(later(len(x)), -torch.inf)
        return torch.softmax(scores / keys.shape[-1] ** 0.5, dim=-1) @ values


@pytest.mark.parametrize("out_proj", [True, False])
@pytest.mark.parametrize("qkv_bias", [True, False])
def test_heads_of_any_output_width_agree_with_modules_of_a_textbook(out_proj, qkv_bias):
    """Concatenated heads (MultiHeadAttentionWrapper), or projected by an out_proj with a bias."""
    rng = np.random.default_rng(22)
    for _ in range(DRAWS):
        heads, d_in, d_head, d_out = (integer(rng, 1, top) for top in (4, 6, 4, 9))
        c = sentence(rng, integer(rng, 1, 9))
        _, inputs = model(rng, "encoder", d_in, {"c": c}, layers=1)
        layers = [CausalAttention(d_in, d_head, qkv_bias=qkv_bias) for _ in range(heads)]
        for letter, name in (("Q", "W_query"), ("K", "W_key"), ("V", "W_value")):
            parts = [getattr(layer, name) for layer in layers]
            inputs[f"s_W_{letter}"] = np.hstack([part.weight.detach().numpy().T for part in parts])
            if qkv_bias:
                inputs[f"s_b_{letter}"] = np.hstack([part.bias.detach().numpy()[None] for part in parts])
        joined = torch.nn.Linear(heads * d_head, d_out, dtype=torch.float64)
        if out_proj:
            inputs |= {"s_W_O": joined.weight.detach().numpy().T, "s_b_O": joined.bias.detach().numpy()[None]}
        bias = [*("QKV" if qkv_bias else ""), *("O" if out_proj else "")]
        settings = {"weights": True, "scale": True, "mask": "causal", "heads": heads, "bias": bias}
        settings |= {} if out_proj else {"out_proj": False}
        found = expected([SheetInfo("s", "multi-head", settings)], ["c"], inputs)
        side_by_side = torch.cat([layer(rows_of(inputs, c)) for layer in layers], dim=-1)
        close(found["s_c_Output"].values, joined(side_by_side) if out_proj else side_by_side)


def test_a_bias_of_the_output_alone_agrees_with_multihead_attention():
    rng = np.random.default_rng(23)
    for _ in range(DRAWS):
        heads, d_k, n = integer(rng, 1, 4), integer(rng, 1, 4), integer(rng, 1, 9)
        c = sentence(rng, n)
        sizes = {"heads": heads, "kv_heads": heads, "d_k": d_k, "d_v": d_k}
        _, inputs = model(rng, "encoder", heads * d_k, {"c": c}, layers=1, **sizes)
        inputs |= {name.replace("s_l1_", "s_"): x for name, x in inputs.items() if name.startswith("s_l1_")}
        settings = {"weights": True, "scale": True, "mask": "none", "heads": heads, "bias": ["O"]}
        found = expected([SheetInfo("s", "multi-head", settings)], ["c"], inputs)
        layer = torch.nn.MultiheadAttention(
            heads * d_k, heads, bias=False, dtype=torch.float64, batch_first=True
        )
        layer.out_proj.bias = torch.nn.Parameter(torch.empty(heads * d_k, dtype=torch.float64))
        load(layer, {k: v for k, v in attention_names("", "s").items() if k != "in_proj_bias"}, inputs)
        X = rows_of(inputs, c)[None]
        close(found["s_c_Output"].values, layer(X, X, X)[0][0])


@pytest.mark.parametrize("mask", ["none", "padding"])
def test_a_cross_attention_sheet_agrees_with_multihead_attention(mask):
    rng = np.random.default_rng(12)
    for _ in range(DRAWS):
        heads, d_k = integer(rng, 1, 4), integer(rng, 1, 4)
        q = sentence(rng, integer(rng, 1, 9))
        m = sentence(rng, integer(rng, 1, 9), blanks=0.4 if mask == "padding" else 0)
        sizes = {"heads": heads, "kv_heads": heads, "d_k": d_k, "d_v": d_k}
        _, inputs = model(rng, "encoder", heads * d_k, {"q": q, "m": m}, layers=1, **sizes)
        inputs |= {name.replace("s_l1_", "s_"): x for name, x in inputs.items() if name.startswith("s_l1_")}
        settings = {"queries": "q", "keys": "m", "weights": True, "scale": True, "mask": mask, "heads": heads}
        found = expected([SheetInfo("s", "cross-attention", settings)], ["m", "q"], inputs)
        layer = torch.nn.MultiheadAttention(
            heads * d_k, heads, bias=False, dtype=torch.float64, batch_first=True
        )
        load(layer, {k: v for k, v in attention_names("", "s").items() if "bias" not in k}, inputs)
        X, Y = rows_of(inputs, q)[None], rows_of(inputs, m)[None]
        blind = blind_to(m) if mask == "padding" else None
        output, A = layer(X, Y, Y, key_padding_mask=blind, average_attn_weights=False)
        close(found["s_q_Output"].values, output[0])
        for h in range(heads):
            close(found[f"s_q_h{h + 1}_Attention"].values, A[0, h])


@pytest.mark.parametrize("residual", ["pre-norm", "post-norm"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_an_encoder_agrees_with_transformer_encoder_layers(residual, activation):
    rng = np.random.default_rng(13)
    for draw in range(DRAWS):
        heads, d_k, d_ff, n = (integer(rng, 1, top) for top in (3, 4, 9, 8))
        d_model, mask = max(2, heads * d_k), ("none", "causal", "padding", "causal+padding")[draw % 4]
        heads = 1 if d_model != heads * d_k else heads
        c = sentence(rng, n, blanks=0.3 if "padding" in mask else 0)
        sheet, inputs = model(
            rng, "encoder", d_model, {"c": c}, heads=heads, kv_heads=heads, d_k=d_model // heads,
            d_v=d_model // heads, d_ff=d_ff, residual=residual, activation=activation, mask=mask,
            final_norm=bool(draw % 2),
        )  # fmt: skip
        found = expected([sheet], ["c"], inputs)
        X = rows_of(inputs, c)[None]
        for k in (1, 2):
            layer = torch.nn.TransformerEncoderLayer(
                d_model, heads, d_ff, 0.0, activation, batch_first=True, norm_first=residual == "pre-norm",
                dtype=torch.float64,
            )  # fmt: skip
            load(layer, layer_names(f"s_l{k}", 2), inputs)
            X = layer(
                X,
                src_mask=later(n) if "causal" in mask else None,
                src_key_padding_mask=blind_to(c) if "padding" in mask else None,
            )
            last = f"s_c_l{k}_Residual2" if residual == "pre-norm" else f"s_c_l{k}_Norm2"
            close(found[last].values, X[0])
        if sheet.settings["final_norm"]:
            gamma, beta = (tensor(inputs[f"s_Output_{x}"][0]) for x in ("Gamma", "Beta"))
            X = F.layer_norm(X, (d_model,), gamma, beta, 1e-5)
        close(found["s_c_Output"].values, X[0])


@pytest.mark.parametrize("residual", ["pre-norm", "post-norm"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_an_encoder_decoder_agrees_with_transformer_layers(residual, activation):
    rng = np.random.default_rng(14)
    for draw in range(DRAWS):
        heads, d_k, d_ff = (integer(rng, *size) for size in ((1, 3), (2, 4), (1, 9)))
        d_model, mask = heads * d_k, ("none", "padding")[draw % 2]
        c = sentence(rng, integer(rng, 1, 8), blanks=0.3 if mask == "padding" else 0)
        t = sentence(rng, integer(rng, 1, 8))
        sheet, inputs = model(
            rng, "encoder-decoder", d_model, {"c": c, "t": t}, layers=1, heads=heads, kv_heads=heads, d_k=d_k,
            d_v=d_k, d_ff=d_ff, residual=residual, activation=activation, mask=mask, tied=bool(draw % 3),
        )  # fmt: skip
        found = expected([sheet], ["c", "t"], inputs)
        how = {"batch_first": True, "norm_first": residual == "pre-norm", "dtype": torch.float64}
        coder = torch.nn.TransformerEncoderLayer(d_model, heads, d_ff, 0.0, activation, **how)
        decoder = torch.nn.TransformerDecoderLayer(d_model, heads, d_ff, 0.0, activation, **how)
        load(coder, layer_names("s_enc_l1", 2), inputs)
        load(
            decoder, layer_names("s_dec_l1", 3) | attention_names("multihead_attn.", "s_dec_l1_Cross"), inputs
        )
        blind = blind_to(c) if mask == "padding" else None
        source = coder(rows_of(inputs, c)[None], src_key_padding_mask=blind)
        target = decoder(
            rows_of(inputs, t)[None], source, tgt_mask=later(len(t)), memory_key_padding_mask=blind
        )
        close(found["s_c_Output"].values, source[0])
        close(found["s_t_Output"].values, target[0])
        U = tensor(inputs["vocab_E"].T if sheet.settings["tied"] else inputs["s_W_U"])
        logits = target[0] @ U
        close(found["s_t_Logits"].values, logits)
        close(found["s_t_Probability"].values, logits.softmax(-1))
        best = logits.topk(2)
        close(found["s_t_TopLogits"].values, best.values)
        assert (found["s_t_TopIds"].values == best.indices.numpy() + 1).all()


def test_norms_agree_with_layer_norm_and_rms_norm():
    rng = np.random.default_rng(15)
    for draw in range(DRAWS):
        kind, d_model = ("layer", "rms")[draw % 2], integer(rng, 2, 12)
        c, epsilon = sentence(rng, integer(rng, 1, 6)), float(10 ** rng.uniform(-6, 1))
        sheet, inputs = model(
            rng, "encoder", d_model, {"c": c}, norm=kind, embedding_norm=True, bias=False, activation="swiglu"
        )
        inputs["s_Epsilon"][:] = epsilon
        found = expected([sheet], ["c"], inputs)
        for B, x, learned in (("Input", "Sum", "Input"), ("l2_Norm1", "l2_Residual1", "l2_Norm1")):
            norm = torch.nn.LayerNorm if kind == "layer" else torch.nn.RMSNorm
            layer = norm(d_model, eps=epsilon, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(tensor(inputs[f"s_{learned}_Gamma"][0]))
                if kind == "layer":
                    layer.bias.copy_(tensor(inputs[f"s_{learned}_Beta"][0]))
            close(found[f"s_c_{B}"].values, layer(tensor(found[f"s_c_{x}"].values)))


@pytest.mark.parametrize(
    ("name", "by_torch"),
    [
        ("relu", F.relu),
        ("gelu", F.gelu),
        ("gelu-tanh", lambda h: F.gelu(h, approximate="tanh")),
        ("silu", F.silu),
        ("swiglu", F.silu),
        ("geglu", F.gelu),
        ("geglu-tanh", lambda h: F.gelu(h, approximate="tanh")),
    ],
)
def test_activations_agree_with_pytorch(name, by_torch):
    h = np.concatenate([np.linspace(-40, 40, 4001), np.random.default_rng(16).normal(size=1000)])[None]
    found = ACTIVATIONS[name](h)
    close(found, by_torch(tensor(h)))
    within = np.abs(h) < 5  # and small values have a small relative error
    np.testing.assert_allclose(found[within], by_torch(tensor(h)).numpy()[within], rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_a_gated_gelu_agrees_with_pytorch(approximate):
    rng = np.random.default_rng(21)
    activation = "geglu" if approximate == "none" else "geglu-tanh"
    for draw in range(DRAWS):
        d_model, d_ff, c = integer(rng, 2, 6), integer(rng, 1, 9), sentence(rng, integer(rng, 1, 8))
        sheet, inputs = model(
            rng, "encoder", d_model, {"c": c}, layers=1, heads=1, kv_heads=1, d_ff=d_ff, bias=bool(draw % 2),
            activation=activation,
        )  # fmt: skip
        found = expected([sheet], ["c"], inputs)
        weights = {}
        for i in "123":
            b = tensor(inputs[f"s_l1_b_{i}"][0]) if draw % 2 else None
            weights[i] = (tensor(inputs[f"s_l1_W_{i}"].T), b)
        x = tensor(found["s_c_l1_Norm1"].values)
        Up = F.linear(x, *weights["3"])
        Activation = F.gelu(F.linear(x, *weights["1"]), approximate=approximate) * Up
        close(found["s_c_l1_Up"].values, Up)
        close(found["s_c_l1_Activation"].values, Activation)
        close(found["s_c_l1_FeedForward"].values, F.linear(Activation, *weights["2"]))


def turned(x: Any, pairs: str, base: float) -> Any:
    """Rotary positions, (heads, n, d), as real 2 × 2 rotations in PyTorch."""
    n, d = x.shape[1:]
    angle = torch.arange(n, dtype=torch.float64)[:, None] * base ** (
        -torch.arange(0, d, 2, dtype=torch.float64) / d
    )
    cos, sin = angle.cos(), angle.sin()
    a, b = (x[..., : d // 2], x[..., d // 2 :]) if pairs == "halves" else (x[..., ::2], x[..., 1::2])
    parts = (a * cos - b * sin, a * sin + b * cos)
    return torch.cat(parts, -1) if pairs == "halves" else torch.stack(parts, -1).flatten(-2)


@pytest.mark.parametrize("pairs", ["adjacent", "halves"])
@pytest.mark.parametrize("kind", ["decoder", "multi-head"])
def test_rotary_grouped_queries_agree_with_scaled_dot_product_attention(pairs, kind):
    rng = np.random.default_rng(17)
    for _ in range(DRAWS):
        groups, each, d_k, d_v = (
            integer(rng, 1, 3),
            integer(rng, 1, 3),
            2 * integer(rng, 1, 3),
            integer(rng, 1, 4),
        )
        heads, d_model, n = groups * each, integer(rng, 2, 8), integer(rng, 1, 9)
        c = sentence(rng, n)
        sheet, inputs = model(
            rng, "decoder", d_model, {"c": c}, layers=1, heads=heads, kv_heads=groups, d_k=d_k, d_v=d_v,
            position="rotary", pairs=pairs, norm="rms", residual="pre-norm", activation="swiglu", bias=False,
            mask="causal", final_norm=True,
        )  # fmt: skip
        inputs["s_Base"][:] = base = float(rng.uniform(2, 1e4))
        w = "s_l1"
        if kind == "multi-head":
            sheet = SheetInfo("s", kind, {**sheet.settings, "weights": True})
            inputs |= {f"s_W_{x}": inputs[f"s_l1_W_{x}"] for x in "QKVO"}
        found = expected([sheet], ["c"], inputs)
        at = "s_c" if kind == "multi-head" else "s_c_l1"
        X = rows_of(inputs, c)
        x = (
            X
            if kind == "multi-head"
            else F.rms_norm(X, (d_model,), tensor(inputs["s_l1_Norm1_Gamma"][0]), 1e-5)
        )
        Q, K, V = (
            (x @ tensor(inputs[f"{w}_W_{letter}"])).reshape(n, number, -1).transpose(0, 1)
            for letter, number in (("Q", heads), ("K", groups), ("V", groups))
        )
        Q, K = turned(Q, pairs, base), turned(K, pairs, base)
        output = F.scaled_dot_product_attention(Q[None], K[None], V[None], is_causal=True, enable_gqa=True)[0]
        for h in range(heads):
            close(found[f"{at}_h{h + 1}_QRot"].values, Q[h])
            close(found[f"{at}_h{h + 1}_Output"].values, output[h])
        made = output.transpose(0, 1).reshape(n, -1) @ tensor(inputs[f"{w}_W_O"])
        close(found[f"{at}_{'Output' if kind == 'multi-head' else 'MultiHead'}"].values, made)
        if kind == "decoder":
            stream = X + made
            y = F.rms_norm(stream, (d_model,), tensor(inputs["s_l1_Norm2_Gamma"][0]), 1e-5)
            W_1, W_2, W_3 = (tensor(inputs[f"s_l1_W_{i}"]) for i in (1, 2, 3))
            stream = stream + (F.silu(y @ W_1) * (y @ W_3)) @ W_2
            out = F.rms_norm(stream, (d_model,), tensor(inputs["s_Output_Gamma"][0]), 1e-5)
            close(found["s_c_Output"].values, out)
            close(found["s_c_Logits"].values, out @ tensor(inputs["vocab_E"].T))


@pytest.fixture
def transformers(monkeypatch) -> Any:
    """The library, computing in float64 instead of float32."""
    library: Any = pytest.importorskip("transformers", reason="transformers is missing")
    for name in ("float", "float32"):
        monkeypatch.setattr(torch, name, torch.float64)
    return library


def rope(inputs: Any, *, stretched: bool) -> dict[str, Any]:
    """The angles as transformers' configurations have them."""
    base, factor, low, high, trained = (
        inputs[f"s_{x}"].item() for x in ("Base", "Stretch", "Low", "High", "Trained")
    )
    kind = {"rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high}
    kind["original_max_position_embeddings"] = trained
    return {"rope_theta": base} | (kind if stretched else {"rope_type": "default"})


@pytest.mark.parametrize(("family", "stretched"), [("Llama", True), ("Qwen3", False), ("Qwen3", True)])
def test_stretched_rotations_and_normed_heads_agree_with_transformers(transformers, family, stretched):
    rng = np.random.default_rng(20)
    ramps: list[float] = []
    for draw in range(DRAWS):
        groups, each, half = (integer(rng, *size) for size in ((1, 3), (1, 3), (1, 6)))
        heads, d_k, n = groups * each, 2 * half, integer(rng, 1, 9)
        d_model = heads * integer(rng, 1, 3)
        c, pairs = sentence(rng, n), ("halves", "adjacent")[draw % 2]
        sheet, inputs = model(
            rng, "decoder", d_model, {"c": c}, layers=1, heads=heads, kv_heads=groups, d_k=d_k, d_v=d_k,
            position="rotary", pairs=pairs, norm="rms", residual="pre-norm", bias=bool(draw // 2 % 2),
            mask="causal", qk_norm=family == "Qwen3", **({"stretch": True} if stretched else {}),
        )  # fmt: skip
        limits = {"Base": (2, 1e5), "Stretch": (1, 32), "Low": (0.1, 1), "High": (1.5, 8), "Trained": (8, 99)}
        inputs |= {f"s_{x}": rng.uniform(*within, (1, 1)) for x, within in limits.items()}
        found = expected([sheet], ["c"], inputs)
        config = getattr(transformers, f"{family}Config")(
            hidden_size=d_model, num_attention_heads=heads, num_key_value_heads=groups, head_dim=d_k,
            attention_bias=sheet.settings["bias"], rms_norm_eps=1e-5, num_hidden_layers=1,
            rope_parameters=rope(inputs, stretched=stretched), attn_implementation="eager",
        )  # fmt: skip
        code = getattr(transformers.models, family.lower())
        code = getattr(code, f"modeling_{family.lower()}")
        turning = getattr(code, f"{family}RotaryEmbedding")(config)
        order = np.arange(d_k) if pairs == "halves" else np.arange(d_k).reshape(2, -1).T.reshape(-1)
        close(found["s_Frequency"].values, turning.inv_freq.repeat(2)[None, order])
        ramps += found["s_Ramp"].values[0].tolist() if stretched else []
        attention = getattr(code, f"{family}Attention")(config, 0).double()
        unordered = np.argsort(order)  # the columns in the order of the library
        with torch.no_grad():
            for letter, many in (("Q", heads), ("K", groups), ("V", groups), ("O", 1)):
                linear = getattr(attention, f"{letter.lower()}_proj")
                kept = np.concatenate(
                    [h * d_k + (unordered if letter in "QK" else np.arange(d_k)) for h in range(many)]
                )
                for part, name in ((linear.weight, "W"), (linear.bias, "b")):
                    if part is not None:
                        ours = inputs[f"s_l1_{name}_{letter}"]
                        ours = (ours if letter == "O" else ours[:, kept]).T
                        part.copy_(tensor(ours).reshape(part.shape))
            for x in "QK" if family == "Qwen3" else "":
                getattr(attention, f"{x.lower()}_norm").weight.copy_(
                    tensor(inputs[f"s_l1_{x}Norm_Gamma"][0, unordered])
                )
        x = tensor(found["s_c_l1_Norm1"].values)[None]
        unseen = torch.zeros(n, n, dtype=torch.float64).masked_fill(later(n), -torch.inf)[None, None]
        output, A = attention(x, turning(x, torch.arange(n)[None]), unseen)
        close(found["s_c_l1_MultiHead"].values, output[0])
        for h in range(heads):
            close(found[f"s_c_l1_h{h + 1}_Attention"].values, A[0, h])
    if stretched:
        assert {0.0, 1.0} < set(ramps)  # below the ramp, above it, and on it


def test_writing_agrees_with_a_pytorch_loop_token_for_token():
    rng = np.random.default_rng(18)
    fresh = 0
    for draw in range(DRAWS):
        heads, d_k, n = integer(rng, 1, 2), integer(rng, 2, 4), integer(rng, 2, 8)
        d_model, start = heads * d_k, integer(rng, 1, n)
        typed = [w if i < start or rng.random() < 0.2 else "" for i, w in enumerate(sentence(rng, n))]
        sheet, inputs = model(
            rng, "decoder", d_model, {"c": typed}, heads=heads, kv_heads=heads, d_k=d_k, d_v=d_k,
            residual="pre-norm", activation=("gelu", "relu")[draw % 2], mask="causal", position="learned",
            final_norm=True, generate=True, tied=bool(draw % 2),
        )  # fmt: skip
        found = expected([sheet], ["c"], inputs)
        layers = []
        for k in (1, 2):
            layer = torch.nn.TransformerEncoderLayer(
                d_model, heads, 8, 0.0, sheet.settings["activation"], batch_first=True, norm_first=True,
                dtype=torch.float64,
            )  # fmt: skip
            load(layer, layer_names(f"s_l{k}", 2), inputs)
            layers.append(layer)
        gamma, beta = (tensor(inputs[f"s_Output_{x}"][0]) for x in ("Gamma", "Beta"))
        U = tensor(inputs["vocab_E"].T if sheet.settings["tied"] else inputs["s_W_U"])
        said: list[str] = []
        logits = None
        for i in range(n + 1):
            if i == n:
                break
            said.append(typed[i] or f"w{int(logits[-1].argmax())}")
            fresh += typed[i] == ""
            X = (rows_of(inputs, said) + tensor(inputs["s_P"][: len(said)]))[None]
            for layer in layers:
                X = layer(X, src_mask=later(len(said)))
            logits = F.layer_norm(X[0], (d_model,), gamma, beta, 1e-5) @ U
        assert found["s_c_Tokens"].values[:, 0].tolist() == said
        assert found["s_c_Text"].values.item() == " ".join(said)
        assert (found["s_c_Ids"].values[:, 0] == [int(word[1:]) + 1 for word in said]).all()
        close(found["s_c_Logits"].values, logits)
        assert found["s_c_Next"].values[:, 0].tolist() == [f"w{i}" for i in logits.argmax(-1).tolist()]
    assert fresh > DRAWS


def test_a_classifier_agrees_with_mean_pooling_over_the_words_that_exist():
    rng = np.random.default_rng(19)
    for draw in range(DRAWS):
        pool, mask = ("mean", "first")[draw % 2], ("none", "padding")[draw // 2 % 2]
        c = sentence(rng, integer(rng, 1, 8), blanks=0.4)
        sheet, inputs = model(rng, "classifier", 4, {"c": c}, pool=pool, mask=mask)
        found = expected([sheet], ["c"], inputs)
        out = tensor(found["s_c_Output"].values)
        rows = [i for i, word in enumerate(c) if word or mask == "none"]
        logits = (out[rows].mean(0) if pool == "mean" else out[0]) @ tensor(inputs["s_W_C"])
        logits = logits + tensor(inputs["s_b_C"][0])
        close(found["s_c_Probability"].values[0], logits.softmax(-1))
        assert found["s_c_Class"].values.item() == ("yes", "no", "perhaps")[int(logits.argmax())]
