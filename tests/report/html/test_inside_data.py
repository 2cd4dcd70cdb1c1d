"""What the page of the look inside is handed, and what it leaves out: without a browser."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from limpide import browser as modules
from limpide.core.run import Run
from limpide.interpret.first_last_layers import first_and_last
from limpide.interpret.trace import trace
from limpide.report.html import interactive
from limpide.report.html.page import html_of
from limpide.text.page_sentences import page_sentences
from tests.report import fake_run as fake
from tests.report.html.inside_run import Small, alive, stored, written

SCRIPTS = [modules.STATIC / "pages" / "inside.js", *(modules.STATIC / "pages" / "inside").iterdir()]

pytestmark = pytest.mark.skipif(modules.missing(), reason="the modules from npm are not here: npm ci")


def test_the_nonce_is_made_of_what_is_in_the_page(tmp_path: Path) -> None:
    one, other = (html_of(alive(tmp_path, classes=(name, "b", "c"))) for name in ("a", "z"))
    nonces = [re.findall(r"'nonce-(\w+)'", page)[0] for page in (one, other)]
    assert nonces[0] != nonces[1] and one.count(f'nonce="{nonces[0]}"') == 2


def test_the_page_says_no_sentence_that_is_not_handed_over() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    texts = set(re.findall(r'"(inside\.[\w.]+)"', text))
    keys = page_sentences(prefix=interactive.SAID).keys()
    assert len(keys) > 30 and texts == keys
    assert set(re.findall(r'\bsay\(\s*"([^"]*)"', text)) <= keys


def still(run: Run, **how: Any) -> str:
    """The page as it is without the numbers."""
    file = run.predictions / "inside.npz"
    before = file.read_bytes()
    file.unlink()
    page = html_of(run, **how)
    file.write_bytes(before)
    assert "inside-live" not in page and "importmap" not in page and "nonce" not in page
    return page


def test_without_the_modules_or_the_images_the_page_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = alive(tmp_path)
    assert html_of(run) != still(run)
    assert html_of(run, images=False) == still(run, images=False)
    monkeypatch.setattr(modules, "missing", lambda: True)
    assert html_of(run) == still(run)


def test_a_damaged_file_leaves_the_page_as_it_was(tmp_path: Path) -> None:
    run = alive(tmp_path)
    file, wanted = run.predictions / "inside.npz", still(run)
    whole = file.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 30):
        file.write_bytes(whole[:length])
        assert html_of(run) == wanted
    turned = bytearray(whole)
    turned[len(whole) // 2] ^= 0xFF
    file.write_bytes(turned)
    assert html_of(run) == wanted
    pickled = io.BytesIO()
    np.save(pickled, np.array([object()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mean.npy", pickled.getvalue())
        archive.writestr("std.npy", pickled.getvalue())
    assert html_of(run) == wanted


@pytest.mark.parametrize(
    "name, change",
    [
        ("first.weight", lambda a: a[:-1]),
        ("first.weight", lambda a: a.astype(np.float64)),
        ("first.output", lambda a: a * np.nan),
        ("first.channels", lambda a: a + 100),
        ("first.input", lambda a: a[:, :, :, None]),
        ("first.groups", lambda a: a + 1),
        ("first.stride", lambda a: a[:1]),
        ("first.bias", lambda a: None),
        ("last.features", lambda a: a[1:]),
        ("last.classes", lambda a: a + 5),
        ("last.logits", lambda a: a / 0),
    ],
)
def test_an_end_whose_numbers_do_not_fit_is_left_out(tmp_path: Path, name: str, change: Any) -> None:
    run = alive(tmp_path)
    ends = stored(run)
    with np.errstate(all="ignore"):
        ends[name] = change(ends[name])
    written(run, {key: array for key, array in ends.items() if array is not None})
    found = json.loads(re.findall(r'id="inside-data">(.*?)</script>', html_of(run))[0])
    bad, good = name.split(".")[0], "last" if name.startswith("first") else "first"
    assert bad not in found and good in found


def test_the_largest_page_can_still_be_sent(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path)
    seen = trace(
        Small(nn.Sequential(nn.Conv2d(3, 64, 3, 2), nn.AdaptiveAvgPool2d(4)), 1024, 10), torch.randn(1, 3, 224, 224)
    )
    ends = first_and_last(seen, 0) | {"mean": np.zeros(3, np.float32), "std": np.ones(3, np.float32)}
    assert sum(array.nbytes for array in ends.values()) > 1_400_000
    written(run, ends)
    pictures = [fake.Picture(f"{k}.png", "0", "1", 0.9, "A" * 40_000) for k in range(200)]
    run.add_finding(fake.Finding("mistakes", "ok", fake.message("m"), pictures=pictures))
    page = html_of(run)
    assert "inside-live" in page and 4_000_000 < len(page.encode()) < 5_000_000
