"""Questions about the images of a run: how many, which are alike, what training makes of them, and where they lie on a
map.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.audit.evidence import thumbnail
from limpide.data.run_images import ImageGone, run_stamp
from limpide.inspector.many_images import affordable, features_of_images, pieces_of
from limpide.inspector.session import Answer, Session, png
from limpide.text.messages import N_, message

SMALL = 96  # pixels of a thumbnail
PAGE = 60  # images sent at once
MAX_ALIKE = 1500  # images among which copies are looked for
MAX_DISTANCE = 64  # bits: beyond, two pictures have nothing to do with each other
MAX_PAIRS = 40
CHANGED = 8  # of one image, as training sees it


def album(looker: Session, path: str, snapshot: str, part: str = "", label: str = "", start: int = 0) -> Answer:
    """A page of the images of this part and class, and how many there are of each."""
    found = looker.album(path)
    rows = found.rows(part, label)
    shown = [_about(found, int(row)) for row in rows[start : start + PAGE]]
    return {"images": shown, "total": len(rows), "start": start, "page": PAGE, "counts": found.counts()}, b""


def _about(found: Any, row: int) -> dict[str, Any]:
    return {"row": row, "file": found.files[row], "label": found.labels[row], "part": found.parts[row]}


def thumb(looker: Session, path: str, snapshot: str, row: int) -> Answer:
    """A small JPEG of an image as it lies on the disk."""
    return {}, thumbnail(looker.album(path).image(row, 2 * SMALL), SMALL)


def alike(looker: Session, path: str, snapshot: str, distance: int) -> Answer:
    """Pairs of images that differ in at most so many of 256 bits (data/near_duplicates.py), the nearest first, and how
    many there are at each distance.
    """
    found = looker.album(path)
    rows, pairs, far = looker.once(("alike", *run_stamp(path)), lambda: _compared(looker, path, found))
    near = far <= distance
    shown = [
        {"first": _about(found, int(rows[i])), "second": _about(found, int(rows[j])), "distance": int(d)}
        for (i, j), d in list(zip(pairs[near].tolist(), far[near].tolist(), strict=True))[:MAX_PAIRS]
    ]
    counts = np.bincount(far, minlength=MAX_DISTANCE + 1).cumsum().tolist()
    return {
        "pairs": shown,
        "total": int(near.sum()),
        "counts": counts,
        "compared": len(rows),
        "of": len(found.files),
    }, b""


def _compared(looker: Session, path: str, found: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, pairs (m, 2) of places in them, bits in which they differ (m,)), the nearest first."""
    from limpide.data.near_duplicates import find_every_pair, fingerprint

    def printed(some: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
        kept, prints = [], []
        for row in some.tolist():
            looker.looked_at(1)
            try:
                prints.append(fingerprint(found.image(row, 64)))
            except ImageGone:
                raise
            except LookupError:
                continue
            kept.append(row)
        return kept, prints

    rows = found.some(MAX_ALIKE)
    with looker.counting(len(rows)):
        pieces = [
            looker.once(("prints", *run_stamp(path), some.tobytes()), lambda: printed(some))  # noqa: B023
            for some in pieces_of(looker, rows, 1)
        ]
    kept, prints = ([one for piece in pieces for one in piece[k]] for k in (0, 1))
    if not kept:
        raise LookupError(message(N_("none of these images can be read any more")))
    stacked = np.stack(prints)
    pairs = find_every_pair(stacked, MAX_DISTANCE)
    far = np.bitwise_count(stacked[pairs[:, 0]] ^ stacked[pairs[:, 1]]).sum(1).astype(int)
    order = np.argsort(far, kind="stable")
    return np.array(kept), pairs[order], far[order]


def augmented(looker: Session, path: str, snapshot: str, image: dict[str, Any], seed: int = 0) -> Answer:
    """What training makes of this image, several times, as a PNG: one beside the other; no image where it changes
    nothing.
    """
    import torch

    from limpide.core.run import Run
    from limpide.training.augment import augmentation_of

    run = Run.open(path)
    _, preprocessing, _ = looker.network(path, snapshot)
    with run.reading():
        change = augmentation_of(run.info(), preprocessing.channels == 1)
    if change is None:
        return {"images": 0}, b""
    tensor = looker.tensor(path, preprocessing, image).repeat(CHANGED, 1, 1, 1)
    targets = torch.zeros(CHANGED, dtype=torch.int64)  # whatever it is: the picture alone is shown
    made = change(tensor, targets, torch.Generator().manual_seed(seed))[0].permute(0, 2, 3, 1).numpy()
    squares = np.clip(np.round(made * np.array(preprocessing.std) + np.array(preprocessing.mean)), 0, 255).astype(
        np.uint8
    )
    return {"images": CHANGED}, png(np.concatenate(list(squares), axis=1))


def embedding(looker: Session, path: str, snapshot: str, method: str = "pca") -> Answer:
    """Places (n, 2) between −1 and 1 of images by what the network sees in them before its last layer, with what it
    says of each.

    The map of other weights is turned to lie on that of the final ones: what moves then, moved in the network.
    """
    from limpide.interpret.embedding import align_to, flat_map

    if method not in ("pca", "tsne"):
        raise LookupError(message(N_("there is no map of this name: {names}"), names="pca, tsne"))
    found = looker.album(path)
    rows = found.some(affordable(looker, path, snapshot))

    def mapped(which: str) -> Any:
        seen = features_of_images(looker, path, which, rows)
        if len(seen.rows) < 3:
            raise LookupError(message(N_("a map needs three images")))
        places = looker.once(
            ("map", *looker.key(path, which), *run_stamp(path), method),
            lambda: flat_map(seen.features, method),  # type: ignore[arg-type]
        )
        return seen, *places

    seen, places, kept = mapped(snapshot)
    if snapshot != "best":
        places = align_to(places, mapped("best")[1])
    _, _, classes = looker.network(path, snapshot)
    best = seen.probabilities.argmax(1)
    return {
        "places": places.round(4).tolist(),
        "rows": seen.rows.tolist(),
        "labels": [found.labels[row] for row in seen.rows],
        "predicted": [classes[k] for k in best],
        "probability": [round(float(p), 4) for p in seen.probabilities.max(1)],
        "parts": [found.parts[row] for row in seen.rows],
        "of": len(found.files),
        "classes": sorted(set(found.labels) & set(classes)),
        "kept": kept,
    }, b""
