"""What each step says it costs, against numbers that were quoted in one sum before each step said its own."""

from __future__ import annotations

import dataclasses

import pytest

from limpide.baselines.cost import cost as cost_of_baselines
from limpide.core.cost import Cost, Facts, FrozenFacts
from limpide.judging import answers, inside, shortcut
from limpide.judging.registry import after_training, seconds_of
from limpide.models import activations, build, multiply_adds, parameters
from limpide.report.html import page
from limpide.workflows.judge import cost_of_score, judging_bytes
from limpide.workflows.train import first_model, fit, seal


def facts_of(name: str, size: int, frozen: FrozenFacts | None = None, **counts: int) -> Facts:
    model = build(name, 3, 3, size)
    given = activations(model, 3, max(size, frozen.size if frozen else 0))
    return Facts(
        **counts,
        classes=3,
        classes_tested=3,
        size=size,
        multiply_adds=multiply_adds(model, 3, size),
        parameter_bytes=4 * parameters(model),
        activation_bytes=given.all,
        layer_bytes=given.largest,
        image_seconds=0.0017,
        decoding_seconds=0.0031,
        multiply_adds_a_second=1.1e10,
        frozen=frozen,
    )


def test_one_step_after_the_other() -> None:
    assert Cost(1.0, 5.0) + Cost(2.0, 3.0) == Cost(3.0, 5.0), "seconds add up; what was held was given back"


def test_a_network_from_scratch() -> None:
    """120 shapes of 32 pixels, a small network, two passes."""
    facts = facts_of("cnn", 32, train=84, validation=12, test=24)
    assert first_model.cost(facts) == Cost()
    assert fit.cost(12, 2.0, 0.013, 0.0204).seconds == pytest.approx(0.1968)
    noted = (84 + 12) * 0.0017  # what the statistics of the file are of
    assert (seal.cost(facts) + cost_of_score(facts)).seconds == pytest.approx(6.14784 + noted)
    assert seconds_of(facts) == {
        "simpler": pytest.approx((84 + 24) * 0.0031 + 11.379377079653295 - 0.1968 - 6.14784 - 1 - 2.1624),
        "inside": 1.0,
        "shortcut": pytest.approx(2.1624),
        "good_parts_alone": 0.0,  # it is asked only where a class is rare
    }
    assert int(max(seal.cost(facts).bytes, judging_bytes(facts))) == 161_880_064


def test_the_score_is_decoding_naming_and_the_report() -> None:
    facts = Facts(test=100, image_seconds=0.1, decoding_seconds=1.0)
    assert answers.cost(facts).seconds == pytest.approx(100 * (1.0 + 1.3 * 0.1))
    assert cost_of_score(facts).seconds == pytest.approx(113 + page.cost().seconds)
    slower = FrozenFacts(224, 0.2)
    assert answers.cost(Facts(test=100, image_seconds=0.1, frozen=slower)).seconds == pytest.approx(100 * 1.3 * 0.2)


def test_asking_for_shortcuts_costs_what_its_classes_cost() -> None:
    facts = Facts(classes_tested=7, multiply_adds=10**9, image_seconds=0.01)
    assert shortcut.cost(facts).seconds == pytest.approx(0.01 * 424 * int(4e11 / (424 * 10**9)))
    few = Facts(classes_tested=7, multiply_adds=10**6, image_seconds=0.01)
    assert shortcut.cost(few).seconds == pytest.approx(7 * 424 * 0.01)
    smaller = Facts(classes_tested=7, multiply_adds=10**6, size=112, frozen=FrozenFacts(224, 0.04))
    assert shortcut.cost(smaller).seconds == pytest.approx(7 * 424 * 0.01), "a quarter of the pixels, of the time"


def test_with_a_time_no_simpler_model_takes_more_than_its_share() -> None:
    scoring = 2000 * 70_600_000 / 1e9  # what a pretrained network says of the test images takes what it takes
    slow = {"train": 10_000, "test": 2000, "classes": 10, "size": 32, "multiply_adds_a_second": 1e9}
    assert cost_of_baselines(Facts(**slow, asked=100.0)).seconds == pytest.approx(4 * 7.0 + 1.0 + scoring)  # type: ignore[arg-type]
    assert cost_of_baselines(Facts(**slow)).seconds > 100  # type: ignore[arg-type]


def test_of_many_images_the_first_model_saw_a_sample_and_only_that_is_counted() -> None:
    def seconds(test: int) -> float:
        sample = FrozenFacts(224, 0.02, 3000, test)
        return cost_of_baselines(facts_of("efficientnet_lite0", 112, sample, train=45_000, test=10_000)).seconds

    assert seconds(2000) - seconds(1000) == pytest.approx(1000 * 0.02, rel=0.1)
    assert seconds(1000) < 10_000 * 0.02, "not what all test images would take"


def test_every_audit_states_its_cost() -> None:
    facts = facts_of("cnn", 32, train=84, validation=12, test=24)
    facts = dataclasses.replace(facts, has_rare_class=True, frozen=FrozenFacts(32, 0.0017))
    for audit in after_training():
        cost = audit.cost(facts)
        assert cost.seconds >= 0 and cost.bytes >= 0 and bool(cost.seconds) == audit.may_be_left_out
    assert inside.cost(facts).bytes == 3.2 * facts.activation_bytes
