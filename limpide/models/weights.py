"""Sources of weights: the package that contains them (efficientnet.py), a file, a run of the user, the Hugging Face
hub.

Only safetensors are read: a .pth is a pickle, which could do anything when it is opened.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from limpide.core.errors import ModelError
from limpide.text.messages import N_

HUB = "hf:"  # hf:owner/name/file.safetensors


def weights_file(source: str) -> Path:
    """The file behind `source`: FILE.safetensors, the folder of a run, or hf:owner/name/file. Raises ModelError.

    Only a name that begins with hf: is downloaded, once, into the cache of huggingface_hub.
    """
    if source.startswith(HUB):
        return _from_hub(source)
    path = Path(source)
    file = path / "snapshots" / "best.safetensors" if path.is_dir() else path
    if not file.is_file():
        todo = N_("name a .safetensors file, the folder of a finished run, or hf:owner/name/file")
        raise ModelError("L418", where=source, todo=todo)
    return file


def load_into(model: nn.Module, source: str) -> None:
    """Load the weights of `source` into every layer but the last, `head`. Raises ModelError if they belong to another
    network.
    """
    weights = read_weights(weights_file(source), source)
    state = model.state_dict()
    body = {name for name in state if not name.startswith("head.")}
    strange = [
        *sorted(body - weights.keys()),
        *sorted(name for name in weights.keys() - state.keys() if not name.startswith("head.")),
    ]
    if strange:
        raise ModelError("L419", where=source, name=strange[0])
    for name in sorted(body):
        if state[name].shape != weights[name].shape:
            raise ModelError(
                "L420",
                where=source,
                name=name,
                came=str(tuple(weights[name].shape)),
                expected=str(tuple(state[name].shape)),
            )
    model.load_state_dict({name: weights[name] if name in body else value for name, value in state.items()})


def read_weights(file: Path, source: str) -> dict[str, Tensor]:
    """The weights in a file. Raises ModelError if it is not a safetensors file."""
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise ModelError("L421", where=source) from error


def _from_hub(source: str) -> Path:
    owner, _, rest = source.removeprefix(HUB).partition("/")
    name, _, file = rest.partition("/")
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ModelError("L422", where=source) from error
    if not (owner and name and file.endswith(".safetensors")):
        raise ModelError("L423", where=source)
    try:
        return Path(hub.hf_hub_download(f"{owner}/{name}", file))
    except Exception as error:  # huggingface_hub raises many kinds, including those of its http library
        raise ModelError("L424", where=f"{source} ({type(error).__name__})") from error
