"""The first screen of a workbook: the yellow words, their results, and a sentence about these.

docs/contract.md, "The first screen", defines what is shown for each kind of sheet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Block, Box, FirstScreen, Line, Strip, WordLane
from xlsxattn.builder.pages.attention import output_columns
from xlsxattn.builder.pages.attention_pages import CROSS_LEAD
from xlsxattn.builder.pages.contents import LEADS
from xlsxattn.builder.pages.details import absent, detailed, has_no_result
from xlsxattn.builder.pages.experiments import has_typed_rows
from xlsxattn.builder.pages.parts import computed, numbered, typed
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.kinds import (
    PADDING,
    Classifier,
    Compare,
    CrossAttention,
    Encoder,
    EncoderDecoder,
    InSentence,
    Model,
    MultiHead,
    SelfAttention,
    Training,
    WithAttention,
    Writer,
    can_be_followed,
)
from xlsxattn.contract.names import START, RangeName, cols_of, ends_in, of_context, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.ops import Op
    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context

CHANGE_WORD, FOLLOW_WORD = "1   Change a yellow word", "1   Follow another word"
MAX_SHOWN, MAX_FULL, MAX_NAMES, MAX_RIVALS = 4, 2, 6, 3
"""Maximum numbers of sentences, of sentences with all numbers, of columns, and of likeliest words."""
WORD, PLACE, SHARE, NUMBER, NARROW, ALONE = 100, 24, 100, 66, 50, 250
"""Widths of columns in pixels; words without a result beside them have room for a text below."""
LONE_SHARE = 210
"""Width of the attention in pixels if no numbers are beside it, so that sentences have room above."""
LOOK, NUMBERS = 3, 4
"""The strips of a lane with results below them: the attention to each word, and its numbers."""
EVERY_NUMBER, WIDEST_NUMBER = 264, 132
"""Widths in pixels of all numbers of a word, so that sentences have room above them, and of one number."""


class Shown(TypedDict):
    """What the first screen shows, as stored in ``xlsxattn_Front``."""

    sheets: list[str]
    contexts: list[str]
    columns: NotRequired[Literal["dims", "near", "numbered", "none"]]
    compare: NotRequired[str]
    full: NotRequired[bool]
    rivals: NotRequired[int]
    training: NotRequired[str]
    details: NotRequired[list[str]]


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
        lanes = _crossed(spec, first, contexts, sentences)
    elif isinstance(first, Writer):
        lanes, written = _writing(spec, first, contexts, sentences, show)
        closing = written or closing
    elif isinstance(first, Classifier):
        lanes = [_classified(spec, first, context, sentences[context.id]) for context in contexts]
    else:
        attending = [_Attending(spec, show, context) for context in contexts]
        lanes = [one.lane(sentences[one.context.id]) for one in attending]
        closing = _trained(spec, show) or _closing(attending) or closing
        several = len(spec.contexts) > 1
        story = _focus_word(START["Story"], "story", texts.STORIES[several])
        watch = _focus_word(START["Focus"], "chip", texts.WATCH)
    return FirstScreen(check, story, (change, watch, see), follow, closing, tuple(lanes))


def _focus_word(name: str, look: str, number_format: str) -> Block:
    """The focus word; its number format adds the other words."""
    block = computed(name, (1, 1), ops.first_screen.FOCUS, look, focus="vocab_Focus")
    return replace(block, number_format=number_format)


def _at(context: Context) -> RangeName:
    return START.at(context=context.id)


def word_blocks(context: Context) -> tuple[Block, Block, Block]:
    """The words of a sentence, which are yellow, their places, and their rows in the vocabulary (n × 1)."""
    own, n = of_context(context.id), len(context.words)
    words = typed(own["Tokens"], "yellow word", [(word,) for word in context.words])
    index = typed(own["Index"], "place", [(float(i + 1),) for i in range(n)], "constant")
    ids = computed(
        own["Ids"], (n, 1), ops.words.IDS, "word number", tokens=words.name, vocabulary="vocab_Tokens"
    )
    return words, index, ids


def _word_strips(context: Context) -> tuple[Strip, Strip, Strip]:
    """The strips of a sentence: its words, their positions, and their (hidden) rows in the vocabulary."""
    words, index, ids = word_blocks(context)
    return Strip(replace(ids, widths=(1.0,)), PLACE, hidden=True), Strip(words, WORD), Strip(index, PLACE)


def _copied(
    name: str, shape: tuple[int, int], look: str, source: str, op: Op = ops.first_screen.COPIED
) -> Block:
    return computed(name, shape, op, look, source=source)


def _labels(name: str, names: str, *, upright: bool, count: int) -> Block:
    """Labels above a block or, if it is upright, beside it, copied from the row or column ``names``."""
    above = (cols_of(name), (1, count), "name above")
    label, shape, look = (rows_of(name), (count, 1), "name beside") if upright else above
    op = ops.words.COL_LABELS if upright == (ends_in(names, ("Dims", "Classes"))) else ops.words.ROW_LABELS
    return computed(label, shape, op, look, texts=names)


def _unknown(spec: Spec, context: Context) -> tuple[tuple[str, str], ...]:
    """The cases of an unknown word and, if blank cells are not allowed, of a blank cell."""
    own = of_context(context.id)
    cases = [(f'SUM(({own["Ids"]}=0)*({own["Tokens"]}<>""))>0', texts.UNKNOWN)]
    if not any(sheet.uses_blanks for sheet in spec.sheets):
        cases.append((f'SUM(--({own["Tokens"]}=""))>0', texts.BLANK))
    return tuple(cases)


def _unreadable(spec: Spec, context: Context) -> Block:
    """The text for an unknown word or an invalid blank; otherwise the empty text."""
    op = ops.first_screen.first_case(*_unknown(spec, context), else_="")
    return computed(_at(context)["Says"], (1, 1), op, "made of", word=_first_unknown(context))


def _first_unknown(context: Context) -> str:
    """The first unknown word, as a part of a formula."""
    tokens, ids = (of_context(context.id)[block] for block in ("Tokens", "Ids"))
    if len(context.words) == 1:  # some programs do not accept the name of a single cell in INDEX
        return tokens
    return f'INDEX({tokens},MATCH(1,({ids}=0)*({tokens}<>""),0))'


def _attentions(sheet: Model, p: RangeName, *, cross: bool = False) -> list[str]:
    """The Attention of every included head of the last included layer."""
    k = sheet.numbers[-1]
    return [p.at(layer=k, cross=cross, head=h)["Attention"] for h in sheet.heads_of(k)]


def _look(context: Context, attentions: Sequence[str], rows: str) -> Block:
    """The mean attention to each word over all heads (n × 1); ``rows``: the weight of each row (n × 1)."""
    joined = "+".join(attentions)
    names = {"attention": f"({joined})" if attentions[1:] else joined, "rows": rows}
    op = (
        ops.first_screen.LOOK
        if attentions[1:]
        else replace(ops.first_screen.LOOK, formula=ops.first_screen.LOOK.formula.removesuffix("/{heads}"))
    )
    shape = len(context.words), 1
    return computed(_at(context)["Look"], shape, op, "share", heads=str(len(attentions)), **names)


# --- attention sheets and encoders -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Attending:
    """A sentence of a workbook whose first screen shows the focus word before and after attention."""

    spec: Spec
    show: Shown
    context: Context

    @property
    def f(self) -> RangeName:
        return _at(self.context)

    @property
    def sheets(self) -> list[Any]:
        return [sheet for one in self.show["sheets"] for sheet in self.spec.sheets if sheet.id == one]

    @property
    def picked(self) -> dict[str, str]:
        own = of_context(self.context.id)
        return {"index": own["Index"], "focus": own["Focus"]}

    @property
    def names(self) -> str:
        """The range with the names of the numbers."""
        return RangeName(self.show["compare"])["Tokens"] if self.is_near else "vocab_Dims"

    @property
    def is_near(self) -> bool:
        return self.show["columns"] == "near"

    @property
    def is_numbered(self) -> bool:
        """Whether the columns of outputs have numbers, as a norm mixed the dimensions."""
        return self.show["columns"] == "numbered"

    @property
    def across(self) -> str:
        return "" if self.is_near else "1,"

    @property
    def count(self) -> int:
        """Number of names; 0 if numbers are not shown."""
        if self.show["columns"] == "none":
            return 0
        compare = [s for s in self.spec.sheets if isinstance(s, Compare) and s.id == self.show.get("compare")]
        return len(compare[0].near) if compare else self.spec.vocabulary.d_model

    @property
    def numbers(self) -> str:
        """The range of the numbers whose largest one is the result."""
        return self.f.at(of=self.sheets[-1].id)["Output"] if self.show["full"] else self.f["Answer"]

    @property
    def undecided(self) -> str:
        return ops.first_screen.is_undecided(self.numbers)

    @property
    def lead(self) -> str:
        return ops.first_screen.lead(self.numbers, self.names, self.across)

    def lane(self, heading: Block) -> WordLane:
        strips = list(_word_strips(self.context))
        look = _focus_word(cols_of(self.f["Look"]), "head", texts.LOOKS_AT)
        alone = LONE_SHARE if len(self.show["contexts"]) <= MAX_FULL else 2 * SHARE
        wide = SHARE if self.count else alone
        strips.append(Strip(self._looks(), wide, look))
        lines: list[Line] = []
        if self.count and self.show["full"]:
            strips, lines = self._in_full(strips)
        elif self.count:
            lines = [self._answer()]
        lines += self._alike()
        hidden = absent(self.spec, self.context)
        return WordLane(heading, tuple(strips), hidden, tuple(lines), tuple(self._said()))

    def _looks(self) -> Block:
        sheet, own = self.sheets[0], of_context(self.context.id)
        p = RangeName(sheet.id, context=self.context.id)
        if isinstance(sheet, Model):
            return _look(self.context, _attentions(sheet, p), f"--({own['Index']}={own['Focus']})")
        places = [p.at(head=h + 1) for h in range(sheet.heads)] if isinstance(sheet, MultiHead) else [p]
        heads = [at["FocusAttention"] for at in places]
        source = f"({'+'.join(heads)})/{len(heads)}" if heads[1:] else heads[0]
        shape = len(self.context.words), 1
        return computed(self.f["Look"], shape, ops.first_screen.UPRIGHT, "share", source=source)

    def _in_full(self, strips: list[Strip]) -> tuple[list[Strip], list[Line]]:
        """The numbers of each word, and those of the focus word before attention and after each sheet."""
        wide = max(NARROW, min(EVERY_NUMBER // self.count, WIDEST_NUMBER))
        own = self.f["X"]
        first = RangeName(self.sheets[0].id, context=self.context.id)["X"]
        n = len(self.context.words)
        before = self._row(self.f["Before"], own, "own number")
        head = _labels(before.name if self.is_near else own, self.names, upright=False, count=self.count)
        if self.is_near:  # a word's own numbers are too many
            strips.append(Strip(None, wide, head))
        else:
            X = computed(
                own, (n, self.count), replace(ops.layers.COPY, formula="={x}"), "own number", x=first
            )
            strips.append(Strip(X, wide, head))
        lines = [Line(_focus_word(rows_of(before.name), "name beside", texts.BEFORE), before, NUMBERS)]
        for i, sheet in enumerate(self.sheets):
            at = self.f.at(of=sheet.id)["Output"]
            after = self._row(at, RangeName(sheet.id, context=self.context.id)["Output"], "result")
            label = _focus_word(rows_of(at), "result beside", _after(self.spec, sheet, self.sheets[0]))
            above = numbered("x", self.count) if self.is_numbered and i == 0 else ()
            lines.append(Line(label, after, NUMBERS, above))
        return strips, lines

    def _row(self, name: str, of: str, look: str) -> Block:
        """The numbers of the focus word in a row (1 × v)."""
        if self.is_near:
            return computed(name, (1, self.count), ops.first_screen.NEAR_ROW, look, near=self._near(name))
        return computed(name, (1, self.count), ops.focus.PICK, look, of=of, **self.picked)

    def _near(self, name: str) -> str:
        sheet = "" if name == self.f["Before"] else self.sheets[-1].id
        sheet = next((s.id for s in self.sheets if name == self.f.at(of=s.id)["Output"]), sheet)
        return RangeName(self.show["compare"], context=self.context.id, of=sheet)["Near"]

    def _answer(self) -> Line:
        """The output of the focus word in a column (v × 1)."""
        name, shape = self.f["Answer"], (self.count, 1)
        if self.is_near:
            block = computed(name, shape, ops.first_screen.NEAR, "result", near=self._near(name))
        else:
            of = RangeName(self.sheets[-1].id, context=self.context.id)["Output"]
            block = computed(name, shape, ops.first_screen.BECOMES, "result", of=of, **self.picked)
        return Line(_labels(name, self.names, upright=True, count=self.count), block, LOOK)

    def _alike(self) -> Iterable[Line]:
        """How alike the sentence and the first one are."""
        first = self.sheets[0]
        if isinstance(first, Encoder) and first.similarity:
            source = RangeName(first.id, context=self.context.id)["Similarity"]
            block = _copied(self.f["Similarity"], (1, 1), "alike", source, ops.words.SAME_TEXT)
            yield Line("like sentence 1", block, LOOK)

    def _said(self) -> Iterable[Block]:
        first, p = self.sheets[0], RangeName(self.sheets[0].id, context=self.context.id)
        if isinstance(first, SelfAttention):
            block = _copied(self.f["Said"], (1, 1), "made of", p["FocusSaid"], ops.words.SAME_TEXT)
            yield replace(block, number_format=texts.MADE_OF)
        yield self._says()

    def _says(self) -> Block:
        own, along = of_context(self.context.id), "COLUMN" if self.show["full"] else "ROW"
        cases = [
            *_unknown(self.spec, self.context),
            ('vocab_Focus=""', texts.NO_FOCUS),
            (f"{own['Focus']}=0", texts.ABSENT),
        ]
        names = {"word": _first_unknown(self.context), "focus": "vocab_Focus"}
        result = texts.MIXED if self.count > 1 and self.is_numbered else ""
        if self.count > 1 and not self.is_numbered:
            cases.append((self.undecided, texts.EQUALLY_CLOSE if self.is_near else texts.UNDECIDED))
            result = texts.CLOSEST if self.is_near else texts.LEANS
            other = ops.first_screen.other(self.numbers, self.names, self.across, along)
            names |= {"lead": self.lead, "other": other}
        twice = f'SUM(--EXACT({own["Tokens"]}&"",vocab_Focus&""))>1', texts.TWICE
        op = ops.first_screen.first_case(*cases, else_=result, also=twice if self.count > 1 else None)
        return computed(self.f["Says"], (1, 1), op, "says", **names)


def _adds(sheet: InSentence, first: InSentence) -> bool:
    """Whether a sheet has weights or positions, and the first one does not."""
    return (sheet.weights and not first.weights) or (sheet.position != "none" and first.position == "none")


def _after(spec: Spec, sheet: WithAttention, first: WithAttention) -> str:
    """The number format of the label of the focus word after a sheet; no two sheets have the same one."""
    second = sheet is not first
    if isinstance(sheet, Encoder):
        return texts.AFTER_SECOND if second else texts.AFTER_ENCODER
    if second and (first.weights or not sheet.weights):
        return texts.AFTER_POSITIONS
    starts = [one for one in spec.sheets if isinstance(one, Training) and _trains_given(one, sheet)]
    if sheet.weights and sheet.seed is None and (second or not starts):
        return texts.AFTER_LEARNED
    return texts.AFTER_RANDOM if second else texts.AFTER


def _trains_given(training: Training, sheet: WithAttention) -> bool:
    """Whether a training starts with the weights of a sheet."""
    return training.trains == sheet.id and training.start == "given"


def _trained(spec: Spec, show: Shown) -> Block | None:
    """The result of a training of the first sheet as a text (1 × 1)."""
    if "training" not in show:
        return None
    training = next(t for t in spec.sheets if isinstance(t, Training) and t.id == show["training"])
    s, steps = RangeName(training.id), training.steps
    first, last = f"{s['Loss']}[1]", f"{s['Loss']}[{steps + 1}]"
    op = ops.first_screen.first_case(
        ('LEFT(vocab_Status,1)="✗"', texts.NOT_YET),
        (f"{s['Diverged']}>0", texts.DIVERGED),
        (f'LEFT({s["Verdict"]},1)="✓"', texts.LEARNED),
        else_=texts.NOT_LEARNED,
    )
    percent = f"FIXED(100*(1-{last}/{first}),0)"
    names = {"step": s["Diverged"], "steps": str(steps), "percent": percent}
    return computed(START["Closing"], (1, 1), op, "closing", **names)


def _closing(attending: Sequence[_Attending]) -> Block | None:
    """The result of two sentences as a text (1 × 1)."""
    if len(attending) != 2 or attending[0].count < 2:  # noqa: PLR2004 - here and there, one name or another
        return None
    here, there = attending
    foci = [of_context(one.context.id)["Focus"] for one in attending]
    compares = [s for s in here.spec.sheets if isinstance(s, Compare)]
    cases = [
        ('LEFT(vocab_Status,1)="✗"', texts.NOT_YET),
        ('vocab_Focus=""', texts.NO_FOCUS),
        (f"{foci[0]}+{foci[1]}=0", texts.NEITHER_HAS),
        (f"{foci[0]}*{foci[1]}=0", texts.ONE_HAS),
        *((f'LEFT({RangeName(s.id)["Status"]},1)="✗"', texts.DIFFERENT_INPUTS) for s in compares[:1]),
    ]
    names, result = {"focus": "vocab_Focus"}, texts.OTHER_NUMBERS
    if here.is_numbered:
        same = ops.first_screen.LOOK_THE_SAME.format(a=here.numbers, b=there.numbers)
        cases.append((same, texts.SAME_NUMBERS))
    else:
        cases += [
            (f"AND({here.undecided},{there.undecided})", texts.BOTH_UNDECIDED),
            (here.undecided, texts.FIRST_UNDECIDED),
            (there.undecided, texts.SECOND_UNDECIDED),
            (f"EXACT({here.lead},{there.lead})", texts.SAME),
        ]
        names |= {"here": here.lead, "there": there.lead}
        result = texts.DIFFER
    op = ops.first_screen.first_case(*cases, else_=result)
    return computed(START["Closing"], (1, 1), op, "closing", **names)


# --- models, and attention across two sentences ------------------------------------------------------------


def _classified(spec: Spec, sheet: Classifier, context: Context, heading: Block) -> WordLane:
    """The words of a sentence, the attention that determines its class, and the classes."""
    own, f, p = of_context(context.id), _at(context), RangeName(sheet.id, context=context.id)
    rows = f"--({own['Index']}=1)"
    if sheet.pool == "mean":
        padded = f"{p['PaddingMask']}/MAX(1,SUM({p['PaddingMask']}))"
        rows = padded if sheet.mask in PADDING else f"({own['Index']}>0)/ROWS({own['Index']})"
    look = _look(context, _attentions(sheet, p), rows)
    names, count = RangeName(sheet.id)["Classes"], len(sheet.classes)
    answer = _copied(f["Answer"], (count, 1), "chance", p["Probability"], ops.first_screen.UPRIGHT)
    line = Line(_labels(answer.name, names, upright=True, count=count), answer, LOOK)
    op = ops.first_screen.first_case(
        *_unknown(spec, context),
        (f'{p["Class"]}="–"', texts.NO_CLASS),
        (ops.first_screen.is_undecided(answer.name), texts.CLASS_UNDECIDED),
        else_=texts.CLASS,
    )
    read = {
        "word": _first_unknown(context),
        "lead": ops.first_screen.lead(answer.name, names),
        "other": ops.first_screen.other(answer.name, names, along="ROW"),
    }
    says = computed(f["Says"], (1, 1), op, "says", **read)
    ids, words, place = _word_strips(context)
    head = "where the first word looks" if sheet.pool == "first" else "where all words look"
    strips = (ids, words, place, Strip(look, 2 * SHARE, head))
    return WordLane(heading, strips, has_no_result(context, f'{p["Class"]}="–"'), (line,), (says,))


def _writing(
    spec: Spec, sheet: Writer, contexts: Sequence[Context], sentences: dict[str, Block], show: Shown
) -> tuple[list[WordLane], Block | None]:
    """The words so far with the likeliest next ones, and the generated text."""
    lanes, written = [], []
    for context in contexts:
        ids, words, place = _word_strips(context)
        strips = [ids, words, place]
        if not isinstance(sheet, EncoderDecoder) or context.id == sheet.target:
            strips += _next_words(sheet, context, show["rivals"])
            if sheet.generate:
                written.append(_text(sheet, context))
        if isinstance(sheet, EncoderDecoder) and context.id == sheet.target:
            p = RangeName(sheet.id, context=context.id)
            strips.append(_alignment(context, spec.context(sheet.source), _attentions(sheet, p, cross=True)))
        strips = strips if strips[3:] else [ids, replace(words, pixels=ALONE), place]
        lanes.append(WordLane(sentences[context.id], tuple(strips), says=(_unreadable(spec, context),)))
    if len(written) == 1:
        return lanes, replace(written[0], look="closing")
    if written:
        lanes = [replace(lane, says=(text, *lane.says)) for lane, text in zip(lanes, written, strict=True)]
    return lanes, None


def _next_words(sheet: Writer, context: Context, rivals: int) -> list[Strip]:
    """The token that the model reads at each position, and the likeliest next ones (n × rivals)."""
    f, p, n = _at(context), RangeName(sheet.id, context=context.id), len(context.words)
    strips = []
    if sheet.generate:
        written = _copied(f["Written"], (n, 1), "word", p["Tokens"], ops.first_screen.COPIED_WORDS)
        strips.append(Strip(written, WORD, "input token"))
    for name, look, op, head in (
        ("TopTokens", "next word", ops.first_screen.COPIED_WORDS, "next word"),
        ("TopProbabilities", "chance", ops.first_screen.COPIED, "probability"),
    ):
        strips.append(Strip(_copied(f[name], (n, rivals), look, p[name], op), WORD, head))
    return strips


def _text(sheet: Writer, context: Context) -> Block:
    """The text so far (1 × 1)."""
    f, p = _at(context), RangeName(sheet.id, context=context.id)
    if sheet.apart:
        words = "&".join(f"{p['Tokens']}[{i + 1}]" for i in range(len(context.words)))
        block = computed(f["Text"], (1, 1), ops.first_screen.JOINED, "says", words=words)
    else:
        block = _copied(f["Text"], (1, 1), "says", p["Text"], ops.words.SAME_TEXT)
    return replace(block, number_format=texts.WRITES)


def _alignment(queries: Context, keys: Context, attentions: Sequence[str], look: str = "aligned") -> Strip:
    """The mean attention of each word to the words of the other sentence (n_queries × n_keys).

    With the look "share", rows of blank words are blank.
    """
    name, n = _at(queries)["Alignment"], len(keys.words)
    read = {"heads": "+".join(attentions), "count": str(len(attentions))}
    op = (
        ops.first_screen.MEAN_OF_HEADS
        if attentions[1:]
        else replace(ops.first_screen.MEAN_OF_HEADS, formula="={heads}")
    )
    block = computed(name, (len(queries.words), n), op, look, **read)
    tokens = of_context(keys.id)["Tokens"]
    head = computed(cols_of(name), (1, n), ops.words.COL_LABELS, "name above", texts=tokens)
    return Strip(block, NUMBER if n * NUMBER <= EVERY_NUMBER else NARROW, head)


def _crossed(
    spec: Spec, sheet: CrossAttention, contexts: Sequence[Context], sentences: dict[str, Block]
) -> list[WordLane]:
    """Both sentences, with the attention from the first to the second and each word's strongest key."""
    queries, keys = contexts
    f, p = _at(queries), RangeName(sheet.id, context=queries.id)
    places = [p.at(head=h + 1) for h in range(sheet.heads)] if sheet.headed else [p]
    aligned = _alignment(queries, keys, [at["Attention"] for at in places], "share")
    names = {"tokens": of_context(queries.id)["Tokens"], "words": of_context(keys.id)["Tokens"]}
    op = ops.first_screen.MOST
    if len(keys.words) == 1:  # some programs do not accept the name of a single cell in INDEX
        op = replace(op, formula='=IF({tokens}[cell]="","–",{words}&"")')
    n = len(queries.words)
    most = computed(f["Most"], (n, 1), op, "next word", map=f["Alignment"], **names)
    said = (
        [_copied(f["Said"], (1, 1), "made of", p["FocusSaid"], ops.words.SAME_TEXT)]
        if not sheet.headed
        else []
    )
    lanes = []
    for context in contexts:
        ids, words, place = _word_strips(context)
        strips = [aligned, Strip(most, WORD, "looks most at")] if context is queries else []
        words = words if strips else replace(words, pixels=ALONE)
        says = [replace(block, number_format=texts.MADE_OF) for block in said if context is queries]
        says.append(_unreadable(spec, context))
        lanes.append(WordLane(sentences[context.id], (ids, words, place, *strips), says=tuple(says)))
    return lanes
