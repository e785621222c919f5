"""What can be made of a shift field: phase, strain and the like, each as one call of the library and its layers.

Nothing here knows a widget or a viewer; the calls run on the worker's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield import ShiftField
from shiftfield.field.layers import SHIFT_COLORMAP, robust_limit

Images = dict[str, tuple[NDArray[Any], str]]  # name: image, unit; the first is the one to look at
Make = Callable[[ShiftField, Mapping[str, Any]], Images]


def _phase(field: ShiftField, given: Mapping[str, Any]) -> Images:
    from shiftfield import phase

    found = phase(field, **{name: value for name, value in given.items() if name != "angles"})
    images: Images = {"phase": (found.phase, "rad")}
    if given["angles"]:
        images["refraction x"] = (found.refraction_x, "rad")
        images["refraction y"] = (found.refraction_y, "rad")
    return images


def _strain(field: ShiftField, given: Mapping[str, Any]) -> Images:
    from shiftfield import strain

    found = strain(field, **given)
    return {
        "strain exx": (found.exx, ""), "strain eyy": (found.eyy, ""), "strain exy": (found.exy, ""),
        "rotation": (found.rotation, "rad"),
    }  # fmt: skip


def _divergence(field: ShiftField, given: Mapping[str, Any]) -> Images:
    from shiftfield import divergence

    return {"divergence": (divergence(field, **given), "px per px")}


def _vorticity(field: ShiftField, given: Mapping[str, Any]) -> Images:
    from shiftfield import vorticity

    return {"vorticity": (vorticity(field, **given), "px per px")}


def _magnitude(field: ShiftField, _: Mapping[str, Any]) -> Images:
    from shiftfield import magnitude

    return {"magnitude": (magnitude(field), "px")}


def warped(field: ShiftField, sample: Any, given: Mapping[str, Any]) -> Images:
    """Return the sample laid onto the reference."""
    from shiftfield import warp

    return {"sample on reference": (warp(sample, field, **given), "")}


MEANINGS: dict[str, Make] = {
    "phase": _phase,
    "strain": _strain,
    "divergence": _divergence,
    "vorticity": _vorticity,
    "magnitude": _magnitude,
}


def look(name: str, data: NDArray[Any]) -> dict[str, Any]:
    """Return the colormap and contrast limits of an image; two-sided where a sign has a meaning."""
    known = data[np.isfinite(data)]
    if name.startswith(("strain", "rotation", "divergence", "vorticity", "refraction")):
        # never 0, and much smaller than for shifts: strains of 1e-4 are usual
        limit = robust_limit((data * _FINE).astype(np.float32)) / _FINE if known.size else 1.0
        return {"colormap": SHIFT_COLORMAP, "contrast_limits": (-limit, limit)}
    low, high = np.percentile(known, (0.5, 99.5)) if known.size else (0.0, 1.0)
    limits = (float(low), float(high if high > low else low + 1e-6))
    return {"colormap": "viridis" if name == "magnitude" else "gray", "contrast_limits": limits}


_FINE = 1e9
