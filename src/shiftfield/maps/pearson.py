"""Pearson coefficients of templates with every place of larger images, by FFT, in float64.

Written for NumPy's arrays and for CuPy's, which answer NumPy's functions; dense fields are the engine's business.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from shiftfield.arrays.converted import power_for
from shiftfield.arrays.on_device import to_host

Float = NDArray[np.float64]
_BLOCK = 32  # rows
_PROBES = 256  # pixels of an image that its level is taken from
# px; tiles of the reference for a small and a larger template
_SMALL, _SMALL_TILE, _TILE = 16, 256, 768
_TEXTURE = 1e-7  # a variance below this share of the whole image's is looked at pixel by pixel
RANGE = 1e6  # among pixels that are transformed together: small ones drown in the rounding of large ones
_PARTS = 3  # of pixels beyond the usual ones; of more, no size is usual


class Library(NamedTuple):
    """The transforms and filters that maps are made with: SciPy's, or CuPy's for arrays on a GPU."""

    fft: Any
    ndimage: Any


SCIPY = Library(fft, ndimage)


def pearson_maps(reference: Float, sample: Float, library: Library = SCIPY) -> Float:
    """Return N Pearson maps `(N, ny, nx)` of templates `(N, K, h, w)` in references `(N, K, H, W)`.

    0 where a template or a reference window is constant, NaN where one holds a NaN or inf. The
    circular correlation of the reference's own size is exact for every place inside it. A reference much
    larger than the template is cut into tiles that stay in the cache: 1.2 to 1.6 times as fast.
    """
    window = sample.shape[2:]
    places = [n - m + 1 for n, m in zip(reference.shape[2:], window, strict=True)]
    side = _SMALL_TILE if max(window) <= _SMALL else _TILE
    if max(places) <= side or 4 * max(window) > side:
        return _pearson_maps(reference, sample, library)
    maps = np.empty((reference.shape[0], *places), like=reference)
    ty, tx = (side - m + 1 for m in window)
    for y in range(0, places[0], ty):
        for x in range(0, places[1], tx):
            around = reference[:, :, y : y + side, x : x + side]
            maps[:, y : y + ty, x : x + tx] = _pearson_maps(around, sample, library)
    return maps


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def _pearson_maps(reference: Float, sample: Float, library: Library) -> Float:
    """Return the maps of `pearson_maps` in one piece."""
    window = sample.shape[2:]
    ny, nx = (n - m + 1 for n, m in zip(reference.shape[2:], window, strict=True))
    ref, spoilt_ref = _centre(reference)
    sam, spoilt_sam = _centre(sample)
    (ref, usual), (sam, _) = in_range(ref), in_range(sam)
    n = sample[0].size
    deviation = sam - sam.mean(axis=(1, 2, 3), keepdims=True)
    square = np.einsum("nkij,nkij->n", deviation, deviation)
    sums, squares = window_sums(ref, window)
    sums *= sums
    sums /= n
    squares -= sums
    spread = np.maximum(squares, 0.0, out=squares)
    typical = spread.max(axis=(1, 2), keepdims=True)
    parts = by_size(ref, usual)
    cross = _cross(parts.pop(0)[0], deviation, ny, nx, library.fft)
    if parts:
        typical = np.minimum(typical, n * (RANGE * usual) ** 2)
    for _, (part, where) in sorted(parts.items()):
        cross += np.where(touched(where, window), _cross(part, deviation, ny, nx, library.fft), 0.0)
    cross /= np.sqrt(spread) * np.sqrt(square)[:, None, None]
    maps: Float = np.clip(cross, -1, 1)
    flat = constant_windows(reference, window, (spread, sums, typical), library.ndimage)
    flat_template = (sample.max(axis=(1, 2, 3)) == sample.min(axis=(1, 2, 3))) | ~(square > 0)
    maps[flat | flat_template[:, None, None]] = 0.0
    maps[~np.isfinite(spread * square[:, None, None])] = np.nan  # squares beyond float64
    if spoilt_ref is not None:
        maps[touched(spoilt_ref, window)] = np.nan
    if spoilt_sam is not None:
        maps[spoilt_sam.any(axis=(1, 2, 3))] = np.nan
    return maps


def _cross(reference: Float, template: Float, ny: int, nx: int, fft: Any) -> Float:
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


def in_range(images: Float) -> tuple[Float, float]:
    """Return images, times a power of 2 where their squares would leave float64, and the usual size of pixels."""
    usual = usual_size(images)
    power = power_for(usual)
    return (np.ldexp(images, power), float(np.ldexp(usual, power))) if power else (images, usual)


def usual_size(images: Float) -> float:
    """Return the median size of the pixels that are not 0, of some; 0 when all pixels are."""
    flat = images.reshape(-1)
    size = np.abs(flat[:: max(1, flat.size // _PROBES)])
    some = size[size > 0]
    if not some.size:
        return float(np.abs(images).max())
    return float(np.partition(some, some.size // 2)[some.size // 2])


def by_size(images: Float, usual: float) -> dict[int, tuple[Float, Any]]:
    """Return the parts of images that add up to them: 0, the usual pixels; 1, 2, ..., those ever further beyond.

    With each part comes where its pixels are; None for all images. Pixels of all sizes, such as the tails of a
    smooth bump, are not parted: nobody can tell the texture of the small ones from their slope.
    """
    usual = usual or float(np.abs(images).max())
    if not max(float(images.max()), -float(images.min())) > RANGE * usual:
        return {0: (images, None)}
    level = np.zeros(images.shape, np.int8)
    beyond = np.abs(images) > RANGE * usual
    level[beyond] = np.log(np.abs(images[beyond]) / usual) / np.log(RANGE)
    numbers = [int(n) for n in np.unique(to_host(level[beyond]))]
    if len(numbers) > _PARTS:
        return {0: (images, None)}
    parts = {n: (np.where(level == n, images, 0.0), level == n) for n in numbers}
    return {0: (np.where(beyond, 0.0, images), None)} | parts


def touched(where: Any, window: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which windows `(N, ny, nx)` hold a pixel that is marked in `(N, K, H, W)`."""
    marked: NDArray[np.bool_] = window_sums(where.astype(np.float64), window)[0] > 0.5
    return marked


def level_of(image: Float) -> float:
    """Return a level near most pixels of an image: the median of some that are finite, 0 when none is."""
    probe = image.reshape(-1)[:: max(1, image.size // _PROBES)]
    probe = probe[np.isfinite(probe)]
    return float(np.median(probe)) if probe.size else 0.0


def window_sums(images: Float, window: tuple[int, ...]) -> tuple[Float, Float]:
    """Return sums and sums of squares over frames and every window `(N, ny, nx)` of `(N, K, H, W)`.

    In blocks of rows that stay in the cache. Nothing is subtracted, so a bright window leaves no
    rounding in dark ones (a summed-area table does).
    """
    count, _, height, width = images.shape
    tall, wide = window
    rows = max(_BLOCK, tall)
    places = height - tall + 1, width - wide + 1
    sums, squares = (np.empty((count, *places), like=images) for _ in range(2))
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


def constant_windows(
    images: Float, window: tuple[int, ...], sums: tuple[Float, Float, Float], ndimage: Any
) -> NDArray[np.bool_]:
    """Return where all pixels of a window are equal, or vary by no more than the sums' own rounding.

    Looked at exactly only where the spread is tiny. `sums` are spread and level, which add up to the sums of
    squares, and the greatest spread of usual pixels `(N, 1, 1)`.
    """
    spread, level, typical = sums
    flat: NDArray[np.bool_] = ~(spread > _TEXTURE * typical)
    for n in np.flatnonzero(to_host(flat.any(axis=(1, 2)))):
        highest, lowest = images[n].max(axis=0), images[n].min(axis=0)
        for axis, size in enumerate(window):
            highest = ndimage.maximum_filter1d(highest, size, axis=axis)
            lowest = ndimage.minimum_filter1d(lowest, size, axis=axis)
        inner = tuple(
            slice(size // 2, size // 2 + places)
            for size, places in zip(window, flat.shape[1:], strict=True)
        )
        of_the_sums = spread[n] <= 1e-13 * level[n]
        of_the_fft = spread[n] <= 1e-24 * typical[n]
        flat[n] &= (highest[inner] == lowest[inner]) | of_the_sums | of_the_fft
    return flat
