"""X-rays as waves: the wavelength of an energy, and the checks of quantities that carry a unit.

What is done with them is the business of `physics.retrieval` and `synthetic`.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

PLANCK_TIMES_LIGHT = 1.2398419843320026e-9  # keV m; exact in the SI: h c / e
_MOST_KEV = 1000.0
_LARGEST_PIXEL = 0.01  # m


def wavelength(energy: float) -> float:
    """Return the wavelength, m, of photons of an energy in keV: h c / E.

    Parameters
    ----------
    energy : float
        keV, more than 0 and at most 1000, so that 20000 (eV) is not taken for one.

    Returns
    -------
    float
        m; 1.24e-10 m at 10 keV.

    Raises
    ------
    ValueError
        When the energy is not such a number.
    """
    kev = positive("energy", energy, "keV")
    if kev > _MOST_KEV:
        raise ValueError(
            f"energy is {energy!r}; it is in keV and must be at most {_MOST_KEV:g} (20 keV is 20, not 20000)."
        )
    return PLANCK_TIMES_LIGHT / kev


def pixel_in_metres(pixel_size: Any) -> float:
    """Return the side of a pixel as a float, m; a ValueError when it cannot be one, such as 6.5 (um)."""
    metres = positive("pixel_size", pixel_size, "m")
    if metres > _LARGEST_PIXEL:
        raise ValueError(
            f"pixel_size is {pixel_size!r}; it is in m and must be at most {_LARGEST_PIXEL:g} "
            "(6.5 um is 6.5e-6)."
        )
    return metres


def positive(name: str, value: Any, unit: str = "") -> float:
    """Return `value` as a float above 0, or raise a ValueError in one sentence."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < float(value) < np.inf:
        of = f" of {unit}" if unit else ""
        raise ValueError(f"{name} is {value!r}; it must be a positive number{of}.")
    return float(value)
