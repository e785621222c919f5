"""File > Save Selected Layers...: the layers of one search as a file that `ShiftField.load` opens.

Numbers are taken from the layers as they are; how they were made, from the layers' metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield import ShiftField
from shiftfield.field.arrays import KINDS
from shiftfield.field.layers import NAMES, PLACEMENT, LayerTuple
from shiftfield.settings import Settings

_ENDS = (".h5", ".hdf5")
# the same for all layers of one search
_MADE = ("version", "frames", "settings", "image_shape", "seconds")


class NoFieldError(OSError):
    """The layers are not those of one field; no ValueError, whose words napari drops."""


def write_field(path: str, layers: Sequence[LayerTuple]) -> list[str]:
    """Write the layers of one search to an HDF5 file, replacing it in one step; return its path.

    Vectors are not kept: they are drawn anew from the shifts when the file is opened.
    """
    from shiftfield.field import hdf5

    images = _quantities(layers)
    field = _field(images)
    place = _whole_name(Path(path))
    hdf5.save(field, place, _placement(images["x"][1], field.settings.step))
    return [str(place)]


def _whole_name(path: Path) -> Path:
    """Return `path` with the end that the reader knows; napari asked before replacing `path`, no other."""
    if path.suffix.lower() in _ENDS:
        return path
    whole = path.with_name(path.name + _ENDS[0])
    if whole.exists():
        raise FileExistsError(f"{whole} exists; give its whole name to replace it.")
    return whole


def _quantities(layers: Sequence[LayerTuple]) -> dict[str, LayerTuple]:
    """Return the images by quantity; an error says in a sentence why they are not one field."""
    _check_ours(layers)
    images: dict[str, LayerTuple] = {}
    for layer in layers:
        quantity = _about(layer)["quantity"]
        if layer[2] != "vectors" and quantity in images:
            both = _listed(one[1]["name"] for one in (images[quantity], layer))
            raise NoFieldError(
                f"There are two layers of {NAMES.get(quantity, quantity)}: {both}; select the layers of one "
                "search only."
            )
        if layer[2] != "vectors":
            images[quantity] = layer
    missing = [NAMES[name] for name in ("x", "y") if name not in images]
    if missing:
        raise NoFieldError(
            f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing; a field is saved with both "
            "its shifts, select them too."
        )
    return images


def _check_ours(layers: Sequence[LayerTuple]) -> None:
    scans = [layer[1]["name"] for layer in layers if "projections" in _about(layer)]
    if scans:
        raise NoFieldError(
            f"The layers of a scan are in its file already: {_listed(scans)}; "
            "`Scan(file)[number].save(path)` saves one projection as a field."
        )
    strange = [layer[1]["name"] for layer in layers if not _is_ours(layer)]
    if strange:
        raise NoFieldError(
            f"Not from a search for a shift field: {_listed(strange)}; select the layers of one search only, "
            "or save as another type of file."
        )


def _is_ours(layer: LayerTuple) -> bool:
    about = _about(layer)
    quantities = {"image": tuple(NAMES), "labels": ("quality",)}.get(layer[2], ("vectors",))
    return about.get("quantity") in quantities and all(name in about for name in _MADE)


def _about(layer: LayerTuple) -> dict[str, Any]:
    """Return what a layer says of how it was made; empty where it is not ours."""
    about = layer[1].get("metadata", {}).get("shiftfield")
    return about if isinstance(about, dict) else {}


def _field(images: dict[str, LayerTuple]) -> ShiftField:
    """Return the field whose quantities `images` are; a score that is not among them is NaN."""
    about = _about(images["x"])
    settings = Settings(**about["settings"])
    height, width = about["image_shape"]
    shape = -(-height // settings.step), -(-width // settings.step)
    for layer in images.values():
        if any(_about(layer)[name] != about[name] for name in _MADE):
            both = _listed(one[1]["name"] for one in (images["x"], layer))
            raise NoFieldError(
                f"{both} are from different searches; select the layers of one search only."
            )
        if np.shape(layer[0]) != shape:
            raise NoFieldError(
                f"{layer[1]['name']!r} has shape {np.shape(layer[0])}; the search gave it {shape}."
            )
    arrays: dict[str, Any] = {
        name: np.array(data, KINDS[name]) for name, (data, _, _) in images.items()
    }
    arrays.setdefault("score", np.full(shape, np.nan, np.float32))
    valid = np.isfinite(arrays["x"]) & np.isfinite(arrays["y"])
    if "quality" in arrays:
        valid &= arrays["quality"] == 0
    for name in ("x", "y"):
        _put_back(arrays[name], _about(images[name]).get("not_valid"))
    return ShiftField(
        **arrays,
        valid=valid,
        settings=settings,
        **{name: about[name] for name in _MADE if name != "settings"},
    )


def _put_back(shift: NDArray[np.float32], not_valid: Any) -> None:
    """Write the shifts that were found but are not valid, where the layer is empty still."""
    if not_valid is None:
        return
    at, found = not_valid
    empty = np.isnan(shift.ravel()[at])
    shift.ravel()[at[empty]] = found[empty]


def _placement(arguments: dict[str, Any], step: int) -> dict[str, Any]:
    """Return where the sample lay, as numbers, lists and texts."""
    place: dict[str, Any] = {}
    for name in (name for name in PLACEMENT if name in arguments):
        if name in ("units", "axis_labels"):
            place[name] = [str(one) for one in arguments[name]]
        else:
            place[name] = np.asarray(arguments[name], float).tolist()
    if "scale" in place:
        place["scale"] = [one / step for one in place["scale"]]
    return place


def _listed(names: Iterable[str]) -> str:
    return " and ".join(repr(name) for name in names)
