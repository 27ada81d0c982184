"""Up to three experiments for each page, each with what to look for.

They are selected by settings and sentences, so that what a text claims is true on its page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.contract.kinds import (
    CAUSAL,
    PADDING,
    AttentionSheet,
    Classifier,
    Compare,
    CrossAttention,
    EncoderDecoder,
    Model,
    Sheet,
    WithAttention,
    Writer,
)
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context

MAX_COUNT = 3
MIN_TURNING, LARGE_BASE = 3, 2.0
"""Minimum number of columns with a second pair, which depends on the base; the base that makes it fast."""

# --- Inputs ------------------------------------------------------------------------------------------------

FOCUS = "Choose another focus word, one that stands in a sentence: its row is outlined from sheet to sheet."
FOCUS_IN_CHARTS = (
    "Choose another focus word, one that stands in a sentence: its row is outlined from sheet to sheet, and "
    "the charts follow it."
)
OTHER_WORD = "Put another word of the list into a sentence. On the next sheets, whose attention changes?"
ZERO_SCORES = (
    "Set all the numbers of a word to 0. On “{sheet}” its scores become 0, and it still gets "
    "attention: exp(0) = 1, and 0 is larger than any negative score."
)
NEVER_NEGATIVE = (
    "Set all the numbers of a word to 0. On “{sheet}” its scores become 0, and it still gets "
    "attention: exp(0) is 1, not 0."
)
ZERO_BUT_PLACE = "Set all the numbers of a word to 0: its row of X becomes 0, and only its position is left."
ZERO = "Set all the numbers of a word to 0: its row of X becomes 0. How much attention does it still get?"
ZERO_ALONE = (
    "Set all the numbers of a word to 0: its row of X becomes 0. The precomputed rows of omitted "
    "layers do not change."
)

# --- attention sheets --------------------------------------------------------------------------------------

NEIGHBOUR = (
    "On Start, replace a neighbour of the focus word by another word. Which bar of its chart changes, "
    "and does its output change?"
)
NEIGHBOUR_BEFORE = (
    "On Start, replace a word before the focus word by another one. Which bar of its chart changes, and "
    "does its output change?"
)
FOCUS_HERE = (
    "On Start, choose another focus word of these sentences: its row is outlined here. Where does it look?"
)
NO_WEIGHTS = (
    "On Inputs, double the largest number of a word. Its score with itself grows: which words attend to "
    "it now?"
)
WEIGHTS = "Set all of W_Q to 0. All scores become 0: what does every row of the attention become, and why?"
WEIGHTS_BIASED = (
    "Set all of W_Q and b_Q to 0. All scores become 0: what does every row of the attention become, and why?"
)
HEADS = "Set the rows of W_O that belong to one head to 0. What did that head add to the output?"
CAUSAL_MASK = (
    "On Start, replace the last word by another one. The rows above it in the attention do not change, "
    "because no word attends to later words."
)
PADDING_MASK = "On Start, clear a cell in the middle of a sentence. Its column of the attention becomes 0."
PADDING_OPENS = (
    "On Start, type a word into a blank cell of a sentence: its column of the attention is no longer masked."
)
TEMPERATURE = (
    "Set the temperature to 0.1, then to 10. The entropy of the focus word's row falls, then rises; its bars "
    "show why."
)
SCALE = (
    "Compare the entropies beside the attention, with and without division by √d: which distribution is "
    "more concentrated?"
)
TWICE = (
    "“{word}” occurs twice in a sentence: its two rows are equal in every block, because positions "
    "are not encoded."
)
BASE = "Set the base to 2: the last columns now rotate fast, too. Compare the angles before and after."
PLACES = "Set a row of P to 0: the word at that position has no position encoding. Which rows change?"
DISTANCE = (
    "On Start, write the same word into all cells of a sentence: each score then depends only on the "
    "distance between two words."
)
CROSS = (
    "On Start, replace a word of the sentence with the keys. Which word of the other sentence attends "
    "to it most?"
)

# --- learning ----------------------------------------------------------------------------------------------

RATE = (
    "Set the learning rate to 0, then to a hundred times what it was. The loss stays as it was; then it "
    "jumps about, and may end higher than it began: such steps are too long for the slope that they follow."
)
NUDGE = (
    "In the gradient check, set h to 0.1, 1E-5 and 1E-8. The difference falls, then rises: a large h "
    "has a truncation error, a small one a rounding error."
)
OWN_TARGET = (
    "Give one of the examples another target. Does the loss still fall as far? Two examples that ask for "
    "opposite things hold each other back."
)

LEARNING = (RATE, NUDGE, OWN_TARGET)
"""What to try on the page of a training."""

# --- comparing ---------------------------------------------------------------------------------------------

MOVED = "On Start, replace a neighbour of the focus word by another word: which of its outputs changes?"
SHARED = (
    "Choose another focus word that stands in every sentence, such as “{word}”. Do its outputs part as well? "
    "Where one is nearly 0, its cosine says little."
)
PULLED = (
    "On Inputs, double one of the large numbers of the focus word: do its neighbours still change its "
    "meaning?"
)

# --- models ------------------------------------------------------------------------------------------------

MODEL_WORD = (
    "Put another word into a sentence on Start: its row of Input changes, and the layers read that one."
)
SAME_WORD_PLACED = (
    "Write the same word twice in a sentence. Its embedding is the same: what makes the two rows of Input "
    "differ?"
)
SAME_WORD_TURNED = (
    "Write the same word twice in a sentence: its two rows of Input are equal. Positions come in only "
    "where layers rotate queries and keys."
)
SAME_WORD = (
    "Write the same word twice in a sentence: its two rows of Input are equal, because positions are "
    "not encoded."
)
MODEL_FOCUS = (
    "On Start, choose another focus word of these sentences: its row is outlined here and in every layer."
)
LAYER_FOCUS = (
    "Choose another focus word on Start: its row is outlined here. Which words does it look at in each head?"
)
NO_FEED_FORWARD = (
    "Set all of W_2 to 0: FeedForward becomes 0, and {residual} equals {stream}. Only attention is left."
)
NO_FEED_FORWARD_BIASED = (
    "Set all of W_2 and b_2 to 0: FeedForward becomes 0, and {residual} equals {stream}. Only "
    "attention is left."
)
NORM_COLUMN = "Set one γ of Norm1 to 0: for every word, that column of Norm1 becomes its β."
RMS_NORM_COLUMN = "Set one γ of Norm1 to 0: for every word, that column of Norm1 becomes 0."
PROMPT = "Type another prompt on Start: what does the model write after it?"
SOURCE = "Type other words for the encoder on Start: what does the decoder write now?"
NO_LOOK_AHEAD = (
    "Put another word into the decoder's sentence on Start: the next words of the rows above it "
    "stay, for no row looks ahead."
)
MODEL_TEMPERATURE = (
    "Set the temperature on the sheet “{title}” to 0.1, then to 10: the probabilities change, the word with "
    "the largest stays."
)
RIVALS = "Look at the most likely words of a row: how far is the second behind the first?"
CLASSIFIED = (
    "Put another word into a sentence on Start. How far do the logits move, and do the probabilities show it?"
)
ORDER = (
    "Write the words of a sentence in another order. Does its class stay, and how far apart are the logits?"
)
CLASS_COLUMN = "Set a column of W_C to 0: only the bias of its class is left."
READ_WORD = "Put another word into a sentence on Start: which rows change here, its own alone?"
READ_TWICE = "Write the same word twice in a sentence: are its two rows alike?"
READ_THROUGH = (
    "Follow the focus word's row from X on the first sheet through the layers to here. Where does it change "
    "most?"
)
READ_AT_ONCE = "Compare the focus word's row with its row of X. What has it taken from the other words?"


def inputs(spec: Spec) -> tuple[str, ...]:
    """The experiments of Inputs."""
    focus = FOCUS_IN_CHARTS if _has_charts(spec) else FOCUS
    return (focus, ZERO_ALONE) if has_typed_rows(spec) else (focus, OTHER_WORD, _zero(spec))


def has_typed_rows(spec: Spec) -> bool:
    """True if a model has precomputed rows, whose words must not be changed."""
    return any(isinstance(sheet, Model) and sheet.has_typed_rows for sheet in spec.sheets)


def _has_charts(spec: Spec) -> bool:
    """True if some page has a chart of the focus word."""
    plane = spec.vocabulary.d_model > 1  # else the comparing sheet has no chart
    return any(_has_chart(sheet, plane=plane) for sheet in spec.sheets)


def _zero(spec: Spec) -> str:
    """The experiment of setting a word's numbers to 0."""
    attention = [sheet for sheet in spec.sheets if isinstance(sheet, AttentionSheet)]
    silent = [sheet for sheet in attention if not ({"Q", "K"} & {*sheet.biases} or sheet.adds_places)]
    if silent:
        learned = next((s for s in silent if s.weights), silent[0])  # with weights, scores may be negative
        return say(ZERO_SCORES if learned.weights else NEVER_NEGATIVE, sheet=say(learned.title))
    first = spec.sheets[0]
    return ZERO_BUT_PLACE if isinstance(first, WithAttention) and first.adds_places else ZERO


def _has_chart(sheet: Sheet, *, plane: bool) -> bool:
    """True if a sheet has a chart of the focus word."""
    if isinstance(sheet, Model):
        return sheet.similarity
    return plane or not isinstance(sheet, Compare)


def experiments(spec: Spec, sheet: WithAttention) -> tuple[str, ...]:
    """The experiments of an attention sheet: those of the spec, or the first ones that suit its settings."""
    if sheet.try_:
        return tuple(sheet.try_)
    contexts = [spec.context(one) for one in sheet.contexts] or list(spec.contexts)
    crossed = isinstance(sheet, CrossAttention)
    return _first(
        TEMPERATURE if sheet.tempered else "",
        _position(sheet, contexts),
        HEADS if sheet.projects_out and sheet.heads > 1 else "",
        CAUSAL_MASK if sheet.mask in CAUSAL and _longest(contexts) > 1 else "",
        _padding(sheet, contexts[1:] if crossed else contexts),
        CROSS if crossed else "",
        _twice(sheet, contexts),
        "" if crossed else _neighbour(spec, sheet, contexts),
        _weights(sheet),
        "" if crossed or sheet.weights or sheet.adds_places else NO_WEIGHTS,
        SCALE if sheet.scale and not crossed and _keys(spec, sheet) > 1 else "",
        FOCUS_HERE,
    )


def _weights(sheet: WithAttention) -> str:
    """The experiment with W_Q, if there are weights."""
    if not sheet.weights:
        return ""
    return WEIGHTS_BIASED if "Q" in sheet.biases else WEIGHTS


def compared(spec: Spec) -> tuple[str, ...]:
    """The experiments of a comparing sheet."""
    shared = [w for w in spec.contexts[0].words if w and all(w in c.words for c in spec.contexts)]
    others = [word for word in shared if word != spec.focus]
    beside = _beside(spec, spec.contexts)
    return _first(
        MOVED if beside else "",
        say(SHARED, word=others[0]) if others and len(spec.contexts) > 1 else "",
        PULLED if beside else "",
    )


def model_input(spec: Spec, sheet: Model) -> tuple[str, ...]:
    """The experiments of a model's input page."""
    contexts = [spec.context(one) for one in sheet.contexts]
    same = SAME_WORD_PLACED if sheet.adds_places else SAME_WORD
    same = SAME_WORD_TURNED if sheet.position == "rotary" else same
    several = any(len(context.words) > 1 for context in contexts)
    columns = sheet.d_k if sheet.position == "rotary" else spec.vocabulary.d_model
    swaps = () if sheet.has_typed_rows else (MODEL_WORD, same if several else "")
    return _first(*swaps, _turned(sheet, columns), MODEL_FOCUS)


def layer(sheet: Model, *, crossed: bool) -> tuple[str, ...]:
    """The experiments of a layer's page; ``crossed``: with cross-attention."""
    if sheet.only:
        return (LAYER_FOCUS, WEIGHTS_BIASED if sheet.bias else WEIGHTS)
    last = 3 if crossed else 2
    stream = f"Residual{last - 1}" if sheet.residual == "pre-norm" else f"Norm{last - 1}"
    silent = NO_FEED_FORWARD_BIASED if sheet.bias else NO_FEED_FORWARD
    return (
        LAYER_FOCUS,
        say(silent, residual=f"Residual{last}", stream=stream),
        RMS_NORM_COLUMN if sheet.norm == "rms" else NORM_COLUMN,
    )


def outcome(sheet: Model, *, last: bool) -> tuple[str, ...]:
    """The experiments of a model's output page; ``last``: of the last side, the decoder if there is one."""
    if last and isinstance(sheet, Writer):
        written = SOURCE if isinstance(sheet, EncoderDecoder) else PROMPT
        asked = written if sheet.generate else NO_LOOK_AHEAD
        cooled = say(MODEL_TEMPERATURE, title=say(sheet.title))
        kept = sheet.has_typed_rows
        return _first("" if kept else asked, cooled, RIVALS if sheet.top_k > 1 else "")
    if last and isinstance(sheet, Classifier):
        return (CLASSIFIED, ORDER, CLASS_COLUMN)
    through = READ_THROUGH if len(sheet.numbers) > 1 else READ_AT_ONCE
    return (through,) if sheet.has_typed_rows else (READ_WORD, READ_TWICE, through)


# --- conditions --------------------------------------------------------------------------------------------


def _first(*possible: str) -> tuple[str, ...]:
    return tuple(text for text in possible if text)[:MAX_COUNT]


def _longest(contexts: Iterable[Context]) -> int:
    """Number of words of the longest sentence, without blank cells."""
    return max(len([word for word in context.words if word]) for context in contexts)


def _keys(spec: Spec, sheet: WithAttention) -> int:
    """Number of columns of a key."""
    return sheet.d_k if sheet.weights else spec.vocabulary.d_model


def _position(sheet: WithAttention, contexts: Sequence[Context]) -> str:
    """The experiment of an attention sheet with positions."""
    if sheet.position == "rotary" and _longest(contexts) > MIN_TURNING - 1:
        return DISTANCE
    return _turned(sheet, sheet.d_k)


def _turned(sheet: WithAttention, columns: int) -> str:
    if sheet.position == "learned":
        return PLACES
    turning = sheet.position in ("sinusoidal", "rotary")
    return BASE if turning and columns >= MIN_TURNING and sheet.base > LARGE_BASE else ""


def _padding(sheet: WithAttention, looked_at: Sequence[Context]) -> str:
    if sheet.mask not in PADDING:
        return ""
    if any("" in context.words for context in looked_at):
        return PADDING_OPENS
    return PADDING_MASK if _longest(looked_at) >= MIN_TURNING else ""


def _twice(sheet: WithAttention, contexts: Sequence[Context]) -> str:
    """The experiment with a word that occurs twice, if nothing distinguishes its positions."""
    if sheet.position != "none" or sheet.mask in CAUSAL or isinstance(sheet, CrossAttention):
        return ""
    twice = [word for c in contexts for word in c.words if word and c.words.count(word) > 1]
    return say(TWICE, word=twice[0]) if twice else ""


def _neighbour(spec: Spec, sheet: WithAttention, contexts: Sequence[Context]) -> str:
    """The experiment with a neighbour that the focus word can attend to."""
    if sheet.mask in CAUSAL:
        having = [context.words for context in contexts if spec.focus in context.words]
        return NEIGHBOUR_BEFORE if any(words[0] != spec.focus for words in having) else ""
    return NEIGHBOUR if _beside(spec, contexts) else ""


def _beside(spec: Spec, contexts: Iterable[Context]) -> bool:
    """True if a sentence with the focus word has another word."""
    return any(set(c.words) - {"", spec.focus} for c in contexts if spec.focus in c.words)
