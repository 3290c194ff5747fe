"""Programs that two lectures print for PyTorch, run with nothing but their import lines changed.

Where a listing cannot run as printed, a comment in it that starts with `repair` says what was done.
"""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn

Names = dict[str, Any]

IMPORTS = {
    "import torch": "import autograd_core as torch",
    "import torch.nn as nn": "import nn",
    "import torch.nn.functional as F": "import nn.functional as F",
    "from torch.autograd import Function": "from autograd_core.autograd import Function",
    "from torch.utils.data import DataLoader": "from training.data import DataLoader",
    "from torchvision import datasets, transforms": "from training import datasets, transforms",
}

LINEAR_FUNCTION = """
from torch.autograd import Function  # repair: the import

class LinearFunction(Function):
    @staticmethod
    def forward(input, weight, bias):
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def setup_context(ctx, inputs, output):  # repair: nothing was saved
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None

        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:  # repair: grad_bias stayed None
            grad_bias = grad_output.sum(0)

        return grad_input, grad_weight, grad_bias
"""

KAIMING = """
import torch  # repair: the import, and a tensor
tensor = torch.empty(400, 300)
torch.nn.init.kaiming_normal_(tensor, a=0, mode='fan_in',
nonlinearity='leaky_relu', generator=None)
"""

FC_NET = """
import torch.nn as nn  # repair: the import

fc_net = nn.Sequential(
    nn.Flatten(),
    nn.Linear(28**2, 100),
    nn.ReLU(),
    nn.Linear(100, 100),
    nn.ReLU(),
    nn.Linear(100, 100),
    nn.ReLU(),
    nn.Linear(100, 10)
)
"""

CONV_NET = """
import torch.nn as nn  # repair: the import

conv_net = nn.Sequential(
    nn.Conv2d(in_channels=1,
             out_channels=32,
             kernel_size=5,
             stride=2),
    nn.ReLU(),
    nn.Conv2d(in_channels=32,
             out_channels=32,
             kernel_size=5,
             stride=2),
    nn.ReLU(),  # repair: the comma
    nn.Flatten(),
    nn.Linear(512, 10)
)
"""

TWO_LAYERS = """
import torch; import torch.nn.functional as F
from torch.utils.data import DataLoader; from torchvision import datasets, transforms

torch.manual_seed(0)
lr = 0.005; hidden_dim = 500; batch_size = 8; epochs = 5

transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_dataset = datasets.MNIST(root='./data', train=True, download=True, transform=transform)
test_dataset = datasets.MNIST(root='./data', train=False, download=True, transform=transform)
train_loader = DataLoader(dataset=train_dataset, batch_size=batch_size, shuffle=True)
test_loader = DataLoader(dataset=test_dataset, batch_size=1000, shuffle=False)

class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1= torch.randn(input_size, hidden_size) * 0.1
        self.b1= torch.randn(hidden_size) * 0.1
        self.W2= torch.randn(hidden_size, output_size) * 0.1
        self.b2= torch.randn(output_size) * 0.1

    def forward(self, x):
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.a1 = F.relu(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        return self.z2

model = TwoLayerNet(784, hidden_dim, 10)
"""

TRAIN_BY_HAND = """
def train(epoch):
    for batch_idx, (data, target) in enumerate(train_loader):
        data = data.view(-1, 784) # flatten the input

        # === FORWARD PASS ===
        output = model.forward(data)
        log_softmax = F.log_softmax(output, dim=1)
        loss = - torch.mean(log_softmax[range(len(target)), target]) # =NLLLoss

        # === BACKWARD PASS ===
        grad_z2 = F.softmax(output, dim=1)
        grad_z2[range(len(target)), target] -= 1
        grad_z2 /= len(target)
        grad_a1 = grad_z2 @ model.W2.T
        grad_z1 = grad_a1.clone()
        grad_z1[model.z1 < 0] = 0
        model.W2.grad = model.a1.T @ grad_z2
        model.b2.grad = grad_z2.sum(axis=0)
        model.W1.grad = model.x.T @ grad_z1
        model.b1.grad = grad_z1.sum(axis=0)

        # === PARAM UPDATES ===
        model.W2 = model.W2 - lr * model.W2.grad
        model.b2 = model.b2 - lr * model.b2.grad
        model.W1 = model.W1 - lr * model.W1.grad
        model.b1 = model.b1 - lr * model.b1.grad
"""

UNSCALED = """
class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1= torch.randn(input_size, hidden_size) * 1 #0.1
        self.b1= torch.randn(hidden_size) * 1 #0.1
        self.W2= torch.randn(hidden_size, output_size) * 1 #0.1
        self.b2= torch.randn(output_size) * 1 #0.1

    def forward(self, x):  # repair: printed apart from its class
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.a1 = F.relu(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        return self.z2

model = TwoLayerNet(784, hidden_dim, 10)  # repair: the call of the listing it varies
"""

TINY = """
class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1= torch.randn(input_size, hidden_size) * 0.0001
        self.b1= torch.randn(hidden_size) * 0.0001
        self.W2= torch.randn(hidden_size, output_size) * 0.0001
        self.b2= torch.randn(output_size) * 0.0001

    def forward(self, x):  # repair: the body was left out
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.a1 = F.relu(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        return self.z2

model = TwoLayerNet(784, hidden_dim, 10)  # repair: the call of the listing it varies
"""

STANDARD_NORMAL = """
import torch
import torch.nn.functional as F

input_size = 100; hidden_size = 100

x = torch.randn(input_size)
W1 = torch.randn(input_size, hidden_size)

z1 = x @ W1 # (100) @ (100, 100) --> (100)
a1 = F.relu(z1)

print('{:.2f}, {:.2f}'.format(x.mean().item(), x.std().item())) # 0.04, 1.03
print('{:.2f}, {:.2f}'.format(W1.mean().item(), W1.std().item())) # -0.00, 0.99
print('{:.2f}, {:.2f}'.format(z1.mean().item(), z1.std().item())) # -0.17, 10.68
print('{:.2f}, {:.2f}'.format(a1.mean().item(), a1.std().item())) # 3.96, 6.20
"""

XAVIER = """
import torch; import torch.nn.functional as F
input_size = 100; hidden_size = 100
x = torch.randn(input_size)
W1 = torch.randn(input_size, hidden_size) / (input_size ** 0.5)
z1 = x @ W1
a1 = F.relu(z1)
print('{:.2f}, {:.2f}'.format(x.mean().item(), x.std().item())) # 0.04, 1.03
print('{:.2f}, {:.2f}'.format(W1.mean().item(), W1.std().item())) # -0.00, 0.10
print('{:.2f}, {:.2f}'.format(z1.mean().item(), z1.std().item())) # -0.02, 1.07
print('{:.2f}, {:.2f}'.format(a1.mean().item(), a1.std().item())) # 0.40, 0.62
"""

KAIMING_BY_HAND = """
import torch
import torch.nn.functional as F

input_size = 100; hidden_size = 100; output_size = 10

x = torch.randn(input_size)
W1 = torch.randn(input_size, hidden_size) / ((input_size/2) ** 0.5)

z1 = x @ W1
a1 = F.relu(z1)

print('{:.2f}, {:.2f}'.format(x.mean().item(), x.std().item())) # -0.08, 1.10
print('{:.2f}, {:.2f}'.format(W1.mean().item(), W1.std().item())) # -0.00, 0.14
print('{:.2f}, {:.2f}'.format(z1.mean().item(), z1.std().item())) # -0.04, 1.60
print('{:.2f}, {:.2f}'.format(a1.mean().item(), a1.std().item())) # 0.65, 0.99
"""

BATCH_STATISTICS = """
import torch; import torch.nn.functional as F
input_size = 100; hidden_size = 100; batch_size = 32

x = torch.randn(batch_size, input_size)
W1 = torch.randn(input_size, hidden_size) # ignore biases for this example
W2 = torch.randn(hidden_size, hidden_size)
W3 = torch.randn(hidden_size, hidden_size)

z1 = x @ W1
mean1 = z1.mean(0, keepdim=True)
var1 = z1.var(0, keepdim=True)
z1 = (z1 - mean1) / torch.sqrt(var1 + 1e-7); a1 = F.relu(z1)

z2 = a1 @ W2
mean2 = z2.mean(0, keepdim=True)
var2 = z2.var(0, keepdim=True)
z2 = (z2 - mean2) / torch.sqrt(var2 + 1e-7); a2 = F.relu(z2)

z3 = a2 @ W3
mean3 = z3.mean(0, keepdim=True)
var3 = z3.var(0, keepdim=True)
z3 = (z3 - mean3) / torch.sqrt(var3 + 1e-7); a3 = F.relu(z3)

print('{:.2f}, {:.2f}'.format(z1.mean().item(), z1.std().item())) # 0.00, 0.98
print('{:.2f}, {:.2f}'.format(z2.mean().item(), z2.std().item())) # -0.00, 0.98
print('{:.2f}, {:.2f}'.format(z3.mean().item(), z3.std().item())) # -0.00, 0.98
"""

BATCH_NORM_MLP = """
import torch.nn as nn

class mlp_model(nn.Module):
    def __init__(self, input_dim, output_dim, middle_dim=500):
        super(mlp_model, self).__init__()
        self.fc1 = nn.Linear(input_dim, middle_dim, bias=False)
        self.bn1 = nn.BatchNorm1d(middle_dim)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Linear(middle_dim, middle_dim, bias=False)
        self.bn2 = nn.BatchNorm1d(middle_dim)
        self.relu2 = nn.ReLU()
        self.fc3 = nn.Linear(middle_dim, middle_dim, bias=False)
        self.bn3 = nn.BatchNorm1d(middle_dim)
        self.relu3 = nn.ReLU()
        self.fc4 = nn.Linear(middle_dim, middle_dim, bias=False)
        self.bn4 = nn.BatchNorm1d(middle_dim)
        self.relu4 = nn.ReLU()
        self.fc5 = nn.Linear(middle_dim, output_dim)

    def forward(self, x):
        out = x
        out = self.relu1(self.bn1(self.fc1(out)))
        out = self.relu2(self.bn2(self.fc2(out)))
        out = self.relu3(self.bn3(self.fc3(out)))
        out = self.relu4(self.bn4(self.fc4(out)))
        out = self.fc5(out)
        return out
"""

BATCH_NORM_MODES = """
import torch; import torch.nn as nn
class BNNet(nn.Module):
    def __init__(self):
        super(BNNet, self).__init__()
        self.fc1 = nn.Linear(20, 10)
        self.bn1 = nn.BatchNorm1d(10)
        self.fc2 = nn.Linear(10, 1)

    def forward(self, x):
        x = self.fc2(torch.relu(self.bn1(self.fc1(x))))
        return x
x = torch.randn(3, 20) # 3 samples
net = BNNet()
net.train()
#net(x[[0],]) # ValueError: Expected more than 1 value per channel when training
print(net(x[[0,1],])[0], net(x[[0,2],])[0]) # -0.6516, -0.2094
net.eval()
print(net(x[[0],])) # no more errors! # -0.1022
print(net(x[[0,1],])[0], net(x[[0,2],])[0]) # -0.1022, -0.1022
"""

LAYER_NORM = r"""
import torch; import torch.nn as nn

class LNNet(nn.Module):
    def __init__(self):
        super(LNNet, self).__init__()
        self.fc1 = nn.Linear(5, 10)
        self.ln1 = nn.LayerNorm(10)
        self.fc2 = nn.Linear(10, 1)

    def forward(self, x):
        x = self.fc2(torch.relu(self.ln1(self.fc1(x))))
        return x

x = torch.randn(1, 5)
net = LNNet()

u = net.fc1(x)
gamma = net.ln1.weight # [1., 1., ..., 1.]
beta = net.ln1.bias # [0., 0., ..., 0.]

z_manual = beta + gamma * (u - u.mean(dim=1, keepdim=True)) \
    / torch.sqrt(u.var(dim=1, keepdim=True, unbiased=False) + 1e-05)
z_pytorch = net.ln1(u)
print(torch.allclose(z_manual, z_pytorch)) # true!

print(net(x[[0],],))
"""

CIFAR_NET = """
import torch  # repair: the import
import torch.nn as nn; import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5) # (in_cn, out_cn, kernel size)
        self.pool = nn.MaxPool2d(2, 2) # (kernel size, stride)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1) # flatten all dimensions except batch
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x
"""

POINTWISE = """
import torch
channels, patches = 5, 9
weight = torch.randn(channels, channels)
bias = torch.randn(channels)
x = torch.randn(channels, patches)
linear = torch.nn.Linear(channels, channels)
conv = torch.nn.Conv1d(channels, channels, kernel_size=1)

print(linear.weight.shape, conv.weight.shape) # (5,5), (5,5,1)
print(linear.bias.shape, conv.bias.shape) # (5), (5)

conv.weight.data = weight.unsqueeze(-1)
linear.weight.data = weight
conv.bias.data = bias
linear.bias.data = bias

linear_results = linear(x.T).T  # repair: it was linear(x).T
conv_results = conv(x)
print(torch.allclose(linear_results, conv_results)) # True!
"""


def ours(listing: str) -> str:
    """Change the import lines; one that is not in the table is a KeyError."""
    found = re.compile(r"(^|; )((?:import|from) [^;#\n]*\w)", re.M)
    return found.sub(lambda match: match[1] + IMPORTS[match[2]], listing)


def run(*listings: str) -> Names:
    """Run listings one after the other and return the names they leave."""
    names: Names = {"__name__": "listing"}
    for listing in listings:
        exec(compile(ours(listing), "listing", "exec"), names)
    return names


def numbers(text: str) -> list[list[float]]:
    """Give the decimal numbers on each line that has some."""
    found = [re.findall(r"-?\d+\.\d+", line) for line in text.splitlines()]
    return [[float(number) for number in line] for line in found if line]


def promised(listing: str) -> list[list[float]]:
    """Give the numbers that the comments behind its prints say were printed."""
    lines = [line for line in listing.splitlines() if line.startswith("print")]
    return numbers("\n".join(line.partition("#")[2] for line in lines))


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put IDX files into ./data: one pattern per class, as bright as MNIST's digits, and noise."""
    rng = np.random.default_rng(0)
    patterns = rng.random((10, 28, 28)) < 0.13
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 160), ("t10k", 40)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        noise = rng.random((count, 28, 28)) < 0.02
        images = (255 * (patterns[labels] ^ noise)).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape)
            (raw / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    monkeypatch.chdir(tmp_path)


def mean_loss(names: Names) -> float:
    """Return the cross entropy of the model of a listing, over its test set."""
    data, target = next(iter(names["test_loader"]))
    output = names["model"].forward(data.view(-1, 784))
    return float(nn.functional.cross_entropy(output, target))


def test_an_import_the_table_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError, match=r"import torch\.fft"):
        ours("import torch; import torch.fft")


@pytest.mark.parametrize("with_bias", [True, False])
def test_the_hand_written_linear_function_has_the_layer_s_gradients(with_bias: bool) -> None:
    function = run(LINEAR_FUNCTION)["LinearFunction"]
    layer, x = nn.Linear(4, 3, bias=with_bias), ag.randn(5, 4, requires_grad=True)
    inputs = [x, *layer.parameters()]
    upstream = ag.randn(5, 3)
    output = function.apply(x, layer.weight, layer.bias)
    assert ag.allclose(output, layer(x), atol=1e-6)
    by_hand = ag.autograd.grad(output, inputs, upstream)
    for found, expected in zip(by_hand, ag.autograd.grad(layer(x), inputs, upstream), strict=True):
        assert ag.allclose(found, expected, atol=1e-6)


def test_kaiming_s_call_draws_for_relu() -> None:
    tensor = run(KAIMING)["tensor"]
    # Five standard errors of the standard deviation of 120,000 numbers.
    assert tensor.std().item() == pytest.approx(math.sqrt(2 / 300), rel=5 / math.sqrt(2 * 120_000))


def test_the_connected_and_the_convolutional_net_have_the_parameters_they_claim() -> None:
    fc_net, conv_net = run(FC_NET)["fc_net"], run(CONV_NET)["conv_net"]
    assert (size(fc_net), size(conv_net)) == (99_710, 31_594)
    images = ag.randn(2, 1, 28, 28)
    assert fc_net(images).shape == conv_net(images).shape == (2, 10)
    assert conv_net[:5](images).shape == (2, 512)


def test_the_missing_comma_is_why_the_convolutional_net_needs_a_repair() -> None:
    with pytest.raises(SyntaxError):
        run(CONV_NET.replace("nn.ReLU(),  # repair: the comma", "nn.ReLU()"))


@pytest.mark.usefixtures("mnist")
def test_the_net_of_two_layers_reads_its_data_and_runs() -> None:
    names = run(TWO_LAYERS)
    data, target = next(iter(names["train_loader"]))
    assert (data.shape, target.shape) == ((8, 1, 28, 28), (8,))
    assert len(names["test_loader"]) == 1
    darkest, brightest = -0.1307 / 0.3081, (1 - 0.1307) / 0.3081
    assert data.min().item() == pytest.approx(darkest, rel=1e-5)
    assert data.max().item() == pytest.approx(brightest, rel=1e-5)
    assert names["model"].forward(data.view(-1, 784)).shape == (8, 10)


@pytest.mark.usefixtures("mnist")
def test_training_by_hand_takes_the_engine_s_gradients() -> None:
    names = run(TWO_LAYERS, TRAIN_BY_HAND)
    model, keys = names["model"], ("W1", "b1", "W2", "b2")
    data, target = next(iter(names["train_loader"]))
    names["train_loader"] = [(data, target)]
    before = {key: getattr(model, key) for key in keys}
    names["train"](1)
    after = {key: getattr(model, key) for key in keys}
    for key in keys:
        setattr(model, key, before[key].detach().clone().requires_grad_())
    nn.functional.cross_entropy(model.forward(data.view(-1, 784)), target).backward()
    for key in keys:
        gradient = getattr(model, key).grad
        assert gradient.abs().max().item() > 0
        assert ag.allclose(before[key].grad, gradient, rtol=1e-4, atol=1e-6), key
        assert ag.allclose(after[key], before[key] - names["lr"] * gradient, atol=1e-7), key


@pytest.mark.usefixtures("mnist")
def test_training_by_hand_learns() -> None:
    names = run(TWO_LAYERS, TRAIN_BY_HAND)
    start = mean_loss(names)
    for epoch in range(names["epochs"]):
        names["train"](epoch)
    assert mean_loss(names) < 0.1 * start


@pytest.mark.usefixtures("mnist")
def test_the_loss_before_training_falls_with_the_scale_of_the_weights() -> None:
    # 815.4, 8.46 and 2.302597 in the lecture, each for one batch of MNIST.
    assert 815.4 / 3 < mean_loss(run(TWO_LAYERS, UNSCALED)) < 815.4 * 3
    assert 8.46 / 3 < mean_loss(run(TWO_LAYERS)) < 8.46 * 3
    assert mean_loss(run(TWO_LAYERS, TINY)) == pytest.approx(math.log(10), abs=1e-4)


@pytest.mark.parametrize(
    ("listing", "weight_scale"),
    [(STANDARD_NORMAL, 1.0), (XAVIER, 0.1), (KAIMING_BY_HAND, math.sqrt(0.02))],
    ids=["N(0, 1)", "Xavier", "Kaiming"],
)
def test_printed_statistics_are_draws_from_the_right_distribution(
    listing: str, weight_scale: float, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run(listing)
    spread = 10 * weight_scale  # of z1: it sums 100 products
    mean = spread / math.sqrt(2 * math.pi)
    rectified = mean, math.sqrt(spread**2 / 2 - mean**2)
    theory = [(0, 1), (0, weight_scale), (0, spread), rectified]
    counts = [names[name].numel() for name in ("x", "W1", "z1", "a1")]
    printed = numbers(capsys.readouterr().out)
    for lines in (printed, promised(listing)):
        for (mean, std), expected, count in zip(lines, theory, counts, strict=True):
            few = 4 * expected[1] / math.sqrt(count)  # four standard errors of the mean
            assert mean == pytest.approx(expected[0], abs=few)
            assert std == pytest.approx(expected[1], abs=few)


def test_normalising_over_the_batch_prints_what_the_lecture_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run(BATCH_STATISTICS)
    assert numbers(capsys.readouterr().out) == promised(BATCH_STATISTICS)
    # Whatever was drawn: each column has unbiased variance 1 over 32, the whole divides by 3199.
    for z in ("z1", "z2", "z3"):
        assert names[z].std().item() == pytest.approx(math.sqrt(3100 / 3199), rel=1e-5)


def test_the_mlp_with_batch_norm_has_its_parameters_and_a_gradient_in_each() -> None:
    model = run(BATCH_NORM_MLP)["mlp_model"](784, 10)
    assert size(model) == 1_151_010
    output = model(ag.randn(8, 784))
    assert output.shape == (8, 10)
    nn.functional.cross_entropy(output, ag.arange(8)).backward()
    assert all(p.grad.abs().max().item() > 0 for p in model.parameters())


def test_batch_norm_depends_on_the_batch_in_training_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run(BATCH_NORM_MODES)
    training, alone, evaluated = numbers(capsys.readouterr().out)
    assert training[0] != training[1]
    assert evaluated == alone * 2
    # The line that the listing has commented out, because it raises.
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        names["net"].train()(names["x"][[0],])


def test_layer_norm_by_hand_is_the_layer(capsys: pytest.CaptureFixture[str]) -> None:
    names = run(LAYER_NORM)
    assert capsys.readouterr().out.startswith("True\n")
    assert names["z_manual"].shape == (1, 10)
    assert names["net"](names["x"][[0],]).shape == (1, 1)


def test_the_net_for_cifar_has_its_parameters_and_shapes() -> None:
    net = run(CIFAR_NET)["Net"]()
    assert size(net) == 62_006
    assert net(ag.randn(4, 3, 32, 32)).shape == (4, 10)


def test_the_net_for_cifar_needs_the_import_that_repairs_it() -> None:
    names = run(CIFAR_NET.replace("import torch  # repair: the import\n", ""))
    with pytest.raises(NameError, match="torch"):
        names["Net"]()(ag.randn(1, 3, 32, 32))


def test_a_convolution_of_one_pixel_is_a_linear_layer(capsys: pytest.CaptureFixture[str]) -> None:
    names = run(POINTWISE)
    assert capsys.readouterr().out.splitlines()[-1] == "True"
    assert (names["linear"].weight.shape, names["conv"].weight.shape) == ((5, 5), (5, 5, 1))
    assert names["conv_results"].shape == (5, 9)


def test_the_linear_layer_refuses_the_channels_first_input_that_the_lecture_gives_it() -> None:
    with pytest.raises(ag.ShapeError, match=r"\(5, 9\)"):
        run(POINTWISE.replace("linear(x.T).T ", "linear(x).T "))


ALONE = {  # those that need no images
    "LINEAR_FUNCTION": LINEAR_FUNCTION,
    "KAIMING": KAIMING,
    "FC_NET": FC_NET,
    "CONV_NET": CONV_NET,
    "STANDARD_NORMAL": STANDARD_NORMAL,
    "XAVIER": XAVIER,
    "KAIMING_BY_HAND": KAIMING_BY_HAND,
    "BATCH_STATISTICS": BATCH_STATISTICS,
    "BATCH_NORM_MLP": BATCH_NORM_MLP,
    "BATCH_NORM_MODES": BATCH_NORM_MODES,
    "LAYER_NORM": LAYER_NORM,
    "CIFAR_NET": CIFAR_NET,
    "POINTWISE": POINTWISE,
}


@pytest.mark.torch
@pytest.mark.parametrize("listing", ALONE.values(), ids=ALONE)
def test_a_listing_leaves_the_names_and_shapes_that_it_leaves_on_pytorch(listing: str) -> None:
    torch = pytest.importorskip("torch")
    theirs: Names = {"__name__": "listing"}
    exec(compile(listing, "listing", "exec"), theirs)
    names = run(listing)
    assert names.keys() == theirs.keys()
    expected = {key: tuple(x.shape) for key, x in theirs.items() if torch.is_tensor(x)}
    assert {key: tuple(x.shape) for key, x in names.items() if ag.is_tensor(x)} == expected
