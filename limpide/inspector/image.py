"""Questions about one image: what the network says, where it may have found it, and what it says of the
image changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.inspector.many_images import affordable, features_of_images
from limpide.inspector.session import Answer, Session, compare_probabilities, npy, png
from limpide.text.messages import N_, message


def predictions(looker: Session, path: str, snapshot: str) -> Answer:
    """What the network says of every probe: probabilities (n, classes)."""
    import torch

    network, preprocessing, classes = looker.network(path, snapshot)
    kept = looker.probes(path)
    squares = np.stack([looker.square(path, preprocessing, {"probe": k}) for k in range(len(kept["squares"]))])
    with torch.inference_mode():
        t = looker.temperature(path, snapshot)
        found = torch.cat(
            [
                (network(looker.batch(preprocessing, squares[k : k + 8])).float() / t).softmax(1)
                for k in range(0, len(squares), 8)
            ]
        )
    best = found.argmax(1)
    return {
        "predicted": best.tolist(),
        "probability": found.amax(1).tolist(),
        "truth": kept["truth"].tolist(),
        "classes": classes,
    }, b""


def prediction(looker: Session, path: str, snapshot: str, image: dict[str, Any]) -> Answer:
    """The five likeliest classes. Of the final model with its calibrated confidence; of weights along the way as they
    are.
    """
    _, seen, preprocessing, classes = looker.trace(path, snapshot, image)
    t = looker.temperature(path, snapshot)
    row = (seen.output[0].double() / t).softmax(0)
    order = row.argsort(descending=True)[:5].tolist()
    truth, file = _known(looker, path, image, classes)
    return {
        "top": [{"class": classes[k], "index": k, "probability": float(row[k])} for k in order],
        "calibrated": t != 1.0 and not any(image.get(name) for name in ("noise", "turn", "mirror")),
        "changed": any(image.get(name) for name in ("noise", "turn", "mirror")),
        "clipped": looker.is_clipped(preprocessing, image),
        "truth": truth,
        "file": file,
    }, b""


def _known(looker: Session, path: str, image: dict[str, Any], classes: list[str]) -> tuple[str | None, str | None]:
    """(class, file) of an image of the run."""
    if "row" in image:
        album = looker.album(path)
        label = album.labels[image["row"]]
        return label if label in classes else None, album.files[image["row"]]
    if "probe" in image:
        kept = looker.probes(path)
        truth = int(kept["truth"][image["probe"]])  # negative: nobody said
        return classes[truth] if truth >= 0 else None, bytes(kept["files"][image["probe"]]).decode(
            "utf-8", "surrogateescape"
        )
    return None, None


def neighbors(looker: Session, path: str, snapshot: str, image: dict[str, Any], most: int = 8) -> Answer:
    """The training images that the network takes for most alike: cosine of the features before its last layer."""
    from limpide.explanation.nearest_images import nearest_rows
    from limpide.interpret.embedding import features_of

    network, seen, _, classes = looker.trace(path, snapshot, image)
    album = looker.album(path)
    found = features_of_images(looker, path, snapshot, album.some(affordable(looker, path, snapshot), album.learned))
    one = features_of(network, seen.image)[0][0].numpy()
    own = album.row_of.get(_known(looker, path, image, classes)[1] or "", -1)  # the image itself is no neighbour
    top = nearest_rows(found.features, found.rows, one, own, most)
    return {
        "top": [
            {
                "row": int(found.rows[k]),
                "file": album.files[found.rows[k]],
                "label": album.labels[found.rows[k]],
                "cosine": alike,
            }
            for k, alike in top
        ],
        "compared": len(found.rows),
        "of": len(album.rows(album.learned)),
        "learned": bool(album.learned),
    }, b""


def saliency(looker: Session, path: str, snapshot: str, image: dict[str, Any], method: str, label: int) -> Answer:
    """A map float32 (height, width), at once: whether it may be believed is a question of its own, which takes longer.

    A network without maps has a finding that says so in place of its Grad-CAM.
    """
    from limpide.explanation.saliency_evidence import nothing_to_weigh

    plane = _map(looker, path, snapshot, image, method, label)
    return ({"finding": nothing_to_weigh(method).to_json()}, b"") if plane is None else ({}, npy(plane))


def sanity(looker: Session, path: str, snapshot: str, image: dict[str, Any], method: str, label: int) -> Answer:
    """Whether this map may be believed."""
    from limpide.explanation.saliency_evidence import badge_of, nothing_to_weigh, usual_of
    from limpide.interpret.saliency import COST
    from limpide.interpret.saliency_checks import COST as OF_BADGE
    from limpide.interpret.saliency_checks import COST_USUAL

    plane = _map(looker, path, snapshot, image, method, label)
    if plane is None:
        return {"finding": nothing_to_weigh(method).to_json()}, b""
    network, seen, _, _ = looker.trace(path, snapshot, image)
    at = (*looker.trace_key(path, snapshot, image), label)
    with looker.counting(COST_USUAL + COST[method] + OF_BADGE, unit="passes"):
        # what the four maps are compared with
        beside = looker.once(("usual", *at), lambda: usual_of(network, seen.image, label))
        looker.done = COST_USUAL
        found = looker.once(
            ("sanity", *at, method), lambda: badge_of(network, seen.image, label, method, plane, beside)
        )
    return {"finding": found.to_json()}, b""


def _map(
    looker: Session, path: str, snapshot: str, image: dict[str, Any], method: str, label: int
) -> np.ndarray | None:
    """Raises LookupError for a method or a class that does not exist."""
    from limpide.explanation.record import METHOD_WORDS
    from limpide.explanation.saliency_evidence import plane_of
    from limpide.interpret.saliency import COST

    if method not in METHOD_WORDS:
        raise LookupError(message(N_("there is no map of this name: {names}"), names=", ".join(METHOD_WORDS)))
    network, seen, _, _ = looker.trace(path, snapshot, image)
    if not 0 <= label < seen.output.shape[1]:
        raise LookupError(message(N_("the classes go from 0 to {last}"), last=seen.output.shape[1] - 1))
    with looker.counting(COST[method], unit="passes"):
        return looker.once(
            ("saliency", *looker.trace_key(path, snapshot, image), label, method),
            lambda: plane_of(network, seen.image, label, method),
        )  # type: ignore[no-any-return]


def occluded(looker: Session, path: str, snapshot: str, image: dict[str, Any], mask: list[list[int]]) -> Answer:
    """The answer with these places (row, column in sixteenths of the side) covered with grey."""
    import torch

    network, seen, _, classes = looker.trace(path, snapshot, image)
    changed = seen.image.clone()
    height, width = changed.shape[2:]
    for row, column in mask[:256]:
        changed[
            0,
            :,
            row * height // 16 : -(-(row + 1) * height // 16),
            column * width // 16 : -(-(column + 1) * width // 16),
        ] = 0
    with torch.inference_mode():
        after = network(changed)[0]
    return compare_probabilities(looker, path, snapshot, seen.output[0], after, classes)


def picture(looker: Session, path: str, snapshot: str, image: dict[str, Any]) -> Answer:
    """The square that the network sees, as a PNG."""
    _, preprocessing, _ = looker.network(path, snapshot)
    return {}, png(looker.square(path, preprocessing, image))
