"""Opens a checkpoint: its config, and its tensors by name and shape; numbers are loaded on demand."""

from __future__ import annotations

import re
import shlex
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
ADAPTED = re.compile(r"\.(lora_\w+|base_layer)\.")
"""Marks a tensor of an adapter, or of a layer that has one."""
QUANTIZED = re.compile(
    r"\.(qweight|qzeros|scales|g_idx|weight_scale(_inv)?|weight_packed|SCB|weight\.(absmax|quant_map|quant_state\..*))$"
)
"""Marks a tensor with the parameters of a quantization: GPTQ, AWQ, compressed tensors, FP8, bitsandbytes."""
ADAPTER, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
CONVERTED = {
    ".gguf": "GGUF",
    ".ggml": "GGML",
    ".onnx": "ONNX",
    ".h5": "HDF5",
    ".msgpack": "MessagePack",
    ".tflite": "TensorFlow Lite",
    ".keras": "Keras",
    ".mlmodel": "Core ML",
}
HUB_NAME = re.compile(r"(?:https?:/+huggingface\.co/)?([A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)", re.ASCII)
"""A model on Hugging Face: its name, mostly after its owner."""
SHARD = re.compile(r".*-\d{5}-of-\d{5}\.safetensors")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An open checkpoint.

    Attributes:
        path: the file that lists the tensors, for errors.
        folder: the folder of the config and the tokenizer.
        config: the settings.
        config_path: the file of the config.
        tensors: all tensors by name.
    """

    path: Path
    folder: Path
    config: Mapping[str, Any]
    config_path: Path
    tensors: Mapping[str, Tensor]

    def error(self, sentence: str, /, **values: object) -> CheckpointError:
        """An error about the whole checkpoint; arguments as for `say`."""
        return CheckpointError(say("{path}: {said}", path=self.path, said=say(sentence, **values)))

    def find(self, name: str) -> Tensor:
        """Get a tensor by name.

        Raises:
            CheckpointError: there is none.
        """
        if name in self.tensors:
            return self.tensors[name]
        near = nearest(name, self.tensors, 0.8)
        if near:
            raise self.error("lacks the tensor {name!r}; the nearest name is {near!r}", name=name, near=near)
        raise self.error("lacks the tensor {name!r}", name=name)


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a checkpoint: a folder, a .safetensors file, an index of shards, or an .npz.

    Raises:
        CheckpointError: it is not a checkpoint, is pickled, or truncated.
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
            sentence = "{path}: there is no such file, which is needed for the model's settings"
            raise CheckpointError(say(sentence, path=folder / CONFIGS[0]))
    except OSError as error:
        raise CheckpointError(say("{named}: cannot be read: {why}", named=path, why=reason(error))) from None
    if not tensors:
        raise CheckpointError(say("{path}: contains no tensors", path=file))
    if any(ADAPTED.search(name) for name in tensors):
        raise _adapter(file)
    if quantized := next((name for name in tensors if QUANTIZED.search(name)), None):
        sentence = "{path}: is quantized, as the tensor {name!r} shows: use the original checkpoint"
        raise CheckpointError(say(sentence, path=file, name=quantized))
    return Checkpoint(file, folder, config, config_path, tensors)


def _listing(path: Path) -> Path:
    """The file that lists the tensors."""
    if not path.exists():
        raise _missing(path)
    if path.is_dir():
        path = _in_folder(path)
    if path.name == ADAPTER:
        raise _adapter(path)
    if not path.is_file() and not path.is_dir():
        raise CheckpointError(say("{named}: this is not a file", named=path))  # reading a FIFO would block
    _refuse_shard(path)
    _refuse_converted(path)
    if path.suffix.lower() in PICKLED or (path.is_file() and _is_pickled(path)):
        sentence = (
            "{path}: is pickled, so loading it can run arbitrary code; if you trust it, convert it: {call}"
        )
        call = f"safetensors.torch.save_file(torch.load({path.name!r}, weights_only=True), {SINGLE!r})"
        raise CheckpointError(say(sentence, path=path, call=call))
    if path.is_dir() or not (
        path.suffix in (".safetensors", ".npz") or path.name.endswith(".safetensors.index.json")
    ):
        sentence = "{path}: is not a checkpoint; expected {single}, {index} or an .npz file"
        raise CheckpointError(say(sentence, path=path, single=SINGLE, index=INDEX))
    return path


def _in_folder(folder: Path) -> Path:
    """The file of a folder that lists the tensors, or that explains why there is none; else the folder."""
    files = [folder / name for name in (SINGLE, INDEX) if (folder / name).is_file()]
    files = files or sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.npz"))
    if _is_adapter(folder, files):
        raise _adapter(folder)
    if files and SHARD.fullmatch(files[0].name):
        sentence = "{path}: there is no such file, which lists the shards"
        raise CheckpointError(say(sentence, path=folder / INDEX))
    if len(files) > 1 and files[0].name != SINGLE:
        names = ", ".join(file.name for file in files[:5])
        sentence = "{path}: contains several checkpoints ({names}); give the path of one"
        raise CheckpointError(say(sentence, path=folder, names=names))
    return files[0] if files else _other_file(folder)


def _other_file(folder: Path) -> Path:
    """A file in a folder without a checkpoint that explains what it is; else the folder.

    Raises:
        CheckpointError: a subfolder contains a checkpoint.
    """
    inside = [file for pattern in ("*", "*/*", "*/*/*") for file in sorted(folder.glob(pattern))]
    for file in inside:
        if file.name in (SINGLE, INDEX):
            sentence = "{path}: is not a checkpoint, but contains one: give the path {inner}"
            raise CheckpointError(say(sentence, path=folder, inner=file.parent))
    suffixes = (*PICKLED, *CONVERTED)
    return next((file for file in inside if file.suffix.lower() in suffixes), folder)


def _refuse_shard(path: Path) -> None:
    """Reject one file of several that make a checkpoint together."""
    if SHARD.fullmatch(path.name):
        sentence = "{path}: is one of several files of a checkpoint: give the path of its folder"
        raise CheckpointError(say(sentence, path=path))


def _missing(path: Path) -> CheckpointError:
    """Error for a missing file; a path that looks like a Hugging Face model id gets a hint."""
    name = HUB_NAME.fullmatch(str(path))
    is_id = name is not None and (path.parent.name == "" or not path.parent.is_dir())
    if name and is_id and path.suffix.lower() not in (".safetensors", ".npz", *PICKLED, *CONVERTED):
        sentence = "{path}: there is no such folder; if it is a model on Hugging Face, download it: {call}"
        call = shlex.join(["hf", "download", name[1], "--local-dir", path.name])
        return CheckpointError(say(sentence, path=path, call=call))
    return CheckpointError(say("{path}: there is no such file or folder", path=path))


def _is_adapter(folder: Path, files: list[Path]) -> bool:
    """True if a folder holds an adapter (LoRA) without its base model."""
    has_adapter = (folder / ADAPTER_CONFIG).is_file() or any(file.name == ADAPTER for file in files)
    return has_adapter and not any((folder / name).is_file() for name in (SINGLE, INDEX))


def _adapter(path: Path) -> CheckpointError:
    sentence = "{path}: is an adapter (LoRA) or contains one; merge it into its base model first: {call}"
    call = "AutoPeftModel.from_pretrained(...).merge_and_unload().save_pretrained(...)"
    return CheckpointError(say(sentence, path=path, call=call))


def _refuse_converted(path: Path) -> None:
    """Reject formats that checkpoints are converted to for other programs."""
    form = CONVERTED.get(path.suffix.lower())
    if form is None:
        return
    sentence = "{path}: is {form}, converted from a checkpoint: use the original, with {single}"
    raise CheckpointError(say(sentence, path=path, form=form, single=SINGLE))


def _is_pickled(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(9)
    if start[:1] == b"\x80" and start[8:] != b"{":  # not the length of a safetensors header
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("data.pkl") for name in archive.namelist())
