"""Workbooks that compute the same but show something else, and some that only look different.

Each entry of the tables makes a copy of the causal template's workbook from its parts.
"""

# ruff: noqa: E501 - tables, a line a case

from __future__ import annotations

import re

import hostile
from tampered import CAUSAL, INPUTS, START, put

STYLES, CHART, CONTRACT = "xl/styles.xml", "xl/charts/chart1.xml", "xl/worksheets/sheet5.xml"
STRINGS, THEME = "xl/sharedStrings.xml", "xl/theme/theme1.xml"
CELL = "C70"
"""The first cell of causal_chase_Attention."""
WEIGHTS, LABELS = "'Causal attention'!$C$95:$G$95", "'Causal attention'!$C$94:$G$94"
HEAT = re.compile(rb'<cfRule type="colorScale".*?</cfRule>')
SCALE = '<cfRule type="colorScale" priority="90"><colorScale><cfvo type="min"/><cfvo type="max"/><color rgb="FFFFFFFF"/><color rgb="{}"/></colorScale></cfRule>'
WHITE = '<font><sz val="11"/><color {}/><name val="Calibri"/></font>'
X14 = 'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"'


def style(*, code="", font="", fill="", cell=CELL, part=CAUSAL):
    """Change the number format, font or fill of a cell."""

    def make(source, target):
        parts = hostile.parts_of(source)
        xml, sheet = parts[STYLES].decode(), parts[part].decode()
        number = re.search(rf'<c r="{cell}" s="(\d+)"', sheet)[1]
        looks = re.search(r"<cellXfs.*?</cellXfs>", xml)[0]
        look = re.findall(r"<xf [^>]*?(?:/>|>.*?</xf>)", looks)[int(number)]
        if code:
            xml = xml.replace("</numFmts>", f'<numFmt numFmtId="200" formatCode="{code}"/></numFmts>')
            look = re.sub(r'numFmtId="\d+"', 'numFmtId="200"', look)
        for kind, new in (("font", font), ("fill", fill)):
            if new:
                own = re.search(rf"<{kind}s .*?</{kind}s>", xml)[0].count(f"<{kind}>")
                xml = xml.replace(f"</{kind}s>", f"{new}</{kind}s>")
                look = re.sub(rf'{kind}Id="\d+"', f'{kind}Id="{own}"', look)
        count = len(re.findall(r"<xf ", looks))
        xml = xml.replace("</cellXfs>", f"{look}</cellXfs>")
        sheet = sheet.replace(f'<c r="{cell}" s="{number}"', f'<c r="{cell}" s="{count}"')
        return hostile.packed(target, parts | {STYLES: xml.encode(), part: sheet.encode()})

    return make


def rule(look="", *, area="C70:G74", kind='type="expression"', inside="<formula>TRUE</formula>"):
    """Add a conditional format before all others."""

    def make(source, target):
        parts = hostile.parts_of(source)
        number = parts[STYLES].count(b"<dxf>")
        parts[STYLES] = parts[STYLES].replace(b"</dxfs>", f"<dxf>{look}</dxf></dxfs>".encode())
        made = f'<conditionalFormatting sqref="{area}"><cfRule {kind} dxfId="{number}" priority="1">{inside}</cfRule></conditionalFormatting>'
        parts[CAUSAL] = parts[CAUSAL].replace(b"</sheetData>", b"</sheetData>" + made.encode())
        return hostile.packed(target, parts)

    return make


def behind(xml):
    """Add XML after the rows of the causal sheet."""
    return put(CAUSAL, "</sheetData>", f"</sheetData>{xml}")


def scale(colour):
    return behind(f'<conditionalFormatting sqref="C70:G74">{SCALE.format(colour)}</conditionalFormatting>')


def row(attributes, *, at=71):
    return put(CAUSAL, f'<row r="{at}"', f'<row r="{at}" {attributes}')


def folded(first, last):
    def make(source, target):
        parts = hostile.parts_of(source)
        for at in range(first, last + 1):
            parts[CAUSAL] = parts[CAUSAL].replace(
                f'<row r="{at}"'.encode(), f'<row r="{at}" hidden="1" outlineLevel="1"'.encode()
            )
        return hostile.packed(target, parts)

    return make


def without_heat(parts=(CAUSAL,), times=0):
    def make(source, target):
        own = hostile.parts_of(source)
        for part in parts:
            own[part] = HEAT.sub(b"", own[part], count=times)
        return hostile.packed(target, own)

    return make


def chart(*edits):
    """Edit the chart."""

    def make(source, target):
        parts = hostile.parts_of(source)
        for old, new in edits:
            assert old.encode() in parts[CHART]
            parts[CHART] = parts[CHART].replace(old.encode(), new.encode())
        return hostile.packed(target, parts)

    return make


def caption(old, new):
    """Replace the caption of a block, whose shared string must not be used by other cells."""
    return put(STRINGS, f"<t>{old}</t>", f"<t>{new}</t>")


FORMAT, UNREADABLE, RULE = "misleading format", "unreadable", "misleading conditional format"
HIDDEN, MERGED, OTHER_CHART, CAPTION = "hidden cells", "merged cells", "other chart", "other caption"
DROP_DOWN, HEAT_MAP = "drop-down list", "heat map"
OFFER = '<dataValidation type="list" allowBlank="1" showInputMessage="1" sqref="C8:C12"><formula1>vocab_Tokens</formula1></dataValidation>'

VIEWS = {
    "digits of its own": (style(code="&quot;0.84&quot;"), FORMAT, "causal_chase_Attention"),
    "digits of its own, escaped": (style(code=r"\0\.\8\4"), FORMAT, "causal_chase_Attention"),
    "words behind the number": (style(code="0.00&quot; (right)&quot;"), FORMAT, "causal_chase_Attention"),
    "nothing at all": (style(code=";;;"), FORMAT, "causal_chase_Attention"),
    "nothing where it is negative": (style(code="0.00;", cell="C80"), FORMAT, "causal_chase_Output"),
    "a word for one number": (style(code="[=1]&quot;x&quot;;0.00"), FORMAT, "causal_chase_Attention"),
    "thousands left out": (style(code="0.00,"), FORMAT, "causal_chase_Attention"),
    "no sign": (style(code="0.00;0.00", cell="C80"), FORMAT, "causal_chase_Output"),
    "a sign of its own": (style(code="-0.00", cell="C80"), FORMAT, "causal_chase_Output"),
    "a date": (style(code="yyyy"), FORMAT, "causal_chase_Attention"),
    "a built-in date": (put(STYLES, 'numFmtId="174" fontId="10"', 'numFmtId="14" fontId="10"'), FORMAT, "causal"),
    "another word": (style(code="0;;;&quot;dog&quot;", cell="C8", part=START), FORMAT, "chase_Tokens"),
    "a built format elsewhere": (style(code="0;&quot;−∞&quot;;0"), FORMAT, "causal_chase_Attention"),
    "another word in a built format": (
        put(STYLES, "&quot;not in the vocabulary&quot;", "&quot;1&quot;"), FORMAT, "chase_Ids",
    ),
    "white on white": (style(font=WHITE.format('rgb="FFFFFFFF"')), UNREADABLE, "causal_chase_Attention"),
    "nearly white on white": (style(font=WHITE.format('rgb="FFF0F0F0"')), UNREADABLE, "causal_chase_Attention"),
    "white by a theme": (style(font=WHITE.format('theme="0"')), UNREADABLE, "causal_chase_Attention"),
    "white by a number": (style(font=WHITE.format('indexed="9"')), UNREADABLE, "causal_chase_Attention"),
    "white by a tint": (style(font=WHITE.format('theme="1" tint="1"')), UNREADABLE, "causal_chase_Attention"),
    "black on black": (
        style(fill='<fill><patternFill patternType="solid"><fgColor rgb="FF000000"/></patternFill></fill>'), UNREADABLE, "causal_chase_Attention",
    ),
    "tiny letters": (style(font='<font><sz val="1"/><color theme="1"/><name val="Calibri"/></font>'), UNREADABLE, "causal_chase_Attention"),
    "signs for digits": (style(font='<font><sz val="11"/><color theme="1"/><name val="Wingdings 2"/></font>'), UNREADABLE, "causal_chase_Attention"),
    "white by another theme": (put(THEME, '<a:sysClr val="windowText" lastClr="000000"/>', '<a:srgbClr val="FFFFFF"/>'), UNREADABLE, ""),
    "a rule that hides": (rule('<numFmt numFmtId="201" formatCode=";;;"/>'), RULE, "causal_chase_Attention"),
    "a rule that replaces": (rule('<numFmt numFmtId="201" formatCode="&quot;0.84&quot;"/>'), RULE, "causal_chase_Attention"),
    "a rule that shows −∞": (
        rule('<numFmt numFmtId="201" formatCode="&quot;−∞&quot;;&quot;−∞&quot;;&quot;−∞&quot;"/>', kind='type="cellIs" operator="lessThan"', inside="<formula>0.5</formula>"),
        RULE, "causal_chase_Attention",
    ),
    "a number of a known word that is hidden": (put(START, "<formula>$B8=0</formula>", "<formula>$B8&gt;0</formula>"), RULE, "xlsxattn_chase_Look"),
    "a result that another cell hides": (put(START, "<formula>chase_Focus=0</formula>", "<formula>vocab_Focus=0</formula>"), RULE, "xlsxattn_chase"),
    "other words around the focus word": (put(STYLES, " before&quot;", " later&quot;"), FORMAT, "xlsxattn_chase_Before_Rows"),
    "a rule in white": (rule('<font><color rgb="FFFFFFFF"/></font>'), RULE, "causal_chase_Attention"),
    "a rule in black on black": (
        rule('<fill><patternFill><bgColor rgb="FF000000"/></patternFill></fill>'), RULE, "causal_chase_Attention",
    ),
    "a failed check in white": (put(STYLES, '<dxf><font><color rgb="FFB91C1C"/></font></dxf>', '<dxf><font><color rgb="FFFFFFFF"/></font></dxf>'), RULE, "causal_Status"),
    "a heat map in black": (scale("FF000000"), RULE, "causal_chase_Attention"),
    "bars without numbers": (
        rule(kind='type="dataBar"', inside='<dataBar showValue="0"><cfvo type="min"/><cfvo type="max"/><color rgb="FF638EC6"/></dataBar>'), RULE, "causal_chase_Attention",
    ),
    "a rule in an extension": (
        put(CAUSAL, '<drawing r:id="rId1"/>', f'<drawing r:id="rId1"/><extLst><ext uri="x" {X14}><x14:conditionalFormattings><x14:conditionalFormatting><x14:cfRule type="expression" priority="1"><xm:f>TRUE</xm:f><x14:dxf><numFmt numFmtId="201" formatCode=";;;"/></x14:dxf></x14:cfRule><xm:sqref>C70:G74</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>'),
        RULE, "causal_chase_Attention",
    ),
    "a hidden row": (row('hidden="1"'), HIDDEN, "causal_chase_Attention"),
    "a row without height": (row('ht="0" customHeight="1"'), HIDDEN, "causal_chase_Attention"),
    "a row of one point": (row('ht="1" customHeight="1"'), HIDDEN, "causal_chase_Attention"),
    "a row in a group of its own": (row('hidden="1" outlineLevel="1"'), HIDDEN, "causal_chase_Attention"),
    "rows out of reach": (put(CAUSAL, '<sheetView showGridLines="0"', '<sheetView showGridLines="0" topLeftCell="A20"'), HIDDEN, "causal"),
    "rows hidden unless shown": (put(CAUSAL, "<sheetFormatPr ", '<sheetFormatPr zeroHeight="1" '), HIDDEN, "causal"),
    "a hidden column": (put(CAUSAL, '<col min="3" max="5"', '<col min="3" max="5" hidden="1"'), HIDDEN, "causal"),
    "a column without width": (put(CAUSAL, 'min="3" max="5" width="11.7109375"', 'min="3" max="5" width="0"'), HIDDEN, "causal"),
    "no zeros": (put(CAUSAL, '<sheetView showGridLines="0"', '<sheetView showGridLines="0" showZeros="0"'), HIDDEN, ""),
    "formulas for values": (put(CAUSAL, '<sheetView showGridLines="0"', '<sheetView showGridLines="0" showFormulas="1"'), HIDDEN, ""),
    "merged cells": (behind('<mergeCells count="1"><mergeCell ref="C70:D70"/></mergeCells>'), MERGED, "causal_chase_Attention"),
    "merged with what is beside": (behind('<mergeCells count="1"><mergeCell ref="G74:L76"/></mergeCells>'), MERGED, "causal_chase_Attention"),
    "a chart of scores": (chart((WEIGHTS, "'Causal attention'!$C$30:$G$30")), OTHER_CHART, ""),
    "a chart of free cells": (chart((WEIGHTS, "'Causal attention'!$C$200:$G$200")), OTHER_CHART, ""),
    "a chart of another sheet": (chart((WEIGHTS, "'Inputs'!$C$22:$F$22")), OTHER_CHART, ""),
    "a chart of part of a row": (chart((WEIGHTS, "'Causal attention'!$C$95:$F$95")), OTHER_CHART, ""),
    "a chart with typed numbers": (chart((f"<c:numRef><c:f>{WEIGHTS}</c:f><c:numCache>", "<c:numLit>"), ("</c:numCache></c:numRef>", "</c:numLit>")), OTHER_CHART, ""),
    "a chart with typed words": (chart((f"<c:cat><c:strRef><c:f>{LABELS}</c:f><c:strCache>", "<c:cat><c:strLit>"), ("</c:strCache></c:strRef></c:cat>", "</c:strLit></c:cat>")), OTHER_CHART, ""),
    "a chart with other words": (chart((LABELS, "'Causal attention'!$C$69:$G$69")), OTHER_CHART, ""),
    "a chart with another title": (chart(("'Causal attention'!$B$4<", "'Causal attention'!$B$1<")), OTHER_CHART, ""),
    "another caption": (caption("{=causal_chase_Scores/causal_Scale}", "{=causal_chase_Scores*causal_Scale}"), CAPTION, "causal_chase_Scaled"),
    "another caption in words": (caption("{=causal_chase_Scores/causal_Scale}", "Scores × Scale"), CAPTION, "causal_chase_Scaled"),
    "a drop-down list that is gone": (put(START, OFFER, ""), DROP_DOWN, "chase_Tokens"),
    "a drop-down list without its arrow": (put(START, OFFER, OFFER.replace('type="list"', 'type="list" showDropDown="1"')), DROP_DOWN, "chase_Tokens"),
    "a drop-down list of other words": (put(START, OFFER, OFFER.replace("vocab_Tokens", "&quot;the,cat&quot;")), DROP_DOWN, "chase_Tokens"),
    "a heat map that is gone": (without_heat(times=1), HEAT_MAP, "causal_chase_X"),
    "no heat map at all": (without_heat((INPUTS, CAUSAL)), HEAT_MAP, "causal_chase_X"),
}  # fmt: skip
"""Misleading views: the edit, the kind of finding, and the first range or its prefix."""

PLAIN = {
    "more digits": style(code="0.000000"),
    "per cent": style(code="0.0%"),
    "negative numbers in brackets, red": style(code="#,##0.00_);[Red]\\(#,##0.00\\)"),
    "a plus": style(code="+0.00;-0.00;0.00", cell="C80"),
    "a language": style(code="[$-804]0.00"),
    "no format": style(code="General"),
    "another font": style(font='<font><i/><sz val="9"/><color rgb="FF555555"/><name val="Arial"/></font>'),
    "a fill": style(fill='<fill><patternFill patternType="solid"><fgColor rgb="FFFFFF00"/></patternFill></fill>'),
    "white letters where nobody reads": style(font=WHITE.format('rgb="FFFFFFFF"'), cell="B2"),
    "a rule of somebody's own": rule('<font><b/><color rgb="FFB91C1C"/></font>'),
    "a heat map of somebody's own": scale("FF63BE7B"),
    "a folded group": folded(69, 75),
    "a hidden row beside": row('hidden="1"', at=2),
    "merged cells beside": behind('<mergeCells count="1"><mergeCell ref="L70:M71"/></mergeCells>'),
    "a low row": row('ht="8" customHeight="1"'),
    "a drop-down list by its cells": put(START, OFFER, OFFER.replace("vocab_Tokens", "Inputs!$B$9:$B$17")),
}  # fmt: skip
"""Harmless changes, without findings."""
