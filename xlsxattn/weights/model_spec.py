"""Makes the spec of a workbook from a trained model and its sentences."""

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

ENCODER = "{family}, an encoder: {layers} × {heads} heads, {d_model} numbers per token, all weights learned."
DECODER = "{family}, a decoder: {layers} × {heads} heads, {d_model} numbers per token, all weights learned."
COUNTING = (
    "Layers and heads count from 1 here, from 0 in the checkpoint. Each number is the shortest decimal that "
    "rounds to the same float32."
)
MAX_RIVALS = 5
MAX_BROWSED = 254
"""Excel's CHOOSE takes 254 values; with short ids the formula stays below 8,192 characters."""


def spec_of(imported: Imported, *, focus: str | None = None) -> Spec:
    """Make the spec of a workbook: one model, with its sentences as contexts s1, s2, ...

    Args:
        imported: the model, from ``read_model``.
        focus: the focus token; default: the longest token that all sentences share.

    Raises:
        CheckpointError: no sentence contains the focus token.
    """
    sentences = [tokens for _, tokens in imported.sentences]
    whole = len(imported.layers) == imported.model.layers and not imported.only_heads
    blanks = ("",) * imported.blanks
    contexts = tuple(Context(f"s{i}", (*tokens, *blanks), i) for i, tokens in enumerate(sentences, 1))
    sheet = _sheet(imported, tuple(c.id for c in contexts), whole=whole)
    part = "" if whole else _part(imported)
    text, about = _after(part, say(COUNTING)), _after(_about(imported), part)
    for note in imported.notes:
        text = _after(text, note)
    dims = tuple(f"d{j + 1}" for j in range(imported.d_model))
    vocabulary = Vocabulary(dims, imported.tokens, imported.E, text)
    return Spec(imported.name, _focus(sentences, focus), vocabulary, contexts, (sheet,), about=about)


def _after(lead: str, follow: str) -> str:
    """Two texts as one; either may be blank."""
    return say("{lead} {follow}", lead=lead, follow=follow) if lead and follow else lead or follow


def _about(imported: Imported) -> str:
    """What the model is, in a sentence."""
    model, sentence = imported.model, DECODER if isinstance(imported.model, Decoder) else ENCODER
    sizes = {"layers": model.layers, "heads": model.heads, "d_model": imported.d_model}
    return say(sentence, family=model.title, **sizes)


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
    """The model's sheet. A decoder without its last layer predicts no token, so it becomes an encoder."""
    model = imported.model
    if isinstance(model, Encoder):
        similarity = not imported.only_heads
        return replace(model, final_norm=model.final_norm and last, similarity=similarity)
    if last:
        return replace(model, top_k=min(MAX_RIVALS, len(imported.tokens)), generate=imported.blanks > 0)
    shared = {each.name: getattr(model, each.name) for each in fields(Model)}
    return replace(Encoder(**shared), final_norm=False)


def _only(imported: Imported) -> dict[int, tuple[int, ...]]:
    """The selected heads by layer, if only heads were selected."""
    if not imported.only_heads:
        return {}
    return {k: tuple(h for layer, h in imported.heads if layer == k) for k in imported.layers}


def _of_heads(imported: Imported, only: dict[int, tuple[int, ...]]) -> dict[str, Any]:
    """The weights of the selected heads, ``l6_h12_W_Q``, and of the norms before them."""
    model, weights = imported.model, {}
    for k, heads in only.items():
        layer = RangeName(layer=k)
        for h in heads:
            group = -(-h * model.kv_heads // model.heads)  # the head's group of keys and values, from 1
            for letter, size, i in (("Q", model.d_k, h), ("K", model.d_k, group), ("V", model.d_v, group)):
                columns = slice((i - 1) * size, i * size)
                for block in (f"W_{letter}", f"b_{letter}") if model.bias else (f"W_{letter}",):
                    weights[layer.at(head=h)[block]] = imported.weights[layer[block]][:, columns]
        blocks = ["QNorm", "KNorm", *(["Norm1"] if model.residual == "pre-norm" else [])]
        norms = [layer.at(block=block) for block in blocks]
        weights |= {n: w for n, w in imported.weights.items() if weight(n).at(part="") in norms}
    return weights


def _part(imported: Imported) -> str:
    """Which parts of the model the workbook has."""
    layers = ", ".join(str(k) for k in imported.layers)
    heads = ", ".join(f"{k}.{h}" for k, h in imported.heads)
    if imported.only_heads:
        return say("Heads {heads} only (layer.head).", heads=heads)
    return say("Layers {layers} only." if len(imported.layers) > 1 else "Layer {layers} only.", layers=layers)


def _focus(sentences: list[tuple[str, ...]], asked: str | None) -> str:
    if asked is not None:
        if not any(asked in tokens for tokens in sentences):
            known = ", ".join(dict.fromkeys(token for tokens in sentences for token in tokens))
            sentence = "--focus: no sentence contains the token {asked!r}; the tokens are: {known}"
            raise CheckpointError(say(sentence, asked=asked, known=known))
        return asked
    shared = [token for token in sentences[0] if all(token in tokens for tokens in sentences)]
    ordinary = [token for token in shared if token.strip("▁␣ ").isalpha()] or shared or list(sentences[0])
    return max(ordinary, key=len)
