"""Real image pairs that come with the package, to try things on.

Simulated images with known shifts are in `synthetic`; the licence of each set lies beside its files.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def cylinder_flow() -> tuple[Image, Image]:
    """Return (reference, sample), each (765, 1024) uint8: a PIV pair of the flow behind a cylinder.

    Particles in a laser sheet. The flow moves about 2 px to the left between the two, and leaves a
    vortex street on the left of the cylinder; the cylinder and its shadow have no answer. No truth is
    known.

    Example data of PIVlab, copyright (c) 2021 William Thielicke, MIT licence (`data/karman/LICENSE.txt`).
    """
    return _read("karman", "karman_a"), _read("karman", "karman_b")


def tensile_test() -> Image:
    """Return (4, 582, 1514) uint8: a painted specimen pulled apart in steps, the first at rest.

    The motion is smooth and grows from image to image: along x up to 2.5, 4.8 and 15 px against the
    first one. No truth is known.

    Example images of SUN-DIC 0.0.35, copyright (c) Stellenbosch University, MIT licence
    (`data/tension/LICENSE.txt`).
    """
    return np.stack([_read("tension", f"tension_{step}") for step in range(4)])


def _read(folder: str, name: str) -> Image:
    from PIL import Image as Pillow

    file = files("shiftfield") / "data" / folder / f"{name}.png"
    with file.open("rb") as stream, Pillow.open(stream) as image:
        return np.array(image)
