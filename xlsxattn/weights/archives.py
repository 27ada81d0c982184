"""Lists the tensors of .safetensors files, of their shards, and of .npz files, by their headers alone.

Safetensors are read here and not by their library: it gives NumPy no bfloat16, and does not name the tensor
that a truncated file lacks. The format: eight bytes of length, a header in JSON, the numbers
(github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from xlsxattn.language import say
from xlsxattn.system_errors import reason
from xlsxattn.weights.tensor import BYTES, MAX_JSON_LENGTH, CheckpointError, Tensor, parse_json, read_json

if TYPE_CHECKING:
    from pathlib import Path

INNER_CONFIG = "__config__"
MIN_HEADER_LENGTH, MAX_HEADER_LENGTH = len("{}"), 100_000_000
LENGTH_SIZE = 8
"""Bytes before the header that say how long it is."""
MAX_SMALL, MAX_SHRINKING = 50_000_000, 20
"""Bytes that any member may unpack to, and how many times its packed size a larger one may have."""
_NPZ_TYPES = {"f8": "F64", "f4": "F32", "f2": "F16"}


# --- safetensors -------------------------------------------------------------------------------------------


def safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of one file, each found to lie within it and to overlap no other."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_SIZE), "little")
        if not MIN_HEADER_LENGTH <= length <= min(size - LENGTH_SIZE, MAX_HEADER_LENGTH):
            sentence = "{path}: is no .safetensors file, or its header is cut short"
            raise CheckpointError(say(sentence, path=path))
        header = parse_json(file.read(length), say("{path}: its header", path=path))
    header.pop("__metadata__", None)
    tensors, ends = {}, {}
    for name, entry in header.items():
        tensors[name], ends[name] = _entry(path, name, entry, 8 + length, size)
    reached, before = 8 + length, ""
    for name in sorted(tensors, key=lambda name: tensors[name].start or 0):
        if (tensors[name].start or 0) < reached and ends[name] > (tensors[name].start or 0):
            raise tensors[name].error("overlaps {before!r}: the header is corrupt", before=before)
        reached, before = max(reached, ends[name]), name
    return tensors


def _entry(path: Path, name: str, entry: object, origin: int, size: int) -> tuple[Tensor, int]:
    """One tensor of a header, its numbers' end found to lie within the file."""
    try:
        dtype, shape = entry["dtype"], tuple(entry["shape"])  # type: ignore[index]
        start, end = entry["data_offsets"]  # type: ignore[index]
        sound = all(type(i) is int and i >= 0 for i in (*shape, start, end)) and isinstance(dtype, str)
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        sentence = "{path}: the tensor {name!r} has no sound dtype, shape and data_offsets in the header"
        raise CheckpointError(say(sentence, path=path, name=name))
    tensor = Tensor(name, dtype, shape, path, origin + start)
    if end < start or (dtype in BYTES and end - start != math.prod(shape) * BYTES[dtype]):
        sides = " × ".join(map(str, shape)) or "1"
        raise tensor.error(
            "has {n} bytes, which does not fit {sides} numbers of the type {dtype}",
            n=end - start,
            sides=sides,
            dtype=dtype,
        )
    if origin + end > size:
        raise tensor.error(
            "is truncated: it ends at byte {end:,}, and the file has {size:,}", end=origin + end, size=size
        )
    return tensor, origin + end


def sharded(path: Path) -> dict[str, Tensor]:
    """The tensors of all the files that an index names."""
    listed = read_json(path).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(file, str) for file in listed.values()):
        sentence = "{path}: weight_map: a table of tensors' names and their files is needed"
        raise CheckpointError(say(sentence, path=path))
    shards = {}
    for file in sorted(set(listed.values())):
        shard = path.parent / file
        if shard.parent != path.parent or not shard.is_file():
            sentence = "{path}: weight_map: names the file {file!r}, which does not stand beside it"
            raise CheckpointError(say(sentence, path=path, file=file))
        shards[file] = safetensors(shard)
    for name, file in listed.items():
        if name not in shards[file]:
            sentence = "{path}: lacks the tensor {name!r}, which {index} says it holds"
            raise CheckpointError(say(sentence, path=path.parent / file, name=name, index=path.name))
    return {name: shards[file][name] for name, file in listed.items()}


# --- npz ---------------------------------------------------------------------------------------------------


def npz(path: Path) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    """The tensors of an .npz by their headers alone, and the config where it keeps one inside."""
    tensors: dict[str, Tensor] = {}
    config, name = None, ""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                _check_member(path, name, member)
                with archive.open(member) as file:
                    if name == INNER_CONFIG:
                        text = np.load(io.BytesIO(file.read()), allow_pickle=False)
                        config = parse_json(str(text), say("{path}: {said}", path=path, said=name))
                    elif name in tensors:
                        raise tensors[name].error("stands twice")
                    else:
                        tensors[name] = _npy(path, name, file, member.file_size)
    except CheckpointError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        unread = "{path}: the tensor {name!r} cannot be read: {why}"
        sentence = unread if name else "{path}: is no .npz file, or is cut short: {why}"
        raise CheckpointError(say(sentence, path=path, name=name, why=reason(error))) from None
    return tensors, config


def _check_member(path: Path, name: str, member: zipfile.ZipInfo) -> None:
    """Refuse what unpacks to far more than it is packed in: weights hardly shrink."""
    if member.file_size > MAX_SMALL and member.file_size > MAX_SHRINKING * member.compress_size:
        sentence = "{path}: the tensor {name!r} unpacks from {packed:,} bytes to {n:,}, which no weights do"
        said = say(sentence, path=path, name=name, packed=member.compress_size, n=member.file_size)
        raise CheckpointError(said)
    if name == INNER_CONFIG and member.file_size > MAX_JSON_LENGTH:
        sentence = "{path}: is longer than {most:,} bytes, which no such file needs to be"
        raise CheckpointError(say(sentence, path=f"{path}: {name}", most=MAX_JSON_LENGTH))


def _npy(path: Path, name: str, file: IO[bytes], size: int) -> Tensor:
    """One array's header; what it announces must be there."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        sentence = (
            "{path}: the array {name!r} holds Python objects, which are pickled and can run code; "
            "save it as numbers"
        )
        raise CheckpointError(say(sentence, path=path, name=name))
    tensor = Tensor(name, _NPZ_TYPES.get(dtype.str[1:], str(dtype)), tuple(shape), path, None)
    if (found := size - file.tell()) != math.prod(shape) * dtype.itemsize:
        sides = " × ".join(map(str, shape)) or "1"
        raise tensor.error(
            "has {n} bytes, which does not fit {sides} numbers of the type {dtype}",
            n=found,
            sides=sides,
            dtype=tensor.dtype,
        )
    return tensor
