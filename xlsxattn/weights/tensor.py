"""A tensor of a checkpoint, whose numbers are loaded on demand."""

from __future__ import annotations

import json
import math
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.builder.specification import SpecError
from xlsxattn.builder.specification.table import show
from xlsxattn.language import say
from xlsxattn.system_errors import not_json, reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MAX_JSON_LENGTH = 50_000_000
"""Limit of a JSON file in bytes; the largest tokenizers have about 35 MB."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""Half of a surrogate pair in a JSON text."""


class CheckpointError(SpecError):
    """A checkpoint cannot be imported; the text is a message for the user."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Location of a tensor: from byte ``start`` of a .safetensors file, or by name in an .npz."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int | None

    def error(self, sentence: str, /, **values: object) -> CheckpointError:
        """An error about this tensor; arguments as for `say`."""
        text = say(sentence, **values)
        return CheckpointError(
            say("{file}: the tensor {name!r} {said}", file=self.file, name=self.name, said=text)
        )

    def read(self, rows: Sequence[int] | None = None) -> NDArray[Any]:
        """Load all numbers, or some rows, as float64 if they are stored as such, else as float32.

        Raises:
            CheckpointError: they are not floating-point numbers, not finite, or incomplete.
        """
        if self.dtype not in FLOATS:
            sentence = (
                "holds numbers of the type {found}, expected one of {known}: if the checkpoint is "
                "quantized, use the original"
            )
            raise self.error(sentence, found=self.dtype, known=", ".join(FLOATS))
        stored = self._from_npz() if self.start is None else self._from_safetensors(self.start)
        stored = np.asarray(stored if rows is None else stored[np.asarray(rows, dtype=np.intp)])
        if self.dtype == "BF16":  # the upper half of a float32
            stored = (stored.astype("<u4") << 16).view("<f4")
        array = stored if stored.dtype == np.float64 else stored.astype(np.float32)
        wrong = ~np.isfinite(array)
        if wrong.any():
            first = np.argwhere(wrong)[0].tolist()
            first = first if rows is None else [int(rows[first[0]]), *first[1:]]
            sentence = "holds NaN or infinite numbers ({n}, the first at {at}); expected finite numbers"
            raise self.error(sentence, n=np.count_nonzero(wrong), at=first)
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
    """Read a JSON file that holds an object.

    Raises:
        CheckpointError: it holds something else.
    """
    return parse_json(_bounded(path), str(path))


def read_json_list(path: Path) -> list[Any]:
    """Read a JSON file that holds a list.

    Raises:
        CheckpointError: it holds something else.
    """
    parsed = _parsed(_bounded(path), str(path))
    if not isinstance(parsed, list):
        raise CheckpointError(say("{named}: expected a JSON list", named=path))
    return parsed


def parse_json(text: bytes | str, named: str) -> dict[str, Any]:
    """Parse a JSON text that holds an object; ``named`` is the beginning of error messages."""
    parsed = _parsed(text, named)
    if not isinstance(parsed, dict):
        raise CheckpointError(say("{named}: expected a JSON object", named=named))
    return parsed


def _bounded(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_JSON_LENGTH:
            sentence = "{path}: has more than {most:,} bytes, too many for such a file"
            raise CheckpointError(say(sentence, path=path, most=MAX_JSON_LENGTH))
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(say("{named}: cannot be read: {why}", named=path, why=reason(error))) from None


def _parsed(text: bytes | str, named: str) -> object:
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        parsed = json.loads(text, object_pairs_hook=_unique)
        if _SURROGATE.search(text):
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise CheckpointError(
            say("{named}: its lists or tables are nested too deeply", named=named)
        ) from None
    except UnicodeEncodeError as error:
        sentence = "{named}: contains an unpaired surrogate ({found}), which is not valid Unicode"
        found = ascii(error.object[error.start])
        raise CheckpointError(say(sentence, named=named, found=found)) from None
    except UnicodeDecodeError as error:
        sentence = "{named}: byte {start} is not UTF-8: save the file in that encoding"
        raise CheckpointError(say(sentence, named=named, start=error.start)) from None
    except json.JSONDecodeError as error:
        raise CheckpointError(say("{named}: not JSON: {why}", named=named, why=not_json(error))) from None
    except ValueError:  # limit of int()
        sentence = "{named}: contains a number of more than 4,300 digits"
        raise CheckpointError(say(sentence, named=named)) from None
    except KeyError as error:
        sentence = "{named}: has the key {key} twice"
        raise CheckpointError(say(sentence, named=named, key=show(error.args[0]))) from None
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are distinct; a repeated one would be read differently by other programs.

    Raises:
        KeyError: a key is repeated.
    """
    table = dict(pairs)
    if len(table) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise KeyError(counts.most_common(1)[0][0])
    return table
