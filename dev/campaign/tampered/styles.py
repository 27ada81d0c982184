"""Workbooks whose styles can be read in two ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev.campaign.places import local, packed, parts_of
from dev.campaign.tampered.edits import COMPUTED, MC, STYLES, THEME, put

if TYPE_CHECKING:
    from pathlib import Path

    from dev.campaign.places import Make


def style_index(index: str) -> Make:
    """Give a computed cell another style index."""

    def make(source: Path, target: Path) -> Path:
        parts, part, cell = parts_of(source), local(source, COMPUTED), local(source, "⟦shown at⟧")
        sheet = re.sub(rf'(<c r="{cell}" s=")\d+', rf"\g<1>{index}", parts[part].decode())
        return packed(target, parts | {part: sheet.encode()})

    return make


REFUSED = {
    "a style before the first": (style_index("-1"), "the style '-1' of ⟦shown at⟧ does not exist"),
    "a style after the last": (style_index("9999"), "the style '9999' of ⟦shown at⟧ does not exist"),
    "a row's style after the last": (
        put(COMPUTED, '<row r="⟦second row⟧"', '<row r="⟦second row⟧" s="9999" customFormat="1"'),
        "s is 9999, which is not in cellXfs",
    ),
    "a column's style after the last": (
        put(COMPUTED, "⟦column⟧", '⟦column⟧ style="9999"'),
        "style is 9999, which is not in cellXfs",
    ),
    "a conditional format that is not there": (
        put(COMPUTED, ' dxfId="', ' dxfId="99'),
        "which is not in dxfs",
    ),
    "a base style that is not there": (put(STYLES, ' xfId="0"', ' xfId="99"'), "xfId is 99, which is not in"),
    "a number format that is not there": (
        put(STYLES, '<xf numFmtId="169"', '<xf numFmtId="9999"'),
        "the number format 9999 is not defined",
    ),
    "a hidden row in another spelling": (
        put(COMPUTED, '<row r="⟦second row⟧"', '<row r="⟦second row⟧" hidden="on"'),
        "a setting is on, but must be 1 or 0",
    ),
    "a height that is none": (
        put(COMPUTED, '<row r="⟦second row⟧" ', '<row r="⟦second row⟧" ht="nan" '),
        "a setting is nan, but must be a number",
    ),
    "a number format twice": (
        put(
            STYLES,
            "<numFmts ",
            '<numFmts count="1"><numFmt numFmtId="169" formatCode="0"/></numFmts><numFmts ',
        ),
        "numFmts appears twice",
    ),
    "a number format by a number twice": (
        put(STYLES, "</numFmts>", '<numFmt numFmtId="169" formatCode="&quot;0.84&quot;"/></numFmts>'),
        "the number format 169 is defined twice",
    ),
    "alternatives round a number format": (
        put(STYLES, "</numFmts>", f"<mc:AlternateContent {MC}/></numFmts>"),
        "xl/styles.xml contains AlternateContent in another XML namespace",
    ),
    "fonts twice": (put(STYLES, "<fills ", "<fonts/><fills "), "fonts appears twice"),
    "a font of two colours": (
        put(STYLES, '<color theme="1"/>', '<color theme="1"/><color rgb="FFFFFFFF"/>'),
        "color appears twice",
    ),
    "a colour in two ways": (
        put(STYLES, '<color theme="1"/>', '<color theme="1" rgb="FFFFFFFF"/>'),
        "a colour of the styles is stated in two ways",
    ),
    "styles in another namespace": (
        put(STYLES, "<dxfs ", '<dxfs xmlns="urn:x" '),
        "xl/styles.xml contains dxfs in another XML namespace",
    ),
    "a theme in another namespace": (
        put(THEME, "<a:dk1>", '<a:dk1 xmlns:a="urn:x">'),
        "theme contains dk1 in another XML namespace",
    ),
    "a font that is not there": (
        put(STYLES, 'fontId="1"', 'fontId="999"'),
        "fontId is 999, which is not in fonts",
    ),
    "a size that is none": (put(STYLES, '<sz val="11"/>', '<sz val="nan"/>'), "a setting is nan"),
    "a theme of named colours": (
        put(THEME, '<a:sysClr val="windowText" lastClr="000000"/>', '<a:prstClr val="white"/>'),
        "the theme colour dk1 is not a plain colour",
    ),
    "a theme of another system": (
        put(THEME, '<a:sysClr val="windowText"', '<a:sysClr val="window"'),
        "the theme colour dk1 is not a plain colour",
    ),
}
"""Files that are refused, with a part of the message."""
