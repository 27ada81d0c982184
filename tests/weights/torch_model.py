"""A model in PyTorch, float64, with the numbers of a workbook: layers, maps and logits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Ran:
    """Outputs of all layers, attention by (layer, head) from 1, and the results."""

    layers: dict[int, Any] = field(default_factory=dict)
    attention: dict[tuple[int, int], Any] = field(default_factory=dict)
    output: Any = None
    logits: Any = None


class Model:
    """A workbook's model: ``settings`` of its manifest, ``inputs`` by name."""

    def __init__(
        self, torch: Any, sheet: str, settings: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> None:
        self.torch, self.F = torch, torch.nn.functional
        self.s, self.sheet = settings, sheet
        self.inputs = {
            name: torch.tensor(np.array(grid, dtype=np.float64))
            for name, grid in inputs.items()
            if not isinstance(grid[0][0], str)
        }

    def w(self, name: str) -> Any:
        return self.inputs[f"{self.sheet}_{name}"]

    def linear(self, x: Any, at: str, which: str) -> Any:
        bias = self.w(f"{at}b_{which}")[0] if self.s["bias"] else None
        return self.F.linear(x, self.w(f"{at}W_{which}").T, bias)

    def norm(self, x: Any, at: str) -> Any:
        epsilon, gamma = float(self.w("Epsilon")), self.w(f"{at}_Gamma")[0]
        if self.s["norm"] == "rms":
            return self.F.rms_norm(x, x.shape[-1:], gamma, epsilon)
        return self.F.layer_norm(x, x.shape[-1:], gamma, self.w(f"{at}_Beta")[0], epsilon)

    def rotated(self, x: Any) -> Any:
        """(heads, n, d_k): each pair of columns as a complex number, times e^(i angle)."""
        torch, (heads, n, d) = self.torch, x.shape
        frequency = self.frequencies(d)
        turn = torch.polar(
            torch.ones(n, d // 2, dtype=torch.float64), torch.outer(torch.arange(n), frequency)
        )
        if self.s["pairs"] == "adjacent":
            pairs = torch.view_as_complex(x.reshape(heads, n, d // 2, 2).contiguous())
            return torch.view_as_real(pairs * turn).reshape(heads, n, d)
        turned = torch.complex(x[..., : d // 2], x[..., d // 2 :]) * turn
        return torch.cat([turned.real, turned.imag], dim=-1)

    def frequencies(self, d: int) -> Any:
        """Frequency of each pair; scaled by wavelength, as the library does for Llama 3.1."""
        torch, base = self.torch, float(self.w("Base"))
        frequency = base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
        if not self.s.get("stretch"):
            return frequency
        factor, low, high, trained = (float(self.w(n)) for n in ("Stretch", "Low", "High", "Trained"))
        wavelength = 2 * torch.pi / frequency
        smooth = (trained / wavelength - low) / (high - low)
        between = (1 - smooth) * frequency / factor + smooth * frequency
        slow, fast = wavelength > trained / low, wavelength < trained / high
        return torch.where(slow, frequency / factor, torch.where(fast, frequency, between))

    def look(self, x: Any, k: int, h: int) -> Any:
        """The attention of one head with its own weights."""
        q, key = (self.linear(x, f"l{k}_h{h}_", which) for which in "QK")
        scores = q @ key.T / (self.s["d_k"] ** 0.5 if self.s["scale"] else 1.0)
        return self.torch.softmax(scores, dim=-1).numpy()

    def attend(self, x: Any, k: int, ran: Ran) -> Any:
        torch, s, n = self.torch, self.s, len(x)
        Q, K, V = (
            self.linear(x, f"l{k}_", which).reshape(n, heads, -1).transpose(0, 1)
            for which, heads in (("Q", s["heads"]), ("K", s["kv_heads"]), ("V", s["kv_heads"]))
        )  # (heads, n, d_k), (kv_heads, n, d_k or d_v)
        if s.get("qk_norm"):
            epsilon = float(self.w("Epsilon"))
            Q, K = (
                self.F.rms_norm(x, x.shape[-1:], self.w(f"l{k}_{name}Norm_Gamma")[0], epsilon)
                for name, x in (("Q", Q), ("K", K))
            )
        if s["position"] == "rotary":
            Q, K = self.rotated(Q), self.rotated(K)
        K, V = (each.repeat_interleave(s["heads"] // s["kv_heads"], dim=0) for each in (K, V))
        scores = Q @ K.transpose(1, 2) / (s["d_k"] ** 0.5 if s["scale"] else 1.0)  # (heads, n, n)
        if s["mask"] == "causal":
            scores = scores.masked_fill(~torch.ones(n, n, dtype=torch.bool).tril(), -torch.inf)
        A = torch.softmax(scores, dim=-1)
        ran.attention |= {(k, h + 1): A[h].numpy() for h in range(s["heads"])}
        return self.linear((A @ V).transpose(0, 1).reshape(n, -1), f"l{k}_", "O")  # (n, d_model)

    def feed_forward(self, x: Any, k: int) -> Any:
        h, F = self.linear(x, f"l{k}_", "1"), self.F  # h: (n, d_ff)
        h = {
            "relu": F.relu,
            "gelu": F.gelu,
            "gelu-tanh": lambda v: F.gelu(v, approximate="tanh"),
            "silu": F.silu,
            "swiglu": lambda v: F.silu(v) * self.linear(x, f"l{k}_", "3"),
        }[self.s["activation"]](h)
        return self.linear(h, f"l{k}_", "2")

    def run(self, ids: list[int], entering: Mapping[int, Any]) -> Ran:
        """Run on token ids, counted from 1; ``entering``: inputs of layers after a gap."""
        ran, s = Ran(), self.s
        x = self.inputs["vocab_E"][[i - 1 for i in ids]]
        if s["position"] == "learned":
            x = x + self.w("P")[: len(ids)]
        x = self.norm(x, "Input") if s["embedding_norm"] else x
        for k in s.get("taken") or range(1, s["layers"] + 1):
            x = self.torch.tensor(np.array(entering[k], dtype=np.float64)) if k in entering else x
            if "only" in s:  # an encoder's heads, nothing after them
                ran.attention |= {(k, h): self.look(x, k, h) for h in s["only"][str(k)]}
                continue
            if s["residual"] == "pre-norm":
                x = x + self.attend(self.norm(x, f"l{k}_Norm1"), k, ran)
                x = x + self.feed_forward(self.norm(x, f"l{k}_Norm2"), k)
            else:
                x = self.norm(x + self.attend(x, k, ran), f"l{k}_Norm1")
                x = self.norm(x + self.feed_forward(x, k), f"l{k}_Norm2")
            ran.layers[k] = x.numpy()
        x = self.norm(x, "Output") if s["final_norm"] else x
        ran.output = x.numpy()
        if "tied" in s:
            ran.logits = (x @ (self.inputs["vocab_E"].T if s["tied"] else self.w("W_U"))).numpy()
        return ran
