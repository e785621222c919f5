"""The correlation map of a template in a larger image, and the one shift that its peak tells.

The coefficients are made in `pearson`, on the device that is asked for; peaks are found by `peaks.locate`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.on_device import to_host
from shiftfield.inputs.arguments import check_block, device_of
from shiftfield.inputs.frames import Frames, in_one_place
from shiftfield.maps.maker import MapMaker
from shiftfield.peaks.locate import check_peak, locate_peak
from shiftfield.settings import check_choice, check_integer

_LEAST = 16  # pixels of a template that is cropped, all frames; with fewer nearly any place agrees


def generate_correlation_map(
    ref_mat: Any, mat: Any, gpu: bool | str = False, block: tuple[int, int] = (16, 16)
) -> NDArray[np.float32]:
    """Correlate a template with every place of a larger reference.

    Parameters
    ----------
    ref_mat : array_like, shape (H0, W0) or (K, H0, W0)
        Reference.
    mat : array_like, shape (H1, W1) or (K, H1, W1)
        Template, no larger than the reference. With K frames there is one mean over the whole
        (K, H1, W1) block and one correlation over all its pixels.
    gpu : bool or "hybrid"
        Where to compute; without a usable GPU a UserWarning says why, and the CPU is used.
    block : tuple of two positive ints
        Without effect, for maps are made by FFT.

    Returns
    -------
    ndarray of float32, shape (H0 - H1 + 1, W0 - W1 + 1); CuPy's for CuPy arrays, which stay on their device
        Element (u, v) is the Pearson coefficient of `mat` with `ref_mat[..., u:u+H1, v:v+W1]`;
        0 where either has no variance, NaN where either holds a NaN or inf.

    Raises
    ------
    ValueError
        When shapes do not fit, or an argument is not one of those above.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import generate_correlation_map
    >>> from shiftfield.synthetic import speckle
    >>> image = speckle((40, 50))
    >>> scores = generate_correlation_map(image, image[10:30, 15:40])
    >>> scores.shape, tuple(int(n) for n in np.unravel_index(scores.argmax(), scores.shape))
    ((21, 26), (10, 15))
    """
    check_block(block)
    device_of(gpu)
    ref, sam = _check(ref_mat, mat)
    scores: NDArray[np.float32] = (
        MapMaker(gpu, ref.data).map(ref, sam, _all(sam)).astype(np.float32, copy=False)
    )
    return scores


def find_shift_based_correlation_map(
    ref_mat: Any,
    mat: Any,
    margin: int = 10,
    axis: int | None = None,
    sub_pixel: bool = True,
    method: str = "diff",
    dim: int = 2,
    size: int = 3,
    gpu: bool | str = False,
    block: tuple[int, int] = (16, 16),
) -> tuple[float, float]:
    """Find one shift from a correlation map; px, (x, y), match in the reference minus place in the sample.

    Parameters
    ----------
    ref_mat, mat : array_like, shape (H, W) or (K, H, W)
        Reference and sample. When they have one shape, the sample is cropped by `margin`; else the
        reference must be larger by at least twice the margin along each searched axis.
    margin : int
        Largest shift that is tried, px.
    axis : {None, 0, 1}
        Crop and search rows only (0), columns only (1), or both (None).
    sub_pixel, method, dim, size
        As in `locate_peak`; `dim` is 1 when `axis` is given.
    gpu, block
        As in `generate_correlation_map`.

    Returns
    -------
    tuple of float
        (x_shift, y_shift); the shift across `axis` is 0.0. (nan, nan), with a UserWarning, when an
        image has no variance or holds a NaN or inf.

    Raises
    ------
    ValueError
        When shapes and margin do not fit, or an argument is not one of those above.

    Examples
    --------
    >>> from shiftfield import find_shift_based_correlation_map
    >>> from shiftfield.synthetic import speckle
    >>> x, y = find_shift_based_correlation_map(speckle((60, 70)), speckle((60, 70), shift=(3, -2)), 5)
    >>> round(x), round(y)
    (3, -2)
    """
    check_block(block)
    device_of(gpu)
    margin = check_integer("margin", margin, 1, "px")
    axis = check_choice("axis", axis, (None, 0, 1), {0: "0 (rows)", 1: "1 (columns)"})
    check_peak(method, dim, size, sub_pixel)
    ref, sam = _check(ref_mat, mat)
    inside = _crop(ref, sam, margin, axis)
    scores = to_host(MapMaker(gpu, ref.data).map(ref, sam, inside))
    x, y = np.nan, np.nan
    if np.isfinite(scores).all():
        x, y = locate_peak(scores, sub_pixel, method, dim if axis is None else 1, size)
    if np.isnan(x):
        warnings.warn(
            "The shift is unknown (NaN): an image has no variance, or holds a NaN or inf.",
            stacklevel=2,
        )
        return np.nan, np.nan
    x, y = x - scores.shape[1] // 2, y - scores.shape[0] // 2
    return (0.0 if axis == 0 else x), (0.0 if axis == 1 else y)


def _check(ref_mat: Any, mat: Any) -> tuple[Frames, Frames]:
    ref, sam = Frames(ref_mat, "The reference"), Frames(mat, "The sample")
    if ref.ndim != sam.ndim or ref.shape[0] != sam.shape[0]:
        raise ValueError(
            f"The reference has shape {ref.shape[-ref.ndim :]} and the sample {sam.shape[-sam.ndim :]}; "
            "both must be 2-D, or 3-D with the same number of frames."
        )
    in_one_place(ref.device, sam.device)
    if sam.shape[1] > ref.shape[1] or sam.shape[2] > ref.shape[2]:
        raise ValueError(
            f"The sample is {sam.shape[1]} x {sam.shape[2]} px and the reference {ref.shape[1]} x "
            f"{ref.shape[2]} px; the sample must not be larger in any axis."
        )
    return ref, sam


def _all(sam: Frames) -> tuple[slice, slice]:
    return slice(0, sam.shape[1]), slice(0, sam.shape[2])


def _crop(ref: Frames, sam: Frames, margin: int, axis: int | None) -> tuple[slice, slice]:
    """Return the part of a sample of the reference's shape within the margin; else check that the margin fits."""
    margins = (0 if axis == 1 else margin), (0 if axis == 0 else margin)
    if ref.shape == sam.shape:
        left = [max(n - 2 * m, 0) for n, m in zip(sam.size, margins, strict=True)]
        if sam.shape[0] * left[0] * left[1] < _LEAST:
            raise ValueError(
                f"The images are {sam.shape[1]} x {sam.shape[2]} px; cropped by a margin of {margin} px along "
                f"each searched axis, {left[0]} x {left[1]} px of {sam.shape[0]} frame(s) are left, and a "
                f"template needs at least {_LEAST} pixels."
            )
        return slice(margins[0], sam.shape[1] - margins[0]), slice(
            margins[1], sam.shape[2] - margins[1]
        )
    room = ref.shape[1] - sam.shape[1], ref.shape[2] - sam.shape[2]
    if room[0] < 2 * margins[0] or room[1] < 2 * margins[1]:
        raise ValueError(
            f"The reference is {room[0]} x {room[1]} px larger than the sample; with margin {margin} px and "
            f"axis {axis} it must be at least {2 * margins[0]} x {2 * margins[1]} px larger, or of one shape."
        )
    return _all(sam)
