"""Opens a checkpoint: its tensors by name and shape, and its config; numbers are read when asked for."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.language import say
from xlsxattn.suggestions import nearest
from xlsxattn.system_errors import reason
from xlsxattn.weights.archives import npz, safetensors, sharded
from xlsxattn.weights.tensor import CheckpointError, Tensor, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
CONFIGS = ("config.json", "params.json")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        path: the file that lists the tensors, for errors.
        folder: where config and tokenizer stand.
        config: the settings its makers wrote down.
        config_path: where they stand.
        tensors: all tensors by name.
    """

    path: Path
    folder: Path
    config: Mapping[str, Any]
    config_path: Path
    tensors: Mapping[str, Tensor]

    def error(self, sentence: str, /, **values: object) -> CheckpointError:
        """An error about the whole checkpoint; what it says, as `say` takes it."""
        return CheckpointError(say("{path}: {said}", path=self.path, said=say(sentence, **values)))

    def find(self, name: str) -> Tensor:
        """The tensor of a name.

        Raises:
            CheckpointError: it is lacking.
        """
        if name in self.tensors:
            return self.tensors[name]
        near = nearest(name, self.tensors, 0.8)
        if near:
            raise self.error(
                "lacks the tensor {name!r}; the nearest it has is {near!r}", name=name, near=near
            )
        raise self.error("lacks the tensor {name!r}", name=name)


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a checkpoint: a folder of one, its .safetensors, its index of shards, or an .npz.

    Raises:
        CheckpointError: it is none, is pickled, or truncated.
    """
    try:
        file = _listing(path)
        folder = file.parent
        if file.suffix == ".npz":
            tensors, inner = npz(file)
        elif file.suffix == ".json":
            tensors, inner = sharded(file), None
        else:
            tensors, inner = safetensors(file), None
        beside = next((folder / name for name in CONFIGS if (folder / name).is_file()), None)
        if inner is not None:
            config, config_path = inner, file
        elif beside is not None:
            config, config_path = read_json(beside), beside
        else:
            sentence = "{path}: there is no such file, and it says how the model works"
            raise CheckpointError(say(sentence, path=folder / CONFIGS[0]))
    except OSError as error:
        raise CheckpointError(say("{named}: cannot be read: {why}", named=path, why=reason(error))) from None
    if not tensors:
        raise CheckpointError(say("{path}: holds no tensors", path=file))
    return Checkpoint(file, folder, config, config_path, tensors)


def _listing(path: Path) -> Path:
    """The file that lists the tensors."""
    if not path.exists():
        raise CheckpointError(say("{path}: there is no such file or folder", path=path))
    if path.is_dir():
        found = [path / name for name in (SINGLE, INDEX) if (path / name).is_file()]
        found = found or sorted(path.glob("*.safetensors")) or sorted(path.glob("*.npz"))
        if len(found) > 1 and found[0].name != SINGLE:
            names = ", ".join(file.name for file in found[:5])
            sentence = "{path}: holds several checkpoints ({names}), name the one to take"
            raise CheckpointError(say(sentence, path=path, names=names))
        if found:
            return found[0]
        path = next((file for file in sorted(path.iterdir()) if file.suffix in PICKLED), path)
    if path.suffix in PICKLED or (path.is_file() and _is_pickled(path)):
        sentence = (
            "{path}: is pickled, and opening it can run any code hidden in it; where you trust it, convert "
            "it: {call}"
        )
        call = f"safetensors.torch.save_file(torch.load({path.name!r}, weights_only=True), {SINGLE!r})"
        raise CheckpointError(say(sentence, path=path, call=call))
    if path.is_dir() or not (
        path.suffix in (".safetensors", ".npz") or path.name.endswith(".safetensors.index.json")
    ):
        sentence = "{path}: is no checkpoint, {single}, {index} or an .npz is needed"
        raise CheckpointError(say(sentence, path=path, single=SINGLE, index=INDEX))
    return path


def _is_pickled(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(2)
    if start[:1] == b"\x80":
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("data.pkl") for name in archive.namelist())
