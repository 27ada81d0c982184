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
    "Choose another focus word, one that occurs in a sentence: its row is outlined from sheet to sheet."
    " → Only the view changes, no formula does: the outline follows the word."
)
FOCUS_IN_CHARTS = (
    "Choose another focus word, one that occurs in a sentence: its row is outlined from sheet to sheet,"
    " and the charts follow it. → No attention changes: only the outlined row and the ranges that "
    "repeat it, such as those of the charts."
)
OTHER_WORD = (
    "Put another word of the list into a sentence. On the next sheets, whose attention changes? → The "
    "rows that look at the new word: their weights sum to 1, so the others move as well. Other "
    "sentences stay as they are."
)
ZERO_SCORES = (
    "Set all the numbers of a word to 0. On “{sheet}” its scores become 0, and it still gets attention:"
    " exp(0) = 1, and 0 is larger than any negative score. → A score of 0 still counts: "
    "softmax takes exp of it, and exp is never 0. Only a mask, −∞, closes a word."
)
NEVER_NEGATIVE = (
    "Set all the numbers of a word to 0. On “{sheet}” its scores become 0, and it still gets attention:"
    " exp(0) is 1, not 0. → Softmax takes exp of each score, and exp is never 0. Only a mask, −∞, "
    "closes a word."
)
ZERO_BUT_PLACE = (
    "Set all the numbers of a word to 0: its row of X becomes 0, and only its position is left. → Input"
    " is the word plus its position: with a word of zeros, attention compares positions alone."
)
ZERO = (
    "Set all the numbers of a word to 0: its row of X becomes 0. How much attention does it still get? "
    "→ More than 0: softmax takes exp of each score, and exp is never 0."
)
ZERO_ALONE = (
    "Set all the numbers of a word to 0: its row of X becomes 0. The precomputed rows of omitted layers"
    " do not change. → Those rows are numbers that were computed in advance for these words, and not "
    "formulas."
)

# --- attention sheets --------------------------------------------------------------------------------------

NEIGHBOUR = (
    "On Start, put another word in the place of a neighbour of the focus word. Which bar of its chart "
    "moves, and does its output follow? → The bar of the new word takes the old one's place, and the "
    "others move as well, since the bars sum to 1. The output moves towards what the new word passes "
    "on."
)
NEIGHBOUR_BEFORE = (
    "On Start, put another word in the place of one before the focus word. Which bar of its chart "
    "moves, and does its output follow? → The bar of the new word, and the others, since they sum to 1."
    " The output moves towards what the new word passes on."
)
FOCUS_HERE = (
    "On Start, choose another focus word of these sentences: its row is outlined here. Where does it "
    "look? → At the darkest cells of its row: the words whose keys fit its query best."
)
NO_WEIGHTS = (
    "On Inputs, make the largest number of one of the words twice as large. Its score with itself "
    "grows: who looks at it now? → Words that share its large number: their dot product with it has "
    "grown, so they look at it more, and so does it at itself."
)
WEIGHTS = (
    "Set all of W_Q to 0. All scores become 0: what does every row of the attention become, and why? → "
    "Every row becomes the same share for every word that may be seen: exp(0) is 1 for each. The output"
    " is then their plain average."
)
WEIGHTS_BIASED = (
    "Set all of W_Q and b_Q to 0. All scores become 0: what does every row of the attention become, and"
    " why? → Every row becomes the same share for every word that may be seen: exp(0) is 1 for each. "
    "The output is then their plain average."
)
HEADS = (
    "Set the rows of W_O that belong to one head to 0. What did that head add to the output? → The "
    "difference from before: W_O adds up what the heads found, and rows of zeros leave out this one."
)
CAUSAL_MASK = (
    "On Start, put another word in the place of the last one. Every row of the attention above it stays"
    " as it was: nobody looks ahead. → Above the diagonal the mask puts −∞, and exp(−∞) is 0: no "
    "earlier row reads the last word."
)
PADDING_MASK = (
    "On Start, empty a cell in the middle of a sentence. Its column of the attention becomes 0: nobody "
    "looks there. → The mask puts −∞ there, and exp(−∞) is 0; the other words share what it had."
)
PADDING_OPENS = (
    "On Start, type a word into a blank cell of a sentence: its column of the attention opens, for now "
    "there is a word to look at. → The mask of that column becomes 1, so its scores count; the other "
    "words give up a share."
)
TEMPERATURE = (
    "Set the temperature to 0.1, then to 10. The entropy of the focus word's row falls, then rises; its"
    " bars show why. → Scores are divided by it: at 0.1 their differences are ten times as large, and "
    "the largest takes nearly all; at 10 they hardly differ."
)
SCALE = (
    "Compare the entropy beside the attention with the one without √d, below the output: which attention is "
    "sharper? → "
    "Without √d the scores are larger and differ more, so softmax is sharper and its entropy lower."
)
TWICE = (
    "“{word}” occurs twice in a sentence: its two rows are equal in every block, because positions are "
    "not encoded. → The formulas read only what a word is, and both cells hold the same word."
)
BASE = (
    "Set the base to 2: now the last columns turn fast as well. Compare the angles before and after. → "
    "The base sets how much slower each next pair of columns turns: a small one leaves them nearly "
    "alike."
)
PLACES = (
    "Set a row of P to 0: the word in that place is read without its place. Which rows change? → Its "
    "own row of Input, and with it its query, key and value: so every row that looks at it changes a "
    "little."
)
DISTANCE = (
    "On Start, write one word into all cells of a sentence: a score then depends on nothing but how far"
    " apart two words stand. → Rotations by two angles leave only their difference in a dot product: "
    "equal words at equal distances have equal scores."
)
CROSS = (
    "On Start, put another word into the sentence that is looked at. Which word of the other takes most"
    " from it? → The one whose query fits the new key best: the darkest cell of the new word's column."
)

# --- learning ----------------------------------------------------------------------------------------------

RATE = (
    "Set the learning rate to 0, then to a hundred times what it was. The loss stays as it was; then it"
    " jumps about, and may end higher than it began: such steps are too long for the slope that they "
    "follow. → The loss has a slope only close by: a step that is too long lands where another slope "
    "holds."
)
NUDGE = (
    "In the gradient check, set h to 0.1, to 1E-5, to 1E-8. The distance falls, then rises: a large h "
    "sees the curve of the loss, and a small one its rounding. → The truth lies between: near 1E-5 both"
    " errors are small."
)
OWN_TARGET = (
    "Give one of the examples another target. Does the loss still fall as far? Two examples that ask "
    "for opposite things hold each other back. → Every step follows the sum of all gradients: where two"
    " of them oppose each other, little is left."
)

LEARNING = (RATE, NUDGE, OWN_TARGET)
"""What to try on the page of a training."""

# --- comparing ---------------------------------------------------------------------------------------------

MOVED = (
    "On Start, put another word in the place of a neighbour of the focus word: which of its outputs "
    "moves? → All of those that look at that neighbour: outputs are mixtures of what the words pass on."
    " The input stays."
)
SHARED = (
    "Choose another focus word that occurs in every sentence, such as “{word}”. Do its outputs part as "
    "well? Where one is nearly 0, its cosine says little. → A little: its neighbours differ as well, "
    "but it looks at them less. The cosine compares directions, and a vector that is nearly 0 has "
    "hardly any."
)
PULLED = (
    "On Inputs, make one of the focus word's large numbers twice as large: can its neighbours still "
    "pull it over? → Less than before: its score with itself grows fastest, with the square of its "
    "numbers, so it keeps more of itself."
)

# --- models ------------------------------------------------------------------------------------------------

MODEL_WORD = (
    "Put another word into a sentence on Start: its row of Input changes, and the layers read that one."
    " → Attention mixes the rows, so in the layers other rows of the sentence may change as well."
)
SAME_WORD_PLACED = (
    "Write the same word twice in a sentence. Its embedding is the same: what makes the two rows of "
    "Input differ? → The rows of positions that are added to them: one for each place."
)
SAME_WORD_TURNED = (
    "Write the same word twice in a sentence: its two rows of Input are equal. Positions come in only "
    "where layers rotate queries and keys. → The rotation turns each row by an angle of its place, so "
    "scores depend on the distance of two words."
)
SAME_WORD = (
    "Write the same word twice in a sentence: its two rows of Input are equal, because positions are "
    "not encoded. → Input holds the embeddings alone, and both cells hold the same word."
)
MODEL_FOCUS = (
    "On Start, choose another focus word of these sentences: its row is outlined here and in every "
    "layer. → No number of the layers changes: only the outline and the ranges of the focus word do."
)
LAYER_FOCUS = (
    "Choose another focus word on Start: its row is outlined here. Which words does it look at in each "
    "head? → At the darkest cells of its row, other ones in each head: every head has its own columns "
    "of W_Q and W_K."
)
NO_FEED_FORWARD = (
    "Set all of W_2 to 0: FeedForward becomes 0, and {residual} equals {stream}. Only attention is "
    "left. → The residual adds what the feed-forward says to the stream: adding 0 leaves the stream."
)
NO_FEED_FORWARD_BIASED = (
    "Set all of W_2 and b_2 to 0: FeedForward becomes 0, and {residual} equals {stream}. Only attention"
    " is left. → The residual adds what the feed-forward says to the stream: adding 0 leaves the "
    "stream."
)
NORM_COLUMN = (
    "Set one γ of Norm1 to 0: for every word, that column of Norm1 becomes its β. → Norm1 = γ · "
    "standardized number + β: with γ = 0 the word plays no part."
)
RMS_NORM_COLUMN = (
    "Set one γ of Norm1 to 0: for every word, that column of Norm1 becomes 0. → Norm1 = γ · number / "
    "root mean square: with γ = 0 the word plays no part."
)
PROMPT = (
    "Type another prompt on Start: what does the model write after it? → Each row shows the likeliest "
    "word after it, and generation puts that one into the next blank row."
)
SOURCE = (
    "Type other words for the encoder on Start: what does the decoder write now? → Its cross-attention "
    "reads the new words, so the logits change from the first row on."
)
NO_LOOK_AHEAD = (
    "Put another word into the decoder's sentence on Start: the next words of the rows above it stay, "
    "for no row looks ahead. → The causal mask puts −∞ above the diagonal, and exp(−∞) is 0."
)
MODEL_TEMPERATURE = (
    "Set the temperature on the sheet “{title}” to 0.1, then to 10: the probabilities change, the word "
    "with the largest stays. → All logits are divided by the same number: their order stays, their "
    "distances shrink or grow."
)
RIVALS = (
    "Look at the most likely words of a row: how far is the second behind the first? → Where they are "
    "close, the model is unsure; a small change of the words may turn their order."
)
CLASSIFIED = (
    "Put another word into a sentence on Start. How far do the logits move, and do the probabilities "
    "show it? → A probability near 0 or 1 hardly moves when logits do: softmax is flat there."
)
ORDER = (
    "Write the words of a sentence in another order. Does its class stay, and how far apart are the "
    "logits? → The logits change if positions are encoded, or if the class is read from the first row; "
    "else they stay."
)
CLASS_COLUMN = (
    "Set a column of W_C to 0: only the bias of its class is left. → Its logit no longer depends on the"
    " sentence: a column of zeros adds nothing to the bias."
)
READ_WORD = (
    "Put another word into a sentence on Start: which rows change here, its own alone? → Others as "
    "well: attention mixes the rows of a sentence."
)
READ_TWICE = (
    "Write the same word twice in a sentence: are its two rows alike? → Only if nothing tells places "
    "apart: with positions or a causal mask they differ."
)
READ_THROUGH = (
    "Follow the focus word's row from X on the first sheet through the layers to here. Where does it "
    "change most? → Compare the row of each residual with the one before: the largest difference is "
    "what that layer added."
)
READ_AT_ONCE = (
    "Compare the focus word's row with its row of X. What has it taken from the other words? → Its "
    "numbers have moved towards those of the words that it looks at."
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
