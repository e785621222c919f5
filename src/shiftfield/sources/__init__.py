"""Images in files, by their address: what is there is known at once, pixels are read when they are asked for.

======================================  =======================================================
address                                 what it is
======================================  =======================================================
``scan.h5::/entry/data``                a dataset of an HDF5 or NeXus file; without ``::`` the only one
``scan.zarr::data``                     an array of a Zarr group; without ``::`` the array itself, or the only one
``stack.tif``                           the pages of a TIFF file
``frame.png``, ``frame.npy``            one image, or an array of NumPy
``folder``, ``folder/frame_*.tif``      one frame for each image file, in the order of the numbers in their names
======================================  =======================================================
"""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield.sources.kinds import HDF5, check_fits
from shiftfield.strangers import clipped
from shiftfield.whole import path_of


def is_address(data: Any) -> bool:
    """Return whether something is a path or a text."""
    return isinstance(data, str | os.PathLike)


def open_images(address: str | os.PathLike[str]) -> Any:
    """Return the images at an address, as something with `shape` and `dtype` that slices like NumPy.

    Parameters
    ----------
    address : str or path
        One of those above.

    Returns
    -------
    array_like, shape (H, W) or (frames, H, W) or as stored
        Read at each slice; no file is held open between.

    Raises
    ------
    FileNotFoundError
        When nothing is there.
    ValueError
        When it holds no images, or a choice is needed; the choices are listed.
    """
    place, inside = split_address(address)
    found = _opened(place, inside)
    kind = np.dtype(found.dtype).kind
    if kind not in "buif":
        raise ValueError(
            f"{address} has dtype {clipped(str(found.dtype))}; images hold real numbers."
        )
    if 0 in found.shape:
        raise ValueError(f"{address} has shape {tuple(found.shape)}; images must not be empty.")
    check_fits(f"An answer for {address}", prod(found.shape[-2:]))
    return found


def split_address(address: str | os.PathLike[str]) -> tuple[Path, str]:
    """Return the file, folder or pattern of an address, and what it names inside; a ValueError for none."""
    path, _, inside = os.fspath(address).partition("::")
    return path_of(address if "\0" in inside else path, "address"), inside


def names_in(place: Path) -> list[str]:
    """Return the names of all arrays in a file that may be images; none where it holds but one, or is broken."""
    kind = place.suffix.lower()
    if kind == ".zarr" and place.is_dir():
        from shiftfield.sources import zarrs

        return zarrs.names_in(place)
    if kind in HDF5 and place.is_file():
        from shiftfield.sources import hdf5

        return hdf5.names_in(place)
    return []


def _opened(place: Path, inside: str) -> Any:
    kind = place.suffix.lower()
    if kind == ".zarr":
        from shiftfield.sources import zarrs

        return zarrs.open_zarr(_existing(place), inside)
    if kind in HDF5:
        from shiftfield.sources import hdf5

        return hdf5.open_hdf5(_existing(place), inside)
    if inside:
        raise ValueError(
            f"{place}::{clipped(inside)} names something inside a file; that is known of HDF5 "
            f"({', '.join(HDF5)}) and .zarr."
        )
    from shiftfield.sources import series

    return series.open_series(place)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    if not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is no file: what it holds may never end.")
    return path
