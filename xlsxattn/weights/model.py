"""Reads a trained model and tokenizes sentences for it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.contract.kinds import Decoder, Encoder
from xlsxattn.contract.names import RangeName
from xlsxattn.contract.values import MAX_WORDS
from xlsxattn.language import say
from xlsxattn.weights.checkpoint import open_checkpoint
from xlsxattn.weights.families import plan as understand
from xlsxattn.weights.forward import streams
from xlsxattn.weights.sidecars import Pooling, end_tokens, pooling, tokenizer_notes
from xlsxattn.weights.size import Size, check_room, estimate
from xlsxattn.weights.tensor import CheckpointError
from xlsxattn.weights.tokenizer import split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from xlsxattn.weights.parts import Array, Plan
    from xlsxattn.weights.tokenizer import Split, SplitSentence

LOG = logging.getLogger(__name__)
SMALL_VOCABULARY = 5_000
"""A decoder's vocabulary is imported whole by default up to this size."""
MAX_QUOTED = 60
"""Characters of a sentence quoted in an error."""
NO_LAYER = say("--layers: found {found!r}; the model's layers are 0 to {last}")
NO_LAYER_OF_HEAD = say("--heads: found {found!r}; the model's layers are 0 to {last}")
OWN_NAME = re.compile(r"(?:\w[\w.-]*/)?(\w[\w.-]{1,80})", re.ASCII)
"""A model on a hub: its owner and its name."""
NO_HEAD = say("--heads: found {found!r}; the model's heads are 0 to {last}")


@dataclass(frozen=True, slots=True)
class Imported:
    """A model read from a checkpoint, with everything its spec needs.

    Attributes:
        name: the model's own name in its config, else its family's.
        model: the sheet of the whole model, without weights; its title is the family's name, such as "BERT".
        weights: matrices by their names in a spec (``P``, ``l1_W_Q``, ``l1_b_Q``, ``Output_Gamma``, ``W_U``),
            for the product x W; selected layers only. The dtype is float32, or float64 where the checkpoint
            or a sum needs it.
        layers: the selected layers, counted from 1 as in a spec.
        heads: the selected heads as (layer, head), both counted from 1.
        tokens: the vocabulary; no two tokens look alike.
        token_ids: the ids of these tokens in the checkpoint.
        E: the embeddings of these tokens, tokens × d_model.
        sentences: each sentence with its tokens, spelled as in ``tokens``.
        size: the estimated size of the workbook.
        notes: remarks for the user, a sentence each.
        only_heads: True if only heads were selected.
        blanks: number of blank cells after each sentence, which a decoder fills.
        streams: (sentence from 0, layer from 1) → the input of a layer whose previous layer is left out,
            tokens × d_model in float64.
    """

    name: str
    model: Encoder | Decoder
    weights: dict[str, Array]
    layers: tuple[int, ...]
    heads: tuple[tuple[int, int], ...]
    tokens: tuple[str, ...]
    token_ids: tuple[int, ...]
    E: Array
    sentences: tuple[tuple[str, tuple[str, ...]], ...]
    size: Size
    notes: tuple[str, ...]
    only_heads: bool
    blanks: int
    streams: dict[tuple[int, int], Array]

    @property
    def d_model(self) -> int:
        """Length of an embedding."""
        return int(self.E.shape[1])


def read_model(
    path: Path,
    sentences: Sequence[str],
    *,
    layers: str | None = None,
    heads: str | None = None,
    whole_vocabulary: bool | None = False,
    write: int = 0,
    target: Path | None = None,
) -> Imported:
    """Read a checkpoint and tokenize sentences with its tokenizer.

    Args:
        path: the checkpoint, see ``open_checkpoint``.
        sentences: at least one.
        layers: the layers to import, such as "0,5", counted from 0 as in checkpoints; default: all.
        heads: the heads to show, such as "5.11": layer.head, counted from 0. Without ``layers``, only
            these heads are imported.
        whole_vocabulary: import all tokens of the model, not only those of the sentences; None: only if it
            is a decoder with a small vocabulary.
        write: number of blank cells for a decoder to fill; fewer if it runs out of positions.
        target: path of the workbook; its disk must have enough free space.

    Raises:
        CheckpointError: the checkpoint or a sentence cannot be used, or the workbook would be too large.
    """
    LOG.debug("", extra={"step": say("reading the model")})
    checkpoint = open_checkpoint(path)
    plan = understand(checkpoint)
    choice = _choose(plan, layers, heads)
    if not sentences:
        raise CheckpointError(say("{path}: at least one sentence is needed", path=path))
    whole = plan.n_vocab if _is_whole(plan, whole_vocabulary) else 0
    special = end_tokens(checkpoint.folder)
    tokenized = split(checkpoint, sentences, MAX_WORDS, whole=whole, named=special)
    id_lists = [_checked(plan, tokenized, sentence) for sentence in tokenized.sentences]
    token_ids = range(whole) if whole else sorted({n for ids in id_lists for n in ids})
    longest = max(map(len, id_lists))
    blanks = _blanks(plan, choice, longest, write)
    n_heads = len(choice.heads) if choice.only_heads else None
    size = estimate(plan, choice.layers, [len(ids) + blanks for ids in id_lists], len(token_ids), n_heads)
    if target is not None:
        check_room(size, path, target)
    weights = _weights(plan, choice.layers, longest + blanks, token_ids)
    pooled = pooling(checkpoint.folder) if isinstance(plan.model, Encoder) else Pooling()
    notes = (*plan.notes, *pooled.notes, *_vocabulary_note(plan, len(token_ids)), *tokenized.notes())
    return Imported(
        name=_name(checkpoint.config, plan.model.title),
        model=replace(plan.model, pool=pooled.pool) if isinstance(plan.model, Encoder) else plan.model,
        weights=weights,
        layers=tuple(k + 1 for k in choice.layers),
        heads=tuple((k + 1, h + 1) for k, h in choice.heads),
        tokens=tuple(tokenized.tokens[n] for n in token_ids),
        token_ids=tuple(token_ids),
        E=plan.embedding.read(token_ids),
        sentences=tuple(
            (text, tuple(tokenized.tokens[n] for n in ids))
            for text, ids in zip(sentences, id_lists, strict=True)
        ),
        size=size,
        notes=(*notes, *tokenizer_notes(checkpoint.folder, tokenized)),
        only_heads=choice.only_heads,
        blanks=blanks,
        streams=_gap_inputs(plan, choice, weights, id_lists),
    )


def _name(config: Mapping[str, Any], family: str) -> str:
    """The model's own name, if its config has one rather than a path."""
    name = OWN_NAME.fullmatch(str(config.get("_name_or_path") or ""))
    return f"{name[1]} ({family})" if name else family


@dataclass(frozen=True, slots=True)
class _Choice:
    """The selected parts of a model: layers, and heads as (layer, head), all counted from 0."""

    layers: tuple[int, ...]
    heads: tuple[tuple[int, int], ...]
    only_heads: bool


def _choose(plan: Plan, layers: str | None, heads: str | None) -> _Choice:
    """Parse ``--layers`` and ``--heads``; heads without layers are imported alone."""
    n_layers = plan.model.layers
    chosen = parse_layers(layers, n_layers)
    chosen_heads = parse_heads(heads, n_layers, plan.model.heads, chosen)
    if chosen_heads and layers is None:
        return _Choice(tuple(sorted({k for k, _ in chosen_heads})), chosen_heads, only_heads=True)
    return _Choice(chosen, chosen_heads, only_heads=False)


def _is_whole(plan: Plan, asked: bool | None) -> bool:  # noqa: FBT001 - passed on as given
    """True if the whole vocabulary is imported; by default, that of a decoder with a small one."""
    if asked is not None:
        return asked
    return isinstance(plan.model, Decoder) and plan.n_vocab <= SMALL_VOCABULARY


def _blanks(plan: Plan, choice: _Choice, longest: int, write: int) -> int:
    """Number of blank cells for a complete decoder to fill, limited by its positions."""
    whole = len(choice.layers) == plan.model.layers and not choice.only_heads
    if not isinstance(plan.model, Decoder) or not whole:
        return 0
    limits = (MAX_WORDS, plan.n_positions, plan.window)
    return min(write, min(n for n in limits if n is not None) - longest)


def _gap_inputs(
    plan: Plan, choice: _Choice, weights: dict[str, Array], id_lists: Sequence[Sequence[int]]
) -> dict[tuple[int, int], Array]:
    """Input of each layer whose previous layer is left out, by (sentence from 0, layer from 1)."""
    gaps = [k for k in choice.layers if k > 0 and (choice.only_heads or k - 1 not in choice.layers)]
    if not gaps:
        return {}
    embedded = [plan.embedding.read(ids) for ids in id_lists]  # n × d_model each
    inputs = streams(plan, weights, embedded, gaps)
    return {(i, k + 1): x for k, xs in inputs.items() for i, x in enumerate(xs)}


def _vocabulary_note(plan: Plan, n_vocab: int) -> tuple[str, ...]:
    """A note if only part of a decoder's vocabulary is imported."""
    if not isinstance(plan.model, Decoder) or n_vocab == plan.n_vocab:
        return ()
    sentence = "The output vocabulary here has {n:,} of the model's {all:,} tokens."
    return (say(sentence, n=n_vocab, all=plan.n_vocab),)


def _checked(plan: Plan, tokenized: Split, sentence: SplitSentence) -> tuple[int, ...]:
    """The token ids of a sentence that the model can process."""
    short, n = _short(sentence.text), sentence.count
    if plan.n_positions is not None and n > plan.n_positions:
        message = (
            "the sentence {sentence} has {n} tokens, and the model has positions for {most}: make it shorter"
        )
        raise CheckpointError(say(message, sentence=short, n=n, most=plan.n_positions))
    if plan.window is not None and n > plan.window:
        message = (
            "the sentence {sentence} has {n} tokens, and the model attends to the last {most} only "
            "(sliding_window), which workbooks do not support: make it shorter"
        )
        raise CheckpointError(say(message, sentence=short, n=n, most=plan.window))
    if n > MAX_WORDS:
        message = "the sentence {sentence} has {n} tokens; at most {most} are allowed"
        raise CheckpointError(say(message, sentence=short, n=n, most=MAX_WORDS))
    unknown = next((n for n in sentence.token_ids if n >= plan.n_vocab), None)
    if unknown is not None:
        message = (
            "{path}: returns the token id {n}, but the model has {most} tokens: it belongs to another model"
        )
        raise CheckpointError(say(message, path=tokenized.path, n=unknown, most=plan.n_vocab))
    if plan.padding is not None and plan.padding in sentence.token_ids:
        message = (
            "the sentence {sentence} contains the padding token {token}, which has no position: remove it"
        )
        raise CheckpointError(say(message, sentence=short, token=tokenized.tokens[plan.padding]))
    return sentence.token_ids


def _weights(plan: Plan, layers: Sequence[int], n: int, token_ids: Sequence[int]) -> dict[str, Array]:
    """All weights by name; of the position table, only the first ``n`` rows."""
    outer = [replace(p, shape=(n, p.shape[1])) if p.name == "P" else p for p in plan.outer]
    weights = {part.name: part.read() for part in outer}
    for k in layers:
        weights |= {RangeName(layer=k + 1)[part.name]: part.read() for part in plan.layers[k]}
    if plan.unembedding is not None:
        weights["W_U"] = plan.unembedding.read(token_ids).T.copy()  # d_model × n_vocab
    return weights


# --- selection of layers and heads -------------------------------------------------------------------------


def parse_layers(text: str | None, n_layers: int) -> tuple[int, ...]:
    """Parse a list of layers such as "0,5", counted from 0, into sorted numbers.

    Raises:
        CheckpointError: an item is not a number, or the model has no such layer.
    """
    if text is None:
        return tuple(range(n_layers))
    return tuple(sorted({_within(NO_LAYER, part, n_layers) for part in text.split(",")}))


def parse_heads(
    text: str | None, n_layers: int, n_heads: int, layers: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Parse a list of heads such as "5.11,0.3" into (layer, head), both counted from 0.

    Raises:
        CheckpointError: an item is malformed, the model has no such head, or its layer is not selected.
    """
    parsed = []
    for part in text.split(",") if text is not None else ():
        layer, dot, head = part.strip().partition(".")
        if not dot:
            sentence = "--heads: found {found!r}, expected layer.head, such as 5.11"
            raise CheckpointError(say(sentence, found=part))
        k = _within(NO_LAYER_OF_HEAD, layer, n_layers)
        if k not in layers:
            sentence = "--heads: {head} is in layer {k}, which --layers does not select"
            raise CheckpointError(say(sentence, head=part.strip(), k=k))
        parsed.append((k, _within(NO_HEAD, head, n_heads)))
    return tuple(sorted(set(parsed)))


def _within(sentence: str, text: str, count: int) -> int:
    """Parse a number from 0 to ``count`` − 1; ``sentence`` is the error for any other text."""
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*", text) or int(text) >= count:
        raise CheckpointError(say(sentence, found=text.strip(), last=count - 1))
    return int(text)


def _short(sentence: str) -> str:
    return repr(sentence if len(sentence) <= MAX_QUOTED else f"{sentence[: MAX_QUOTED - 3]}...")
