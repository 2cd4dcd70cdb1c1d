"""The pages Learn: what they work out is what the ladder and PyTorch work out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from limpide.ladder.convolution import convolve
from limpide.ladder.perceptron import OR, XOR, perceptron
from limpide.ladder.race import SURFACES, race
from tests.studio.pages.drive import go
from tests.studio.serving import Server


def test_the_perceptron_of_the_page_is_that_of_the_ladder(page: Any) -> None:
    for _, examples in (("OR", OR), ("XOR", XOR)):
        theirs = page.evaluate(
            "t => import('/static/pages/learn/neuron.js').then(m => m.trace(t).rows)",
            [target for _, target in examples],
        )
        ours = [event.values for event in perceptron(examples, (0, 1, 0), epochs=8) if hasattr(event, "values")]
        assert [(row["x"], row["before"], row["y"], row["t"], row["after"]) for row in theirs] == [
            (v["X"], v["W"], v["y"], v["t"], v["W_after"]) for v in ours
        ]
    go(page, "page=learn&part=neuron&gate=OR")
    assert "12 presentations and 2 updates" in page.inner_text("main")


@pytest.mark.parametrize("ground", SURFACES)
def test_the_race_of_the_page_is_that_of_the_ladder(page: Any, ground: str) -> None:
    steps = list(race(ground))
    for name in ("SGD", "momentum", "Nesterov", "Adagrad", "RMSprop", "Adam"):
        own = [event for event in steps if event.values["optimiser"] == name]
        rate = page.evaluate(
            "([n, g]) => import('/static/pages/learn/race.js').then(m => m.bestRate(n, g))", [name, ground]
        )
        path = page.evaluate(
            "([n, g, r]) => import('/static/pages/learn/race.js').then(m => m.run(n, g, r))", [name, ground, rate]
        )
        assert rate == own[0].lr
        assert np.allclose(path[1:], [event.values["at"] for event in own], rtol=1e-9, atol=1e-12), name


def test_the_bench_convolves_as_the_ladder_does(page: Any) -> None:
    dice = np.random.default_rng(0)
    image, kernel = dice.random((9, 9)), dice.normal(size=(3, 3))
    theirs = page.evaluate(
        "([i, k]) => import('/static/pages/learn/bench.js').then(m => Array.from(m.convolve(i, k, 9)))",
        [image.ravel().tolist(), kernel.ravel().tolist()],
    )
    assert np.allclose(
        np.reshape(theirs, (9, 9)), convolve(image[None], kernel[None, None], np.zeros(1), padding=1)[0], atol=1e-6
    )
    shades = []
    for theme in ("light", "dark"):
        page.evaluate("theme => localStorage.setItem('limpide.theme', theme)", theme)
        page.reload()
        go(page, "page=learn&part=bench", "#total")
        pixel = (
            "([x, y]) => { const c = document.querySelector('main canvas'); return "
            "[...c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data].slice(0, 3); }"
        )
        shades.append([page.evaluate(pixel, at) for at in ((0.05, 0.95), (0.33, 0.33))])  # ground and disc
    assert shades[0] == shades[1] and max(shades[0][0]) < 40 < 200 < min(shades[0][1]), "black stays black"
    page.evaluate("localStorage.setItem('limpide.theme', 'light')")
    page.reload()
    go(page, "page=learn&part=bench")
    before = page.inner_text("#total")
    page.locator("input[type=number]").nth(4).fill("7")
    page.wait_for_function("before => document.querySelector('#total').innerText !== before", arg=before)


def test_the_playgrounds_network_learns_as_torch_does_and_draws_what_it_says(page: Any) -> None:
    found = page.evaluate(
        """() => import('/static/pages/learn/network.js').then(({ Network }) => {
            const net = new Network([2, 4, 3, 1], 5), weights = () => net.layers.map(({ w, b }) => [Array.from(w), Array.from(b)]), before = weights();
            const error = net.learn([0.3, -0.7, 1], 0.2), after = weights(), pictures = net.draw(8), shown = Array.from(pictures), expected = [];
            for (let i = 0; i < 8; i++) for (let j = 0; j < 8; j++) { net.forward(-1 + (j + 0.5) / 4, 1 - (i + 0.5) / 4); expected.push(net.seen.slice(1).flatMap((one) => Array.from(one))); }
            const points = [[0.1, 0.2, 1], [-0.5, 0.3, -1], [0.9, -0.9, 1], [0, 0.5, -1]], said = points.map(([x, y]) => net.forward(x, y));
            return { before, after, error, shown, expected, same: net.draw(8) === pictures, points, said, right: net.right(points, 1, 4) };
        })"""
    )
    shape = [2, 4, 3, 1]
    layers = [
        (
            torch.tensor(w, dtype=torch.float64).reshape(n, m).requires_grad_(),
            torch.tensor(b, dtype=torch.float64).requires_grad_(),
        )
        for (w, b), m, n in zip(found["before"], shape[:-1], shape[1:], strict=True)
    ]
    y = torch.tensor([0.3, -0.7], dtype=torch.float64)
    for w, b in layers:
        y = torch.tanh(w @ y + b)
    error = 0.5 * (1 - y[0]) ** 2
    error.backward()
    assert found["error"] == pytest.approx(error.item(), rel=1e-12)
    for (w, b), (w_after, b_after) in zip(layers, found["after"], strict=True):
        assert w.grad is not None and b.grad is not None
        assert np.allclose((w - 0.2 * w.grad).detach().flatten(), w_after, atol=1e-14) and np.allclose(
            (b - 0.2 * b.grad).detach(), b_after, atol=1e-14
        )
    assert (
        np.allclose(np.array(found["shown"]).reshape(8, 64), np.array(found["expected"]).T, atol=1e-6) and found["same"]
    ), "one array, frame after frame"
    assert found["right"] == np.mean(
        [(said > 0) == (point[2] > 0) for said, point in list(zip(found["said"], found["points"], strict=True))[1:]]
    )


def test_the_half_plane_of_the_neuron_is_where_it_says_one(page: Any) -> None:
    grid = np.stack(np.meshgrid(*[np.linspace(-0.25, 1.25, 301)[:-1] + 0.0025] * 2), -1)
    for w in ([0, 1, 1], [-0.5, 1, 0], [1, 0, 0], [-1, 0, 0], [0.3, -2, 1]):
        corners = np.array(
            page.evaluate("w => import('/static/pages/learn/neuron.js').then(m => m.half(w))", w)
        ).reshape(-1, 2)
        x, y = corners.T
        area = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2 / 1.5**2
        assert area == pytest.approx((w[0] + grid @ np.array(w[1:]) > 0).mean(), abs=0.01)


def test_pictures_have_the_pixels_of_the_screen(browser: Any, server: Server) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, device_scale_factor=2)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    for part, least in (("race", 1), ("playground", 3), ("bench", 2)):
        go(page, f"page=learn&part={part}", "main canvas")
        page.wait_for_function(
            "() => [...document.querySelectorAll('main canvas')].every((c) => c.width === 2 * c.clientWidth && "
            "c.height === 2 * c.clientHeight)"
        )
        assert page.locator("main canvas").count() >= least and page.locator("main svg text").count() > 8
    context.close()


def test_the_race_has_a_conclusion(page: Any) -> None:
    for ground, last in (("valley", "SGD is highest (0.193)"), ("saddle", "SGD is highest (−0.000185)")):
        go(page, f"page=learn&part=race&ground={ground}", "#end")
        page.wait_for_function("last => document.querySelector('#end').innerText.includes(last)", arg=last)
        assert "plain gradient descent (SGD)" in page.inner_text("#end")
    go(page, "page=learn&part=race&ground=saddle&scale=2", "#end")
    page.wait_for_function("() => !document.querySelector('#end').innerText.includes('plain gradient descent')")


def test_the_playground_solves_xor(page: Any) -> None:
    go(page, "page=learn&part=playground&data=xor&shape=6,4")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("() => parseFloat(document.querySelector('#right').innerText) >= 95")


def test_the_playgrounds_figures_change_their_language_with_the_page(page: Any) -> None:
    go(page, "page=learn&part=playground", "#right:not(:empty)")
    assert "." in page.inner_text("#right") and "." in page.inner_text("#learned")
    page.get_by_role("button", name="Français").click()
    page.wait_for_function("() => document.querySelector('#right').innerText.includes(',')")
    assert "," in page.inner_text("#learned")
