"""Lists the tensors of .safetensors files, shards and .npz files; reads only their headers.

The safetensors library is not used, since it does not load bfloat16 into NumPy, nor name the missing tensor
of a truncated file. The format: the length of the header (8 bytes), the header in JSON, the data
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
MIN_HEADER_LENGTH, MAX_HEADER_LENGTH = len("{}"), 20_000_000
"""Limits of a header in bytes; as text of empty lists, 20 MB of JSON already take 0.5 GB of memory."""
LENGTH_SIZE = 8
"""Bytes of the field that holds the header's length."""
MAX_SIDES, MAX_SIZE = 8, 2**63 - 1
"""Of a tensor's shape; products of many large sides would take minutes."""
MAX_SMALL, MAX_SHRINKING = 50_000_000, 20
"""Any member may unpack to this many bytes; a larger one to at most 20 times its packed size."""
_NPZ_TYPES = {"f8": "F64", "f4": "F32", "f2": "F16"}


# --- safetensors -------------------------------------------------------------------------------------------


def safetensors(path: Path) -> dict[str, Tensor]:
    """List the tensors of a file; check that they lie within it and do not overlap."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_SIZE), "little")
        if MAX_HEADER_LENGTH < length <= size - LENGTH_SIZE:
            sentence = "{path}: its header has {n:,} bytes; at most {most:,} are allowed"
            raise CheckpointError(say(sentence, path=path, n=length, most=MAX_HEADER_LENGTH))
        if not MIN_HEADER_LENGTH <= length <= size - LENGTH_SIZE:
            sentence = "{path}: is not a .safetensors file, or its header is truncated"
            raise CheckpointError(say(sentence, path=path))
        header = parse_json(file.read(length), say("{path}: its header", path=path))
    header.pop("__metadata__", None)
    tensors, ends = {}, {}
    for name, entry in header.items():
        tensors[name], ends[name] = _entry(path, name, entry, 8 + length, size)
    end, previous = 8 + length, ""
    for name in sorted(tensors, key=lambda name: tensors[name].start or 0):
        start = tensors[name].start or 0
        if start < end and ends[name] > start:
            raise tensors[name].error("overlaps {before!r}: the header is corrupt", before=previous)
        end, previous = max(end, ends[name]), name
    return tensors


def _entry(path: Path, name: str, entry: object, origin: int, size: int) -> tuple[Tensor, int]:
    """A tensor of the header, and the byte where its data end; checked against the file's size."""
    try:
        dtype, shape = entry["dtype"], tuple(entry["shape"])  # type: ignore[index]
        start, end = entry["data_offsets"]  # type: ignore[index]
        valid = len(shape) <= MAX_SIDES and isinstance(dtype, str)
        valid = valid and all(type(i) is int and 0 <= i <= MAX_SIZE for i in (*shape, start, end))
    except (KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        sentence = "{path}: the tensor {name!r} has no valid dtype, shape and data_offsets in the header"
        raise CheckpointError(say(sentence, path=path, name=name))
    tensor = Tensor(name, dtype, shape, path, origin + start)
    if end < start or (dtype in BYTES and end - start != math.prod(shape) * BYTES[dtype]):
        sides = " × ".join(map(str, shape)) or "1"
        sentence = "has {n} bytes, which does not match {sides} numbers of the type {dtype}"
        raise tensor.error(sentence, n=end - start, sides=sides, dtype=dtype)
    if origin + end > size:
        sentence = "is truncated: it ends at byte {end:,}, but the file has {size:,} bytes"
        raise tensor.error(sentence, end=origin + end, size=size)
    return tensor, origin + end


def sharded(path: Path) -> dict[str, Tensor]:
    """List the tensors of all files named by an index."""
    listed = read_json(path).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(file, str) for file in listed.values()):
        sentence = "{path}: weight_map: expected a table of tensor names and files"
        raise CheckpointError(say(sentence, path=path))
    shards = {}
    for file in sorted(set(listed.values())):
        shard = path.parent / file
        if shard.parent != path.parent or not shard.is_file():
            sentence = "{path}: weight_map: names the file {file!r}, which is not in the same folder"
            raise CheckpointError(say(sentence, path=path, file=file))
        shards[file] = safetensors(shard)
    for name, file in listed.items():
        if name not in shards[file]:
            sentence = "{path}: lacks the tensor {name!r}, which {index} lists"
            raise CheckpointError(say(sentence, path=path.parent / file, name=name, index=path.name))
    for file, tensors in shards.items():  # other programs may read what is not listed
        if extra := next((name for name in tensors if listed.get(name) != file), None):
            raise tensors[extra].error("is not listed in {index} for this file", index=path.name)
    return {name: shards[file][name] for name, file in listed.items()}


# --- npz ---------------------------------------------------------------------------------------------------


def npz(path: Path) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    """List the tensors of an .npz by their headers, and read its config if it contains one."""
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
                        raise tensors[name].error("occurs twice")
                    else:
                        tensors[name] = _npy(path, name, file, member.file_size)
    except CheckpointError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        unreadable = "{path}: the tensor {name!r} cannot be read: {why}"
        sentence = unreadable if name else "{path}: is not an .npz file, or is truncated: {why}"
        raise CheckpointError(say(sentence, path=path, name=name, why=reason(error))) from None
    return tensors, config


def _check_member(path: Path, name: str, member: zipfile.ZipInfo) -> None:
    """Reject a zip bomb: a member much larger unpacked than packed, as weights hardly compress."""
    if member.file_size > MAX_SMALL and member.file_size > MAX_SHRINKING * member.compress_size:
        sentence = "{path}: the tensor {name!r} unpacks from {packed:,} bytes to {n:,}, too many for weights"
        values = {"path": path, "name": name, "packed": member.compress_size, "n": member.file_size}
        raise CheckpointError(say(sentence, **values))
    if name == INNER_CONFIG and member.file_size > MAX_JSON_LENGTH:
        sentence = "{path}: has more than {most:,} bytes, too many for such a file"
        raise CheckpointError(say(sentence, path=f"{path}: {name}", most=MAX_JSON_LENGTH))


def _npy(path: Path, name: str, file: IO[bytes], size: int) -> Tensor:
    """Read the header of an array, and check it against the member's size."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        sentence = (
            "{path}: the array {name!r} contains pickled objects, which can run code; save it as numbers"
        )
        raise CheckpointError(say(sentence, path=path, name=name))
    tensor = Tensor(name, _NPZ_TYPES.get(dtype.str[1:], str(dtype)), tuple(shape), path, None)
    if (length := size - file.tell()) != math.prod(shape) * dtype.itemsize:
        sides = " × ".join(map(str, shape)) or "1"
        sentence = "has {n} bytes, which does not match {sides} numbers of the type {dtype}"
        raise tensor.error(sentence, n=length, sides=sides, dtype=tensor.dtype)
    return tensor
