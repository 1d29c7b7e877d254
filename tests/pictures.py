"""Pictures made on the spot, for tests of backends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from desktopapp.attachment_errors import AttachmentGone


@dataclass(slots=True)
class NoisePicture:
    """A picture of seeded noise; counts how often it is decoded."""

    width: int
    height: int
    seed: int = 0
    path: str = "noise.png"
    decoded: int = 0

    def decode(self) -> NDArray[np.uint8]:
        self.decoded += 1
        random = np.random.default_rng(self.seed)
        # Coarse blocks, so that resizing does not average the noise away.
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        rows, columns = np.arange(self.height) * 8 // self.height, np.arange(self.width) * 8 // self.width
        return np.ascontiguousarray(coarse[rows][:, columns])


@dataclass(slots=True)
class NoiseVideo:
    """A video whose every frame is seeded noise; counts how often each is decoded."""

    width: int
    height: int
    frame_times_s: tuple[float, ...]
    seed: int = 0
    path: str = "noise.mp4"
    decoded: Counter[int] = field(default_factory=Counter)

    def decode(self, index: int) -> NDArray[np.uint8]:
        self.decoded[index] += 1
        return NoisePicture(self.width, self.height, seed=self.seed * 1000 + index).decode()


@dataclass(slots=True)
class MissingPicture:
    """A picture whose file went away after it was attached."""

    width: int = 64
    height: int = 64
    path: str = "gone.png"

    def decode(self) -> NDArray[np.uint8]:
        raise AttachmentGone(name=self.path)
