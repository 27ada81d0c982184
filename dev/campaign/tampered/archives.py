"""Workbooks in whose archive programs find different parts."""

from __future__ import annotations

from dev.campaign.places import BOOK, TYPES
from dev.campaign.tampered.edits import (
    OFFICE,
    STRICT,
    after_another,
    another_header,
    another_name,
    another_size_behind,
    behind_the_archive,
    half_strict,
    other_styles,
    put,
    relation,
    renamed_links,
    second_strings,
    second_workbook,
    twice,
    unlisted_part,
    with_comment,
    with_parts,
    with_second,
)

REFUSED = {
    "bytes behind the archive": (behind_the_archive(b"junk"), "or after the last"),
    "zeros behind the archive": (behind_the_archive(bytes(600)), "or after the last"),
    "another method in the first header": (another_header(8), "the two headers of the part"),
    "another size in the first header": (another_header(18), "the two headers of the part"),
    "another name in the first header": (another_name, "the two headers of the part docProps/core.xml"),
    "another checksum behind a part": (another_size_behind, "the two headers of the part"),
    "a part that is not listed": (unlisted_part, "the two headers of the part"),
    "a part with a dot": (twice("xl/./worksheets/sheet2.xml"), "is in the archive twice"),
    "two archives": (after_another, "its archive has data before the first part"),
    "an archive with a comment": (with_comment, "or after the last"),
    "a part for two sheets": (
        put(BOOK, 'r:id="rId4"', 'r:id="rId3"'),
        "two sheets share the part xl/worksheets/sheet3.xml",
    ),
    "a sheet without a part": (
        put(BOOK, 'r:id="rId4"', 'r:id="rId77"'),
        "has no part",
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
            TYPES,
            'sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.work',
            'sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.chart',
        ),
        "is linked as worksheet, but declared as",
    ),
    "a content type twice": (
        put(TYPES, "</Types>", '<Override PartName="/XL/workbook.xml" ContentType="x"/></Types>'),
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
    "styles elsewhere": (other_styles, "the styles part is xl/styles2.xml by its relationships"),
    "styles twice": (with_second("styles"), "the styles part is"),
    "a theme twice": (with_second("theme"), "the theme part is"),
    "styles that are not linked": (
        relation("relationships/styles", "relationships/others"),
        "the styles part is – by its relationships",
    ),
    "a drawing in other capitals": (
        put("xl/drawings/_rels/drawing1.xml.rels", "chart1.xml", "Chart1.xml"),
        "which programs resolve to different parts or to none",
    ),
    "relationships in other capitals": (
        renamed_links,
        "which programs resolve to different parts or to none",
    ),
    "Strict relationships": (
        put(BOOK, OFFICE, STRICT[0]),
        "mixes Strict and Transitional Open XML",
    ),
    "relationships in another namespace": (
        relation('<Relationship Id="rId2"', '<Relationship xmlns="urn:x" Id="rId2"'),
        "contains Relationship in another XML namespace",
    ),
    "content types in another namespace": (
        put(TYPES, "<Override ", '<Override xmlns="urn:x" '),
        "contains Override in another XML namespace",
    ),
    "Strict in part": (half_strict, "mixes Strict and Transitional Open XML"),
}
"""Files that are refused, with a part of the message."""
