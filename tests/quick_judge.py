"""Judging where it is not the point: the score, and no audit that takes long. A forest and a pretrained network are
most of the work of a tiny training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from limpide.judging import registry


@contextlib.contextmanager
def quick_judge() -> Iterator[None]:
    """The audits that a time may leave out are not asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "AUDITS", tuple(one for one in registry.AUDITS if not one.may_be_left_out))
        yield
