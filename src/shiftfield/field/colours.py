"""Colour maps for shift fields, computed in OKLab so that equal steps look equal. numpy only.

Only the tables of colours live here; drawing is the business of `field.picture` and of the viewer.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

# OKLab (Ottosson 2020) to linear sRGB.
_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
_BLUE, _ORANGE = np.deg2rad(255.0), np.deg2rad(60.0)


def _srgb(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: float
) -> NDArray[np.float64]:
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    linear = np.clip((lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0, 1)
    colours: NDArray[np.float64] = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return colours


@cache
def diverging() -> NDArray[np.float64]:
    """Return `(255, 3)` sRGB colours in 0..1: blue (negative), near white (zero), orange (positive).

    Lightness falls linearly from the centre to both ends alike, and blue against orange stays
    apart for all common kinds of colour blindness.
    """
    t = np.linspace(-1, 1, 255)
    lightness = 0.96 - 0.50 * np.abs(t)
    chroma = 0.125 * np.abs(t) ** 0.9
    return np.where(
        (t < 0)[:, None], _srgb(lightness, chroma, _BLUE), _srgb(lightness, chroma, _ORANGE)
    )
