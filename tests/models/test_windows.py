"""Networks that look window by window: the strongest window counts, and the file says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limpide import models
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.models.windows import CELLS, deciding_window, strongest_windows
from limpide.training.batches import as_tensor

NAME = "efficientnet_lite0+windows"


def network(size: int = 224) -> torch.nn.Module:
    model = models.build(NAME, 2, 3, size)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.head.weight)  # type: ignore[union-attr,arg-type]
    return model.eval()


def test_a_feature_is_that_of_the_window_where_it_is_strongest() -> None:
    maps = torch.randn(2, 5, 7, 9)
    by_hand = [
        [max(float(one[y : y + CELLS, x : x + CELLS].mean()) for y in range(5) for x in range(7)) for one in image]
        for image in maps
    ]
    assert strongest_windows(maps).numpy() == pytest.approx(np.array(by_hand), abs=1e-6)
    small = maps[:, :, :2, :1]
    assert torch.equal(strongest_windows(small), small.mean((2, 3))), "of maps that are smaller than a window, too"


def test_it_has_the_weights_of_the_network_that_it_is_a_view_of() -> None:
    whole, windows = models.build("efficientnet_lite0", 3, 3, 224), models.build(NAME, 3, 3, 448)
    assert whole.state_dict().keys() == windows.state_dict().keys()
    windows.load_state_dict(whole.state_dict())
    whole, windows, square = whole.eval(), windows.eval(), torch.randn(1, 3, 96, 96)
    one_window = windows.features(square)  # type: ignore[operator]
    assert torch.allclose(one_window, whole.features(square), rtol=1e-4), "the whole image"  # type: ignore[operator]
    larger = torch.randn(1, 3, 224, 224)
    assert not torch.allclose(windows.features(larger), whole.features(larger), rtol=1e-2)  # type: ignore[operator]


def test_moving_a_thing_by_whole_cells_far_from_the_border_moves_its_window(place: int = 5) -> None:
    model, size = network(), 448
    square = torch.zeros(1, 3, size, size)
    found = []
    for column in (160, 192):
        square[:] = 0
        square[:, :, 160:192, column : column + 32] = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(3))
        label = int(model(square).argmax())
        window = deciding_window(model, square, label)
        assert window is not None and 0 < window.share <= 1
        assert window.top <= 192 and window.bottom >= 160 and window.left <= column + 32 and window.right >= column
        found.append(window.left)
    assert found[1] - found[0] == 32


def test_the_deciding_window_is_the_one_whose_absence_costs_the_class_most() -> None:
    """By hand: what the class loses against the other, window by window, where its features fall to the average."""
    model, image = network(), torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        maps = model.last(model.blocks(model.stem(image)))  # type: ignore[operator]
        means = torch.nn.functional.avg_pool2d(maps, CELLS, stride=1)[0]
        weight = model.head.weight[0] - model.head.weight[1]  # type: ignore[index,union-attr]
        loss = torch.zeros(means.shape[1:])
        for channel, own in enumerate(means):
            y, x = divmod(int(own.argmax()), own.shape[1])
            loss[y, x] += weight[channel] * (own[y, x] - own.mean())
    y, x = divmod(int(loss.argmax()), loss.shape[1])
    window = deciding_window(model, image, 0)
    assert window is not None and (window.top, window.left) == (32 * y, 32 * x)
    assert window.share == pytest.approx(float(loss.max() / loss[loss > 0].sum()), rel=1e-4)
    assert (window.bottom - window.top, window.right - window.left) == (96, 96)


def test_a_network_that_looks_at_all_at_once_has_no_deciding_window() -> None:
    assert deciding_window(models.build("efficientnet_lite0", 2, 3, 64).eval(), torch.zeros(1, 3, 64, 64), 0) is None


def test_the_file_looks_through_the_same_windows(tmp_path: Path) -> None:
    model, p = network(448), Preprocessing(448, 3, "squash", "bicubic", (127.0,), (128.0,))
    export(model, p, ("good", "scratched"), tmp_path / "model.onnx", name=NAME)
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8))
    predictor = Predictor(tmp_path / "model.onnx")
    with torch.inference_mode():
        ours = model(as_tensor(p.pixels(image)[None], p)).softmax(1).numpy()
    assert predictor.probabilities([image]) == pytest.approx(ours, abs=1e-4)
    found = predictor.self_test()
    assert found is not None and found.difference < 1e-4


def test_what_a_window_gives_can_be_taken_apart_like_any_sum() -> None:
    from limpide.interpret.trace import trace
    from limpide.interpret.unit import as_finding, unit_of

    model = network()
    recorded = trace(model, torch.randn(1, 3, 224, 224))
    found = as_finding(unit_of(recorded, "head", 1, 0, 0))
    assert found.data["sum"] == pytest.approx(float(recorded.output[0, 1]), rel=1e-3)
