"""A convolutional network with batch normalisation: scheduled rates, and the best model kept."""

from __future__ import annotations

import argparse
import copy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as torch
import nn
import nn.functional as F
from optim.lr_scheduler import StepLR
from training.data import DataLoader, TensorDataset


def conv_block(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )


class ConvNet(nn.Module):
    def __init__(self, num_classes: int = 4) -> None:
        super().__init__()
        self.features = nn.Sequential(conv_block(1, 8), conv_block(8, 16))
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier = nn.Linear(16, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def stripes(n: int, seed: int) -> TensorDataset:
    """Stripes in one of four directions, under noise."""
    rng = np.random.RandomState(seed)
    angle = rng.randint(0, 4, n)
    y, x = np.mgrid[:12, :12]
    direction = np.pi * angle[:, None, None] / 4
    waves = np.sin(1.5 * (x * np.cos(direction) + y * np.sin(direction)) + rng.rand(n, 1, 1))
    images = (waves + rng.normal(0, 0.5, waves.shape)).astype(np.float32)
    return TensorDataset(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(angle).long())


def train(model, device, train_loader, optimizer, epoch, log_interval: int = 4) -> list[float]:
    model.train()
    losses = []
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad(set_to_none=True)
        output = F.log_softmax(model(data), dim=1)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if batch_idx % log_interval == 0:
            done, total = batch_idx * len(data), len(train_loader.dataset)
            print(f"Train epoch: {epoch} [{done}/{total}]\tLoss: {loss.item():.6f}")
    return losses


def test(model, device, test_loader) -> tuple[float, float]:
    model.eval()
    test_loss = 0.0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.cross_entropy(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    count = len(test_loader.dataset)
    print(f"Test: average loss {test_loss / count:.4f}, accuracy {correct}/{count}")
    return test_loss / count, correct / count


def save(model, path: Path) -> None:
    np.savez(path, **{name: value.cpu().numpy() for name, value in model.state_dict().items()})


def load(model, path: Path | str) -> None:
    with np.load(path) as saved:
        state_dict = {name: torch.from_numpy(saved[name]) for name in saved.files}
    missing, unexpected = model.load_state_dict(state_dict, strict=True)
    assert len(missing) == len(unexpected) == 0


def main(argv: list[str] | None = None) -> list[float]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--gamma", type=float, default=0.5)
    parser.add_argument("--compile", action="store_true", default=False)
    parser.add_argument("--resume", help="weights to start from, .npz")
    args = parser.parse_args(argv)

    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loader_kwargs: dict[str, Any] = {"num_workers": 0, "pin_memory": False}
    train_loader = DataLoader(stripes(224, 0), batch_size=32, shuffle=True, **loader_kwargs)
    test_loader = DataLoader(stripes(96, 1), batch_size=48, **loader_kwargs)

    model = ConvNet().to(device)
    if args.resume:
        load(model, args.resume)
    if args.compile:
        model = torch.compile(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-3)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)

    history, best, best_state = [], float("inf"), copy.deepcopy(model.state_dict())
    for epoch in range(1, args.epochs + 1):
        history += train(model, device, train_loader, optimizer, epoch)
        loss, _ = test(model, device, test_loader)
        history.append(loss)
        if loss < best:
            best, best_state = loss, copy.deepcopy(model.state_dict())
        scheduler.step()
        print(f"lr {scheduler.get_last_lr()[0]:.4g}, best {best:.4f}")

    model.load_state_dict(best_state)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stripes.npz"
        save(model, path)
        fresh = ConvNet()
        load(fresh, path)
        assert test(fresh, device, test_loader)[0] == test(model, device, test_loader)[0]
    for name, buffer in model.named_buffers():
        if "num_batches" in name:
            print(name, buffer)
    return history


if __name__ == "__main__":
    main()
