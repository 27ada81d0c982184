"""The command ``python -m dev.releases``: store the forms of live checks in this version.

Later versions may write other formulas; they use these forms for workbooks built by this version.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from dev.campaign import imported
from xlsxattn import releases, templates
from xlsxattn.builder import pages
from xlsxattn.builder import specification as specs
from xlsxattn.contract.names import parser
from xlsxattn.contract.values import PROGRAM_VERSION
from xlsxattn.language import codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.builder.specification import Spec

WORDS = ("a", "b", "c", "d")
SENTENCES = {"p": "a b c", "q": "b c", "r": "c d", "s": "d", "t": "a", "u": "b", "v": "b a"}
POSITIONS = ("none", "sinusoidal", "rotary")
MANY = len(SENTENCES)


def main() -> None:
    """Write the file of this version."""
    table = sorted({form for spec in every_spec() for form in forms(spec)})
    path = releases.FOLDER / f"{PROGRAM_VERSION}.json"
    path.write_text(json.dumps({"live checks": table}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    click.echo(f"{path}: {len(table)} forms")


def every_spec() -> Iterator[Spec]:
    """Templates, imported models and small specs that cover every setting that live checks depend on."""
    made = [specs.load(templates.path(name)) for name in templates.names()]
    made += [imported.spec(name) for name in imported.MODELS]
    for sheets, contexts, length in small():
        data = {
            "vocabulary": {"tokens": {word: [1.0, 0.0] for word in WORDS}},
            "contexts": dict([*SENTENCES.items()][:contexts]),
            "sheets": [{"id": f"x{i}", **sheet} for i, sheet in enumerate(sheets)],
            **({"length": length} if length else {}),
        }
        made.append(specs.parse(data, "small"))
    one_word = {"vocabulary": {"tokens": {"a": [1.0]}}, "contexts": {"p": "a"}, "sheets": [{"id": "x"}]}
    made.append(specs.parse(one_word, "one word"))
    return (replace(spec, lang=code) for spec in made for code in codes())


def small() -> Iterator[tuple[list[dict[str, Any]], int, int]]:
    """Sheets, their number of sentences, and the key ``length`` (0 if it is not set)."""
    for position, mask, warm, n in product(POSITIONS, ("none", "padding"), (0, 1.0), (1, 2)):
        length = 4 if mask == "padding" else 0
        common = {"position": position, "mask": mask}
        warmth = {"temperature": warm} if warm else {}
        yield [{"kind": "self-attention", "seed": 1, **common, **warmth}], n, length
        yield [{"kind": "multi-head", "heads": 1, **common, **warmth}], n, length
        yield [{"kind": "encoder", **common}], n, length
        for pool in ("mean", "first"):
            yield [{"kind": "classifier", "classes": ["x", "y"], "pool": pool, **common}], n, length
        causal = "causal+padding" if mask == "padding" else "causal"
        yield [{"kind": "decoder", "position": position, "mask": causal}], n, length
        yield [{"kind": "encoder-decoder", **common}], 2, length
        yield [{"kind": "cross-attention", "mask": mask, **warmth}], 2, length
    for position, kind in product(POSITIONS, ("decoder", "encoder-decoder")):
        yield [{"kind": kind, "position": position, "generate": True}], 2, 4
    for n, length in product((1, 2, 3, MANY), (0, 4)):
        mask = "padding" if length else "none"
        yield [{"kind": "self-attention", "mask": mask}, {"kind": "compare"}], n, length


def forms(spec: Spec) -> Iterator[str]:
    """The forms of the live checks of a workbook."""
    parse = parser((sheet.id for sheet in spec.sheets), (context.id for context in spec.contexts))
    for name, entered, formula in pages.formula_table(pages.book(spec).blocks()):
        if parse(name).is_live_check:
            yield releases.form(name, entered, formula, parse)


if __name__ == "__main__":
    main()
