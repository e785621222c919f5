"""`phase`: the phase that an object gave to X-rays, from the shifts of speckles behind it.

How slopes become a surface is the business of `physics.rectangle` and `physics.least_squares`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from shiftfield.arrays.converted import as_array, check_real
from shiftfield.field import ShiftField
from shiftfield.physics import least_squares
from shiftfield.physics.given import field_on_host, shifts_of
from shiftfield.physics.pieces import around, centred, connected
from shiftfield.physics.rectangle import SOLVERS, integrate
from shiftfield.physics.warping import places_in_sample
from shiftfield.physics.wave import pixel_in_metres, positive, wavelength
from shiftfield.settings import check_choice

Float = NDArray[np.float64]

METHODS = ("scs", "fc", "dct", "least_squares")
PLANES = ("detector", "object")


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """Phase and refraction of an object; rad, m, keV; x along columns, y along rows, down.

    Arrays have the field's shape, float64; NaN where unknown. The wave behind the object is exp(i (k z + phase)),
    so that rays go where the phase grows, and a thickness t of matter makes phase = -k delta t.

    Attributes
    ----------
    refraction_x, refraction_y : ndarray
        Angle by which rays are turned towards +x and +y, rad; -shift * pixel_size / distance.
    differential_x, differential_y : ndarray
        Slope of the phase, rad per px of the image (whatever the field's step); k * refraction * pixel_size /
        magnification.
    phase : ndarray
        Their integral, rad; its mean over each connected piece is 0.
    pieces : ndarray of int32
        Number of the connected piece of each pixel, from 1 on; 0 where the phase is unknown. Phases of different
        pieces cannot be compared.
    pixel_size, distance, energy, magnification, method, plane
        As given; m, m, keV.
    """

    refraction_x: Float
    refraction_y: Float
    differential_x: Float
    differential_y: Float
    phase: Float
    pieces: NDArray[np.int32]
    pixel_size: float
    distance: float
    energy: float
    magnification: float
    method: str
    plane: str

    @property
    def wavelength(self) -> float:
        """Wavelength, m."""
        return wavelength(self.energy)

    def thickness(self, delta: float, *, empty: ArrayLike | None = None) -> Float:
        """Return the projected thickness, m: -phase * wavelength / (2 pi delta).

        Parameters
        ----------
        delta : float
            Decrement of the refractive index, n = 1 - delta + i beta; positive for X-rays, about 1e-7 to 1e-5.
        empty : array_like of bool, optional
            Where there is no matter; the mean thickness there is 0, piece by piece. Without it, and in pieces
            without such a pixel, the mean over the piece is 0, as that of the phase.

        Raises
        ------
        ValueError
            When delta is not a positive number, or `empty` has another shape.
        """
        made = -self.phase * self.wavelength / (2 * np.pi * positive("delta", delta))
        if empty is None:
            return made
        nothing = np.asarray(empty, dtype=bool)
        if nothing.shape != made.shape:
            raise ValueError(
                f"empty has shape {nothing.shape}; it must be that of the phase, {made.shape}."
            )
        at = self.pieces[nothing & (self.pieces > 0)]
        sums = np.bincount(
            at, weights=made[nothing & (self.pieces > 0)], minlength=self.pieces.max() + 1
        )
        counts = np.bincount(at, minlength=self.pieces.max() + 1)
        return made - (sums / np.maximum(counts, 1))[self.pieces]


def phase(
    field: ShiftField,
    pixel_size: float,
    distance: float,
    energy: float,
    method: str = "scs",
    *,
    weights: Any = None,
    magnification: float = 1.0,
    plane: str = "detector",
) -> Phase:
    """Return the phase, rad, whose slopes are the refraction that a shift field shows; m, m, **keV**.

    A shift is the match in the reference minus the place in the sample, px: rays that an object turned by the
    angle a are seen `distance * a` further on, so

        a = -shift * pixel_size / distance,            rad
        d(phase)/dx = (2 pi / wavelength) * a * pixel_size / magnification,      rad per px

    and the phase is the integral. A focusing lens pulls speckles to its centre, its shifts point away from it,
    and its phase has its top there.

    Parameters
    ----------
    field : ShiftField
        Shifts, of any `step`. Only valid pixels with both shifts count.
    pixel_size : float
        Side of the detector's pixel, **m** (6.5 um is 6.5e-6), as seen by the camera's optics.
    distance : float
        From the object to the detector, **m**; from the diffuser to the detector if that stands behind the
        object.
    energy : float
        Of the photons, **keV**.
    method : {"scs", "fc", "dct", "least_squares"}
        "scs": Poisson's equation, Simchony, Chellappa and Shao (1990). "fc": Fourier basis, Frankot and
        Chellappa (1988), on slopes mirrored at the borders. "dct": unweighted least squares of neighbours'
        differences, Ghiglia and Romero (1994). These three work on the rectangle around the valid pixels, whose
        holes are filled by iteration. "least_squares": the same as "dct" over the valid pixels alone, of any
        outline, with weights; the one to take for fields with large or many holes.
    weights : array_like, pair of array_like, or "uncertainty", optional
        For "least_squares": weight of each pixel's shifts, 1 / variance, of the field's shape; or one array for x
        and one for y; or 1 / uncertainty^2 of the field. A pixel of weight 0 is left out.
    magnification : float
        Of the object on the detector, in a cone beam; 1 in a parallel one.
    plane : {"detector", "object"}
        To which pixel an angle belongs: to the one that sees the ray, as is usual, or to the one where it crossed
        the object, p + shift. The second is right also for shifts that change over their own length by more
        than a percent; arrays then lie on the reference's pixels. It is for a diffuser in front of the object,
        in a parallel beam.

    Returns
    -------
    Phase

    Raises
    ------
    ValueError
        When an argument is not one of those above, or there is nothing to integrate.
    TypeError
        When the field is no ShiftField.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import ShiftField, phase
    >>> from shiftfield.synthetic import gaussian
    >>> setup = {"pixel_size": 1e-6, "distance": 0.5, "energy": 20.0}
    >>> truth = gaussian((80, 90), **setup, delta=5e-7, width=1e-5, height=-2e-5)
    >>> known = np.ones(truth.x.shape, bool)
    >>> field = ShiftField(x=truth.x, y=truth.y, valid=known, score=np.ones(truth.x.shape))
    >>> found = phase(field, **setup).phase
    >>> bool(np.std(found - truth.phase) < 0.01 * np.std(truth.phase))
    True
    """
    host = field_on_host(field)
    metres, length = pixel_in_metres(pixel_size), positive("distance", distance, "m")
    enlarged = positive("magnification", magnification)
    wave_number = 2 * np.pi / wavelength(energy)
    check_choice("method", method, METHODS)
    check_choice("plane", plane, PLANES)
    if plane == "object" and enlarged != 1:
        raise ValueError(f"magnification is {magnification!r}; with plane 'object' it must be 1.")
    if weights is not None and method != "least_squares":
        raise ValueError(f"method is {method!r}; weights are taken by 'least_squares' only.")
    x, y, known = shifts_of(host)
    heavy = _weights(weights, host, known)
    if plane == "object":
        x, y, known, heavy = _at_the_object(host, heavy)

    angle_x, angle_y = (np.where(known, -s * metres / length, np.nan) for s in (x, y))
    slope_x, slope_y = (wave_number * angle * metres / enlarged for angle in (angle_x, angle_y))
    step = host.settings.step
    rise_x, rise_y = (np.where(known, step * slope, 0.0) for slope in (slope_x, slope_y))
    joins = least_squares.edge_weights(*heavy, known)
    pieces = connected(joins[0] > 0, joins[1] > 0)
    if not pieces.any():
        raise ValueError(
            "The field has no two valid pixels side by side; there is nothing to integrate."
        )
    box = around(pieces > 0)
    found = np.zeros(known.shape)
    if method in SOLVERS:
        found[box] = integrate(method, rise_x[box], rise_y[box], known[box])
    else:
        joins = least_squares.edge_weights(heavy[0][box], heavy[1][box], known[box])
        found[box] = least_squares.solve(rise_x[box], rise_y[box], *joins)
    return Phase(
        refraction_x=angle_x, refraction_y=angle_y, differential_x=slope_x, differential_y=slope_y,
        phase=centred(found, pieces), pieces=pieces,
        pixel_size=metres, distance=length, energy=float(energy), magnification=enlarged, method=method,
        plane=plane,
    )  # fmt: skip


def _weights(weights: Any, field: ShiftField, known: NDArray[np.bool_]) -> tuple[Float, Float]:
    """Return the weights of x and y, 0 where nothing is known, or say in one sentence what is wrong."""
    if weights is None:
        return known.astype(np.float64), known.astype(np.float64)
    if isinstance(weights, str):
        if weights != "uncertainty" or field.uncertainty_x is None or field.uncertainty_y is None:
            raise ValueError(
                f"weights is {weights!r}; allowed are arrays, and 'uncertainty' of a field that was found with "
                "uncertainty=True."
            )
        sigma = (s.astype(np.float64) for s in (field.uncertainty_x, field.uncertainty_y))
        pair: Any = tuple(np.where(s > 0, 1 / np.where(s > 0, s, 1) ** 2, 0) for s in sigma)
    else:
        pair = (
            weights if isinstance(weights, tuple | list) and len(weights) == 2 else (weights,) * 2
        )
    found = []
    for one in pair:
        heavy = as_array(one, "weights")
        check_real(heavy, "weights")
        heavy = heavy.astype(np.float64)
        if heavy.shape != known.shape or not (np.isfinite(heavy) & (heavy >= 0))[known].all():
            raise ValueError(
                f"weights have shape {heavy.shape}; they must be finite numbers of at least 0 in the field's "
                f"shape {known.shape}."
            )
        found.append(np.where(known, heavy, 0.0))
    return found[0], found[1]


def _at_the_object(
    field: ShiftField, heavy: tuple[Float, Float]
) -> tuple[Float, Float, NDArray[np.bool_], tuple[Float, Float]]:
    """Return shifts, where they are known, and weights, where their rays crossed the object, q = p + shift."""
    step = field.settings.step
    grid: Float = step * np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float64)
    places = places_in_sample(field, grid)
    known = np.asarray(np.isfinite(places).all(axis=0))
    shift: Float = np.where(known, grid - places, 0.0)
    at = np.where(known, places / step, 0.0)
    w_x, w_y = (
        np.where(known, map_coordinates(w, at, order=1, mode="nearest"), 0.0) for w in heavy
    )
    return shift[1], shift[0], known, (w_x, w_y)
