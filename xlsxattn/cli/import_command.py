"""The command that makes a workbook of a trained model."""

from __future__ import annotations

import os
from pathlib import Path

import click

from xlsxattn.cli.build_command import build_workbook, errors_as_messages
from xlsxattn.cli.language import tell
from xlsxattn.cli.progress import progress
from xlsxattn.cli.verbosity import common_options, is_quiet
from xlsxattn.language import say

WRITTEN = 8


@click.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--sentence", "sentences", multiple=True, required=True, help="A sentence; may be repeated.")
@click.option("--layers", help="Import only these layers, counted from 0: 0,5.")
@click.option(
    "--heads", help="Heads to show first, layer.head from 0: 5.11; without --layers, import only these."
)
@click.option(
    "--vocabulary",
    type=click.Choice(("needed", "all")),
    help="Include only the sentences' tokens, or all; by default all for a decoder with a small vocabulary.",
)
@click.option("--focus", help="The token to follow; by default the longest that all sentences share.")
@click.option(
    "--write",
    type=click.IntRange(0, 64),
    metavar="INTEGER",
    default=WRITTEN,
    show_default=True,
    help="Number of blank cells for a complete decoder to fill.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The workbook to write.")
@click.option("--force", is_flag=True, help="Replace a workbook even if it was edited.")
@common_options
def import_model(
    checkpoint: Path,
    sentences: tuple[str, ...],
    layers: str | None,
    heads: str | None,
    vocabulary: str | None,
    focus: str | None,
    write: int,
    output: Path | None,
    force: bool,
) -> int:
    """Build a workbook from a trained model of the BERT, GPT-2 or Llama family.

    CHECKPOINT is a folder in the Hugging Face layout, its .safetensors file (or index), or an .npz file.
    """
    from xlsxattn.weights.model import read_model
    from xlsxattn.weights.model_spec import spec_of

    name = _name(checkpoint)
    target = output or Path("output") / f"{name}.xlsx"
    with errors_as_messages(checkpoint), progress():
        imported = read_model(
            checkpoint,
            sentences,
            layers=layers,
            heads=heads,
            whole_vocabulary=None if vocabulary is None else vocabulary == "all",
            write=write,
            target=target,
        )
    if not is_quiet():
        click.echo(tell(say("{path}: {said}", path=checkpoint, said=say(str(imported.size)))), err=True)
    with errors_as_messages(checkpoint):
        spec = spec_of(imported, focus=focus)
    make_folder = output is None
    return build_workbook(
        spec, str(checkpoint), target, force=force, make_folder=make_folder, notes=imported.notes
    )


def _name(checkpoint: Path) -> str:
    """The name of a checkpoint: that of its folder or .npz file."""
    path = Path(os.path.realpath(checkpoint))  # resolve() raises on links to themselves
    named = path.parent if path.name.startswith("model.") and not path.is_dir() else path
    return named.name.partition(".")[0] or "model"
