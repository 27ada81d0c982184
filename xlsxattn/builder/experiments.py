"""Three things to try on each page, each with what to look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder.settings import CAUSAL, PADDING, WRITERS

if TYPE_CHECKING:
    from xlsxattn.builder.settings import SheetSpec

NEIGHBOUR = (
    "On Inputs, put another word in the place of a neighbour of the focus word. Which bar of its "
    "chart moves, "
    "and does its output follow?"
)
FOCUS = "On Inputs, choose another focus word: its row is outlined in every block here. Where does it look?"
INPUTS = (
    "Choose another focus word from the list: its row is outlined on every sheet, and the charts follow it.",
    "Put another word of the list into a sentence. On the next sheets, whose attention changes?",
    "Set a word's numbers to 0. What do the others still find in it?",
)
NO_WEIGHTS = "Make one of a word's numbers on Inputs twice as large. Its scores grow: who looks at it now?"
WEIGHTS = "Set all of W_Q to 0. All scores become 0: what does every row of the attention become, and why?"
HEADS = "Set the rows of W_O that belong to one head to 0. What did that head add to the output?"
CAUSAL_MASK = "Swap the last word. Which rows of the attention stay as they were? None looks ahead."
PADDING_MASK = "Empty the last cell of a sentence. Its column of the attention becomes 0: nobody looks there."
TEMPERATURE = "Set the temperature to 0.1, then to 10. See the bars, and the entropy of the focus word's row."
SCALE = "Scaled is Scores divided by √d_k. Compare the entropies with and without it: which look is sharper?"
CROSS = "Swap a word of the sentence that is looked at. Which word of the other takes most from it?"
COMPARE = (
    "Change a neighbour of the focus word on Inputs: which of its outputs moves away from the input?",
    "Choose another focus word, one that stands in every sentence. Do its two outputs part as well?",
    "Make the focus word's numbers larger in one dimension: can its neighbours still pull it over?",
)
MODEL_INPUT = (
    "Type another word into a sentence on Inputs: the row's Input changes, and so does all that follows.",
    "Write the same word twice. Its embedding is the same: what makes the two rows differ?",
    "Set a row of the positions to 0, where they can be typed. Does the model still answer rightly?",
)
LAYER = (
    "Choose another focus word on Inputs and unfold a head: which words does its row look at?",
    "Set the weights of the feed-forward (W_2) to 0. What remains is attention alone: how far does it get?",
    "Set a γ of a norm to 0: that column vanishes for every word. Does the last sheet notice?",
)
HEADS_ALONE = (
    LAYER[0],
    WEIGHTS,
    "Set all of W_V to 0. Every word still looks where it looked: what does it bring back?",
)
WRITING = (
    "Type another prompt on Inputs. Does the model go on as you would?",
    "Set the temperature to 0.1, then to 10: the probabilities change, the word with the largest stays.",
    "Look at the most likely words of a row: how far is the second behind the first?",
)
CLASSIFYING = (
    "Swap a word on Inputs. How far do the probabilities move?",
    "Write a sentence of words the model was not shown together. How sure is it?",
    "Set a column of W_C to 0: the class it stands for has nothing but its bias left.",
)
READING = (
    "Swap a word on Inputs: which rows change here, its own alone?",
    "Write the same word twice in a sentence: are its two rows alike?",
    "Follow the focus word's row from Input X to here. In which layer does it change most?",
)


def experiments(sheet: SheetSpec) -> tuple[str, ...]:
    """The three experiments of an attention sheet: those that its settings make most of, first."""
    possible = [
        TEMPERATURE if sheet.tempered else "",
        HEADS if sheet.headed and sheet.weights else "",
        CAUSAL_MASK if sheet.mask in CAUSAL else "",
        PADDING_MASK if sheet.mask in PADDING else "",
        CROSS if sheet.kind == "cross-attention" else NEIGHBOUR,
        WEIGHTS if sheet.weights else NO_WEIGHTS,
        SCALE if sheet.scale and sheet.kind != "cross-attention" else "",
        FOCUS,
    ]
    return tuple(text for text in possible if text)[:3]


def outcome(sheet: SheetSpec, *, last: bool) -> tuple[str, ...]:
    """The three experiments of a model's output page; ``last``: of the side that answers."""
    if last and sheet.kind in WRITERS:
        return WRITING
    return CLASSIFYING if last and sheet.kind == "classifier" else READING
