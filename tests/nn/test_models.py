"""The networks of the lectures and of the literature have the stated sizes, names and shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import optim
from nn import models
from nn.models.lenet import digit_codes, squash


@dataclass(frozen=True)
class ModelCase:
    """`count` parameters, of which `names` are some; x of shape (n, *input) to (n, *output)."""

    name: str
    make: Callable[[], Any]
    input: tuple[int, ...]
    output: tuple[int, ...]
    count: int
    names: tuple[str, ...]
    steps: int = 1  # until every parameter has moved
    slow: bool = False  # too large to be run in every test
    idle: str = "nothing"  # the end of names that change nothing, and may stay

    def __str__(self) -> str:
        return self.name


def lund(layers: int, residual: bool = False) -> Callable[[], nn.Module]:
    """The nets of the lecture on depth: so many layers of 5, then 1, 1."""
    return lambda: models.mlp(
        1, *[5] * layers, 1, 1, activation=lambda: nn.LeakyReLU(0.1), residual=residual
    )


PLAIN = ("0.weight", "0.bias")
SKIP = (*PLAIN, "2.module.0.weight")
TWO = ("W1", "b1", "W2", "b2")
STEM = ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "fc.weight", "fc.bias")
PROJECTION = (*STEM, "layer2.0.downsample.0.weight", "layer2.0.downsample.1.bias")
DEEP = (*PROJECTION, "layer1.0.downsample.0.weight", "layer4.2.bn3.weight", "layer1.2.conv3.weight")
SHIFT = "mlp_tokens.fc2.bias"  # of all channels of a token alike: every norm takes it out
MIXER = ("stem.proj.weight", "blocks.7.mlp_tokens.fc1.weight", "norm.weight", "head.bias")
IMAGE, SMALL = (3, 40, 40), (3, 32, 32)

MODELS = [
    ModelCase("fc_net", models.fc_net, (1, 28, 28), (10,), 99_710, ("1.weight", "7.bias")),
    ModelCase("fc_net of 8x8", lambda: models.fc_net(64), (1, 8, 8), (10,), 27_710, ("1.weight",)),
    ModelCase("conv_net", models.conv_net, (1, 28, 28), (10,), 31_594, ("0.weight", "5.bias")),
    ModelCase(
        "conv_net of 8x8", lambda: models.conv_net(2, size=8), (1, 8, 8), (10,), 27_754, PLAIN
    ),
    ModelCase("TwoLayerNet", lambda: models.TwoLayerNet(784, 500, 10), (784,), (10,), 397_510, TWO),
    ModelCase(
        "batch_norm_mlp",
        lambda: models.batch_norm_mlp(784, 10),
        (784,),
        (10,),
        392_000 + 3 * 250_000 + 4 * 1000 + 5010,
        ("fc1.weight", "bn1.weight", "bn4.bias", "fc5.bias"),
    ),
    ModelCase("mlp", lambda: models.mlp(3, 4, 2), (3,), (2,), 26, (*PLAIN, "2.weight", "2.bias")),
    ModelCase("plain, 5 layers", lund(3), (1,), (1,), 78, PLAIN),
    ModelCase("plain, 7 layers", lund(5), (1,), (1,), 138, PLAIN),
    ModelCase("residual, 7 layers", lund(5, True), (1,), (1,), 138, SKIP),
    ModelCase("residual, 12 layers", lund(10, True), (1,), (1,), 288, SKIP),
    ModelCase("residual, 17 layers", lund(15, True), (1,), (1,), 438, SKIP),
    ModelCase("residual, 32 layers", lund(30, True), (1,), (1,), 888, SKIP),
    ModelCase("residual, 47 layers", lund(45, True), (1,), (1,), 1_338, SKIP),
    ModelCase(
        "LeNet5", models.LeNet5, (1, 32, 32), (10,), 60_000 + 840, ("c3.weight", "output.weight")
    ),
    ModelCase("CifarNet", models.CifarNet, SMALL, (10,), 62_006, ("conv1.weight", "fc3.bias")),
    ModelCase("ResNet-18", models.resnet18, IMAGE, (1000,), 11_689_512, PROJECTION),
    ModelCase("ResNet-34", models.resnet34, IMAGE, (1000,), 21_797_672, PROJECTION, slow=True),
    ModelCase("ResNet-50", models.resnet50, IMAGE, (1000,), 25_557_032, DEEP, slow=True),
    ModelCase("ResNet-101", models.resnet101, IMAGE, (1000,), 44_549_160, DEEP, slow=True),
    ModelCase("ResNet-152", models.resnet152, IMAGE, (1000,), 60_192_808, DEEP, slow=True),
    ModelCase("plain-18", lambda: models.resnet18(shortcut=None), IMAGE, (1000,), 11_515_688, STEM),
    ModelCase(
        "plain-34",
        lambda: models.resnet34(shortcut=None),
        IMAGE,
        (1000,),
        21_623_848,
        STEM,
        slow=True,
    ),
    ModelCase(
        "ResNet-34 A",
        lambda: models.resnet34(shortcut="A"),
        IMAGE,
        (1000,),
        21_623_848,
        STEM,
        slow=True,
    ),
    ModelCase("ResNet-20", lambda: models.cifar_resnet(20), SMALL, (10,), 269_722, STEM),
    ModelCase("ResNet-56", lambda: models.cifar_resnet(56), SMALL, (10,), 853_018, STEM),
    ModelCase(
        "ResNet-110", lambda: models.cifar_resnet(110), SMALL, (10,), 1_727_962, STEM, slow=True
    ),
    ModelCase(
        "MLP-Mixer",
        lambda: models.MLPMixer(32, 8, 8, 16, 8, 32, 10),
        SMALL,
        (10,),
        14_618,
        MIXER,
        steps=2,
        idle=SHIFT,
    ),
    ModelCase(
        "Mixer-S/16", models.mixer_s16, (3, 224, 224), (1000,), 18_528_264, MIXER, 2, True, SHIFT
    ),
    ModelCase(
        "Mixer-B/16", models.mixer_b16, (3, 224, 224), (1000,), 59_880_472, MIXER, 2, True, SHIFT
    ),
]


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters stay uninitialised memory, which nobody has touched: large models cost nothing."""
    for name in ("uniform_", "normal_", "constant_"):
        monkeypatch.setattr(nn.init, name, lambda tensor, *_args, **_names: tensor)


@pytest.fixture(params=MODELS, ids=str)
def case(request: pytest.FixtureRequest) -> ModelCase:
    return request.param


RUNNABLE = [
    pytest.param(case, id=case.name, marks=pytest.mark.slow if case.slow else ()) for case in MODELS
]


@pytest.mark.usefixtures("undrawn")
def test_a_model_has_the_stated_parameters(case: ModelCase) -> None:
    found = dict(case.make().named_parameters())
    assert sum(p.numel() for p in found.values()) == case.count
    assert set(case.names) <= set(found)


@pytest.mark.parametrize("case", RUNNABLE)
def test_training_moves_every_parameter(case: ModelCase, rng: np.random.Generator) -> None:
    model = case.make()
    x = ag.tensor(rng.normal(size=(4, *case.input)), dtype=ag.float32)
    learned = [p for p in model.parameters() if p.requires_grad]
    before = [p.detach().numpy().copy() for p in learned]
    optimizer = optim.SGD(learned, lr=0.1)
    for _ in range(case.steps):
        optimizer.zero_grad()
        y = model(x)
        assert y.shape == (4, *case.output)
        (y - 1).square().mean().backward()
        optimizer.step()
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    pairs = zip(names, before, learned, strict=True)
    still = [name for name, old, p in pairs if np.array_equal(old, p.detach())]
    assert [name for name in still if not name.endswith(case.idle)] == []


@pytest.mark.parametrize("make", [lambda: models.fc_net(64), lambda: models.conv_net(2, size=8)])
def test_a_model_learns_ten_patterns_by_heart(make: Any, rng: np.random.Generator) -> None:
    images = ag.tensor(rng.random((10, 1, 8, 8), dtype=np.float32))
    labels = ag.arange(10)
    model = make()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    assert model(images).detach().numpy().argmax(1).tolist() == list(range(10))


def test_a_name_that_nn_has_not_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'model'"):
        _ = nn.model  # pyright: ignore[reportAttributeAccessIssue]


# Perceptrons


def test_gradients_by_hand_are_those_of_backward(rng: np.random.Generator) -> None:
    x = ag.tensor(rng.normal(size=(8, 6)), dtype=ag.float32)
    target = ag.tensor(rng.integers(4, size=8))
    model = models.TwoLayerNet(6, 5, 4)
    by_hand = model.gradients(x, target)
    nn.functional.cross_entropy(model(x), target).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        np.testing.assert_allclose(by_hand[name].numpy(), parameter.grad.numpy(), atol=1e-6)


def test_the_layer_of_a_residual_mlp_adds_what_it_computes(rng: np.random.Generator) -> None:
    model = models.mlp(2, 2, 2, activation=nn.Tanh, residual=True)
    x = ag.tensor(rng.normal(size=(3, 2)), dtype=ag.float32)
    inner, last = model[0].module[0], model[1]
    assert ag.allclose(model(x), last(x + ag.tanh(inner(x))))


def test_a_thousand_residual_layers_run_and_learn(rng: np.random.Generator) -> None:
    model = models.mlp(*[4] * 1001, 1, activation=nn.Tanh, residual=True)
    with ag.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.05)
    x = ag.tensor(rng.normal(size=(2, 4)), dtype=ag.float32)
    model(x).sum().backward()
    grads: list[Any] = [p.grad for p in model.parameters()]
    assert len(grads) == 2002
    assert all(np.isfinite(g.numpy()).all() for g in grads)
    assert grads[0].abs().max().item() > 1e-8


@pytest.mark.parametrize("widths", [(), (3,), (3, 0, 1)])
def test_widths_that_cannot_be_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"mlp got widths \(.*\): it needs two or more"):
        models.mlp(*widths)


# LeNet-5


def test_a_map_of_lenet_sees_only_the_maps_of_its_table(rng: np.random.Generator) -> None:
    layer = models.LeNet5().c3
    x = ag.tensor(rng.normal(size=(1, 6, 5, 5)), dtype=ag.float32, requires_grad=True)
    seen = []
    for k in range(16):
        (g,) = ag.autograd.grad(layer(x)[0, k, 0, 0], x)
        seen.append(g.numpy()[0].any((1, 2)))
    table = np.array(seen)
    assert table.sum() == 60
    assert table.sum(0).tolist() == [10] * 6
    assert np.flatnonzero(table[14]).tolist() == [0, 2, 3, 5]
    assert layer.weight.numel() + layer.bias.numel() == 1_516


def test_the_codes_of_lenet_are_ten_different_digits() -> None:
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    apart = ((codes[:, None] - codes) ** 2).sum(-1) / 4  # pixels that differ
    assert (apart + 84 * np.eye(10)).min() >= 5
    assert (codes[8].reshape(12, 7)[5] == [-1, 1, 1, 1, 1, 1, -1]).all()


def test_lenet_measures_the_distance_from_each_digit() -> None:
    assert squash(ag.tensor([1.0, -1.0])).tolist() == pytest.approx([1.0, -1.0], abs=1e-4)
    model = models.LeNet5()
    x = ag.randn(3, 1, 32, 32)
    distances = model(x)
    target = ag.tensor([7, 0, 1])
    right = [distances[i, k].item() for i, k in enumerate([7, 0, 1])]
    assert model.loss(distances, target).item() == pytest.approx(np.mean(right))
    assert not model.output.weight.requires_grad
    with pytest.raises(ag.ShapeError, match=r"LeNet5.*got x of shape \(1, 1, 28, 28\): it must be"):
        model(ag.ones(1, 1, 28, 28))


# ResNets


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.torch
def test_a_resnet_is_torchvisions(depth: int, rng: np.random.Generator) -> None:
    torch = import_module("torch")
    try:
        theirs = import_module("torchvision.models")
    except (ImportError, RuntimeError) as error:  # one built for CUDA does not load without it
        pytest.skip(f"torchvision does not load: {error}")
    reference = getattr(theirs, f"resnet{depth}")(num_classes=5).eval()
    model = getattr(models, f"resnet{depth}")(num_classes=5).eval()
    state = {name: value.numpy() for name, value in reference.state_dict().items()}
    assert list(model.state_dict()) == list(state)
    model.load_state_dict(state)
    x = rng.normal(size=(1, 3, 64, 64)).astype(np.float32)
    with torch.no_grad(), ag.no_grad():
        expected = reference(torch.tensor(x)).numpy()
        y = model(ag.tensor(x)).numpy()
    # Sums of thousands of float32 products, in another order.
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_weights_of_a_resnet_begin_as_he_drew_them() -> None:
    model = models.cifar_resnet(20, zero_init_residual=True)
    weight = model.layer3[1].conv1.weight.detach()
    assert weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)
    assert model.bn1.weight.tolist() == [1.0] * 16
    assert {block.bn2.weight.abs().max().item() for block in model.layer2} == {0.0}


@pytest.mark.usefixtures("undrawn")
def test_buffers_of_a_resnet_are_the_statistics_of_its_norms() -> None:
    names = [name for name, _ in models.resnet18().named_buffers()]
    assert names[:3] == ["bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked"]
    assert len(names) == 3 * 20


def test_a_shortcut_without_parameters_takes_every_other_pixel() -> None:
    block = models.cifar_resnet(8).layer2[0]
    x = ag.arange(2 * 16 * 4 * 4).reshape(2, 16, 4, 4).float()
    y = block.downsample(x)
    assert y.shape == (2, 32, 2, 2)
    assert ag.equal(y[:, :16], x[:, :, ::2, ::2])
    assert y[:, 16:].abs().max().item() == 0
    assert "downsample" not in "".join(models.cifar_resnet(8).state_dict())


def test_a_plain_block_has_nothing_beside_it() -> None:
    block = models.cifar_resnet(8, shortcut=None).layer1[0].eval()
    with ag.no_grad():
        block.bn2.weight.zero_()
    assert block(ag.randn(1, 16, 4, 4)).abs().max().item() == 0


def test_resnets_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cifar_resnet got depth=21: it must be 6 n \+ 2"):
        models.cifar_resnet(21)
    with pytest.raises(ValueError, match="ResNet got shortcut='C': it must be 'A', 'B' or None"):
        models.resnet18(shortcut="C")


# Mixer


def test_a_mixer_is_its_formula(rng: np.random.Generator) -> None:
    model = models.MLPMixer(8, 4, 1, 6, 3, 5, 2)
    block = model.blocks[0]
    x = ag.tensor(rng.normal(size=(2, 4, 6)), dtype=ag.float32)
    tokens = block.mlp_tokens(block.norm1(x).permute(0, 2, 1)).permute(0, 2, 1)
    middle = x + tokens
    assert ag.allclose(block(x), middle + block.mlp_channels(block.norm2(middle)))
    assert model(ag.randn(2, 3, 8, 8)).tolist() == [[0.0, 0.0]] * 2  # the head starts at zero
    with pytest.raises(ValueError, match="MLPMixer got image_size=30 and patch_size=16"):
        models.MLPMixer(30)


# Deconvolution


def test_a_unit_is_drawn_as_its_filter_where_it_saw_it(rng: np.random.Generator) -> None:
    layers = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
    x = ag.tensor(rng.normal(size=(2, 1, 6, 6)), dtype=ag.float32)
    maps = layers(x).detach().numpy()[:, 1]
    drawn = models.deconvolve(layers, x, channel=1).numpy()
    for image, found in zip(drawn[:, 0], maps, strict=True):
        row, column = np.unravel_index(found.argmax(), found.shape)
        expected = np.zeros((8, 8))
        filter_ = layers[0].weight.detach().numpy()[1, 0]
        expected[row : row + 3, column : column + 3] = found.max() * filter_
        np.testing.assert_allclose(image, expected[1:-1, 1:-1], atol=1e-6)


def test_a_maximum_goes_back_to_where_it_was_found() -> None:
    x = ag.zeros(1, 1, 4, 4)
    x[0, 0, 2, 1] = 5.0
    x[0, 0, 0, 0] = 3.0
    drawn = models.deconvolve([nn.MaxPool2d(2)], x, channel=0)
    expected = np.zeros((4, 4))
    expected[2, 1] = 5.0
    assert (drawn.numpy()[0, 0] == expected).all()


def test_a_deep_net_is_drawn_in_the_pixels_of_its_input(rng: np.random.Generator) -> None:
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(4, 6, 3), nn.ReLU(),
    )  # fmt: skip
    x = ag.tensor(rng.normal(size=(2, 3, 20, 20)), dtype=ag.float32)
    drawn = models.deconvolve(layers, x, channel=3)
    assert drawn.shape == x.shape
    assert not drawn.requires_grad
    assert (drawn.numpy() != 0).any((1, 2, 3)).all()


def test_what_has_no_way_back_is_refused() -> None:
    with pytest.raises(TypeError, match=r"deconvolve got Tanh\(\): it goes back through Conv2d"):
        models.deconvolve([nn.Tanh()], ag.ones(1, 1, 2, 2), 0)
    with pytest.raises(IndexError, match=r"deconvolve got channel 2 for maps of shape \(1, 1, 2"):
        models.deconvolve([nn.ReLU()], ag.ones(1, 1, 2, 2), 2)
