"""Pictures made on the spot, for tests of backends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desktopapp.errors import AttachmentGone


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
class MissingPicture:
    """A picture whose file went away after it was attached."""

    width: int = 64
    height: int = 64
    path: str = "gone.png"

    def decode(self) -> NDArray[np.uint8]:
        raise AttachmentGone(name=self.path)
