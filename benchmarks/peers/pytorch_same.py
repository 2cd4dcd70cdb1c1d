"""The network and recipe of `limpide train mnist` as a plain loop, with PyTorch's own DataLoader and AdamW."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from shared import (
    BATCH,
    RATE,
    SMOOTHING,
    Arguments,
    learned_and_validated,
    load,
    normalized,
    one_cycle,
    tell,
)
from small_cnn import SmallCNN, parameter_groups
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


def tensors(images: object, labels: object) -> TensorDataset:
    return TensorDataset(torch.from_numpy(normalized(images))[:, None], torch.from_numpy(labels))


@torch.inference_mode()
def score(model: nn.Module, loader: DataLoader[tuple[Tensor, ...]]) -> float:
    model.eval()
    return sum(int((model(x).argmax(1) == y).sum()) for x, y in loader) / len(loader.dataset)  # type: ignore[arg-type]


def main() -> None:
    given = Arguments.read()
    torch.manual_seed(given.seed)
    images, labels = load(given.files, "train")
    learned, validated = (tensors(images[rows], labels[rows]) for rows in learned_and_validated(given.seed))
    model = SmallCNN()
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, one_cycle)
    for x, y in DataLoader(learned, batch_size=BATCH, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y, label_smoothing=SMOOTHING).backward()
        optimizer.step()
        schedule.step()
    score(model, DataLoader(validated, batch_size=1000))
    torch.save(model.state_dict(), given.model)
    seconds = given.seconds()
    tell(seconds, score(model, DataLoader(tensors(*load(given.files, "t10k")), batch_size=1000)))


if __name__ == "__main__":
    main()
