"""What is done to an image between the dataset and the batch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
from autograd_core import DtypeError, Generator, ShapeError, Tensor

__all__ = [
    "Compose",
    "Lambda",
    "Normalize",
    "RandomCrop",
    "RandomHorizontalFlip",
    "Step",
    "ToTensor",
    "Transform",
]

# Arrays become tensors on the way, so the type of an image changes from step to step.
Step: TypeAlias = Callable[[Any], Any]


class Transform(ABC):
    """A function of one image."""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        # A batch form inherited past a new __call__ knows nothing of it and would bypass it.
        author = next(kind for kind in cls.__mro__ if "batched" in vars(kind))
        if author.__call__ is not cls.__call__:
            cls.batched = Transform.batched

    @abstractmethod
    def __call__(self, image: Any, /) -> Any: ...

    def batched(self) -> Step | None:
        """The function that does the same to all images along a leading axis, if there is one."""
        return None


class Compose(Transform):
    """The given steps, one after another; any callable may be a step."""

    def __init__(self, transforms: Sequence[Step]) -> None:
        for transform in transforms:
            if not callable(transform):
                raise TypeError(f"Compose got {transform!r}: each step must be callable")
        self.transforms = list(transforms)

    def __call__(self, image: Any, /) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def batched(self) -> Step | None:
        forms = [
            step.batched() if isinstance(step, Transform) else None for step in self.transforms
        ]
        whole = [form for form in forms if form is not None]
        return Compose(whole) if len(whole) == len(forms) else None

    def __repr__(self) -> str:
        return f"Compose([{', '.join(map(repr, self.transforms))}])"


class ToTensor(Transform):
    """An image array (H, W) or (H, W, C) as a tensor (C, H, W).

    uint8 becomes float32 in [0, 1]; any other dtype keeps its values and itself.
    """

    def __call__(self, image: NDArray[Any], /) -> Tensor:
        if not isinstance(image, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
            kind = type(image).__name__
            raise TypeError(f"ToTensor got a {kind}: it needs an ndarray; np.asarray may make one")
        if image.ndim not in (2, 3):
            raise ShapeError(
                f"ToTensor got an array of shape {image.shape}: it must be (H, W) or (H, W, C)"
            )
        return self._of_batch(image[None])[0]

    def batched(self) -> Step:
        return self._of_batch

    def _of_batch(self, images: NDArray[Any]) -> Tensor:
        """(N, H, W) or (N, H, W, C) to (N, C, H, W)."""
        if images.ndim == 3:
            images = images[..., None]
        channels_first = images.transpose(0, 3, 1, 2)
        if images.dtype == np.uint8:
            scaled = np.divide(channels_first, np.float32(255), dtype=np.float32, order="C")
            return ag.tensor(scaled)
        return ag.tensor(np.ascontiguousarray(channels_first))

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize(Transform):
    """y = (x - mean) / std, channel by channel, with x of shape (..., C, H, W)."""

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean, self.std = np.atleast_1d(mean), np.atleast_1d(std)
        if self.mean.ndim != 1 or self.mean.shape != self.std.shape:
            raise ValueError(f"Normalize got mean={mean} and std={std}: both need one per channel")
        if not (self.std > 0).all():
            raise ValueError(f"Normalize got std={std}: each must be above 0")

    def __call__(self, image: Tensor, /) -> Tensor:
        if not isinstance(image, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
            kind = type(image).__name__
            raise TypeError(f"Normalize got a {kind}: it needs a Tensor; put ToTensor before it")
        if not image.is_floating_point():
            raise DtypeError(
                f"Normalize got a tensor of {image.dtype}: it needs floats; convert with .float()"
            )
        channels = len(self.mean)
        if image.ndim < 3 or channels not in (1, image.shape[-3]):
            shape = tuple(image.shape)
            raise ShapeError(
                f"Normalize with {channels} channels got shape {shape}: "
                f"it must be (..., {channels}, H, W)"
            )
        return (image - self._per_channel(self.mean, image)) / self._per_channel(self.std, image)

    def batched(self) -> Step:
        # The channel axis is counted from the end, so any axes may lead.
        return self

    @staticmethod
    def _per_channel(values: NDArray[Any], like: Tensor) -> Tensor:
        return ag.tensor(values, dtype=like.dtype).view(-1, 1, 1)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean.tolist()}, std={self.std.tolist()})"


class Lambda(Transform):
    """Any function of one image."""

    def __init__(self, function: Step) -> None:
        if not callable(function):
            raise TypeError(f"Lambda got {function!r}: it needs a function of one image")
        self.function = function

    def __call__(self, image: Any, /) -> Any:
        return self.function(image)

    def __repr__(self) -> str:
        return f"Lambda({self.function!r})"


class Augmentation(Transform):
    """A change of images (..., H, W) that each image draws for itself."""

    def __init__(self, generator: Generator | None) -> None:
        self.generator = generator

    def __call__(self, image: Tensor, /) -> Tensor:
        who = type(self).__name__
        if not isinstance(image, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
            kind = type(image).__name__
            raise TypeError(f"{who} got a {kind}: it needs a Tensor; put ToTensor before it")
        if image.ndim < 2:
            raise ShapeError(f"{who} got shape {tuple(image.shape)}: it must be (..., H, W)")
        return self._of_batch(image[None])[0]

    def batched(self) -> Step:
        return self._of_batch

    @abstractmethod
    def _of_batch(self, images: Tensor) -> Tensor:
        """Draw for each image along the leading axis."""


class RandomHorizontalFlip(Augmentation):
    """Left and right change places with probability p."""

    def __init__(self, p: float = 0.5, *, generator: Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"RandomHorizontalFlip got p={p}: a probability is from 0 to 1")
        super().__init__(generator)
        self.p = p

    def _of_batch(self, images: Tensor) -> Tensor:
        drawn = ag.rand(len(images), generator=self.generator, dtype=ag.float64)
        turned = (drawn < self.p).view(-1, *(1,) * (images.ndim - 1))
        return ag.where(turned, images.flip(-1), images)

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip(p={self.p})"


class RandomCrop(Augmentation):
    """A part of the image, with zeros around it: of `size` (height, width), or one number."""

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int = 0,
        *,
        generator: Generator | None = None,
    ) -> None:
        pair = (size, size) if isinstance(size, int) else tuple(size)
        if len(pair) != 2 or min(pair) < 1 or padding < 0:
            raise ValueError(
                f"RandomCrop got size={size} and padding={padding}: it needs a height and a width "
                "from 1 on, and no negative padding"
            )
        super().__init__(generator)
        self.size, self.padding = pair, padding

    def _of_batch(self, images: Tensor) -> Tensor:
        (height, width), pad = self.size, self.padding
        free = [n + 2 * pad - m for n, m in zip(images.shape[-2:], self.size, strict=True)]
        if min(free) < 0:
            shape = tuple(images.shape[1:])
            raise ShapeError(f"RandomCrop of {self.size}, padding {pad}, got an image of {shape}")
        sides = [(0, 0)] * (images.ndim - 2) + [(pad, pad)] * 2
        around = np.pad(images.numpy(), sides)
        top, left = (
            ag.randint(0, n + 1, (len(images),), generator=self.generator).tolist() for n in free
        )
        cut = [
            image[..., y : y + height, x : x + width]
            for image, y, x in zip(around, top, left, strict=True)
        ]
        return ag.tensor(np.stack(cut))

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"
