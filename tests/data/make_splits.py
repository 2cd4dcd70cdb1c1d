"""Splits of images that are nothing but a hash and a label."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

from limpide.data.dataset import CALIBRATION, PARTS, TEST, VALIDATION
from limpide.data.split import (
    Division,
    split,
)

SHARES = {TEST: 0.2, VALIDATION: 0.1, CALIBRATION: 0.1}


def hashes(n: int, salt: str = "") -> list[str]:
    return [hashlib.sha256(f"{salt}{k}".encode()).hexdigest() for k in range(n)]


def keys(names: list[str]) -> np.ndarray:
    return np.array([int(name[:16], 16) for name in names], np.uint64)


def codes(names: list[str]) -> np.ndarray:
    return np.array([PARTS.index(name) for name in names], np.uint8)


def earlier_split(parts: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(keys(list(parts)))
    return keys(list(parts))[order], codes(list(parts.values()))[order]


def divided(
    contents: list[str],
    labels: list[int],
    given_: list[str] | None = None,
    earlier: dict[str, str] | None = None,
    shares: dict[int, float] = SHARES,
    **more: object,
) -> tuple[list[str], dict[int, str]]:
    found = whole(contents, labels, given_, earlier, shares, **more)
    return [PARTS[part] for part in found.parts], found.out


def whole(
    contents: list[str],
    labels: list[int],
    given_: list[str] | None = None,
    earlier: dict[str, str] | None = None,
    shares: dict[int, float] = SHARES,
    **more: object,
) -> Division:
    before = earlier_split(earlier) if earlier else None
    return split(
        keys(contents),
        np.array(labels, np.int64),
        codes(given_ or [""] * len(contents)),
        shares,
        earlier=before,
        **more,
    )  # type: ignore[arg-type]


def counts(parts: list[str], labels: list[int]) -> dict[int, tuple[int, ...]]:
    """label → how many train, validate, calibrate, test."""
    found = Counter(zip(labels, parts, strict=True))
    return {
        label: tuple(found[label, part] for part in ("train", "validation", "calibration", "test"))
        for label in sorted(set(labels))
    }
