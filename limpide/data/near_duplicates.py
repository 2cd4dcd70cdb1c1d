"""Near-duplicates: the same picture saved again, smaller, brighter, slightly cropped, or with a mark in a corner.

A picture becomes 256 bits, `fingerprint`; two pictures are near-duplicates when few bits differ. `find_pairs` finds
enough such pairs to connect the pictures that belong together, `linked_groups` joins them. Every number here was chosen
in experiments/near_duplicates.py.

The bits are signs of a cosine transform, not of differences between neighbours (dHash: N. Krawetz, "Kind of like that",
2013): with equally few false pairs, dHash of 16 × 16 finds half of the copies that lost 2–3 % at their borders, this
method nine tenths.

Limits: rotated, mirrored and strongly cropped copies are not found. Drawings of few strokes (digits, letters, icons)
count as copies of each other at any size, and so do a blank form and the same form with a word written into it.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from PIL import Image

BITS = 256
DISTANCE = 42  # bits; near-duplicates differ in at most this many
INFORMATIVE = 48  # set bits; a print with fewer says too little: a blank picture, or a smooth gradient
# at most 1 / SHARE of the bits set in the two prints may differ, which is less than DISTANCE for smooth pictures
SHARE = 4
# pixels; on smaller images cropped copies are hardly found, and handwritten digits (28 pixels) count as copies
MIN_SIDE = 32

SIDE = 32  # pixels of the thumbnail
NOISE = 2.0  # grey levels; a JPEG encoder produces coefficients below it in a flat area

EXACT = 8192  # images up to which every pair is compared
TABLES, WINDOW = 40, 32  # above EXACT: number of sorted tables, and of following images to compare each with
BUCKET = 8  # images that agree by chance in the bits in which compared images must agree
# share of the allowed distance that may be in the first word, and in the first two of the four: low frequencies differ
# least
FIRST, SECOND = 1 / 2, 3 / 4
CHUNK = 1 << 16  # rows or pairs worked on at once


def _cosines() -> tuple[np.ndarray, np.ndarray]:
    """The orthonormal DCT-II (frequencies, SIDE), and the positions of the BITS lowest frequencies except the mean,
    lowest first.
    """
    frequency, place = np.mgrid[:SIDE, :SIDE]
    matrix = np.sqrt(2 / SIDE) * np.cos(np.pi * (place + 0.5) * frequency / SIDE)
    lowest = np.argsort(frequency**2 + place**2, axis=None, kind="stable")[1 : BITS + 1]  # by length of the wave vector
    rows, columns = np.divmod(lowest, SIDE)
    keep = int(max(rows.max(), columns.max())) + 1
    return matrix[:keep].astype(np.float32), rows * keep + columns


_DCT, _LOWEST = _cosines()


def fingerprint(image: Image.Image) -> np.ndarray:
    """256 bits of an RGB image, uint64 (4,): which of the 256 lowest frequencies except the mean are above NOISE grey
    levels.

    Grey (ITU-R 601-2 luma) → 32 × 32 by Pillow's antialiasing bilinear filter → orthonormal DCT-II → coefficient >
    NOISE, the coefficients ordered by the length of their wave vector. A variation of pHash (C. Zauner, "Implementation
    and benchmarking of perceptual image hash functions", 2010) and PDQ (Facebook, "The TMK+PDQF video-hashing algorithm
    and the PDQ image-hashing algorithm", 2019), which compare with the median; a fixed threshold sets no bits for flat
    areas. The aspect ratio is lost.
    """
    thumbnail = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float32)
    coefficients = _DCT @ thumbnail @ _DCT.T
    return np.packbits(coefficients.ravel()[_LOWEST] > NOISE, bitorder="little").view("<u8").astype(np.uint64)


def find_pairs(prints: np.ndarray, distance: int = DISTANCE, skip: np.ndarray | None = None) -> np.ndarray:
    """Pairs i < j of near-duplicates, int64 (m, 2), sorted, m < n: a spanning forest, so not every near pair.

    prints: uint64 (n, 4), may be a memmap · distance: bits · skip: bool (n,), images to leave out.
    Two prints are near if each has at least INFORMATIVE set bits and they differ in at most `distance` bits and in at
    most a quarter (SHARE) of the bits set in the two. Images that a chain of near pairs connects are also connected by
    a chain of returned pairs.

    Up to EXACT different prints, this holds for all images. Above, the images are sorted TABLES times, each time by
    another order of the 64 lowest frequencies, and each is compared with the WINDOW images that follow it and agree
    with it in the first log2(n / BUCKET) of these bits: time n log n, however similar the images are. Equal prints are
    always joined. A pair may be missed if it differs in many of these 64 bits (among a million images one in 500 pairs
    that differ in 6 and one in 20 that differ in 8; among 50,000 none and one in 500), or if it is in the midst of
    thousands of similar images. Memory besides `prints`: about 70 bytes per image, 300 where most images have copies.
    """
    usable = np.ones(len(prints), dtype=bool) if skip is None else ~np.asarray(skip, dtype=bool)
    for start in range(0, len(prints), CHUNK):
        usable[start : start + CHUNK] &= _ones(prints[start : start + CHUNK]) >= INFORMATIVE
    forest = _Forest(prints, distance)
    rows = _without_equals(forest, np.flatnonzero(usable).astype(np.int32))
    if len(rows) <= EXACT:
        _compare_all(forest, rows)
    else:
        _compare_sorted(forest, rows)
    forest.thin()
    pairs = np.sort(forest.links, axis=1).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def find_every_pair(prints: np.ndarray, distance: int = DISTANCE) -> np.ndarray:
    """All near pairs i < j, int64 (m, 2), by comparing every pair: for the few images that `find_pairs` has joined.
    prints: uint64 (n, 4).
    """
    ones, pairs = _ones(prints), [np.empty((0, 2), np.int64)]
    for i in range(len(prints) - 1):
        far = _ones(prints[i + 1 :] ^ prints[i])
        enough = (ones[i + 1 :] >= INFORMATIVE) & (ones[i] >= INFORMATIVE)
        j = np.flatnonzero((far <= distance) & (SHARE * far <= ones[i + 1 :] + ones[i]) & enough) + i + 1
        pairs.append(np.stack([np.full(len(j), i), j], axis=1))
    return np.concatenate(pairs)


def find_known(known: np.ndarray, prints: np.ndarray) -> np.ndarray:
    """bool (n,): whether a picture is a near-duplicate of a known one, directly or through others, as a split keeps
    them together.

    known: uint64 (m, 4) · prints: uint64 (n, 4). Time and possible misses are those of `find_pairs`.
    """
    both = np.concatenate([known, prints])
    group = linked_groups(len(both), find_pairs(both))
    return np.isin(group[len(known) :], group[: len(known)])


def linked_groups(n: int, pairs: np.ndarray) -> np.ndarray:
    """Which of `n` numbers belong together, int64 (n,): for each the smallest number that it is linked with, directly
    or through others.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = csr_array((np.ones(len(pairs), dtype=np.int32), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)


class _Forest:
    """The links found so far. Images that are already connected are not linked again, so a thousand similar ones have
    999 links.
    """

    def __init__(self, prints: np.ndarray, distance: int) -> None:
        self.prints, self.distance = prints, distance
        self.label = np.arange(len(prints), dtype=np.int32)  # up to date after `thin`
        self.links = np.empty((0, 2), dtype=np.int32)
        self.far = np.empty(0, dtype=np.int16)  # bits
        self._fresh: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._count = 0

    def try_all(self, i: np.ndarray, j: np.ndarray) -> None:
        """Links those of the pairs (i, j) that are near."""
        for start in range(0, len(i), CHUNK):
            a, b = i[start : start + CHUNK], j[start : start + CHUNK]
            apart = self.label[a] != self.label[b]
            a, b = a[apart], b[apart]
            one, other = self.prints[a], self.prints[b]
            far = _ones(one ^ other)
            near = np.flatnonzero(far <= self.distance)
            near = near[SHARE * far[near] <= _ones(one[near]) + _ones(other[near])]
            if len(near):
                self._fresh.append((a[near], b[near], far[near]))
                self._count += len(near)
            if self._count > max(CHUNK, len(self.prints) // 4):
                self.thin()

    def thin(self) -> None:
        """Keeps only a spanning forest of the nearest links, and updates the labels."""
        if not self._fresh:
            return
        a, b, far = (np.concatenate(column) for column in zip(*self._fresh, strict=True))
        links, far = np.concatenate([self.links, np.stack([a, b], axis=1)]), np.concatenate([self.far, far])
        nodes, ends = np.unique(links, return_inverse=True)
        ends = ends.reshape(-1, 2)
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

        low, high = ends.min(axis=1), ends.max(axis=1)
        # far + 1: a weight of 0 would not be a link. No pair occurs twice between two thinnings: weights would add up.
        tree = minimum_spanning_tree(csr_array((far + 1, (low, high)), shape=(len(nodes), len(nodes)))).tocoo()
        self.links, self.far = np.stack([nodes[tree.row], nodes[tree.col]], axis=1), tree.data.astype(np.int16) - 1
        group = connected_components(tree, directed=False)[1]
        self.label[nodes] = nodes[np.unique(group, return_index=True)[1]][group]
        self._fresh, self._count = [], 0


def _without_equals(forest: _Forest, rows: np.ndarray) -> np.ndarray:
    """Links equal prints in a chain and returns one of each."""
    mixed = np.zeros(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), CHUNK):
        for word in forest.prints[rows[start : start + CHUNK]].T:
            # 2⁶⁴ / golden ratio
            mixed[start : start + CHUNK] = (mixed[start : start + CHUNK] ^ word) * np.uint64(0x9E3779B97F4A7C15)
    order = np.argsort(mixed, kind="stable")
    mixed = mixed[order]
    at = np.flatnonzero(mixed[1:] == mixed[:-1])
    again = np.zeros(len(rows), dtype=bool)
    for start in range(0, len(at), CHUNK):
        one, other = order[at[start : start + CHUNK]], order[at[start : start + CHUNK] + 1]
        equal = (forest.prints[rows[one]] == forest.prints[rows[other]]).all(axis=1)
        forest.try_all(rows[one[equal]], rows[other[equal]])
        again[other[equal]] = True
    return rows[~again]


def _compare_all(forest: _Forest, rows: np.ndarray) -> None:
    words = np.ascontiguousarray(forest.prints[rows].T)
    step = max(1, CHUNK * 8 // max(1, len(rows)))
    for start in range(0, len(rows), step):
        far = np.zeros((min(step, len(rows) - start), len(rows) - start), dtype=np.uint16)
        for word in words:
            far += _count(word[start : start + step, None] ^ word[None, start:])
        i, j = np.nonzero(far <= forest.distance)
        later = j > i
        forest.try_all(rows[start + i[later]], rows[start + j[later]])
        forest.thin()


def _compare_sorted(forest: _Forest, rows: np.ndarray) -> None:
    low, middle = (np.ascontiguousarray(forest.prints[rows, word]) for word in (0, 1))
    shift = np.uint64(64 - (len(rows) // BUCKET).bit_length())
    for table in range(TABLES):
        keys = _reorder(low, np.random.default_rng(table).permutation(64))
        order = np.argsort(keys, kind="stable").astype(np.int32)
        keys, more, at = keys[order], middle[order], np.arange(len(keys), dtype=np.int32)
        for ahead in range(1, WINDOW + 1):
            at = at[: np.searchsorted(at, len(keys) - ahead)]
            at = at[(keys[at] ^ keys[at + ahead]) >> shift == 0]
            if not len(at):
                break
            far = _count(keys[at] ^ keys[at + ahead])
            likely = at[far <= FIRST * forest.distance]
            far = far[far <= FIRST * forest.distance] + _count(more[likely] ^ more[likely + ahead])
            likely = likely[far <= SECOND * forest.distance]
            forest.try_all(rows[order[likely]], rows[order[likely + ahead]])
        forest.thin()


def _reorder(words: np.ndarray, order: np.ndarray) -> np.ndarray:
    """uint64 (n,) with bit k moved to bit order[k], a byte at a time."""
    moved = np.zeros_like(words)
    # (256, 8)
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.uint64)
    for byte in range(8):
        places = np.uint64(1) << order[8 * byte : 8 * byte + 8].astype(np.uint64)
        for start in range(0, len(words), CHUNK):
            values = (words[start : start + CHUNK] >> np.uint64(8 * byte)) & np.uint64(255)
            moved[start : start + CHUNK] |= (bits @ places)[values]
    return moved


def _ones(prints: np.ndarray) -> np.ndarray:
    """Set bits of each print: (n, 4) → int16 (n,)."""
    return cast("np.ndarray", _count(prints).sum(axis=1, dtype=np.int16))


_ONES_OF_16 = np.unpackbits(np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1).sum(
    axis=1, dtype=np.uint8
)


def _count_by_table(words: np.ndarray) -> np.ndarray:
    """Set bits of each uint64, uint8, for NumPy 1."""
    return cast(
        "np.ndarray", _ONES_OF_16[np.ascontiguousarray(words)[..., None].view(np.uint16)].sum(axis=-1, dtype=np.uint8)
    )


_count = getattr(np, "bitwise_count", _count_by_table)
