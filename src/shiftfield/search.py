"""`find_shift_field`: the one call that the viewer and new users make.

It checks, plans, runs and wraps the answer; the seven functions of `correlation` use the same engine.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from shiftfield.dense import search_1d, search_2d
from shiftfield.device_arrays import is_lazy
from shiftfield.field import ShiftField
from shiftfield.frames import Frames, pair
from shiftfield.lazy import lazy_field
from shiftfield.settings import DEFAULT, Settings
from shiftfield.stream import Watch


def find_shift_field(
    reference: Any,
    sample: Any,
    *,
    method: str = DEFAULT.method,
    window: int = DEFAULT.window,
    margin: int = DEFAULT.margin,
    search: str = DEFAULT.search,
    peak: str = DEFAULT.peak,
    peak_size: int = DEFAULT.peak_size,
    weight: str | None = DEFAULT.weight,
    step: int = DEFAULT.step,
    device: str = DEFAULT.device,
    ncore: int | None = DEFAULT.ncore,
    memory: str | int | None = DEFAULT.memory,
    progress: Callable[[int, int], object] | None = None,
    cancel: Any = None,
) -> ShiftField:
    """Find where every piece of the sample lies in the reference; px, (x, y), match minus place.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        Real numbers; anything NumPy, h5py or Zarr can slice, or the address of a file. K frames are compared
        together. Of dask arrays the field is lazy (see `shiftfield.lazy`), unless `progress` or `cancel` is
        given, with which they are read band by band now.
    method : {"pearson", "umpa", "umpa_dark"}
        Pearson correlation; UMPA, which also gives the transmission; UMPA with transmission and dark
        field (Zdora et al., PRL 118, 203903, 2017).
    window : int
        Side of the compared window, px; even sizes are rounded up to odd.
    margin : int
        Largest shift tried in each direction, px.
    search : {"2d", "1d"}
        Both axes together, or each alone ("pearson" on stacks; a single pair is always searched in
        2-D). The 1-D search is right only where the shift across it is far below the speckle size.
    peak : {"diff", "poly_fit"}
        Sub-pixel fit; see `locate_peak`.
    peak_size : int
        Side of the neighbourhood "poly_fit" uses, px; made odd and 3 to 9.
    weight : str or None
        Weights of the pixels in the window, a name of `scipy.signal.windows`; None is a box.
    step : int
        Compute every step-th row and column; the same bits as those pixels of the full field.
    device : {"auto", "cpu", "gpu", "hybrid", "reference"}
        Where to compute; "reference" is the slow float64 specification.
    ncore : int or None
        Threads; None takes all cores the process may use.
    memory : int, str or None
        Most memory for the pieces of the input in work, bytes or a text such as "2 GB".
    progress : callable, optional
        Called as `progress(done, total)` with numbers of tiles, in the calling thread.
    cancel : callable or object with `is_set`, optional
        Asked between tiles; when true, `Cancelled` is raised.

    Returns
    -------
    ShiftField
        `x, y, valid, score`, and `transmission`, `dark_field` where the method knows them; NaN, False
        or None where unknown.

    Raises
    ------
    ValueError
        When an input or a setting is not one of those above; one sentence says which.
    Cancelled
        When `cancel` asked for it.

    Warns
    -----
    UserWarning
        How many pixels have no answer; that a 1-D search is not valid; that there is no GPU.
    """
    settings = Settings(
        method=method, window=window, margin=margin, search=search, peak=peak, peak_size=peak_size,
        weight=weight, step=step, device=device, ncore=ncore, memory=memory,
    )  # fmt: skip
    if progress is None and cancel is None and (is_lazy(reference) or is_lazy(sample)):
        return lazy_field(reference, sample, settings)
    ref, sam = pair(reference, sample)
    return field_of(ref, sam, settings, Watch(progress, cancel), stacklevel=3)


def field_of(
    reference: Frames, sample: Frames, settings: Settings, watch: Watch, stacklevel: int = 2
) -> ShiftField:
    """Find the field of inputs and settings that were checked; errors and warnings as in `find_shift_field`."""
    started = perf_counter()
    run = search_1d if settings.search == "1d" and reference.shape[0] > 1 else search_2d
    answer = run(reference, sample, settings, watch, stacklevel=stacklevel + 1)
    valid = np.isfinite(answer.x) & np.isfinite(answer.y)
    return ShiftField(
        x=answer.x,
        y=answer.y,
        valid=valid,
        score=answer.score,
        transmission=None if settings.method == "pearson" else answer.transmission,
        dark_field=answer.dark_field if settings.method == "umpa_dark" else None,
        settings=settings,
        image_shape=reference.size,
        frames=reference.shape[0],
        seconds=perf_counter() - started,
    )
