"""Words and numbers that both halves, the command line and the documents use: each stands here once."""

from typing import Literal, TypeAlias, get_args

MASK_VALUE = -1e300
"""What a cell shows for −∞, which no cell can hold."""
HIDDEN_BELOW = -1e299
"""Numbers below it are a mask's, and shown as −∞."""
GOOD, BAD, NONE = "✓", "✗", "–"
"""What a live check's text begins with; the third also stands where there is nothing to show."""
MARKS = (GOOD, BAD, NONE)

PROGRAM_VERSION = "0.2.0"
"""The version of xlsxattn, as in pyproject.toml: workbooks say which one made them."""

EngineName: TypeAlias = Literal["ironcalc", "libreoffice", "gnumeric"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
"""The spreadsheet engines, the fastest first."""

MAX_ABS = 1e50
"""The largest number that a spec may hold; its square still is a number."""
MAX_TEXT_LENGTH = 255
"""Characters of a text: what Excel allows in a formula's text."""
MAX_ABOUT_LENGTH = 1000
"""Characters of the paragraph on Start."""
MAX_ID_LENGTH = 32
MAX_WORDS, MAX_CONTEXTS = 256, 100
"""Words of a sentence, and sentences of a spec."""
MAX_COLUMNS = 1024
"""Columns of an embedding, and of a head's queries, keys and values."""
MAX_D_FF = 4096
MAX_HEADS, MAX_LAYERS, MAX_CLASSES, MAX_NEAR, MAX_TRIES = 64, 64, 256, 256, 3
MAX_STEPS, MAX_EXAMPLES = 200, 32
"""Steps of a training, and the examples that it learns from."""
MAX_LISTED = 1_000_000
"""Words that a spec may list: those of a file of word vectors, and those that a model ranks."""

ID = rf"[a-z][a-z0-9]{{0,{MAX_ID_LENGTH - 1}}}"
"""The form of an id, as a regular expression."""
RESERVED = r"vocab|xlsxattn|w|b|[hlg][0-9]+"
"""Parts of ranges' names, which no sheet and no context may have as its id."""
MODEL_RESERVED = ("in", "out", "enc", "dec", "similar")
"""Parts of a model's names, which no context may have as its id beside one."""
