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
from pathlib import Path
from typing import Any

from shiftfield.sources.kinds import HDF5


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
    path, _, inside = os.fspath(address).partition("::")
    place = Path(path).expanduser()
    kind = place.suffix.lower()
    if kind == ".zarr":
        from shiftfield.sources import zarrs

        return zarrs.open_zarr(_existing(place), inside)
    if kind in HDF5:
        from shiftfield.sources import hdf5

        return hdf5.open_hdf5(_existing(place), inside)
    if inside:
        raise ValueError(
            f"{address} names something inside a file; that is known of HDF5 ({', '.join(HDF5)}) and .zarr."
        )
    from shiftfield.sources import series

    return series.open_series(place)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    return path
