"""`probe`: one pixel of a search, with everything that is usually thrown away.

How it is found is `prober`; what it is, `probed`.
"""

from __future__ import annotations

from typing import Any

from shiftfield.probing.probed import Probe
from shiftfield.probing.prober import Prober
from shiftfield.search.one_call import USUAL
from shiftfield.settings import DEFAULT, Settings, Thresholds


def probe(
    reference: Any,
    sample: Any,
    row: int,
    column: int,
    *,
    method: str = DEFAULT.method,
    window: int = DEFAULT.window,
    margin: int = DEFAULT.margin,
    peak: str = DEFAULT.peak,
    peak_size: int = DEFAULT.peak_size,
    weight: str | None = DEFAULT.weight,
    refine: str | None = DEFAULT.refine,
    shape_order: int = DEFAULT.shape_order,
    uncertainty: bool = DEFAULT.uncertainty,
    quality: bool = DEFAULT.quality,
    thresholds: Thresholds = USUAL,
    start: tuple[float, float] | None = None,
    reference_weights: Any = None,
    sample_weights: Any = None,
    borders: str = DEFAULT.borders,
    coverage: float = DEFAULT.coverage,
) -> Probe:
    """Search one pixel and keep what was seen: window, search area, scores, fit; px, (x, y), sample to reference.

    The answer is that of `find_shift_field` with the same settings at that pixel, in float64 where that may
    take float32. Of the images only what the pixel needs is read; besides, "umpa_dark" takes one pass over the
    reference for its mean, and `refine`, `uncertainty` and `quality` read a few small parts, as a field does.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        As in `find_shift_field`.
    row, column : int
        The pixel of the sample, px from its first one.
    quality : bool
        A second peak must be some speckles away from the first. With True the size of the speckles is measured
        on parts of the whole reference, as for a field; with False on the search area alone.
    start : pair of float, optional
        The shift (x, y) that the search is centred on, px, rounded to whole px.
    method, window, margin, peak, peak_size, weight, refine, shape_order, uncertainty, thresholds
        As in `find_shift_field`.
    reference_weights, sample_weights, borders, coverage
        As in `find_shift_field`.

    Returns
    -------
    Probe
        NaN or None where unknown.

    Raises
    ------
    ValueError
        When an input or a setting is not one of those above, or the image has no such pixel.

    Examples
    --------
    >>> from shiftfield import probe
    >>> from shiftfield.synthetic import speckle
    >>> one = probe(speckle((60, 70)), speckle((60, 70), shift=(3, -2)), 30, 35, margin=5)
    >>> round(one.x), round(one.y), one.scores.shape
    (3, -2, (11, 11))
    """
    settings = Settings(
        method=method, window=window, margin=margin, peak=peak, peak_size=peak_size, weight=weight,
        refine=refine, shape_order=shape_order, uncertainty=uncertainty, quality=quality,
        borders=borders, coverage=coverage,
    )  # fmt: skip
    prober = Prober(reference, sample, settings, thresholds, (reference_weights, sample_weights))
    return prober.at(row, column, start)
