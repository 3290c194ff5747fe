"""A multilayer perceptron on small pictures of rings and crosses, with a data set of its own."""

from __future__ import annotations

import argparse

import numpy as np

import autograd_core as torch
import nn
import nn.functional as F
import optim
from training import transforms
from training.data import DataLoader, Dataset, random_split

CLASSES = ("ring", "cross", "noise")


class Shapes(Dataset[tuple[torch.Tensor, int]]):
    def __init__(self, n: int, size: int = 10, transform=None) -> None:
        super().__init__()
        rng = np.random.RandomState(0)
        y, x = np.mgrid[:size, :size]
        self.labels = rng.randint(0, len(CLASSES), n)
        self.images = np.empty((n, size, size), dtype=np.uint8)
        for i, label in enumerate(self.labels):
            cx, cy = rng.uniform(3, size - 4, 2)
            ring = np.abs(np.hypot(x - cx, y - cy) - 3) < 0.8
            cross = (np.abs(x - cx) < 0.8) | (np.abs(y - cy) < 0.8)
            ink = (ring, cross, rng.rand(size, size) < 0.3)[label]
            self.images[i] = np.where(ink, 200, 20) + rng.randint(0, 40, (size, size))
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, idx: int) -> tuple[torch.Tensor, int]:
        image, label = self.images[idx], int(self.labels[idx])
        if self.transform:
            image = self.transform(image)
        return image, label


class MLP(nn.Module):
    def __init__(self, inputs: int = 100, hidden: int = 48, dropout: float = 0.0) -> None:
        super(MLP, self).__init__()  # noqa: UP008
        self.fc1 = nn.Linear(inputs, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, len(CLASSES))
        self.dropout = nn.Dropout(p=dropout)
        self.scale = nn.Parameter(torch.ones(1))
        self.apply(self._init_weights)

    def _init_weights(self, m: nn.Module) -> None:
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.view(x.size(0), -1)
        x = F.relu(self.fc1(x))
        x = self.dropout(torch.tanh(self.fc2(x)))
        return self.out(x) * self.scale


@torch.no_grad()
def evaluate(model, loader, device) -> tuple[float, torch.Tensor]:
    model.eval()
    correct, total = 0, 0
    hits = torch.zeros(len(CLASSES), device=device)
    counts = torch.zeros_like(hits)
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        _, pred = torch.max(model(images), 1)
        correct += (pred == labels).sum().item()
        total += labels.size(0)
        for c in range(len(CLASSES)):
            mask = labels == c
            hits[c] += (pred[mask] == c).sum()
            counts[c] += mask.sum()
    return correct / total, hits / counts.clamp(min=1)


def main(argv: list[str] | None = None) -> list[float]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--resume", help="weights to start from, .npz")
    args = parser.parse_args(argv)

    torch.manual_seed(42)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    transform = transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.Normalize((0.5,), (0.5,)),
            transforms.Lambda(lambda x: x.clamp(-1, 1).flatten()),
        ]
    )
    train_set, test_set = random_split(
        Shapes(320, transform=transform), [256, 64], generator=torch.Generator().manual_seed(0)
    )
    train_loader = DataLoader(
        train_set,
        batch_size=args.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=0,
        pin_memory=torch.cuda.is_available(),
    )
    test_loader = DataLoader(test_set, batch_size=64, shuffle=False)

    model = MLP(dropout=args.dropout).to(device)
    if args.resume:
        with np.load(args.resume) as saved:
            model.load_state_dict({k: torch.from_numpy(saved[k]) for k in saved.files})
    print(model)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"{trainable:,} parameters on {device}")

    decay = [p for name, p in model.named_parameters() if name.endswith("weight")]
    rest = [p for name, p in model.named_parameters() if not name.endswith("weight")]
    optimizer = optim.SGD(
        [{"params": decay, "weight_decay": 1e-4}, {"params": rest}], lr=args.lr, momentum=0.9
    )
    criterion = nn.CrossEntropyLoss().to(device)

    losses = []
    for epoch in range(1, args.epochs + 1):
        model.train()
        running_loss = 0.0
        for i, (inputs, targets) in enumerate(train_loader):
            inputs, targets = inputs.to(device), targets.to(device, non_blocking=True)
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            running_loss += loss.item() * inputs.size(0)
            if i % 4 == 3:
                print(f"[{epoch}, {i + 1:3d}/{len(train_loader)}] loss {loss:.4f}")
        accuracy, per_class = evaluate(model, test_loader, device)
        print(f"epoch {epoch}: mean {running_loss / len(train_set):.4f}, test {accuracy:.1%}")
        print("  " + ", ".join(f"{c}: {a:.2f}" for c, a in zip(CLASSES, per_class, strict=True)))
    return losses


if __name__ == "__main__":
    main()
