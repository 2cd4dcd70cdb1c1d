"""A process that can be killed at any moment, and that goes when its parent goes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from limpide.core.errors import DataError
from limpide.system.child_process import Child, ChildDied, Tell

HERE = "tests.system.test_child_process"


def doubles(tell: Tell, numbers: np.ndarray) -> Any:
    tell({"n": len(numbers)})
    os.write(1, b"not an answer\n")
    return numbers * 2, os.getpid()


def refuses(tell: Tell, what: str) -> None:
    if what == "ours":
        raise DataError("L204", what="all images are in one class", where="photos", todo="")
    raise OSError(lambda: None)  # cannot be sent


def dies(tell: Tell) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deaf(tell: Tell) -> None:
    tell(os.getpid())
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)


@pytest.fixture
def child() -> Iterator[Child]:
    found = Child()
    yield found
    found.close()


def result(steps: Any) -> tuple[list[Any], Any]:
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as returned:
            return [one for one in told if one is not None], returned.value


def test_it_tells_and_returns_and_is_used_again(child: Child) -> None:
    numbers = np.arange(100_000)
    (told, (doubled, process)), (_, (_, again)) = (result(child.run(f"{HERE}:doubles", numbers)) for _ in range(2))
    assert told == [{"n": 100_000}] and (doubled == numbers * 2).all() and process == again != os.getpid()


def test_what_it_raises_is_raised(child: Child) -> None:
    with pytest.raises(DataError, match="L204"):
        result(child.run(f"{HERE}:refuses", "ours"))
    with pytest.raises(RuntimeError, match="OSError"):
        result(child.run(f"{HERE}:refuses", "anything"))


def test_one_that_dies_is_told_and_another_takes_its_place(child: Child) -> None:
    with pytest.raises(ChildDied):
        result(child.run(f"{HERE}:dies"))
    assert result(child.run(f"{HERE}:doubles", np.ones(1)))[0] == [{"n": 1}]


def first(steps: Any) -> int:
    return next(int(one) for one in steps if one is not None)


def test_leaving_kills_it_in_the_midst_of_c_code(child: Child) -> None:
    steps = child.run(f"{HERE}:deaf")
    process = first(steps)
    began = time.monotonic()
    steps.close()
    assert not psutil.pid_exists(process) and time.monotonic() - began < 2


def test_it_goes_with_its_parent_however_that_ends() -> None:
    program = f"""
import sys
sys.path.insert(0, {os.getcwd()!r})
from limpide.system.child_process import Child
for one in Child().run("{HERE}:deaf"):
    if one:
        print(one, flush=True)
"""  # noqa: PTH109
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert process.wait(10) is None or not process.is_running()
