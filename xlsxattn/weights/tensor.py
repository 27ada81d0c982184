"""One tensor of a checkpoint: where its numbers stand, read when they are asked for."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.builder.specification import SpecError
from xlsxattn.language import say
from xlsxattn.system_errors import not_json, reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MAX_JSON_LENGTH = 200_000_000


class CheckpointError(SpecError):
    """A checkpoint that no workbook can be made of; its text is the sentence a person reads."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where one tensor's numbers stand: from byte ``start`` of a .safetensors, or, by name, in an .npz."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int | None

    def error(self, sentence: str, /, **values: object) -> CheckpointError:
        """An error about this tensor; what it says, as `say` takes it."""
        said = say(sentence, **values)
        return CheckpointError(
            say("{file}: the tensor {name!r} {said}", file=self.file, name=self.name, said=said)
        )

    def read(self, rows: Sequence[int] | None = None) -> NDArray[Any]:
        """The numbers, or those of some rows: float64 where they are stored so, else float32.

        Raises:
            CheckpointError: they are no floating-point numbers, not finite, or not all there.
        """
        if self.dtype not in FLOATS:
            raise self.error(
                "holds numbers of the type {found}, one of {known} is needed",
                found=self.dtype,
                known=", ".join(FLOATS),
            )
        stored = self._from_npz() if self.start is None else self._from_safetensors(self.start)
        stored = np.asarray(stored if rows is None else stored[np.asarray(rows, dtype=np.intp)])
        if self.dtype == "BF16":  # the upper half of a float32
            stored = (stored.astype("<u4") << 16).view("<f4")
        array = stored if stored.dtype == np.float64 else stored.astype(np.float32)
        wrong = ~np.isfinite(array)
        if wrong.any():
            at = np.argwhere(wrong)[0].tolist()
            at = at if rows is None else [int(rows[at[0]]), *at[1:]]
            raise self.error(
                "holds NaN or infinite numbers ({n}, the first at {at}); finite numbers are needed",
                n=np.count_nonzero(wrong),
                at=at,
            )
        return array

    def _from_safetensors(self, start: int) -> NDArray[Any]:
        if not math.prod(self.shape):
            raise self.error("is empty")
        try:
            return np.memmap(self.file, FLOATS[self.dtype], "r", start, self.shape)
        except (ValueError, OSError) as error:
            raise self.error("cannot be read: {why}", why=reason(error)) from None

    def _from_npz(self) -> NDArray[Any]:
        try:
            with np.load(self.file, allow_pickle=False) as arrays:
                return np.asarray(arrays[self.name])
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise self.error("cannot be read: {why}", why=reason(error)) from None


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        CheckpointError: it holds none.
    """
    return parse_json(_bounded(path), str(path))


def read_json_list(path: Path) -> list[Any]:
    """The list that a JSON file holds.

    Raises:
        CheckpointError: it holds none.
    """
    found = _parsed(_bounded(path), str(path))
    if not isinstance(found, list):
        raise CheckpointError(say("{named}: a JSON list is needed", named=path))
    return found


def parse_json(text: bytes | str, named: str) -> dict[str, Any]:
    """The object that a JSON text holds; ``named`` begins an error's sentence."""
    found = _parsed(text, named)
    if not isinstance(found, dict):
        raise CheckpointError(say("{named}: a JSON object is needed", named=named))
    return found


def _bounded(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_JSON_LENGTH:
            sentence = "{path}: is longer than {most:,} bytes, which no such file needs to be"
            raise CheckpointError(say(sentence, path=path, most=MAX_JSON_LENGTH))
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(say("{named}: cannot be read: {why}", named=path, why=reason(error))) from None


def _parsed(text: bytes | str, named: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise CheckpointError(
            say("{named}: its lists or tables are nested too deeply", named=named)
        ) from None
    except ValueError as error:
        raise CheckpointError(say("{named}: not JSON: {why}", named=named, why=not_json(error))) from None
