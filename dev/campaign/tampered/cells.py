"""Workbooks whose sheets, names, cells and texts can be read in two ways."""

from __future__ import annotations

from dev.campaign.places import BOOK, STRINGS
from dev.campaign.tampered.edits import (
    BLOCK,
    CALC,
    CELL,
    COMPUTED,
    FIRST,
    INPUTS,
    MAIN,
    MC,
    ROW,
    SECOND,
    WORDS,
    calc,
    cell,
    more_names,
    name,
    put,
    puts,
    table,
)

REFUSED = {
    "two values": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>⟦input value⟧</v><v>9</v></c>'),
        "⟦input at⟧ has two values",
    ),
    "two formulas": (put(COMPUTED, BLOCK, f"<f>1</f>{BLOCK}"), "⟦block at⟧ has two values or two formulas"),
    "a value in an element": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><x><v>⟦input value⟧</v></x></c>'),
        "⟦input at⟧ contains elements other than",
    ),
    "an element in a value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>⟦input value⟧<x/>9</v></c>'),
        "⟦input at⟧ contains elements other than",
    ),
    "a comment in a value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>1<!-- -->.6</v></c>'),
        "has XML comments",
    ),
    "an instruction in a value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>1<?x?>.6</v></c>'),
        "has XML comments or processing instructions",
    ),
    "a cell twice": (cell(f"{CELL}{CELL}"), "⟦input at⟧ is a duplicate"),
    "a cell before its turn": (
        puts(INPUTS, (CELL, ""), (FIRST, CELL + FIRST)),
        "⟦first at⟧ is a duplicate or out of order",
    ),
    "a cell of another row": (
        cell('<c r="⟦input below⟧" s="31"><v>⟦input value⟧</v></c>'),
        "⟦input below⟧ is in row ⟦row⟧",
    ),
    "an address in small letters": (
        cell('<c r="e23" s="31"><v>⟦input value⟧</v></c>'),
        "e23 is not a cell address",
    ),
    "a cell without an address": (
        puts(INPUTS, ('r="⟦second at⟧" ', ""), ('r="⟦first at⟧"', 'r="⟦second at⟧"')),
        "⟦input at⟧",
    ),
    "a row twice": (put(INPUTS, ROW, f"{ROW}{ROW}"), "row ⟦row⟧ is a duplicate"),
    "a row before its turn": (
        put(INPUTS, '<row r="⟦row⟧"', '<row r="⟦row above⟧"'),
        "row ⟦row above⟧ is a duplicate or out of order",
    ),
    "a row in a row": (put(INPUTS, CELL, f"<row>{CELL}</row>"), "row ⟦row⟧ is a duplicate"),
    "two lists of rows": (
        put(INPUTS, "</sheetData>", "</sheetData><sheetData></sheetData>"),
        "it has 2 sheetData elements",
    ),
    "alternatives round a cell": (
        cell(f'<mc:AlternateContent {MC}><mc:Choice Requires="x">{CELL}</mc:Choice></mc:AlternateContent>'),
        "row ⟦row⟧ contains elements that are not cells",
    ),
    "alternatives round a row": (
        put(INPUTS, ROW, f"<mc:AlternateContent {MC}><mc:Choice>{ROW}</mc:Choice></mc:AlternateContent>"),
        "rows are mixed with other elements",
    ),
    "alternatives round a name": (
        more_names(f'<mc:AlternateContent {MC}><definedName name="z">1</definedName></mc:AlternateContent>'),
        "definedNames contains other elements",
    ),
    "alternatives round settings": (
        put(BOOK, CALC, f"<mc:AlternateContent {MC}>{CALC}</mc:AlternateContent>"),
        "calcPr appears twice or inside another element",
    ),
    "a comment in a name": (name(">⟦vocabulary⟧<!-- x --></definedName>"), "has XML comments"),
    "an instruction in a name": (
        name(">⟦vocabulary⟧<?x +1?></definedName>"),
        "has XML comments or processing instructions",
    ),
    "an element in a name": (
        name(">⟦vocabulary⟧<x>+1</x></definedName>"),
        "definedNames contains other elements",
    ),
    "a name twice": (
        more_names('<definedName name="vocab_E">⟦free⟧</definedName>'),
        "the name vocab_e is defined twice",
    ),
    "a name twice in other capitals": (
        more_names('<definedName name="VOCAB_e">⟦free⟧</definedName>'),
        "the name vocab_e is defined twice",
    ),
    "a table named like a range": (table("Vocab_e"), "the name vocab_e is defined twice"),
    "a name of no sheet": (
        more_names('<definedName name="z" localSheetId="77">1</definedName>'),
        "the name z belongs to a sheet that does not exist",
    ),
    "a tab twice": (
        put(BOOK, 'sheet name="⟦other tab⟧"', 'sheet name="⟦tab in capitals⟧"'),
        "is used twice",
    ),
    "a sheet's number twice": (
        put(BOOK, 'sheetId="4"', 'sheetId="3"'),
        "the sheet ID 3 is used twice",
    ),
    "a text in another namespace": (
        put(STRINGS, "<si>", '<si xmlns="urn:x"><t>x</t></si><si>'),
        "more than one list",
    ),
    "names in another namespace": (
        put(BOOK, "<definedNames>", '<definedNames xmlns="urn:x">'),
        "xl/workbook.xml contains definedNames in another XML namespace",
    ),
    "settings in another namespace": (
        put(BOOK, CALC, f'{CALC}<calcPr xmlns="urn:x" fullPrecision="0"/>'),
        "xl/workbook.xml contains calcPr in another XML namespace",
    ),
    "a heat map in another namespace": (
        put(COMPUTED, "<colorScale>", '<colorScale xmlns="urn:x">'),
        "colorScale is in an XML namespace, an alternative or an extension",
    ),
    "alternatives round a heat map": (
        puts(
            COMPUTED,
            ("<conditionalFormatting ", f"<mc:AlternateContent {MC}><mc:Choice><conditionalFormatting "),
            ("</conditionalFormatting>", "</conditionalFormatting></mc:Choice></mc:AlternateContent>"),
        ),
        "cfRule is in an XML namespace, an alternative or an extension",
    ),
    "drop-down lists in an unknown extension": (
        put(
            WORDS,
            "<extLst>",
            '<extLst><ext uri="x"><dataValidation xmlns="urn:x"/></ext>',
        ),
        "dataValidation is in an XML namespace, an alternative or an extension",
    ),
    "two views": (
        put(
            COMPUTED, "</sheetViews>", '</sheetViews><sheetViews><sheetView workbookViewId="0"/></sheetViews>'
        ),
        "sheetViews appears twice",
    ),
    "texts in two lists": (
        put(STRINGS, "<si>", f'<sst xmlns="{MAIN}"><si><t>x</t></si></sst><si>'),
        "more than one list",
    ),
    "a text in two ways": (
        put(STRINGS, "<si><t>", "<si><r><t>x</t></r><t>"),
        "a string is stored in two forms",
    ),
    "a text that is not there": (cell('<c r="⟦input at⟧" t="s"><v>99999</v></c>'), "damaged"),
    "a text before the first": (cell('<c r="⟦input at⟧" t="s"><v>-1</v></c>'), "⟦input at⟧ holds '-1'"),
    "a number with an underscore": (cell('<c r="⟦input at⟧"><v>1_6</v></c>'), "⟦input at⟧ holds '1_6'"),
    "a number in other digits": (
        cell('<c r="⟦input at⟧"><v>١٦</v></c>'),
        "which programs read in different ways",
    ),
    "no number": (cell('<c r="⟦input at⟧"><v>nan</v></c>'), "⟦input at⟧ holds 'nan'"),
    "a hexadecimal number": (cell('<c r="⟦input at⟧"><v>0x10</v></c>'), "⟦input at⟧ holds '0x10'"),
    "an error that is a number": (cell('<c r="⟦input at⟧" t="e"><v>0.5</v></c>'), "⟦input at⟧ holds '0.5'"),
    "a truth spelled out": (cell('<c r="⟦input at⟧" t="b"><v>true</v></c>'), "⟦input at⟧ holds 'true'"),
    "a value of no kind": (
        cell('<c r="⟦input at⟧" t="x"><v>⟦input value⟧</v></c>'),
        "the value in ⟦input at⟧ is not of its declared type",
    ),
    "an inline text with a value": (
        cell('<c r="⟦input at⟧" t="inlineStr"><is><t>x</t></is><v>⟦input value⟧</v></c>'),
        "the value in ⟦input at⟧ is not of its declared type",
    ),
    "an inline text in a number": (
        cell('<c r="⟦input at⟧"><v>⟦input value⟧</v><is><t>9</t></is></c>'),
        "the value in ⟦input at⟧ is not of its declared type",
    ),
    "a formula of no kind": (
        put(COMPUTED, BLOCK, BLOCK.replace("array", "matrix")),
        "the formula in ⟦block at⟧ is not of its declared type",
    ),
    "a formula shared by nobody": (
        cell('<c r="⟦input at⟧"><f t="shared" si="7"/><v>⟦input value⟧</v></c>'),
        "⟦input at⟧ uses the shared formula 7",
    ),
    "a shared formula spelled out twice": (
        puts(
            INPUTS,
            (FIRST, '<c r="⟦first at⟧"><f t="shared" ref="⟦first at⟧:⟦second at⟧" si="0">1</f><v>1</v></c>'),
            (
                SECOND,
                '<c r="⟦second at⟧"><f t="shared" ref="⟦first at⟧:⟦second at⟧" si="0">2</f><v>1</v></c>',
            ),
        ),
        "⟦second at⟧ uses the shared formula 0, which is defined twice",
    ),
    "a shared formula of other cells": (
        puts(
            INPUTS,
            (
                FIRST,
                '<c r="⟦first at⟧"><f t="shared" ref="⟦first at⟧:⟦first below⟧" si="0">1</f><v>1</v></c>',
            ),
            (SECOND, '<c r="⟦second at⟧"><f t="shared" si="0"/><v>1</v></c>'),
        ),
        "⟦second at⟧ uses the shared formula 0, which does not cover it",
    ),
    "Lotus 1-2-3": (
        put(INPUTS, "<dimension", '<sheetPr transitionEvaluation="1"/><dimension'),
        "uses Lotus 1-2-3 evaluation rules",
    ),
    "an array of absolute cells": (
        put(COMPUTED, BLOCK, '<f t="array" ref="$⟦block⟧">'),
        "the formula in ⟦block at⟧ is not of its declared type",
    ),
    "a name with a blank": (
        more_names('<definedName name=" vocab_E">⟦free⟧</definedName>'),
        "the name vocab_e is defined twice",
    ),
    "a name with another s": (
        more_names('<definedName name="vocab_Statu\u017f">⟦free⟧</definedName>'),
        "the name vocab_status is defined twice",
    ),
    "a flag that is none": (calc('fullPrecision="no"'), "a setting is no, but must be 1 or 0"),
}
"""Files that are refused, with a part of the message."""
