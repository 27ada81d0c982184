"""The user-facing texts in the source of the package."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MESSAGES = {
    *("NotCheckableError", "SpecError", "PressError", "EngineFailed", "EngineMissing"),
    *("CopyError", "PreviewError", "ClickException", "PandasMissing", "CheckpointError", "ValueError"),
    *("Twice", "TooLargeError", "Declaration", "echo", "secho", "info", "print_error"),
}
"""Texts with words."""


def said() -> set[str]:
    """Every user-facing sentence of the source: the arguments of `say`, `tell` and `error`."""
    found = set()
    for _, tree in modules():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if (sentence := sentence_of(call)) is not None:
                found |= set(texts_in(looked_up(sentence, tree)))
            elif named(call) in MESSAGES:
                found |= {arg.value for arg in call.args if constant(arg)}
    return found


def modules() -> list[tuple[Path, ast.Module]]:
    """The package's source."""
    paths = sorted((ROOT / "xlsxattn").rglob("*.py"))
    return [(path, ast.parse(path.read_text("utf-8"))) for path in paths]


def constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def texts_in(node: ast.AST) -> Iterator[str]:
    """The texts that a sentence is chosen from; results of calls are not sentences."""
    if constant(node):
        yield node.value
    elif not isinstance(node, ast.Call):
        for part in ast.iter_child_nodes(node):
            yield from texts_in(part)


def named(call: ast.Call) -> str:
    """The name of the called function."""
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def sentence_of(call: ast.Call) -> ast.AST | None:
    """The argument with the sentence, if a call has one."""
    if named(call) in ("say", "tell", "Phrase") and call.args:
        return call.args[0]
    return call.args[-1] if named(call) == "error" and call.args else None


def looked_up(sentence: ast.AST, tree: ast.Module) -> ast.AST:
    """The sentence, resolved if it is a name in its module."""
    if isinstance(sentence, ast.IfExp):
        return ast.Tuple([sentence.body, sentence.orelse])
    if not isinstance(sentence, ast.Name):
        return sentence
    given = [
        looked_up(node.value, tree)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == sentence.id for t in node.targets)
    ]
    return ast.Tuple(given)


def described(node: object) -> Iterator[str]:
    """All descriptions in a schema."""
    if isinstance(node, list):
        yield from (text for one in node for text in described(one))
    if isinstance(node, dict):
        yield from (text for key, one in node.items() for text in described(one))
        if isinstance(node.get("description"), str):
            yield node["description"]
