"""MLP-Mixer: perceptrons that mix patches, then channels (Tolstikhin et al., 2021)."""

from __future__ import annotations

from typing import Any

from autograd_core import Generator, Tensor

from .. import functional as F
from .. import init
from ..container import Sequential
from ..conv import Conv2d
from ..linear import Linear
from ..module import Module
from ..norm import LayerNorm

EPSILON = 1e-6  # of every LayerNorm


class MLP(Module):
    """y = W2 gelu(W1 x + b1) + b2 along the last axis, whose size it keeps."""

    def __init__(self, size: int, hidden: int, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.fc1 = Linear(size, hidden, generator=generator)
        self.fc2 = Linear(hidden, size, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class MixerBlock(Module):
    """x ← x + tokens(norm(x)ᵀ)ᵀ, then x ← x + channels(norm(x)); x (N, tokens, channels)."""

    def __init__(
        self,
        tokens: int,
        channels: int,
        tokens_hidden: int,
        channels_hidden: int,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.norm1 = LayerNorm(channels, EPSILON)
        self.mlp_tokens = MLP(tokens, tokens_hidden, generator=generator)
        self.norm2 = LayerNorm(channels, EPSILON)
        self.mlp_channels = MLP(channels, channels_hidden, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mlp_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mlp_channels(self.norm2(x))


class Stem(Module):
    """Each patch of x (N, in_channels, H, W) as one token (N, tokens, channels)."""

    def __init__(
        self, in_channels: int, channels: int, patch: int, *, generator: Generator | None = None
    ) -> None:
        super().__init__()
        self.proj = Conv2d(in_channels, channels, patch, stride=patch, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class MLPMixer(Module):
    """Patches to tokens, mixer blocks, the mean over tokens; x (N, in_channels, size, size).

    Sizes as in table 1; the head starts at zero, as the authors' does.
    """

    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 16,
        depth: int = 8,
        channels: int = 512,
        tokens_hidden: int = 256,
        channels_hidden: int = 2048,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(
                f"MLPMixer got image_size={image_size} and patch_size={patch_size}: "
                "the image must be a whole number of patches wide"
            )
        tokens = (image_size // patch_size) ** 2
        self.stem = Stem(in_channels, channels, patch_size, generator=generator)
        sizes = tokens, channels, tokens_hidden, channels_hidden
        self.blocks = Sequential(*[MixerBlock(*sizes, generator=generator) for _ in range(depth)])
        self.norm = LayerNorm(channels, EPSILON)
        self.head = Linear(channels, num_classes, generator=generator)
        for parameter in self.head.parameters():
            init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.blocks(self.stem(x)))
        return self.head(x.mean(1))


def mixer_s16(**options: Any) -> MLPMixer:
    """Mixer-S/16, 18,528,264 parameters; the options are those of MLPMixer."""
    return MLPMixer(**options)


def mixer_b16(**options: Any) -> MLPMixer:
    """Mixer-B/16, 59,880,472 parameters; the options are those of MLPMixer."""
    sizes: dict[str, Any] = {
        "depth": 12,
        "channels": 768,
        "tokens_hidden": 384,
        "channels_hidden": 3072,
    }
    return MLPMixer(**(sizes | options))
