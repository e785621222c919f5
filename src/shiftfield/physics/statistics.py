"""Transmission and dark field from the statistics of windows, with the reference's window where it matched.

The UMPA methods fit both together with the shift; this is for fields found by Pearson correlation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, maximum_filter, uniform_filter

from shiftfield.field import ShiftField
from shiftfield.inputs.frames import Frames
from shiftfield.physics.given import field_on_host, frames_of, shifts_of
from shiftfield.settings import check_integer, odd

Float = NDArray[np.float64]


def window_statistics(
    reference: Any, sample: Any, field: ShiftField, window: int | None = None
) -> ShiftField:
    """Return the field with transmission and dark field from window means and deviations.

    With mean and std over all pixels of a window in all frames, the sample's window around p and the
    **reference's window around p + shift**,

        T = mean(sample) / mean(reference),
        V = (std(sample) / mean(sample)) / (std(reference) / mean(reference)),

    the ratios of intensity and of visibility (Zdora, J. Imaging 4, 60, 2018). T = 1 is no absorption, V = 1 no
    scattering. Sub-pixel shifts are met by cubic interpolation of the windows' means of R and R^2, which vary
    slowly, and not of the reference itself, which would lose contrast. Noise adds to the deviations: V is a
    little high where there is much of it.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        What the field was found from, with dark signal subtracted; also addresses of files. Read frame by frame.
    field : ShiftField
        Shifts, px, (x, y), match in the reference minus place in the sample; any `step`.
    window : int, optional
        Side of the window, px, made odd; that of the search when None.

    Returns
    -------
    ShiftField
        The same field with `transmission` and `dark_field`; NaN where the shift is unknown, where a window
        reaches beyond an image or holds a NaN, and where mean or deviation of the reference vanishes.

    Raises
    ------
    ValueError
        When shapes or the window do not fit.
    TypeError
        When the field is no ShiftField.
    """
    field = field_on_host(field)
    ref, sam = frames_of(reference, "The reference", field), frames_of(sample, "The sample", field)
    if ref.shape != sam.shape:
        raise ValueError(
            f"The reference has shape {ref.shape} and the sample {sam.shape}; they must be the same."
        )
    side = field.settings.window if window is None else check_integer("window", window, 1, "px")
    side = odd(side)
    if side > min(ref.size):
        raise ValueError(
            f"window is {side} px; it must fit into the images, which are {ref.size[0]} x {ref.size[1]} px."
        )

    x, y, known = shifts_of(field)
    step = field.settings.step
    rows, columns = (step * np.arange(n) for n in known.shape)
    places = np.stack(np.broadcast_arrays(rows[:, None], columns[None, :])).astype(np.float64)
    mean_s, std_s = _moments(sam, side, places)
    mean_r, std_r = _moments(ref, side, places + np.stack([y, x]))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean_s / mean_r
        v = std_s / std_r / t
    t, v = (np.where(known & np.isfinite(one), one, np.nan) for one in (t, v))
    return replace(field, transmission=t.astype(np.float32), dark_field=v.astype(np.float32))


def _moments(frames: Frames, side: int, places: Float) -> tuple[Float, Float]:
    """Return mean and standard deviation of windows around places (row, column); NaN beyond the image."""
    total: Float = np.zeros(frames.size)
    squares: Float = np.zeros(frames.size)
    bad = np.zeros(frames.size, dtype=bool)
    level = None
    for number in range(frames.shape[0]):
        image = frames.frame(number)
        unknown = ~np.isfinite(image)
        bad |= unknown
        if level is None:  # so that deviations that are small beside the mean keep their digits
            level = float(image[~unknown].mean()) if not unknown.all() else 0.0
        image = np.where(unknown, 0.0, image - level)
        total += image
        squares += image**2
    radius = side // 2
    inside = tuple(slice(radius, n - radius) for n in frames.size)
    mean, square = (uniform_filter(one / frames.shape[0], side)[inside] for one in (total, squares))
    at = places - radius
    limits = np.array(mean.shape).reshape(2, 1, 1) - 1
    reached = ((at >= 0) & (at <= limits)).all(axis=0)
    if bad.any():  # a window that holds one, or that is interpolated from one that does
        near = maximum_filter(bad, side + 4)[inside].astype(np.uint8)
        reached &= map_coordinates(near, at, order=0, mode="nearest") == 0
    mean, square = (map_coordinates(one, at, order=3, mode="mirror") for one in (mean, square))
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return np.where(reached, mean + (level or 0.0), np.nan), np.where(reached, deviation, np.nan)
