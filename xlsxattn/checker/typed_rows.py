"""Typed rows of a model with omitted layers, which are valid only for the words of its sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.book import words_in
from xlsxattn.contract.names import TYPED_FOR, RangeName, of_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reading.book import Book


def outdated(book: Book, values: Mapping[str, Grid]) -> Iterator[Finding]:
    """An error for each sentence with other words than its typed rows, if the workbook states those."""
    for sheet in book.manifest.sheets:
        for context in book.manifest.contexts:
            name, sentence = RangeName(sheet.id, context=context)[TYPED_FOR], of_context(context)["Tokens"]
            if not {name, sentence} <= book.names.keys():
                continue
            typed_for, tokens = words_in(values[name]), words_in(values[sentence])
            other = [i for i, pair in enumerate(zip(tokens, typed_for, strict=False)) if len(set(pair)) > 1]
            if other:
                yield Finding(
                    Kind.TYPED_ROWS,
                    sentence,
                    book.names[sentence].address(other[0]),
                    found=tokens[other[0]],
                    values={"tab": book.names[name].sheet, "words": " ".join(typed_for)},
                    more=len(other) - 1,
                )
