"""What belongs together is never cut: groups that the user gave, and near duplicates."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from limpide.data.dataset import PARTS
from limpide.data.near_duplicates import find_every_pair, find_pairs
from limpide.data.split import (
    GROUP_CUT,
    JOINS,
    NEARLY,
)
from tests.data.make_splits import counts, divided, hashes, whole

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
