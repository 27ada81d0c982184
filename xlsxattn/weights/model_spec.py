"""From a trained model and sentences to the spec of a workbook."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification import Spec
from xlsxattn.builder.specification.words import Context, Vocabulary
from xlsxattn.contract.kinds import Decoder, Encoder, Model
from xlsxattn.contract.names import RangeName, weight
from xlsxattn.language import say
from xlsxattn.weights.tensor import CheckpointError

if TYPE_CHECKING:
    from xlsxattn.weights.model import Imported

MAX_RIVALS = 5
MAX_BROWSED = 254
"""So many heads' maps Excel's CHOOSE takes; with short ids the formula stays below 8,192 characters."""


def spec_of(imported: Imported, name: str, *, focus: str | None = None) -> Spec:
    """The spec of a workbook: one model, its sentences as the contexts s1, s2, ...

    Args:
        imported: the model, from ``read_model``.
        name: what the checkpoint is called, for the title.
        focus: the token to follow; the longest that all sentences share without it.

    Raises:
        CheckpointError: no sentence has the focus token.
    """
    words = [tokens for _, tokens in imported.sentences]
    whole = len(imported.layers) == imported.model.layers and not imported.only_heads
    blanks = ("",) * imported.blanks
    contexts = tuple(Context(f"s{i}", (*tokens, *blanks), i) for i, tokens in enumerate(words, 1))
    sheet = _sheet(imported, tuple(c.id for c in contexts), whole=whole)
    E, tokens = imported.E, imported.tokens
    said = _taken(imported, whole=whole)
    for note in imported.notes:
        said = say("{lead} {follow}", lead=said, follow=note)
    vocabulary = Vocabulary(tuple(f"d{j + 1}" for j in range(imported.d_model)), tokens, E, said)
    return Spec(f"{name}: {imported.model.title}", _focus(words, focus), vocabulary, contexts, (sheet,))


def _sheet(imported: Imported, contexts: tuple[str, ...], *, whole: bool) -> Model:
    model, only = imported.model, _only(imported)
    last = model.layers in imported.layers and not imported.only_heads
    places = {name: weight(name) for name in imported.weights}
    weights = {n: w for n, w in imported.weights.items() if last or places[n].block not in ("Output", "W_U")}
    if only:
        weights = _of_heads(imported, only) | {
            n: w for n, w in weights.items() if places[n].block in ("Input", "P")
        }
    streams = imported.streams.items()
    weights |= {RangeName(context=contexts[i], layer=k)["Input"]: x for (i, k), x in streams}
    sheet = _ending(imported, last=last)
    if only:
        sheet = replace(sheet, kv_heads=model.heads)
    elif len(imported.layers) * model.heads <= MAX_BROWSED:
        sheet = replace(sheet, browse=imported.heads[0] if imported.heads else (imported.layers[0], 1))
    if not whole:
        sheet = replace(sheet, taken=imported.layers, only=only, layers=len(imported.layers))
    return replace(sheet, contexts=contexts, weights=weights, apart=True)


def _ending(imported: Imported, *, last: bool) -> Encoder | Decoder:
    """The model's sheet; a decoder whose last layer is left out tells no words, which makes it an encoder."""
    model = imported.model
    if isinstance(model, Encoder):
        similarity = not imported.only_heads
        return replace(model, final_norm=model.final_norm and last, similarity=similarity)
    if last:
        return replace(model, top_k=min(MAX_RIVALS, len(imported.tokens)), generate=imported.blanks > 0)
    shared = {each.name: getattr(model, each.name) for each in fields(Model)}
    return replace(Encoder(**shared), final_norm=False)


def _only(imported: Imported) -> dict[int, tuple[int, ...]]:
    """The heads of each layer, where nothing but heads was asked for."""
    if not imported.only_heads:
        return {}
    return {k: tuple(h for layer, h in imported.heads if layer == k) for k in imported.layers}


def _of_heads(imported: Imported, only: dict[int, tuple[int, ...]]) -> dict[str, Any]:
    """The columns of some heads, each under a name of its own: ``l6_h12_W_Q``; and a norm before them."""
    model, found = imported.model, {}
    for k, heads in only.items():
        layer = RangeName(layer=k)
        for h in heads:
            group = -(-h * model.kv_heads // model.heads)
            for letter, size, at in (("Q", model.d_k, h), ("K", model.d_k, group), ("V", model.d_v, group)):
                for block in (f"W_{letter}", f"b_{letter}") if model.bias else (f"W_{letter}",):
                    columns = slice((at - 1) * size, at * size)
                    found[layer.at(head=h)[block]] = imported.weights[layer[block]][:, columns]
        blocks = ["QNorm", "KNorm", *(["Norm1"] if model.residual == "pre-norm" else [])]
        norms = [layer.at(block=block) for block in blocks]
        found |= {n: w for n, w in imported.weights.items() if weight(n).at(part="") in norms}
    return found


def _taken(imported: Imported, *, whole: bool) -> str:
    """Which of the model is in the workbook, and how its numbers are spelled."""
    said = say(
        "Layers and heads count from 1 here, from 0 in the checkpoint. Numbers are the shortest text "
        "that gives back the same float32; as decimals they differ from it by up to half its last digit."
    )
    if whole:
        return said
    layers = ", ".join(str(k) for k in imported.layers)
    heads = ", ".join(f"{k}.{h}" for k, h in imported.heads)
    if imported.only_heads:
        part = say("Heads {heads} only (layer.head).", heads=heads)
    else:
        part = say(
            "Layers {layers} only." if len(imported.layers) > 1 else "Layer {layers} only.", layers=layers
        )
    return say("{lead} {follow}", lead=part, follow=said)


def _focus(sentences: list[tuple[str, ...]], asked: str | None) -> str:
    if asked is not None:
        if not any(asked in tokens for tokens in sentences):
            known = ", ".join(dict.fromkeys(token for tokens in sentences for token in tokens))
            sentence = "--focus: no sentence has the token {asked!r}; the tokens are: {known}"
            raise CheckpointError(say(sentence, asked=asked, known=known))
        return asked
    shared = [token for token in sentences[0] if all(token in tokens for tokens in sentences)]
    ordinary = [token for token in shared if token.strip("▁␣ ").isalpha()] or shared or list(sentences[0])
    return max(ordinary, key=len)
