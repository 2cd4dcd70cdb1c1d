"""Would a simpler model do? The verdict says what paired tests allow, with all rivals counted against it."""

from __future__ import annotations

import json
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.baselines import majority
from limpide.baselines.baseline import ComparedModel
from limpide.baselines.registry import BASELINES
from limpide.baselines.verdict import JudgedImages, LimitsMet, baselines_finding
from limpide.core.finding import Finding
from limpide.statistics.intervals import interval_of_share
from limpide.text.language import use_language

ALL = LimitsMet(500)
BY_KEY = {baseline.key: baseline for baseline in BASELINES}
NAMES = {key: one.name for key, one in BY_KEY.items()} | {majority.KEY: majority.NAME, "network": "the network"}


def model(
    key: str, right: np.ndarray, rows: np.ndarray | None = None, n_train: int = 500, **values: int
) -> ComparedModel:
    rows = np.arange(len(right)) if rows is None else rows
    return ComparedModel(np.asarray(right, bool), rows, n_train, 1.0, key=key, name=NAMES[key], **values)


def first(right: int, n: int = 1000) -> np.ndarray:
    """The first `right` of n images are known: of two such models one has all that the other has."""
    return np.arange(n) < right


def last(right: int, n: int = 1000) -> np.ndarray:
    return first(right, n)[::-1]


def said(finding: Finding) -> str:
    return str(finding).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("network", "rivals", "verdict", "says"),
    [
        (
            first(980),
            [first(900), first(500)],
            "ok",
            "No simpler model does as well: the best of them, {0}, is wrong 5 times as often.",
        ),
        (
            first(1000),
            [first(900), first(950)],
            "ok",
            (
                "No simpler model does as well: the best of them, {1}, is wrong on 5.0 % of the images, the network "
                "on none."
            ),
        ),
        (
            first(900),
            [first(980), first(500)],
            "bad",
            "A simpler model does better: {0} names 98.0 % of the images correctly. Use it, or train longer.",
        ),
        (
            first(900),
            [first(905), first(500)],
            "warn",
            (
                "A simpler model may do: {0} names 90.5 % of the images correctly and is shown to be behind the "
                "network on less than 2.0 % of them."
            ),
        ),
        (
            first(900),
            [first(898), first(500)],
            "warn",
            (
                "A simpler model may do: {0} names 89.8 % of the images correctly and is shown to be behind the "
                "network on less than 2.0 % of them."
            ),
        ),
        (
            first(900),
            [last(905)],
            "unknown",
            (
                "These 1,000 test images cannot tell whether a simpler model would do: {0}, the best of 1, names "
                "90.5 % correctly, the network 90.0 %."
            ),
        ),
        (
            first(1000),
            [first(1000)],
            "warn",
            (
                "A simpler model may do: {0} names 100.0 % of the images correctly and is shown to be behind the "
                "network on less than 2.0 % of them."
            ),
        ),
        (
            first(20, 20),
            [first(20, 20)],
            "unknown",
            (
                "These 20 test images cannot tell whether a simpler model would do: {0}, the best of 1, names "
                "100.0 % correctly, the network 100.0 %."
            ),
        ),
    ],
)
def test_verdicts(network: np.ndarray, rivals: list[np.ndarray], verdict: str, says: str) -> None:
    keys = ["logistic", "forest"]
    finding = baselines_finding(
        model("network", network), [model(key, right) for key, right in zip(keys, rivals, strict=False)], ALL
    )
    assert finding.verdict == verdict and said(finding) == says.format(*(NAMES[key] for key in keys))


def test_the_same_images_tell_more_than_two_intervals() -> None:
    """95 against 92 %: the intervals of 400 images overlap, yet not one image speaks for the rival."""
    assert baselines_finding(model("network", first(380, 400)), [model("forest", first(368, 400))], ALL).verdict == "ok"


def test_the_same_gap_on_few_images_tells_nothing() -> None:
    assert (
        baselines_finding(model("network", first(19, 20)), [model("forest", first(16, 20))], ALL).verdict == "unknown"
    )
    assert (
        baselines_finding(model("network", first(1900, 2000)), [model("forest", last(1600, 2000))], ALL).verdict == "ok"
    )


def test_the_more_rivals_to_choose_from_the_stricter_the_test() -> None:
    network, better = first(850), model("forest", first(857))  # seven images for the rival, none against: p = 1/128
    hopeless = [model(key, first(100)) for key in ("logistic", "nearest", "frozen", "majority")]
    assert baselines_finding(model("network", network), [better], ALL).verdict == "bad"
    assert baselines_finding(model("network", network), [better, *hopeless], ALL).verdict != "bad"


def test_a_rival_that_is_not_beaten_keeps_the_network_from_being_fine() -> None:
    finding = baselines_finding(
        model("network", first(980)), [model("forest", first(975)), model("logistic", first(100))], ALL
    )
    assert finding.verdict == "warn"
    finding = baselines_finding(
        model("network", first(980)), [model("forest", last(970)), model("logistic", first(100))], ALL
    )
    assert finding.verdict == "unknown", "not as good for sure, and not worse for sure"


def test_they_are_compared_on_the_images_that_both_named() -> None:
    """The rival was asked about hard images only: there it is as right as the network."""
    network, asked = first(500), np.arange(400, 600)
    finding = baselines_finding(model("network", network), [model("nearest", network[asked], asked)], ALL)
    assert finding.data["paired"]["nearest"] | {"close": 0, "better": 0, "worse": 0} == {
        "n": 200,
        "first": 0,
        "second": 0,
        "close": 0,
        "better": 0,
        "worse": 0,
    }
    assert finding.verdict == "warn"


def test_images_that_belong_together_count_together() -> None:
    """40 images speak for the rival, none against, all of one patient."""
    network, rival, patients = first(360, 400), first(400, 400), np.arange(400) // 40
    assert baselines_finding(model("network", network), [model("forest", rival)], ALL).verdict == "bad"
    finding = baselines_finding(model("network", network), [model("forest", rival)], ALL, JudgedImages(patients))
    share = interval_of_share(network, patients)
    assert finding.table and finding.table.rows[0][1:4] == [share.value, share.low, share.high], (
        "the very interval of the accuracy"
    )
    assert finding.verdict == "unknown" and any("belong together" in str(detail) for detail in finding.details)


# -- on noise


def test_on_noise_no_simpler_model_may_do() -> None:
    """Coin flips of a network and of rivals on 60 images: at most a few alarms, and it is said that neither beats the
    most frequent class.
    """
    random, told, draws = np.random.default_rng(0), [], 60
    for _ in range(draws):
        rivals = [model(key, random.random(60) < 0.5) for key in ("logistic", "forest", "nearest", "frozen")]
        told.append(
            baselines_finding(
                model("network", random.random(60) < 0.5), [*rivals, model("majority", random.random(60) < 0.55)], ALL
            )
        )
    assert (
        sum(finding.verdict in ("warn", "bad") for finding in told) <= 0.05 * draws + 3 * (draws * 0.05 * 0.95) ** 0.5
    )
    without = [
        finding
        for finding in told
        if finding.verdict == "unknown" and "beats always naming the most frequent class" not in str(finding)
    ]
    assert len(without) <= 0.15 * draws, "but for draws in which one of them beats it by luck"
    assert not any("may do" in str(finding) for finding in told if finding.verdict == "unknown")


def test_where_the_most_frequent_class_is_nearly_all_it_may_do() -> None:
    finding = baselines_finding(
        model("network", first(991)), [model("majority", first(990)), model("forest", first(989))], ALL
    )
    assert finding.verdict == "warn" and said(finding).startswith(
        "Always naming the most frequent class may do: it is right on 99.0 %"
    )


def test_a_better_rival_that_knows_only_the_most_frequent_class_is_told_as_that() -> None:
    finding = baselines_finding(
        model("network", first(700)), [model("majority", first(900)), model("forest", first(903))], ALL
    )
    assert finding.verdict == "bad"
    assert "It is not shown that random forest on pixels beats always naming the most frequent class." in [
        str(detail) for detail in finding.details
    ]


# -- what they had


def details(rivals: list[ComparedModel], had: LimitsMet) -> list[str]:
    return [str(detail) for detail in baselines_finding(model("network", first(700)), rivals, had).details]


def test_all_images_are_said_to_be_all() -> None:
    found = details([model("forest", first(300)), model("logistic", first(200))], ALL)
    assert found[0] == "Every simpler model learned from all 500 training images." and not any(
        "More could" in line for line in found
    )


def test_a_rival_that_was_cut_short_says_what_it_got() -> None:
    found = details([model("forest", first(300)), model("logistic", first(200), n_train=120)], ALL)
    assert "Training images of logistic regression on pixels: 120 of 500. More could change its answers." in found
    assert not any("all 500" in line or "forest" in line for line in found) and any(
        "counted, not timed" in line for line in found
    )


def test_where_a_time_was_asked_for_it_is_said() -> None:
    found = details([model("forest", first(300), n_train=64)], LimitsMet(500, 3.0, [BY_KEY["logistic"]]))
    assert "In 3.0 s, logistic regression on pixels could not be fitted to even a few images." in [
        line.replace("\N{NO-BREAK SPACE}", " ") for line in found
    ]
    assert any(line.startswith("Each simpler model had 3") for line in found) and not any(
        "counted" in line for line in found
    )
    assert "There was no time for logistic regression on pixels." in details(
        [model("majority", first(300))], LimitsMet(500, 0.0, (), [BY_KEY["logistic"]])
    )


def test_what_the_trees_of_a_forest_drew_is_said() -> None:
    assert "Each of the 100 trees of the forest drew 200 of its 500 training images." in details(
        [model("forest", first(300), drawn=200)], ALL
    )
    assert not any("drew" in line for line in details([model("forest", first(300), drawn=500)], ALL))


def test_the_table_has_the_network_first_and_the_rivals_from_best_to_worst() -> None:
    finding = baselines_finding(
        model("network", first(700)),
        [model("forest", first(300)), model("nearest", first(900)), model("logistic", first(500))],
        ALL,
    )
    assert finding.table and [str(row[0]) for row in finding.table.rows] == [
        NAMES[key] for key in ("network", "nearest", "logistic", "forest")
    ]
    for row in finding.table.rows:
        assert len(row) == len(finding.table.columns) and row[2] < row[1] < row[3]


@given(st.integers(1, 300), st.data())
def test_any_result_can_be_told_in_every_language(n: int, data: st.DataObject) -> None:
    answers = [np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n))) for _ in range(2)]
    few = np.sort(np.random.default_rng(n).permutation(n)[: max(1, n // 2)])
    rivals = [
        model("logistic", answers[1]),
        model("majority", np.zeros(n, bool)),
        model("nearest", answers[0][few], few),
    ]
    groups = data.draw(st.sampled_from([None, np.arange(n) // 3]))
    finding = baselines_finding(
        model("network", answers[0]),
        rivals,
        data.draw(st.sampled_from([ALL, LimitsMet(900, 1.0, [BY_KEY["frozen"]])])),
        JudgedImages(groups),
    )
    again = Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False)))
    assert again.verdict == finding.verdict
    for code in ("fr", "en"):
        use_language(code)
        assert "{" not in str(again) + "".join(map(str, again.details))


# -- how often it accuses in vain


def drawn(
    random: np.random.Generator, accuracies: list[float], groups: int, size: int, alike: float
) -> list[np.ndarray]:
    """Answers of several models to the same images: some images, and some groups, are hard for all of them, some for
    one. alike: within groups.
    """
    whole, image = random.standard_normal((groups, 1)), random.standard_normal((groups, size))
    found = []
    for accuracy in accuracies:
        of_groups = (whole + random.standard_normal((groups, 1))) / 2**0.5
        of_images = (image + random.standard_normal((groups, size))) / 2**0.5
        found.append((alike**0.5 * of_groups + (1 - alike) ** 0.5 * of_images).ravel() < NormalDist().inv_cdf(accuracy))
    return found


@pytest.mark.parametrize(
    ("groups", "size", "alike"),
    [
        (20, 1, 0.0),
        (80, 1, 0.0),
        (400, 1, 0.0),
        (2000, 1, 0.0),
        (20, 4, 0.5),
        (40, 10, 0.2),
        (100, 20, 1.0),
        (200, 10, 0.5),
    ],
)
@pytest.mark.parametrize("accuracy", [0.55, 0.8, 0.96])
def test_it_seldom_accuses_in_vain(groups: int, size: int, alike: float, accuracy: float) -> None:
    """Where all rivals are as good as the network none is called better; where all are behind by the margin none may
    do: each at most 5 % (3 σ).
    """
    random, draws = np.random.default_rng(3), 100
    images = JudgedImages(None if size == 1 else np.repeat(np.arange(groups), size))
    keys = ["logistic", "forest", "nearest", "frozen"]
    better = close = 0
    for _ in range(draws):
        network, *equal = drawn(random, [accuracy] * 5, groups, size, alike)
        better += (
            baselines_finding(
                model("network", network),
                [model(key, right) for key, right in zip(keys, equal, strict=True)],
                ALL,
                images,
            ).verdict
            == "bad"
        )
        network, *behind = drawn(random, [accuracy, *[accuracy - 0.02] * 4], groups, size, alike)
        close += baselines_finding(
            model("network", network),
            [model(key, right) for key, right in zip(keys, behind, strict=True)],
            ALL,
            images,
        ).verdict in ("warn", "bad")
    most = draws * 0.05 + 3 * (draws * 0.05 * 0.95) ** 0.5
    assert better <= most and close <= most


@pytest.mark.parametrize("late", [True, False])
def test_no_simpler_model_does_as_well_is_not_said_where_one_was_not_fitted(late: bool) -> None:
    missing = [BY_KEY["forest"]]
    had = LimitsMet(500, 2.0, late=missing) if late else LimitsMet(500, 2.0, left_out=missing)
    finding = baselines_finding(model("network", first(980)), [model("majority", first(300))], had)
    assert finding.verdict == "unknown" and "could be compared" in str(finding.message)
    assert not any("Every simpler model learned" in str(line) for line in finding.details)
