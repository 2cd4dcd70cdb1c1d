"""What a training is told to suffer from: by its curves, a look inside the network, and its answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from limpide.audit.diagnosis import FAULTS, Diagnosis, Rate, TrainingRecord
from limpide.audit.diagnosis import diagnose as diagnose_record
from limpide.audit.diagnosis.answers import easiest_rule, sign_answers
from limpide.audit.diagnosis.finding import diagnosis_finding
from limpide.core.events import Epoch
from limpide.core.examination import Examination, LayerSigns, ValidationSigns
from limpide.core.finding import Verdict
from limpide.core.run_info import RunInfo
from limpide.text.messages import Message

GUESS = math.log(10)
SOUND = LayerSigns("layer.weight", 1e-3, 1e-3, 0.5, 0.0, 0.0)


def diagnose(
    losses: Sequence[float], epochs: Sequence[Epoch], kept: str | None = None, guess: float = math.inf
) -> list[tuple[Verdict, Message]]:
    """By the curves alone."""
    return [
        (one.verdict, one.message) for one in diagnose_record(TrainingRecord(losses, epochs, kept=kept, guess=guess))
    ]


def passes(*validation: float) -> list[Epoch]:
    return [Epoch(n, n + 1, 2.0, loss, 0.1, False, 0.0) for n, loss in enumerate(validation)]


def noisy(losses: Sequence[float], spread: float = 0.05) -> list[float]:
    return (np.asarray(losses) + np.random.default_rng(0).normal(0, spread, len(losses))).tolist()


@pytest.mark.parametrize(
    ("losses", "validation", "kind", "words"),
    [
        # a rate far too high, in few steps
        ([2.3, 40, 90, 30, 12, 6, 3.5, 2.8, 2.6, *[2.4] * 41], (2.31, 2.31), "bad", "rose to 90"),
        ([2.3, 2e5, 1e6, *[5e4] * 47], (1e4, 9e3), "bad", "too high"),
        (noisy([2.3] * 50), (2.31, 2.3), "warn", "Nothing was learned"),
        (noisy([2.3] * 12), (2.31,), "warn", "Nothing was learned"),
        (noisy([2.3] * 50), (2.31, 1.9), "ok", "Learned"),  # validation says that something was
        (noisy(np.linspace(2.3, 0.4, 50).tolist()), (1.5, 0.9), "ok", "Learned without overfitting"),
        # a leap that was made good
        ([2.3, 9.0, *np.linspace(4, 0.3, 48).tolist()], (1.5, 0.4), "ok", "Learned without overfitting"),
        ([2.3] * 9, (2.3,), "ok", "One epoch done"),  # too few steps to say so
    ],
)
def test_what_is_said_when_it_is_over(
    losses: list[float], validation: tuple[float, ...], kind: str, words: str
) -> None:
    found = diagnose(losses, passes(*validation), "trained", guess=GUESS)
    assert found[0][0] == kind and words in str(found[0][1])


@pytest.mark.parametrize(
    ("kept", "best", "kind", "words"),
    [
        (None, 1, "warn", "It overfits from epoch 3 on"),
        ("trained", 1, "ok", "The weights after epoch 2 are kept, from before it overfits: from epoch 3 on"),
        (
            "fine-tuned",
            3,
            "warn",
            (
                "The weights after epoch 4 are kept: they had the highest validation accuracy. However, it overfits "
                "from epoch 3 on"
            ),
        ),
        (
            "frozen",
            1,
            "ok",
            "Fine-tuning did no better on validation than the first model, so the first model is kept.",
        ),
    ],
)
def test_what_is_said_is_said_of_the_model_that_is_kept(kept: str | None, best: int, kind: str, words: str) -> None:
    found = diagnose([], rising(best), kept, guess=GUESS)
    assert len(found) == 1 and found[0][0] == kind and str(found[0][1]).startswith(words)


def test_a_loss_that_rose_after_the_pass_that_is_kept_is_no_headline_of_its_own() -> None:
    losses, epochs = [*[1.0] * 60, *[5.0] * 60], rising(1)
    assert str(diagnose(losses, epochs, "trained", guess=math.inf)[0][1]).startswith(
        "The weights after epoch 2 are kept; later the loss rose to twice"
    )
    assert str(diagnose(losses, epochs, guess=math.inf)[0][1]).startswith("The loss is twice its initial value")
    flat = [Epoch(n, 10 * n + 10, 1.0, 0.5 if n == 1 else 0.505, 0.8, n <= 1, 0.0) for n in range(5)]
    assert (
        str(diagnose([], flat, "trained")[0][1])
        == "The weights after epoch 2 are kept; the validation loss has not fallen since epoch 2."
    )
    assert str(diagnose([], flat)[0][1]) == "The validation loss has not fallen since epoch 2."


def rising(best: int) -> list[Epoch]:
    """Passes after the second of which validation rises, although a later one, `best`, may have more of it right."""
    return [Epoch(n, 10 * n + 10, 1.0 / (n + 1), 0.5 + 0.1 * abs(n - 1), 0.8, n in (0, best), 0.0) for n in range(5)]


def test_while_it_goes_on_few_steps_say_nothing() -> None:
    assert all(kind == "ok" for kind, _ in diagnose([2.3] * 60, passes(2.3), guess=GUESS))
    assert diagnose([2.3] * 100, passes(2.3), guess=GUESS)[0][0] == "warn"


def test_without_the_number_of_classes_the_beginning_is_the_measure() -> None:
    assert diagnose([1.0] * 20 + [3.0] * 80, [])[0][0] == "bad"
    assert diagnose([1.0] * 100, [])[0][0] == "warn"
    assert diagnose(np.linspace(1, 0.1, 100).tolist(), [], guess=GUESS)[0][0] == "ok"


@pytest.mark.parametrize("kept", [None, "trained", "fine-tuned"])
def test_without_validation_nothing_is_said_of_it(kept: str | None) -> None:
    epochs = [Epoch(n, 8 * n + 8, 2.0 - n / 4, 2.0 - n / 4, 0.0, True, 0.0) for n in range(5)]
    (kind, says), *rest = diagnose(noisy([2.0, 1.5, 1.0] * 8), epochs, kept)
    assert not rest and kind == "unknown" and "validation" not in str(says)
    assert "went from 2 in the first epoch to 1 in the last" in str(says) and "no image was set aside" in str(says)


# -- the faults, each by its own sign


def record(
    losses: Sequence[float] | None = None,
    trained: float = 0.95,
    validation: float = 0.93,
    rate: tuple[str, float, float] = ("adamw", 0.001, 0.001),
    layers: Sequence[LayerSigns] = (SOUND,) * 3,
    outputs_vary: bool = True,
    rollbacks: Sequence[int] = (),
    **signs: object,
) -> TrainingRecord:
    """A sound training of four epochs, but for what is given. signs: of the answers on validation."""
    steps = np.linspace(2.3, 0.3, 200) if losses is None else losses
    epochs = [
        Epoch(
            k, 50 * (k + 1), 1.8 - 0.5 * k, 1.7 - 0.45 * k, validation * (k + 1) / 4, True, 0.0, trained * (k + 1) / 4
        )
        for k in range(4)
    ]
    answers = dict(n=300, accuracy=validation, images=(100,) * 3, named=(100,) * 3, suspects=3, rule=0.6, rule_pixels=5)
    looked = Examination(4, 128, tuple(layers), outputs_vary, ValidationSigns(**(answers | signs)))  # type: ignore[arg-type]
    return TrainingRecord(
        list(steps),
        epochs,
        ["cat", "dog", "owl"],
        "trained",
        GUESS,
        rate=Rate(*rate),
        examination=looked,
        rollbacks=rollbacks,
    )


def faults(of: TrainingRecord) -> list[str]:
    return [one.fault for one in diagnose_record(of) if one.fault]


def test_a_sound_training_is_told_nothing() -> None:
    assert faults(record()) == []


SPIKE = [2.3, *[6.0] * 20, *np.linspace(2.3, 0.3, 179)]
LAYER = {name: getattr(SOUND, name) for name in vars(SOUND)}


def layer(**signs: float) -> LayerSigns:
    return LayerSigns(**(LAYER | signs))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("divergence", record([2.3] * 100 + [math.nan])),
        ("divergence", record([2.3] * 100 + [9.0] * 100)),
        ("divergence", record(rollbacks=[7])),
        ("divergence", record([], rollbacks=[1, 1, 1])),
        ("large rate", record(SPIKE, rate=("adamw", 0.1, 0.001))),
        ("small rate", record(np.linspace(2.3, 2.2, 200).tolist(), rate=("sgd", 1e-4, 0.03))),
        ("small rate", record([2.3] * 200, rate=("sgd", 1e-4, 0.03))),
        ("vanishing", record(trained=0.5, validation=0.5, layers=[layer(gradient_before=1e-6), SOUND, SOUND])),
        ("exploding", record(layers=[layer(gradient_before=1.0), SOUND, SOUND])),
        ("exploding", record([50.0, *np.linspace(2.3, 0.3, 199)])),
        ("dead units", record(layers=[SOUND, layer(dead=0.6), SOUND])),
        ("dead units", record(layers=[layer(moved=0, dead=1, dead_before=1)] * 3, outputs_vary=False)),
        ("frozen layer", record(layers=[SOUND, layer(moved=0), SOUND])),
        ("frozen layer", record(layers=[layer(moved=0, dead=1, dead_before=1), SOUND, SOUND])),
        ("collapse", record(named=(290, 5, 5))),
        ("collapse", record(named=(150, 150, 0))),
        ("too good", record(rule=0.99)),
        ("noisy labels", record(suspects=30)),
        ("overfitting", record(trained=1.0, validation=0.8)),
        ("underfitting", record(trained=0.6, validation=0.6)),
        ("little validation", record(n=30, images=(10,) * 3, named=(10,) * 3, suspects=0)),
    ],
)
def test_a_fault_is_named_alone(fault: str, made: TrainingRecord) -> None:
    found = faults(made)
    assert found[0] == fault and fault in FAULTS
    # what vanishing gradients cause is named beside them
    assert set(found) <= {fault, *(["underfitting"] if fault == "vanishing" else [])}


@pytest.mark.parametrize(
    "made",
    [
        record(SPIKE),  # the usual rate: the spike was made good
        record(trained=1.0, validation=0.93),  # a gap that is usual
        record(rule=0.96),
        record(suspects=23),
        record(named=(190, 109, 1)),
        record(n=60, images=(53, 5, 2), named=(60, 0, 0), suspects=0),  # a few others
        record(images=(286, 7, 7), named=(300, 0, 0)),  # of seven images, chance may name none
        record(layers=[SOUND, layer(dead=0.5), SOUND]),
        record(layers=[layer(gradient_before=1e-6), SOUND, SOUND]),  # it fits all the same
        record(layers=[layer(moved=0)] * 3),  # a training whose rate is 0 is no frozen layer
        record(n=50, images=(20, 20, 10), named=(20, 20, 10), suspects=0),
    ],
)
def test_less_than_a_fault_is_not_named(made: TrainingRecord) -> None:
    assert faults(made) == []


def test_a_rate_that_is_too_large_names_the_optimizer_and_the_usual_rate() -> None:
    made = record(SPIKE, rate=("adamw", 0.1, 0.001))
    finding = diagnosis_finding(diagnose_record(made), RunInfo(location="photos", wanted={"lr": 0.1, "model": "cnn"}))
    words = " ".join(map(str, finding.details))
    assert "AdamW and a learning rate of 0.1; limpide takes 0.001" in words
    assert finding.data["next"] == "limpide train photos --lr 0.001 --model cnn"
    assert finding.table and finding.table.rows[0][1] == 1  # the epoch


def test_causes_come_first_with_the_worst_verdict_and_a_remedy_once() -> None:
    made = record(SPIKE, rate=("adamw", 0.1, 0.001), layers=[SOUND, layer(dead=1.0), SOUND], named=(290, 5, 5))
    found = diagnose_record(made)
    assert [one.fault for one in found if one.fault] == ["large rate", "dead units", "collapse"]
    assert diagnosis_finding(found, RunInfo(location="photos")).verdict == "bad" == found[1].verdict
    details = [str(detail) for detail in diagnosis_finding(found, RunInfo(location="photos")).details]
    assert len(details) == len(set(details)) and sum("--lr 0.001" in detail for detail in details) == 1


@pytest.mark.parametrize(
    ("fault", "had", "command"),
    [
        (("balance", "yes"), {"balance": "yes"}, ""),
        (("balance", "yes"), {"loss": "hinge"}, ""),
        (("validation", "0.3"), {"validation": 0.3}, ""),
        (("validation", "0.3"), {"validation": 0.5}, ""),
        (("validation", "0.3"), {"validation": 0.1}, "limpide train photos --validation 0.3"),
        (("validation", "0.3"), {"validation": 0.1, "test": 0.8}, ""),
        (("init", "kaiming"), {"weights": "runs/digits-001"}, ""),
        (("lr", "0.01"), {"lr": 0.01}, ""),
    ],
)
def test_a_command_is_legal_and_another_one(fault: tuple[str, str], had: dict[str, object], command: str) -> None:
    info = RunInfo(location="photos", wanted={k: v for k, v in had.items() if v != 0.1}, recipe=had)
    finding = diagnosis_finding([Diagnosis("warn", Message("x", {}), "overfitting", 1, (fault,))], info)
    assert finding.data["next"] == command


def test_a_usual_rate_that_ran_away_is_halved_as_often() -> None:
    (found,) = [one for one in diagnose_record(record(rollbacks=[5, 9])) if one.fault]
    assert found.changes == (("lr", "0.00025"), ("clip", "1"))
    (found,) = [one for one in diagnose_record(record(rollbacks=[5], rate=("sgd", 10.0, 0.03))) if one.fault]
    assert found.changes == (("lr", "0.03"), ("clip", "1"))


def test_a_loss_is_compared_with_what_the_sentence_says() -> None:
    says = [str(diagnose_record(record([*[start] * 100, *[9.0] * 100]))[0].message) for start in (1.0, 3.0)]
    assert says[0].startswith("The loss is twice its initial value")
    assert says[1].startswith("The loss is twice that of guessing")


def test_initial_weights_that_are_too_large_are_no_fault_of_the_rate() -> None:
    found = faults(record([1e9] * 200, trained=0.3, validation=0.3))
    assert found[0] == "exploding" and not {"divergence", "large rate"} & set(found)


def test_a_low_loss_that_doubles_is_no_divergence() -> None:
    assert faults(record([*[0.05] * 100, *[0.12] * 100])) == []


def test_no_advice_against_longer_training_where_the_last_epoch_is_the_best() -> None:
    (found,) = [one for one in diagnose_record(record(trained=0.6, validation=0.6)) if one.fault]
    assert found.changes == (("epochs", "12"),) and found.todo is None


def test_no_command_is_advised_where_the_images_came_from_a_program() -> None:
    finding = diagnosis_finding([Diagnosis("warn", Message("x", {}), "overfitting", 1, (("keep", "best"),))], RunInfo())
    assert finding.data["next"] == ""


def test_signs_of_answers_count_what_scikit_learn_counts() -> None:
    random = np.random.default_rng(0)
    truth, probabilities = random.integers(0, 3, 200), random.dirichlet([1, 1, 1], 200)
    signs = sign_answers(probabilities, truth)
    from sklearn.metrics import confusion_matrix

    table = confusion_matrix(truth, probabilities.argmax(1))
    assert signs is not None and signs.images == tuple(table.sum(1)) and signs.named == tuple(table.sum(0))
    assert signs.accuracy == pytest.approx(np.trace(table) / 200)
    assert sign_answers(np.zeros((0, 3)), np.zeros(0, int)) is None


def test_a_mark_in_one_point_is_a_rule_and_noise_is_none() -> None:
    random = np.random.default_rng(0)
    squares, truth = random.integers(0, 255, (400, 40, 40, 3), dtype=np.uint8), random.integers(0, 3, 400)
    share, _ = easiest_rule(squares[:200], truth[:200], squares[200:], truth[200:])
    assert share < 0.5
    squares[:, :2, :2] = (60 * truth)[:, None, None, None]
    share, pixels = easiest_rule(squares[:200], truth[:200], squares[200:], truth[200:])
    assert share == 1 and pixels <= 2


def test_a_rule_that_names_the_frequent_class_is_none() -> None:
    random = np.random.default_rng(0)
    squares = random.integers(0, 255, (1000, 8, 8, 1), dtype=np.uint8)
    truth = (np.arange(1000) % 100 == 0).astype(int)  # ten of a rare class
    assert easiest_rule(squares[:500], truth[:500], squares[500:], truth[500:])[0] < 0.9


def test_images_that_are_hard_to_tell_are_no_wrong_labels() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400)
    right = np.clip(0.6 + random.normal(0, 0.07, 400), 0, 1)  # of the label: often less than one half
    probabilities = np.where(truth[:, None] == np.arange(2), right[:, None], 1 - right[:, None])
    signs = sign_answers(probabilities, truth)
    assert signs is not None and signs.suspects == 0
    probabilities[:40] = probabilities[:40, ::-1] * 0.1 + 0.9 * (truth[:40, None] != np.arange(2))
    signs = sign_answers(probabilities, truth)
    assert signs is not None and signs.suspects == 40


def test_a_rise_of_a_low_loss_that_is_next_to_nothing_is_no_overfitting() -> None:
    def falling(last: float) -> list[Epoch]:
        losses = (0.5, 0.1, 0.09, 0.1, last)
        return [Epoch(k, 10 * k + 10, 0.4 - 0.05 * k, loss, 0.97, True, 0.0, 0.99) for k, loss in enumerate(losses)]

    little, much = (TrainingRecord([0.1] * 5, falling(last), kept="trained", guess=GUESS) for last in (0.12, 0.2))
    assert faults(little) == [] and faults(much) == ["overfitting"]
