"""Results of a model: the next word and the most likely words, or a class."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Fact, Group, Side
from xlsxattn.builder.pages.parts import Step, computed, model_columns, numbered, step, typed
from xlsxattn.contract.kinds import PADDING, Classifier, Model, Writer
from xlsxattn.contract.names import RangeName, cols_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.builder.specification import Spec


def next_token_steps(spec: Spec, sheet: Writer, lane: Lane, *, ranks: bool) -> Steps:
    """Logits over the vocabulary, their softmax with a temperature (n × n_vocab), the most likely words.

    ``ranks``: the ranks above these words, 1, 2, ..., are the range that all formulas of the page read.
    """
    p, s, n_vocab = lane.prefix, RangeName(sheet.id), len(spec.vocabulary.tokens)

    def wide(name: str, op: ops.Op, look: str, *sides: Side, **names: str) -> Step:
        block = lane.block(p[name], n_vocab, op, look, **names)
        words = computed(
            cols_of(block.name), (1, n_vocab), ops.words.COL_LABELS, "col label", texts="vocab_Tokens"
        )
        return step(op, lane, lane.group(block, words, sides))

    def column(heading: str, name: str, op: ops.Op, look: str = "weight", **names: str) -> Side:
        return Side(heading, lane.column(p[name], op, look, **names))

    logits = p["Logits"]
    op = _looked_up(n_vocab, ops.next_word.NEXT)
    next_word = column("next word", "Next", op, "word result", words="vocab_Tokens", logits=logits)
    largest = column("row max", "LogitMax", ops.next_word.LOGIT_MAX, "number", x=p["Tempered"])
    total = column("row sum", "LogitSum", ops.next_word.LOGIT_SUM, x=p["LogitExp"])
    op, names = (
        (ops.next_word.TIED_LOGITS, {"e": "vocab_E"})
        if sheet.tied
        else (ops.next_word.LOGITS, {"w": s["W_U"]})
    )
    return _top_words(sheet, lane, n_vocab, ranks=ranks) | {
        "Logits": wide("Logits", op, "scores", next_word, x=p["Output"], **names),
        "Tempered": wide(
            "Tempered", ops.next_word.TEMPERED, "scores", largest, logits=logits, temperature=s["Temperature"]
        ),
        "LogitExp": wide(
            "LogitExp", ops.next_word.LOGIT_EXP, "unnormalized", total, x=p["Tempered"], row_max=p["LogitMax"]
        ),
        "Probability": wide(
            "Probability",
            ops.next_word.PROBABILITY,
            "probability",
            numerator=p["LogitExp"],
            row_sum=p["LogitSum"],
        ),
    }


def _looked_up(n_vocab: int, op: ops.Op, only: ops.Op = ops.large_models.ONLY_WORD) -> ops.Op:
    """The operation that looks up words; without MATCH and INDEX for one word, as engines differ there."""
    return op if n_vocab > 1 else replace(op, formula=only.formula)


def _top_words(sheet: Writer, lane: Lane, n_vocab: int, *, ranks: bool) -> Steps:
    """The top-k words of each row with their logits, positions and probabilities (n × k each)."""
    p, k, logits = lane.prefix, sheet.top_k, lane.prefix["Logits"]
    ids = p["TopIds"]

    def block(name: str, op: ops.Op, look: str, **names: str) -> Block:
        return computed(p[name], (lane.n, k), op, look, **names)

    op = _looked_up(n_vocab, ops.next_word.TOP_TOKENS)
    words = block("TopTokens", op, "word result", words="vocab_Tokens", ids=ids)
    op = _looked_up(n_vocab, ops.next_word.TOP_PROBABILITIES, ops.next_word.ONLY_PROBABILITY)
    probabilities = block("TopProbabilities", op, "probability", probability=p["Probability"], ids=ids)
    top = block(
        "TopLogits", ops.next_word.TOP_LOGITS, "number", logits=logits, rank=RangeName(sheet.id)["Rank"]
    )
    places = block("TopIds", ops.next_word.TOP_IDS, "count", logits=logits, rank=RangeName(sheet.id)["Rank"])
    ranked = tuple(say("no. {j}", j=j + 1) for j in range(k))
    first = typed(RangeName(sheet.id)["Rank"], "rank", [[float(j + 1) for j in range(k)]], "constant")
    beside = (("probability", probabilities), ("logit", top), ("row in the vocabulary", places))
    sides = tuple(Side(heading, (numbers,)) for heading, numbers in beside)
    return {
        "TopTokens": step(
            ops.next_word.TOP_TOKENS, lane, lane.group(words, first if ranks else ranked, sides)
        )
    }


def classes_steps(sheet: Classifier, lane: Lane, d_model: int) -> Steps:
    """The pooled row (1 × d_model), logits over the classes and their softmax (1 × n_classes), the class."""
    p, s, n = lane.prefix, RangeName(sheet.id), len(sheet.classes)
    output, index = p["Output"], lane.own["Index"]
    op, names = ops.sentences.POOL_FIRST, {"index": index}
    if sheet.pool == "mean" and sheet.mask in PADDING:
        op, names = ops.sentences.POOL_MASKED, {"padding": p["PaddingMask"]}
    elif sheet.pool == "mean":
        op = ops.sentences.POOL_MEAN
    pooled = computed(p["Pooled"], (1, d_model), op, "output", x=output, **names)

    def row(name: str, op: ops.Op, look: str, *sides: Side, **names: str) -> Group:
        block = computed(p[name], (1, n), op, look, **names)
        classes = computed(cols_of(block.name), (1, n), ops.words.ROW_LABELS, "col label", texts=s["Classes"])
        return Group((block,), (("sentence",),), classes, sides)

    def side(heading: str, name: str, op: ops.Op, look: str, **names: str) -> Side:
        return Side(heading, (computed(p[name], (1, 1), op, look, **names),))

    logits = p["Logits"]
    names = {"classes": s["Classes"], "logits": logits}
    class_side = side("class", "Class", ops.sentences.CLASS, "word result", **names)
    if sheet.pool == "first":
        class_side = side(
            "class", "Class", ops.sentences.CLASS_OF_FIRST, "word result", tokens=lane.tokens, **names
        )
    elif sheet.mask in PADDING:
        class_side = side(
            "class", "Class", ops.sentences.CLASS_OF_WORDS, "word result", padding=p["PaddingMask"], **names
        )
    largest = side("max", "LogitMax", ops.next_word.LOGIT_MAX, "number", x=logits)
    total = side("sum", "LogitSum", ops.next_word.LOGIT_SUM, "weight", x=p["LogitExp"])
    names = {"x": pooled.name, "w": s["W_C"], "b": s["b_C"]}
    exp = row("LogitExp", ops.next_word.LOGIT_EXP, "unnormalized", total, x=logits, row_max=p["LogitMax"])
    operands = {"numerator": p["LogitExp"], "row_sum": p["LogitSum"]}
    cols = model_columns(pooled.name, d_model, normed=sheet.ends_with_norm)
    group = Group((pooled,), (("sentence",),), cols)
    return {
        "Pooled": step(op, lane, group),
        "Logits": step(
            ops.sentences.CLASS_LOGITS,
            lane,
            row("Logits", ops.sentences.CLASS_LOGITS, "scores", class_side, largest, **names),
        ),
        "LogitExp": step(ops.next_word.LOGIT_EXP, lane, exp),
        "Probability": step(
            ops.sentences.CLASS_PROBABILITY,
            lane,
            row("Probability", ops.sentences.CLASS_PROBABILITY, "probability", **operands),
        ),
    }


def unembedding_bands(spec: Spec, sheet: Model) -> tuple[list[Fact], list[Band]]:
    """Facts and bands of a model's output page that all lanes share: the weights of the last product."""
    s = RangeName(sheet.id)
    if isinstance(sheet, Writer):
        weights: list[Band] = []
        if not sheet.tied:
            block = typed(s["W_U"], "input", sheet.weights["W_U"])
            words = tuple(
                say("{word}", word=word) for word in spec.vocabulary.tokens
            )  # words are not translated
            group = Group((block,), (numbered("x", block.rows),), words, title="W_U")
            why = "One column for each word of the vocabulary."
            weights.append(Band("Weights W_U", why, (group,), shared=True, show_formula=False))
        return [], weights
    if not isinstance(sheet, Classifier):
        return [], []
    classes = typed(s["Classes"], "token", (sheet.classes,))
    weight, bias = (typed(s[name], "input", sheet.weights[name]) for name in ("W_C", "b_C"))
    numbers = numbered("c", len(sheet.classes))
    groups = (
        Group((classes,), (("classes",),), numbers, title="Classes"),
        Group((weight,), (numbered("x", weight.rows),), numbers, title="W_C"),
        Group((bias,), (("+",),), numbers, title="b_C"),
    )
    why = "One column for each class, learned in training."
    return [], [Band("Classes and their weights", why, groups, shared=True, show_formula=False)]
