"""Every case, always the same ones in the same order.

By their number in it the program that opens them is told which.
"""

from __future__ import annotations

from strangers.addresses import broken_everywhere
from strangers.anyhow import broken_anyhow
from strangers.case import Case
from strangers.fields import broken_fields
from strangers.hdf5 import broken_hdf5
from strangers.npy import broken_npy
from strangers.pictures import broken_pictures
from strangers.scans import broken_scans
from strangers.settings import broken_settings
from strangers.tiff import broken_tiff
from strangers.zarrs import broken_zarr


def all_cases(cuts: int = 6, flips: int = 9, seed: int = 0) -> list[Case]:
    """Every case, always the same ones in the same order."""
    return [
        *broken_anyhow(cuts, flips, seed),
        *broken_fields(),
        *broken_hdf5(),
        *broken_npy(),
        *broken_pictures(),
        *broken_tiff(),
        *broken_zarr(),
        *broken_scans(),
        *broken_settings(),
        *broken_everywhere(),
    ]
