"""The first screen of attention sheets and encoders: the focus word before and after attention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Block, Line, Strip, WordLane
from xlsxattn.builder.pages.details import absent
from xlsxattn.builder.pages.first_screen import parts
from xlsxattn.builder.pages.parts import computed, numbered
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.kinds import Compare, Encoder, Model, MultiHead, SelfAttention, Training, WithAttention
from xlsxattn.contract.names import START, RangeName, cols_of, of_context, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context

LONE_SHARE = 210
"""Width of the attention in pixels if no numbers are beside it, so that sentences have room above."""


def followed(
    spec: Spec, show: parts.Shown, contexts: Sequence[Context], sentences: dict[str, Block]
) -> tuple[list[WordLane], Block | None]:
    """The focus word in each sentence, and the result of a training or of two sentences as a text."""
    attending = [_Attending(spec, show, context) for context in contexts]
    lanes = [one.lane(sentences[one.context.id]) for one in attending]
    return lanes, _trained(spec, show) or _closing(attending)


@dataclass(frozen=True)
class _Attending:
    """A sentence of a workbook whose first screen shows the focus word before and after attention."""

    spec: Spec
    show: parts.Shown
    context: Context

    @property
    def f(self) -> RangeName:
        return parts.front_of(self.context)

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
        strips = list(parts.word_strips(self.context))
        look = parts.focus_word(cols_of(self.f["Look"]), "head", texts.LOOKS_AT)
        alone = LONE_SHARE if len(self.show["contexts"]) <= parts.MAX_FULL else 2 * parts.SHARE
        wide = parts.SHARE if self.count else alone
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
            return parts.mean_attention(
                self.context, parts.attentions_of(sheet, p), f"--({own['Index']}={own['Focus']})"
            )
        places = [p.at(head=h + 1) for h in range(sheet.heads)] if isinstance(sheet, MultiHead) else [p]
        heads = [at["FocusAttention"] for at in places]
        source = f"({'+'.join(heads)})/{len(heads)}" if heads[1:] else heads[0]
        shape = len(self.context.words), 1
        return computed(self.f["Look"], shape, ops.first_screen.UPRIGHT, "share", source=source)

    def _in_full(self, strips: list[Strip]) -> tuple[list[Strip], list[Line]]:
        """The numbers of each word, and those of the focus word before attention and after each sheet."""
        wide = max(parts.NARROW, min(parts.EVERY_NUMBER // self.count, parts.WIDEST_NUMBER))
        own = self.f["X"]
        first = RangeName(self.sheets[0].id, context=self.context.id)["X"]
        n = len(self.context.words)
        before = self._row(self.f["Before"], own, "own number")
        head = parts.labels(before.name if self.is_near else own, self.names, upright=False, count=self.count)
        if self.is_near:  # a word's own numbers are too many
            strips.append(Strip(None, wide, head, "cosine with"))
        else:
            X = computed(
                own, (n, self.count), replace(ops.layers.COPY, formula="={x}"), "own number", x=first
            )
            strips.append(Strip(X, wide, head))
        lines = [
            Line(parts.focus_word(rows_of(before.name), "name beside", texts.BEFORE), before, parts.NUMBERS)
        ]
        for i, sheet in enumerate(self.sheets):
            at = self.f.at(of=sheet.id)["Output"]
            after = self._row(at, RangeName(sheet.id, context=self.context.id)["Output"], "result")
            label = parts.focus_word(rows_of(at), "result beside", _after(self.spec, sheet, self.sheets[0]))
            above = numbered("x", self.count) if self.is_numbered and i == 0 else ()
            lines.append(Line(label, after, parts.NUMBERS, above))
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
        return Line(parts.labels(name, self.names, upright=True, count=self.count), block, parts.LOOK)

    def _alike(self) -> Iterable[Line]:
        """How alike the sentence and the first one are."""
        first = self.sheets[0]
        if isinstance(first, Encoder) and first.similarity:
            source = RangeName(first.id, context=self.context.id)["Similarity"]
            block = parts.copied(self.f["Similarity"], (1, 1), "alike", source, ops.words.SAME_TEXT)
            yield Line("similar to sentence 1", block, parts.LOOK)

    def _said(self) -> Iterable[Block]:
        first, p = self.sheets[0], RangeName(self.sheets[0].id, context=self.context.id)
        if isinstance(first, SelfAttention):
            block = parts.copied(self.f["Said"], (1, 1), "made of", p["FocusSaid"], ops.words.SAME_TEXT)
            yield replace(block, number_format=texts.MADE_OF)
        yield self._says()

    def _says(self) -> Block:
        own, along = of_context(self.context.id), "COLUMN" if self.show["full"] else "ROW"
        cases = [
            *parts.unreadable_cases(self.spec, self.context),
            ('vocab_Focus=""', texts.NO_FOCUS),
            (f"{own['Focus']}=0", texts.ABSENT),
        ]
        names = {"word": parts.first_unknown(self.context), "focus": "vocab_Focus"}
        result = texts.MIXED if self.count > 1 and self.is_numbered else ""
        if self.count > 1 and not self.is_numbered:
            cases.append((self.undecided, texts.EQUALLY_CLOSE if self.is_near else texts.UNDECIDED))
            result = texts.CLOSEST if self.is_near else texts.LEANS
            other = ops.first_screen.other(self.numbers, self.names, self.across, along)
            names |= {"lead": self.lead, "other": other}
        twice = f'SUM(--EXACT({own["Tokens"]}&"",vocab_Focus&""))>1', texts.TWICE
        op = ops.first_screen.first_case(*cases, else_=result, also=twice if self.count > 1 else None)
        return computed(self.f["Says"], (1, 1), op, "says", **names)


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


def _trained(spec: Spec, show: parts.Shown) -> Block | None:
    """The result of a training of the first sheet as a text (1 × 1)."""
    if "training" not in show:
        return None
    training = next(t for t in spec.sheets if isinstance(t, Training) and t.id == show["training"])
    s, steps = RangeName(training.id), training.steps
    first, last = f"{s['Loss']}[1]", f"{s['Loss']}[{steps + 1}]"
    op = ops.first_screen.first_case(
        ('LEFT(vocab_Status,1)="✗"', texts.NOT_YET),
        (f"{s['Diverged']}>0", texts.DIVERGED),
        (f'LEFT({s["Verdict"]},1)<>"✓"', texts.NOT_LEARNED),
        (f"100*(1-{last}/{first})<0.5", texts.SLIGHTLY_LEARNED),
        else_=texts.LEARNED,
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
