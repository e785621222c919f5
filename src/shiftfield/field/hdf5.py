"""A shift field in an HDF5 file: one dataset for each quantity, settings and version as attributes.

Written beside the target and renamed over it, so that the file is whole or absent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield import machine
from shiftfield.field.arrays import ALWAYS, KINDS, UNITS, FieldArrays, check_shapes
from shiftfield.settings import Settings, parameters
from shiftfield.strangers import clipped, words_of
from shiftfield.whole import path_of

FORMAT = "shiftfield/1"
CONVENTION = "px, (x, y), match in the reference minus place in the sample"


def save(
    field: FieldArrays, path: str | os.PathLike[str], placement: Mapping[str, Any] | None = None
) -> None:
    """Write `field` to `path` (HDF5, gzip); an OSError says why when it cannot be written.

    `placement` is where the sample image lies in a viewer, as `field.layers.to_layers` takes it, in numbers,
    lists and texts.
    """
    from shiftfield.field.whole_file import WholeFile, write_packed

    path = check_ours(path)
    shapes = {name: tuple(data.shape) for name, data in field.quantities().items()}
    check_shapes(shapes, field.image_shape, field.settings.step)
    try:
        with WholeFile(path) as file:
            file.attrs["format"] = FORMAT
            file.attrs["version"] = field.version
            file.attrs["settings"] = json.dumps(field.settings.as_dict())
            file.attrs["image_shape"] = field.image_shape
            file.attrs["frames"] = field.frames
            file.attrs["seconds"] = field.seconds
            file.attrs["convention"] = CONVENTION
            if placement:
                file.attrs["placement"] = json.dumps(dict(placement))
            for name, data in field.quantities().items():
                stored = write_packed(
                    file, name, data, compression="gzip", compression_opts=1, shuffle=True
                )
                stored.attrs["units"] = UNITS.get(name, "")
                stored.attrs["axes"] = ["y", "x"]
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}.") from error


def check_ours(path: Any) -> Path:
    """Return a path to write a field to; a FileExistsError where something else is, that is not to be lost."""
    place = path_of(path)
    if place.is_dir():
        raise FileExistsError(f"{place} is a folder; choose another name.")
    empty = place.is_file() and place.stat().st_size == 0
    if place.exists() and not empty and not is_field(place):
        raise FileExistsError(
            f"{place} holds something else than a shift field; remove it, or choose another name."
        )
    return place


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what makes the saved `ShiftField`; a ValueError says in one sentence why a file is not one.

    All must lie in the file itself, and fit together and into the memory, before any array is read.
    """
    import h5py

    place = path_of(path)
    if not place.is_file():
        raise FileNotFoundError(f"There is no file {clipped(os.fspath(path))!r}.")
    try:
        with h5py.File(place, "r") as file:
            return _read(file)
    except Exception as error:  # h5py's, of many kinds, about a broken file
        raise ValueError(f"{os.fspath(path)!r} holds no shift field: {words_of(error)}.") from error


def load_placement(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the `placement` that `save` was given, empty for none; a ValueError where it is broken."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            found = json.loads(_text(file, "placement")) if "placement" in file.attrs else {}
    except Exception as error:  # h5py's, of many kinds, about a broken file
        raise ValueError(
            f"{os.fspath(path)!r} does not say where its image lies: {words_of(error)}."
        ) from error
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
            return _text(file, "format")
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, MemoryError):
        return ""


def _read(file: Any) -> dict[str, Any]:
    found = clipped(_text(file, "format"))
    if found != FORMAT:
        raise ValueError(f"its format is {found!r}, not {FORMAT!r}")
    settings = settings_in(_text(file, "settings"))
    height, width = whole_numbers(file.attrs, "image_shape", 2, 0)
    (frames,) = whole_numbers(file.attrs, "frames", 1, 1)
    datasets = {name: _dataset(file, name) for name in KINDS if file.id.links.exists(name.encode())}
    missing = [name for name in ALWAYS if name not in datasets]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    shapes = {name: one.shape for name, one in datasets.items()}
    check_shapes(shapes, (height, width), settings.step)
    size = sum(one.size * np.dtype(KINDS[name]).itemsize for name, one in datasets.items())
    _check_fits(
        size + max(one.dtype.itemsize * prod(one.chunks or ()) for one in datasets.values())
    )
    return {name: one.astype(KINDS[name])[:] for name, one in datasets.items()} | {
        "settings": settings,
        "image_shape": (height, width),
        "frames": frames,
        "seconds": _seconds(file),
        "version": clipped(_text(file, "version")),
    }


def _dataset(file: Any, name: str) -> Any:
    """Return a dataset of numbers that lies in the file itself, not read yet."""
    import h5py

    if file.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise ValueError(f"{name} is a link; all must lie in the file itself")
    found = file[name]
    if not isinstance(found, h5py.Dataset) or not found.shape or found.dtype.kind not in "buif":
        raise ValueError(f"{name} is no array of numbers")
    if found.is_virtual or found.external:
        raise ValueError(f"{name} lies in another file; all must lie in the file itself")
    return found


def _check_fits(size: int) -> None:
    free = machine.free_memory()
    if size > free:
        raise ValueError(
            f"it takes {size / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB are free"
        )


def _text(file: Any, name: str) -> str:
    """Return an attribute that is one text."""
    found = file.attrs[name] if file.attrs.get_id(name).shape == () else None
    if not isinstance(found, str):
        raise ValueError(f"its {name} is no text")
    return found


def _seconds(file: Any) -> float:
    found = np.asarray(file.attrs["seconds"])
    if found.shape != () or found.dtype.kind not in "iuf" or not 0 <= found < np.inf:
        raise ValueError("its seconds are no time")
    return float(found)


def settings_in(text: Any) -> Settings:
    """Return the settings that a text of JSON holds; a ValueError says what is wrong with it."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError("its settings are no JSON") from error
    known = parameters(Settings)
    if not isinstance(found, dict) or not found.keys() <= known.keys():
        raise ValueError("its settings are not those of a search")
    settings = Settings(**found)
    if settings.memory is not None:
        machine.parse_bytes(settings.memory)
    return settings


def whole_numbers(attributes: Mapping[str, Any], name: str, number: int, low: int) -> list[int]:
    """Return an attribute that is so many whole numbers; a ValueError says so where it is not."""
    try:
        found = np.asarray(attributes[name])
    except (OverflowError, TypeError, ValueError):  # no numbers, or of no machine
        found = np.empty(0)
    wanted = () if number == 1 else (number,)
    if found.shape != wanted or found.dtype.kind not in "iu" or not (found >= low).all():
        what = f"{number} whole numbers" if number > 1 else "a whole number"
        raise ValueError(f"its {name} must be {what} of at least {low}")
    return [int(n) for n in found.reshape(-1)]
