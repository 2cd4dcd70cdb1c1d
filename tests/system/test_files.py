"""A save that is interrupted anywhere leaves the old file or the new one, and nothing else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.system import files

OLD, NEW = b"old " * 5000, b"new " * 9000


class Kill(BaseException):
    """Stands for the process ending: nothing catches it by name."""


class System:
    """Counts the calls that a save makes of the system, and lets the k-th one fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.fail_at, self.error = -1, BaseException()
        real_open = open
        for name in ("fsync", "replace"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))
        system = self

        class Stream:
            """The file that is being filled: its writes are counted too."""

            def __init__(self, *arguments: Any) -> None:
                self._file = real_open(*arguments)

            def write(self, data: bytes) -> int:
                half = len(data) // 2
                self._file.write(data[:half])  # a crash may come in the middle of a write
                self._file.flush()
                system.count("write")
                return half + self._file.write(data[half:])

            def __enter__(self) -> Stream:
                return self

            def __exit__(self, *_: object) -> None:
                self._file.close()

            def __getattr__(self, name: str) -> Any:
                return getattr(self._file, name)

        monkeypatch.setattr("builtins.open", lambda *a, **k: Stream(*a) if "wb" in a else real_open(*a, **k))

    def count(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) - 1 == self.fail_at:
            raise self.error

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            kind = (" folder" if stat.S_ISDIR(os.fstat(arguments[0]).st_mode) else " file") if name == "fsync" else ""
            self.count(name + kind)
            return real(*arguments, **named)

        return call


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    return System(monkeypatch)


def names(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir()]


def save(file: Path) -> None:
    def write(stream: Any) -> None:
        for k in range(0, len(NEW), 12_000):
            stream.write(NEW[k : k + 12_000])

    files.write_atomically(file, write)


ORDER = ["write", "write", "write", "fsync file", "replace", "fsync folder"]


def test_the_file_is_on_the_disk_before_its_name_and_the_name_before_we_return(tmp_path: Path, system: System) -> None:
    save(tmp_path / "a")
    assert system.calls == ORDER
    assert (tmp_path / "a").read_bytes() == NEW


@pytest.mark.parametrize(
    "error",
    [
        Kill(),
        KeyboardInterrupt(),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("k", range(len(ORDER)))
@pytest.mark.parametrize("there_before", [True, False])
def test_a_crash_anywhere_leaves_old_or_new_and_no_litter(
    tmp_path: Path, system: System, k: int, error: BaseException, there_before: bool
) -> None:
    file = tmp_path / "a"
    if there_before:
        file.write_bytes(OLD)
    system.fail_at, system.error = k, error
    with pytest.raises(type(error)):
        save(file)
    replaced = k > ORDER.index("replace")
    if replaced or there_before:
        assert file.read_bytes() == (NEW if replaced else OLD)
    assert names(tmp_path) == (["a"] if replaced or there_before else [])


def test_a_crash_in_what_is_saved_is_a_crash_of_the_save(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    files.write_json(file, {"x": 1})
    with pytest.raises(ValueError):
        files.write_json(file, {"x": float("nan")})
    with pytest.raises(TypeError):
        files.write_json(file, {"x": object()})
    assert files.read_json(file) == {"x": 1} and names(tmp_path) == ["a.json"]


def test_an_old_temporary_file_of_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".a.{os.getpid()}.tmp").write_bytes(b"half")
    files.write_bytes(tmp_path / "a", NEW)
    assert names(tmp_path) == ["a"]


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.write_bytes(tmp_path / "nowhere" / "a", NEW)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(json_values)
def test_json_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    file = tmp_path_factory.getbasetemp() / "value.json"
    with patch("os.fsync"):  # nobody cuts the power here
        files.write_json(file, value)
    assert files.read_json(file) == value


def test_names_that_are_no_text_survive_json(tmp_path: Path) -> None:
    """A file name in another encoding reaches Python as lone surrogates."""
    name = os.fsdecode(b"caf\xe9\xff.jpg")
    files.write_json(tmp_path / "a.json", {name: [name, "\\udce9 is written so"]})
    assert files.read_json(tmp_path / "a.json") == {name: [name, "\\udce9 is written so"]}
    assert os.fsencode(next(iter(files.read_json(tmp_path / "a.json")))) == b"caf\xe9\xff.jpg"


def test_hashes_are_the_published_ones(tmp_path: Path) -> None:
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(b"abc") == files.sha256(memoryview(b"abc")) == files.sha256_of_file(tmp_path / "abc") == abc
