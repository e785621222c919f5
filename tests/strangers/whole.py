"""Whole files of every kind, by NumPy's, h5py's, tifffile's and zarr's own writers.

Each is made once, and copied for whoever breaks it.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
import zarr
from PIL import Image

import shiftfield
from strangers.case import CHOSEN, REF, SAM, Make


@cache
def field() -> shiftfield.ShiftField:
    return shiftfield.find_shift_field(REF, SAM, **CHOSEN, quality=True)


def whole_field(folder: Path) -> str:
    field().save(folder / "broken.h5")
    return str(folder / "broken.h5")


def whole_scan(folder: Path, end: str) -> str:
    out = folder / f"broken{end}"
    shiftfield.find_shift_fields(REF, SAM[None], out=out, **CHOSEN)
    return str(out)


def begun_scan(folder: Path, end: str) -> str:
    """A scan of two projections of which the second has no field."""
    flat = np.stack([SAM, np.full_like(SAM, 7)])
    out = folder / f"broken{end}"
    try:
        shiftfield.find_shift_fields(REF, flat, out=out, **CHOSEN)
    except shiftfield.ScanError:
        return str(out)
    raise AssertionError("a scan of nothing was finished")


def whole_hdf5(folder: Path, **packing: Any) -> str:
    with h5py.File(folder / "broken.h5", "w") as file:
        file.create_dataset("entry/data", data=SAM, **packing)
    return f"{folder / 'broken.h5'}::/entry/data"


def whole_tiff(folder: Path, **packing: Any) -> str:
    tifffile.imwrite(folder / "broken.tif", SAM, photometric="minisblack", **packing)
    return str(folder / "broken.tif")


def whole_npy(folder: Path) -> str:
    np.save(folder / "broken.npy", SAM)
    return str(folder / "broken.npy")


def whole_picture(folder: Path, end: str) -> str:
    image = SAM[0] if end == ".png" else (SAM[0] >> 3).astype(np.uint8)
    Image.fromarray(image).save(folder / f"broken{end}")
    return str(folder / f"broken{end}")


def whole_zarr(folder: Path, zarr_format: int = 3) -> str:
    path = str(folder / "broken.zarr")
    zarr.create_array(path, data=SAM, chunks=(1, 8, 8), zarr_format=zarr_format)  # type: ignore[arg-type]
    return path


def whole_settings(folder: Path) -> str:
    path = folder / "broken.toml"
    path.write_text('window = 9\nmargin = 5\nmethod = "umpa"\nstart = "none"\nquality = true\n')
    return str(path)


WHOLE: dict[
    str, tuple[Make, str, tuple[str, ...]]
] = {  # who opens it, and which files of it are broken
    "field": (whole_field, "field", ("broken.h5",)),
    "scan": (partial(whole_scan, end=".h5"), "scan", ("broken.h5",)),
    "scan to go on with": (partial(begun_scan, end=".h5"), "out", ("broken.h5",)),
    "part of a scan": (partial(begun_scan, end=".h5"), "scan", ("broken.h5.parts/000000.h5",)),
    "scan, Zarr": (
        partial(whole_scan, end=".zarr"),
        "scan",
        ("broken.zarr/zarr.json", "broken.zarr/x/zarr.json", "broken.zarr/x/c/0/0/0"),
    ),
    "HDF5": (whole_hdf5, "images", ("broken.h5",)),
    "HDF5, gzip": (
        partial(whole_hdf5, chunks=(1, 8, 8), compression="gzip", shuffle=True, fletcher32=True),
        "images",
        ("broken.h5",),
    ),
    "HDF5, LZF": (partial(whole_hdf5, chunks=(1, 8, 8), compression="lzf"), "map", ("broken.h5",)),
    "TIFF": (whole_tiff, "images", ("broken.tif",)),
    "TIFF, deflated": (partial(whole_tiff, compression="zlib"), "images", ("broken.tif",)),
    "TIFF, tiles": (partial(whole_tiff, tile=(16, 16), bigtiff=True), "mask", ("broken.tif",)),
    "NPY": (whole_npy, "images", ("broken.npy",)),
    "PNG": (partial(whole_picture, end=".png"), "images", ("broken.png",)),
    "BMP": (partial(whole_picture, end=".bmp"), "images", ("broken.bmp",)),
    "GIF": (partial(whole_picture, end=".gif"), "images", ("broken.gif",)),
    "JPEG": (partial(whole_picture, end=".jpg"), "images", ("broken.jpg",)),
    "Zarr": (whole_zarr, "images", ("broken.zarr/zarr.json", "broken.zarr/c/0/0/0")),
    "Zarr 2": (
        partial(whole_zarr, zarr_format=2),
        "images",
        ("broken.zarr/.zarray", "broken.zarr/0.0.0"),
    ),
    "TOML": (whole_settings, "settings", ("broken.toml",)),
}

_MADE: dict[str, tuple[Path, str]] = {}


def ready(make: Make, folder: Path) -> str:
    """What `make` makes, made once and copied from then on."""
    key = repr(make)
    if key not in _MADE:
        place = Path(tempfile.mkdtemp(dir=folder.parent))
        _MADE[key] = place, make(place)
    place, address = _MADE[key]
    shutil.copytree(place, folder, dirs_exist_ok=True)
    return address.replace(str(place), str(folder))
