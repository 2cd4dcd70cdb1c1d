"""Files of every format, damaged at random, thousands of them: each decodes within the limits or is refused with a
known reason.

They are decoded in a child process with a ceiling on its memory, so that a crash, a hang, a word printed by a C library
or a greedy allocation is seen. A failure names the seed and the file; to look at it again:

python -m tests.data.decoding.test_mutated SEED FILE
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import Undecodable, decode, decode_with_remarks, header
from tests.conftest import SOAK
from tests.make_images import one_of_each

SEED = 20261121  # under make soak, another one every time
FILES = 100_000 if SOAK else 5_000
SECONDS = 5  # for one file
MEMORY = 512  # MiB, the most that the child ever holds
NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 12_000, 0x7FFFFFFF, 0xFFFFFFFF)


def mutated(sources: list[bytes], seed: int, file: int) -> bytes:
    """File number `file` of this seed: one to four things happen to one of the sources, most often near its start."""
    random = np.random.default_rng((seed, file))
    data = bytearray(sources[int(random.integers(len(sources)))])
    for _ in range(int(random.integers(1, 5))):
        if not data:
            break
        reach = len(data) if random.random() < 0.6 else min(len(data), 200)  # headers decide more than pixels
        place, length = int(random.integers(reach)), int(random.integers(1, 80))
        match int(random.integers(9)):
            case 0:  # bits
                for k in random.integers(reach, size=int(random.integers(1, 9))).tolist():
                    data[k] ^= 1 << int(random.integers(8))
            case 1:  # cut
                del data[place:]
            case 2:  # a block lost
                del data[place : place + length]
            case 3:  # repeated
                data[place:place] = data[place : place + length]
            case 4:  # zeroed
                data[place : place + length] = bytes(len(data[place : place + length]))
            case 5:  # overwritten
                data[place : place + length] = random.integers(0, 256, length, dtype=np.uint8).tobytes()
            case 6 | 7:  # a field of a header
                width = int(random.choice([1, 2, 4]))
                value = int(random.choice(NUMBERS)) % (1 << 8 * width)
                data[place : place + width] = value.to_bytes(width, "big" if random.random() < 0.5 else "little")
            case 8:  # the start of one and the end of another
                other = sources[int(random.integers(len(sources)))]
                data[place:] = other[int(random.integers(len(other))) :]
    return bytes(data)


def judged(data: bytes) -> str:
    """What becomes of a file: "decoded" or the reason. Raises AssertionError when a promise is broken."""
    outcomes = []
    for read in (decode_with_remarks, decode):
        try:
            found = read(data, 16)
        except Undecodable as error:
            assert error.reason in rules.REASONS, error.reason
            outcomes.append(error.reason)
        else:
            image = found[0] if isinstance(found, tuple) else found
            pixels = np.asarray(image)
            assert image.mode == "RGB" and pixels.dtype == np.uint8 and pixels.shape == (image.height, image.width, 3)
            assert image.width * image.height <= 179_000_000 and max(image.size) <= rules.MAX_ASPECT_RATIO * min(
                image.size
            )
            outcomes.append(pixels if pixels.size < 1_000_000 else pixels.shape)
    assert np.array_equal(*outcomes), "examined and decode differ"
    try:
        assert len(header(data)) == 3
    except Undecodable as error:
        assert error.reason in rules.REASONS, error.reason
    return outcomes[0] if isinstance(outcomes[0], str) else "decoded"


def peak() -> int:
    """MiB. Not `getrusage`, whose peak is that of the process which started this one."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


def child(seed: int, start: int, stop: int, place: str) -> None:
    """Judges files start … stop; the file under judgement stands in `place`, what became of them is printed
    at the end.
    """
    import resource

    sources, counts, slowest = list(one_of_each().values()), dict[str, int](), 0.0
    for source in sources:
        judged(source)  # loads every plugin of Pillow, so that the ceiling is for images only
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + (MEMORY << 20), -1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(place, "wb", buffering=0) as stream:
        for file in range(start, stop):
            os.pwrite(stream.fileno(), b"%12d" % file, 0)
            data = mutated(sources, seed, file)
            signal.setitimer(signal.ITIMER_REAL, SECONDS)  # nobody handles this signal: it kills
            began = time.perf_counter()
            outcome = judged(data)
            signal.setitimer(signal.ITIMER_REAL, 0)
            slowest = max(slowest, time.perf_counter() - began)
            counts[outcome] = counts.get(outcome, 0) + 1
    print(json.dumps({"counts": counts, "peak": peak(), "slowest": slowest}))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_damaged_files_decode_or_are_refused_whatever_the_damage(tmp_path: Path) -> None:
    """Cases 1, 2, 26 and 27."""
    seed = time.time_ns() % 1_000_000_000 if SOAK else SEED
    place = tmp_path / "file"
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.decoding.test_mutated", str(seed), "0", str(FILES), str(place)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        timeout=60 + FILES / 20,
    )
    again = f"python -m tests.data.decoding.test_mutated {seed} {place.read_text().strip() if place.exists() else 0}"
    ended = "killed: more than 5 s" if done.returncode == -signal.SIGALRM else f"exit status {done.returncode}"
    assert done.returncode == 0, f"{ended}; to see it again: {again}\n{done.stderr[-3000:]}"
    assert done.stderr == "", f"seed {seed}: something was printed:\n{done.stderr[-3000:]}"
    found = json.loads(done.stdout)  # and nothing else was printed
    print(f"seed {seed}: {found}")
    assert sum(found["counts"].values()) == FILES
    assert found["peak"] <= MEMORY, f"seed {seed}: {found['peak']} MiB"
    assert found["counts"]["decoded"] > FILES / 10 and found["counts"][rules.CUT_SHORT] > FILES / 10  # some of each
    assert found["slowest"] < SECONDS


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) == 2:
        content = mutated(list(one_of_each().values()), int(arguments[0]), int(arguments[1]))
        Path("mutated.bin").write_bytes(content)
        print(f"{len(content)} bytes, kept in mutated.bin:", judged(content))
    else:
        child(int(arguments[0]), int(arguments[1]), int(arguments[2]), arguments[3])
