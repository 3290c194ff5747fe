"""Transforms of one image and of a whole batch."""

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from training.transforms import (
    Compose,
    Lambda,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    ToTensor,
    Transform,
)


def images(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_bytes_become_floats_between_zero_and_one() -> None:
    tensor = ToTensor()(np.array([[0, 51, 255]], dtype=np.uint8))
    assert tensor.dtype == ag.float32
    assert tensor.shape == (1, 1, 3)
    np.testing.assert_array_equal(tensor.numpy().ravel(), np.array([0, 0.2, 1], dtype=np.float32))


def test_channels_move_to_the_front() -> None:
    image = images(4, 5, 3)
    tensor = ToTensor()(image)
    assert tensor.shape == (3, 4, 5)
    np.testing.assert_array_equal(tensor.numpy()[2], image[:, :, 2] / np.float32(255))


def test_floats_are_not_scaled() -> None:
    image = np.array([[0.5, 200.0]])
    tensor = ToTensor()(image)
    assert tensor.dtype == ag.float64
    np.testing.assert_array_equal(tensor.numpy()[0], image)


def test_the_tensor_owns_its_memory() -> None:
    image = np.ones((2, 2), dtype=np.float32)
    tensor = ToTensor()(image)
    image[0, 0] = 7
    assert tensor.tolist() == [[[1, 1], [1, 1]]]


def test_to_tensor_refuses_what_is_no_image() -> None:
    with pytest.raises(ag.ShapeError, match=r"shape \(5,\): it must be \(H, W\) or \(H, W, C\)"):
        ToTensor()(np.zeros(5))
    with pytest.raises(TypeError, match="got a list: it needs an ndarray"):
        ToTensor()([[1, 2]])  # pyright: ignore[reportArgumentType]


def test_normalize_subtracts_and_divides_by_channel() -> None:
    x = ag.ones(2, 1, 1)
    y = Normalize((1.0, 0.0), (1.0, 4.0))(x)
    assert y.tolist() == [[[0.0]], [[0.25]]]
    assert y.dtype == ag.float32
    assert x.tolist() == [[[1.0]], [[1.0]]]


def test_one_mean_serves_all_channels() -> None:
    assert Normalize(0.5, 0.5)(ag.ones(3, 1, 1)).tolist() == [[[1.0]]] * 3


def test_normalize_passes_gradients() -> None:
    x = ag.ones(1, 1, 1, requires_grad=True)
    Normalize((0.0,), (4.0,))(x).sum().backward()
    assert x.grad is not None
    assert x.grad.item() == 0.25


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((0.0, 0.0), (1.0,), r"mean=\(0.0, 0.0\) and std=\(1.0,\): both need one per channel"),
        ((0.0, 0.0), (1.0, 0.0), r"std=\(1.0, 0.0\): each must be above 0"),
    ],
)
def test_normalize_refuses_constants_that_do_not_fit(
    mean: tuple[float, ...], std: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Normalize(mean, std)


def test_normalize_refuses_other_images() -> None:
    normalize = Normalize((0.0,) * 3, (1.0,) * 3)
    with pytest.raises(ag.ShapeError, match=r"3 channels got shape \(1, 2, 2\): it must be \(\.\."):
        normalize(ag.zeros(1, 2, 2))
    with pytest.raises(ag.DtypeError, match=r"tensor of .*uint8: it needs floats"):
        normalize(ag.zeros(3, 2, 2, dtype=ag.uint8))
    with pytest.raises(TypeError, match="got a ndarray: it needs a Tensor; put ToTensor before it"):
        normalize(np.zeros((3, 2, 2)))  # pyright: ignore[reportArgumentType]


PIPELINES = [
    ToTensor(),
    Compose([ToTensor(), Normalize((0.1307,), (0.3081,))]),
    Compose([Compose([ToTensor()]), Normalize(0.5, 0.25), Normalize(0.1, 0.2)]),
    Compose([]),
]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=repr)
@pytest.mark.parametrize("shape", [(6, 7, 8), (6, 7, 8, 3)], ids=["grey", "colour"])
def test_batch_form_equals_the_transform_of_each_image(
    pipeline: Transform, shape: tuple[int, ...]
) -> None:
    batch = images(*shape)
    at_once = pipeline.batched()
    assert at_once is not None
    whole = np.asarray(at_once(batch))
    np.testing.assert_array_equal(whole, np.stack([np.asarray(pipeline(x)) for x in batch]))


def numbered(n: int = 200) -> ag.Tensor:
    """Images (n, 1, 3, 4) with no two equal pixels."""
    return ag.arange(n * 12, dtype=ag.float32).view(n, 1, 3, 4)


def test_half_of_the_images_are_flipped_and_nothing_else_happens() -> None:
    x = numbered()
    flip = RandomHorizontalFlip(generator=ag.Generator().manual_seed(0))
    y = np.asarray(flip.batched()(x))
    turned = (y == np.asarray(x)[..., ::-1]).all((1, 2, 3))
    same = (y == np.asarray(x)).all((1, 2, 3))
    assert (turned ^ same).all()
    assert 70 < turned.sum() < 130
    assert (np.asarray(RandomHorizontalFlip(1.0)(x[0])) == np.asarray(x)[0, ..., ::-1]).all()


def test_crops_are_parts_of_the_image_with_zeros_around_it() -> None:
    x = numbered()
    crop = RandomCrop((3, 4), padding=1, generator=ag.Generator().manual_seed(0))
    around = np.pad(np.asarray(x), [(0, 0), (0, 0), (1, 1), (1, 1)])
    seen = set()
    for part, whole in zip(np.asarray(crop.batched()(x)), around, strict=True):
        places = [
            (top, left)
            for top in range(3)
            for left in range(3)
            if (whole[:, top : top + 3, left : left + 4] == part).all()
        ]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 9
    assert RandomCrop(2)(x[0]).shape == (1, 2, 2)


def test_flips_of_a_batch_are_drawn_as_of_one_image_after_the_other() -> None:
    x = numbered(20)
    whole = RandomHorizontalFlip(generator=ag.Generator().manual_seed(1)).batched()(x)
    alone = RandomHorizontalFlip(generator=ag.Generator().manual_seed(1))
    assert ag.equal(whole, ag.stack([alone(image) for image in x]))


def test_the_same_seed_crops_the_same_parts() -> None:
    x = numbered(20)
    one, two = (RandomCrop(3, 2, generator=ag.Generator().manual_seed(1)) for _ in range(2))
    assert ag.equal(one.batched()(x), two.batched()(x))


def test_augmentations_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="RandomHorizontalFlip got p=2: a probability is from 0"):
        RandomHorizontalFlip(2)
    with pytest.raises(ValueError, match="RandomCrop got size=0 and padding=0: it needs a height"):
        RandomCrop(0)
    with pytest.raises(ag.ShapeError, match=r"RandomCrop of \(9, 9\), padding 1, got an image of"):
        RandomCrop(9, padding=1)(numbered(1)[0])
    with pytest.raises(
        TypeError, match="RandomCrop got a ndarray: it needs a Tensor; put ToTensor"
    ):
        RandomCrop(2)(np.ones((3, 3)))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ag.ShapeError, match=r"RandomHorizontalFlip got shape \(3,\): it must be"):
        RandomHorizontalFlip()(ag.ones(3))


class Darker(ToTensor):
    """A new __call__ on top of an inherited batch form."""

    def __call__(self, image: Any, /) -> ag.Tensor:
        return super().__call__(image) / 2


@pytest.mark.parametrize(
    "transform",
    [Lambda(np.sqrt), Darker(), Compose([ToTensor(), np.sqrt]), Compose([Compose([Darker()])])],
    ids=["Lambda", "overridden", "bare function", "nested"],
)
def test_what_acts_on_one_image_has_no_batch_form(transform: Transform) -> None:
    assert transform.batched() is None


def test_compose_applies_steps_in_order() -> None:
    assert Compose([Lambda(lambda x: x + 1), lambda x: x * 10])(1) == 20


def test_steps_must_be_callable() -> None:
    with pytest.raises(TypeError, match="Compose got 3: each step must be callable"):
        Compose([ToTensor(), 3])  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="Lambda got 3: it needs a function of one image"):
        Lambda(3)  # pyright: ignore[reportArgumentType]


def test_repr_shows_the_pipeline() -> None:
    pipeline = Compose([ToTensor(), Normalize((0.5,), (0.25,)), Lambda(len)])
    expected = (
        "Compose([ToTensor(), Normalize(mean=[0.5], std=[0.25]), Lambda(<built-in function len>)])"
    )
    assert repr(pipeline) == expected
