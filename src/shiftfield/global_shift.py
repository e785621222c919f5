"""One shift for a whole image from local shifts at a few points.

The points, their shifts and the combination are three functions, so that a viewer can show each.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shiftfield.arrays.converted import as_array
from shiftfield.arrays.on_device import to_host
from shiftfield.inputs.arguments import check_block_size, check_cores, device_of
from shiftfield.inputs.frames import pair, whole
from shiftfield.inputs.normalisation import normalize_image
from shiftfield.maps.maker import MapMaker
from shiftfield.peaks.locate import check_peak, locate_peaks
from shiftfield.settings import (
    GLOBAL_VALUES,
    GlobalSettings,
    check_choice,
    check_integer,
    check_switch,
    odd,
)
from shiftfield.stream.bands import Watch
from shiftfield.stream.plan import check_size

Float = NDArray[np.float64]
Index = NDArray[np.intp]
_DEFAULT = GlobalSettings()
_FAR = 2**31  # px; no image reaches that far
_MOST = 1_000_000  # points, or as many as the image has pixels
_BATCH = 4_000_000  # pixels of patches that are held at once


def find_global_shift_based_local_shifts(
    ref_mat: Any,
    mat: Any,
    win_size: int,
    margin: int,
    list_ij: Any = None,
    num_point: int | None = None,
    global_value: str = "mixed",
    gpu: bool | str = False,
    block: int = 32,
    sub_pixel: bool = True,
    method: str = "diff",
    size: int = 3,
    ncore: int | None = None,
    norm: bool = False,
    return_list: bool = False,
    *,
    rng: int | np.random.Generator | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Any = None,
) -> tuple[float, float] | tuple[Float, Float]:
    """Find one shift of an image from local shifts at points; px, (x, y), sample to reference.

    Parameters
    ----------
    ref_mat, mat : array_like, shape (H, W)
        Reference and sample.
    win_size : int
        Side of the window around each point, px; made odd.
    margin : int
        Largest shift tried in each direction, px.
    list_ij : sequence, optional
        Points as [i, j] (row, column) or [list_i, list_j]; None draws `num_point` random ones.
    num_point : int, optional
        Number of random points, no more than the image has pixels; 30 when None.
    global_value : {"mixed", "median", "mean"}
        How the shifts are combined; see `combine`.
    gpu : bool or "hybrid"
        Where to compute; without a usable GPU a UserWarning says why, and the CPU is used.
    block : int or pair of int
        Positive; without effect, for maps are made by FFT.
    sub_pixel, method, size
        Sub-pixel fit; see `locate_peak`.
    ncore : int or None
        At least 1; without effect, for maps are made on one thread.
    norm : bool
        Apply `normalize_image` to both images first.
    return_list : bool
        Return the shifts of the points instead of one value.
    rng : int or numpy.random.Generator, optional
        Seed of the random points; None is a fixed seed, so that a run repeats.
    progress, cancel
        As in `find_shift_field`; progress counts points.

    Returns
    -------
    tuple
        (x_shift, y_shift), px, as floats; with `return_list` two float64 arrays in the order of the points
        that lie inside, NaN for a point without an answer.

    Raises
    ------
    ValueError
        When shapes do not fit, no point lies inside or has an answer, or an argument is not one of
        those above.

    Warns
    -----
    UserWarning
        How many of the given points lie outside and are left out, and how many have no answer; that
        `method` is the name of a global value (one of algotom's own scripts has that).

    Examples
    --------
    >>> from shiftfield import find_global_shift_based_local_shifts
    >>> from shiftfield.synthetic import speckle
    >>> x, y = find_global_shift_based_local_shifts(
    ...     speckle((90, 90)), speckle((90, 90), shift=(3, -2)), 21, 6
    ... )
    >>> round(x), round(y)
    (3, -2)
    """
    check_block_size(block)
    device_of(gpu)
    win_size = odd(check_integer("win_size", win_size, 1, "px"))
    margin = check_integer("margin", margin, 1, "px")
    norm, return_list = (
        check_switch("norm", norm, or_number=True),
        check_switch("return_list", return_list, or_number=True),
    )
    if str(method) in GLOBAL_VALUES:  # as in a script of algotom's own, where it meant nothing
        warnings.warn(
            f"method is {method!r}, which is a global_value; the peak fit 'diff' is used.",
            UserWarning,
            stacklevel=2,
        )
        method = "diff"
    size = check_peak(method, 2, size, sub_pixel)
    check_choice("global_value", global_value, GLOBAL_VALUES)
    check_cores(ncore)
    frames = pair(ref_mat, mat)
    if frames[0].ndim != 2:
        raise ValueError(
            f"The reference has shape {tuple(frames[0].data.shape)}; it must be 2-D (rows, columns)."
        )
    shape = frames[0].size
    check_size(shape, (win_size, win_size), (margin, margin))
    if list_ij is None:
        points = random_points(shape, win_size, margin, num_point, rng)
    else:
        points = _points_inside(list_ij, shape, win_size // 2 + margin)
    maker = MapMaker(gpu, frames[0].data)
    images = [normalize_image(image) if norm else image for image in (ref_mat, mat)]
    ref, sam = (
        whole(image, name)[0]
        for image, name in zip(images, ("The reference", "The sample"), strict=True)
    )
    peak, watch = (sub_pixel, method, size), Watch(progress, cancel)
    x, y = _shifts_at(maker, ref, sam, points, win_size, margin, peak, watch)
    if norm:  # rows and columns of a normalised image lend texture to a window that has none
        flat = _constant(whole(mat, "The sample")[0], points, win_size // 2)
        x[flat] = y[flat] = np.nan
    unknown = int(np.count_nonzero(np.isnan(x)))
    if unknown == x.size:
        raise ValueError(
            f"None of the {x.size} points has an answer; their windows must have texture and finite pixels."
        )
    if unknown:
        warnings.warn(
            f"{unknown} of {x.size} points have no answer (NaN).", UserWarning, stacklevel=2
        )
    if return_list and maker.resident:
        return np.asarray(x, like=ref), np.asarray(y, like=ref)
    return (x, y) if return_list else (combine(x, global_value), combine(y, global_value))


def random_points(
    shape: tuple[int, int],
    win_size: int,
    margin: int,
    num_point: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> tuple[Index, Index]:
    """Return (rows, columns), px, of random points whose search areas lie inside the image.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the image, px.
    win_size, margin : int
        Side of the window around each point, and the largest shift tried, px.
    num_point : int, optional
        Number of points; 30 when None.
    rng : int or numpy.random.Generator, optional
        Seed; None is a fixed seed, so that the points are the same at every call.

    Returns
    -------
    tuple of ndarray of int, shape (num_point,)

    Raises
    ------
    ValueError
        When `num_point` is below 1 or over a million and more than the image has pixels, or `rng` is no seed.
    """
    count = check_integer("num_point", _DEFAULT.num_point if num_point is None else num_point, 1)
    most = max(shape[0] * shape[1], _MOST)
    if count > most:
        raise ValueError(f"num_point is {num_point}; it must be at most {most}.")
    try:
        generator = np.random.default_rng(0 if rng is None else rng)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"rng is {rng!r}; it must be a seed (a whole number of at least 0), a Generator or None."
        ) from error
    gap = win_size // 2 + margin
    rows, columns = (generator.integers(gap, n - gap, count) for n in shape)
    return rows.astype(np.intp), columns.astype(np.intp)


def combine(shifts: ArrayLike, global_value: str) -> float:
    """Combine the shifts of points along one axis, px, into one; points without an answer (NaN) are left out.

    "median": their median. "mixed": the mean of the middle six, sorted[mid - 3 : mid + 3] with
    mid = n // 2 (of all when there are fewer). "mean": for n > 7 the mean of sorted[2:-2], else of all.

    Parameters
    ----------
    shifts : array_like, shape (n,)
        Shifts along one axis, px.
    global_value : {"mixed", "median", "mean"}
        How they are combined.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When no point has an answer, or `global_value` is not one of those above.
    """
    check_choice("global_value", global_value, GLOBAL_VALUES)
    known = np.sort(np.asarray(shifts, dtype=np.float64))
    known = known[np.isfinite(known)]
    if known.size == 0:
        raise ValueError("No point has an answer; there is nothing to combine.")
    middle = known.size // 2
    if global_value == "mixed":
        return float(known[max(middle - 3, 0) : middle + 3].mean())
    if global_value == "mean":
        return float(known[2:-2].mean() if known.size > 7 else known.mean())
    return float(np.median(known))


def _points_inside(list_ij: Any, shape: tuple[int, int], gap: int) -> tuple[Index, Index]:
    """Return the given points that have room around them; warn of the others."""
    rows, columns = _rows_and_columns(list_ij)
    inside = (rows >= gap) & (rows < shape[0] - gap) & (columns >= gap) & (columns < shape[1] - gap)
    outside = int(np.count_nonzero(~inside))
    allowed = f"rows {gap} to {shape[0] - gap - 1} and columns {gap} to {shape[1] - gap - 1}"
    if outside == inside.size:
        raise ValueError(f"None of the {inside.size} points lies inside; allowed are {allowed}.")
    if outside:
        warnings.warn(
            f"{outside} of {inside.size} points lie outside and are left out; allowed are {allowed}.",
            UserWarning,
            stacklevel=3,
        )
    return rows[inside], columns[inside]


def _rows_and_columns(list_ij: Any) -> tuple[Index, Index]:
    rule = "list_ij must be [i, j] or [list_i, list_j] of whole numbers (rows, columns) of equal length"
    listed = isinstance(list_ij, Sequence) or (isinstance(list_ij, np.ndarray) and list_ij.ndim > 0)
    if not listed or len(list_ij) != 2:
        raise ValueError(f"{rule}; {list_ij!r} was given.")
    rows, columns = (np.atleast_1d(as_array(part, "A part of list_ij")) for part in list_ij)
    for part in (rows, columns):
        if (
            part.ndim != 1
            or part.size == 0
            or part.dtype.kind not in "iuf"
            or not np.all(np.abs(part) < _FAR)
            or np.any(part != np.floor(part))
        ):
            raise ValueError(f"{rule}; {list_ij!r} was given.")
    if rows.size != columns.size:
        raise ValueError(f"{rule}; {rows.size} rows and {columns.size} columns were given.")
    return rows.astype(np.intp), columns.astype(np.intp)


def _constant(sam: Float, points: tuple[Index, Index], radius: int) -> NDArray[np.bool_]:
    """Return at which points all pixels of the window are equal."""
    windows = (
        sam[:, i - radius : i + radius + 1, j - radius : j + radius + 1]
        for i, j in zip(*points, strict=True)
    )
    return np.array([bool(window.max() == window.min()) for window in windows])


def _shifts_at(
    maker: MapMaker,
    ref: Float,
    sam: Float,
    points: tuple[Index, Index],
    win_size: int,
    margin: int,
    peak: tuple[bool, str, int],
    watch: Watch,
) -> tuple[Float, Float]:
    """Return the (x, y) shifts at points, searched in patches, some at a time."""
    sub_pixel, method, size = peak
    radius, edge = win_size // 2, win_size // 2 + margin
    batch = max(1, _BATCH // (2 * edge + 1) ** 2 // 8)
    shifts = np.full((2, points[0].size), np.nan)
    watch = Watch(watch.progress, watch.cancel, 0, points[0].size)
    watch.step(0)
    for start in range(0, points[0].size, batch):
        part = slice(start, start + batch)
        around = list(zip(points[0][part], points[1][part], strict=True))
        patches = np.stack(
            [ref[:, i - edge : i + edge + 1, j - edge : j + edge + 1] for i, j in around]
        )
        windows = np.stack(
            [sam[:, i - radius : i + radius + 1, j - radius : j + radius + 1] for i, j in around]
        )
        maps = to_host(maker.maps(patches, windows, stacklevel=4))
        maps[~np.isfinite(maps).all(axis=(1, 2))] = np.nan
        shifts[:, part] = locate_peaks(maps, method=method, dim=2, size=size, sub_pixel=sub_pixel)
        watch.step(min(start + batch, points[0].size))
    return shifts[0] - margin, shifts[1] - margin
