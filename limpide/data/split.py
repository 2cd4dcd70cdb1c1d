"""Which image belongs to which part: train fits, validation chooses, calibration calibrates, test is used once.

Images that belong together go to one part: identical bytes, nearly the same images, and images of one group of the
user. Such a group is placed by the hash of its content: test is filled up to its quota of every class, then validation,
then calibration; the rest trains. So the split needs no seed, and the same files go to the same part on every machine.
A later run inherits the earlier split and only places new files. Where these aims conflict, whole groups come first,
then the parts of old files, then the proportions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limpide.data.dataset import CALIBRATION, NO_PART, PARTS, TEST, TRAIN, VALIDATION
from limpide.data.near_duplicates import find_every_pair, linked_groups
from limpide.text.messages import N_

CALIBRATION_FROM = 1000  # images; with fewer there is no calibration part

TWO_LABELS = N_("the same image is in two classes")
LEAKED = N_("the same image is in the test part")
LEAKED_VALIDATION = N_("the same image is in the validation part")
NEARLY = N_("nearly the same image is in another part")
JOINS = N_("it is nearly the same as images of two parts")
GROUP_CUT = N_("other images of its group are in the part that was given as test or validation")
NOT_TRAINED = N_("its class has no image in the training part")
MAX_COMPARED = 4000  # images in the largest set of similar images of which every pair is compared
FILLED = (TEST, VALIDATION, CALIBRATION)  # in this order; the rest trains
MIN_OF_A_CLASS = {TEST: 2, VALIDATION: 3, CALIBRATION: 4}  # fewest images of a class from which a part may take one


@dataclass(frozen=True)
class Division:
    parts: np.ndarray  # uint8 (n,), indices into PARTS; NO_PART = left out
    out: dict[int, str]  # index → why it is left out (msgid)
    together: np.ndarray  # int (n,): images with the same number were kept together
    moved: int  # images that had another part in the earlier split
    ours: int  # images whose part limpide could choose, without those that are left out
    quotas: dict[int, int]  # part → number of images it should have, rounded for each class


def split(
    keys: np.ndarray,
    labels: np.ndarray,
    given: np.ndarray,
    shares: Mapping[int, float],
    *,
    groups: np.ndarray | None = None,
    near: np.ndarray | None = None,
    prints: np.ndarray | None = None,
    earlier: tuple[np.ndarray, np.ndarray] | None = None,
) -> Division:
    """Assigns each image to a part.

    keys: uint64 (n,), hash of each image's content · labels: int (n,) · given: uint8 (n,), the user's own parts ·
    shares: of TEST, VALIDATION and CALIBRATION · groups: int64 (n,), negative = none · near: int (m, 2), pairs that
    connect similar images · prints: uint64 (n, 4) of data/near_duplicates.py, to compare every pair where that matters
    · earlier: the keys of another split, sorted, and the part of each.
    """
    n = len(keys)
    shares = _allow_shares(shares, given, n)
    exact = _number_keys(keys)
    out = dict.fromkeys(np.flatnonzero(_disagree(exact, labels)).tolist(), TWO_LABELS)
    old = _inherit_parts(keys, earlier, shares, given)
    group = _join_groups(exact, groups)
    _leave_out_leaks(group, exact, given, out)
    kept = np.ones(n, bool)
    kept[list(out)] = False
    pinned, moved = _pin_groups(group, given, old, kept)
    if near is not None and len(near):
        group, pinned = _join_near(near, prints, group, pinned, given, kept, out)
        kept[list(out)] = False
    parts = np.where(kept, pinned[group], NO_PART).astype(np.uint8)
    class_counts = np.bincount(labels[kept & (given != TEST)], minlength=int(labels.max(initial=0)) + 1)
    quotas = {part: _count_quota(part, shares[part], class_counts) for part in FILLED}
    _place(np.flatnonzero(kept & (parts == NO_PART)).astype(np.int32), parts, group, keys, labels, given, kept, quotas)
    _leave_out_untrained(parts, labels, out)
    return Division(
        parts, out, group, moved, int(class_counts.sum()), {part: int(quota.sum()) for part, quota in quotas.items()}
    )


def _allow_shares(shares: Mapping[int, float], user_parts: np.ndarray, n: int) -> dict[int, float]:
    """The shares without those of parts that the user gave; with few images there is no calibration part."""
    none = {part: 0.0 for part in (TEST, VALIDATION) if (user_parts == part).any()}
    if n < CALIBRATION_FROM:
        none[CALIBRATION] = 0.0
    return {part: shares.get(part, 0.0) for part in FILLED} | none


def _count_quota(part: int, share: float, class_counts: np.ndarray) -> np.ndarray:
    """int64 (classes,): the number of images of each class that a part should have, at least one where the class can
    spare it. class_counts: images of each class.
    """
    quota = (share * class_counts + 0.5).astype(np.int64)
    return (
        np.where(class_counts >= MIN_OF_A_CLASS[part], np.maximum(quota, 1), quota)
        if share > 0 and part != CALIBRATION
        else quota
    )


def _number_keys(keys: np.ndarray) -> np.ndarray:
    """int32 (n,): equal keys have equal numbers, which begin at 0. As np.unique, in a third of the memory."""
    order = np.argsort(keys, kind="stable").astype(np.int32)
    numbers, begins, ordered = np.zeros(len(keys), np.int32), np.ones(len(keys), bool), keys[order]
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    del ordered
    numbers[order] = np.cumsum(begins, dtype=np.int32) - 1
    return numbers


def _disagree(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """bool (n,): whether the members of an image's group have different values."""
    low = np.full(int(groups.max(initial=-1)) + 1, np.iinfo(np.int32).max, np.int32)
    high = np.full(len(low), -1, np.int32)
    np.minimum.at(low, groups, values.astype(np.int32))
    np.maximum.at(high, groups, values.astype(np.int32))
    return np.asarray((low != high)[groups])


def _inherit_parts(
    keys: np.ndarray, earlier: tuple[np.ndarray, np.ndarray] | None, shares: Mapping[int, float], user_parts: np.ndarray
) -> np.ndarray:
    """uint8 (n,): the part each image had. A part that this split does not fill, because the user has since given
    parts, is forgotten.
    """
    if earlier is None or not len(earlier[0]):
        return np.zeros(len(keys), np.uint8)
    old_keys, parts = earlier
    place = np.minimum(np.searchsorted(old_keys, keys), len(old_keys) - 1)
    old = np.where(old_keys[place] == keys, parts[place], NO_PART).astype(np.uint8)
    useless = [part for part in FILLED if shares[part] == 0.0]
    old[np.isin(old, useless) | np.isin(user_parts, (TEST, VALIDATION))] = NO_PART
    return old


def _join_groups(exact: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """int (n,): identical images, and images of one group of the user, have the same number."""
    if groups is None or not (groups >= 0).any():
        return exact
    rows = np.flatnonzero(groups >= 0)
    _, place = np.unique(groups[rows], return_inverse=True)
    first = int(exact.max()) + 1
    return linked_groups(first + int(place.max()) + 1, np.stack((exact[rows], first + place), axis=1))[exact]


def _leave_out_leaks(group: np.ndarray, exact: np.ndarray, user_parts: np.ndarray, out: dict[int, str]) -> None:
    """Leaves out the twins and the group members of an image that are in another part: of the user's own parts, the
    test keeps its images first, then validation.
    """
    for part, says in ((TEST, LEAKED), (VALIDATION, LEAKED_VALIDATION)):
        rows = np.flatnonzero(user_parts == part)
        rows = rows[[i not in out for i in rows.tolist()]] if len(rows) else rows
        if not len(rows):
            continue
        inside = np.isin(group, group[rows]) & (user_parts != part)
        if part == VALIDATION:
            inside &= user_parts != TEST
        twins = np.isin(exact, exact[rows])
        for i in np.flatnonzero(inside).tolist():
            out.setdefault(i, says if twins[i] else GROUP_CUT)


def _pin_groups(group: np.ndarray, user_parts: np.ndarray, old: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, int]:
    """(the part that each group must go to, uint8 by group number; the number of images that leave their earlier part
    for that).
    """
    count = int(group.max(initial=-1)) + 1
    in_user_part = kept & ((user_parts == TEST) | (user_parts == VALIDATION))
    in_old_part = kept & (old != NO_PART)
    if not in_user_part.any() and not in_old_part.any():  # the first split of data without parts
        return np.zeros(count, np.uint8), 0
    votes = np.zeros((count, len(PARTS)), np.int32)
    np.add.at(votes, (group[in_old_part], old[in_old_part]), 1)
    votes[np.unique(group[in_user_part])] = 0  # the user's parts count for more than an earlier split
    np.add.at(votes, (group[in_user_part], user_parts[in_user_part]), 1)
    votes[:, NO_PART] = 0
    best = len(PARTS) - 1 - votes[:, ::-1].argmax(1)  # a tie goes to the part nearer to the test
    pinned = np.where(votes.max(1, initial=0) > 0, best, NO_PART).astype(np.uint8)
    moved = int((in_old_part & ~np.isin(user_parts, (TEST, VALIDATION)) & (old != pinned[group])).sum())
    return pinned, moved


def _join_near(
    near: np.ndarray,
    prints: np.ndarray | None,
    group: np.ndarray,
    pinned: np.ndarray,
    user_parts: np.ndarray,
    kept: np.ndarray,
    out: dict[int, str],
) -> tuple[np.ndarray, np.ndarray]:
    """Joins groups that near-duplicates connect, unless they must go to different parts: then images are left out.

    `near` only connects similar images; where a set of them reaches into two parts, every pair in it is compared.
    """
    # an image that is left out still connects the images similar to it
    whole = linked_groups(len(pinned), group[near])
    divided = bool((user_parts == TEST).any())
    side = pinned.copy()  # of each group: the user's training images stay out of the test
    if divided:
        trained = np.unique(group[kept & (user_parts == TRAIN)])
        side[trained] = np.maximum(side[trained], TRAIN)
    disputed = _find_disputed(whole, side, np.unique(whole[group[near].ravel()]))
    near = near[kept[near].all(1)]
    within = _settle_disputed(disputed, whole, near, prints, group, side, kept, out)
    settled = np.isin(whole, disputed)
    target = np.where(settled, linked_groups(len(pinned), within), whole)
    pinned = np.where(settled & (pinned == NO_PART) & (side != TRAIN if divided else True), side, pinned).astype(
        np.uint8
    )
    final = np.zeros(len(pinned), np.uint8)
    np.maximum.at(final, target, pinned)
    return target[group], final


def _find_disputed(whole: np.ndarray, side: np.ndarray, connected: np.ndarray) -> np.ndarray:
    """int64: the connected sets of groups that reach into several parts. whole: the set of each group."""
    sides: dict[int, set[int]] = {}
    for g in np.flatnonzero(np.isin(whole, connected) & (side != NO_PART)).tolist():
        sides.setdefault(int(whole[g]), set()).add(int(side[g]))
    return np.array([w for w, parts in sides.items() if len(parts) > 1], dtype=np.int64)


def _settle_disputed(
    disputed: np.ndarray,
    whole: np.ndarray,
    near: np.ndarray,
    prints: np.ndarray | None,
    group: np.ndarray,
    side: np.ndarray,
    kept: np.ndarray,
    out: dict[int, str],
) -> np.ndarray:
    """int64 (m, 2): links between groups of disputed sets that stay on one side. Changes `side` and `out`."""
    within = [np.zeros((0, 2), np.int64)]
    for w in disputed.tolist():
        members = np.flatnonzero(kept & (whole[group] == w))
        alike = (
            find_every_pair(prints[members])
            if prints is not None and len(members) <= MAX_COMPARED
            else np.zeros((0, 2), np.int64)
        )
        links = np.concatenate([members[alike], near[np.isin(near[:, 0], members)]])
        _settle(links, group, side, out)
        still = np.array([(i, j) for i, j in links.tolist() if i not in out and j not in out], np.int64).reshape(-1, 2)
        within.append(group[still])
    return np.concatenate(within)


def _settle(links: np.ndarray, group: np.ndarray, side: np.ndarray, out: dict[int, str]) -> None:
    """Gives each new group the side of the images it resembles, and leaves out the images that resemble two sides.

    Of two similar old images on different sides, the one farther from the test is left out. Changes `side` and `out`.
    """
    around: dict[int, set[int]] = {}
    for i, j in links.tolist():
        a, b = int(group[i]), int(group[j])
        if a != b:
            around.setdefault(a, set()).add(b)
            around.setdefault(b, set()).add(a)
    gone: set[int] = set()
    waiting = sorted(g for g in around if side[g] != NO_PART)
    while waiting:
        following: set[int] = set()
        for g in waiting:
            following |= {h for h in around[g] if side[h] == NO_PART and h not in gone}
        for h in sorted(following):
            reached = {int(side[k]) for k in around[h] if side[k] != NO_PART and k not in gone}
            if len(reached) > 1:
                gone.add(h)
            else:
                side[h] = reached.pop()
        waiting = sorted(h for h in following if h not in gone)
    for i in np.flatnonzero(np.isin(group, list(gone))).tolist():
        out.setdefault(i, JOINS)
    for i, j in sorted(links.tolist(), key=lambda pair: -int(max(side[group[pair[0]]], side[group[pair[1]]]))):
        if i in out or j in out or side[group[i]] == side[group[j]]:
            continue
        out[i if side[group[i]] < side[group[j]] else j] = NEARLY


def _leave_out_untrained(parts: np.ndarray, labels: np.ndarray, out: dict[int, str]) -> None:
    """Leaves out images of a class without training images: they cannot help to choose a model. A test image counts,
    whatever its class.
    """
    trained = np.zeros(int(labels.max(initial=0)) + 1, bool)
    trained[labels[parts == TRAIN]] = True
    for i in np.flatnonzero((parts != NO_PART) & (parts != TEST) & ~trained[labels]).tolist():
        out[i], parts[i] = NOT_TRAINED, NO_PART


def _place(
    free: np.ndarray,
    parts: np.ndarray,
    group: np.ndarray,
    keys: np.ndarray,
    labels: np.ndarray,
    user_parts: np.ndarray,
    kept: np.ndarray,
    quotas: Mapping[int, np.ndarray],
) -> None:
    """Fills `parts` for the free images: groups of several first, then single ones, by the hash of their content."""
    classes = int(labels.max(initial=0)) + 1
    room = np.zeros((classes, len(PARTS)), np.int64)
    for part in FILLED:
        room[:, part] = quotas[part] - np.bincount(
            labels[kept & (user_parts != TEST) & (parts == part)], minlength=classes
        )
    spare = np.bincount(labels[free], minlength=classes) + np.bincount(labels[parts == TRAIN], minlength=classes)
    several = (np.bincount(group[free]) > 1)[group[free]]
    _place_groups(free[several], group[free][several], parts, keys, labels, room, spare)
    single = free[~several]
    single = single[np.argsort(labels[single], kind="stable")]
    ends = np.cumsum(np.bincount(labels[single], minlength=classes))
    for label in range(classes):
        rows = single[ends[label - 1] if label else 0 : ends[label]]
        rows = rows[np.argsort(keys[rows], kind="stable")]
        for part in FILLED:
            count = int(min(len(rows), max(0, room[label, part]), max(0, spare[label] - 1)))
            parts[rows[:count]], rows = part, rows[count:]
            spare[label] -= count
        parts[rows] = TRAIN


def _place_groups(
    rows: np.ndarray,
    place: np.ndarray,
    parts: np.ndarray,
    keys: np.ndarray,
    labels: np.ndarray,
    room: np.ndarray,
    spare: np.ndarray,
) -> None:
    """A group goes to the first part that has room for it in every class. A part that would stay empty takes the group
    nearest to its quota, if enough others remain to train."""
    if not len(rows):
        return
    order = np.argsort(place, kind="stable")
    blocks = np.split(rows[order], np.flatnonzero(np.diff(place[order])) + 1)
    blocks.sort(key=lambda block: int(keys[block].min()))
    left = []

    def put(block: np.ndarray, counts: tuple[np.ndarray, np.ndarray], part: int) -> None:
        parts[block] = part
        room[counts[0], part] -= counts[1]
        spare[counts[0]] -= counts[1]

    for block in blocks:
        counts = np.unique(labels[block], return_counts=True)
        for part in FILLED:
            if (counts[1] <= room[counts[0], part]).all() and (spare[counts[0]] > counts[1]).all():
                put(block, counts, part)
                break
        else:
            left.append((block, counts))
    singles_wait = int(spare.sum()) > sum(len(block) for block, _ in left)
    for part in (TEST, VALIDATION):
        quota = int(np.maximum(room[:, part], 0).sum())
        if quota and not singles_wait and not (parts == part).any():
            fitting = [k for k, (_, counts) in enumerate(left) if (spare[counts[0]] > counts[1]).all()]
            if fitting:
                put(*left.pop(min(fitting, key=lambda k: abs(len(left[k][0]) - quota))), part)
    for block, _ in left:
        parts[block] = TRAIN


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """All indices, ordered so that every prefix holds the classes in about their own proportions, and each
    class early.
    """
    random = np.random.default_rng(seed)
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        rank[rows] = (np.arange(len(rows)) + random.random()) / len(rows)
        rank[rows[0]] = -1  # one of each class comes first: no subset lacks a class
    return np.argsort(rank, kind="stable")


def sample(labels: np.ndarray, most: int, each: int = 0) -> np.ndarray:
    """About `most` indices, sorted, the same every time: the classes in their own proportions, but at least `each` of
    every class that has that many.
    """
    order = stratified_order(labels, 0)
    rare = [order[labels[order] == label][:each] for label in np.unique(labels)]
    return np.unique(np.concatenate([order[:most], *rare]))
