"""A run, a model file or the name of a published network → a Predictor. torch is imported only to make the latter's
file, once.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from limpide import __version__
from limpide.core.errors import ModelError, RunError, nearest
from limpide.core.run import Run
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.contract import CONTRACT
from limpide.deploy.predictor import Predictor
from limpide.system.files import cache_folder
from limpide.text.messages import N_, Message, message

# The same names as PRETRAINED in limpide/models, which cannot be imported without torch.
PUBLISHED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def is_published(name: str) -> bool:
    """Whether this names a network with published weights; a run or a file of that name comes first."""
    return name in PUBLISHED and not Path(name).exists()


def unfinished_warning(run: str) -> Message | None:
    """The warning that this run's model was not judged and may become better; None if there is nothing to warn of."""
    path = Path(run)
    if is_published(run) or path.is_file() or (info := load_run(run).info()).status == "finished":
        return None
    return message(
        N_(
            "this run is not finished and its model is not judged; limpide train {location} with the same "
            "options continues it"
        ),
        location=info.location,
    )


def load_predictor(run: str) -> Predictor:
    """`run` is a run directory, an exported .onnx file, or one of PUBLISHED, which knows the 1,000 classes of ImageNet.

    Raises RunError or ModelError.
    """
    if is_published(run):
        return _published(run)
    path = Path(run)
    return Predictor(path if path.is_file() else load_run(run).model_file)


def load_run(run: str) -> Run:
    """Open a run. Raises RunError if there is none, UsageError for the name of a network that was not trained yet."""
    try:
        return Run.open(run)
    except RunError:
        if not Path(run).exists() and "/" not in run:
            from limpide.models import MODELS

            if run in MODELS or nearest(run, PUBLISHED):
                from limpide.training.build import published_network

                published_network(run)  # raises the error that explains this name
        raise


def load_network(run: str) -> tuple[Any, Preprocessing]:
    """The network in memory, for inspection, and its preprocessing: of a run, or one of PUBLISHED."""
    from limpide.training.build import published_network
    from limpide.training.weights import trained_network

    return published_network(run) if is_published(run) else trained_network(load_run(run))


def _published(name: str) -> Predictor:
    """The Predictor of a published network, from its file in the cache, which is made the first time."""
    file = cache_folder() / "networks" / f"{name}-{__version__}.onnx"
    with contextlib.suppress(ModelError):  # not made yet, or damaged since
        if (predictor := Predictor(file)).contract == CONTRACT:
            return predictor

    from limpide.deploy.export import export
    from limpide.models import imagenet_classes
    from limpide.training.build import published_network

    model, preprocessing = published_network(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    export(model, preprocessing, imagenet_classes(), file, name=name)
    return Predictor(file)
