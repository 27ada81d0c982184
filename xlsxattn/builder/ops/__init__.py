"""All operations by topic, each with its maths, its formula, and an explanation."""

from xlsxattn.builder.ops import (
    attention,
    first_screen,
    focus,
    large_models,
    layers,
    live_checks,
    next_word,
    positions,
    sentences,
    training,
    words,
)
from xlsxattn.builder.ops.op import Entered, Op

__all__ = [
    "Entered",
    "Op",
    "attention",
    "first_screen",
    "focus",
    "large_models",
    "layers",
    "live_checks",
    "next_word",
    "positions",
    "sentences",
    "training",
    "words",
]
