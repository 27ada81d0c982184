"""A trained model and sentences, ready to be made into a spec."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.contract.kinds import Decoder, Encoder
from xlsxattn.contract.names import RangeName
from xlsxattn.language import say
from xlsxattn.weights.beside import Pooling, end_tokens, pooling, tokenizer_notes
from xlsxattn.weights.checkpoint import open_checkpoint
from xlsxattn.weights.families import plan as understand
from xlsxattn.weights.forward import streams
from xlsxattn.weights.size import Size, check_room, estimate
from xlsxattn.weights.tensor import CheckpointError
from xlsxattn.weights.tokenizer import split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xlsxattn.weights.parts import Array, Plan
    from xlsxattn.weights.tokenizer import Split, SplitSentence

LOG = logging.getLogger(__name__)
SMALL_VOCABULARY = 5_000
"""So many tokens of a decoder are all taken, unless somebody asks for less."""
MAX_SENTENCE_LENGTH = 256
"""What a spec allows a sentence, in tokens."""
MAX_QUOTED = 60
"""Characters of a sentence that an error quotes."""
NO_LAYER = say("--layers: found {found!r}, the model's layers are 0 to {last}")
NO_LAYER_OF_HEAD = say("--heads: found {found!r}, the model's layers are 0 to {last}")
NO_HEAD = say("--heads: found {found!r}, the model's heads are 0 to {last}")


@dataclass(frozen=True, slots=True)
class Imported:
    """All that a spec of the model needs.

    Attributes:
        model: the model's sheet, whole and still without weights; its title names the family: "BERT".
        weights: matrices by their names in a spec (``P``, ``l1_W_Q``, ``l1_b_Q``, ``Output_Gamma``, ``W_U``),
            to be multiplied from the right, x W; only of the layers that were asked for. They are float32, or
            float64 where the checkpoint or a sum needs it.
        layers: the layers taken, from 1, as a spec numbers them.
        heads: the heads asked for, (layer, head), both from 1.
        tokens: the vocabulary, spelled so that no two look alike.
        numbers: the tokens' numbers in the checkpoint.
        E: their embeddings, tokens × d_model.
        sentences: the sentences as they were given, and their tokens, spelled as in the vocabulary.
        size: what the workbook will hold.
        notes: what a person should know, a sentence each.
        only_heads: whether nothing but the heads is wanted.
        blanks: how many blank cells follow each sentence, for a decoder to write into.
        streams: (sentence from 0, layer from 1) → what comes into a layer whose predecessor is left out,
            tokens × d_model in float64.
    """

    model: Encoder | Decoder
    weights: dict[str, Array]
    layers: tuple[int, ...]
    heads: tuple[tuple[int, int], ...]
    tokens: tuple[str, ...]
    numbers: tuple[int, ...]
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
    """Read a checkpoint and split sentences by its tokenizer.

    Args:
        path: the checkpoint, see ``open_checkpoint``.
        sentences: at least one.
        layers: which layers to take, "0,5", counted from 0 as in checkpoints; all without it.
        heads: which heads are asked for, "5.11", each layer.head from 0; without ``layers``, only these.
        whole_vocabulary: take all the model's tokens, not only those of the sentences; None: of a decoder
            that has few.
        write: how many blank cells a decoder gets to write into, as far as it has positions.
        target: the workbook to be, whose disk must have room for it.

    Raises:
        CheckpointError: the checkpoint or a sentence cannot be taken, or the workbook would not fit.
    """
    LOG.debug("", extra={"step": say("reading the model")})
    checkpoint = open_checkpoint(path)
    plan = understand(checkpoint)
    choice = _choose(plan, layers, heads)
    if not sentences:
        raise CheckpointError(say("{path}: at least one sentence is needed", path=path))
    whole = plan.n_vocab if _is_whole(plan, whole_vocabulary) else 0
    named = end_tokens(checkpoint.folder)
    found = split(checkpoint, sentences, MAX_SENTENCE_LENGTH, whole=whole, named=named)
    numbered = [_checked(plan, found, sentence) for sentence in found.sentences]
    numbers = range(whole) if whole else sorted({n for one in numbered for n in one})
    longest = max(map(len, numbered))
    blanks = _blanks(plan, choice, longest, write)
    n_heads = len(choice.heads) if choice.only_heads else None
    size = estimate(plan, choice.layers, [len(one) + blanks for one in numbered], len(numbers), n_heads)
    if target is not None:
        check_room(size, path, target)
    weights = _weights(plan, choice.layers, longest + blanks, numbers)
    pooled = pooling(checkpoint.folder) if isinstance(plan.model, Encoder) else Pooling()
    notes = (*plan.notes, *pooled.notes, *_few(plan, len(numbers)), *found.notes())
    return Imported(
        model=replace(plan.model, pool=pooled.pool) if isinstance(plan.model, Encoder) else plan.model,
        weights=weights,
        layers=tuple(k + 1 for k in choice.layers),
        heads=tuple((k + 1, h + 1) for k, h in choice.heads),
        tokens=tuple(found.tokens[n] for n in numbers),
        numbers=tuple(numbers),
        E=plan.embedding.read(numbers),
        sentences=tuple(
            (text, tuple(found.tokens[n] for n in one)) for text, one in zip(sentences, numbered, strict=True)
        ),
        size=size,
        notes=(*notes, *tokenizer_notes(checkpoint.folder, found)),
        only_heads=choice.only_heads,
        blanks=blanks,
        streams=_entering(plan, choice, weights, numbered),
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which parts of a model are taken: layers and heads, (layer, head), all from 0."""

    layers: tuple[int, ...]
    heads: tuple[tuple[int, int], ...]
    only_heads: bool


def _choose(plan: Plan, layers: str | None, heads: str | None) -> _Choice:
    """What ``--layers`` and ``--heads`` ask for; heads without layers are taken alone."""
    n_layers = plan.model.layers
    chosen = parse_layers(layers, n_layers)
    chosen_heads = parse_heads(heads, n_layers, plan.model.heads, chosen)
    if chosen_heads and layers is None:
        return _Choice(tuple(sorted({k for k, _ in chosen_heads})), chosen_heads, only_heads=True)
    return _Choice(chosen, chosen_heads, only_heads=False)


def _is_whole(plan: Plan, asked: bool | None) -> bool:  # noqa: FBT001 - as it was asked for
    """Whether all of the model's tokens are taken: as asked for, else those of a decoder that has few."""
    if asked is not None:
        return asked
    return isinstance(plan.model, Decoder) and plan.n_vocab <= SMALL_VOCABULARY


def _blanks(plan: Plan, choice: _Choice, longest: int, write: int) -> int:
    """How many cells a whole decoder gets to write into, as far as it has positions."""
    whole = len(choice.layers) == plan.model.layers and not choice.only_heads
    if not isinstance(plan.model, Decoder) or not whole:
        return 0
    limits = (MAX_SENTENCE_LENGTH, plan.n_positions, plan.window)
    return min(write, min(n for n in limits if n is not None) - longest)


def _entering(
    plan: Plan, choice: _Choice, weights: dict[str, Array], split: Sequence[Sequence[int]]
) -> dict[tuple[int, int], Array]:
    """What comes into each layer whose predecessor is left out, by (sentence from 0, layer from 1)."""
    gaps = [k for k in choice.layers if k > 0 and (choice.only_heads or k - 1 not in choice.layers)]
    if not gaps:
        return {}
    embedded = [plan.embedding.read(one) for one in split]
    found = streams(plan, weights, embedded, gaps)
    return {(i, k + 1): x for k, xs in found.items() for i, x in enumerate(xs)}


def _few(plan: Plan, n_vocab: int) -> tuple[str, ...]:
    """A note where a decoder chooses among some of its tokens only."""
    if not isinstance(plan.model, Decoder) or n_vocab == plan.n_vocab:
        return ()
    sentence = "It chooses among the {n:,} tokens that are here, of the model's {all:,}."
    return (say(sentence, n=n_vocab, all=plan.n_vocab),)


def _checked(plan: Plan, found: Split, sentence: SplitSentence) -> tuple[int, ...]:
    """The numbers of a sentence's tokens, which the model can take."""
    short, n = _short(sentence.text), sentence.count
    if plan.n_positions is not None and n > plan.n_positions:
        said = (
            "the sentence {sentence} has {n} tokens, and the model has positions for {most}: make it shorter"
        )
        raise CheckpointError(say(said, sentence=short, n=n, most=plan.n_positions))
    if plan.window is not None and n > plan.window:
        said = (
            "the sentence {sentence} has {n} tokens, and the model's tokens look back over {most} only "
            "(sliding_window), which no workbook does: make it shorter"
        )
        raise CheckpointError(say(said, sentence=short, n=n, most=plan.window))
    if n > MAX_SENTENCE_LENGTH:
        said = "the sentence {sentence} has {n} tokens, at most {most} are possible"
        raise CheckpointError(say(said, sentence=short, n=n, most=MAX_SENTENCE_LENGTH))
    strange = next((number for number in sentence.numbers if number >= plan.n_vocab), None)
    if strange is not None:
        said = "{path}: gives the token number {n}, and the model knows {most}: it belongs to another model"
        raise CheckpointError(say(said, path=found.path, n=strange, most=plan.n_vocab))
    if plan.padding is not None and plan.padding in sentence.numbers:
        said = (
            "the sentence {sentence} holds the token {token}, which this model does not count as a position: "
            "leave it out"
        )
        raise CheckpointError(say(said, sentence=short, token=found.tokens[plan.padding]))
    return sentence.numbers


def _weights(plan: Plan, layers: Sequence[int], n: int, numbers: Sequence[int]) -> dict[str, Array]:
    """All weights by name; of the positions only those that the sentences need."""
    outer = [replace(p, shape=(n, p.shape[1])) if p.name == "P" else p for p in plan.outer]
    found = {piece.name: piece.read() for piece in outer}
    for k in layers:
        found |= {RangeName(layer=k + 1)[piece.name]: piece.read() for piece in plan.layers[k]}
    if plan.unembedding is not None:
        found["W_U"] = plan.unembedding.read(numbers).T.copy()
    return found


# --- which layers, which heads -----------------------------------------------------------------------------


def parse_layers(text: str | None, n_layers: int) -> tuple[int, ...]:
    """The layers that a text such as "0,5" names, from 0, in order.

    Raises:
        CheckpointError: one is no number, or the model has no such layer.
    """
    if text is None:
        return tuple(range(n_layers))
    return tuple(sorted({_within(NO_LAYER, part, n_layers) for part in text.split(",")}))


def parse_heads(
    text: str | None, n_layers: int, n_heads: int, layers: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """The heads that a text such as "5.11,0.3" names, each as (layer, head), both from 0.

    Raises:
        CheckpointError: one is not spelled so, the model has no such head, or its layer is not taken.
    """
    found = []
    for part in text.split(",") if text is not None else ():
        layer, dot, head = part.strip().partition(".")
        if not dot:
            sentence = "--heads: found {found!r}, layer.head is needed, such as 5.11"
            raise CheckpointError(say(sentence, found=part))
        k = _within(NO_LAYER_OF_HEAD, layer, n_layers)
        if k not in layers:
            sentence = "--heads: {head} stands in layer {k}, which --layers leaves out"
            raise CheckpointError(say(sentence, head=part.strip(), k=k))
        found.append((k, _within(NO_HEAD, head, n_heads)))
    return tuple(sorted(set(found)))


def _within(sentence: str, text: str, count: int) -> int:
    """A number from 0, less than ``count``; else the sentence says so."""
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*", text) or int(text) >= count:
        raise CheckpointError(say(sentence, found=text.strip(), last=count - 1))
    return int(text)


def _short(sentence: str) -> str:
    return repr(sentence if len(sentence) <= MAX_QUOTED else f"{sentence[: MAX_QUOTED - 3]}...")
