"""Workbooks that are ambiguous, or that compute something other than they show.

Each entry of the tables edits a copy of the workbook of the causal template.
"""

# ruff: noqa: E501 - tables, one line per case

from __future__ import annotations

import re
import zipfile

import hostile

from xlsxattn.checker.findings import Kind

START, INPUTS, CAUSAL = (f"xl/worksheets/sheet{i}.xml" for i in (1, 2, 3))
CONTRACT = "xl/worksheets/sheet6.xml"
STRINGS = "xl/sharedStrings.xml"
CELL = '<c r="E10" s="32"><v>1.6</v></c>'
"""An input: the third number of the second word."""
FIRST, SECOND = '<c r="C10" s="32"><v>0</v></c>', '<c r="D10" s="32"><v>0</v></c>'
TYPED_WORD = '<c r="C11" s="5" t="s"><v>13</v></c>'
"""The fourth word of the sentence, on the first screen."""
MASKED = '<f t="array" ref="C50:G54">'
"""The start of an array formula that fills a block."""
ROW = re.compile(rb'<row r="10".*?</row>')
VOCABULARY = "'Inputs'!$C$9:$F$17"
CALC = '<calcPr calcId="124519" fullCalcOnLoad="1"/>'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = (
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)


def put(part, old, new):
    """Replace text in a part."""

    def make(source, target):
        return hostile.edited(source, target, part, old, new)

    return make


def cell(new):
    return put(INPUTS, CELL, new)


def row(change):
    """Change the row that contains CELL."""

    def make(source, target):
        parts = hostile.parts_of(source)
        text = ROW.search(parts[INPUTS])[0].decode()
        parts[INPUTS] = ROW.sub(lambda _: change(text).encode(), parts[INPUTS], count=1)
        return hostile.packed(target, parts)

    return make


def calc(attribute):
    return put(hostile.BOOK, CALC, f"<calcPr {attribute}/>")


def name(new, old=f">{VOCABULARY}</definedName>"):
    return put(hostile.BOOK, old, new)


def more_names(xml):
    return put(hostile.BOOK, "</definedNames>", f"{xml}</definedNames>")


def with_parts(change):
    """Add or replace parts; `change` maps the parts to the new ones."""

    def make(source, target):
        parts = hostile.parts_of(source)
        return hostile.packed(target, parts | change(parts))

    return make


def twice(spelled, part=INPUTS):
    """A part that is in the archive a second time, under another spelling of its name."""
    return with_parts(lambda parts: {spelled: parts[part].replace(b"<v>1.6</v>", b"<v>9</v>")})


def relation(old, new):
    return put(hostile.RELS, old, new)


def formula(new, part=CAUSAL, old="SQRT(COLUMNS(vocab_E))", *, agreed=True):
    """Replace a formula, also in the manifest if `agreed`."""

    def make(source, target):
        parts = hostile.parts_of(source)
        assert f">{old}<".encode() in parts[part]
        parts[part] = parts[part].replace(f">{old}<".encode(), f">{new}<".encode(), 1)
        if agreed:
            assert f">={old}<".encode() in parts[STRINGS]
            parts[STRINGS] = parts[STRINGS].replace(f">={old}<".encode(), f">={new}<".encode(), 1)
        return hostile.packed(target, parts)

    return make


def with_name(text, called):
    """Define a name, and use it in a formula and in the manifest."""

    def make(source, target):
        formula(f"SQRT(COLUMNS(vocab_E))+0*{called}")(source, target)
        return more_names(f'<definedName name="{called}">{text}</definedName>')(target, target)

    return make


def second_strings(parts):
    """A second shared-strings part, also declared."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    more = f'<Override PartName="/xl/strings2.xml" ContentType="{kind}"/></Types>'.encode()
    return {"xl/strings2.xml": parts[STRINGS], hostile.TYPES: parts[hostile.TYPES].replace(b"</Types>", more)}


def second_workbook(parts):
    """A second workbook part, which the content types list first."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    more = (
        f'<Override PartName="/xl/book2.xml" ContentType="{kind}"/><Override PartName="/docProps/app'.encode()
    )
    types = parts[hostile.TYPES].replace(b'<Override PartName="/docProps/app', more)
    return {
        "xl/book2.xml": parts[hostile.BOOK],
        "xl/_rels/book2.xml.rels": parts[hostile.RELS],
        hostile.TYPES: types,
    }


def hidden(state, *, tab="", stranger=""):
    """Hide the attention sheet, optionally rename it, and optionally give its name to another sheet."""

    def make(source, target):
        parts = hostile.parts_of(source)
        book = parts[hostile.BOOK].decode()
        if tab:
            book = book.replace("Causal attention", tab)
        shown = tab or "Causal attention"
        book = book.replace(f'<sheet name="{shown}"', f'<sheet name="{shown}" state="{state}"')
        if stranger:  # the glossary takes its place
            book = book.replace('<sheet name="Glossary"', f'<sheet name="{stranger}"')
        return hostile.packed(target, parts | {hostile.BOOK: book.encode()})

    return make


def without_first_value(source, target):
    """Remove the first saved value of a block and change the second."""
    parts = hostile.parts_of(source)
    pattern = rb'(<c r="C70"[^>]*><f[^>]*>[^<]*</f>)<v>[^<]*</v>(</c><c r="D70"[^>]*><v>)[^<]*(</v>)'
    parts[CAUSAL], times = re.subn(pattern, rb"\g<1>\g<2>0.77\g<3>", parts[CAUSAL], count=1)
    assert times == 1
    return hostile.packed(target, parts)


def google(source, target):
    """Array formulas as Google Sheets exports them: in the first cell only."""
    parts = hostile.parts_of(source)
    for part in (INPUTS, CAUSAL, "xl/worksheets/sheet1.xml"):
        wrapped = rb"<f>ARRAY_CONSTRAIN(ARRAYFORMULA(\1), 1, 1)</f>"
        parts[part] = re.sub(rb'<f t="array" ref="[^"]*">([^<]*)</f>', wrapped, parts[part])
    return hostile.packed(target, parts)


def strict(source, target):
    """Strict Open XML: the same elements in other namespaces."""
    parts = hostile.parts_of(source)
    for new, old in zip(STRICT, (OFFICE, MAIN), strict=True):
        parts = {part: xml.replace(old.encode(), new.encode()) for part, xml in parts.items()}
    return hostile.packed(target, parts)


def half_strict(source, target):
    parts = hostile.parts_of(source)
    head = f'<worksheet xmlns:s="{STRICT[1]}"'.encode()
    parts[INPUTS] = (
        parts[INPUTS]
        .replace(b"<worksheet", head)
        .replace(CELL.encode(), CELL.replace("<c ", "<s:c ").replace("</c>", "</s:c>").encode())
    )
    return hostile.packed(target, parts)


def prefixed(source, target):
    """Prefix every element of a sheet, as some libraries do."""
    parts = hostile.parts_of(source)
    xml = parts[INPUTS].decode().replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    parts[INPUTS] = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).encode()
    return hostile.packed(target, parts)


def in_sheet(new, old, part=CAUSAL):
    return put(part, old, new)


def after_another(source, target):
    """Two archives in one file: some programs read the first, others the last."""
    hostile.packed(target, hostile.parts_of(source))
    target.write_bytes(source.read_bytes() + target.read_bytes())
    return target


def with_comment(source, target):
    """An archive with a comment."""
    hostile.packed(target, hostile.parts_of(source))
    with zipfile.ZipFile(target, "a") as archive:
        archive.comment = b"PK"
    return target


REFUSED = {
    "two archives": (after_another, "its archive has data before the first part"),
    "an archive with a comment": (with_comment, "or after the last"),
    "two values": (cell('<c r="E10" s="32"><v>1.6</v><v>9</v></c>'), "E10 has two values"),
    "two formulas": (in_sheet(f"<f>1</f>{MASKED}", MASKED), "C50 has two values or two formulas"),
    "a value in an element": (
        cell('<c r="E10" s="32"><x><v>1.6</v></x></c>'),
        "E10 contains elements other than",
    ),
    "an element in a value": (
        cell('<c r="E10" s="32"><v>1.6<x/>9</v></c>'),
        "E10 contains elements other than",
    ),
    "a comment in a value": (cell('<c r="E10" s="32"><v>1<!-- -->.6</v></c>'), "has XML comments"),
    "an instruction in a value": (
        cell('<c r="E10" s="32"><v>1<?x?>.6</v></c>'),
        "has XML comments or processing instructions",
    ),
    "a cell twice": (cell(f"{CELL}{CELL}"), "E10 is a duplicate"),
    "a cell before its turn": (
        row(lambda xml: xml.replace(CELL, "").replace(FIRST, CELL + FIRST)),
        "C10 is a duplicate or out of order",
    ),
    "a cell of another row": (cell('<c r="E11" s="32"><v>1.6</v></c>'), "E11 is in row 10"),
    "an address in small letters": (
        cell('<c r="e10" s="32"><v>1.6</v></c>'),
        "e10 is not a cell address",
    ),
    "a cell without an address": (
        row(lambda xml: xml.replace('r="D10" ', "").replace('r="C10"', 'r="D10"')),
        "E10",
    ),
    "a row twice": (row(lambda xml: xml * 2), "row 10 is a duplicate"),
    "a row before its turn": (
        row(lambda xml: xml.replace('"10"', '"8"')),
        "row 8 is a duplicate or out of order",
    ),
    "a row in a row": (row(lambda xml: xml.replace(CELL, f"<row>{CELL}</row>")), "row 10 is a duplicate"),
    "two lists of rows": (
        put(INPUTS, "</sheetData>", "</sheetData><sheetData></sheetData>"),
        "it has 2 sheetData elements",
    ),
    "alternatives round a cell": (
        cell(f'<mc:AlternateContent {MC}><mc:Choice Requires="x">{CELL}</mc:Choice></mc:AlternateContent>'),
        "row 10 contains elements that are not cells",
    ),
    "alternatives round a row": (
        row(lambda xml: f"<mc:AlternateContent {MC}><mc:Choice>{xml}</mc:Choice></mc:AlternateContent>"),
        "rows are mixed with other elements",
    ),
    "alternatives round a name": (
        more_names(f'<mc:AlternateContent {MC}><definedName name="z">1</definedName></mc:AlternateContent>'),
        "definedNames contains other elements",
    ),
    "alternatives round settings": (
        put(hostile.BOOK, CALC, f"<mc:AlternateContent {MC}>{CALC}</mc:AlternateContent>"),
        "calcPr appears twice or inside another element",
    ),
    "a comment in a name": (name(f">{VOCABULARY[:-2]}<!-- x -->30</definedName>"), "has XML comments"),
    "an instruction in a name": (
        name(f">{VOCABULARY}<?x +1?></definedName>"),
        "has XML comments or processing instructions",
    ),
    "an element in a name": (
        name(f">{VOCABULARY}<x>+1</x></definedName>"),
        "definedNames contains other elements",
    ),
    "a name twice": (
        more_names("<definedName name=\"vocab_E\">'Inputs'!$C$3</definedName>"),
        "the name vocab_e is defined twice",
    ),
    "a name twice in other capitals": (
        more_names("<definedName name=\"VOCAB_e\">'Inputs'!$C$3</definedName>"),
        "the name vocab_e is defined twice",
    ),
    "a name of no sheet": (
        more_names('<definedName name="z" localSheetId="77">1</definedName>'),
        "the name z belongs to a sheet that does not exist",
    ),
    "a tab twice": (
        put(hostile.BOOK, 'sheet name="Glossary"', 'sheet name="INPUTS"'),
        "the sheet name inputs is used twice",
    ),
    "a sheet's number twice": (
        put(hostile.BOOK, 'sheetId="4"', 'sheetId="3"'),
        "the sheet ID 3 is used twice",
    ),
    "a part for two sheets": (
        put(hostile.BOOK, 'r:id="rId4"', 'r:id="rId3"'),
        "two sheets share the part xl/worksheets/sheet3.xml",
    ),
    "a sheet without a part": (
        put(hostile.BOOK, 'r:id="rId5"', 'r:id="rId77"'),
        "the sheet Glossary has no part",
    ),
    "a part in other capitals": (twice("xl/worksheets/Sheet2.xml"), "is in the archive twice"),
    "a part with another slash": (twice("xl\\worksheets\\sheet2.xml"), "is in the archive twice"),
    "a part from the root": (twice("/xl/worksheets/sheet2.xml"), "is in the archive twice"),
    "a part percent-encoded": (twice("xl/worksheets/sheet%32.xml"), "is in the archive twice"),
    "a relationship twice": (
        relation('Id="rId4"', 'Id="rId2"'),
        "the relationship rId2 is defined twice",
    ),
    "a relationship that leaves": (
        relation('Target="worksheets/sheet2.xml"', 'Target="worksheets/sheet2.xml" TargetMode="External"'),
        "which programs resolve to different parts or to none",
    ),
    "a target percent-encoded": (
        relation("worksheets/sheet2.xml", "worksheets/sheet%32.xml"),
        "refers to worksheets",
    ),
    "a target above the root": (
        relation("worksheets/sheet2.xml", "../../xl/worksheets/sheet2.xml"),
        "refers to ..",
    ),
    "a target in other capitals": (
        relation("worksheets/sheet2.xml", "worksheets/SHEET2.xml"),
        "refers to worksheets",
    ),
    "a worksheet linked as another kind": (
        relation(
            f'{OFFICE}/worksheet" Target="worksheets/sheet2',
            f'{OFFICE}/chartsheet" Target="worksheets/sheet2',
        ),
        "is linked as chartsheet",
    ),
    "a worksheet declared as another kind": (
        put(
            hostile.TYPES,
            'sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.work',
            'sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.chart',
        ),
        "is linked as worksheet, but declared as",
    ),
    "a content type twice": (
        put(hostile.TYPES, "</Types>", '<Override PartName="/XL/workbook.xml" ContentType="x"/></Types>'),
        "the content type of /xl/workbook.xml is declared twice",
    ),
    "two workbooks by type": (with_parts(second_workbook), "but xl/book2.xml"),
    "two workbooks by relationship": (
        put(
            "_rels/.rels",
            "</Relationships>",
            f'<Relationship Id="r9" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        ),
        "it refers to 2 workbooks",
    ),
    "two tables of texts": (with_parts(second_strings), "the shared strings part is"),
    "texts in two lists": (
        put(STRINGS, "<si>", f'<sst xmlns="{MAIN}"><si><t>x</t></si></sst><si>'),
        "more than one list",
    ),
    "a text in two ways": (
        put(STRINGS, "<si><t>", "<si><r><t>x</t></r><t>"),
        "a string is stored in two forms",
    ),
    "a text that is not there": (cell('<c r="E10" t="s"><v>99999</v></c>'), "damaged"),
    "a text before the first": (cell('<c r="E10" t="s"><v>-1</v></c>'), "E10 holds '-1'"),
    "a number with an underscore": (cell('<c r="E10"><v>1_6</v></c>'), "E10 holds '1_6'"),
    "a number in other digits": (cell('<c r="E10"><v>١٦</v></c>'), "which programs read in different ways"),
    "no number": (cell('<c r="E10"><v>nan</v></c>'), "E10 holds 'nan'"),
    "a hexadecimal number": (cell('<c r="E10"><v>0x10</v></c>'), "E10 holds '0x10'"),
    "a truth spelled out": (cell('<c r="E10" t="b"><v>true</v></c>'), "E10 holds 'true'"),
    "a value of no kind": (
        cell('<c r="E10" t="x"><v>1.6</v></c>'),
        "the value in E10 is not of its declared type",
    ),
    "an inline text with a value": (
        cell('<c r="E10" t="inlineStr"><is><t>x</t></is><v>1.6</v></c>'),
        "the value in E10 is not of its declared type",
    ),
    "an inline text in a number": (
        cell('<c r="E10"><v>1.6</v><is><t>9</t></is></c>'),
        "the value in E10 is not of its declared type",
    ),
    "a formula of no kind": (
        in_sheet(MASKED.replace("array", "matrix"), MASKED),
        "the formula in C50 is not of its declared type",
    ),
    "a formula shared by nobody": (
        cell('<c r="E10"><f t="shared" si="7"/><v>1.6</v></c>'),
        "E10 uses the shared formula 7",
    ),
    "a shared formula spelled out twice": (
        row(
            lambda xml: xml.replace(
                FIRST, '<c r="C10"><f t="shared" ref="C10:D10" si="0">1</f><v>1</v></c>'
            ).replace(SECOND, '<c r="D10"><f t="shared" ref="C10:D10" si="0">2</f><v>1</v></c>')
        ),
        "D10 uses the shared formula 0, which is defined twice",
    ),
    "a shared formula of other cells": (
        row(
            lambda xml: xml.replace(
                FIRST, '<c r="C10"><f t="shared" ref="C10:C11" si="0">1</f><v>1</v></c>'
            ).replace(SECOND, '<c r="D10"><f t="shared" si="0"/><v>1</v></c>')
        ),
        "D10 uses the shared formula 0, which does not cover it",
    ),
    "Lotus 1-2-3": (
        put(INPUTS, "<dimension", '<sheetPr transitionEvaluation="1"/><dimension'),
        "uses Lotus 1-2-3 evaluation rules",
    ),
    "a flag that is none": (calc('fullPrecision="no"'), "fullPrecision is no"),
    "Strict in part": (half_strict, "mixes Strict and Transitional Open XML"),
}
"""Files that are refused, with a part of the message."""

ERRORS = {
    "a name that is a product": (name(f">{VOCABULARY}*2</definedName>"), Kind.MISSING),
    "a name that is a sum": (name(f">{VOCABULARY}+1</definedName>"), Kind.MISSING),
    "a name of two ranges": (
        name(f">{VOCABULARY},'Inputs'!$C$3</definedName>"),
        Kind.MISSING,
    ),
    "a name that moves": (name(">Inputs!C9:F17</definedName>"), Kind.MISSING),
    "a computed name that is a product": (
        put(hostile.BOOK, "$C$70:$G$74</definedName>", "$C$70:$G$74*1</definedName>"),
        Kind.MISSING,
    ),
    "a constant's name that is a number": (
        put(hostile.BOOK, '<definedName name="causal_MaskValue">', '<definedName name="causal_MaskValue">1+'),
        Kind.MISSING,
    ),
    "a name that is a macro": (
        put(hostile.BOOK, 'name="vocab_E"', 'name="vocab_E" function="1"'),
        Kind.MISSING,
    ),
    "another meaning on a sheet": (
        more_names('<definedName name="vocab_e" localSheetId="2">\'Inputs\'!$C$3</definedName>'),
        Kind.SHADOWED_NAME,
    ),
    "an infinite input": (
        cell('<c r="E10" s="32"><v>1e999</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "an infinite input, negative": (
        cell('<c r="E10" s="32"><v>-1E400</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "a date as input": (
        cell('<c r="E10" t="d"><v>2020-01-01</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "a rich value": (cell('<c r="E10" s="32" vm="1"><v>1.6</v></c>'), Kind.DOUBTFUL_VALUE),
    "an escaped letter": (
        put(
            START,
            TYPED_WORD,
            '<c r="C11" t="inlineStr"><is><t>_x0074_he</t></is></c>',
        ),
        Kind.DOUBTFUL_VALUE,
    ),
    "a data table": (
        cell('<c r="E10"><f t="dataTable" ref="E10:E11" dt2D="0" r1="C3"/><v>1.6</v></c>'),
        Kind.UNSTEADY_FORMULA,
    ),
    "a formula in another's block": (
        in_sheet('<c r="D50" s="43"><f>1</f><v>1</v></c>', '<c r="D50" s="43"><v>-1E+300</v></c>'),
        Kind.OVERLAPPING_FORMULAS,
    ),
    "precision as displayed": (calc('fullPrecision="0"'), Kind.PRECISION_AS_DISPLAYED),
    "precision as displayed, spelled out": (calc('fullPrecision="false"'), Kind.PRECISION_AS_DISPLAYED),
    "iterative calculation": (calc('iterate="1"'), Kind.ITERATIVE_CALCULATION),
    "a stranger under a tab": (
        hidden("hidden", tab="x", stranger="Causal attention"),
        Kind.HIDDEN_SHEET,
    ),
    "a stranger under nearly a tab": (
        hidden("veryHidden", stranger="Causal attention (2)"),
        Kind.HIDDEN_SHEET,
    ),
    "a name that draws": (with_name("RAND()", "chance"), Kind.UNSTEADY_FORMULA),
    "a name that calculates": (with_name("1+1", "two"), Kind.UNSTEADY_FORMULA),
    "a user's function": (formula("SQRT(COLUMNS(vocab_E))+0*_xll.MINE()"), Kind.UNSTEADY_FORMULA),
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
        formula(f"SQRT(COLUMNS(vocab_E))+0*N({call})".replace('"', "&quot;")),
        Kind.EXTERNAL_LINK if call.startswith(OUTSIDE) else Kind.UNSTEADY_FORMULA,
    )
    for call in CALLS
}

WARNINGS = {
    "calculated on demand": (calc('calcMode="manual"'), Kind.MANUAL_CALCULATION),
    "1904": (put(hostile.BOOK, "<workbookPr", '<workbookPr date1904="1"'), Kind.DATES_1904),
    "a hidden sheet": (hidden("hidden"), Kind.HIDDEN_SHEET),
    "a hidden name": (put(hostile.BOOK, 'name="vocab_E"', 'name="vocab_E" hidden="1"'), Kind.HIDDEN_NAME),
    "a block without its first value": (without_first_value, Kind.STALE_VALUE),
    "an input that is calculated": (cell('<c r="E10" s="32"><f>1.6</f><v>1.6</v></c>'), Kind.CALCULATED_INPUT),
    "inputs that are calculated": (
        row(lambda xml: xml.replace(FIRST, '<c r="C10" s="32"><f>0</f><v>0</v></c>')
            .replace(SECOND, '<c r="D10" s="32"><f>0</f><v>0</v></c>')),
        Kind.CALCULATED_INPUT,
    ),
    "blanks that may be left out": (
        put(START, TYPED_WORD, '<c r="C11" t="inlineStr"><is><t>the </t></is></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
}  # fmt: skip
"""Warnings, with the kind of finding."""

SOUND = {
    "Strict Open XML": strict,
    "prefixes": prefixed,
    "targets from the root": relation('Target="worksheets/sheet2.xml"', 'Target="/xl/worksheets/sheet2.xml"'),
    "targets with a detour": relation('Target="worksheets/sheet2.xml"', 'Target="../xl/worksheets/sheet2.xml"'),
    "cells without addresses": row(lambda xml: xml.replace('r="D10" ', "").replace('r="E10" ', "")),
    "rows without numbers": row(lambda xml: xml.replace('<row r="10"', "<row")),
    "an inline text": put(
        START, TYPED_WORD, '<c r="C11" s="5" t="inlineStr"><is><t>the</t></is></c>'
    ),
    "a text in runs, with its reading": put(
        START, TYPED_WORD,
        '<c r="C11" t="inlineStr"><is><r><t>t</t></r><r><t>he</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
    ),
    "CDATA": cell('<c r="E10" s="32"><v><![CDATA[1.6]]></v></c>'),
    "a letter by its number": cell('<c r="E10" s="32"><v>&#49;.6</v></c>'),
    "a formula that always calculates": in_sheet(MASKED.replace(" ref", ' ca="1" aca="1" ref'), MASKED),
    "a block that spills": in_sheet(f'<c r="C50" s="43" cm="1">{MASKED}', f'<c r="C50" s="43">{MASKED}'),
    "defaults spelled out": calc('calcMode="auto" fullPrecision="1" iterate="0" fullCalcOnLoad="1"'),
    "a name of somebody's own": more_names('<definedName name="mine">1+1</definedName>'),
}  # fmt: skip
"""What every program reads alike: no findings."""
