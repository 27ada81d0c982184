"""Workbooks that compute something other than they show, and some that only look unusual."""

from __future__ import annotations

from dev.campaign.places import BOOK
from dev.campaign.tampered.edits import (
    BLOCK,
    COMPUTED,
    FIRST,
    INPUTS,
    OFFICE,
    SECOND,
    WORDS,
    added,
    as_gnumeric,
    calc,
    cell,
    chance_elsewhere,
    formula,
    google,
    hidden,
    more_names,
    name,
    prefixed,
    put,
    puts,
    relation,
    strict,
    table,
    with_descriptors,
    with_name,
    without_first_value,
    without_value,
)
from xlsxattn.checker.finding_kinds import Kind

MS = "http://schemas.microsoft.com/office/2006/relationships"
ERRORS = {
    "a name that is a product": (name(">⟦vocabulary⟧*2</definedName>"), Kind.MISSING),
    "a name that is a sum": (name(">⟦vocabulary⟧+1</definedName>"), Kind.MISSING),
    "a name of two ranges": (
        name(">⟦vocabulary⟧,⟦free⟧</definedName>"),
        Kind.MISSING,
    ),
    "a name that moves": (name(">⟦relative⟧</definedName>"), Kind.MISSING),
    "a computed name that is a product": (
        put(BOOK, "⟦shown area⟧</definedName>", "⟦shown area⟧*1</definedName>"),
        Kind.MISSING,
    ),
    "a constant's name that is a number": (
        put(BOOK, '<definedName name="⟦constant⟧">', '<definedName name="⟦constant⟧">1+'),
        Kind.MISSING,
    ),
    "a name that is a macro": (
        put(BOOK, 'name="vocab_E"', 'name="vocab_E" function="1"'),
        Kind.MISSING,
    ),
    "another meaning on a sheet": (
        more_names('<definedName name="vocab_e" localSheetId="2">⟦free⟧</definedName>'),
        Kind.SHADOWED_NAME,
    ),
    "an infinite input": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>1e999</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "an infinite input, negative": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>-1E400</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "a number of 400 digits": (
        cell(f'<c r="⟦input at⟧" ⟦input style⟧><v>{400 * "1"}</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "an empty text as a number": (
        cell('<c r="⟦input at⟧" ⟦input style⟧ t="str"><v></v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "more behind a formula": (formula(";", agreed=False), Kind.OTHER_FORMULA),
    "a date as input": (
        cell('<c r="⟦input at⟧" t="d"><v>2020-01-01</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "a rich value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧ vm="1"><v>⟦input value⟧</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "an escaped letter": (
        put(
            WORDS,
            "⟦word cell⟧",
            '<c r="⟦word at⟧" t="inlineStr"><is><t>_x⟦letter number⟧_⟦letters⟧</t></is></c>',
        ),
        Kind.DOUBTFUL_VALUE,
    ),
    "a data table": (
        cell(
            '<c r="⟦input at⟧"><f t="dataTable" ref="⟦input at⟧:⟦input below⟧" dt2D="0" r1="C3"/><v>⟦input value⟧</v></c>'
        ),
        Kind.VOLATILE_FORMULA,
    ),
    "a formula in another's block": (
        put(COMPUTED, "⟦block cell⟧", '<c r="⟦block next⟧"><f>1</f><v>1</v></c>'),
        Kind.OVERLAPPING_FORMULAS,
    ),
    "precision as displayed": (calc('fullPrecision="0"'), Kind.PRECISION_AS_DISPLAYED),
    "precision as displayed, spelled out": (calc('fullPrecision="false"'), Kind.PRECISION_AS_DISPLAYED),
    "iterative calculation": (calc('iterate="1"'), Kind.ITERATIVE_CALCULATION),
    "a stranger under a tab": (
        hidden("hidden", renamed="x", stranger="⟦tab⟧"),
        Kind.HIDDEN_SHEET,
    ),
    "a stranger under nearly a tab": (
        hidden("veryHidden", stranger="⟦tab⟧ (2)"),
        Kind.HIDDEN_SHEET,
    ),
    "a name that draws": (with_name("RAND()", "chance"), Kind.VOLATILE_FORMULA),
    "a name that calculates": (with_name("1+1", "two"), Kind.VOLATILE_FORMULA),
    "an input that reads a random number": (
        chance_elsewhere("'⟦other tab⟧'!A9000"),
        Kind.VOLATILE_FORMULA,
    ),
    "an input that reads a random number by name": (
        chance_elsewhere("2*drawn", named="drawn"),
        Kind.VOLATILE_FORMULA,
    ),
    "a user's function": (formula("+0*_xll.MINE()"), Kind.VOLATILE_FORMULA),
    "iterative calculation, as if by Gnumeric": (
        as_gnumeric(calc('iterate="1"')),
        Kind.ITERATIVE_CALCULATION,
    ),
    "a function under a prefix that Excel does not know": (
        put("xl/worksheets/sheet1.xml", ">IFERROR(IF(LEFT(vocab", ">IFERROR(_xlfn.IF(LEFT(vocab"),
        Kind.OTHER_FORMULA,
    ),
    "formulas as Google spells them": (google, Kind.FORMULAS_LOST),
}
"""Errors, with the kind of finding."""

CALLS = ("NOW()", "TODAY()", "RAND()", "RANDBETWEEN(1,2)", "_xlfn.RANDARRAY(1)", 'INFO("release")', 'CELL("row",C3)',
         'INDIRECT("C3")', "OFFSET(C3,0,0)", 'HYPERLINK("x",1)', 'WEBSERVICE("x")', 'RTD("x",,"y")',
         'CUBEVALUE("x")', '_xlfn.FILTERXML("x","y")', '_xlfn.ENCODEURL("x")', "CALL(1)", 'REGISTER.ID("x","y")',
         "EVALUATE(1)", "GET.CELL(1)", "_xlfn.FORMULATEXT(C3)", "now ( )")  # fmt: skip
OUTSIDE = ("WEBSERVICE", "CUBE", "RTD", "CALL", "REGISTER")
ERRORS |= {
    f"calls {call.partition('(')[0]}": (
        formula(f"+0*N({call})".replace('"', "&quot;")),
        Kind.EXTERNAL_LINK if call.startswith(OUTSIDE) else Kind.VOLATILE_FORMULA,
    )
    for call in CALLS
}

WARNINGS = {
    "a random number that nobody reads": (chance_elsewhere(), Kind.OWN_FORMULAS),
    "calculated on demand": (calc('calcMode="manual"'), Kind.MANUAL_CALCULATION),
    "1904": (put(BOOK, "<workbookPr", '<workbookPr date1904="1"'), Kind.DATES_1904),
    "macros in another part": (added("xl/x.bin", b"x", BOOK, f"{MS}/vbaProject", "x.bin"), Kind.MACROS),
    "a ribbon of its own": (added("x.xml", b"<x/>", "", f"{MS}/ui/extensibility", "x.xml"), Kind.MACROS),
    "connections in another part": (
        added("xl/x.xml", b"<connections/>", BOOK, f"{OFFICE}/connections", "x.xml"), Kind.EXTERNAL_LINK,
    ),
    "queries": (
        added("customXml/item1.xml", "<DataMashup/>".encode("utf-16"), BOOK, f"{OFFICE}/customXml", "../customXml/item1.xml"),
        Kind.EXTERNAL_LINK,
    ),
    "a template elsewhere": (added("", b"", BOOK, f"{OFFICE}/attachedTemplate", "https://example.org"), Kind.EXTERNAL_LINK),
    "a block without its second value": (without_value("⟦shown next⟧"), Kind.STALE_VALUE),
    "a hidden sheet": (hidden("hidden"), Kind.HIDDEN_SHEET),
    "a hidden name": (put(BOOK, 'name="vocab_E"', 'name="vocab_E" hidden="1"'), Kind.HIDDEN_NAME),
    "a block without its first value": (without_first_value, Kind.STALE_VALUE),
    "an input that is calculated": (cell('<c r="⟦input at⟧" ⟦input style⟧><f>⟦input value⟧</f><v>⟦input value⟧</v></c>'), Kind.CALCULATED_INPUT),
    "inputs that are calculated": (
        puts(INPUTS, (FIRST, '<c r="⟦first at⟧" ⟦first style⟧><f>0</f><v>0</v></c>'), (SECOND, '<c r="⟦second at⟧" ⟦second style⟧><f>0</f><v>0</v></c>')),
        Kind.CALCULATED_INPUT,
    ),
    "a white letter": (
        put(WORDS, "⟦word cell⟧", '<c r="⟦word at⟧" t="inlineStr"><is><r><rPr><color rgb="FFFFFFFF"/></rPr><t>⟦letter⟧</t></r><r><t>⟦letters⟧</t></r></is></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "blanks that may be left out": (
        put(WORDS, "⟦word cell⟧", '<c r="⟦word at⟧" t="inlineStr"><is><t>⟦word⟧ </t></is></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
}  # fmt: skip
"""Warnings, with the kind of finding."""

SOUND = {
    "sizes behind the parts": with_descriptors,
    "Strict Open XML": strict,
    "prefixes": prefixed,
    "targets from the root": relation('Target="worksheets/sheet2.xml"', 'Target="/xl/worksheets/sheet2.xml"'),
    "targets with a detour": relation('Target="worksheets/sheet2.xml"', 'Target="../xl/worksheets/sheet2.xml"'),
    "cells without addresses": puts(INPUTS, ('r="⟦second at⟧" ', ""), ('r="⟦input at⟧" ', "")),
    "rows without numbers": put(INPUTS, '<row r="⟦row⟧"', "<row"),
    "an inline text": put(WORDS, "⟦word cell⟧", '<c r="⟦word at⟧" s="22" t="inlineStr"><is><t>⟦word⟧</t></is></c>'
    ),
    "a text in runs, with its reading": put(WORDS, "⟦word cell⟧",
        '<c r="⟦word at⟧" t="inlineStr"><is><r><t>⟦letter⟧</t></r><r><t>⟦letters⟧</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
    ),
    "a bold letter": put(WORDS, "⟦word cell⟧",
        '<c r="⟦word at⟧" t="inlineStr"><is><r><rPr><b/><sz val="11"/><color theme="1"/><rFont val="Calibri"/></rPr><t>⟦letter⟧</t></r><r><t>⟦letters⟧</t></r></is></c>',
    ),
    "CDATA": cell('<c r="⟦input at⟧" ⟦input style⟧><v><![CDATA[⟦input value⟧]]></v></c>'),
    "a letter by its number": cell('<c r="⟦input at⟧" ⟦input style⟧><v>&#49;.6</v></c>'),
    "a formula that always calculates": put(COMPUTED, BLOCK, BLOCK.replace(" ref", ' ca="1" aca="1" ref')),
    "a block that spills": put(COMPUTED, f"⟦block head⟧>{BLOCK}", f'⟦block head⟧ cm="1">{BLOCK}'),
    "defaults spelled out": calc('calcMode="auto" fullPrecision="1" iterate="0" fullCalcOnLoad="1"'),
    "a table of somebody's own": table("mine"),
    "a name of somebody's own": more_names('<definedName name="mine">1+1</definedName>'),
}  # fmt: skip
"""What every program reads alike: no findings."""
