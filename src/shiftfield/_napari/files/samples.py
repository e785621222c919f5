"""File > Open Sample: two real image series and a simulated speckle scan with its known answer.

The pixels come from `shiftfield.samples` and `shiftfield.synthetic`; here they become layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.field.layers import SHIFT_COLORMAP, robust_limit

LayerTuple = tuple[Any, dict[str, Any], str]


def cylinder_flow() -> list[LayerTuple]:
    """Return the two frames of a particle-image pair: flow behind a cylinder."""
    from shiftfield import samples

    reference, sample = samples.cylinder_flow()
    return [
        (reference, {"name": "reference (cylinder flow)", "colormap": "gray"}, "image"),
        (sample, {"name": "sample (cylinder flow)", "colormap": "gray"}, "image"),
    ]


def tensile_test() -> list[LayerTuple]:
    """Return the four images of a tensile test with painted speckle, the unloaded one first."""
    from shiftfield import samples

    names = ("no load (tensile test)", *(f"load {n} (tensile test)" for n in (1, 2, 3)))
    images = samples.tensile_test()
    return [
        (image, {"name": name, "colormap": "gray"}, "image")
        for name, image in zip(names, images, strict=True)
    ]


def speckle_scan() -> list[LayerTuple]:
    """Return reference and sample stacks of a simulated scan and, hidden, what a search must find."""
    from shiftfield import synthetic

    scan = synthetic.speckle_scan()
    stacks = {"reference (speckle scan)": scan.reference, "sample (speckle scan)": scan.sample}
    return [
        *(
            (stack, {"name": name, "colormap": "gray", "axis_labels": ("frame", "y", "x")}, "image")
            for name, stack in stacks.items()
        ),
        _known("dark field", scan.dark_field, {"colormap": "gray"}),
        _known("transmission", scan.transmission, {"colormap": "gray"}),
        _known("y shift", scan.y, _diverging(scan.y)),
        _known("x shift", scan.x, _diverging(scan.x)),
    ]


def _known(quantity: str, data: NDArray[np.float32], look: dict[str, Any]) -> LayerTuple:
    about = {"name": f"known {quantity}", "axis_labels": ("y", "x"), "visible": False}
    return data, {**about, **look}, "image"


def _diverging(data: NDArray[np.float32]) -> dict[str, Any]:
    limit = robust_limit(data)
    return {"colormap": SHIFT_COLORMAP, "contrast_limits": (-limit, limit)}
