"""A character model: LSTM, backpropagation through time in pieces, and text that it samples."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

import autograd_core as torch
import nn
from nn.utils import clip_grad_norm_

TEXT = "the cat sat on the mat and the rat ran at the cat. " * 24


class CharRNN(nn.Module):
    def __init__(self, vocab_size: int, embed: int = 16, hidden: int = 48, layers: int = 1) -> None:
        super().__init__()
        self.hidden_size, self.num_layers = hidden, layers
        self.embedding = nn.Embedding(vocab_size, embed)
        self.lstm = nn.LSTM(embed, hidden, num_layers=layers, batch_first=True)
        self.decoder = nn.Linear(hidden, vocab_size)
        self.init_weights()

    def init_weights(self) -> None:
        initrange = 0.1
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.decoder.bias.data.zero_()
        self.decoder.weight.data.uniform_(-initrange, initrange)
        for name, param in self.lstm.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(param)
            elif "bias" in name:
                nn.init.zeros_(param)
                with torch.no_grad():
                    n = param.size(0)
                    param[n // 4 : n // 2].fill_(0.5)  # forget less at first

    def forward(self, x, hidden):
        out, hidden = self.lstm(self.embedding(x), hidden)
        out = self.decoder(out.contiguous().view(-1, self.hidden_size))
        return out, hidden

    def init_hidden(self, batch_size: int):
        weight = next(self.parameters())
        shape = (self.num_layers, batch_size, self.hidden_size)
        return weight.new_zeros(shape), weight.new_zeros(shape)


def repackage_hidden(h):
    """Detach hidden states from the history they came with."""
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage_hidden(v) for v in h)


def batchify(data: torch.Tensor, batch_size: int) -> torch.Tensor:
    nbatch = data.size(0) // batch_size
    return data.narrow(0, 0, nbatch * batch_size).view(batch_size, -1).contiguous()


@torch.inference_mode()
def sample(model, start: str, length: int, stoi, itos, temperature: float = 0.7) -> str:
    model.eval()
    hidden = model.init_hidden(1)
    text = start
    x = torch.tensor([[stoi[c] for c in start]])
    for _ in range(length):
        logits, hidden = model(x, hidden)
        logits = logits[-1] / temperature
        top, _ = torch.topk(logits, min(5, logits.numel()))
        logits[logits < top[-1]] = -float("inf")
        probs = torch.softmax(logits, dim=-1)
        char = torch.multinomial(probs, num_samples=1)
        text += itos[char.item()]
        x = torch.cat([x[:, -1:], char.unsqueeze(0)], dim=1)[:, 1:]
    return text


def main(argv: list[str] | None = None) -> list[float]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--bptt", type=int, default=20)
    parser.add_argument("--clip", type=float, default=0.5)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--resume", help="weights to start from, .npz")
    args = parser.parse_args(argv)

    torch.manual_seed(1111)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    text = args.text.read_text() if args.text else TEXT
    chars = sorted(set(text))
    stoi = {ch: i for i, ch in enumerate(chars)}
    itos = dict(enumerate(chars))
    data = batchify(torch.tensor([stoi[c] for c in text], dtype=torch.long), 8).to(device)

    model = CharRNN(len(chars)).to(device)
    if args.resume:
        with np.load(args.resume) as saved:
            model.load_state_dict({k: torch.as_tensor(saved[k]) for k in saved.files})
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.99))
    criterion = nn.CrossEntropyLoss()

    losses = []
    for epoch in range(args.epochs):
        model.train()
        total_loss = torch.zeros(1)
        hidden = model.init_hidden(data.size(0))
        for i in range(0, data.size(1) - 1, args.bptt):
            seq_len = min(args.bptt, data.size(1) - 1 - i)
            inputs = data[:, i : i + seq_len]
            targets = data[:, i + 1 : i + 1 + seq_len].reshape(-1)
            hidden = repackage_hidden(hidden)
            model.zero_grad()
            output, hidden = model(inputs, hidden)
            loss = criterion(output, targets)
            loss.backward()
            norm = clip_grad_norm_(model.parameters(), args.clip)
            optimizer.step()
            if i == 0:
                print(f"gradient norm {norm:.3f} before clipping")
            total_loss += loss.detach() * seq_len
            losses.append(loss.item())
        mean = total_loss.item() / (data.size(1) - 1)
        print(f"| epoch {epoch:2d} | loss {mean:5.2f} | ppl {math.exp(mean):6.2f} |")
    print(sample(model, text[:4], 40, stoi, itos))
    return losses


if __name__ == "__main__":
    main()
