"""Where weights come from: the package that carries them (efficientnet.py), a file, a run of your own, the Hugging Face
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
        raise ModelError("L418", N_("there are no weights here"), where=source, todo=todo)
    return file


def load_into(model: nn.Module, source: str) -> None:
    """Gives every layer but the last, `head`, the weights of `source`. Raises ModelError when they are of another
    network.
    """
    found = read_weights(weights_file(source), source)
    own = model.state_dict()
    wanted = {name for name in own if not name.startswith("head.")}
    strange = [
        *sorted(wanted - found.keys()),
        *sorted(name for name in found.keys() - own.keys() if not name.startswith("head.")),
    ]
    if strange:
        raise ModelError(
            "L419",
            N_("these weights are of another network: {name} is in only one of the two"),
            where=source,
            todo=N_("name the network with --model"),
            name=strange[0],
        )
    for name in sorted(wanted):
        if own[name].shape != found[name].shape:
            raise ModelError(
                "L420",
                N_("in these weights {name} has the shape {came}, in the network {expected}"),
                where=source,
                todo=N_("weights for other classes or channels need the same layers: see limpide models"),
                name=name,
                came=str(tuple(found[name].shape)),
                expected=str(tuple(own[name].shape)),
            )
    model.load_state_dict({name: found[name] if name in wanted else value for name, value in own.items()})


def read_weights(file: Path, source: str) -> dict[str, Tensor]:
    """Raises ModelError for what is no file of safetensors."""
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            "L421",
            N_("this is no file of safetensors"),
            where=source,
            todo=N_("save the weights with safetensors.torch.save_file: pickles are not opened"),
        ) from error


def _from_hub(source: str) -> Path:
    owner, _, rest = source.removeprefix(HUB).partition("/")
    name, _, file = rest.partition("/")
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ModelError(
            "L422",
            N_("the Hugging Face hub needs a package that is not installed"),
            where=source,
            todo="pip install huggingface_hub",
        ) from error
    if not (owner and name and file.endswith(".safetensors")):
        raise ModelError(
            "L423",
            N_("this names no file on the Hugging Face hub"),
            where=source,
            todo=N_("write hf:owner/name/file.safetensors"),
        )
    try:
        return Path(hub.hf_hub_download(f"{owner}/{name}", file))
    except Exception as error:  # huggingface_hub raises many kinds, and those of its own http library
        raise ModelError(
            "L424",
            N_("the weights could not be fetched from the Hugging Face hub"),
            where=f"{source} ({type(error).__name__})",
            todo=N_("see whether the name is right and the internet is there"),
        ) from error
