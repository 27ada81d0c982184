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

FOCUS = (
    "Choose another focus word that occurs in a sentence. What changes on the other sheets? → Its row "
    "is outlined there. No formula changes."
)
FOCUS_IN_CHARTS = (
    "Choose another focus word that occurs in a sentence. What changes on the other sheets? → Its row "
    "is outlined there, and the charts show it. No attention changes."
)
OTHER_WORD = (
    "Put another word of the list into a sentence. On the next sheets, whose attention changes? → "
    "That of all rows that look at the new word: their weights sum to 1, so the other weights change "
    "as well. Other sentences stay as they are."
)
ZERO_SCORES = (
    "Set all the numbers of a word to 0. On “{sheet}” its scores become 0. Does it still get "
    "attention? → Yes: exp(0) is 1, and a score of 0 is larger than any negative one. Only a mask, "
    "−∞, excludes a word."
)
NEVER_NEGATIVE = (
    "Set all the numbers of a word to 0. On “{sheet}” its scores become 0. Does it still get "
    "attention? → Yes: exp(0) is 1, and exp is never 0. Only a mask, −∞, excludes a word."
)
ZERO_BUT_PLACE = (
    "Set all the numbers of a word to 0. Its row of X becomes 0. What is left in its row of Input? → "
    "Only its position: Input is the word plus its position."
)
ZERO = (
    "Set all the numbers of a word to 0: its row of X becomes 0. How much attention does it still get? "
    "→ More than 0: softmax takes exp of each score, and exp is never 0."
)
ZERO_ALONE = (
    "Set all the numbers of a word to 0. Its row of X becomes 0. Do the rows of omitted layers "
    "change? → No: these rows are not formulas, but numbers that were computed in advance for these "
    "words."
)

# --- attention sheets --------------------------------------------------------------------------------------

NEIGHBOUR = (
    "On Start, replace a neighbour of the focus word. Which bar of its chart changes, and does the "
    "output change with it? → The new word has a bar of its own, and the others change as well, since "
    "the bars sum to 1. The output moves towards what the new word passes on."
)
NEIGHBOUR_BEFORE = (
    "On Start, replace a word before the focus word. Which bar of its chart changes, and does the "
    "output change with it? → The bar of the new word, and the others as well, since the bars sum to "
    "1. The output moves towards what the new word passes on."
)
FOCUS_HERE = (
    "On Start, choose another focus word of these sentences: its row is outlined here. Where does it "
    "look? → At the words of the darkest cells in its row: their keys match its query best."
)
NO_WEIGHTS = (
    "On Inputs, double the largest number of one of the words. Its score with itself grows: which "
    "words look at it more now? → Itself, and words that are large in the same dimension: their dot "
    "product with it has grown."
)
WEIGHTS = (
    "Set all of W_Q to 0. All scores become 0: what does every row of the attention become, and why? "
    "→ Every row gives the same weight to each word that it may look at: exp(0) is 1 for each. The "
    "output is then the average of their values."
)
WEIGHTS_BIASED = (
    "Set all of W_Q and b_Q to 0. All scores become 0: what does every row of the attention become, "
    "and why? → Every row gives the same weight to each word that it may look at: exp(0) is 1 for "
    "each. The output is then the average of their values."
)
HEADS = (
    "Set the rows of W_O that belong to one head to 0. What did that head add to the output? → The "
    "difference from before: W_O adds up the outputs of the heads, and rows of zeros leave this one "
    "out."
)
CAUSAL_MASK = (
    "On Start, replace the last word. Do the rows of the attention above it change? → No, no word "
    "looks ahead: above the diagonal, the mask puts −∞, and exp(−∞) is 0."
)
PADDING_MASK = (
    "On Start, clear a cell in the middle of a sentence. What happens to its column of the attention? "
    "→ It becomes 0: the mask puts −∞ there, and exp(−∞) is 0. The other words share its weight."
)
PADDING_OPENS = (
    "On Start, type a word into a blank cell of a sentence. What happens to its column of the "
    "attention? → It is no longer 0: the mask of the column becomes 1, so its scores count, and the "
    "other words get less."
)
TEMPERATURE = (
    "Set the temperature to 0.1, then to 10. The entropy of the focus word's row falls, then rises: "
    "why? → Scores are divided by it. At 0.1 their differences are ten times as large, and the "
    "largest gets nearly all the weight; at 10 they hardly differ."
)
SCALE = (
    "Compare the entropy beside the attention with the one without √d, below the output: which attention is "
    "sharper? → "
    "Without √d the scores are larger and differ more, so softmax is sharper and its entropy lower."
)
TWICE = (
    "“{word}” occurs twice in a sentence. In which block do its two rows differ? → In none: positions "
    "are not encoded, so both rows are computed from the same numbers."
)
BASE = (
    "Set the base to 2. How do the angles of the last columns change? → They grow faster: the base "
    "determines how much more slowly each pair of columns rotates than the pair before it."
)
PLACES = (
    "Set a row of P to 0: the word there is read without its position. Which rows change? → Its own "
    "row of Input, and with it its query, key and value, so every row that looks at it changes a "
    "little."
)
DISTANCE = (
    "On Start, write the same word into all cells of a sentence. What does a score depend on now? → "
    "Only on the distance between two positions: in a dot product, two rotations leave only the "
    "difference of their angles."
)
CROSS = (
    "On Start, replace a word of the sentence that is looked at. Which word of the other sentence "
    "looks most at the new one? → The one whose query matches the new key best: that of the darkest "
    "cell in the new word's column."
)

# --- learning ----------------------------------------------------------------------------------------------

RATE = (
    "Set the learning rate to 0, then to a hundred times its value. What happens to the loss? → At 0 "
    "it does not change. With long steps it jumps and may end higher than it began: a gradient "
    "describes the loss only nearby."
)
NUDGE = (
    "In the gradient check, set h to 0.1, to 1E-5, to 1E-8. The difference falls, then rises: why? → "
    "With a large h, the curvature of the loss counts, with a small one, rounding does. Near 1E-5 "
    "both errors are small."
)
OWN_TARGET = (
    "Give one of the examples another target. Does the loss still fall as far? → Less far if two examples "
    "have opposite targets: every step follows the sum of all gradients, and opposite ones cancel."
)

LEARNING = (RATE, NUDGE, OWN_TARGET)
"""What to try on the page of a training."""

# --- comparing ---------------------------------------------------------------------------------------------

MOVED = (
    "On Start, replace a neighbour of the focus word. Which of its outputs change? → All that look at "
    "that neighbour: outputs are mixtures of what the words pass on. The input stays."
)
SHARED = (
    "Choose another focus word that occurs in every sentence, such as “{word}”. Do its outputs differ "
    "as well? → A little: its neighbours differ as well, but it looks at them less. Where an output "
    "is nearly 0, ignore the cosine: it compares directions, and those of such vectors are due to "
    "chance."
)
LARGER_NUMBER = (
    "On Inputs, double one of the focus word's large numbers. Do its neighbours still change it as much? → "
    "Less than before: its score with itself grows fastest, with the square of its numbers, so it keeps "
    "more of itself."
)

# --- models ------------------------------------------------------------------------------------------------

MODEL_WORD = (
    "Replace a word of a sentence on Start. Which rows change here, and which in the layers? → Here "
    "only its own row. In the layers also others, since attention mixes the rows of a sentence."
)
SAME_WORD_PLACED = (
    "Write the same word twice in a sentence. Its embedding is the same: what makes the two rows of "
    "Input differ? → The positions: a different row of P is added to each."
)
SAME_WORD_TURNED = (
    "Write the same word twice in a sentence. Do its two rows of Input differ? → No: positions are "
    "added later, where the layers rotate queries and keys."
)
SAME_WORD = (
    "Write the same word twice in a sentence. Do its two rows of Input differ? → No: positions are "
    "not encoded, so Input contains only the embeddings."
)
MODEL_FOCUS = (
    "On Start, choose another focus word of these sentences. What changes in the layers? → Its row is "
    "outlined there, and here. No number of the layers changes."
)
LAYER_FOCUS = (
    "Choose another focus word on Start: its row is outlined here. Which words does it look at in "
    "each head? → Those of the darkest cells in its row, which differ between heads: every head has "
    "its own columns of W_Q and W_K."
)
NO_FEED_FORWARD = (
    "Set all of W_2 to 0. What happens to {residual}? → It equals {stream}: FeedForward is 0, and the "
    "residual connection adds it to {stream}."
)
NO_FEED_FORWARD_BIASED = (
    "Set all of W_2 and b_2 to 0. What happens to {residual}? → It equals {stream}: FeedForward is 0, "
    "and the residual connection adds it to {stream}."
)
NORM_COLUMN = (
    "Set one γ of Norm1 to 0. What happens to that column of Norm1? → It becomes β for every word: "
    "Norm1 = γ · standardized number + β."
)
RMS_NORM_COLUMN = (
    "Set one γ of Norm1 to 0. What happens to that column of Norm1? → It becomes 0 for every word: "
    "Norm1 = γ · number / root mean square."
)
PROMPT = (
    "Type another prompt on Start. What does the model write after it? "
    "→ The most likely next word, which is the first in each row."
)
SOURCE = (
    "Type other words for the encoder on Start: what does the decoder write now? → Its cross-attention "
    "reads the new words, so the logits change from the first row on."
)
NO_LOOK_AHEAD = (
    "Replace a word of the decoder's sentence on Start. Do the predictions in the rows above it "
    "change? → No, no row looks ahead: the causal mask puts −∞ above the diagonal, and exp(−∞) is 0."
)
MODEL_TEMPERATURE = (
    "Set the temperature on the sheet “{title}” to 0.1, then to 10. Does the most likely word change? "
    "→ No, only the probabilities do: all logits are divided by the same number, so their order "
    "stays."
)
RIVALS = (
    "Look at the most likely words of a row: how far is the second behind the first? → Where they are "
    "close, the model is unsure, and a small change of the words may swap them."
)
CLASSIFIED = (
    "Replace a word of a sentence on Start. How much do the logits change, and how much the "
    "probabilities? → A probability near 0 or 1 hardly changes with the logits: softmax is flat "
    "there."
)
ORDER = (
    "Write the words of a sentence in another order. Does its class stay, and how far apart are the "
    "logits? → The logits change if positions are encoded, or if the class is read from the first row; "
    "else they stay."
)
CLASS_COLUMN = (
    "Set a column of W_C to 0. What does the logit of its class depend on now? → Only on the bias of "
    "the class: a column of zeros adds nothing to it."
)
READ_WORD = (
    "Replace a word of a sentence on Start. Does only its own row change here? → No, others do as "
    "well: attention mixes the rows of a sentence."
)
READ_TWICE = (
    "Write the same word twice in a sentence. Are its two rows equal? → Only without positions and "
    "without a causal mask: either of them makes the rows differ."
)
READ_THROUGH = (
    "Follow the focus word's row from X on the first sheet through the layers to here. Where does it "
    "change most? → Compare the row of each residual with the one before: the difference is what was "
    "added there."
)
READ_AT_ONCE = (
    "Compare the focus word's row with its row of X. What has it taken from the other words? → Its "
    "numbers have moved towards those of the words it looks at."
)


def inputs(spec: Spec) -> tuple[str, ...]:
    """The experiments of Inputs."""
    focus = FOCUS_IN_CHARTS if _has_charts(spec) else FOCUS
    return (focus, ZERO_ALONE) if has_typed_rows(spec) else (focus, OTHER_WORD, _zero(spec))


def has_typed_rows(spec: Spec) -> bool:
    """True if a model has precomputed rows, whose words must not be changed."""
    return any(isinstance(sheet, Model) and sheet.has_typed_rows for sheet in spec.sheets)


def _has_charts(spec: Spec) -> bool:
    """True if some page has a chart of the focus word."""
    plane = spec.vocabulary.d_model > 1 and any(isinstance(sheet, Compare) for sheet in spec.sheets)
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
    """True if a sheet has a chart of the focus word, or its output is a point in that of Compare."""
    if isinstance(sheet, Model):
        return sheet.similarity or (plane and not sheet.ends_with_norm)
    return not isinstance(sheet, Compare)


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
        LARGER_NUMBER if beside else "",
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
        prompted = written if sheet.generate else NO_LOOK_AHEAD
        cooled = say(MODEL_TEMPERATURE, title=say(sheet.title))
        kept = sheet.has_typed_rows
        return _first("" if kept else prompted, cooled, RIVALS if sheet.top_k > 1 else "")
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
