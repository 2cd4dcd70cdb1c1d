"""Questions about a run and images of one's own, over HTTP: answered, or refused in a sentence."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.data.decoding import decode
from limpide.inspector import upload
from limpide.studio.inspector_routes import MAX_UPLOAD_BYTES, MAX_UPLOADS
from limpide.studio.server import Studio
from tests.studio.serving import Server

RUN = "/api/runs/photos-001"


def statuses(convolution: str) -> dict[str, int]:
    """What is answered to which path of a run; convolution: the key of one."""
    return {
        "/look/nothing": 404,
        "/look/unit?key=nothing&channel=0&y=0&x=0": 422,
        f"/look/unit?key={convolution}&channel=999&y=0&x=0": 422,
        f"/look/unit?key={convolution}&channel=x&y=0&x=0": 400,
        "/look/unit": 400,
        "/look/maps?key=zz": 422,
        "/look/effect?key=head&channel=-1": 400,
        "/look/effect?key=head&channel=99999999999999999999": 400,
        "/look/augmented?seed=99999999999999999999": 400,
        "/look/prediction?image=probe-99999": 422,
        "/look/occluded?mask=5": 400,
        f"/look/unit?key={convolution}": 200,
        "/look/maps?key=head&image=drop-gone": 422,
        "/look/occluded?mask=[[99,0]]": 400,
        "/look/saliency?method=grad_cam&label=0": 200,
        "/look/saliency?method=astrology&label=0": 422,
        "/look/saliency?method=gradient&label=9": 422,
        "/look/sanity?method=grad_cam&label=0": 200,
        "/look/sanity?method=astrology&label=0": 422,
        "/look/sanity?method=gradient": 400,
        "/look/ink": 200,
        "/look/networks": 404,
        "/look/predictions?snapshot=..%2f..": 422,
        "/look/predictions?snapshot=3": 422,
        "/look/album": 200,
        "/look/album?start=-1": 400,
        "/look/thumb?row=0": 200,
        "/look/thumb?row=80": 422,
        "/look/thumb": 400,
        "/look/prediction?image=row-3&turn=45&noise=10&mirror=1": 200,
        "/look/prediction?image=row-3&turn=1e9": 400,
        "/look/prediction?image=row-3&noise=nan": 400,
        "/look/prediction?image=row-99": 422,
        "/look/neighbors?image=row-3": 200,
        "/look/alike?distance=12": 200,
        "/look/augmented": 200,
        "/look/embedding?method=pca": 200,
        "/look/embedding?method=x": 422,
        "/look/maximized?key=head&channel=1": 200,
        "/look/maximized?key=head&channel=7": 422,
        "/look/maximized?key=nowhere&channel=0": 422,
        "/look/worst": 200,
        "/look/cell?truth=0&said=1": 200,
        "/look/cell?truth=0": 400,
        "/look/suspects": 200,
        "/look/shortcut": 200,
        "/look/groups?by=folder": 200,
        "/look/groups?by=x": 422,
        "/marks": 200,
    }


def test_every_question_is_answered_or_refused_in_a_sentence(server: Server) -> None:
    ops = server.json(RUN + "/look/anatomy")["ops"]
    convolution = next(op["key"] for op in ops if op["name"] == "conv2d")
    unit = server.json(f"{RUN}/look/unit?key={convolution}&channel=1&y=3&x=4&image=probe-2&snapshot=4")
    total = sum(v * w for v, w in zip(unit["values"], unit["weights"], strict=True)) + unit["bias"]
    assert (
        unit["agrees"]
        and abs(total - unit["torch"]) <= unit["tolerance"]
        and unit["box"] == [2, 3, 5, 6]
        and unit["status"] == "EXACT"
    )
    assert (
        server.json(f"{RUN}/look/prediction?image=probe-0")["truth"]
        and not server.json(f"{RUN}/look/prediction?snapshot=2")["calibrated"]
    )
    status, headers, data = server.ask(f"{RUN}/look/maps?key={convolution}")
    assert status == 200 and data[:6] == b"\x93NUMPY" and json.loads(headers["x-about"])["shape"][1:] == [32, 32]
    for path, expected in statuses(convolution).items():
        status, _, data = server.ask(RUN + path)
        assert status == expected, (path, status, data[:200])
        assert status == 200 or set(json.loads(data)) == {"error"}


# path, and how its refusal begins in English and in French
REFUSALS = (
    (RUN + "/look/thumb?row=80", "The rows are numbered from 0 to 79.", "Les lignes sont numérotées de 0 à 79"),
    (
        RUN + "/look/predictions?snapshot=3",
        "The weights after step 3 were not kept",
        "Les poids d’après le pas 3 n’ont pas été gardés",
    ),
    (
        RUN + "/look/maps?key=zz",
        "The network has no layer of this name (zz). Did you mean",
        "Le réseau n’a pas de couche de ce nom (zz). Fallait-il lire",
    ),
    (
        RUN + "/look/unit?key=head&channel=999&y=0&x=0",
        "This unit cannot be opened",
        "Cette unité ne peut pas être ouverte",
    ),
    (
        RUN + "/look/effect?key=head&channel=999",
        "The channels of head are numbered from 0 to 1",
        "Les canaux de head sont numérotés de 0 à 1",
    ),
    (
        RUN + "/look/strongest?key=head&channel=999",
        "The channels of head are numbered from 0 to 1",
        "Les canaux de head sont numérotés de 0 à 1",
    ),
    (
        RUN + "/look/maximized?key=head&channel=999",
        "The channels of head are numbered from 0 to 1",
        "Les canaux de head sont numérotés de 0 à 1",
    ),
    (
        RUN + "/look/maximized?key=zz&channel=0",
        "The network has no layer of this name",
        "Le réseau n’a pas de couche de ce nom",
    ),
    (
        RUN + "/look/strongest?key=zz&channel=0",
        "The network has no layer of this name",
        "Le réseau n’a pas de couche de ce nom",
    ),
    (
        RUN + "/look/effect?key=head&channel=0&place=999999&weight=1",
        "The weights of this channel are numbered from 0 to 1,023",
        "Les poids de ce canal sont numérotés de 0 à 1\N{NARROW NO-BREAK SPACE}023",
    ),
    (RUN + "/look/nothing?", "There is nothing of this name to show.", "Il n’y a rien de ce nom"),
    ("/api/runs/nowhere?", "This is not a run of limpide (nowhere)", "Ce n’est pas un entraînement de limpide"),
)


def test_a_refusal_is_worded_in_the_language_of_the_page(server: Server) -> None:
    """Whoever worded it: the network's process, the files of the run, or the server."""

    def said(path: str, method: str = "GET", body: bytes | None = None) -> str:
        return str(json.loads(server.ask(path, method, body)[2])["error"])

    for path, english, french in REFUSALS:
        assert said(path).startswith(english), (path, said(path))
        assert said(path + "&lang=fr").startswith(french), (path, said(path + "&lang=fr"))
    order = b'{"do": "pause"}'
    assert said(RUN + "/control", "POST", order) == "This run is not training."
    assert said(RUN + "/control?lang=fr", "POST", order) == "Cet entraînement n’est pas en cours."
    large = server.ask("/api/upload?lang=fr", "POST", b"0" * (MAX_UPLOAD_BYTES + 1))
    assert large[0] == 413 and json.loads(large[2])["error"].lower().startswith(
        "le fichier dépasse 100\N{NO-BREAK SPACE}mo"
    )
    marks = server.runs / "photos-001" / "marks.csv"
    marks.write_text("no,such,columns\n1,2,3\n")
    try:
        assert "n’a pas les colonnes file, label, suggested" in said(RUN + "/marks?lang=fr")
    finally:
        marks.unlink()


def test_what_is_dropped_is_an_image_or_refused(server: Server) -> None:
    file = next((server.runs.parent / "photos" / "disc").glob("*.png")).read_bytes()
    refused = {
        b"": "the file is empty: copy it again",
        file[:300]: "the file is cut short or damaged: copy it again",
        b"no image at all": "its content is not in an image format that can be read here: save the image as PNG",
        b"%PDF-1.7": "it is a PDF or PostScript document, not an image: save",
        b"<svg></svg>": "it is a drawing (SVG), not made of pixels: convert it to PNG",
        _png(1, 1): (
            "the image is too small or too thin: use an image of at least 4 pixels on each side, whose longer side is"
        ),
        _png(4000, 20): "the image is too small or too thin",
    }
    for data, why in refused.items():
        status, _, told = server.ask("/api/upload", "POST", data)
        assert status == 422 and json.loads(told)["error"].lower().startswith(why.lower()), told
    assert set(upload.REMEDIES) | {reason for reason in decode.REASONS if ":" in reason} == set(decode.REASONS), (
        "every reason says what to do"
    )
    name = json.loads(server.ask("/api/upload", "POST", file)[2])["image"]
    assert server.json(f"{RUN}/look/prediction?image={name}")["top"][0]["class"] == "disc"
    large = _png(3464, 3464, noise=True)
    assert len(large) > 35_000_000
    name = json.loads(server.ask("/api/upload", "POST", large)[2])["image"]
    assert server.json(f"{RUN}/look/prediction?image={name}")["top"], "a photograph of 12 megapixels as PNG"


def _png(width: int, height: int, noise: bool = False) -> bytes:
    pixels = (
        np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        if noise
        else np.zeros((height, width, 3), np.uint8)
    )
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def test_uploads_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("limpide.studio.inspector_routes.MAX_UPLOADS_BYTES", 1000)
    studio = Studio(tmp_path)
    try:
        names = [studio.inspector.keep(b"0" * size) for size in (600, 300, 200)]
        assert list(studio.inspector._uploads) == names[1:]
        names = [studio.inspector.keep(b"0" * 5000)]
        assert list(studio.inspector._uploads) == names, "the newest stays, however large"
        names = [studio.inspector.keep(b"0") for _ in range(MAX_UPLOADS + 1)]
        assert list(studio.inspector._uploads) == names[1:]
    finally:
        studio.close()
