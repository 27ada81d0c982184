"""Takes tensors out of a checkpoint, each with the shape it must have, and notes which were taken."""

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


ROWS_AT_A_TIME = 4096


@dataclass(frozen=True, slots=True)
class Parts:
    """A checkpoint's tensors, whose names begin with ``prefix``.

    Attributes:
        checkpoint: what they are taken from.
        prefix: what stands before the names of the family, such as ``bert.``; often nothing.
        taken: the names that were asked for so far.
    """

    checkpoint: Checkpoint
    prefix: str
    taken: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        """Whether there is a tensor of a name."""
        return self.prefix + name in self.checkpoint.tensors

    def find(self, name: str) -> Tensor:
        """A tensor by its name in the family."""
        tensor = self.checkpoint.find(self.prefix + name)
        self.taken.add(tensor.name)
        return tensor

    def check(self, name: str, *shape: int) -> Tensor:
        """A tensor that has the shape that the config asks for.

        Raises:
            CheckpointError: it is lacking, or has another shape.
        """
        tensor = self.find(name)
        if tensor.shape != shape:
            sentence = "has the shape {found}, the config asks for {wanted}"
            raise tensor.error(sentence, found=spelled(tensor.shape), wanted=spelled(shape))
        return tensor

    def linear(self, name: str, tensor: str, rows: int, columns: int, *, turned: bool) -> TensorPart:
        """A weight matrix, rows × columns in a spec; ``turned``: the checkpoint keeps it as out × in."""
        shape = (columns, rows) if turned else (rows, columns)
        return TensorPart(name, (rows, columns), self.check(tensor, *shape), turned=turned)

    def row(self, name: str, tensor: str, columns: int) -> TensorPart:
        """A bias, γ or β: one row."""
        return TensorPart(name, (1, columns), self.check(tensor, columns))

    def error(self, sentence: str, /, **values: object) -> CheckpointError:
        """An error about the whole checkpoint; what it says, as `say` takes it."""
        return self.checkpoint.error(sentence, **values)


@dataclass(frozen=True, slots=True)
class TensorPart:
    """One weight to be: which tensor it is made of, and how; nothing is read before ``read``.

    Attributes:
        name: the weight's name in a spec, without the layer.
        shape: the weight's shape in a spec; a row of numbers is 1 × columns.
        tensor: what it is made of; without one, zeros.
        turned: the tensor is kept as out × in, a spec's weight is in × out.
        columns: the tensor's columns it is made of; without them, all.
        first: the tensor's row that is the weight's first.
        added: a tensor whose row 0 is added to every row.
    """

    name: str
    shape: tuple[int, int]
    tensor: Tensor | None = None
    turned: bool = False
    columns: slice | None = None
    first: int | None = None
    added: Tensor | None = None

    def read(self) -> Array:
        """The weight, to be multiplied from the right: x W."""
        if self.tensor is None:
            return np.zeros(self.shape, np.float32)
        rows = None if self.first is None else range(self.first, self.first + self.shape[0])
        array: Array = self.tensor.read(rows)
        array = array.T if self.turned else array
        array = array[..., self.columns] if self.columns is not None else array
        if self.added is not None:  # in float64, so that nothing is rounded
            array = array.astype(np.float64) + self.added.read([0]).astype(np.float64)
        return np.ascontiguousarray(array.reshape(self.shape))


@dataclass(frozen=True, slots=True)
class Plan:
    """A checkpoint understood, before any number of it is read.

    Attributes:
        model: the model's sheet, whole and still without weights; its title names the family.
        d_model: length of an embedding.
        n_vocab: tokens that the model knows.
        n_positions: the longest sentence, in tokens; none where the model has no limit.
        window: how far back a token looks, itself included; none where it looks at all before it.
        padding: the number of a token that is not counted among the positions, where there is one.
        embedding: the table of embeddings, n_vocab × d_model.
        unembedding: the same of an untied decoder's last step, n_vocab × d_model.
        outer: the weights outside the layers.
        layers: each layer's weights.
        notes: what a person should know, a sentence each.
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


def spelled(shape: tuple[int, ...]) -> str:
    """A shape as an error's sentence says it."""
    return " × ".join(str(side) for side in shape) if shape else say("a single number")


def unembedding(
    parts: Parts, table: Tensor, name: str = "lm_head.weight", *, tied: bool
) -> tuple[Tensor | None, tuple[str, ...]]:
    """The table that turns a decoder's outputs into logits, where it is not the embeddings' own.

    It stands beside the model, not inside: ``lm_head.weight`` beside ``model.norm.weight``. Where the config
    ties it to the embeddings and it holds other numbers, it counts, as in the transformers library.

    Raises:
        CheckpointError: the model is not tied and has none.
    """
    outside = parts.prefix.removesuffix(parts.prefix.split(".")[-2] + ".") if parts.prefix else ""
    places = (Parts(parts.checkpoint, prefix, parts.taken) for prefix in (outside, parts.prefix))
    found = next((place for place in places if name and place.has(name)), None)
    if found is None:
        if tied:
            return None, ()
        sentence = "lacks the tensor {name!r}, and the config does not tie it to the embeddings"
        raise parts.error(sentence, name=name)
    head = found.check(name, *table.shape)
    if not tied:
        return head, ()
    if same_numbers(head, table):
        return None, (say("{name} is left out: it is the table of the embeddings.", name=name),)
    note = say("{name} counts: the config ties it to the embeddings, and it holds other numbers.", name=name)
    return head, (note,)


def same_numbers(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of one shape hold the same numbers; some rows at a time are read."""
    n = one.shape[0]
    parts = (range(start, min(start + ROWS_AT_A_TIME, n)) for start in range(0, n, ROWS_AT_A_TIME))
    return all(np.array_equal(one.read(rows), other.read(rows)) for rows in parts)
