"""The first screen of a workbook: the yellow words, their results, and a sentence about these.

docs/contract.md, "The first screen", defines what is shown for each kind of sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder.graph import Block, Box, FirstScreen
from xlsxattn.builder.pages.attention import output_columns
from xlsxattn.builder.pages.attention_pages import CROSS_LEAD
from xlsxattn.builder.pages.contents import LEADS
from xlsxattn.builder.pages.details import detailed
from xlsxattn.builder.pages.experiments import has_typed_rows
from xlsxattn.builder.pages.first_screen.focus_word import followed
from xlsxattn.builder.pages.first_screen.other_kinds import classified, crossed, writing
from xlsxattn.builder.pages.first_screen.parts import MAX_FULL, Shown, focus_word
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.kinds import (
    Classifier,
    Compare,
    CrossAttention,
    Encoder,
    InSentence,
    Model,
    Training,
    WithAttention,
    Writer,
    can_be_followed,
)
from xlsxattn.contract.names import START

if TYPE_CHECKING:
    from xlsxattn.builder.specification import Spec

CHANGE_WORD, FOLLOW_WORD = "1   Change a yellow word", "1   Follow another word"
MAX_SHOWN, MAX_NAMES, MAX_RIVALS = 4, 6, 3
"""Maximum numbers of sentences, of columns, and of likeliest words."""


def shown(spec: Spec) -> Shown:
    """What the first screen and the heads of sheets show; it follows from the settings and shapes alone."""
    return {**_shown(spec), "details": detailed(spec)}


def _shown(spec: Spec) -> Shown:
    every, first = [context.id for context in spec.contexts], _first(spec)
    contexts = list(first.contexts) or every
    found = Shown(sheets=[first.id], contexts=contexts)
    if isinstance(first, CrossAttention):
        return found
    if isinstance(first, Writer):
        found["contexts"] = contexts[:MAX_FULL]
        found["rivals"] = min(first.top_k, MAX_RIVALS if len(contexts) == 1 else 1)
        return found
    if len(contexts) > MAX_SHOWN:
        found["contexts"] = contexts[:MAX_FULL]
    if isinstance(first, Classifier):
        return found
    return _of_attention(spec, first, found)


def _first(spec: Spec) -> WithAttention:
    """The sheet that the first screen is about."""
    return next(sheet for sheet in spec.sheets if isinstance(sheet, WithAttention))


def _of_attention(spec: Spec, first: WithAttention, found: Shown) -> Shown:
    d_model = spec.vocabulary.d_model
    every = tuple(context.id for context in spec.contexts)
    trainings = [s.id for s in spec.sheets if isinstance(s, Training) and s.trains == first.id]
    if trainings:
        found["training"] = trainings[0]
    found["full"], found["columns"] = len(found["contexts"]) <= MAX_FULL, "none"
    if getattr(first, "only", None) or output_columns(first, d_model) != d_model:
        return found
    near = [s for s in spec.sheets if isinstance(s, Compare) and 1 <= len(s.near) <= MAX_NAMES]
    is_normed = isinstance(first, Model) and first.ends_with_norm
    if d_model <= MAX_NAMES and not is_normed:
        found["columns"] = "dims"
    elif d_model <= MAX_NAMES and found["full"]:
        found["columns"] = "numbered"
    elif near and can_be_followed(first, every):
        found |= {"columns": "near", "compare": near[0].id}
    else:
        return found
    end = spec.sheets.index(near[0]) if found["columns"] == "near" else len(spec.sheets)
    after = spec.sheets[spec.sheets.index(first) + 1 : end]
    later = [s for s in after if can_be_followed(s, every) and output_columns(s, d_model) == d_model]
    if isinstance(first, InSentence):
        adding = [s for s in later if isinstance(s, InSentence) and _adds(s, first)]
        fit = [s.id for s in sorted(adding, key=lambda s: s.seed is not None)]  # random weights last
    else:
        alike = (is_normed,) if found["columns"] != "near" else (True, False)
        encoders = [s for s in later if isinstance(s, Encoder) and not s.only]
        fit = [s.id for s in encoders if s.ends_with_norm in alike]
    found["sheets"] += fit[:1]
    return found


def _adds(sheet: InSentence, first: InSentence) -> bool:
    """Whether a sheet has weights or positions, and the first one does not."""
    return (sheet.weights and not first.weights) or (sheet.position != "none" and first.position == "none")


def first_screen(
    spec: Spec, check: Block, see: Box, sentences: dict[str, Block], follow: Block
) -> FirstScreen:
    """The first screen; ``sentences``: the words of each that is shown, joined."""
    show = shown(spec)
    first = next(sheet for sheet in spec.sheets if sheet.id == show["sheets"][0])
    contexts = [spec.context(one) for one in show["contexts"]]
    closing: Block | str = spec.about if getattr(first, "apart", False) else ""
    lead = LEADS[type(first)] if isinstance(first, Model) else CROSS_LEAD
    story: Block | tuple[str, ...] = (spec.about, first.about, lead)
    change = FOLLOW_WORD if has_typed_rows(spec) else CHANGE_WORD
    watch: str | Block = "2   Watch the result"
    if isinstance(first, CrossAttention):
        lanes = crossed(spec, first, contexts, sentences)
    elif isinstance(first, Writer):
        lanes, written = writing(spec, first, contexts, sentences, show)
        closing = written or closing
    elif isinstance(first, Classifier):
        lanes = [classified(spec, first, context, sentences[context.id]) for context in contexts]
    else:
        lanes, result = followed(spec, show, contexts, sentences)
        closing = result or closing
        several = len(spec.contexts) > 1
        story = focus_word(START["Story"], "story", texts.STORIES[several])
        watch = focus_word(START["Focus"], "chip", texts.WATCH)
    return FirstScreen(check, story, (change, watch, see), follow, closing, tuple(lanes))
