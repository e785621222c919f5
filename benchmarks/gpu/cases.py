"""What is checked and what is timed on a device, with the goals; nothing runs here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield import samples, synthetic

Frames = NDArray[Any]
AGREED, SHARE = 1e-4, 0.999  # px; of the pixels
COPIES = 3.0  # end to end, at most so many times the larger of copies and kernels
ALGOTOM = 200.0  # times as fast as algotom's own GPU path


@dataclass(frozen=True, slots=True)
class Timed:
    """A search of a square image, and the most its kernels may take on an H100, ms."""

    name: str
    frames: int
    goal: float
    chosen: dict[str, Any] = field(default_factory=dict)


TIMED = (
    Timed("pair, Pearson", 1, 5.0),
    Timed("20 frames, UMPA, hamming", 20, 30.0, {"method": "umpa", "weight": "hamming"}),
    Timed("20 frames, UMPA with dark field, hamming", 20, 40.0, {"method": "umpa_dark", "weight": "hamming"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """A search whose answer on a device is held to the CPU's."""

    name: str
    images: Callable[[int], tuple[Frames, Frames]]
    chosen: dict[str, Any] = field(default_factory=dict)


def speckle(frames: int, side: int) -> tuple[Frames, Frames]:
    """Return reference and sample `(frames, side, side)`, float32, moved by a smooth field."""
    made = min(side, 512)
    scan = synthetic.speckle_scan(shape=(made, made), frames=frames, seed=1)
    times = -(-side // made)
    reference, sample = (
        np.ascontiguousarray(np.tile(stack, (1, times, times))[:, :side, :side])
        for stack in (scan.reference, scan.sample)
    )
    return reference, sample


def _of(frames: int, kind: str = "float32", spoilt: bool = False) -> Callable[[int], Any]:
    def images(side: int) -> tuple[Frames, Frames]:
        reference, sample = speckle(frames, side)
        if spoilt:
            reference[0, side // 2, side // 3] = np.nan
        return reference.astype(kind), sample.astype(kind)

    return images


def _real(pair: Callable[[], Any]) -> Callable[[int], Any]:
    def images(side: int) -> tuple[Frames, Frames]:
        reference, sample = (image[..., :side, :side] for image in pair()[:2])
        return reference, sample

    return images


CHECKED = (
    Checked("pair", _of(1)),
    Checked("5 frames", _of(5)),
    Checked("5 frames, 1-D", _of(5), {"search": "1d"}),
    Checked("5 frames, UMPA, hamming", _of(5), {"method": "umpa", "weight": "hamming"}),
    Checked("5 frames, dark field", _of(5), {"method": "umpa_dark"}),
    Checked("poly_fit 5", _of(3), {"peak": "poly_fit", "peak_size": 5}),
    Checked("every third pixel", _of(3), {"step": 3}),
    Checked("window 21", _of(3), {"window": 21}),
    Checked("uint16", _of(3, "uint16")),
    Checked("float64", _of(3, "float64")),
    Checked("a pixel that is no number", _of(3, spoilt=True)),
    Checked("flow behind a cylinder", _real(samples.cylinder_flow), {"window": 31, "margin": 5}),
    Checked("tensile test", _real(samples.tensile_test), {"window": 21, "margin": 5}),
)
