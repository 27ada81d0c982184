"""Constants used by builder, checker, command line and documentation, defined once."""

from typing import Literal, TypeAlias, get_args

MASK_VALUE = -1e300
"""The value that stands for −∞, which a cell cannot hold."""
HIDDEN_BELOW = -1e299
"""Smaller values are masked and displayed as −∞."""
GOOD, BAD, NONE = "✓", "✗", "–"
"""The first character of a live check; the third also means that there is nothing to show."""
MARKS = (GOOD, BAD, NONE)

PROGRAM_VERSION = "0.2.0"
"""The version of xlsxattn, as in pyproject.toml; workbooks record it."""

EngineName: TypeAlias = Literal["ironcalc", "libreoffice", "gnumeric"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
"""The spreadsheet engines, fastest first."""
SAVED: Literal["saved"] = "saved"
"""Used in place of an engine: the values in the file."""
Engine: TypeAlias = Literal[EngineName, "saved", "all"]
"""The engine that recalculates a workbook, all of them, or ``saved`` to trust the values in the file."""
Source: TypeAlias = Literal["saved", EngineName]
"""Source of the values that are shown: saved in the file, or recalculated by an engine."""
Inputs: TypeAlias = Literal["perturbed", "as-saved"]
"""The inputs of a check: perturbed ones after those in the file, or these alone."""
Explain: TypeAlias = Literal["short", "full"]
"""How much a workbook explains: one sentence per step, or two."""
Ask: TypeAlias = Literal["formula", "number", "either"]
"""What the reader of an exercise types."""
MAX_DECIMALS = 10
"""Maximum number of decimals of typed numbers."""
Level: TypeAlias = Literal["first", "middle", "whole"]
"""What an exercise leaves blank: one cell and one row, whole blocks, or more."""

MAX_ABS = 1e50
"""The largest absolute value in a spec; its square is still finite."""
MIN_BASE, MIN_EPSILON, MIN_TEMPERATURE = 0.001, 1e-24, 1e-6
"""Workbooks replace smaller values by these (docs/contract.md): a smaller base gives huge angles, and the
variance of a row of equal numbers and the temperature are divisors."""
MAX_TRAINED, MIN_ADAM_EPSILON, MAX_BETA = 1e6, 1e-12, 1 - 2**-20
"""On training sheets: the largest absolute value, the smallest ε, and the largest decay rate."""
MAX_TEXT_LENGTH = 255
"""Maximum length of a text: Excel's limit for a string in a formula."""
MAX_FORMULA_LENGTH = 8_192
"""Maximum length of a formula in Excel."""
MAX_TRY_LENGTH, ANSWER = 600, " → "
"""Maximum length of an experiment with its answer; the separator between the two."""
MAX_ABOUT_LENGTH = 1000
"""Maximum length of the paragraph on Start."""
MAX_ID_LENGTH = 32
MAX_WORDS, MAX_CONTEXTS = 256, 100
"""Maximum number of words in a sentence, and of sentences in a spec."""
MAX_COLUMNS = 1024
"""Maximum number of columns of an embedding, and of a head's queries, keys and values."""
MAX_D_FF = 4096
MAX_HEADS, MAX_LAYERS, MAX_CLASSES, MAX_NEAR, MAX_TRIES = 64, 64, 256, 256, 3
MAX_STEPS, MAX_EXAMPLES = 200, 32
"""Maximum number of steps and of examples of a training."""
MAX_BLANKS, MAX_POINTS = 100, 1000
"""Maximum number of names or patterns of an exercise's ranges, and of points of a range."""
MAX_LISTED = 1_000_000
"""Maximum number of listed words: of a file of word vectors, and ranked by a model."""

ID = rf"[a-z][a-z0-9]{{0,{MAX_ID_LENGTH - 1}}}"
"""Regular expression of an id."""
RESERVED = r"vocab|xlsxattn|w|b|[hlg][0-9]+"
"""Parts of range names that must not be the id of a sheet or context."""
MODEL_RESERVED = ("in", "out", "enc", "dec", "similar")
"""Parts of a model's range names that must not be the id of a context if the spec has a model."""
