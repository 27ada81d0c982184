"""Rules for equivalent mutants: why a fault cannot change any value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev.campaign.equivalent_steps import of_trainings
from dev.campaign.formulas import operands, put
from dev.campaign.partners import place
from xlsxattn.checker.reading.book import Formula
from xlsxattn.contract.kinds import Compare, EncoderDecoder, Training
from xlsxattn.contract.names import COLS, STATUS, RangeName, last

if TYPE_CHECKING:
    from dev.campaign.formulas import Operand
    from dev.campaign.mutants import Mutant
    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import SheetInfo

FALLBACK = ",SUM(--EXACT("
UNLIKE_CASE = re.compile(r'LEFT\((?!vocab_)\w+_Status,1\)="✗",[^,]*,')
"""The case of the text DIFFERENT_INPUTS, for any status and word."""
SUMS = {"Drift", "AttentionSum"}
SHAPES = ("Scale", "Index", "Mask", "CausalMask", "DModel", "DK", "DV", "DFF")
PLAIN = ("Scores", "Scaled", "Masked", "RowMax", "Exp", "RowSum", "Attention")
SIZES = ("Scale", "DModel", "DK", "DV", "DFF")
MASKED = ("RowMax", "RowSum", "UnscaledSum", "Entropy", "EntropyUnscaled")
TOP = ("TopLogits", "TopIds", "TopTokens", "TopProbabilities")
PAIRS = ("PairWeights", "PairPlaces", "PairFrom", "PairTo")
TYPED = ("right value as a constant", "pasted as values", "one short, old values left", "block in two")


def reason(book: Book, mutant: Mutant) -> str:
    """The reason why a mutant is equivalent; "" if no rule applies."""
    rules = (_of_names,) if mutant.names else VALUES
    return next(filter(None, (rule(book, mutant) for rule in rules)), "")


def _of_blocks(book: Book, mutant: Mutant) -> str:
    """Ranges whose values do not depend on inputs."""
    at = place(book, mutant.ranges[0])
    if at.is_status:
        return "a mark that reads ✓ for every input"
    if at.block in SUMS:
        return "rows of Attention sum to 1 for every input"
    if mutant.kind in TYPED and (at.block in SHAPES or _counts_columns(at)):
        return "it only depends on shapes"
    return ""


def _of_masked(book: Book, mutant: Mutant) -> str:
    """Masked rows, which depend on a part of the sentence only."""
    by = place(book, mutant.ranges[0])
    causal = any(s.id == by.sheet and _is_causal(s) for s in book.manifest.sheets)
    if causal and by.block in MASKED and mutant.kind == "misses the last":
        return "the last column is masked in this row"
    alone = mutant.kind in TYPED or mutant.kind.startswith("another ")
    mixed = by.block == "Output" and last(mutant.source[0]) == "Attention"
    if causal and by.block in PAIRS and {at[1] for at in mutant.cells} == {book.names[mutant.ranges[0]].row}:
        return "the first word only attends to itself: no weight is larger, for any input"
    if causal and (mixed or by.block in (*MASKED, "Exp", "Attention", "Map")) and alone:
        return "the first word only attends to itself: the same for every input"
    return ""


def _of_padding(book: Book, mutant: Mutant) -> str:
    """Padding masks, which are the same in every row."""
    block = place(book, mutant.ranges[0]).block
    if "Mask" in block and mutant.kind in ("another row", "absolute for relative"):
        return "every row number is above 0"
    if block == "Masked" and mutant.kind == "every word reads the first":
        return "a padding mask is the same in every row"
    return ""


def _of_ranges(book: Book, mutant: Mutant) -> str:
    """Another range with the same content."""
    read, instead = mutant.source
    if not read or not instead:
        return ""
    if book.names[read] == book.names[instead]:
        return "the same cells under another name"
    if _formula(book, read) == _formula(book, instead) != "":
        return "both ranges have the same formula"
    if _generic_formula(book, read) == _generic_formula(book, instead) != "":
        return "both are computed alike from the same shapes or words"
    if {last(read), last(instead)} in ({"MaskValue"}, {"Scale"}):
        return "the same √d, or the same −∞, on both sheets"
    return "both contain 1, 2, ..., n" if _is_index(instead) and _is_index(read) else ""


def _of_seen(book: Book, mutant: Mutant) -> str:
    """The number of words that the focus word attends to, on another sheet."""
    read, instead = mutant.source
    if {last(read), last(instead)} != {"FocusSeen"}:
        return ""
    masks = [
        s.settings.get("mask")
        for name in (read, instead)
        for s in book.manifest.sheets
        if s.id == place(book, name).sheet
    ]
    if place(book, read).context == place(book, instead).context and len({*masks}) == 1:
        return "with the same mask, the word attends to as many words on both sheets"
    if _without_focus_tests(_new_text(mutant)) == _without_focus_tests(_old_text(book, mutant)):
        return "both are 0 if and only if the focus word is absent"
    first = {at[2] for at in mutant.cells} == {book.names[mutant.ranges[0]].col}
    return "the focus word attends to itself under both masks" if first else ""


def _of_copies(book: Book, mutant: Mutant) -> str:
    """Another range that always has the same numbers, with another formula."""
    read, instead = mutant.source
    if not read or not instead:
        return ""
    if _constants(book, read) == _constants(book, instead) != []:
        return "both have the same numbers, which no input changes"
    if _is_copy(book, read, instead):
        return "one is a copy of the other"
    if {last(read), last(instead)} == {"Tokens"}:
        return "the first generated word is the typed one"
    one, two = place(book, read), place(book, instead)
    plain = {s.id for s in book.manifest.sheets if s.settings.get("weights") is False}
    settings = [
        s.settings.get("position", "none") for s in book.manifest.sheets if s.id in (one.sheet, two.sheet)
    ]
    same = one.context == two.context and one.block == two.block and len({*settings}) == 1
    if same and one.block in PLAIN and {one.sheet, two.sheet} <= plain:
        return "both sheets have no weights, and the same values for the same words"
    return ""


def _is_copy(book: Book, one: str, two: str) -> bool:
    """Whether a range is a copy of another, or both are the joined words of a sentence."""
    joined = ("Text", "Heading", "Sentence")
    a, b = place(book, one), place(book, two)
    words = a.block in joined and b.block in joined
    return words or _copies(book, one, two) or _copies(book, two, one)


def _copies(book: Book, one: str, two: str) -> bool:
    """Whether a range copies another one, as a whole or row by row, or as text."""
    copy = rf'={two}(\[(row|cell|\.\.diagonal)\])?(&"")?'
    return re.fullmatch(copy, _formula(book, one)) is not None


def _of_single(book: Book, mutant: Mutant) -> str:
    """What selects one of a single thing, and marks of attention sheets, which only fail with the words."""
    read, instead = mutant.source
    if not read or not instead:
        return ""
    one, two = place(book, read), place(book, instead)
    if place(book, mutant.ranges[0]).block == "Chosen" and one.block == "Layer":
        layers = book.names[one["Layers"]]
        return "there is only one layer to choose" if layers.rows * layers.cols == 1 else ""
    attending = any(s.id == two.sheet and not s.is_a(Training, Compare) for s in book.manifest.sheets)
    asked = f'LEFT({instead},1)="✗"' in _new_text(mutant)
    if one.is_status and two.is_status and one.sheet == "vocab" and attending and asked:
        return "with known words, rows of Attention sum to 1"
    return ""


def _of_counts(book: Book, mutant: Mutant) -> str:
    """Formulas that count rows or columns, regardless of their content."""
    (read, instead), block = mutant.source, place(book, mutant.ranges[0]).block
    counted = re.search(r"ROWS\((\w+)\)", _new_text(mutant))
    if block in SIZES and read and book.names[read].cols == book.names[instead].cols:
        return "only columns are counted, and both have d of them"
    if block in SIZES and counted and book.names[counted[1]].rows == book.names[counted[1]].cols:
        return "rows are counted, and there are as many columns"
    if read and f"ROWS({read})" in _old_text(book, mutant) and f"ROWS({instead})" in _new_text(mutant):
        return "only rows are counted, and both have as many"
    if read and f"COLUMNS({read})" in _old_text(book, mutant) and f"COLUMNS({instead})" in _new_text(mutant):
        return "only columns are counted, and both have as many"
    if block in ("Frequency", "Angle", "Cos", "Sin") and book.names[mutant.ranges[0]].cols <= 2:
        return "the frequency of a single pair is base^0, which is 1"
    single = re.fullmatch(r"=ROWS\(\$?[A-Z]+\$?\d+\)", _new_text(mutant)) is not None
    return "only rows are counted" if block == "Index" and (read or single) else ""


def _of_places(book: Book, mutant: Mutant) -> str:
    """Formulas that only depend on a range's columns, its unordered numbers, or its diagonal."""
    cells, area = [at for at in mutant.cells if at in book.formulas], book.names[mutant.ranges[0]]
    news = [new for at in cells if isinstance(new := mutant.cells[at], Formula)]
    was = [book.formulas[at].text for at in cells]
    if not cells or len(news) < len(cells):
        return ""
    pairs = [
        (_by_columns(book, text, at[0]), _by_columns(book, new.text, at[0]))
        for text, new, at in zip(was, news, cells, strict=True)
    ]
    turned = mutant.kind == "transpose added" and last(mutant.ranges[0]) == "First"
    if turned and all(at[1] - area.row == at[2] - area.col for at in cells):
        return "a transpose does not change the diagonal"
    if all(one == two for one, two in pairs):
        return "only columns or rows are counted, and their number is the same"
    if was == [
        re.sub(r"(LARGE\(|SUM\(--\(SIGN\(|SUMSQ\()TRANSPOSE\((\w+)\)", r"\1\2", new.text) for new in news
    ]:
        return "the largest numbers and a sum of squares do not depend on the order"
    return ""


def _by_columns(book: Book, formula: str, tab: str) -> str:
    """A formula in which ranges are replaced by their columns or rows where only these matter."""
    square = [name for name, area in book.names.items() if area.rows == area.cols]
    for name in square if "COLUMNS(TRANSPOSE(" in formula else ():
        formula = formula.replace(f"COLUMNS(TRANSPOSE({name}))", f"COLUMNS({name})")
    asked = {
        op: re.search(r"\b(COLUMNS?|ROW)\($", formula[: op.start]) for op in operands(book, formula, tab)
    }

    def counted(op: Operand) -> str:
        found = asked[op]
        down = found is not None and found[1] == "ROW"
        return f"{op.area.row} {op.area.rows}" if down else f"{op.area.col} {op.area.cols}"

    return put(formula, [op for op, found in asked.items() if found], counted)


def _of_closings(book: Book, mutant: Mutant) -> str:
    """Cases of the first screen's closing sentence that only apply if a formula was changed."""
    if place(book, mutant.ranges[0]).block != "Closing":
        return ""
    read, instead = mutant.source
    if read and {place(book, read).block, place(book, instead).block} == {"Loss", "Plotted"}:
        return "losses below the first are the same in the chart"
    now, was = (UNLIKE_CASE.sub("", text) for text in (_new_text(mutant), _old_text(book, mutant)))
    return "with known words, no check of a correct workbook fails" if now == was != "" else ""


def _of_unknown_words(book: Book, mutant: Mutant) -> str:
    """Unknown words below a sentence that a model continues."""
    read, instead = mutant.source
    if place(book, mutant.ranges[0]).block != "Says" or not read:
        return ""
    one, other = place(book, read), place(book, instead)
    same = (one.block, one.context) == (other.block, other.context) == ("Ids", other.context)
    return "a typed word has the same row with the words that the model writes" if same else ""


def _of_fallbacks(book: Book, mutant: Mutant) -> str:
    """Look-ups whose MATCH is intact: the sum is only used for lists of a single word."""
    if place(book, mutant.ranges[0]).block not in ("Ids", "Focus"):
        return ""
    now, was = (text.partition(FALLBACK) for text in (_new_text(mutant), _old_text(book, mutant)))
    whole = now[0] == was[0] and now[2] != was[2] != ""
    return "the sum is only used for lists of one word, and this one is longer" if whole else ""


def _of_formulas(book: Book, mutant: Mutant) -> str:
    """Formulas that use something that is the same in the other range."""
    (read, instead), at = mutant.source, place(book, mutant.ranges[0])
    block, of_input = at.block, not at.of and at.part in ("", "X")
    weighted = instead and RangeName(place(book, instead).of)["W_V"] in book.manifest.inputs
    if block == "Cosine" and of_input and read and place(book, read).block == place(book, instead).block:
        return "the focus word has the same X in every sentence"
    if (
        block == "Cosine"
        and not at.part
        and not weighted
        and _without_zero_tests(_new_text(mutant)) == _without_zero_tests(_old_text(book, mutant))
    ):
        return "the test for zero uses another range that is zero for the same inputs"
    if block == "FocusEntropy" and _without_zero_weights(_new_text(mutant)) == _without_zero_weights(
        _old_text(book, mutant)
    ):
        return "a weight is 0 in only one of the rows only if scores differ by 745"
    return "Q = K = V = X here: the scores are symmetric" if _is_transposed(book, mutant) else ""


def _of_look_ups(book: Book, mutant: Mutant) -> str:
    """INDEX of a range that is a row or a column too short."""
    at = place(book, mutant.ranges[0])
    if mutant.kind != "misses the last" or "INDEX(" not in _new_text(mutant):
        return ""
    if last(mutant.ranges[0]) == "First":
        return "only the first columns are shown, and they are not cut off"
    picked = at.block in (*TOP, *PAIRS) or last(mutant.ranges[0]) == "Last"
    return "INDEX in IronCalc reads beyond the end of its range" if picked else ""


def _of_outcomes(book: Book, mutant: Mutant) -> str:
    """Results that count, select or compare."""
    at = place(book, mutant.ranges[0])
    block = at.block
    first_only = block in ("Pooled", "Look") and "_Index=1" in _old_text(book, mutant)
    if first_only and mutant.kind in ("misses the last", "every word reads the first"):
        return "only the first row is used, and it is the same"
    if mutant.kind == "the smallest in place of the largest" and block in ("TopLogits", "TopIds"):
        return "the median of all words is the same in both orders"
    if mutant.kind == "misses the last" and block == "Cosine" and at.context == book.manifest.contexts[0]:
        return "the cosine similarity of a row with itself is 1, also without its last number"
    of_logits = last(mutant.source[1]) in ("Tempered", "LogitExp", "Probability")
    if block in ("Next", "Class", "TopIds") and of_logits:
        return "the largest stays the largest at every temperature"
    counted = mutant.kind == "every word reads the first" and "COLUMNS((0*" in _new_text(mutant)
    return "only columns are counted" if counted else ""


VALUES = (
    *(_of_blocks, _of_masked, _of_padding, _of_ranges, _of_seen, _of_copies, _of_single),
    *(
        _of_counts,
        _of_places,
        _of_closings,
        _of_unknown_words,
        _of_fallbacks,
        _of_formulas,
        _of_look_ups,
        _of_outcomes,
    ),
    of_trainings,
)
"""The rules for faults of formulas, in order."""


def _of_names(book: Book, mutant: Mutant) -> str:
    one, two = mutant.ranges
    formula, blocks = _formula(book, one), {place(book, one).block, place(book, two).block}
    rules = {
        "both are inputs, and a name defines which cells are input": {one, two} <= set(book.manifest.inputs),
        "both contain 1, 2, ..., n": _is_index(one) and _is_index(two),
        "both ranges have the same formula": formula != "" and formula == _formula(book, two),
        "both have the same numbers, which no input changes": _constants(book, one)
        == _constants(book, two)
        != [],
        "the chart shows the loss as it is, up to four times the first": blocks == {"Loss", "Plotted"},
        "the same √d on both sheets": blocks == {"Scale"},
        "both stand for −∞": blocks == {"MaskValue"},
        "the same number of heads or layers": blocks <= {"NHeads", "NKVHeads", "NLayers"},
        "one is a copy of the other": _is_copy(book, one, two),
        "both only depend on shapes, and are the same here": blocks
        <= {*SIZES, "NHeads", "NKVHeads", "NLayers"},
        "the same size": blocks <= set(SIZES),
        "both are computed alike from the same shapes or words": _generic_formula(book, one)
        == _generic_formula(book, two)
        != "",
        "rows of Attention sum to 1 for every input": blocks <= SUMS,
        "both contain the words that the model reads": "Written" in blocks
        and place(book, one).context == place(book, two).context
        and "Rows" in {place(book, one).label, place(book, two).label},
        "both are marks that read ✓ for every input": blocks == {STATUS},
    }
    return next((why for why, holds in rules.items() if holds), "")


def _is_causal(sheet: SheetInfo) -> bool:
    """Whether the words of a sheet only attend to earlier ones."""
    causal = str(sheet.settings.get("mask", "")).startswith("causal") or sheet.settings.get("generate")
    return bool(causal) or sheet.is_a(EncoderDecoder)


def _generic_formula(book: Book, name: str) -> str:
    """What a range of shapes or words is computed from, regardless of its sheet; "" for other ranges."""
    at = place(book, name)
    if _counts_columns(at):
        return f"the last of {book.names[at[at.block]].cols}"
    if at.block not in ("Mask", "CausalMask", "PaddingMask", "CrossMask"):
        return ""
    area, formula = book.names[name], _formula(book, name)
    formula = re.sub(r"\w+_((?:Row|Col)Idx)", r"\1", formula).replace(f"{at.sheet}_", "")
    formula = formula.replace("[cell]", "")
    return f"{formula} {area.rows} {area.cols}"


def _counts_columns(at: RangeName) -> bool:
    """Whether a range contains the numbers of the last columns of a matrix."""
    return (at.part, at.label) == ("Last", COLS)


def _new_text(mutant: Mutant) -> str:
    return next((new.text for new in mutant.cells.values() if isinstance(new, Formula)), "")


def _old_text(book: Book, mutant: Mutant) -> str:
    return next((book.formulas[at].text for at in mutant.cells if at in book.formulas), "")


def _without_zero_tests(formula: str) -> str:
    """A formula without its tests for zero."""
    return re.sub(r"SIGN\(SUMSQ\([^()]*\)\)\*SIGN\(SUMSQ\([^()]*\)\)=0", "", formula)


def _without_focus_tests(formula: str) -> str:
    """A formula without its tests for an absent focus word."""
    return re.sub(r"\w+_FocusSeen=0", "", formula)


def _without_zero_weights(formula: str) -> str:
    """The formula of an entropy without its tests for zero."""
    return re.sub(r"\(\w+=0\)", "", formula)


def _is_index(name: str) -> bool:
    return last(name) in ("Index", "RowIdx", "ColIdx", "Position")


def _constants(book: Book, name: str) -> list[Value]:
    """The values of a range that is neither computed nor an input; [] for other ranges."""
    if name in book.manifest.formulas or name in book.manifest.inputs:
        return []
    return [book.typed.get(at) for at in book.names[name].cells() if at not in book.formulas]


def _formula(book: Book, name: str) -> str:
    return book.manifest.formulas.get(name, ("", ""))[1]


def _is_transposed(book: Book, mutant: Mutant) -> bool:
    """Whether a symmetric matrix of scores was transposed."""
    sheet = place(book, mutant.ranges[0]).sheet
    plain = any(s.id == sheet and s.settings.get("weights") is False for s in book.manifest.sheets)
    return mutant.kind in ("transpose added", "softmax over columns") and plain
