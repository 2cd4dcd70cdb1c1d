"""The commands that open the studio: studio, and train --watch."""

from __future__ import annotations

import secrets
import signal
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from limpide.cli.click_extensions import chosen_runs, runs_folder, verb
from limpide.core.errors import UsageError
from limpide.core.run import Run
from limpide.system.temporary_folder import TemporaryFolder
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from limpide.report.terminal.progress import Screen
    from limpide.studio.guard import PublicUrl


@verb(
    N_("watch a training run, open a network down to one product"),
    N_("""Open the studio in a browser: the runs of this folder during training or afterwards, opened down to one
product of one unit; the Learn pages when there are no runs.

\b
limpide studio                      the runs in runs/
limpide studio elsewhere/           the runs of another folder
limpide train photos/ --watch       the studio during training
limpide studio --model efficientnet_lite0 --images photos/      any network, without training
limpide studio --model package.module:Net --weights net.safetensors --images photos/
limpide studio --port 8501 --public-url https://hub.example/user/me/proxy/8501/   through JupyterHub
It listens on this machine only, and opens only with the link that it prints."""),
)
@click.argument("runs", type=click.Path(path_type=Path), required=False)
@runs_folder
@click.option("--port", type=click.IntRange(1, 65535), help=N_("port to listen on; a free one unless given"))
@click.option(
    "--public-url",
    metavar="URL",
    help=N_("address under which a proxy shows the studio (JupyterHub, nginx); it still listens on this machine alone"),
)
@click.option("--no-browser", is_flag=True, help=N_("print the link and open nothing"))
@click.option(
    "--model",
    help=N_("open this network instead of a run: a name of limpide models, timm:NAME, or package.module:factory"),
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help=N_("folder of images to look at, with --model; its subfolders are the classes"),
)
@click.option("--weights", default="", help=N_("FILE.safetensors with the weights of all layers, with --model"))
@click.option(
    "--classes",
    type=click.IntRange(2, 100_000),
    help=N_("number of classes of the network, if nothing else gives it, with --model"),
)
@click.option(
    "--image-size", type=click.IntRange(8, 1024), help=N_("side of the square the network sees, with --model (px)")
)
def studio(
    runs: Path | None,
    folder: Path,
    port: int | None,
    public_url: str | None,
    no_browser: bool,
    model: str | None,
    images: Path | None,
    weights: str,
    classes: int | None,
    image_size: int | None,
) -> None:
    from limpide.report.terminal import progress
    from limpide.studio.guard import PublicUrl

    public = PublicUrl.parse(public_url) if public_url is not None else None
    if (
        (model is None) != (images is None)
        or (model is None and (weights or classes or image_size))
        or (model and runs)
    ):
        raise UsageError("L139", where="limpide studio")
    folder, one = chosen_runs(runs, folder)
    _exit_on_signals()
    scratch = TemporaryFolder() if model else None
    if scratch:
        from limpide.workflows.open_network import open_network

        opened = open_network(
            str(model), str(images), scratch.path, weights=weights, classes=classes or 0, image_size=image_size or 0
        )
        folder, page = scratch.path, f"page=anatomy&run={opened.path.name}"
    else:
        folder = folder.resolve()
        page = f"page=live&run={one.name}" if one else "page=runs" if Run.all_in(folder) else "page=learn"
    _serve(folder, page, port, progress.Screen(), no_browser=no_browser, public=public)


def _exit_on_signals() -> None:
    """Exit in an orderly way on signals, so that the files opened without a training are cleaned up."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))


def _serve(
    folder: Path, page: str, port: int | None, screen: Screen, *, no_browser: bool, public: PublicUrl | None
) -> None:
    """Open the page and serve it until Ctrl-C."""
    server, sock, token = prepare_studio(port)
    url = link(sock, token, page, str(public) if public else "")
    screen.link(message(N_("the studio, until Ctrl-C:")), url)
    if not no_browser:
        webbrowser.open(url)
    server.serve(folder, sock, token, public=public)
    screen.next("limpide", "runs")


def prepare_studio(port: int | None) -> tuple[Any, Any, str]:
    """Return (the server, a socket, a fresh token). Raises UsageError when the pages are missing or the port is
    taken.
    """
    from limpide import browser
    from limpide.studio import server

    if browser.missing():
        raise UsageError("L127", where=str(browser.VENDOR))
    return server, server.listen(port), secrets.token_urlsafe(16)


def link(sock: Any, token: str, page: str, public: str = "") -> str:
    """public: the address under which a proxy shows it; without one, this machine."""
    return f"{public or f'http://127.0.0.1:{sock.getsockname()[1]}/'}?token={token}#{page}"


def start_beside(run: Run) -> tuple[Any, str]:
    """Start the studio in a separate process, so that it does not take time from a training: (process, link). It ends
    with this process.
    """
    import os
    import subprocess

    _, sock, token = prepare_studio(None)
    os.set_inheritable(sock.fileno(), True)
    process = subprocess.Popen(
        [sys.executable, "-m", "limpide.studio.__main__", str(sock.fileno()), str(run.path.parent.resolve())],
        pass_fds=[sock.fileno()],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the training
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(token + "\n")
    process.stdin.flush()
    url = link(sock, token, f"page=live&run={run.path.name}")
    sock.close()
    return process, url
