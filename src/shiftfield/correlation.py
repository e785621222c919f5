"""The dense ones of the seven functions, with algotom's signatures: check, plan, run, return arrays.

The maps live in `maps.correlation_map`, the peak in `peaks.locate`, the global shift in `global_shift`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.dense.one_axis import search_1d
from shiftfield.dense.plans import check_room, search_of
from shiftfield.dense.running import Normalise, as_given
from shiftfield.dense.two_axes import search_2d
from shiftfield.inputs.arguments import check_block, check_chunk, check_cores, device_of
from shiftfield.inputs.frames import Frames, pair
from shiftfield.inputs.normalisation import FlatColumns, FlatImage, FlatRows, Standard
from shiftfield.peaks.locate import check_peak
from shiftfield.settings import WEIGHTS, Settings, check_choice, check_integer, check_switch
from shiftfield.stream.bands import Watch

Image = NDArray[np.float32]


def find_local_shifts(
    ref_mat: Any,
    mat: Any,
    dim: int = 1,
    win_size: int = 7,
    margin: int = 10,
    method: str = "diff",
    size: int = 3,
    gpu: bool | str = False,
    block: tuple[int, int] = (16, 16),
    ncore: int | None = None,
    norm: bool = True,
    norm_global: bool = False,
    chunk_size: int | None = 100,
    *,
    device: str | None = None,
    memory: str | int | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Any = None,
) -> tuple[Image, Image]:
    """Find the shift of every pixel by local correlation; px, (x, y), sample to reference.

    Parameters
    ----------
    ref_mat, mat : array_like, shape (H, W) or (K, H, W)
        Reference and sample; HDF5, Zarr and dask arrays are read band by band.
    dim : {1, 2}
        For stacks: two independent 1-D searches (the default), or one 2-D search. A single pair, or
        K = 1, is always searched in 2-D.
    win_size : int
        Side of the window, px; made odd.
    margin : int
        Largest shift tried in each direction, px.
    method, size
        Sub-pixel fit; see `locate_peak`.
    gpu : bool or "hybrid"
        Where to compute; without a usable GPU a UserWarning says why, and the CPU is used.
    block : tuple of two positive ints
        Their product is the most CUDA threads that a block of the search has, in warps of 32, 32 to 256. It
        changes no result, and nothing on the CPU.
    ncore : int or None
        Threads; None takes all cores the process may use.
    norm : bool
        Flatten the illumination: of the whole images (pair), or of the (K x W) slab of every row and
        the (K x H) slab of every column (1-D search), by the 2-D rule of `normalize_image`.
    norm_global : bool
        Before that, apply the 3-D rule of `normalize_image` to each whole stack (1-D search).
    chunk_size : int or None
        Rows that are held at once, rounded to whole tiles; changes no result. None is all rows. With a GPU the
        GPU's memory decides instead.
    device : {None, "auto", "cpu", "gpu", "hybrid", "reference"}
        As in `find_shift_field`; None does what `gpu` says.
    memory, progress, cancel
        As in `find_shift_field`.

    Returns
    -------
    tuple of ndarray
        (x_shifts, y_shifts), px, float32 (H, W): 0 in the borders (radius + margin px; of a 1-D search
        only along its own axis), NaN where there is no answer. For CuPy arrays CuPy arrays, on their device.

    Raises
    ------
    ValueError
        When shapes do not fit, or an argument is not one of those above.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import find_local_shifts
    >>> from shiftfield.synthetic import speckle
    >>> x, y = find_local_shifts(speckle((60, 70)), speckle((60, 70), shift=(3, -2)), dim=2, margin=5)
    >>> x.shape, round(float(np.median(x[8:-8, 8:-8]))), round(float(np.median(y[8:-8, 8:-8])))
    ((60, 70), 3, -2)
    """
    threads = check_block(block)
    dim = check_choice("dim", dim, (1, 2))
    norm, norm_global = (
        check_switch("norm", norm, or_number=True),
        check_switch("norm_global", norm_global, or_number=True),
    )
    ref, sam = pair(ref_mat, mat)
    single = ref.shape[0] == 1
    settings = _settings(
        win_size,
        margin,
        method,
        size,
        ncore,
        device_of(gpu, device, resident=ref.device is not None),
        search="2d" if single or dim == 2 else "1d",
        memory=memory,
    )
    check_room(ref.size, settings)
    rows = _chunk_rows(chunk_size, ref)
    watch = Watch(progress, cancel)
    if settings.search == "2d":
        flatten: Normalise = FlatImage if single and norm else as_given
        answer = search_2d(
            ref, sam, settings, watch, chunk_rows=rows, normalise=flatten, threads=threads
        )
        edges = search_of(settings, ref.shape[0]).edge
        return _bordered(answer.x, edges), _bordered(answer.y, edges)
    answer = search_1d(
        ref, sam, settings, watch,
        chunk_rows=rows, normalise=_slab_rules(norm, norm_global), threads=threads,
    )  # fmt: skip
    edge = settings.window // 2 + settings.margin
    return _bordered(answer.x, (0, edge)), _bordered(answer.y, (edge, 0))


def find_local_shifts_umpa(
    ref_mat: Any,
    mat: Any,
    win_size: int = 7,
    margin: int = 10,
    method: str = "diff",
    size: int = 3,
    gpu: bool | str = True,
    block: tuple[int, int] = (16, 16),
    ncore: int | None = None,
    chunk_size: int | None = 100,
    filter_name: str | None = "hamming",
    dark_signal: bool = False,
    *,
    device: str | None = None,
    memory: str | int | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Any = None,
) -> tuple[Image, ...]:
    """Find the shift of every pixel of a stack by UMPA; px, (x, y), sample to reference.

    Minimises the cost of S = T R, or with `dark_signal` of S = T (mean + V (R - mean)), over all
    shifts (Zdora et al., PRL 118, 203903, 2017); formulas in `shiftfield.scores`.

    Parameters
    ----------
    ref_mat, mat : array_like, shape (K, H, W)
        Reference and sample stacks; HDF5, Zarr and dask arrays are read band by band.
    win_size, margin, method, size, gpu, block, ncore, chunk_size, device, memory, progress, cancel
        As in `find_local_shifts`.
    filter_name : {"hann", "bartlett", "blackman", "hamming", "nuttall", "parzen", "triang", None}
        Weights of the window, outer product of the 1-D window of `scipy.signal.windows`; None is a box.
    dark_signal : bool
        Whether to fit the dark field too.

    Returns
    -------
    tuple of ndarray
        (x_shifts, y_shifts), px, or with `dark_signal` (x_shifts, y_shifts, transmission, dark); float32
        (H, W). Borders of the shifts are 0; borders of transmission and dark repeat the outermost values.
        NaN where there is no answer. transmission = 1 means no absorption, dark = 1 no scattering.

    Raises
    ------
    ValueError
        When shapes do not fit, or an argument is not one of those above.

    Examples
    --------
    >>> from shiftfield import find_local_shifts_umpa
    >>> from shiftfield.synthetic import speckle_scan
    >>> scan = speckle_scan((60, 70), frames=5, transmission=0.7)
    >>> x, y, transmission, dark = find_local_shifts_umpa(
    ...     scan.reference, scan.sample, margin=5, gpu=False, dark_signal=True
    ... )
    >>> bool(abs(transmission.min() - scan.transmission.min()) < 0.05)
    True
    """
    threads = check_block(block)
    dark_signal = check_switch("dark_signal", dark_signal, or_number=True)
    ref, sam = pair(ref_mat, mat)
    if ref.ndim != 3:
        raise ValueError(
            f"The reference has shape {tuple(ref.data.shape)}; UMPA needs stacks (frames, rows, columns)."
        )
    settings = _settings(
        win_size, margin, method, size, ncore, device_of(gpu, device, resident=ref.device is not None),
        method="umpa_dark" if dark_signal else "umpa",
        weight=check_choice("filter_name", filter_name, (*WEIGHTS, None)),
        memory=memory,
    )  # fmt: skip
    check_room(ref.size, settings)
    rows = _chunk_rows(chunk_size, ref)
    watch = Watch(progress, cancel)
    answer = search_2d(ref, sam, settings, watch, chunk_rows=rows, threads=threads)
    edges = search_of(settings, ref.shape[0]).edge
    shifts = _bordered(answer.x, edges), _bordered(answer.y, edges)
    if not dark_signal:
        return shifts
    return (*shifts, _extended(answer.transmission, edges), _extended(answer.dark_field, edges))


def _settings(
    win_size: int, margin: int, peak: str, size: int, ncore: int | None, device: str, **other: Any
) -> Settings:
    win_size = check_integer("win_size", win_size, 1, "px")
    return Settings(
        window=win_size,
        margin=margin,
        peak=peak,
        peak_size=check_peak(peak, 2, size),
        ncore=check_cores(ncore),
        device=device,
        **other,
    )


def _chunk_rows(chunk_size: int | None, frames: Frames) -> int:
    rows = check_chunk(chunk_size)
    return frames.shape[1] if rows is None else rows


def _slab_rules(norm: bool, norm_global: bool) -> tuple[Normalise, Normalise]:
    """Return how the slabs of the x search and of the y search are normalised."""
    if not norm:
        return as_given, as_given  # the 3-D rule alone is affine and moves no correlation
    if norm_global:
        return (lambda frames: Standard(frames, FlatRows)), (
            lambda frames: Standard(frames, FlatColumns)
        )
    return FlatRows, FlatColumns


def _bordered(shift: Image, edges: tuple[int, int]) -> Image:
    """Put zeros into the borders, where no answer was sought; in place, for a copy would double the memory."""
    for border in _borders(shift, edges):
        shift[border] = 0
    return shift


def _extended(image: Image, edges: tuple[int, int]) -> Image:
    """Repeat the outermost answers into the borders; in place."""
    (height, width), (ey, ex) = image.shape, edges
    top, bottom, left, right = _borders(image, edges)
    image[top], image[bottom] = image[ey : ey + 1], image[height - ey - 1 : height - ey]
    image[left], image[right] = image[:, ex : ex + 1], image[:, width - ex - 1 : width - ex]
    return image


def _borders(image: Image, edges: tuple[int, int]) -> tuple[tuple[slice, slice], ...]:
    """Return the rows above and below, and the columns left and right, where no answer was sought."""
    (height, width), (ey, ex) = image.shape, edges
    rows, columns = slice(0, height), slice(0, width)
    return (
        (slice(0, ey), columns),
        (slice(height - ey, height), columns),
        (rows, slice(0, ex)),
        (rows, slice(width - ex, width)),
    )
