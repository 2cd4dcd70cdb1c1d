"""A question that a stranger adds: one function and one record. The studio answers it over HTTP, in the process that
looks into networks, and so does the widget of a notebook.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import uvicorn

from limpide import ImageClassifier, see
from limpide.inspector import parsers
from limpide.inspector.answer import Answer
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.network_session import NetworkSession
from limpide.inspector.question import Question
from limpide.inspector.questions import QUESTIONS
from limpide.studio.server import application, listen
from tests.studio.serving import Server

# -- all that the stranger writes


def brightness(session: NetworkSession, path: str, snapshot: str, image: ImageReference, above: int) -> Answer:
    """The share of the pixels that are brighter than this grey level."""
    square = session.square(path, session.load_network(path, snapshot).preprocessing, image)
    return {"share": float((square > above).mean()), "side": len(square)}, b""


MINE = {"brightness": Question(brightness, {"image": ImageReference, "above": parsers.natural}, in_notebook=True)}

# -- and what follows


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, question in MINE.items():
        monkeypatch.setitem(QUESTIONS, name, question)


@pytest.fixture
def server(mine: None, tmp_path: Path) -> Iterator[Server]:
    images = np.random.default_rng(0).integers(0, 255, (40, 16, 16), np.uint8)
    ImageClassifier(model="cnn", epochs=1, judge=False, quiet=True, runs=str(tmp_path)).fit(images, np.arange(40) % 2)
    sock = listen(0)
    port = sock.getsockname()[1]
    app, studio = application(tmp_path, "secret", port)
    serving = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield Server(port, "secret", tmp_path, None)
    finally:
        serving.should_exit = True
        thread.join(30)
        studio.close()


def test_the_studio_answers_it(server: Server) -> None:
    (run,) = (folder.name for folder in server.runs.iterdir() if (folder / "run.json").is_file())
    address = f"/api/runs/{run}/look/brightness"
    probes = np.load(server.runs / run / "predictions" / "probes.npz")["squares"]
    found = server.json(f"{address}?image=probe-1&above=100")
    assert found == {"share": pytest.approx(float((probes[1] > 100).mean())), "side": len(probes[1])}
    assert server.json(f"{address}?image=probe-1&above=100&noise=90") != found, "changes reach it, too"
    status, _, body = server.ask(f"{address}?image=probe-1")
    assert status == 400 and json.loads(body)["error"] == "this question needs above"
    assert server.ask(f"{address}?above=-1")[0] == 400
    assert server.ask(f"/api/runs/{run}/look/brightnes?above=1")[0] == 404


def test_the_widget_answers_it(mine: None) -> None:
    pytest.importorskip("anywidget", reason="anywidget is not installed: pip install anywidget")
    from tests.studio.widget.kernel import Kernel, Net

    image = torch.linspace(-1, 1, 3 * 16 * 20).reshape(1, 3, 16, 20)
    kernel = Kernel(lambda: see(Net(), image).widget())
    kernel.taken()
    found = kernel.ask("brightness", image="own", above=127)["about"]
    assert found["side"] == 16 and found["share"] == pytest.approx(0.5, abs=0.05)
    assert kernel.ask("brightness", image="own")["error"] == "this question needs above"
