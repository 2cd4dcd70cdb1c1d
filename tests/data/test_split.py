"""Who serves for what: quotas, whole groups, the same split for the same files, and nothing of test seen in
training.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from limpide.core.errors import RunError
from limpide.core.run import Run
from limpide.data.dataset import CALIBRATION, PARTS, TEST, VALIDATION
from limpide.data.near_duplicates import find_every_pair, find_pairs
from limpide.data.split import (
    GROUP_CUT,
    JOINS,
    LEAKED,
    LEAKED_VALIDATION,
    NEARLY,
    NOT_TRAINED,
    TWO_LABELS,
    Division,
    split,
    stratified_order,
)
from limpide.data.split_file import check_split, earlier_parts, read_split, write_excluded, write_split
from limpide.workflows.train.split import EarlierSplit, find_earlier_split

SHARES = {TEST: 0.2, VALIDATION: 0.1, CALIBRATION: 0.1}


def hashes(n: int, salt: str = "") -> list[str]:
    return [hashlib.sha256(f"{salt}{k}".encode()).hexdigest() for k in range(n)]


def keys(names: list[str]) -> np.ndarray:
    return np.array([int(name[:16], 16) for name in names], np.uint64)


def codes(names: list[str]) -> np.ndarray:
    return np.array([PARTS.index(name) for name in names], np.uint8)


def earlier_split(parts: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(keys(list(parts)))
    return keys(list(parts))[order], codes(list(parts.values()))[order]


def divided(
    contents: list[str],
    labels: list[int],
    given_: list[str] | None = None,
    earlier: dict[str, str] | None = None,
    shares: dict[int, float] = SHARES,
    **more: object,
) -> tuple[list[str], dict[int, str]]:
    found = whole(contents, labels, given_, earlier, shares, **more)
    return [PARTS[part] for part in found.parts], found.out


def whole(
    contents: list[str],
    labels: list[int],
    given_: list[str] | None = None,
    earlier: dict[str, str] | None = None,
    shares: dict[int, float] = SHARES,
    **more: object,
) -> Division:
    before = earlier_split(earlier) if earlier else None
    return split(
        keys(contents),
        np.array(labels, np.int64),
        codes(given_ or [""] * len(contents)),
        shares,
        earlier=before,
        **more,
    )  # type: ignore[arg-type]


def counts(parts: list[str], labels: list[int]) -> dict[int, tuple[int, ...]]:
    """label → how many train, validate, calibrate, test."""
    found = Counter(zip(labels, parts, strict=True))
    return {
        label: tuple(found[label, part] for part in ("train", "validation", "calibration", "test"))
        for label in sorted(set(labels))
    }


# -- how many


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (2, (1, 0, 0, 1)),
        (3, (1, 1, 0, 1)),
        (4, (2, 1, 0, 1)),
        (5, (3, 1, 0, 1)),
        (10, (7, 1, 0, 2)),
        (15, (10, 2, 0, 3)),
        (100, (70, 10, 0, 20)),
    ],
)
def test_quotas_of_a_class(n: int, expected: tuple[int, ...]) -> None:
    parts, out = divided(hashes(2 * n), [0] * n + [1] * n)
    assert counts(parts, [0] * n + [1] * n) == {0: expected, 1: expected} and out == {}


def test_calibration_has_its_own_part_from_a_thousand_images_on() -> None:
    for n, share in ((998, 0), (1000, 50)):
        labels = [0] * (n // 2) + [1] * (n // 2)
        found = counts(divided(hashes(n), labels)[0], labels)
        assert found[0][2] == found[1][2] == share
        assert found[0] == (round(n / 2 * (0.6 if share else 0.7)), round(n / 20), share, round(n / 10))


def test_a_class_of_one_trains_and_nothing_else() -> None:
    parts, out = divided(hashes(21), [0] * 20 + [1])
    assert parts[20] == "train" and out == {}


def test_a_share_of_nothing_takes_nothing() -> None:
    parts, _ = divided(hashes(40), [0] * 20 + [1] * 20, shares={TEST: 0.2, VALIDATION: 0.0, CALIBRATION: 0.0})
    assert Counter(parts) == {"train": 32, "test": 8}


def test_however_much_is_held_out_something_trains() -> None:
    for n in (1, 2, 3, 4, 5):
        parts, out = divided(hashes(2 * n), [0] * n + [1] * n, shares={TEST: 0.8, VALIDATION: 0.1, CALIBRATION: 0.0})
        assert set(parts[:n]) >= {"train"} and set(parts[n:]) >= {"train"} and out == {}


# -- groups


cases = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 2)), min_size=1, max_size=60)


@given(cases, st.randoms(use_true_random=False))
def test_whole_groups_one_side_whatever_the_order(rows: list[tuple[int, int]], random: object) -> None:
    groups, labels = [hashes(26)[g] for g, _ in rows], [label for _, label in rows]
    parts, out = divided(groups, labels)
    sides, names = defaultdict(set), defaultdict(set)
    for group, label, part in zip(groups, labels, parts, strict=True):
        sides[group].add(part)
        names[group].add(label)
    assert all(len(side) == 1 for side in sides.values())
    assert set(parts) <= {"train", "validation", "test", ""}
    assert {i for i, part in enumerate(parts) if part == ""} == set(out)
    for i, group in enumerate(groups):
        assert (len(names[group]) > 1) == (out.get(i) == TWO_LABELS)
    for label in set(labels):
        own = [parts[i] for i in range(len(rows)) if labels[i] == label and parts[i]]
        assert not own or "train" in own
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    again, _ = divided([groups[i] for i in order], [labels[i] for i in order])
    assert [again[order.index(i)] for i in range(len(rows))] == parts


def test_the_same_image_twice_is_on_one_side_a_hundred_times() -> None:
    groups = [h for h in hashes(100) for _ in range(2)]
    labels = [0] * 100 + [1] * 100
    parts, _ = divided(groups, labels)
    assert all(parts[k] == parts[k + 1] for k in range(0, 200, 2))
    assert counts(parts, labels)[0] == (70, 10, 0, 20)


def test_a_group_larger_than_the_quota_trains() -> None:
    parts, _ = divided(["a" * 64] * 30 + hashes(10), [0] * 40)
    assert set(parts[:30]) == {"train"} and parts.count("test") == 8


def test_two_labels_for_one_image_leave_both_out() -> None:
    parts, out = divided([*hashes(20), hashes(20)[3]], [*[0] * 10, *[1] * 10, 1])
    assert out == {3: TWO_LABELS, 20: TWO_LABELS} and parts[3] == parts[20] == ""


# -- parts the user gave


def test_given_parts_are_kept_and_nothing_is_taken_from_them() -> None:
    labels = [0, 1] * 30
    given_ = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    parts, out = divided(hashes(60), labels, given_)
    assert parts == given_ and out == {}


def test_with_a_given_test_validation_is_taken_from_the_rest() -> None:
    labels = [0, 1] * 30
    parts, _ = divided(hashes(60), labels, ["train"] * 40 + ["test"] * 20)
    assert parts[40:] == ["test"] * 20 and Counter(parts[:40]) == {"train": 36, "validation": 4}


def test_with_training_images_only_a_test_is_held_out() -> None:
    parts, _ = divided(hashes(40), [0, 1] * 20, ["train"] * 40)
    assert Counter(parts) == {"train": 28, "validation": 4, "test": 8}


def test_what_is_in_the_test_trains_nowhere() -> None:
    groups = [*hashes(20), *hashes(4), *hashes(6, "t")]
    given_ = ["train"] * 20 + ["test"] * 10
    parts, out = divided(groups, [0, 1] * 15, given_)
    assert out == dict.fromkeys(range(4), LEAKED) and parts[20:] == ["test"] * 10


def test_what_is_in_validation_does_not_train() -> None:
    groups = [*hashes(20), *hashes(2), *hashes(8, "v"), *hashes(1), *hashes(9, "t")]
    given_ = ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
    labels = [0, 1] * 20
    parts, out = divided(groups, labels, given_)
    assert out == {0: LEAKED, 20: LEAKED, 1: LEAKED_VALIDATION}
    assert [parts[i] for i in (0, 1, 20, 21, 30)] == ["", "", "", "validation", "test"]


def test_a_class_that_only_the_test_has_counts_there() -> None:
    parts, out = divided(hashes(24), [0, 1] * 10 + [2] * 4, ["train"] * 20 + ["test"] * 4)
    assert not out and parts[20:] == ["test"] * 4


def test_a_class_that_only_the_validation_has_cannot_choose() -> None:
    parts, out = divided(
        hashes(28), [0, 1] * 10 + [2] * 4 + [0, 1] * 2, ["train"] * 20 + ["validation"] * 4 + ["test"] * 4
    )
    assert out == dict.fromkeys(range(20, 24), NOT_TRAINED) and parts[20:24] == [""] * 4


# -- a folder that grew


@given(st.integers(5, 60), st.integers(1, 40), st.integers(0, 1000))
def test_a_folder_that_grew_keeps_every_file_where_it_was(before: int, more: int, salt: int) -> None:
    old = hashes(before, f"{salt}")
    labels = [k % 2 for k in range(before + more)]
    parts, _ = divided(old, labels[:before])
    earlier = dict(zip(old, parts, strict=True))
    both = [*old, *hashes(more, f"new{salt}")]
    again, _ = divided(both, labels, earlier=earlier)
    assert again[:before] == parts
    for label in (0, 1):
        own = [part for part, k in zip(again, labels, strict=True) if k == label]
        if len(own) > 10:
            assert abs(own.count("test") / len(own) - 0.2) <= 1.5 / len(own) + 0.02 or own.count("test") == parts.count(
                "test"
            )


def test_a_folder_grown_by_a_third_fills_the_quotas_again() -> None:
    old, new = hashes(300), hashes(100, "new")
    parts, _ = divided(old, [0] * 150 + [1] * 150)
    again, _ = divided(
        [*old, *new], [0] * 150 + [1] * 150 + [0] * 50 + [1] * 50, earlier=dict(zip(old, parts, strict=True))
    )
    assert again[:300] == parts
    assert counts(again, [0] * 150 + [1] * 150 + [0] * 50 + [1] * 50) == {0: (140, 20, 0, 40), 1: (140, 20, 0, 40)}


def test_without_an_earlier_split_files_would_move() -> None:
    """What inheriting is for: by hash alone, a few old files fall on another side when the quota grows."""
    old, new = hashes(300), hashes(100, "new")
    labels = [0, 1] * 200
    assert divided([*old, *new], labels)[0][:300] != divided(old, labels[:300])[0]


def test_growing_past_a_thousand_gives_calibration_its_part_from_new_images_only() -> None:
    old, new = hashes(900), hashes(300, "new")
    labels = [k % 2 for k in range(1200)]
    parts, _ = divided(old, labels[:900])
    again, _ = divided([*old, *new], labels, earlier=dict(zip(old, parts, strict=True)))
    assert again[:900] == parts and again[900:].count("calibration") == 120


def test_an_earlier_part_gives_way_to_what_the_user_says_now() -> None:
    groups = hashes(40)
    earlier = dict.fromkeys(groups[:10], "test") | dict.fromkeys(groups[10:], "train")
    given_ = ["train"] * 30 + ["test"] * 10
    parts, _ = divided(groups, [0, 1] * 20, given_, earlier)
    assert parts[30:] == ["test"] * 10 and "test" not in parts[:30]


# -- groups that the user gave


def people(n: int, each: int) -> np.ndarray:
    return np.repeat(np.arange(n), each)


@given(st.integers(1, 12), st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
def test_a_group_is_never_cut(n: int, each: int, classes: int, salt: int) -> None:
    groups, labels = people(n, each), [k % classes for k in range(n * each)]
    parts, _ = divided(hashes(n * each, str(salt)), labels, groups=groups)
    for g in range(n):
        assert len({part for part, group in zip(parts, groups, strict=True) if group == g and part}) <= 1
    assert "train" in parts


def test_people_with_one_image_of_each_class_fill_the_quotas() -> None:
    labels = [k % 10 for k in range(2000)]
    parts, _ = divided(hashes(2000), labels, groups=people(200, 10))
    assert Counter(parts) == {"train": 1200, "validation": 200, "calibration": 200, "test": 400}
    assert set(counts(parts, labels).values()) == {(120, 20, 20, 40)}


def test_few_large_groups_leave_no_part_empty() -> None:
    labels = [k % 2 for k in range(300)]
    parts, _ = divided(hashes(300), labels, groups=people(3, 100))
    assert sorted(Counter(parts).items()) == [("test", 100), ("train", 100), ("validation", 100)]
    assert Counter(divided(hashes(200), labels[:200], groups=people(2, 100))[0]) == {"train": 100, "test": 100}


def test_one_group_for_all_trains_and_nothing_is_held_out() -> None:
    assert set(divided(hashes(40), [0, 1] * 20, groups=people(1, 40))[0]) == {"train"}


def test_images_without_a_group_stand_alone() -> None:
    groups = np.where(np.arange(100) < 20, 5, -1)
    parts, _ = divided(hashes(100), [0, 1] * 50, groups=groups)
    assert len(set(parts[:20])) == 1 and Counter(parts)["test"] == 20


def test_groups_reach_through_copies() -> None:
    """Image 0 and its copy are in two groups: then both groups are one."""
    names = hashes(40)
    names[20] = names[0]
    parts, _ = divided(names, [0, 1] * 20, groups=people(4, 10))
    assert len(set(parts[:10]) | set(parts[20:30])) == 1


def test_a_group_across_given_parts_stays_in_the_test() -> None:
    given_ = ["train"] * 30 + ["test"] * 10
    groups = np.where(np.isin(np.arange(40), (3, 4, 35)), 1, -1)
    parts, out = divided(hashes(40), [0, 1] * 20, given_, groups=groups)
    assert out == {3: GROUP_CUT, 4: GROUP_CUT} and parts[35] == "test"


def test_groups_given_later_move_old_images_and_this_is_counted() -> None:
    names, labels = hashes(100), [0, 1] * 50
    before = dict(zip(names, divided(names, labels)[0], strict=True))
    found = whole(names, labels, earlier=before, groups=people(10, 10))
    parts = [PARTS[part] for part in found.parts]
    moved = sum(parts[k] != before[names[k]] for k in range(100))
    assert all(len(set(parts[k : k + 10])) == 1 for k in range(0, 100, 10)) and found.moved == moved > 0


# -- near duplicates


def test_near_duplicates_stay_together() -> None:
    pairs = np.array([(k, k + 1) for k in range(0, 60, 3)] + [(k + 1, k + 2) for k in range(0, 60, 3)])
    parts, out = divided(hashes(60), [k // 3 % 2 for k in range(60)], near=pairs)
    assert out == {} and all(len(set(parts[k : k + 3])) == 1 for k in range(0, 60, 3)) and Counter(parts)["test"] == 12


def test_a_newcomer_that_joins_two_sides_is_left_out() -> None:
    names, labels = hashes(40), [0, 1] * 20
    before = dict(zip(names, divided(names, labels)[0], strict=True))
    train, test = (
        next(k for k in range(40) if before[names[k]] == part and labels[k] == 0) for part in ("train", "test")
    )
    parts, out = divided(
        [*names, *hashes(1, "new")], [*labels, 0], earlier=before, near=np.array([(train, 40), (test, 40)])
    )
    assert out == {40: JOINS} and parts[:40] == list(before.values())


def test_near_duplicates_on_two_sides_of_an_old_split_leave_the_one_farther_from_the_test_out() -> None:
    names, labels = hashes(40), [0, 1] * 20
    before = dict(zip(names, divided(names, labels)[0], strict=True))
    train, test = (
        next(k for k in range(40) if before[names[k]] == part and labels[k] == 0) for part in ("train", "test")
    )
    parts, out = divided(names, labels, earlier=before, near=np.array([(train, test)]))
    assert out == {train: NEARLY} and parts[test] == "test"


def test_a_training_image_like_a_given_test_image_does_not_train() -> None:
    given_ = ["train"] * 30 + ["test"] * 10
    parts, out = divided(hashes(40), [0, 1] * 20, given_, near=np.array([(4, 34), (6, 8)]))
    assert out == {4: NEARLY} and parts[34] == "test" and parts[6] == parts[8] != "test"


@given(st.integers(4, 40), st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=30), st.integers(0, 3))
def test_near_pairs_never_end_on_two_sides(n: int, found: list[tuple[int, int]], held: int) -> None:
    near = np.array([(i, j) for i, j in found if i < j < n] or np.zeros((0, 2), int), np.int64).reshape(-1, 2)
    given_ = ["train"] * (n - held) + ["test"] * held if held else [""] * n
    parts, out = divided(hashes(n), [k % 2 for k in range(n)], given_, near=near)
    for i, j in near.tolist():
        assert i in out or j in out or parts[i] == parts[j]
    assert {k for k in range(n) if not parts[k]} == set(out)


def chain(n: int, bits: int) -> np.ndarray:
    """Prints of n pictures, each `bits` bits from the one before: uint64 (n, 4)."""
    random = np.random.default_rng(3)
    flips = np.zeros((n, 256), bool)
    state = random.random(256) < 0.6
    order = random.permutation(256)
    for k in range(n):
        flips[k] = state
        state = state.copy()
        state[order[k * bits % 256 : k * bits % 256 + bits]] ^= True
    return np.packbits(flips, axis=1).view(np.uint64)


def crossing(prints: np.ndarray, parts: list[str]) -> list[tuple[int, int]]:
    used = [(i, j) for i, j in find_every_pair(prints).tolist() if parts[i] and parts[j]]
    return [(i, j) for i, j in used if (parts[i] == "test") != (parts[j] == "test")]


def test_every_copy_of_a_given_test_image_is_left_out_and_not_only_the_linked_one() -> None:
    prints = np.concatenate(
        [np.repeat(chain(1, 0), 7, 0), np.random.default_rng(0).integers(0, 2**63, (40, 4)).astype(np.uint64)]
    )
    given_ = ["test", *["train"] * 36, *["test"] * 10]
    parts, out = divided(
        hashes(47), [0, *[0] * 6, *[k % 2 for k in range(40)]], given_, near=find_pairs(prints), prints=prints
    )
    assert set(out) == set(range(1, 7)) and crossing(prints, parts) == []


def test_a_chain_of_newcomers_between_two_sides_is_cut_where_it_meets() -> None:
    prints = np.concatenate([chain(12, 20), np.random.default_rng(0).integers(0, 2**63, (40, 4)).astype(np.uint64)])
    names, labels = hashes(52), [0] * 12 + [k % 2 for k in range(40)]
    earlier = (
        {names[0]: "test", names[11]: "train"}
        | dict.fromkeys(names[12:40], "train")
        | dict.fromkeys(names[40:], "test")
    )
    parts, out = divided(names, labels, earlier=earlier, near=find_pairs(prints), prints=prints)
    assert parts[0] == "test" and parts[11] == "train" and crossing(prints, parts) == [] and 0 < len(out) <= 4
    assert set(out.values()) <= {JOINS, NEARLY}


@example([0] * 6, 73, False)  # the links between the rest ran through images that were left out
@given(st.lists(st.integers(0, 5), min_size=2, max_size=24), st.integers(0, 99), st.booleans())
def test_no_near_pair_ends_on_both_sides_of_the_test(kinds: list[int], salt: int, parted: bool) -> None:
    """Pictures of six kinds, alike within a kind or along a chain, exact copies included; every pair is compared."""
    random = np.random.default_rng(salt)
    prints = chain(6, 30)[np.array(kinds)]
    names = [
        hashes(99)[int(random.integers(0, 20))] if random.random() < 0.3 else hashes(99, "x")[k]
        for k in range(len(kinds))
    ]
    prints = np.array([prints[names.index(name)] for name in names])  # the same bytes have the same print
    labels = [k % 2 for k in range(len(kinds))]
    given_ = [str(random.choice(["train", "test"])) for _ in kinds] if parted else None
    earlier = {
        name: str(random.choice(["train", "test", "validation"])) for name in names if random.random() < 0.5
    } or None
    parts, _ = divided(names, labels, given_, earlier, near=find_pairs(prints), prints=prints)
    assert crossing(prints, parts) == []


def test_a_million_images_are_split_in_seconds_and_little_memory() -> None:
    random = np.random.default_rng(0)
    found = split(
        random.integers(0, 2**63, 1_000_000).astype(np.uint64),
        random.integers(0, 10, 1_000_000),
        np.zeros(1_000_000, np.uint8),
        SHARES,
    )
    assert abs(int((found.parts == TEST).sum()) - 200_000) <= 10 and not found.out and found.parts.nbytes == 1_000_000


# -- subsets


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.integers(0, 9))
def test_every_prefix_is_stratified(labels: list[int], seed: int) -> None:
    truth = np.array(labels)
    order = stratified_order(truth, seed)
    assert sorted(order.tolist()) == list(range(len(labels)))
    assert stratified_order(truth, seed).tolist() == order.tolist()
    classes = np.unique(truth)
    assert set(truth[order[: len(classes)]].tolist()) == set(classes.tolist())
    for n in range(len(classes), len(labels) + 1):
        for label in classes:
            share = (truth == label).mean()
            assert abs((truth[order[:n]] == label).sum() - share * n) <= len(classes) + 1


def test_another_seed_is_another_order() -> None:
    labels = np.repeat([0, 1], 50)
    assert stratified_order(labels, 0).tolist() != stratified_order(labels, 1).tolist()


# -- files

HOSTILE = [
    "a,b.jpg",
    'say "no".jpg',
    "new\nline\r.jpg",
    "=1+1",
    "猫🐈/x",
    os.fsdecode(b"caf\xe9/\xff.jpg"),
    " space ",
    "",
    "<script>",
    "'",
]


def division(parts: list[str], together: list[int] | None = None) -> Division:
    return Division(
        codes(parts), {}, np.array(together if together is not None else range(len(parts)), np.int64), 0, 0, {}
    )


def test_split_and_excluded_there_and_back(tmp_path: Path) -> None:
    parts = (["train", "test", "", "validation"] * 3)[: len(HOSTILE)]
    content = keys(hashes(len(HOSTILE)))
    write_split(tmp_path / "split.csv", HOSTILE, HOSTILE[::-1], division(parts), content)
    rows = list(read_split(tmp_path / "split.csv"))
    kept = [i for i in range(len(HOSTILE)) if parts[i]]
    assert [(row["file"], row["label"], row["part"], row["content"], row["group"]) for row in rows] == [
        (HOSTILE[i], HOSTILE[::-1][i], parts[i], f"{int(content[i]):016x}", "") for i in kept
    ]
    known, found = earlier_parts(tmp_path / "split.csv")
    assert known.tolist() == sorted(content[kept].tolist()) and {
        int(k): PARTS[p] for k, p in zip(known, found, strict=True)
    } == {int(content[i]): parts[i] for i in kept}
    write_excluded(tmp_path / "excluded.csv", [(name, LEAKED) for name in HOSTILE])
    assert [tuple(row.values()) for row in read_split(tmp_path / "excluded.csv")] == [
        (name, LEAKED) for name in HOSTILE
    ]
    assert list(read_split(tmp_path / "nothing.csv")) == []


def test_what_was_kept_together_has_a_number(tmp_path: Path) -> None:
    write_split(
        tmp_path / "split.csv",
        list("abcd"),
        ["x"] * 4,
        division(["train", "test", "test", ""], [0, 7, 7, 9]),
        keys(hashes(4)),
    )
    assert [row["group"] for row in read_split(tmp_path / "split.csv")] == ["", "7", "7"]


def test_names_stand_in_the_file_as_the_bytes_they_are(tmp_path: Path) -> None:
    write_split(
        tmp_path / "split.csv", [os.fsdecode(b"caf\xe9.jpg")], ["a"], division(["train"]), np.array([10], np.uint64)
    )
    assert b"caf\xe9.jpg,a,train,000000000000000a,\n" in (tmp_path / "split.csv").read_bytes()


@pytest.mark.parametrize("name", ["=1+1", "+x", "-rf", "@sum", "\tx", "\rx"])
def test_a_spreadsheet_runs_no_name(tmp_path: Path, name: str) -> None:
    """Case 44: a cell that begins like a formula."""
    write_split(tmp_path / "split.csv", [name], [name], division(["train"]), keys(hashes(1)))
    with open(tmp_path / "split.csv", newline="") as stream:
        row = list(csv.reader(stream))[1]
    assert row[0] == row[1] == "'" + name and next(read_split(tmp_path / "split.csv"))["file"] == name


names = st.text(st.characters(exclude_characters="\0"), max_size=12)


@given(st.lists(names, max_size=5))
def test_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, found: list[str]) -> None:
    file = tmp_path_factory.getbasetemp() / "names.csv"
    usable = [name for name in found if os.fsdecode(name.encode("utf-8", "replace")) == name or name.isascii()]
    write_split(file, usable, usable, division(["train"] * len(usable)), keys(hashes(len(usable))))
    assert [row["file"] for row in read_split(file)] == usable


def test_a_spreadsheet_reads_the_columns(tmp_path: Path) -> None:
    write_split(tmp_path / "split.csv", ["a"], ["b"], division(["test"]), np.array([12], np.uint64))
    with open(tmp_path / "split.csv", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["file", "label", "part", "content", "group"],
            ["a", "b", "test", "000000000000000c", ""],
        ]


def run_with_split(folder: Path, **kept: object) -> Run:
    run = Run.create(folder, "photos", {"location": "photos"} | kept)
    write_split(run.split_file, HOSTILE, HOSTILE, division(["train", "test"] * 5), keys(hashes(10)))
    return run


def test_a_split_that_lost_rows_is_refused_and_an_old_run_opens(tmp_path: Path) -> None:
    """Cut at any byte: inside the last row, between two rows, and inside a cell with a line end of its own."""
    run = run_with_split(tmp_path, split_rows=10)
    whole = run.split_file.read_bytes()
    check_split(run)
    run.split_file.write_bytes(whole + b'"' + b"a," * 70_000)  # a cell that no reader of tables takes
    with pytest.raises(RunError, match="L517"):
        check_split(run)
    for size in (0, 5, len(whole) // 3, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        run.split_file.write_bytes(whole[:size])
        with pytest.raises(RunError, match="L517") as caught:
            check_split(run)
        assert f"{caught.value.values['found']} whole rows, and 10 were written" in str(
            caught.value
        ) and "--new" in str(caught.value)
        assert caught.value.values["found"] < 10
    run.split_file.unlink()
    with pytest.raises(RunError, match="L517"):
        check_split(run)
    check_split(run_with_split(tmp_path))  # an older limpide did not write down how many


def test_no_part_is_inherited_from_a_split_that_is_not_whole(tmp_path: Path) -> None:
    older, newer = (run_with_split(tmp_path, split_rows=10) for _ in range(2))
    own = Run.create(tmp_path, "photos", {"location": "photos"})
    job: Any = SimpleNamespace(run=own, dataset=SimpleNamespace(location="photos"))

    def earlier() -> EarlierSplit:
        return find_earlier_split(job)

    assert (earlier().run, earlier().torn) == (newer.path.name, [])
    newer.split_file.write_bytes(newer.split_file.read_bytes()[:-200])
    assert (earlier().run, earlier().torn) == (older.path.name, [newer.path.name])
