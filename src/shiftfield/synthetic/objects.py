"""Objects that refract X-rays, as formulas: thickness, phase, refraction angle and the shift of speckles.

Speckles are moved by them in `synthetic.scan`; the way back is `shiftfield.phase`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shiftfield.physics.wave import pixel_in_metres, positive, wavelength
from shiftfield.synthetic.speckles import Float, checked

Thickness = Callable[[Float, Float], Float]  # of x, y in m

_STEPS = 200
_AT_REST = 1e-10  # px


@dataclass(frozen=True, slots=True, eq=False)
class PhaseObject:
    """An object with its truth at each pixel; m, rad, px; x along columns, y along rows, down.

    Attributes
    ----------
    thickness : ndarray of float64, shape (H, W)
        Projected thickness t, m.
    phase : ndarray of float64, shape (H, W)
        -2 pi delta t / wavelength, rad.
    refraction_x, refraction_y : ndarray of float64, shape (H, W)
        Angle by which rays are turned towards +x and +y, rad: the mean of -delta dt/dx across the pixel,
        -delta (t(x + 1/2) - t(x - 1/2)) / pixel_size, which is finite also at the rim of a sphere.
    x, y : ndarray of float64, shape (H, W)
        Shift of the speckles seen at the pixel, px: match in the reference minus place in the sample.
    """

    thickness: Float
    phase: Float
    refraction_x: Float
    refraction_y: Float
    x: Float
    y: Float

    @property
    def shift(self) -> tuple[Float, Float]:
        """(x, y), px; what `speckle` and `speckle_scan` take."""
        return self.x, self.y


def lens(
    shape: tuple[int, int],
    pixel_size: float,
    distance: float,
    energy: float,
    delta: float,
    radius: float,
    *,
    centre: tuple[float, float] | None = None,
    rays: bool = False,
) -> PhaseObject:
    """Return a parabolic lens, t = (x^2 + y^2) / (2 radius), which focuses X-rays at radius / delta.

    Parameters
    ----------
    shape : tuple of int
        (H, W), px.
    pixel_size, distance : float
        Side of a pixel, and from the object to the detector, m.
    energy : float
        keV.
    delta : float
        Decrement of the refractive index.
    radius : float
        Radius of curvature at the apex, m; all surfaces together.
    centre : pair of float, optional
        (x, y) of the centre, px; the middle of the image when None.
    rays : bool
        Where the shift seen at pixel p is taken from: False, the angle at p, as is usual, right for shifts that
        change little over their own length; True, from the angle where the ray that is seen at p crossed the
        object, p + shift.

    Raises
    ------
    ValueError
        When an argument is not one of those above, or `rays` is asked for where rays cross.
    """
    curvature = positive("radius", radius, "m")

    def thickness(x: Float, y: Float) -> Float:
        return (x**2 + y**2) / (2 * curvature)

    return _object(thickness, shape, pixel_size, distance, energy, delta, centre, rays)


def sphere(
    shape: tuple[int, int],
    pixel_size: float,
    distance: float,
    energy: float,
    delta: float,
    radius: float,
    *,
    centre: tuple[float, float] | None = None,
) -> PhaseObject:
    """Return a sphere of a radius in m, t = 2 sqrt(radius^2 - x^2 - y^2), which spreads X-rays.

    Parameters are those of `lens`. Near the rim the angle grows without bound, and rays cross; the shift at p is
    from the angle at p.
    """
    squared = positive("radius", radius, "m") ** 2

    def thickness(x: Float, y: Float) -> Float:
        return np.asarray(2 * np.sqrt(np.maximum(squared - x**2 - y**2, 0)))

    return _object(thickness, shape, pixel_size, distance, energy, delta, centre, rays=False)


def gaussian(
    shape: tuple[int, int],
    pixel_size: float,
    distance: float,
    energy: float,
    delta: float,
    width: float,
    height: float,
    *,
    centre: tuple[float, float] | None = None,
    rays: bool = False,
) -> PhaseObject:
    """Return a bump, t = height exp(-(x^2 + y^2) / (2 width^2)), in m; a dent, which focuses, where height < 0.

    Other parameters are those of `lens`.
    """
    spread = 2 * positive("width", width, "m") ** 2

    def thickness(x: Float, y: Float) -> Float:
        return np.asarray(height * np.exp(-(x**2 + y**2) / spread))

    return _object(thickness, shape, pixel_size, distance, energy, delta, centre, rays)


def _object(
    thickness: Thickness,
    shape: tuple[int, int],
    pixel_size: float,
    distance: float,
    energy: float,
    delta: float,
    centre: tuple[float, float] | None,
    rays: bool,
) -> PhaseObject:
    height, width = checked(shape, 1)
    metres, length = pixel_in_metres(pixel_size), positive("distance", distance, "m")
    wave_number, decrement = 2 * np.pi / wavelength(energy), positive("delta", delta)
    middle = ((width - 1) / 2, (height - 1) / 2) if centre is None else centre
    y, x = np.meshgrid(np.arange(height) - middle[1], np.arange(width) - middle[0], indexing="ij")

    def angles(x: Float, y: Float) -> tuple[Float, Float]:
        """Return the angles at places in px from the centre."""
        x, y, half = x * metres, y * metres, metres / 2
        across = thickness(x + half, y) - thickness(x - half, y)
        down = thickness(x, y + half) - thickness(x, y - half)
        return -decrement * across / metres, -decrement * down / metres

    reach = length / metres  # px for each rad
    angle_x, angle_y = angles(x, y)
    shift_x, shift_y = -reach * angle_x, -reach * angle_y
    if rays:
        shift_x, shift_y = _seen(angles, x, y, reach)
    t = thickness(x * metres, y * metres)
    return PhaseObject(t, -wave_number * decrement * t, angle_x, angle_y, shift_x, shift_y)


def _seen(
    angles: Callable[[Float, Float], tuple[Float, Float]], x: Float, y: Float, reach: float
) -> tuple[Float, Float]:
    """Return the shifts s that solve s(p) = -reach * angle(p + s), by iteration."""
    shift_x, shift_y = np.zeros_like(x), np.zeros_like(y)
    for _ in range(_STEPS):
        angle_x, angle_y = angles(x + shift_x, y + shift_y)
        change = max(
            np.abs(reach * angle_x + shift_x).max(), np.abs(reach * angle_y + shift_y).max()
        )
        shift_x, shift_y = -reach * angle_x, -reach * angle_y
        if change < _AT_REST:
            return shift_x, shift_y
    raise ValueError(
        "rays is True, but rays cross before the detector; a shorter distance or a weaker object is needed."
    )
