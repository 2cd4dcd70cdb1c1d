"""Questions about one image: the network's answer, where its evidence may be, and its answer for the changed image."""

from __future__ import annotations

import numpy as np

from limpide.inspector import parsers
from limpide.inspector.answer import Answer, compare_probabilities, npy, png
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.many_images import affordable, features_of_images
from limpide.inspector.network_session import NetworkSession, trace_image
from limpide.inspector.question import Question
from limpide.inspector.session import Session, batch
from limpide.text.messages import N_, message

PIECE = 8  # probes that go through the network together


def predictions(session: Session, path: str, snapshot: str) -> Answer:
    """The network's answer for every probe: probabilities (n, classes)."""
    import torch

    from limpide.models.mirrored import MirroredMean

    loaded, probes = session.load_network(path, snapshot), session.probes(path)
    squares = session.probe_squares(path, loaded.preprocessing)
    temperature = session.temperature(path, snapshot)
    network = MirroredMean(loaded.network) if session.averages_mirrored(path, snapshot) else loaded.network
    with torch.inference_mode():
        logits = [
            network(batch(loaded.preprocessing, squares[k : k + PIECE])).float() for k in range(0, len(squares), PIECE)
        ]
    probabilities = (torch.cat(logits) / temperature).softmax(1)
    return {
        "predicted": probabilities.argmax(1).tolist(),
        "probability": probabilities.amax(1).tolist(),
        "truth": probes.truth.tolist(),
        "classes": loaded.classes,
    }, b""


def prediction(session: NetworkSession, path: str, snapshot: str, image: ImageReference) -> Answer:
    """The five likeliest classes: calibrated probabilities for the final model, uncalibrated ones for weights along the
    way.
    """
    from limpide.interpret.saliency import is_of_good_parts
    from limpide.models.good_parts import score_of
    from limpide.models.mirrored import mean_output

    traced = trace_image(session, path, snapshot, image)
    temperature = session.temperature(path, snapshot)
    output = traced.trace.output
    if session.averages_mirrored(path, snapshot):  # the layers show the image as it is
        output = mean_output(traced.network, traced.trace.image, output)
    row = (output[0].double() / temperature).softmax(0)
    order = row.argsort(descending=True)[:5].tolist()
    truth, file = session.class_and_file(path, image, traced.classes)
    is_strange = is_of_good_parts(traced.network)
    return {
        "top": [{"class": traced.classes[k], "index": k, "probability": float(row[k])} for k in order],
        "calibrated": temperature != 1.0 and not image.is_changed,
        "changed": image.is_changed,
        "clipped": session.is_clipped(traced.preprocessing, image),
        "score": score_of(traced.trace.output[0].tolist()) if is_strange else None,
        "truth": truth,
        "file": file,
    }, b""


def neighbors(session: Session, path: str, snapshot: str, image: ImageReference, most: int = 8) -> Answer:
    """The training images most similar to this one, for the network: cosine of the features before its last layer."""
    from limpide.explanation.nearest_images import nearest_rows
    from limpide.interpret.embedding import features_of

    traced, album = trace_image(session, path, snapshot, image), session.album(path)
    candidates = features_of_images(
        session, path, snapshot, album.some(affordable(session, path, snapshot), album.learned)
    )
    one = features_of(traced.network, traced.trace.image)[0][0].numpy()
    _, file = session.class_and_file(path, image, traced.classes)
    image_row = album.row_of.get(file or "", -1)  # the image itself does not count as a neighbour
    top = nearest_rows(candidates.features, candidates.rows, one, image_row, most)
    return {
        "top": [
            {
                "row": int(candidates.rows[k]),
                "file": album.files[candidates.rows[k]],
                "label": album.labels[candidates.rows[k]],
                "cosine": alike,
            }
            for k, alike in top
        ],
        "compared": len(candidates.rows),
        "of": len(album.rows(album.learned)),
        "learned": bool(album.learned),
    }, b""


def saliency(
    session: NetworkSession, path: str, snapshot: str, image: ImageReference, method: str, label: int
) -> Answer:
    """A map float32 (height, width), at once: whether it may be believed is a separate question, which takes longer.

    For a network without maps, a finding that says so replaces its Grad-CAM.
    """
    from limpide.explanation.saliency_evidence import nothing_to_weigh

    plane = _map(session, path, snapshot, image, method, label)
    return ({"finding": nothing_to_weigh(method).to_json()}, b"") if plane is None else ({}, npy(plane))


def sanity(session: NetworkSession, path: str, snapshot: str, image: ImageReference, method: str, label: int) -> Answer:
    """Whether this map may be believed."""
    from limpide.explanation.saliency_evidence import badge_of, nothing_to_weigh, usual_of
    from limpide.interpret.saliency import COST
    from limpide.interpret.saliency_checks import COST as OF_BADGE
    from limpide.interpret.saliency_checks import COST_USUAL

    plane = _map(session, path, snapshot, image, method, label)
    if plane is None:
        return {"finding": nothing_to_weigh(method).to_json()}, b""
    traced = trace_image(session, path, snapshot, image)
    network, tensor = traced.network, traced.trace.image
    key = (*session.image_key(path, snapshot, image), label)
    with session.progress.track(COST_USUAL + COST[method] + OF_BADGE, unit="passes"):
        # the values with which the four maps are compared
        beside = session.results.get(("usual", *key), lambda: usual_of(network, tensor, label))
        session.progress.looks_done = COST_USUAL
        finding = session.results.get(
            ("sanity", *key, method), lambda: badge_of(network, tensor, label, method, plane, beside)
        )
    return {"finding": finding.to_json()}, b""


def _map(
    session: NetworkSession, path: str, snapshot: str, image: ImageReference, method: str, label: int
) -> np.ndarray | None:
    """Raises LookupError for a method or a class that does not exist."""
    from limpide.explanation.record import METHOD_WORDS
    from limpide.explanation.saliency_evidence import plane_of
    from limpide.interpret.saliency import COST

    if method not in METHOD_WORDS:
        raise LookupError(message(N_("there is no map of this name; there are {names}"), names=", ".join(METHOD_WORDS)))
    traced = trace_image(session, path, snapshot, image)
    classes = traced.trace.output.shape[1]
    if not 0 <= label < classes:
        raise LookupError(message(N_("the classes are numbered from 0 to {last}"), last=classes - 1))
    with session.progress.track(COST[method], unit="passes"):
        return session.results.get(
            ("saliency", *session.image_key(path, snapshot, image), label, method),
            lambda: plane_of(traced.network, traced.trace.image, label, method),
        )


def occluded(session: NetworkSession, path: str, snapshot: str, image: ImageReference, mask: list[list[int]]) -> Answer:
    """The answer with these places (row, column in sixteenths of the side) covered with grey."""
    import torch

    traced = trace_image(session, path, snapshot, image)
    covered = traced.trace.image.clone()
    height, width = covered.shape[2:]
    for row, column in mask[:256]:
        covered[
            0,
            :,
            row * height // 16 : -(-(row + 1) * height // 16),
            column * width // 16 : -(-(column + 1) * width // 16),
        ] = 0
    with torch.inference_mode():
        after = traced.network(covered)[0]
    return compare_probabilities(traced.trace.output[0], after, traced.classes, session.temperature(path, snapshot))


def picture(session: NetworkSession, path: str, snapshot: str, image: ImageReference) -> Answer:
    """The square that the network sees, as a PNG."""
    preprocessing = session.load_network(path, snapshot).preprocessing
    return {}, png(session.square(path, preprocessing, image))


QUESTIONS = {
    "predictions": Question(predictions),
    "prediction": Question(prediction, {"image": ImageReference}, in_notebook=True),
    "neighbors": Question(neighbors, {"image": ImageReference}, is_slow=True),
    "saliency": Question(
        saliency, {"image": ImageReference, "method": str, "label": parsers.natural}, is_slow=True, in_notebook=True
    ),
    "sanity": Question(
        sanity, {"image": ImageReference, "method": str, "label": parsers.natural}, is_slow=True, in_notebook=True
    ),
    "occluded": Question(occluded, {"image": ImageReference, "mask": parsers.mask}, in_notebook=True),
    "picture": Question(picture, {"image": ImageReference}, media_type="image/png", in_notebook=True),
}
