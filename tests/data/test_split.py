"""Who serves for what: quotas, whole groups, the same split for the same files, and nothing of test seen in
training.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.data.dataset import CALIBRATION, TEST, VALIDATION
from limpide.data.split import (
    LEAKED,
    LEAKED_VALIDATION,
    NOT_TRAINED,
    TWO_LABELS,
    split,
    stratified_order,
)
from tests.data.make_splits import SHARES, counts, divided, hashes

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
