"""Would a simpler model do? The verdict says what the intervals allow."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide import language
from limpide.audit.rivals import Rival
from limpide.audit.simpler import simpler
from limpide.finding import Finding
from limpide.language import message


def rival(name: str, right: int, n: int = 1000) -> Rival:
    return Rival(message(name), right, n, 500, 1.0)


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
        (1000, [1000], "warn", "A simpler model does just as well here: r0 is right on 100.0 %, too."),
        (0, [0], "warn", "A simpler model does just as well here: r0 is right on 0.0 %, too."),
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


def test_a_rival_without_time_is_named() -> None:
    finding = simpler(rival("net", 700), [rival("a", 300)], [message("random forest on pixels")])
    assert "In that time, random forest on pixels could not be fitted to even a few images." in [str(d) for d in finding.details]


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
