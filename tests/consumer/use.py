"""A small program of somebody else, type-checked and run against the installed package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import shiftfield
from shiftfield import (
    Quality,
    Settings,
    ShiftField,
    Thresholds,
    find_local_shifts,
    find_shift_field,
)
from shiftfield.synthetic import speckle_scan


def shifts_of(reference: NDArray[np.float32], sample: NDArray[np.float32]) -> tuple[float, float]:
    """Return the median shift (x, y), px, of what is believed."""
    field: ShiftField = find_shift_field(
        reference, sample, window=9, margin=4, quality=True, thresholds=Thresholds(score=0.3)
    )
    settings: Settings = field.settings
    assert settings.window == 9
    assert field.quality is not None
    believed: NDArray[np.bool_] = (field.quality & Quality.LOW_SCORE) == 0
    assert believed.any()
    return float(np.median(field.x[field.valid])), float(np.median(field.y[field.valid]))


def main() -> None:
    scan = speckle_scan((64, 80), frames=3)
    print(
        "median shift", *(f"{value:+.2f}" for value in shifts_of(scan.reference, scan.sample)), "px"
    )
    x, y = find_local_shifts(scan.reference, scan.sample, dim=2, win_size=7, margin=4)
    rows: int = x.shape[0]
    assert rows == y.shape[0] == 64
    out = Path("field.h5")
    find_shift_field(scan.reference, scan.sample, method="umpa_dark", window=7, margin=4).save(out)
    again = ShiftField.load(out)
    assert again.dark_field is not None
    print(
        "dark field, least", f"{np.nanmin(again.dark_field):.2f}", "version", shiftfield.__version__
    )


if __name__ == "__main__":
    main()
