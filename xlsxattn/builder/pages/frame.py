"""The pages of a workbook in order, and the pages Start, Inputs and Contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xlsxattn.builder import ops, theme
from xlsxattn.builder.graph import Band, Block, Box, Fact, Group, Page, Sample, Side, WorkbookPages
from xlsxattn.builder.pages import exercise, typed_rows
from xlsxattn.builder.pages.attention_pages import attention_pages, cross_attention_page
from xlsxattn.builder.pages.compare_page import compare_page
from xlsxattn.builder.pages.exercise import ExerciseBlocks
from xlsxattn.builder.pages.experiments import has_typed_rows, inputs
from xlsxattn.builder.pages.first_screen import first_screen, shown
from xlsxattn.builder.pages.first_screen.parts import word_blocks
from xlsxattn.builder.pages.glossary import glossary_page
from xlsxattn.builder.pages.localize import translated
from xlsxattn.builder.pages.parts import computed, typed
from xlsxattn.builder.pages.training import training_pages
from xlsxattn.builder.pages.transformer import model_pages
from xlsxattn.builder.theme import cell_width
from xlsxattn.contract.exercise import region_of
from xlsxattn.contract.kinds import (
    Compare,
    CrossAttention,
    InSentence,
    Model,
    Sheet,
    Training,
    WithAttention,
    can_be_followed,
)
from xlsxattn.contract.kinds.settings import settings
from xlsxattn.contract.names import (
    EXERCISE,
    FIRST_SCREEN,
    LANGUAGE,
    PROGRAM,
    SEAL,
    START,
    STATUS,
    TYPED_FOR,
    RangeName,
    of_context,
    parse,
)
from xlsxattn.contract.values import PROGRAM_VERSION
from xlsxattn.language import language, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxattn.builder.ops import Op
    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context

LEAD = (
    "A convolution sees a small window of words at a time. Attention lets every word look at every other "
    "word at once, and the words themselves determine how much each one matters."
)
FOLLOW = {
    False: "Follow one word through this workbook, from its embedding to its output.",
    True: (
        "Follow one word through this workbook: its embedding is the same in every sentence, its output is "
        "not."
    ),
}
READ = (
    "1.  Read the sheets from left to right and from top to bottom. The code above a block is its formula; "
    "click a cell to see the others."
)
CHANGE = "2.  Change a word on Start, or a number on Inputs, and watch what changes on the other sheets."
CHANGE_PARTLY = (
    "2.  Change a number, or choose another focus word on Start, and watch what changes on the other "
    "sheets. Do not change the words of the sentences: some layers were left out, and the rows in "
    "their place were computed for these words."
)
IN_NAMES = "3.  Formulas refer to blocks by name: {formula}. The name box by the formula bar jumps to them."
ARRAYS = (
    "4.  Curly brackets mark an array formula, which fills a whole block or one cell. "
    "MMULT(A,TRANSPOSE(B)) computes the dot product of every row of A with every row of B. -- "
    "converts TRUE to 1 and FALSE to 0; 0+ converts blanks to 0."
)
PARTS = (
    "5.  In the formulas shown, [row] is the row of a range that is level with the cell, [cell] the "
    "cell in the same position, [above] the one above that, [col] the first cell of the column, "
    "[..rows] all rows up to this one, [..diagonal] the row up to the diagonal."
)
STAGES = (
    "X, the input  →",
    "Scores = Q · Kᵀ  →",
    "Scaled = Scores / √d_k  →",
    "Attention = softmax  →",
    "Output = Attention · V",
)
SAID = (
    "each word's numbers",
    "how well two words match",
    "keeps scores small",
    "weights; each row sums to 1",
    "what each word becomes",
)
"""One step of attention at a glance."""
LANES = ("first sentence", "second sentence", "third sentence", "fourth sentence")
OUTLINED = "Its row is outlined on every sheet. 0: not in this sentence."
FOLLOWED = "Its row is outlined on every sheet, and “{sheet}” compares it. 0: not in this sentence."
SENTENCES = "One word per cell: choose one from the list, or type one from the vocabulary; case matters."
SENTENCES_KEPT = (
    "One word per cell. Some layers are not in this workbook; the rows in their place were computed "
    "for these words. With other words, the live checks fail."
)
VOCABULARY = (
    "One row per word, one column per dimension. Change any number. For a new word, insert a row "
    "between two words and type the word and its numbers."
)
VOCABULARY_KEPT = (
    "One row per word, one column per dimension. The rows in place of left-out layers were computed from "
    "these numbers."
)
AMBIGUOUS = (
    "Originally, “{focus}” is large in both {one} and {other}, so it is ambiguous on its own. "
    "“{clear}” is clearly {one}, “{clear_other}” clearly {other}."
)
SENSES = 2
"""Number of senses of an ambiguous word that the page compares, each with a dimension of its own."""
ALIKE = 0.9
"""Two numbers are similar if the smaller has this share of the larger; of a clear word, at most the rest."""
VERSION = 1
TWICE = "INDEX(vocab_Tokens,MATCH(MAX(vocab_Times),vocab_Times,0))"
"""A word that occurs more than once in the vocabulary."""


def book(spec: Spec) -> WorkbookPages:
    """All pages of a spec's workbook in its language, in the order of its tabs (the manifest comes last)."""
    spoken = language(spec.lang)
    pages = [_inputs(spec)]
    for i, sheet in enumerate(spec.sheets):
        pages += _pages(spec, sheet, followed(spec, i))
    guide = _guide(spec, pages)
    start = _start(spec, pages, guide)
    extra: list[Page] = []
    if spec.exercise:
        answers = ExerciseBlocks(spec.exercise, [*_blocks((start, guide, *pages))], spec.solved)
        extra = exercise.extra_pages(pages, answers)
        pages = exercise.with_answers(pages, answers)
        guide = _guide(spec, pages)  # quotes a formula
        start = exercise.with_progress(_start(spec, pages, guide), answers)
        start, guide, *pages = [exercise.waiting(page, answers) for page in (start, guide, *pages)]
    pages += [guide, glossary_page([start, *pages]), *extra]
    start = replace(start, boxes=_boxes(pages))
    pages = [translated(page, spoken) for page in (start, *pages)]
    manifest = translated(_contract(spec, pages), spoken)  # its formulas contain texts
    title = spoken.tell(spec.title)
    return WorkbookPages(title, (*pages, manifest), spec.explain, spoken, protected=spec.exercise is not None)


def _blocks(pages: Iterable[Page]) -> Iterator[Block]:
    for page in pages:
        yield from page.blocks()


def _pages(spec: Spec, sheet: Sheet, before: Sequence[WithAttention]) -> list[Page]:
    """The pages of a sheet: one, or several for a model."""
    if isinstance(sheet, Model):
        return model_pages(spec, sheet)
    if isinstance(sheet, Compare):
        return [compare_page(spec, sheet, before)]
    if isinstance(sheet, Training):
        return training_pages(spec, sheet)
    if isinstance(sheet, CrossAttention):
        return [cross_attention_page(spec, sheet)]
    if isinstance(sheet, InSentence):
        return attention_pages(spec, sheet)
    raise NotImplementedError(sheet.kind)


def followed(spec: Spec, place: int) -> list[WithAttention]:
    """The previous sheets that a comparing sheet shows: attention, and encoders of all sentences."""
    every = tuple(context.id for context in spec.contexts)
    return [sheet for sheet in spec.sheets[:place] if can_be_followed(sheet, every)]


def _contract(spec: Spec, pages: Sequence[Page]) -> Page:
    """The manifest: what a checker needs to verify the workbook without its spec."""
    blocks = [block for page in pages for block in page.blocks()]
    inputs = [(name,) for b in blocks if b.kind == "input" for name in (b.name, *b.aliases)]
    sheets = [
        (sheet.id, sheet.kind, json.dumps(settings(sheet), ensure_ascii=False)) for sheet in spec.sheets
    ]
    tables: tuple[tuple[str, str, tuple[str, ...], Sequence[tuple[Any, ...]]], ...] = (
        ("Version", "The format of this manifest.", (), [(float(VERSION),)]),
        (PROGRAM, "The version of xlsxattn that made this workbook.", (), [(PROGRAM_VERSION,)]),
        (LANGUAGE, "The language of its texts.", (), [(spec.lang,)]),
        (FIRST_SCREEN, "What the first screen shows.", (), [(json.dumps(shown(spec), ensure_ascii=False),)]),
        *_of_exercise(spec),
        ("Sheets", "Every sheet's id, kind and settings.", ("id", "kind", "settings"), sheets),
        ("Contexts", "The sentences' ids.", ("id",), [(c.id,) for c in spec.contexts]),
        ("Inputs", "The ranges that a person may change.", ("range",), inputs),
        (
            "Formulas",
            "The formula that each computed range should hold.",
            ("range", "entered as", "formula"),
            formula_table(blocks),
        ),
    )
    bands = []
    for name, why, heads, values in tables:
        block = replace(typed(START[name], "manifest", values, "constant"), widths=(44.0, 16.0, 90.0))
        bands.append(Band(name, why, (Group((block,), cols=heads or None),), shared=True, show_formula=False))
    lead = "What a checker needs to recompute this workbook from its inputs. Please leave it as it is."
    return Page("xlsxattn", "Contract", lead, bands=tuple(bands))


def _of_exercise(spec: Spec) -> Iterator[tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]]:
    """The tables of the manifest that only exercises have."""
    if spec.exercise:
        data = json.dumps(spec.exercise.data(), ensure_ascii=False)
        yield EXERCISE, "What the reader computes.", (), [(data,)]
    if spec.seal:
        yield SEAL, "Whose personal copy it is.", (), [(spec.seal,)]


def formula_table(blocks: Iterable[Block]) -> list[tuple[str, str, str]]:
    """All computed ranges: name, how the formula is entered, formula."""
    return [
        (b.name, b.parts[0].op.entered, " | ".join(part.formula for part in b.parts))
        for b in blocks
        if b.kind == "formula"
    ]


def _guide(spec: Spec, pages: Sequence[Page]) -> Page:
    """How to read the sheets; the live checks, one below the other."""
    own = {"vocab", *(sheet.id for sheet in spec.sheets)}
    checked = [page for page in pages if page.id in own]
    statuses = tuple(
        computed(
            START.at(of=page.id)[STATUS],
            (1, 1),
            ops.words.SAME_TEXT,
            "status",
            source=RangeName(page.id)[STATUS],
        )
        for page in checked
    )
    band = Band(
        "Live checks",
        "These cells are formulas too: they follow every change you make.",
        (Group(statuses, tuple((page.title,) for page in checked)),),
        shared=True,
        show_formula=False,
    )
    usual = say("{lead} {follow}", lead=say(LEAD), follow=say(FOLLOW[len(spec.contexts) > 1]))
    return Page(
        "guide",
        "How to read",
        "How formulas are read, and what the colours mean.",
        bands=(band,),
        paragraphs=(spec.about or usual, *_how_to(spec, pages)),
        legend=_legend(spec, pages),
        subtitle="formulas and colours",
    )


def _boxes(pages: Sequence[Page]) -> tuple[Box, ...]:
    """Links to the pages."""
    shown = [page for page in pages if not page.behind]
    targets = [page.target if page.has_status or page.lanes else page.id for page in shown]
    return tuple(Box(p.box or p.title, p.subtitle, at) for p, at in zip(shown, targets, strict=True))


def _start(spec: Spec, pages: Sequence[Page], guide: Page) -> Page:
    """The page Start, on which the workbook opens."""
    statuses = [block.name for block in guide.blocks()]
    same = _same_words(spec)
    check = ops.live_checks.status(
        "✓ all checks pass",
        ops.live_checks.WORDS,
        *((condition, "✗ some rows were computed for other words: see “How to read”") for condition in same),
        (ops.live_checks.no_failure(statuses), "✗ a check fails: see “How to read”"),
    )
    check = replace(check, entered="cell arrays" if same else check.entered)
    overall = computed(START[STATUS], (1, 1), check, "check", words="vocab_Status")
    show = shown(spec)
    own = [page for page in pages if parse(page.target).sheet == show["sheets"][0]]
    see = next((page for page in own if parse(page.target).layer), own[0])
    sentences = {c.id: _sentence(c) for c in spec.contexts if c.id in show["contexts"]}
    focus = typed("vocab_Focus", "yellow word", ((spec.focus,),))
    how = Box(say("3   See how:  {title} →", title=say(see.title)), see.title, see.target)
    if spec.exercise:
        first = next(iter(spec.exercise.answers))
        title = next(page.title for page in pages if any(block.name == first for block in page.blocks()))
        how = Box(say("3   Your turn:  {title} →", title=say(title)), title, region_of(first))
    return Page(
        "start",
        spec.title,
        "",
        screen=first_screen(spec, overall, how, sentences, focus),
        drop_downs=dict.fromkeys((focus.name, *_offered(spec, show["contexts"])), "vocab_Tokens"),
    )


def _same_words(spec: Spec) -> list[str]:
    """The conditions that the sentences of models have the words of their precomputed rows."""
    models = [sheet for sheet in spec.sheets if isinstance(sheet, Model) and sheet.has_typed_rows]
    return [
        typed_rows.are_same(of_context(c)["Tokens"], RangeName(sheet.id, context=c)[TYPED_FOR])
        for sheet in models
        for c in sheet.contexts or [context.id for context in spec.contexts]
    ]


def _offered(spec: Spec, contexts: Sequence[str]) -> list[str]:
    """The sentences whose words may be chosen; with precomputed rows, other words would be wrong."""
    return [] if has_typed_rows(spec) else [of_context(context)["Tokens"] for context in contexts]


def _how_to(spec: Spec, pages: Sequence[Page]) -> tuple[str, ...]:
    """Instructions for readers; a matrix product of the workbook is the example of a formula."""
    blocks = [block for page in pages for block in page.blocks() if block.kind == "formula"]
    products = [b.parts[0].formula for b in blocks if b.parts[0].formula.startswith("=MMULT(")]
    shown = min(products, key=lambda text: ("--" in text, "[" in text), default="=MMULT(A,B)")
    shown = shown.removeprefix("=")
    in_parts = any("[" in part.formula for block in blocks for part in block.parts)
    change = CHANGE_PARTLY if has_typed_rows(spec) else CHANGE
    return (READ, change, say(IN_NAMES, formula=shown), ARRAYS, *((PARTS,) if in_parts else ()))


def _legend(spec: Spec, pages: Sequence[Page]) -> tuple[tuple[Sample, ...], ...]:
    """What the colours mean, line by line; only those that the workbook has."""
    kinds: tuple[Sample, ...] = (
        Sample("input: you can change it", "legend input"),
        Sample("formula", "legend formula"),
        Sample("result (bold)", "legend result"),
        Sample("the focus word's row", "legend focus"),
    )
    heat = [
        Sample("above 0 (darker: larger)", "legend positive"),
        Sample("below 0 (darker: smaller)", "legend negative"),
        Sample("attention (darker: more)", "legend weight"),
    ]
    if spec.exercise:
        kinds = (*kinds, Sample("cell to compute", "legend answer"))
    looks = {block.look for page in pages for block in page.blocks()}
    if "probability" in looks:
        heat.append(Sample("probability (darker: more)", "legend probability"))
    if "masked" in looks:
        heat.append(Sample("−∞: masked", "legend unseen"))
    lanes = zip(LANES, theme.LANE_SAMPLES, spec.contexts, strict=False)  # after these the colours come again
    colours = tuple(Sample(words, look) for words, look, _ in lanes)
    overview = (
        tuple(Sample(words, "stage") for words in STAGES),
        tuple(Sample(w, "stage text") for w in SAID),
    )
    return (*overview, (), kinds, tuple(heat), *([colours] if len(spec.contexts) > 1 else []))


def _inputs(spec: Spec) -> Page:
    """The page Inputs: the vocabulary, and the sentences that do not fit on the first screen."""
    status = computed("vocab_Status", (1, 1), _known(spec), "status", focus="vocab_Focus", twice=TWICE)
    others = [context for context in spec.contexts if context.id not in shown(spec)["contexts"]]
    lanes = tuple(map(_sentence, others))
    return Page(
        "vocab",
        "Inputs",
        "All words that sentences can contain, and their numbers. You can change the yellow cells.",
        facts=(Fact("", status),),
        lanes=lanes,
        bands=(*([_sentences(spec, others)] if others else []), _vocabulary(spec), _positions(spec)),
        drop_downs=dict.fromkeys(_offered(spec, [c.id for c in others]), "vocab_Tokens"),
        subtitle="words and embeddings",
        tries=inputs(spec),
    )


def _widths(spec: Spec) -> tuple[float]:
    """The width of a column for words of the vocabulary."""
    return (max(cell_width(word) for word in spec.vocabulary.tokens) + 2.0,)


def _sentences(spec: Spec, contexts: Iterable[Context]) -> Band:
    """The words of more sentences (n × 1), their rows in the vocabulary, and their positions."""
    groups = []
    for context in contexts:
        words, index, ids = word_blocks(context)
        words = replace(words, look="token", widths=_widths(spec))
        sides = (Side("position", (replace(index, look="index"),)),)
        groups.append(Group((words,), (ids,), ("word",), sides, corner="row in the vocabulary"))
    why = SENTENCES_KEPT if has_typed_rows(spec) else SENTENCES
    return Band("More sentences", why, tuple(groups), show_formula=False)


def _positions(spec: Spec) -> Band:
    """The position of the focus word in each sentence (1 × 1)."""
    found = []
    for c in spec.contexts:
        names = {"tokens": of_context(c.id)["Tokens"], "focus": "vocab_Focus"}
        found.append(computed(of_context(c.id)["Focus"], (1, 1), ops.words.FIND, "count", **names))
    following = [sheet for sheet in spec.sheets if isinstance(sheet, Compare)]
    why = say(FOLLOWED, sheet=say(following[0].title)) if following else OUTLINED
    group = Group(tuple(found), tuple((context.named,) for context in spec.contexts))
    return Band("Position of the focus word", why, (group,), shared=True, show_formula=False)


def _vocabulary(spec: Spec) -> Band:
    """The words (n_vocab × 1), their embeddings (n_vocab × d_model), and how often each word occurs."""
    words = spec.vocabulary
    tokens = replace(typed("vocab_Tokens", "token", [(w,) for w in words.tokens]), widths=_widths(spec))
    E = typed("vocab_E", "input", words.E)
    dims = typed("vocab_Dims", "dimension", (words.dimensions,))
    index = computed("vocab_Index", (E.rows, 1), ops.words.INDEX, "index", tokens=tokens.name)
    times = computed("vocab_Times", (E.rows, 1), ops.words.TIMES, "times", tokens=tokens.name)
    table = Group((E,), (tokens,), dims, (Side("row", (index,)), Side("", (times,))))
    vocabulary = VOCABULARY_KEPT if has_typed_rows(spec) else VOCABULARY
    why = say("{why} {said}", why=say(vocabulary), said=words.said) if words.said else vocabulary
    if ambiguous := _ambiguous(spec):
        why = say("{why} {said}", why=say(why), said=ambiguous)
    return Band("The vocabulary", why, (table,), shared=True, show_formula=False)


def _ambiguous(spec: Spec) -> str:
    """A sentence about an ambiguous focus word and two clear words; "" if there are none."""
    words = spec.vocabulary
    rows = {word: [float(x) for x in row] for word, row in zip(words.tokens, words.E, strict=True)}
    if words.d_model < SENSES or spec.focus not in rows:
        return ""
    focus, clear = rows[spec.focus], dict[bool, str]()
    one, other = sorted(sorted(range(words.d_model), key=lambda j: -focus[j])[:SENSES])
    weaker, stronger = sorted((focus[one], focus[other]))
    for word in (w for context in spec.contexts for w in context.words if w in rows):
        low, high = sorted((rows[word][one], rows[word][other]))
        if word != spec.focus and high >= stronger > 0 and low <= (1 - ALIKE) * high:
            clear.setdefault(rows[word][one] == high, word)
    if weaker < ALIKE * stronger or len(clear) < SENSES:
        return ""
    names = {"focus": spec.focus, "one": words.dimensions[one], "other": words.dimensions[other]}
    return say(AMBIGUOUS, **names, clear=clear[True], clear_other=clear[False])


def _known(spec: Spec) -> Op:
    """The live check of the words: embeddings are numbers, words are unique, words of sentences are known.

    If no sentence has the focus word, this is a note and not an error.
    """
    several = len(spec.vocabulary.tokens) > 1  # some programs reject the name of a single cell in INDEX
    ids = ",".join(
        of_context(c.id)["Ids"] for c in spec.contexts
    )  # IronCalc's COUNTIF rejects the name of a single cell
    foci = ",".join(of_context(c.id)["Focus"] for c in spec.contexts)
    blanks = any(sheet.uses_blanks for sheet in spec.sheets)
    unknown = "+".join(f'SUM(({c.id}_Ids=0)*({c.id}_Tokens<>""))' for c in spec.contexts)
    missing = "✗ a word is not in the vocabulary" if blanks else "✗ a word is blank or not in the vocabulary"
    check = ops.live_checks.status(
        "✓ every word is in the vocabulary",
        ("COUNTA(vocab_E)=COUNT(vocab_E)", "✗ the vocabulary has a text where a number is needed"),
        *([("MAX(vocab_Times)<2", "✗ {twice} occurs twice in the vocabulary")] if several else []),
        (f"{unknown}=0" if blanks else f"MIN({ids})>0", missing),
        ('vocab_Focus<>""', "– no focus word is chosen"),
        (f"MAX({foci})>0", "– no sentence contains the focus word {focus}"),
    )
    return replace(check, entered="cell arrays") if blanks else check


def _sentence(context: Context) -> Block:
    own = of_context(context.id)
    words = ops.words.joined(own["Tokens"], len(context.words))
    return computed(own["Sentence"], (1, 1), ops.words.SENTENCE, "lane", words=words)
