"""A shift field in an HDF5 file: one dataset for each quantity, settings and version as attributes.

Written beside the target and renamed over it, so that the file is whole or absent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield.field.arrays import KINDS, FieldArrays
from shiftfield.settings import Settings

FORMAT = "shiftfield/1"
_UNITS = {"x": "px", "y": "px", "uncertainty_x": "px", "uncertainty_y": "px"}
_LARGEST = 1 << 33  # elements; an array beyond this is refused before it is read


def save(
    field: FieldArrays, path: str | os.PathLike[str], placement: Mapping[str, Any] | None = None
) -> None:
    """Write `field` to `path` (HDF5, gzip); an OSError says why when the folder cannot be written.

    `placement` is where the sample image lies in a viewer, as `field.layers.to_layers` takes it, in numbers,
    lists and texts.
    """
    from shiftfield.field.whole_file import WholeFile, write_packed

    path = Path(path)
    try:
        with WholeFile(path) as file:
            file.attrs["format"] = FORMAT
            file.attrs["version"] = field.version
            file.attrs["settings"] = json.dumps(field.settings.as_dict())
            file.attrs["image_shape"] = field.image_shape
            file.attrs["frames"] = field.frames
            file.attrs["seconds"] = field.seconds
            file.attrs["convention"] = (
                "px, (x, y), match in the reference minus place in the sample"
            )
            if placement:
                file.attrs["placement"] = json.dumps(dict(placement))
            for name, data in field.quantities().items():
                stored = write_packed(
                    file, name, data, compression="gzip", compression_opts=1, shuffle=True
                )
                stored.attrs["units"] = _UNITS.get(name, "")
                stored.attrs["axes"] = ["y", "x"]
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}.") from error


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what makes the saved `ShiftField`; a ValueError says in one sentence why a file is not one."""
    import h5py

    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r}.")
    try:
        with h5py.File(path, "r") as file:
            return _read(file)
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error.args[0] if isinstance(error, KeyError) else error).rstrip(".")
        raise ValueError(f"{os.fspath(path)!r} holds no shift field: {reason}.") from error


def load_placement(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the `placement` that `save` was given; empty where it was given none."""
    import h5py

    with h5py.File(path, "r") as file:
        found = json.loads(file.attrs.get("placement", "{}"))
    return found if isinstance(found, dict) else {}


def is_field(path: str | os.PathLike[str]) -> bool:
    """Return whether a file says that it is a field, of whatever version of the format; nothing is raised."""
    return declared_format(path).startswith(FORMAT.partition("/")[0] + "/")


def declared_format(path: str | os.PathLike[str]) -> str:
    """Return what an HDF5 file says it is, such as "shiftfield/1"; "" for all else. Nothing is raised."""
    import h5py

    try:
        if not Path(path).is_file():  # opening a pipe would wait for ever
            return ""
        with h5py.File(path, "r") as file:
            found = file.attrs.get("format")
    except (OSError, KeyError, TypeError, ValueError, RuntimeError):
        return ""
    return found if isinstance(found, str) else ""


def _read(file: Any) -> dict[str, Any]:
    if file.attrs.get("format") != FORMAT:
        raise ValueError(f"its format is {file.attrs.get('format')!r}, not {FORMAT!r}")
    arrays: dict[str, Any] = {}
    for name, kind in KINDS.items():
        if name not in file:
            continue
        if file[name].ndim != 2 or file[name].size > _LARGEST:
            raise ValueError(f"dataset {name!r} has shape {file[name].shape}; it must be 2-D.")
        arrays[name] = np.asarray(file[name], dtype=kind)
    missing = [name for name in ("x", "y", "valid", "score") if name not in arrays]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    if len({array.shape for array in arrays.values()}) != 1:
        raise ValueError("the datasets of a shift field must have one shape.")
    height, width = (int(n) for n in file.attrs["image_shape"])
    return arrays | {
        "settings": Settings(**json.loads(file.attrs["settings"])),
        "image_shape": (height, width),
        "frames": int(file.attrs["frames"]),
        "seconds": float(file.attrs["seconds"]),
        "version": str(file.attrs["version"]),
    }
