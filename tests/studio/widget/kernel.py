"""A widget of this process, the wire to its page, and a network to look at."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Two convolutions, the second with stride and padding, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.head = nn.Linear(6 * 8 * 10, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(torch.relu(self.second(torch.relu(self.first(images)))).flatten(1))


class Kernel:
    """A widget and the wire to its page: what it says is kept until the page takes it."""

    def __init__(self, made: Callable[[], Any]) -> None:
        import comm

        self.said: list[dict[str, Any]] = []
        kernel = self

        class Wire(comm.base_comm.BaseComm):
            def publish_msg(
                self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
            ) -> None:
                kernel.said.append(
                    {**(data or {}), "buffers": [base64.b64encode(each).decode() for each in buffers or []]}
                )

        before, comm.create_comm = comm.create_comm, Wire
        try:
            self.widget = made()
        finally:
            comm.create_comm = before

    def hear(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """A message of the page, and what is answered."""
        self.widget.comm.handle_msg({"content": {"data": json.loads(json.dumps(message))}, "buffers": []})
        return self.taken()

    def taken(self) -> list[dict[str, Any]]:
        found, self.said = self.said, []
        return [json.loads(json.dumps(one, allow_nan=False)) for one in found]  # as the wire carries it

    def ask(self, what: object, **values: object) -> dict[str, Any]:
        (answer,) = self.hear({"method": "custom", "content": {"id": "1", "what": what, "values": values}})
        assert answer["content"]["id"] == "1"
        return {"bytes": base64.b64decode(answer["buffers"][0]) if answer["buffers"] else b"", **answer["content"]}


def told(network: Net, image: Tensor) -> dict[str, Tensor]:
    """What torch itself says that each layer gives."""
    network.eval()
    with torch.inference_mode():
        first = network.first(image)
        second = network.second(torch.relu(first))
        found = {
            "image": image[0],
            "first": first[0],
            "second": second[0],
            "head": network.head(torch.relu(second).flatten(1))[0],
        }
    network.train()
    return found
