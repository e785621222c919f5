"""Where maps of scores peak, to a fraction of a px, for any number of maps at once; it makes no maps itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.arrays.converted import as_array, check_real
from shiftfield.peaks.fits import Flags, Float, Integers, refine
from shiftfield.settings import PEAK_METHODS, check_choice, check_integer, check_switch, peak_size
from shiftfield.sources import is_address, open_images


def locate_peak(
    mat: Any,
    sub_pixel: bool = True,
    method: str = "diff",
    dim: int = 2,
    size: int = 3,
    max_peak: bool = True,
) -> tuple[float, float]:
    """Locate the peak of one map; px, (x, y) = (column, row) from the map's first pixel.

    Parameters
    ----------
    mat : array_like, shape (ny, nx)
        Map of scores, or its address; computed in float64. NaNs are ignored.
    sub_pixel : bool
        Whether to refine the whole-pixel peak.
    method : {"diff", "poly_fit"}
        Finite differences over 3x3 scores (Fisher & Welsch, arXiv:0712.4289), or a least-squares
        paraboloid (Pan et al., Meas. Sci. Technol. 17, 1615, 2006).
    dim : {2, 1}
        Fit both axes together, or the row and the column through the peak separately.
    size : int
        Side of the fitted neighbourhood for "poly_fit", px: made odd and 3 to 9; 3 for "diff".
    max_peak : bool
        Look for the highest score, or for the lowest (the highest of max(mat) - mat).

    Returns
    -------
    tuple of float
        (x, y) of the first peak in C order; (nan, nan) for a constant or all-NaN map. A peak on a
        border row is refined along the row only, on a border column along the column only, in a
        corner not at all; neither is a peak whose neighbourhood of `size` does not fit into the map.

    Raises
    ------
    ValueError
        When the map is not 2-D or empty, or another argument is not one of those above.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import locate_peak
    >>> y, x = np.mgrid[:9, :9]
    >>> x_peak, y_peak = locate_peak(-((x - 4.3) ** 2) - (y - 3.8) ** 2)
    >>> round(x_peak, 2), round(y_peak, 2)
    (4.3, 3.8)
    """
    scores = as_array(open_images(mat)[:] if is_address(mat) else mat, "The map")
    check_real(scores, "The map")
    if scores.ndim != 2 or scores.size == 0:
        raise ValueError(f"The map has shape {scores.shape}; it must be 2-D and not empty.")
    size = check_peak(method, dim, size, sub_pixel)
    check_switch("max_peak", max_peak, or_number=True)
    with np.errstate(over="ignore"):  # of longer floats
        scores = scores.astype(np.float64)
    if not max_peak:
        finite = np.isfinite(scores)
        scores = np.max(scores, where=finite, initial=0 if not finite.any() else -np.inf) - scores
    x, y = locate_peaks(scores[None], method=method, dim=dim, size=size, sub_pixel=sub_pixel)
    return float(x[0]), float(y[0])


def check_peak(method: str, dim: int, size: int, sub_pixel: bool = True) -> int:
    """Return the side of the neighbourhood, or raise a ValueError that says what is allowed."""
    check_switch("sub_pixel", sub_pixel, or_number=True)
    check_choice("method", method, PEAK_METHODS)
    check_choice("dim", dim, (1, 2))
    return peak_size(method, check_integer("size", size, None))


def locate_peaks(
    maps: Float,
    *,
    method: str,
    dim: int,
    size: int,
    sub_pixel: bool = True,
    compete: Flags | None = None,
) -> tuple[Float, Float]:
    """Locate the maximum of each of N maps `(N, ny, nx)`; px, (x, y), two arrays of shape (N,).

    Of the scores that `compete`, where that is given; those around it are used in the fit whether they do or not.
    """
    count, ny, nx = maps.shape
    flat = (maps if compete is None else np.where(compete, maps, np.nan)).reshape(count, -1)
    ranked = np.where(np.isnan(flat), -np.inf, flat)
    first = ranked.argmax(axis=1)
    rows, columns = np.divmod(first, nx)
    known = np.where(np.isnan(flat), np.inf, flat).min(axis=1)
    answered = ranked.max(axis=1) > known
    y, x = rows.astype(np.float64), columns.astype(np.float64)
    inner_x, inner_y = refinable(rows, columns, (ny, nx), size)
    if sub_pixel and (inner_x | inner_y).any():
        tall, wide = min(size, ny), min(size, nx)
        top, left = first_of_window(rows, ny, tall), first_of_window(columns, nx, wide)
        around = (
            np.arange(count),
            top + np.arange(tall)[:, None, None],
            left + np.arange(wide)[:, None],
        )
        scores = maps[around]
        fit = scores, columns - left, rows - top
        if dim == 2:
            dx, dy = refine(*fit, inner_x, inner_y, method)
        else:
            nowhere = np.zeros(count, dtype=bool)
            dx, _ = refine(*fit, inner_x, nowhere, method)
            _, dy = refine(*fit, nowhere, inner_y, method)
        x, y = x + dx, y + dy
    x[~answered] = np.nan
    y[~answered] = np.nan
    return x, y


def refinable(
    rows: Integers, columns: Integers, shape: tuple[int, int], size: int
) -> tuple[Flags, Flags]:
    """Return along which axes (x, y) peaks of maps of a shape are refined: those with room for the fit."""
    ny, nx = shape
    inner_x, inner_y = (columns > 0) & (columns < nx - 1), (rows > 0) & (rows < ny - 1)
    roomy = ~(inner_x & inner_y) | (min(ny, nx) >= size)
    return inner_x & roomy & (nx >= size), inner_y & roomy & (ny >= size)


def first_of_window(peak: Integers, length: int, size: int) -> Integers:
    """Return where a window of `size` around `peak` begins when it is moved to stay inside."""
    return np.clip(peak - size // 2, 0, length - size)
