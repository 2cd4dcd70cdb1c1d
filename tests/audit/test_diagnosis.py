"""How a training went, from its losses alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from limpide.audit.learning_curve import diagnose
from limpide.core.events import Epoch

GUESS = math.log(10)


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
