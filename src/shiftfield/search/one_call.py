"""`find_shift_field`: the one call that the viewer and new users make.

It checks, plans, runs and wraps the answer; the seven functions of `correlation` use the same engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from shiftfield.arrays.on_device import is_lazy
from shiftfield.dense.one_axis import search_1d
from shiftfield.dense.plans import check_room, plan_of, search_of
from shiftfield.dense.two_axes import search_2d
from shiftfield.field import ShiftField
from shiftfield.inputs.frames import Frames, pair
from shiftfield.inputs.weights import NO_WEIGHTS, Weights, unmasked_frames, weights_of
from shiftfield.search.lazy import lazy_field
from shiftfield.settings import DEFAULT, Settings, Thresholds, check_thresholds
from shiftfield.stream.bands import Watch
from shiftfield.stream.pieces import Starts, starts_of
from shiftfield.stream.rows import make_readable

USUAL = Thresholds()


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
    refine: str | None = DEFAULT.refine,
    shape_order: int = DEFAULT.shape_order,
    uncertainty: bool = DEFAULT.uncertainty,
    quality: bool = DEFAULT.quality,
    thresholds: Thresholds = USUAL,
    start: Any = DEFAULT.start,
    reference_weights: Any = None,
    sample_weights: Any = None,
    borders: str = DEFAULT.borders,
    coverage: float = DEFAULT.coverage,
    device: str = DEFAULT.device,
    ncore: int | None = DEFAULT.ncore,
    memory: str | int | None = DEFAULT.memory,
    progress: Callable[[int, int], object] | None = None,
    cancel: Any = None,
) -> ShiftField:
    """Find the shift of every pixel of the sample; px, (x, y), match in the reference minus place in the sample.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        Real numbers; anything NumPy, h5py or Zarr can slice, or the address of a file. K frames are compared
        together. Of dask arrays the field is lazy (`search.lazy`), unless `progress` or `cancel` is given: then
        they are read band by band now.
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
        Compute every step-th row and column, px; these pixels have the bits of the full field.
    refine : {None, "icgn"}
        None keeps the peak fit. "icgn" matches the sample's window with the reference interpolated by quintic
        B-splines, from the best whole-pixel shift on (inverse-compositional Gauss-Newton, Pan et al., Exp.
        Mech. 53, 1277, 2013), with the score's own model of brightness; where it does not converge there is no
        answer.
    shape_order : {0, 1}
        Whether a window only moves in the refinement, or also stretches and shears.
    uncertainty : bool
        Whether to estimate one sigma of each shift, px.
    quality : bool
        Whether to check each pixel: what speaks against it are the bits of `quality`, and only pixels that pass
        are valid. This needs a search from reference to sample too, and takes about 4 times as long in all.
    thresholds : Thresholds
        What a pixel must pass then.
    start : {None, "global", "pyramid"}, pair of float or of array_like (H, W), or ShiftField
        What each pixel's search is centred on, px, (x, y), rounded to whole px.
    reference_weights, sample_weights : array_like, shape (H, W) or (K, H, W), optional
        Weights of the pixels, not negative, or a mask, True for those that take part; for all frames or for
        each. A pixel of weight 0 takes part in nothing, whatever it holds; all means of a score are taken under
        the window's weights times those of both sides. Where no weight but 1 is in reach the answer has the
        bits of one without weights.
    borders : {"unknown", "partial"}
        Whether windows that reach beyond the image give an answer from what is inside.
    coverage : float
        Least part of the window's weight, 0 to 1, whose pixels must take part in reference and sample for a
        shift to be the best. No answer (`Quality.LOW_COVERAGE`) where no shift has it, or where one with at least
        half of it scores higher than the best.
    device : {"auto", "cpu", "gpu", "hybrid", "reference"}
        Where to compute; "reference" is the slow float64 specification.
    ncore : int or None
        Threads; None takes all cores the process may use.
    memory : int, str or None
        Most memory for the search beyond its answer, bytes or a text such as "2 GB"; None: the program chooses.
    progress : callable, optional
        Called as `progress(done, total)` with numbers of tiles, in the calling thread.
    cancel : callable or object with `is_set`, optional
        Asked between tiles; when true, `Cancelled` is raised.

    Returns
    -------
    ShiftField
        `x, y, valid, score`, and `transmission`, `dark_field` where the method knows them, `uncertainty_x` and
        `uncertainty_y` where asked for; NaN, False or None where unknown.

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

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import find_shift_field
    >>> from shiftfield.synthetic import speckle
    >>> field = find_shift_field(speckle((60, 70)), speckle((60, 70), shift=(3, -2)), margin=5)
    >>> field.shape, round(float(np.median(field.x[field.valid])))
    ((60, 70), 3)
    """
    settings = Settings(
        method=method, window=window, margin=margin, search=search, peak=peak, peak_size=peak_size,
        weight=weight, step=step, refine=refine, shape_order=shape_order, uncertainty=uncertainty,
        quality=quality, start=named(start), borders=borders, coverage=coverage,
        device=device, ncore=ncore, memory=memory,
    )  # fmt: skip
    check_thresholds(thresholds)
    given = reference_weights is not None or sample_weights is not None
    if given and settings.search == "1d":
        raise ValueError("Weights were given with search '1d'; they need search '2d'.")
    if progress is None and cancel is None and (is_lazy(reference) or is_lazy(sample)):
        if given:
            raise ValueError(
                "Weights were given with dask arrays, whose lazy field takes no weights; give progress or cancel "
                "too, and the arrays are read band by band at once."
            )
        return lazy_field(reference, sample, settings)
    ref, sam = pair(reference, sample)
    check_room(ref.size, settings)
    watch = Watch(progress, cancel)
    ref.look = watch.look
    weights = weights_of(reference_weights, sample_weights, ref)
    return field_of(
        ref, sam, settings, watch, start=start, weights=weights, limits=thresholds, stacklevel=3
    )


def _starts(
    inputs: tuple[Frames, Frames],
    known: tuple[Frames, Frames],
    settings: Settings,
    watch: Watch,
    start: Any,
) -> tuple[Starts | None, Watch]:
    """Return where each pixel's search begins (None when that is where it is), and what is seen of the search.

    `known` are the inputs without what weights leave out.
    """
    size = inputs[0].size
    if settings.start is None:
        return None, watch
    if settings.start == "given":
        return starts_of(start, size), watch
    from shiftfield.starts.pyramid import found_starts

    plan = plan_of(
        settings, search_of(settings, inputs[0].shape[0]), inputs, starts=starts_of((0, 0), size)
    )
    after = plan.count() * (2 if settings.quality else 1)
    starts, tiles = found_starts(*known, settings, watch, after)
    return starts, watch.part(tiles, 0)


def _half(watch: Watch, half: int) -> Watch:
    """Return what is seen of one of two searches of the same size."""
    report = watch.progress
    if report is None:
        return watch
    return replace(watch, progress=lambda done, total: report(half * total + done, 2 * total))


def named(start: Any) -> Any:
    """Return what the settings say of a start: its name, or that one is given."""
    return start if start is None or isinstance(start, str) else "given"


def field_of(
    reference: Frames,
    sample: Frames,
    settings: Settings,
    watch: Watch,
    *,
    start: Any = None,
    weights: Weights = NO_WEIGHTS,
    limits: Thresholds = USUAL,
    soon: bool = False,
    stacklevel: int = 2,
) -> ShiftField:
    """Find the field of inputs and settings that were checked; errors and warnings as in `find_shift_field`.

    `soon` is that of `dense.search_2d`, for previews.
    """
    started = perf_counter()
    inputs = reference, sample
    reference.look = sample.look = watch.look
    if settings.quality or settings.start in ("global", "pyramid"):
        make_readable(inputs, settings.memory, several_passes=(True, True))
    if settings.search == "1d" and reference.shape[0] > 1:
        answer = search_1d(reference, sample, settings, watch, stacklevel=stacklevel + 1)
    else:
        known = unmasked_frames(inputs, weights)
        starts, watch = _starts(inputs, known, settings, watch, start)
        answer = search_2d(
            reference,
            sample,
            settings,
            _half(watch, 0) if settings.quality else watch,
            starts=starts,
            weights=weights,
            soon=soon,
            stacklevel=stacklevel + 1,
        )
    valid = np.isfinite(answer.x) & np.isfinite(answer.y)
    images = search_of(settings, reference.shape[0]).images
    found = {name: getattr(answer, name) for name in images if name not in ("flags", "texture")}
    if settings.quality:
        from shiftfield.checks.checking import quality_of

        found["quality"] = quality_of(
            answer, inputs, settings, limits, _half(watch, 1), starts=starts, weights=weights
        )
        valid &= found["quality"] == 0
    return ShiftField(
        valid=valid,
        **found,
        settings=settings,
        image_shape=reference.size,
        frames=reference.shape[0],
        seconds=perf_counter() - started,
    )
