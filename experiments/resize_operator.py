"""Claim: ONNX's Resize with antialiasing is not Pillow's resize; the graph limpide writes is, bit for bit.

    python -m experiments.resize_operator        (20 seconds)

Noise images of random sizes, resized to a square by Pillow, by ONNX Runtime's Resize (linear, antialias = 1, uint8) and
by limpide's graph. Prints the largest difference in grey levels and the share of differing values.
"""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

from limpide.data.preprocessing import Preprocessing
from limpide.deploy.preprocessing_graph import preprocessing_model

IMAGES, SIZE = 200, 128


def resize_operator() -> onnxruntime.InferenceSession:
    node = helper.make_node(
        "Resize", ["x", "", "", "s"], ["y"], mode="linear", antialias=1, coordinate_transformation_mode="half_pixel"
    )
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 3, None, None]),
        helper.make_tensor_value_info("s", TensorProto.INT64, [4]),
    ]
    graph = helper.make_graph([node], "resize", inputs, [helper.make_tensor_value_info("y", TensorProto.UINT8, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString())


def main() -> None:
    rng = np.random.default_rng(0)
    preprocessing = Preprocessing(SIZE, 3, "squash", "bilinear", (0.0,), (1.0,))
    operator, graph = (
        resize_operator(),
        onnxruntime.InferenceSession(preprocessing_model(preprocessing).SerializeToString()),
    )
    differences: dict[str, list[np.ndarray]] = {"Resize operator": [], "limpide's graph": []}
    for _ in range(IMAGES):
        height, width = rng.integers(10, 500, 2)
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        pillow = preprocessing.pixels(Image.fromarray(image)).astype(int)
        theirs = operator.run(
            None, {"x": np.ascontiguousarray(image.transpose(2, 0, 1)[None]), "s": np.array([1, 3, SIZE, SIZE])}
        )[0]
        differences["Resize operator"].append(np.abs(theirs[0].transpose(1, 2, 0).astype(int) - pillow))
        own = graph.run(None, {"image": image[None]})[0]
        differences["limpide's graph"].append(np.abs(own[0].transpose(1, 2, 0).astype(int) - pillow))
    for name, found in differences.items():
        every = np.stack(found)
        print(
            f"{name} against Pillow, {IMAGES} images: largest difference {every.max()} grey levels, "
            f"{np.mean(every > 0):.2%} of the values differ"
        )


if __name__ == "__main__":
    main()
