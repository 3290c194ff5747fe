"""Idioms of PyTorch's scripts and tutorials: the same text on both libraries, the same results."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch

# Every block is run where `torch`, `nn`, `F`, `optim` and `data` name either library, with
# A, B (3, 4) and V (6) of floats, L (3) of labels, W (4, 2) that requires grad; it sets `r`.
EXPRESSIONS = """
    A.to(device)
    A.to(device, dtype=torch.float64)
    A.to(device=torch.device("cpu"), non_blocking=True)
    A.to(L.device, torch.float64)
    torch.add(input=A, other=B)
    torch.add(A, other=B, alpha=2)
    torch.mul(input=A, other=B)
    torch.sub(A, other=B)
    torch.matmul(input=A, other=W)
    torch.exp(input=A)
    torch.where(A > 0)
    torch.where(condition=A > 0, input=A, other=B)
    torch.where(A > 0, A, 0.0)
    torch.allclose(input=A, other=B, rtol=1e-3)
    torch.equal(input=A, other=B)
    A.mul(other=B).eq(other=A)
    torch.zeros(size=(2, 3))
    torch.ones(size=(2, 3), dtype=torch.long)
    torch.randn(size=(2, 3)).shape[1]
    torch.rand(size=[4]).numel()
    torch.logspace(0, 2, 5)
    torch.logspace(start=0, end=3, steps=4, base=2)
    torch.Tensor([1, 2, 3])
    torch.Tensor([[1, 2], [3, 4]]).sum()
    torch.Tensor(2, 3).shape[1]
    torch.Tensor(np.arange(3))
    torch.Tensor().shape[0]
    torch.FloatTensor([1, 2])
    torch.LongTensor([1, 2])
    torch.LongTensor(np.array([1.7, 2.0]))
    torch.BoolTensor([True, False])
    torch.DoubleTensor(2, 3).dtype == torch.float64
    A.type(torch.LongTensor)
    L.type(torch.FloatTensor)
    A.type(torch.float64)
    torch.numel(A) + A.ndimension()
    torch.is_floating_point(A), torch.is_floating_point(L)
    torch.is_tensor(A), torch.is_tensor(A.tolist())
    torch.finfo(torch.float32).eps, torch.finfo(A.dtype).min, torch.finfo().max
    torch.finfo(torch.float64).tiny, torch.finfo(torch.float16).bits
    torch.iinfo(torch.int64).max, torch.iinfo(torch.uint8).bits, torch.iinfo(torch.int8).min
    torch.pi, torch.e, torch.inf
    isinstance(torch.float32, torch.dtype)
    A.H
    torch.vmap(lambda x: x.sum())(A)
    A.bernoulli(0.0), torch.empty(3).bernoulli_(1.0), A.abs().bernoulli(1)
    torch.empty(3).random_(0, 1), torch.empty(4, dtype=torch.long).random_(1)
    torch.empty(30).exponential_(2.0).min() > 0
    A.softmax(-1).multinomial(2).shape[1]
    torch.cuda.device_count() if not torch.cuda.is_available() else 0
    torch.backends.mps.is_available() if not torch.backends.mps.is_available() else False
    A.argmax(dim=1, keepdim=True).eq(L.view(-1, 1)).sum().item()
    A.gather(1, L.unsqueeze(1)).squeeze(1).log_softmax(0)
    torch.zeros(3, 4).scatter_(1, L.view(-1, 1), 1)
    F.cross_entropy(A, L, label_smoothing=0.1), F.nll_loss(F.log_softmax(A, 1), L)
    F.scaled_dot_product_attention(A[None], B[None], B[None], is_causal=True)
    A.norm(2, dim=1), torch.norm(A), A.std(dim=0, unbiased=False)
    f"{A[0, 0]:.4f} {A.mean().item():.3e} {L[1]} {L}", "%d" % L[1], "{:>8.2f}".format(A.max())
    repr(A), str(I > 5), str(W), repr(nn.Parameter(torch.zeros(2)))
    [1, 2, 3, 4][L[1]], list(range(L[1])), {0: "a", 3: "b"}[L[1].item()]
    sum(A.sum(1)).item(), max(V).item(), sorted(V.tolist()), 3 in L, any(L == 3)
    np.float32(2.0) * A, A * np.float64(2.0), torch.arange(5) / 2, 1 - A, 2**A
    x.data_ptr() == x.view(-1).data_ptr() if (x := A.clone()) is not None else None
    A.chunk(2, -1), torch.stack(A.unbind()), torch.cat([x.unsqueeze(0) for x in A])
    torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
    [x for x in data.DataLoader(data.TensorDataset(A, L), batch_size=2, sampler=[2, 0, 1])]
    list(data.DataLoader(data.TensorDataset(A, L), batch_sampler=[[2, 0], [1]]))
    list(data.DataLoader(range(5), 2, drop_last=True, num_workers=0, pin_memory=False))
    [len(s) for s in data.random_split(range(10), [0.75, 0.25])]
    list(data.ConcatDataset([data.TensorDataset(A), data.TensorDataset(B)])[4])
    list(data.BatchSampler(data.SequentialSampler(range(5)), 2, drop_last=False))
    len(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(A, L), batch_size=2))
    torch.utils.checkpoint.checkpoint(lambda x: x * 2, A, use_reentrant=False)
    torch.autograd.Variable(A, requires_grad=True).requires_grad
    torch.nn.functional.relu(A), torch.nn.Linear(2, 3).out_features
"""

BLOCKS = [
    """
with torch.inference_mode():
    r = (A @ W).requires_grad
""",
    """
@torch.inference_mode()
def f(x):
    return x @ W
@torch.inference_mode
def g(x):
    return x @ W
with torch.no_grad(), torch.inference_mode(mode=False):
    r = f(A).requires_grad, g(A).requires_grad, (A @ W).requires_grad, f.__name__
""",
    """
torch.manual_seed(0)
torch.cuda.manual_seed_all(0)
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.benchmark = False
torch.use_deterministic_algorithms(True)
torch.use_deterministic_algorithms(False)
r = torch.initial_seed()
""",
    """
name = "cuda" if torch.cuda.is_available() else "cpu"
r = A.to(name)
""",
    """
torch.set_printoptions(precision=2)
r = [str(A)]
torch.set_printoptions(edgeitems=1, threshold=5)
r += [str(A), str(torch.arange(10))]
torch.set_printoptions(profile="short", sci_mode=True)
r += [str(A), str(torch.ones(2)), str(torch.arange(3)), str(torch.zeros(2))]
torch.set_printoptions(linewidth=40, sci_mode=False)
r += [str(torch.tensor([1e-8, 1e10, float("inf")])), str(torch.arange(30))]
torch.set_printoptions(profile="full")
r += [str(torch.arange(1200))]
torch.set_printoptions(profile="default")
r += [str(A)]
""",
    """
def block(x):  # a residual block changes the output of a norm in place, twice
    out = F.batch_norm(x @ W, None, None, training=True)
    out += x[:, :2]
    return F.relu(out, inplace=True)
block(A).square().sum().backward()
r = W.grad
""",
    """
x = A.view(1, 1, 3, 4).clone().requires_grad_()
y = F.max_pool2d(x, 2, stride=1)
F.leaky_relu(y, 0.2, inplace=True).sum().backward()
values, _ = x.max(dim=-1)
values.mul_(2).sum().backward()
r = x.grad
""",
    """
w = torch.zeros(4, requires_grad=True)
for _ in range(3):
    loss = ((A @ w - 1) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        w.grad.zero_()
r = w, loss.item()
""",
    """
x = A.clone()
x[0] = 0
x[:, 1] = torch.arange(3.0)
x[x > 1] = 1
x[1:, 2:] += 5
x[torch.tensor([0, 1]), torch.tensor([2, 3])] = 9.0
x[range(3), [0, 2, 3]] = -1
r = x
""",
    """
logits = A[:, -1].unsqueeze(0).clone()
v, _ = torch.topk(logits, min(2, logits.size(-1)))
logits[logits < v[:, [-1]]] = -float("Inf")
r = F.softmax(logits, dim=-1)
""",
    """
position = torch.arange(6).unsqueeze(1)
div_term = torch.exp(torch.arange(0, 4, 2) * (-math.log(10000.0) / 4))
pe = torch.zeros(6, 1, 4)
pe[:, 0, 0::2] = torch.sin(position * div_term)
pe[:, 0, 1::2] = torch.cos(position * div_term)
mask = torch.triu(torch.full((3, 3), float("-inf")), diagonal=1)
r = pe, mask, torch.tril(torch.ones(3, 3)).masked_fill(mask == 0, 0.5)
""",
    """
m = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3))
for param in m[0].parameters():
    param.requires_grad = False
m[2] = nn.Linear(3, 5)
m.add_module("last", nn.Identity())
r = str(m), [p.requires_grad for p in m.parameters()], [n for n, _ in m.named_children()]
""",
    """
acts = {}
m = nn.Linear(4, 2)
with torch.no_grad():
    for p in m.parameters():
        p.copy_(torch.linspace(-1, 1, p.numel()).view_as(p))
handle = m.register_forward_hook(lambda module, args, out: acts.update(fc=out.detach()))
m(A).pow(2).sum().backward()
handle.remove()
norm = nn.utils.clip_grad_norm_(m.parameters(), max_norm=0.5)
total = torch.norm(torch.stack([p.grad.detach().norm(2) for p in m.parameters()]), 2)
r = acts, norm, total, f"{norm:.3f}"
""",
    """
m = nn.Linear(4, 2)
m.weight.data.fill_(0.5)
nn.init.zeros_(m.bias)
groups = [{"params": [m.weight]}, {"params": [m.bias], "lr": 0.5}]
opt = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lr_lambda=lambda epoch: 0.5**epoch)
losses = []
for epoch in range(3):
    opt.zero_grad(set_to_none=True)
    loss = F.cross_entropy(m(A), torch.tensor([0, 1, 1]))
    loss.backward()
    opt.step()
    sched.step()
    losses.append(loss.item())
r = losses, sched.get_last_lr(), [g["lr"] for g in opt.param_groups], list(opt.state_dict())
""",
    """
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g
x = A.clone().requires_grad_()
x.register_hook(lambda g: g * 2)
Square.apply(x).sum().backward()
r = x.grad
""",
]
ROWS = [f"r = {line.strip()}" for line in EXPRESSIONS.strip().splitlines()] + BLOCKS


def names_of(torch: Any, nn: Any, functional: Any, optim: Any, data: Any) -> dict[str, Any]:
    rng = np.random.RandomState(0)
    floats = [rng.randn(*shape).astype(np.float32) for shape in ((3, 4), (3, 4), (4, 2), (6,))]
    A, B, W, V = map(torch.tensor, floats)
    return {
        "torch": torch, "nn": nn, "F": functional, "optim": optim, "data": data,
        "np": np, "math": import_module("math"), "device": torch.device("cpu"),
        "A": A, "B": B, "W": W.requires_grad_(), "V": V,
        "L": torch.tensor([0, 3, 1]), "I": torch.arange(12).view(3, 4),
    }  # fmt: skip


def here() -> dict[str, Any]:
    modules = "autograd_core", "nn", "nn.functional", "optim", "training.data"
    return names_of(*map(import_module, modules))


def there() -> dict[str, Any]:
    pytest.importorskip("torch")
    modules = "torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.utils.data"
    import_module("torch.utils.checkpoint")
    return names_of(*map(import_module, modules))


def result(text: str, names: dict[str, Any]) -> Any:
    exec(compile(text, "idiom", "exec"), names)
    return plain(names["r"])


def plain(x: Any) -> Any:
    """Turn tensors into (dtype, array), at any depth."""
    if hasattr(x, "detach"):
        return str(x.dtype).removeprefix("torch."), x.detach().numpy().tolist()
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (tuple, list)):
        return [plain(item) for item in x]
    return x


def assert_alike(ours: Any, theirs: Any) -> None:
    assert type(ours) is type(theirs)
    if isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for x, y in zip(ours, theirs, strict=True):
            assert_alike(x, y)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        assert_alike(list(ours.values()), list(theirs.values()))
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6, nan_ok=True)
    else:
        assert ours == theirs


@pytest.mark.parametrize("text", ROWS, ids=lambda text: text.strip().splitlines()[0][:60])
def test_an_idiom_gives_what_it_gives_in_pytorch(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = there()
    # PyTorch's own test tools, which other tests load, forbid what every script may do.
    flags = names["torch"].backends.flags_frozen.__globals__
    monkeypatch.setitem(flags, "__allow_nonbracketed_mutation_flag", True)
    expected = result(text, names)
    assert_alike(result(text, here()), expected)
