"""Workbooks that compute the same but show something else, and some that only look different.

Each entry of the tables edits a copy of a workbook. Marks stand for its places, see `dev.campaign.places`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev.campaign.places import BOOK, CHART, STRINGS, NotApplicable, local, packed, parts_of
from dev.campaign.tampered.edits import (
    COMPUTED,
    INPUTS,
    MAIN,
    WORDS,
    as_gnumeric,
    over_cells,
    put,
    puts,
)

if TYPE_CHECKING:
    from pathlib import Path

    from dev.campaign.places import Make

STYLES, THEME = "xl/styles.xml", "xl/theme/theme1.xml"
SHOWN, OUTPUT = "⟦shown⟧", "⟦output⟧"
"""Two computed ranges."""
CELLS = "⟦shown cells⟧"
HEAT = re.compile(rb'<cfRule type="colorScale".*?</cfRule>')
SCALE = '<cfRule type="colorScale" priority="90"><colorScale><cfvo type="min"/><cfvo type="max"/><color rgb="FFFFFFFF"/><color rgb="{}"/></colorScale></cfRule>'
WHITE = '<font><sz val="11"/><color {}/><name val="Calibri"/></font>'
C15 = 'xmlns:c15="http://schemas.microsoft.com/office/drawing/2012/chart"'
X14 = 'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"'


def style(
    *,
    code: str = "",
    number: int = 200,
    font: str = "",
    fill: str = "",
    border: str = "",
    alignment: str = "",
    at: str = "⟦shown at⟧",
    part: str = COMPUTED,
) -> Make:
    """Change the number format, font, fill, border or alignment (with its attributes) of a cell."""

    def make(source: Path, target: Path) -> Path:
        parts, sheet_part, cell = parts_of(source), local(source, part), local(source, at)
        xml, sheet = parts[STYLES].decode(), parts[sheet_part].decode()
        match = re.search(rf'<c r="{cell}" s="(\d+)"', sheet)
        looks = re.search(r"<cellXfs.*?</cellXfs>", xml)
        if match is None or looks is None:
            raise NotApplicable(cell)
        look = re.findall(r"<xf [^>]*?(?:/>|>.*?</xf>)", looks[0])[int(match[1])]
        if code:
            xml = xml.replace("</numFmts>", f'<numFmt numFmtId="{number}" formatCode="{code}"/></numFmts>')
        if code or number < 100:
            look = re.sub(r'numFmtId="\d+"', f'numFmtId="{number}"', look)
        for kind, new in (("font", font), ("fill", fill), ("border", border)):
            every = re.search(rf"<{kind}s .*?</{kind}s>", xml)
            if new and every:
                own = len(re.findall(rf"<{kind}[ >]", every[0]))
                xml = xml.replace(f"</{kind}s>", f"{new}</{kind}s>")
                look = re.sub(rf'{kind}Id="\d+"', f'{kind}Id="{own}"', look)
        if alignment:
            bare = re.sub(r"<alignment[^>]*/>|/>$|</xf>$", "", look).removesuffix(">")
            look = f"{bare}><alignment {alignment}/></xf>"
        count = looks[0].count("<xf ")
        xml = xml.replace("</cellXfs>", f"{look}</cellXfs>")
        sheet = sheet.replace(match[0], f'<c r="{cell}" s="{count}"')
        return packed(target, parts | {STYLES: xml.encode(), sheet_part: sheet.encode()})

    return make


def rule(look: str = "", *, kind: str = 'type="expression"', inside: str = "<formula>TRUE</formula>") -> Make:
    """Add a conditional format before all others."""

    def make(source: Path, target: Path) -> Path:
        parts, part = parts_of(source), local(source, COMPUTED)
        number = parts[STYLES].count(b"<dxf>")
        parts[STYLES] = parts[STYLES].replace(b"</dxfs>", f"<dxf>{look}</dxf></dxfs>".encode())
        made = f'<conditionalFormatting sqref="{local(source, CELLS)}"><cfRule {kind} dxfId="{number}" priority="1">{inside}</cfRule></conditionalFormatting>'
        parts[part] = parts[part].replace(b"</sheetData>", b"</sheetData>" + made.encode())
        return packed(target, parts)

    return make


def missing_cell(source: Path, target: Path) -> Path:
    """Remove the cell of an array formula, and give its row a format."""
    parts, part = parts_of(style(code="&quot;0.84&quot;")(source, target)), local(source, COMPUTED)
    number, sheet = parts[STYLES].count(b"<xf ") - 2, parts[part].decode()
    sheet = re.sub(local(source, '<c r="⟦shown next⟧".*?</c>'), "", sheet, count=1)
    row = re.sub("[A-Z]+", "", local(source, "⟦shown next⟧"))
    sheet = sheet.replace(f'<row r="{row}"', f'<row r="{row}" s="{number}" customFormat="1"')
    return packed(target, parts | {part: sheet.encode()})


def other_colours(source: Path, target: Path) -> Path:
    """Redefine the colours that styles refer to by number."""
    parts = parts_of(style(font=WHITE.format('indexed="8"'))(source, target))
    whites = b"<colors><indexedColors>%s</indexedColors></colors>" % (64 * b'<rgbColor rgb="FFFFFFFF"/>')
    styles = parts[STYLES].replace(b"</styleSheet>", whites + b"</styleSheet>")
    return packed(target, parts | {STYLES: styles})


def theme_font(font: str, scheme: str = "minor") -> Make:
    """Change a font of the theme, and let the cell of a range have it."""
    by_theme = f'<font><sz val="11"/><color theme="1"/><name val="Calibri"/><scheme val="{scheme}"/></font>'

    def make(source: Path, target: Path) -> Path:
        parts = parts_of(style(font=by_theme)(source, target))
        pattern = rf'(<a:{scheme}Font><a:latin typeface=")[^"]*'.encode()
        theme = re.sub(pattern, rb"\g<1>" + font.encode(), parts[THEME], count=1)
        return packed(target, parts | {THEME: theme})

    return make


def behind(xml: str) -> Make:
    """Add XML after the rows of the computed sheet."""
    return put(COMPUTED, "</sheetData>", f"</sheetData>{xml}")


def twofold(one: Make, other: Make) -> Make:
    """Tamper in two ways."""

    def make(source: Path, target: Path) -> Path:
        return other(one(source, target), target)

    return make


def scale(colour: str) -> Make:
    """Add a heat map up to a colour."""
    return behind(f'<conditionalFormatting sqref="{CELLS}">{SCALE.format(colour)}</conditionalFormatting>')


def row(attributes: str, *, at: str = "⟦second row⟧", defaults: str = "") -> Make:
    """Give a row other attributes than its height, and the sheet's rows other defaults."""

    def make(source: Path, target: Path) -> Path:
        parts, part, start = parts_of(source), local(source, COMPUTED), local(source, f'<row r="{at}"')
        found = re.search(f"{start}[^>]*>", parts[part].decode())
        if found is None:
            raise NotApplicable(start)
        own = re.sub(r' (ht|customHeight|hidden|outlineLevel)="[^"]*"', "", found[0])
        new = own.replace(start, f"{start} {attributes}")
        sheet = parts[part].replace(found[0].encode(), new.encode(), 1)
        sheet = sheet.replace(b"<sheetFormatPr ", f"<sheetFormatPr {defaults}".encode())
        return packed(target, parts | {part: sheet})

    return make


def sheet_view(attributes: str) -> Make:
    """Add attributes to the view of the computed sheet."""
    return put(COMPUTED, "<sheetView ", f"<sheetView {attributes} ")


def frozen(attributes: str, of_view: str = "") -> Make:
    """Freeze rows or columns of the computed sheet."""

    def make(source: Path, target: Path) -> Path:
        parts, part = parts_of(source), local(source, COMPUTED)
        pane = f'<sheetView {of_view} workbookViewId="0"><pane {attributes} state="frozen"/></sheetView>'
        sheet = re.sub("<sheetView .*?</sheetView>", pane, parts[part].decode(), count=1)
        return packed(target, parts | {part: sheet.encode()})

    return make


def window(attributes: str) -> Make:
    """Add attributes to the window of the workbook."""
    return put(BOOK, "<workbookView ", f"<workbookView {attributes} ")


def merged(cells: str) -> Make:
    """Merge cells, beside those that are merged already."""

    def make(source: Path, target: Path) -> Path:
        parts, part = parts_of(source), local(source, COMPUTED)
        more = local(source, f'<mergeCell ref="{cells}"/>')
        sheet = parts[part].decode()
        if "</mergeCells>" not in sheet:
            sheet = sheet.replace("</sheetData>", '</sheetData><mergeCells count="1"></mergeCells>')
        sheet = sheet.replace("</mergeCells>", f"{more}</mergeCells>")
        return packed(target, parts | {part: sheet.encode()})

    return make


def sparkline(cell: str) -> Make:
    """Add a chart in a cell."""
    lines = f"<x14:sparkline><xm:f>A1:B2</xm:f><xm:sqref>{cell}</xm:sqref></x14:sparkline>"
    groups = f"<x14:sparklineGroups><x14:sparklineGroup><x14:sparklines>{lines}</x14:sparklines></x14:sparklineGroup></x14:sparklineGroups>"
    return put(
        COMPUTED,
        "</extLst></worksheet>",
        f'<ext uri="{{05C60535-1F16-4fd2-B633-F4F36F0B64E0}}" {X14}>{groups}</ext></extLst></worksheet>',
    )


def folded(first: int, last: int) -> Make:
    """Hide rows in an outline group."""
    rows = range(first, last + 1)
    return puts(COMPUTED, *((f'<row r="{at}"', f'<row r="{at}" hidden="1" outlineLevel="1"') for at in rows))


def without_heat(*parts: str, times: int = 0) -> Make:
    """Remove heat maps."""

    def make(source: Path, target: Path) -> Path:
        own = parts_of(source)
        for part in (local(source, part) for part in parts):
            own[part] = HEAT.sub(b"", own[part], count=times)
        return packed(target, own)

    return make


def chart(*edits: tuple[str, str]) -> Make:
    """Edit the chart."""
    return puts(CHART, *edits)


def caption(text: str) -> Make:
    """Replace the caption of a block, whose shared string must not be used by other cells."""
    return put(STRINGS, "<t>⟦caption⟧</t>", f"<t>{text}</t>")


SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
COLUMNS = '<tableColumns count="1"><tableColumn id="1" name="x"/></tableColumns>'
PIVOT = f'<pivotTableDefinition xmlns="{MAIN}" name="p" cacheId="1" dataCaption="x"><location ref="{CELLS}" firstHeaderRow="1" firstDataRow="1" firstDataCol="1"/></pivotTableDefinition>'
QUERY = f'<table xmlns="{MAIN}" id="9" name="q" displayName="q" ref="{CELLS}" tableType="queryTable">{COLUMNS}</table>'
SHAPE = """<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><xdr:{anchor}><xdr:from><xdr:col>⟦shown column⟧</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>⟦shown row⟧</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>{size}<xdr:sp><xdr:nvSpPr><xdr:cNvPr id="9" name="T"/><xdr:cNvSpPr txBox="1"/></xdr:nvSpPr><xdr:spPr>{fill}</xdr:spPr>{text}</xdr:sp><xdr:clientData/></xdr:{anchor}></xdr:wsDr>"""
ONE_CELL = {"anchor": "oneCellAnchor", "size": '<xdr:ext cx="400000" cy="190500"/>'}
LABEL = "<xdr:txBody><a:bodyPr/><a:p><a:r><a:t>0.99</a:t></a:r></a:p></xdr:txBody>"
DRAWING = "application/vnd.openxmlformats-officedocument.drawing+xml"


def shape(**said: str) -> Make:
    """Add a text box over a computed cell."""
    return over_cells("drawing", SHAPE.format(**said), DRAWING)


WINDOW = "hidden window"
FORMAT, UNREADABLE, RULE = "misleading format", "unreadable", "misleading conditional format"
HIDDEN, MERGED, OTHER_CHART, CAPTION = "hidden cells", "merged cells", "other chart", "other caption"
DROP_DOWN, HEAT_MAP, COVERED = "drop-down list", "heat map", "covered cells"
OFFER = "⟦offer⟧"

VIEWS = {
    "digits of its own": (style(code="&quot;0.84&quot;"), FORMAT, SHOWN),
    "digits of its own, escaped": (style(code=r"\0\.\8\4"), FORMAT, SHOWN),
    "words behind the number": (style(code="0.00&quot; (right)&quot;"), FORMAT, SHOWN),
    "nothing at all": (style(code=";;;"), FORMAT, SHOWN),
    "nothing where it is negative": (style(code="0.00;", at="⟦output at⟧"), FORMAT, OUTPUT),
    "thousands left out before the point": (style(code="0,.00"), FORMAT, SHOWN),
    "two points": (style(code="0.00.00"), FORMAT, SHOWN),
    "the number twice": (style(code="General General"), FORMAT, SHOWN),
    "the word twice": (style(code="@@", at="⟦first word at⟧", part=WORDS), FORMAT, "chase_Tokens"),
    "a format of a row's missing cells": (missing_cell, FORMAT, SHOWN),
    "a word for one number": (style(code="[=1]&quot;x&quot;;0.00"), FORMAT, SHOWN),
    "thousands left out": (style(code="0.00,"), FORMAT, SHOWN),
    "per cent twice": (style(code="%0%"), FORMAT, SHOWN),
    "a blank for the point": (style(code="0_.00"), FORMAT, SHOWN),
    "a blank between digits": (style(code="0&quot; &quot;00"), FORMAT, SHOWN),
    "digits of another script": (style(code="[$-3000401]0.00"), FORMAT, SHOWN),
    "no sign": (style(code="0.00;0.00", at="⟦output at⟧"), FORMAT, OUTPUT),
    "a sign of its own": (style(code="-0.00", at="⟦output at⟧"), FORMAT, OUTPUT),
    "a date": (style(code="yyyy"), FORMAT, SHOWN),
    "a built-in date": (style(number=14), FORMAT, "causal"),
    "another word": (style(code="0;;;&quot;dog&quot;", at="⟦first word at⟧", part=WORDS), FORMAT, "chase_Tokens"),
    "a built format elsewhere": (style(code="0;&quot;−∞&quot;;0"), FORMAT, SHOWN),
    "another word in a built format": (
        put(STYLES, "&quot;not in the vocabulary&quot;", "&quot;1&quot;"), FORMAT, "chase_Ids",
    ),
    "white on white": (style(font=WHITE.format('rgb="FFFFFFFF"')), UNREADABLE, SHOWN),
    "nearly white on white": (style(font=WHITE.format('rgb="FFF0F0F0"')), UNREADABLE, SHOWN),
    "white by a number format": (style(code="[White]0.00"), UNREADABLE, SHOWN),
    "white by a numbered colour": (style(code="[Color2]0.00;-0.00"), UNREADABLE, SHOWN),
    "repeated until the cell is full": (style(alignment='horizontal="fill"'), UNREADABLE, SHOWN),
    "moved out of the cell": (style(alignment='horizontal="left" indent="200"'), UNREADABLE, SHOWN),
    "turned in a low row": (style(alignment='textRotation="90"'), UNREADABLE, SHOWN),
    "letters below each other in a low row": (style(alignment='textRotation="255"'), UNREADABLE, SHOWN),
    "struck through": (style(font='<font><strike/><sz val="11"/><color theme="1"/><name val="Calibri"/></font>'), UNREADABLE, SHOWN),
    "lines across the cell": (style(border='<border diagonalUp="1"><left/><right/><top/><bottom/><diagonal style="thick"><color auto="1"/></diagonal></border>'), UNREADABLE, SHOWN),
    "signs for digits by a theme": (theme_font("Wingdings"), UNREADABLE, ""),
    "white by a theme": (style(font=WHITE.format('theme="0"')), UNREADABLE, SHOWN),
    "white by a number": (style(font=WHITE.format('indexed="9"')), UNREADABLE, SHOWN),
    "white by the background of the system": (style(font=WHITE.format('indexed="65"')), UNREADABLE, SHOWN),
    "the characters of symbols": (style(font='<font><sz val="11"/><color theme="1"/><name val="Calibri"/><charset val="2"/></font>'), UNREADABLE, SHOWN),
    "letters larger than their row": (
        twofold(style(font='<font><sz val="72"/><color theme="1"/><name val="Calibri"/></font>', at="⟦shown below⟧"), row('ht="15" customHeight="1"')), UNREADABLE, SHOWN,
    ),
    "white by a tint": (style(font=WHITE.format('theme="1" tint="1"')), UNREADABLE, SHOWN),
    "black on black": (
        style(fill='<fill><patternFill patternType="solid"><fgColor rgb="FF000000"/></patternFill></fill>'), UNREADABLE, SHOWN,
    ),
    "black on a black gradient": (
        style(fill='<fill><gradientFill degree="90"><stop position="0"><color rgb="FF000000"/></stop><stop position="1"><color rgb="FF000000"/></stop></gradientFill></fill>'), UNREADABLE, SHOWN,
    ),
    "black on a black pattern": (
        style(fill='<fill><patternFill patternType="darkGray"><fgColor rgb="FF000000"/><bgColor rgb="FF000000"/></patternFill></fill>'), UNREADABLE, SHOWN,
    ),
    "black on the text colour of the system": (
        style(fill='<fill><patternFill patternType="solid"><fgColor indexed="64"/></patternFill></fill>'), UNREADABLE, SHOWN,
    ),
    "white by another list of colours": (other_colours, UNREADABLE, SHOWN),
    "tiny letters": (style(font='<font><sz val="1"/><color theme="1"/><name val="Calibri"/></font>'), UNREADABLE, SHOWN),
    "signs for digits by the font of headings": (theme_font("Wingdings", scheme="major"), UNREADABLE, ""),
    "signs of another maker for digits": (style(font='<font><sz val="11"/><color theme="1"/><name val="Zapf  Dingbats"/></font>'), UNREADABLE, SHOWN),
    "signs for digits": (style(font='<font><sz val="11"/><color theme="1"/><name val="Wingdings 2"/></font>'), UNREADABLE, SHOWN),
    "white by another theme": (put(THEME, '<a:sysClr val="windowText" lastClr="000000"/>', '<a:srgbClr val="FFFFFF"/>'), UNREADABLE, ""),
    "a rule that hides": (rule('<numFmt numFmtId="201" formatCode=";;;"/>'), RULE, SHOWN),
    "a rule that replaces": (rule('<numFmt numFmtId="201" formatCode="&quot;0.84&quot;"/>'), RULE, SHOWN),
    "a rule that shows −∞": (
        rule('<numFmt numFmtId="201" formatCode="&quot;−∞&quot;;&quot;−∞&quot;;&quot;−∞&quot;"/>', kind='type="cellIs" operator="lessThan"', inside="<formula>0.5</formula>"),
        RULE, SHOWN,
    ),
    "no word where there is one": (put(WORDS, "⟦no word⟧", "⟦no other word⟧"), RULE, ""),
    "a rule in white": (rule('<font><color rgb="FFFFFFFF"/></font>'), RULE, SHOWN),
    "a rule in black on black": (
        rule('<fill><patternFill><bgColor rgb="FF000000"/></patternFill></fill>'), RULE, SHOWN,
    ),
    "a rule in black by a pattern": (
        rule('<fill><patternFill patternType="darkGray"><fgColor rgb="FF000000"/><bgColor rgb="FF000000"/></patternFill></fill>'), RULE, SHOWN,
    ),
    "a rule that strikes through": (rule("<font><strike/></font>"), RULE, SHOWN),
    "a rule of tiny letters": (rule('<font><sz val="1"/></font>'), RULE, SHOWN),
    "black bars": (
        rule(kind='type="dataBar"', inside='<dataBar><cfvo type="min"/><cfvo type="max"/><color rgb="FF000000"/></dataBar>'), RULE, SHOWN,
    ),
    "a failed check in white": (put(STYLES, '<dxf><font><color rgb="FFB91C1C"/></font></dxf>', '<dxf><font><color rgb="FFFFFFFF"/></font></dxf>'), RULE, "causal_Status"),
    "a heat map in black": (scale("FF000000"), RULE, SHOWN),
    "a rule that stops the others": (rule(kind='type="expression" stopIfTrue="1"'), RULE, SHOWN),
    "a rule that stops the others where a cell is blank": (
        rule(kind='type="expression" stopIfTrue="1"', inside="<formula>$XFA1=0</formula>"), RULE, SHOWN,
    ),
    "no rules at all": (
        put(COMPUTED, "<sheetPr>", '<sheetPr enableFormatConditionsCalculation="0">'), HEAT_MAP, "",
    ),
    "bars without numbers": (
        rule(kind='type="dataBar"', inside='<dataBar showValue="0"><cfvo type="min"/><cfvo type="max"/><color rgb="FF638EC6"/></dataBar>'), RULE, SHOWN,
    ),
    "a rule in an extension": (
        put(COMPUTED, "</extLst></worksheet>", f'<ext uri="{{78C0D931-6437-407d-A8EE-F0AAD7539E65}}" {X14}><x14:conditionalFormattings><x14:conditionalFormatting><x14:cfRule type="expression" priority="1"><xm:f>TRUE</xm:f><x14:dxf><numFmt numFmtId="201" formatCode=";;;"/></x14:dxf></x14:cfRule><xm:sqref>⟦shown cells⟧</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst></worksheet>'),
        RULE, SHOWN,
    ),
    "a hidden row": (row('hidden="1"'), HIDDEN, SHOWN),
    "a row without height": (row('ht="0" customHeight="1"'), HIDDEN, SHOWN),
    "a row of one point": (row('ht="1" customHeight="1"'), HIDDEN, SHOWN),
    "a row in a group of its own": (row('hidden="1" outlineLevel="1"'), HIDDEN, SHOWN),
    "rows out of reach": (sheet_view('topLeftCell="A⟦second row⟧"'), HIDDEN, "causal"),
    "rows hidden unless shown": (row("", defaults='zeroHeight="1" '), HIDDEN, "causal"),
    "a hidden column": (put(COMPUTED, "⟦column⟧", '⟦column⟧ hidden="1"'), HIDDEN, "causal"),
    "a column without width": (put(COMPUTED, "⟦column⟧", "⟦no width⟧"), HIDDEN, "causal"),
    "columns without width unless stated": (puts(COMPUTED, ("⟦column⟧", "⟦no column⟧"), ("<sheetFormatPr ", '<sheetFormatPr baseColWidth="0" ')), HIDDEN, "causal"),
    "rows frozen until the window is full": (frozen('ySplit="90"'), HIDDEN, ""),
    "large rows frozen until the window is full": (frozen('ySplit="20"', 'zoomScale="400"'), HIDDEN, ""),
    "columns frozen until the window is full": (frozen('xSplit="90"'), HIDDEN, ""),
    "groups that cannot be unfolded": (sheet_view('showOutlineSymbols="0"'), HIDDEN, "causal"),
    "groups that protection keeps folded": (behind('<sheetProtection sheet="1"/>'), HIDDEN, "causal"),
    "no window": (window('visibility="hidden"'), WINDOW, ""),
    "no tabs": (window('showSheetTabs="0"'), WINDOW, ""),
    "no zeros": (sheet_view('showZeros="0"'), HIDDEN, ""),
    "formulas for values": (sheet_view('showFormulas="1"'), HIDDEN, ""),
    "merged cells": (merged("⟦shown pair⟧"), MERGED, SHOWN),
    "merged with what is beside": (merged("⟦shown and beside⟧"), MERGED, SHOWN),
    "a pivot table over cells": (over_cells("pivotTable", PIVOT, f"{SHEETS}.pivotTable+xml"), COVERED, SHOWN),
    "a query table over cells": (over_cells("table", QUERY, f"{SHEETS}.table+xml"), COVERED, SHOWN),
    "a text box over a cell": (shape(**ONE_CELL, fill="", text=LABEL), COVERED, SHOWN),
    "buttons of a filter over cells": (behind('<autoFilter ref="⟦shown cells⟧"/>'), COVERED, SHOWN),
    "a line over a cell": (sparkline("⟦shown at⟧"), COVERED, SHOWN),
    "a picture behind all cells": (behind('<picture r:id="rId1"/>'), COVERED, ""),
    "a date in the language of the program": (style(number=31), FORMAT, SHOWN),
    "a chart of scores": (chart(("⟦weights⟧", "⟦block row⟧")), OTHER_CHART, ""),
    "a chart of free cells": (chart(("⟦weights⟧", "⟦weights tab⟧!$C$9000:$G$9000")), OTHER_CHART, ""),
    "a chart of another sheet": (chart(("⟦weights⟧", "⟦vocabulary⟧")), OTHER_CHART, ""),
    "a chart of part of a row": (chart(("⟦weights⟧", "⟦fewer weights⟧")), OTHER_CHART, ""),
    "a chart with typed numbers": (chart(("<c:numRef><c:f>⟦weights⟧</c:f><c:numCache>", "<c:numLit>"), ("</c:numCache></c:numRef>", "</c:numLit>")), OTHER_CHART, ""),
    "a chart with typed labels": (
        chart(("<c:cat>", '<c:dLbls><c:dLbl><c:idx val="0"/><c:tx><c:rich><a:bodyPr/><a:p><a:r><a:t>0.99</a:t></a:r></a:p></c:rich></c:tx></c:dLbl></c:dLbls><c:cat>')), OTHER_CHART, "",
    ),
    "a chart whose labels have a format of their own": (
        chart(("<c:cat>", '<c:dLbls><c:numFmt formatCode="&quot;0.99&quot;" sourceLinked="0"/><c:showVal val="1"/></c:dLbls><c:cat>')), OTHER_CHART, "",
    ),
    "a chart with labels of other cells": (
        chart(("<c:cat>", f'<c:extLst><c:ext uri="{{02D57815-91ED-43cb-92C2-25804820EDAC}}" {C15}><c15:datalabelsRange><c15:f>A1:E1</c15:f></c15:datalabelsRange></c:ext></c:extLst><c:cat>')), OTHER_CHART, "",
    ),
    "a chart that stores another number": (chart(("</c:formatCode><c:ptCount", "</c:formatCode><c:pt idx='0'><c:v>0.999</c:v></c:pt><c:ptCount")), OTHER_CHART, ""),
    "a chart with typed words": (chart(("<c:cat><c:strRef><c:f>⟦labels⟧</c:f><c:strCache>", "<c:cat><c:strLit>"), ("</c:strCache></c:strRef></c:cat>", "</c:strLit></c:cat>")), OTHER_CHART, ""),
    "a chart with other words": (chart(("⟦labels⟧", "⟦shown labels⟧")), OTHER_CHART, ""),
    "a chart with another title": (chart(("⟦chart title⟧<", "⟦chart title tab⟧!$B$1<")), OTHER_CHART, ""),
    "another caption": (caption("{=causal_chase_Scores*causal_Scale}"), CAPTION, "⟦captioned⟧"),
    "another caption in words": (caption("Scores × Scale"), CAPTION, "⟦captioned⟧"),
    "a drop-down list that is gone": (put(WORDS, OFFER, ""), DROP_DOWN, "chase_Tokens"),
    "a drop-down list without its arrow": (put(WORDS, OFFER, "⟦offer without arrow⟧"), DROP_DOWN, "chase_Tokens"),
    "a drop-down list of other words": (put(WORDS, OFFER, "⟦offer of others⟧"), DROP_DOWN, "chase_Tokens"),
    "a heat map that is gone": (without_heat(COMPUTED, times=1), HEAT_MAP, "causal_chase_X"),
    "no heat map at all": (without_heat(INPUTS, COMPUTED), HEAT_MAP, "causal_chase_X"),
    "no heat map, as if by Gnumeric": (
        as_gnumeric(without_heat(INPUTS, COMPUTED)), HEAT_MAP, "causal_chase_X",
    ),
    "a rule that stops the others, as if by Gnumeric": (
        as_gnumeric(rule(kind='type="expression" stopIfTrue="1"')), RULE, SHOWN,
    ),
}  # fmt: skip
"""Misleading views: the edit, the kind of finding, and the first range or its prefix."""

PLAIN = {
    "more digits": style(code="0.000000"),
    "per cent": style(code="0.0%"),
    "negative numbers in brackets, red": style(code="#,##0.00_);[Red]\\(#,##0.00\\)"),
    "blanks between thousands": style(code="#\\ ##0.00_-;-#\\ ##0.00_-"),
    "a plus": style(code="+0.00;-0.00;0.00", at="⟦output at⟧"),
    "a language": style(code="[$-804]0.00"),
    "no format": style(code="General"),
    "another font": style(font='<font><i/><sz val="9"/><color rgb="FF555555"/><name val="Arial"/></font>'),
    "a fill": style(fill='<fill><patternFill patternType="solid"><fgColor rgb="FFFFFF00"/></patternFill></fill>'),
    "white letters where nobody reads": style(font=WHITE.format('rgb="FFFFFFFF"'), at="B2"),
    "a rule of somebody's own": rule('<font><b/><color rgb="FFB91C1C"/></font>'),
    "a heat map of somebody's own": scale("FF63BE7B"),
    "a folded group": folded(80, 85),
    "a hidden row beside": row('hidden="1"', at="2"),
    "an empty frame around a cell": shape(**ONE_CELL, fill="<a:noFill/>", text=""),
    "merged cells beside": merged("L70:M71"),
    "turned in a high row": twofold(style(alignment='textRotation="90"', at="⟦shown below⟧"), row('ht="40" customHeight="1"')),
    "an indent": style(alignment='horizontal="right" indent="2"'),
    "underlined twice": style(font='<font><u val="double"/><sz val="11"/><color theme="1"/><name val="Calibri"/></font>'),
    "a border": style(border='<border><left style="thick"/><right/><top/><bottom/><diagonal/></border>'),
    "more rows frozen": frozen('ySplit="12" topLeftCell="A13"', 'zoomScale="150" rightToLeft="1" showRowColHeaders="0"'),
    "a small window": window('minimized="1" firstSheet="5" activeTab="5" showVerticalScroll="0"'),
    "a filter without buttons": behind('<autoFilter ref="⟦shown next⟧"><filterColumn colId="0" hiddenButton="1"/></autoFilter>'),
    "a low row": row('ht="8" customHeight="1"'),
    "a drop-down list by its cells": put(WORDS, OFFER, "⟦offer by cells⟧"),
}  # fmt: skip
"""Harmless changes, without findings."""
