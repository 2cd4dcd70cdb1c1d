"""Would a simpler model do? The rivals get no more time than the network, and the verdict says what the intervals allow."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from limpide import language
from limpide.audit import simpler as audit
from limpide.audit.simpler import FIRST_SUBSET, Rival, majority, pixels, simpler, within
from limpide.finding import Finding
from limpide.language import message


def rival(name: str, right: int, n: int = 1000) -> Rival:
    return Rival(message(name), right, n, 500, 1.0)


class Clock:
    """Stands for the computer: a fit takes `cost(n)` seconds of a time that only it moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, per_image: float, power: float = 1.0) -> None:
        self.now, self.per_image, self.power = 0.0, per_image, power
        self.sizes: list[int] = []
        self.subsets: list[np.ndarray] = []
        monkeypatch.setattr(audit.time, "perf_counter", lambda: self.now)

    def fit(self, rows: np.ndarray) -> str:
        self.sizes.append(len(rows))
        self.subsets.append(rows)
        self.now += self.per_image * len(rows) ** self.power
        return f"model of {len(rows)}"


def test_all_images_when_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-6)
    assert within(10, np.arange(6000) % 3, clock.fit, 0) == ("model of 6000", 6000, pytest.approx(0.006))
    assert clock.sizes == [500, 1000, 2000, 4000, 6000]


def test_a_small_set_is_fitted_once_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 100.0)
    assert within(0.0, np.arange(80) % 2, clock.fit, 0)[1] == 80 and clock.sizes == [80]


def test_the_first_subset_is_fitted_even_without_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1.0)
    assert within(1.0, np.arange(6000) % 3, clock.fit, 0)[1:] == (FIRST_SUBSET, FIRST_SUBSET)


@pytest.mark.parametrize("per_image", [1e-3, 2e-3, 5e-4])
def test_the_last_fit_stays_within_the_budget(monkeypatch: pytest.MonkeyPatch, per_image: float) -> None:
    clock = Clock(monkeypatch, per_image)
    model, n, seconds = within(3.0, np.arange(60_000) % 3, clock.fit, 0)
    assert seconds <= 3.0 and model == f"model of {n}" and seconds == pytest.approx(n * per_image)
    assert n >= 0.8 * 3.0 / per_image  # and uses most of it
    assert clock.sizes == sorted(clock.sizes)


def test_a_few_images_more_are_worth_a_fit_only_when_they_are_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-6)
    assert within(10, np.arange(1050) % 2, clock.fit, 0)[1] == 1050 and clock.sizes == [500, 1000, 1050]


def test_every_subset_is_sorted_stratified_and_holds_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-6)
    labels = np.array([0] * 3900 + [1] * 90 + [2] * 10)
    within(10, labels, clock.fit, 3)
    for rows in clock.subsets:
        assert (np.diff(rows) > 0).all() and set(labels[rows]) == {0, 1, 2}
    for small, large in zip(clock.subsets, clock.subsets[1:], strict=False):
        assert set(small.tolist()) <= set(large.tolist())


def test_always_the_majority_is_that_of_training() -> None:
    found = majority(np.array([0, 1, 1, 2]), np.array([1, 0, 0, 0]))
    assert (found.right, found.n_test, found.n_train, found.seconds) == (1, 4, 4, 0.0)


def test_logistic_regression_on_pixels_is_that() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = rng.integers(0, 90, (120, 6, 6, 1), dtype=np.uint8)
    images[labels == 1, :3] += 100
    found = pixels(images[:80], labels[:80], images[80:], labels[80:], 5.0, 0)
    assert (found.right, found.n_test, found.n_train) == (40, 40, 80) and found.seconds > 0
    flat = (images.reshape(120, -1).astype(np.float32) - 127.5) / 63.75
    theirs = LogisticRegression(C=0.01, max_iter=60, tol=1e-3).fit(flat[:80], labels[:80])
    assert found.right == (theirs.predict(flat[80:]) == labels[80:]).sum()


# -- the verdict


@pytest.mark.parametrize(
    ("network", "rivals", "verdict", "says"),
    [
        (980, [900, 500], "ok", "No simpler model does as well: the best of them, r0, is wrong 5 times as often."),
        (1000, [900, 950], "ok", "No simpler model does as well: the best of them, r1, is wrong on 5.0 % of the images, the network on none."),
        (900, [980, 500], "bad", "A simpler model does better: r0 is right on 98.0 %. Use that, or train longer."),
        (900, [905, 500], "warn", "A simpler model may do: r0 is right on 90.5 %, and the difference could be luck."),
        (900, [895, 500], "warn", "A simpler model may do: r0 is right on 89.5 %, and the difference could be luck."),
        (920, [900], "warn", "A simpler model may do: r0 is right on 90.0 %, and the difference could be luck."),
        (900, [920], "warn", "A simpler model may do: r0 is right on 92.0 %, and the difference could be luck."),
        (1000, [1000], "warn", "A simpler model may do: r0 is right on 100.0 %, and the difference could be luck."),
        (0, [0], "warn", "A simpler model may do: r0 is right on 0.0 %, and the difference could be luck."),
    ],
)
def test_verdicts(network: int, rivals: list[int], verdict: str, says: str) -> None:
    finding = simpler(rival("net", network), [rival(f"r{k}", right) for k, right in enumerate(rivals)])
    assert finding.verdict == verdict and str(finding).replace("\N{NO-BREAK SPACE}", " ") == says


def test_the_same_gap_on_few_images_could_be_luck() -> None:
    assert simpler(rival("net", 19, 20), [rival("r", 16, 20)]).verdict == "warn"
    assert simpler(rival("net", 1900, 2000), [rival("r", 1600, 2000)]).verdict == "ok"


def test_rivals_with_other_numbers_of_images_are_compared_by_share() -> None:
    finding = simpler(rival("net", 9500, 10_000), [rival("many", 8000, 10_000), rival("few", 180, 200)])
    assert str(finding.message.values["rival"]["id"]) == "few" and finding.verdict == "ok"


def test_the_table_has_the_network_first_and_the_rivals_from_best_to_worst() -> None:
    finding = simpler(rival("net", 700), [rival("c", 300), rival("a", 900), rival("b", 500)])
    assert finding.table and [str(row[0]) for row in finding.table.rows] == ["net", "a", "b", "c"]
    for row in finding.table.rows:
        assert len(row) == len(finding.table.columns) and row[2] < row[1] < row[3]


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_any_result_can_be_told_in_every_language(n: int, m: int, data: st.DataObject) -> None:
    network, other = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    finding = simpler(rival("the network", network, n), [rival("logistic regression on pixels", other, m), rival("always the most frequent class", 0, m)])
    again = Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False)))
    language.use("en")
    assert "logistic regression on pixels" in str(again) or other == 0
    if finding.verdict == "ok":
        assert network / n > other / m
    if finding.verdict == "bad":
        assert network / n < other / m
    language.use("fr")
    assert "régression logistique" in str(again) or other == 0
    language.use("en")
