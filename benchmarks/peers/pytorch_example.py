"""pytorch/examples, mnist/main.py with its default options (https://github.com/pytorch/examples/tree/main/mnist): two
convolutions of 32 and 64, dropout, a hidden layer of 128; Adadelta from 1.0, times 0.7 after each of 14 epochs; batches
of 64, in the order of the files on a processor; the test images scored after each epoch.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from shared import GOAL, Arguments, tell
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

EPOCHS, BATCH, TEST_BATCH, RATE, GAMMA = 14, 64, 1000, 1.0, 0.7


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
        nn.LogSoftmax(dim=1),
    )


def data(folder: Path, *, train: bool) -> datasets.MNIST:
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    return datasets.MNIST(folder, train=train, transform=transform)


def linked(files: Path, folder: Path) -> Path:
    """A folder as torchvision expects it, with links to the files."""
    (folder / "MNIST" / "raw").mkdir(parents=True)
    for file in files.glob("*-ubyte"):
        (folder / "MNIST" / "raw" / file.name).symlink_to(file.resolve())
    return folder


def score(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
    return right / len(loader.dataset)  # type: ignore[arg-type]


def main() -> None:
    given = Arguments.read()
    torch.manual_seed(given.seed)
    reached = None
    with tempfile.TemporaryDirectory() as folder:
        root = linked(given.files, Path(folder))
        learned = DataLoader(data(root, train=True), batch_size=BATCH)
        tested = DataLoader(data(root, train=False), batch_size=TEST_BATCH)
        model = network()
        optimizer = optim.Adadelta(model.parameters(), lr=RATE)
        schedule = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=GAMMA)
        for _ in range(EPOCHS):
            model.train()
            for images, labels in learned:
                optimizer.zero_grad()
                F.nll_loss(model(images), labels).backward()
                optimizer.step()
            accuracy = score(model, tested)
            if accuracy >= GOAL and reached is None:
                reached = given.seconds()
            schedule.step()
        torch.save(model.state_dict(), given.model)
    tell(given.seconds(), accuracy, reached)


if __name__ == "__main__":
    main()
