"""Questions about the images of a run: how many, which are similar, what augmentation makes of them, and where they are
on a map.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from limpide.audit.evidence import thumbnail
from limpide.data.run_images import ImageGone, RunImages, run_stamp
from limpide.inspector import parsers
from limpide.inspector.answer import Answer, png
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.many_images import ImageFeatures, affordable, features_of_images, pieces_of
from limpide.inspector.question import Question
from limpide.inspector.session import Session
from limpide.text.messages import N_, message

SMALL = 96  # pixels of a thumbnail
PAGE = 60  # images sent at once
MAX_ALIKE = 1500  # images among which copies are searched for
MAX_DISTANCE = 64  # bits: beyond, two pictures are unrelated
MAX_PAIRS = 40
CHANGED = 8  # examples of one image as training sees it
MAP_METHODS: dict[str, Literal["pca", "tsne"]] = {"pca": "pca", "tsne": "tsne"}


def album(session: Session, path: str, snapshot: str, part: str = "", label: str = "", start: int = 0) -> Answer:
    """A page of the images of this part and class, and how many there are of each."""
    images = session.album(path)
    rows = images.rows(part, label)
    shown = [_describe(images, int(row)) for row in rows[start : start + PAGE]]
    return {"images": shown, "total": len(rows), "start": start, "page": PAGE, "counts": images.counts()}, b""


def _describe(images: RunImages, row: int) -> dict[str, Any]:
    return {"row": row, "file": images.files[row], "label": images.labels[row], "part": images.parts[row]}


def thumb(session: Session, path: str, snapshot: str, row: int) -> Answer:
    """A small JPEG of an image as it is on the disk."""
    return {}, thumbnail(session.album(path).image(row, 2 * SMALL), SMALL)


def alike(session: Session, path: str, snapshot: str, distance: int) -> Answer:
    """Pairs of images that differ in at most `distance` of 256 bits (data/near_duplicates.py), the nearest first, and
    how many there are at each distance.
    """
    images = session.album(path)
    rows, pairs, far = session.results.get(("alike", *run_stamp(path)), lambda: _compare(session, path, images))
    near = far <= distance
    shown = [
        {"first": _describe(images, int(rows[i])), "second": _describe(images, int(rows[j])), "distance": int(d)}
        for (i, j), d in list(zip(pairs[near].tolist(), far[near].tolist(), strict=True))[:MAX_PAIRS]
    ]
    counts = np.bincount(far, minlength=MAX_DISTANCE + 1).cumsum().tolist()
    return {
        "pairs": shown,
        "total": int(near.sum()),
        "counts": counts,
        "compared": len(rows),
        "of": len(images.files),
    }, b""


def _compare(session: Session, path: str, images: RunImages) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (rows, pairs (m, 2) of places in them, bits in which they differ (m,)), the nearest first."""
    from limpide.data.near_duplicates import find_every_pair, fingerprint

    def fingerprints(chunk: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
        rows_read, prints = [], []
        for row in chunk.tolist():
            session.progress.advance(1)
            try:
                prints.append(fingerprint(images.image(row, 64)))
            except ImageGone:
                raise
            except LookupError:
                continue
            rows_read.append(row)
        return rows_read, prints

    rows = images.some(MAX_ALIKE)
    with session.progress.track(len(rows)):
        pieces = [
            session.results.get(("prints", *run_stamp(path), chunk.tobytes()), lambda: fingerprints(chunk))  # noqa: B023
            for chunk in pieces_of(session, rows, 1)
        ]
    rows_read, prints = ([one for piece in pieces for one in piece[k]] for k in (0, 1))
    if not rows_read:
        raise LookupError(message(N_("none of these images can be read any more")))
    stacked = np.stack(prints)
    pairs = find_every_pair(stacked, MAX_DISTANCE)
    far = np.bitwise_count(stacked[pairs[:, 0]] ^ stacked[pairs[:, 1]]).sum(1).astype(int)
    order = np.argsort(far, kind="stable")
    return np.array(rows_read), pairs[order], far[order]


def augmented(session: Session, path: str, snapshot: str, image: ImageReference, seed: int = 0) -> Answer:
    """This image as training changes it, several times side by side, as a PNG; no PNG where training changes
    nothing.
    """
    import torch

    from limpide.core.run import Run
    from limpide.training.augment import augmentation_of

    run = Run.open(path)
    preprocessing = session.load_network(path, snapshot).preprocessing
    with run.reading():
        change = augmentation_of(run.info(), preprocessing.channels == 1)
    if change is None:
        return {"images": 0}, b""
    # Among other images, as in training: some changes mix them.
    learning = run.info().learning
    probes = learning.probes if learning else 0
    others = [session.tensor(path, preprocessing, ImageReference(probe=k)) for k in range(probes)]
    batch = torch.cat([session.tensor(path, preprocessing, image).repeat(CHANGED, 1, 1, 1), *others])
    targets = torch.zeros(len(batch), dtype=torch.int64)  # unused labels: only the picture is shown
    made = change(batch, targets, torch.Generator().manual_seed(seed))[0][:CHANGED].permute(0, 2, 3, 1).numpy()
    squares = np.clip(np.round(made * np.array(preprocessing.std) + np.array(preprocessing.mean)), 0, 255).astype(
        np.uint8
    )
    return {"images": CHANGED}, png(np.concatenate(list(squares), axis=1))


def embedding(session: Session, path: str, snapshot: str, method: str = "pca") -> Answer:
    """Places (n, 2) between −1 and 1 of images by the features before the network's last layer, with its answer for
    each.

    The map of other weights is turned to match that of the final ones: a place that then moves has moved in the
    network.
    """
    from limpide.interpret.embedding import align_to

    if method not in MAP_METHODS:
        raise LookupError(message(N_("there is no map of this name; there are {names}"), names=", ".join(MAP_METHODS)))
    images = session.album(path)
    rows = images.some(affordable(session, path, snapshot))
    features, places, explained_variance = _map(session, path, snapshot, rows, MAP_METHODS[method])
    if snapshot != "best":
        places = align_to(places, _map(session, path, "best", rows, MAP_METHODS[method])[1])
    classes = session.load_network(path, snapshot).classes
    return {
        "places": places.round(4).tolist(),
        "rows": features.rows.tolist(),
        "labels": [images.labels[row] for row in features.rows],
        "predicted": [classes[k] for k in features.probabilities.argmax(1)],
        "probability": [round(float(p), 4) for p in features.probabilities.max(1)],
        "parts": [images.parts[row] for row in features.rows],
        "of": len(images.files),
        "classes": sorted(set(images.labels) & set(classes)),
        "kept": explained_variance,
    }, b""


def _map(
    session: Session, path: str, snapshot: str, rows: np.ndarray, method: Literal["pca", "tsne"]
) -> tuple[ImageFeatures, np.ndarray, float | None]:
    """Return (features, places (n, 2), share of the variance that the map keeps, or None if not known) of these
    images.
    """
    from limpide.interpret.embedding import flat_map

    features = features_of_images(session, path, snapshot, rows)
    if len(features.rows) < 3:
        raise LookupError(message(N_("a map needs at least three images")))
    places, explained_variance = session.results.get(
        ("map", *session.weights_key(path, snapshot), *run_stamp(path), method),
        lambda: flat_map(features.features, method),
    )
    return features, places, explained_variance


QUESTIONS = {
    "album": Question(album, {"part": str, "label": str, "start": parsers.natural}),
    "thumb": Question(thumb, {"row": parsers.natural}, media_type="image/jpeg"),
    "alike": Question(alike, {"distance": parsers.natural}, is_slow=True),
    "augmented": Question(augmented, {"image": ImageReference, "seed": parsers.natural}, media_type="image/png"),
    "embedding": Question(embedding, {"method": str}, is_slow=True),
}
