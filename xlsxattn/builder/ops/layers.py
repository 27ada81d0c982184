"""Norms (Ba et al. 2016; Zhang and Sennrich 2019), residual connections, feed-forward networks."""

from __future__ import annotations

from dataclasses import replace

from xlsxattn.builder.ops.op import VASWANI, Op
from xlsxattn.contract.kinds import GATED

MEAN = Op("mean", "=AVERAGE({x}[row])", "cells")
VARIANCE = Op("variance", "=MAX(0,VARP({x}[row]))", "cells")
MEAN_SQUARE = Op("mean square", "=SUMSQ({x}[row])/COLUMNS({x}[row])", "cells")
LAYER_NORM = Op(
    "{name} = LayerNorm({x}) = (x − mean) / √(variance + ε) ∘ γ + β",
    "=({x}-{mean})/SQRT({variance}+MAX({epsilon},1E-24))*{gamma}+{beta}",
    why="Each row is normalized to mean 0 and variance 1, then scaled by γ and shifted by β.",
    paper="Ba et al. 2016",
    more="This is the population variance: the mean squared deviation from the mean.",
)
RMS_NORM = Op(
    "{name} = RMSNorm({x}) = x / √(mean square + ε) ∘ γ",
    "={x}/SQRT({mean_square}+MAX({epsilon},1E-24))*{gamma}",
    why="Each row is normalized to mean square 1, then scaled by γ; the mean is not subtracted.",
    paper="Zhang and Sennrich 2019",
)
NORM_OF_HEADS = {
    letter: replace(
        RMS_NORM,
        why=f"Each row of {letter} is normalized to mean square 1, then scaled by γ, so that scores stay "
        "small.",
        paper="Yang et al. 2025",
    )
    for letter in "QK"
}
RESIDUAL = Op(
    "{name} = {stream} + {found}",
    "={stream}+{found}",
    why="The input is kept: the layer only adds to it.",
    paper=VASWANI.format("3.1"),
    more="A sublayer that outputs 0 leaves its input unchanged; this makes it possible to stack many layers.",
)
HIDDEN = Op(
    "Hidden = {x} · W_1",
    "=MMULT({x},0+{w})",
    why="Each word by itself: which features does it have?",
    paper=VASWANI.format("3.3"),
    more="Each column of W_1 is a pattern; the dot product says how well a word matches it.",
)
HIDDEN_BIASED = Op(
    "Hidden = {x} · W_1 + b_1", "=MMULT({x},0+{w})+{b}", why=HIDDEN.why, paper=VASWANI.format("3.3")
)
UP = Op(
    "Up = {x} · W_3", "=MMULT({x},0+{w})", why="The values that pass through the gate.", paper="Shazeer 2020"
)
UP_BIASED = Op("Up = {x} · W_3 + b_3", "=MMULT({x},0+{w})+{b}", why=UP.why, paper="Shazeer 2020")
SIGMOID = "h σ(h), with σ(h) = ½ (1 + tanh(h/2))"
ACTIVATIONS = {
    "relu": Op(
        "Activation = ReLU({h}), ReLU(h) = max(0, h)",
        "={h}*(SIGN({h})>0)",
        why="Negative numbers become 0.",
        paper=VASWANI.format("3.3"),
    ),
    "gelu": Op(
        "Activation = GELU({h}), GELU(h) = h Φ(h)",
        "={h}[cell]*NORMSDIST({h}[cell])",
        "cells",
        "Each number times the probability that a standard normal variable is smaller: a smooth step.",
        paper="Hendrycks and Gimpel 2016",
    ),
    "gelu-tanh": Op(
        "Activation = GELU({h}), GELU(h) ≈ ½ h (1 + tanh(√(2/π) (h + 0.044715 h³)))",
        "=0.5*{h}*(1+TANH(SQRT(2/PI())*({h}+0.044715*{h}*{h}*{h})))",
        why="GELU approximated with tanh: a smooth step.",
        paper="Hendrycks and Gimpel 2016",
    ),
    "silu": Op(
        f"Activation = SiLU({{h}}), SiLU(h) = {SIGMOID}",
        "={h}*(1+TANH({h}/2))/2",
        why="Each number times its own sigmoid.",
        paper="Elfwing et al. 2017",
    ),
}


def _gate(plain: Op) -> Op:
    """The gated version of an activation: activation(Hidden) ∘ Up."""
    up = "{up}[cell]" if plain.entered == "cells" else "{up}"
    return replace(
        plain,
        maths=plain.maths.replace("({h})", "({h}) ∘ {up}"),
        formula=f"{plain.formula}*{up}",
        why="A gate: Hidden decides how much of Up passes.",
        paper="Shazeer 2020",
    )


ACTIVATION_NAMES = {
    "relu": "ReLU",
    "gelu": "GELU",
    "gelu-tanh": "GELU (tanh)",
    "silu": "SiLU",
    "swiglu": "SwiGLU",
    "geglu": "GeGLU",
    "geglu-tanh": "GeGLU (tanh)",
}
"""The names of activations in texts."""
ACTIVATIONS |= {name: _gate(ACTIVATIONS[plain]) for name, plain in GATED.items()}
FEED_FORWARD = Op(
    "FeedForward = Activation · W_2",
    "=MMULT({h},0+{w})",
    why="The features of each word, projected back to the size of the embeddings.",
    paper=VASWANI.format("3.3"),
)
FEED_FORWARD_BIASED = Op(
    "FeedForward = Activation · W_2 + b_2",
    "=MMULT({h},0+{w})+{b}",
    why=FEED_FORWARD.why,
    paper=VASWANI.format("3.3"),
)
COPY = Op("{name} = {x}", "={x}", why="What has each word become? The output of the last layer.")
