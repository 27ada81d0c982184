"""Positions (Vaswani et al. 2017, section 3.5; Su et al. 2021): added, or by rotating queries and keys."""

from __future__ import annotations

from dataclasses import replace

from xlsxattn.builder.ops.op import VASWANI, Op

FREQUENCY = Op(
    "frequency = base^(−2i/d)",
    "=MAX({base},0.001)^(-2*{pair}/COLUMNS({pair}))",
    why="Each pair of columns rotates at its own frequency: the first fast, the last slowly.",
    paper=VASWANI.format("3.5"),
    more="Wavelengths grow from 2π to 2π times the base, like the hands of a clock: seconds, minutes, hours.",
)
THETA = replace(FREQUENCY, maths="θ = base^(−2i/d)", more="")
RATIO = Op(
    "Ratio = L · θ / 2π",
    "={trained}*{theta}/(2*PI())",
    why="How many turns does each pair make within L, the length of the original training?",
    paper="Peng et al. 2023",
)
RAMP = Op(
    "Ramp = (Ratio − α) / (β − α), from 0 to 1",
    "=IF({ratio}<{low},0,IF({ratio}-{low}>MAX({high}-{low},0.001),1,"
    "({ratio}-{low})/MAX({high}-{low},0.001)))",
    why="How much of its frequency does each pair keep? 1 for fast pairs, which keep all of it; 0 for "
    "slow pairs, which are slowed down.",
    paper="Peng et al. 2023",
)
STRETCHED_FREQUENCY = Op(
    "frequency = (1 − Ramp) · θ / s + Ramp · θ",
    "=(1-{ramp})*{theta}/MAX({stretch},0.001)+{ramp}*{theta}",
    why="Slow pairs rotate s times more slowly, so that texts s times as long stay within the angles "
    "seen in training.",
    paper="Peng et al. 2023",
    more="Fast pairs distinguish neighbours, and keep their frequency.",
)
ANGLE = Op(
    "angle = position · frequency",
    "={position}*{frequency}",
    why="How far is each pair rotated at this position? In radians; the first token is at position 0.",
    paper=VASWANI.format("3.5"),
)
SINUSOIDAL = Op(
    "P = sin(angle) or cos(angle), alternating: PE(pos, 2i) = sin(pos / base^(2i/d)), "
    "PE(pos, 2i+1) = cos(...)",
    "=(1-{odd})*SIN({angle})+{odd}*COS({angle})",
    why="Where is a token? One row per position, one column per dimension: sines and cosines of the angles.",
    paper=VASWANI.format("3.5"),
    more="Positions with the same distance differ by the same rotation, so distances can be recognized.",
)
COSINES = Op(
    "Cos = cos(angle)",
    "=COS({angle})",
    why="The factor of each number when its pair is rotated.",
    paper="Su et al. 2021",
)
SINES = Op(
    "Sin = sin(angle)",
    "=SIN({angle})",
    why="The factor of the pair's other number when it is rotated.",
    paper="Su et al. 2021",
)
ROTATE = {
    letter: Op(
        f"{letter}Rot = {{x}} ∘ cos + ({{x}} · Turn) ∘ sin",
        "={x}*{cos}+MMULT({x},{turn})*{sin}",
        why=f"Each pair of {letter} is rotated by the angle of its position, so scores depend on the "
        "distance between two tokens.",
        paper="Su et al. 2021",
    )
    for letter in "QK"
}
INPUT = {
    "XP": Op(
        "{name} = X + P",
        "={x}+{p}",
        why="Embedding plus position: the input of the next steps.",
        paper=VASWANI.format("3.5"),
    ),
    "√XP": Op(
        "{name} = √d_model · X + P",
        "=SQRT(COLUMNS({x}))*{x}+{p}",
        why="The embedding times √d_model, plus the position: the input of the first layer.",
        paper=VASWANI.format("3.5"),
    ),
    "X": Op(
        "{name} = X", "={x}", why="The input of the first layer: embeddings only, no positions are added."
    ),
    "√X": Op(
        "{name} = √d_model · X",
        "=SQRT(COLUMNS({x}))*{x}",
        why="The embedding times √d_model: the input of the first layer.",
    ),
}
