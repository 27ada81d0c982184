"""Looks up a checkpoint's tensors, checks their shapes, and records which were used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.language import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from xlsxattn.contract.kinds import Decoder, Encoder
    from xlsxattn.weights.checkpoint import Checkpoint
    from xlsxattn.weights.tensor import CheckpointError, Tensor

    Array = NDArray[Any]
    Weights = dict[str, Array]


CHUNK_ROWS = 4096
"""Rows of two tensors compared at a time."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The tensors of a checkpoint whose names begin with ``prefix``.

    Attributes:
        checkpoint: the checkpoint.
        prefix: prefix of the family's names, such as ``bert.``; often empty.
        used: names of the tensors looked up so far.
    """

    checkpoint: Checkpoint
    prefix: str
    used: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        """True if a tensor with this name exists."""
        return self.prefix + name in self.checkpoint.tensors

    def find(self, name: str) -> Tensor:
        """Get a tensor by its name in the family."""
        tensor = self.checkpoint.find(self.prefix + name)
        self.used.add(tensor.name)
        return tensor

    def check(self, name: str, *shape: int) -> Tensor:
        """Get a tensor and check its shape against the config.

        Raises:
            CheckpointError: it is missing, or has another shape.
        """
        tensor = self.find(name)
        if tensor.shape != shape:
            sentence = "has the shape {found}, but the config requires {wanted}"
            raise tensor.error(sentence, found=shape_text(tensor.shape), wanted=shape_text(shape))
        return tensor

    def linear(self, name: str, tensor: str, rows: int, columns: int, *, transposed: bool) -> TensorPart:
        """A weight matrix, rows × columns in a spec; ``transposed``: stored as out × in."""
        shape = (columns, rows) if transposed else (rows, columns)
        return TensorPart(name, (rows, columns), self.check(tensor, *shape), transposed=transposed)

    def row(self, name: str, tensor: str, columns: int) -> TensorPart:
        """A bias, γ or β, 1 × columns."""
        return TensorPart(name, (1, columns), self.check(tensor, columns))

    def error(self, sentence: str, /, **values: object) -> CheckpointError:
        """An error about the whole checkpoint; arguments as for `say`."""
        return self.checkpoint.error(sentence, **values)


@dataclass(frozen=True, slots=True)
class TensorPart:
    """A weight, and how to make it from a tensor; ``read`` loads it.

    Attributes:
        name: the weight's name in a spec, without the layer.
        shape: the weight's shape in a spec; a vector is 1 × columns.
        tensor: the source; None for zeros.
        transposed: the tensor is stored as out × in, while a spec has in × out.
        columns: the tensor's columns to use; None for all.
        first: the tensor's first row to use; None for all rows.
        added: a tensor whose row 0 is added to every row.
    """

    name: str
    shape: tuple[int, int]
    tensor: Tensor | None = None
    transposed: bool = False
    columns: slice | None = None
    first: int | None = None
    added: Tensor | None = None

    def read(self) -> Array:
        """Load the weight, for the product x W."""
        if self.tensor is None:
            return np.zeros(self.shape, np.float32)
        rows = None if self.first is None else range(self.first, self.first + self.shape[0])
        array: Array = self.tensor.read(rows)
        array = array.T if self.transposed else array
        array = array[..., self.columns] if self.columns is not None else array
        if self.added is not None:  # in float64, to avoid rounding
            array = array.astype(np.float64) + self.added.read([0]).astype(np.float64)
        return np.ascontiguousarray(array.reshape(self.shape))


@dataclass(frozen=True, slots=True)
class Plan:
    """The model that a checkpoint holds, before its weights are loaded.

    Attributes:
        model: the sheet of the whole model, without weights; its title is the family's name.
        d_model: length of an embedding.
        n_vocab: size of the vocabulary.
        n_positions: the longest sentence, in tokens; None if unlimited.
        window: sliding window: how many tokens a token attends to, itself included; None if unlimited.
        padding: id of the padding token that has no position, if there is one.
        embedding: the embedding table, n_vocab × d_model.
        unembedding: the output embedding of an untied decoder, n_vocab × d_model.
        outer: the weights outside the layers.
        layers: the weights of each layer.
        notes: remarks for the user, a sentence each.
    """

    model: Encoder | Decoder
    d_model: int
    n_vocab: int
    n_positions: int | None
    embedding: Tensor
    unembedding: Tensor | None
    outer: tuple[TensorPart, ...]
    layers: tuple[tuple[TensorPart, ...], ...]
    notes: tuple[str, ...] = ()
    window: int | None = None
    padding: int | None = None


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as text, for errors: 3 × 4."""
    return " × ".join(str(side) for side in shape) if shape else say("a single number")


def unembedding(
    parts: Parts, table: Tensor, name: str = "lm_head.weight", *, tied: bool
) -> tuple[Tensor | None, tuple[str, ...]]:
    """The output embedding of a decoder; None if it is tied to the embeddings. And notes about it.

    The tensor is outside the model: ``lm_head.weight`` next to ``model.norm.weight``. If the config ties it
    to the embeddings but its numbers differ, it is used, as in the transformers library.

    Raises:
        CheckpointError: the model is untied and has no such tensor.
    """
    outside = ""
    if parts.prefix:  # "decoder.model." → "decoder."
        outside = parts.prefix.removesuffix(parts.prefix.split(".")[-2] + ".")
    candidates = (Parts(parts.checkpoint, prefix, parts.used) for prefix in (outside, parts.prefix))
    owner = next((candidate for candidate in candidates if name and candidate.has(name)), None)
    if owner is None:
        if tied:
            return None, ()
        sentence = "lacks the tensor {name!r}, and the config does not tie it to the embeddings"
        raise parts.error(sentence, name=name)
    head = owner.check(name, *table.shape)
    if not tied:
        return head, ()
    if same_numbers(head, table):
        return None, (say("{name} is not imported: it equals the embedding table.", name=name),)
    note = say(
        "{name} is used: its numbers differ from the embeddings that the config ties it to.", name=name
    )
    return head, (note,)


def same_numbers(one: Tensor, other: Tensor) -> bool:
    """True if two tensors of the same shape are equal; compared in chunks of rows."""
    n = one.shape[0]
    chunks = (range(start, min(start + CHUNK_ROWS, n)) for start in range(0, n, CHUNK_ROWS))
    return all(np.array_equal(one.read(rows), other.read(rows)) for rows in chunks)
