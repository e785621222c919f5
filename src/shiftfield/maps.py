"""Correlation maps of one template, or of many, in a larger image: Pearson coefficients by FFT.

Float64, NumPy and SciPy only; dense fields are the engine's business, peaks that of `peaks`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from shiftfield.arguments import check_block, device_of, warn_no_gpu
from shiftfield.frames import whole
from shiftfield.peaks import check_peak, locate_peak
from shiftfield.settings import check_integer

Float = NDArray[np.float64]
_BLOCK = 32  # rows
_PROBES = 256  # pixels of an image that its level is taken from
_SMALL, _SMALL_TILE, _TILE = (
    16,
    256,
    768,
)  # px; tiles of the reference for a small and a larger template
_TEXTURE = 1e-7  # a variance below this share of the whole image's is looked at pixel by pixel


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
        CUDA threads in a block; without effect on the CPU.

    Returns
    -------
    ndarray of float32, shape (H0 - H1 + 1, W0 - W1 + 1)
        Element (u, v) is the Pearson coefficient of `mat` with `ref_mat[..., u:u+H1, v:v+W1]`;
        0 where either has no variance, NaN where either holds a NaN or inf.

    Raises
    ------
    ValueError
        When shapes do not fit, or an argument is not one of those above.
    """
    check_block(block)
    device_of(gpu)
    ref, sam = _check(ref_mat, mat)
    warn_no_gpu(gpu)
    scores: NDArray[np.float32] = pearson_maps(ref[None], sam[None])[0].astype(np.float32)
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
    """
    check_block(block)
    device_of(gpu)
    margin = check_integer("margin", margin, 1, "px")
    if axis not in (None, 0, 1) or isinstance(axis, bool):
        raise ValueError(f"axis is {axis!r}; allowed are None, 0 (rows) and 1 (columns).")
    check_peak(method, dim, size)
    ref, sam = _check(ref_mat, mat)
    sam = _crop(ref, sam, margin, axis)
    warn_no_gpu(gpu)
    scores = pearson_maps(ref[None], sam[None])[0]
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


def _check(ref_mat: Any, mat: Any) -> tuple[Float, Float]:
    ref, ref_ndim = whole(ref_mat, "The reference")
    sam, sam_ndim = whole(mat, "The sample")
    if ref_ndim != sam_ndim or ref.shape[0] != sam.shape[0]:
        raise ValueError(
            f"The reference has shape {np.shape(ref_mat)} and the sample {np.shape(mat)}; both must be "
            "2-D, or 3-D with the same number of frames."
        )
    if sam.shape[1] > ref.shape[1] or sam.shape[2] > ref.shape[2]:
        raise ValueError(
            f"The sample is {sam.shape[1]} x {sam.shape[2]} px and the reference {ref.shape[1]} x "
            f"{ref.shape[2]} px; the sample must not be larger in any axis."
        )
    return ref, sam


def _crop(ref: Float, sam: Float, margin: int, axis: int | None) -> Float:
    """Crop a sample of the reference's shape by the margin; else check that the margin fits."""
    margins = (0 if axis == 1 else margin), (0 if axis == 0 else margin)
    if ref.shape == sam.shape:
        if any(n <= 2 * m for n, m in zip(sam.shape[1:], margins, strict=True)):
            raise ValueError(
                f"The images are {sam.shape[1]} x {sam.shape[2]} px; cropping by a margin of {margin} px "
                "needs more than twice that along each searched axis."
            )
        return sam[
            :, margins[0] : sam.shape[1] - margins[0], margins[1] : sam.shape[2] - margins[1]
        ]
    room = ref.shape[1] - sam.shape[1], ref.shape[2] - sam.shape[2]
    if room[0] < 2 * margins[0] or room[1] < 2 * margins[1]:
        raise ValueError(
            f"The reference is {room[0]} x {room[1]} px larger than the sample; with margin {margin} px and "
            f"axis {axis} it must be at least {2 * margins[0]} x {2 * margins[1]} px larger, or of one shape."
        )
    return sam


def pearson_maps(reference: Float, sample: Float) -> Float:
    """Return N Pearson maps `(N, ny, nx)` of templates `(N, K, h, w)` in references `(N, K, H, W)`.

    0 where a template or a reference window is constant, NaN where one holds a NaN or inf. The
    circular correlation of the reference's own size is exact for every place inside it. A reference much
    larger than the template is cut into tiles that stay in the cache: 1.2 to 1.6 times as fast.
    """
    window = sample.shape[2:]
    places = [n - m + 1 for n, m in zip(reference.shape[2:], window, strict=True)]
    side = _SMALL_TILE if max(window) <= _SMALL else _TILE
    if max(places) <= side or 4 * max(window) > side:
        return _pearson_maps(reference, sample)
    maps = np.empty((reference.shape[0], *places))
    ty, tx = (side - m + 1 for m in window)
    for y in range(0, places[0], ty):
        for x in range(0, places[1], tx):
            around = reference[:, :, y : y + side, x : x + side]
            maps[:, y : y + ty, x : x + tx] = _pearson_maps(around, sample)
    return maps


def _pearson_maps(reference: Float, sample: Float) -> Float:
    """Return the maps of `pearson_maps` in one piece."""
    window = sample.shape[2:]
    ny, nx = (n - m + 1 for n, m in zip(reference.shape[2:], window, strict=True))
    ref, spoilt_ref = _centre(reference)
    sam, spoilt_sam = _centre(sample)
    n = sample[0].size
    deviation = sam - sam.mean(axis=(1, 2, 3), keepdims=True)
    square = np.einsum("nkij,nkij->n", deviation, deviation)
    sums, squares = _window_sums(ref, window)
    sums *= sums
    sums /= n
    squares -= sums
    spread = np.maximum(squares, 0.0, out=squares)
    cross = _cross(ref, deviation, ny, nx)
    with np.errstate(divide="ignore", invalid="ignore"):
        cross /= np.sqrt(spread * square[:, None, None])
    maps: Float = np.clip(cross, -1, 1)
    flat = _constant_windows(reference, window, spread, sums)
    flat_template = (sample.max(axis=(1, 2, 3)) == sample.min(axis=(1, 2, 3))) | ~(square > 0)
    maps[flat | flat_template[:, None, None]] = 0.0
    if spoilt_ref is not None:
        maps[_window_sums(spoilt_ref.astype(np.float64), window)[0] > 0.5] = np.nan
    if spoilt_sam is not None:
        maps[spoilt_sam.any(axis=(1, 2, 3))] = np.nan
    return maps


def _cross(reference: Float, template: Float, ny: int, nx: int) -> Float:
    """Return sums over frames of reference times template `(N, ny, nx)`, by FFT.

    Rows that are known to be zero, or that nobody asked for, are not transformed: half the time for a
    template that is small, or nearly as large as the reference.
    """
    tall, wide = (fft.next_fast_len(size, real=True) for size in reference.shape[2:])
    spectra = fft.fft(fft.rfft(template, wide), tall, axis=2, overwrite_x=True)
    np.conj(spectra, out=spectra)
    spectra *= fft.rfft2(reference, (tall, wide))
    summed = spectra[:, 0] if spectra.shape[1] == 1 else spectra.sum(axis=1)
    rows = fft.ifft(summed, axis=1, overwrite_x=True)[:, :ny]
    cross: Float = fft.irfft(rows, wide, overwrite_x=True)[:, :, :nx]
    return cross


def _centre(images: Float) -> tuple[Float, NDArray[np.bool_] | None]:
    """Return images less a level near most pixels, with 0 for what is not finite, and where that is.

    The level is the median of some pixels: a mean would follow one hot pixel, away from all others.
    """
    spoilt = ~np.isfinite(images)
    flat = images.reshape(images.shape[0], -1)
    probe = flat[:, :: max(1, flat.shape[1] // _PROBES)]
    if not spoilt.any():
        middle = probe.shape[1] // 2
        return images - np.partition(probe, middle)[:, middle, None, None, None], None
    probe = np.where(np.isfinite(probe), probe, np.nan)
    probe[np.isnan(probe).all(axis=1)] = 0.0
    level = np.nanmedian(probe, axis=1)[:, None, None, None]
    return np.where(spoilt, 0.0, images - level), spoilt


def _window_sums(images: Float, window: tuple[int, ...]) -> tuple[Float, Float]:
    """Return sums and sums of squares over frames and every window `(N, ny, nx)` of `(N, K, H, W)`.

    In blocks of rows that stay in the cache. Nothing is subtracted, so a bright window leaves no
    rounding in dark ones (a summed-area table does).
    """
    count, _, height, width = images.shape
    tall, wide = window
    rows = max(_BLOCK, tall)
    places = height - tall + 1, width - wide + 1
    sums, squares = np.empty((count, *places)), np.empty((count, *places))
    for top in range(0, places[0], rows):
        block = images[:, :, top : top + rows + tall - 1]
        for out, part in ((sums, block), (squares, block * block)):
            flat = part[:, 0] if part.shape[1] == 1 else part.sum(axis=1)
            out[:, top : top + rows] = _neighbours(_neighbours(flat, tall, 1), wide, 2)
    return sums, squares


def _neighbours(images: Float, size: int, axis: int) -> Float:
    """Return sums of `size` neighbours along an axis, from sums of 1, 2, 4, ... of them."""

    def cut(start: int, stop: int) -> Float:
        return images[:, start:stop] if axis == 1 else images[:, :, start:stop]

    places, length = images.shape[axis] - size + 1, images.shape[axis]
    done, step = 0, 1
    total: Float | None = None
    while True:
        if size & step:
            part = cut(done, done + places)
            total = part.copy() if total is None else np.add(total, part, out=total)
            done += step
        if 2 * step > size and total is not None:
            return total
        length -= step
        images = cut(0, length) + cut(step, step + length)
        step *= 2


def _constant_windows(
    images: Float, window: tuple[int, ...], spread: Float, level: Float
) -> NDArray[np.bool_]:
    """Return where all pixels of a window are equal, or vary by no more than the sums' own rounding.

    Looked at exactly only where the spread is tiny. `spread` and `level` add up to the sums of squares.
    """
    typical = spread.max(axis=(1, 2), keepdims=True)
    flat: NDArray[np.bool_] = ~(spread > _TEXTURE * typical)
    for n in np.flatnonzero(flat.any(axis=(1, 2))):
        highest, lowest = images[n].max(axis=0), images[n].min(axis=0)
        for axis, size in enumerate(window):
            highest = maximum_filter1d(highest, size, axis=axis)
            lowest = minimum_filter1d(lowest, size, axis=axis)
        inner = tuple(
            slice(size // 2, size // 2 + places)
            for size, places in zip(window, flat.shape[1:], strict=True)
        )
        of_the_sums = spread[n] <= 1e-13 * level[n]
        of_the_fft = spread[n] <= 1e-24 * typical[n]
        flat[n] &= (highest[inner] == lowest[inner]) | of_the_sums | of_the_fft
    return flat
