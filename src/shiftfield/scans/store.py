"""Where the fields of a scan are kept: what every kind of file promises, and which kind a name asks for.

Whenever the process is killed, the file can be opened, and all that was written to it is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiftfield._version import __version__
from shiftfield.field import arrays
from shiftfield.field.hdf5 import CONVENTION, settings_in, whole_numbers
from shiftfield.settings import Settings
from shiftfield.sources.kinds import HDF5
from shiftfield.strangers import clipped, words_of
from shiftfield.whole import path_of

FORMAT = "shiftfield-scan/1"
UNITS = {**arrays.UNITS, "drift": "px"}
KINDS = (*HDF5, ".zarr")
# and the dtype each is kept with
QUANTITIES = {name: np.dtype(kind).name for name, kind in arrays.KINDS.items()}
QUANTITIES |= {"valid": "uint8", "drift": "float32"}
_MOST = 10_000_000  # projections


class OutputError(OSError):
    """The output cannot be written; what was finished before is kept."""


@dataclass(frozen=True)
class Description:
    """What a scan's file says of itself.

    Attributes
    ----------
    projections : int
    shape : tuple of int
        (rows, columns) of each quantity.
    quantities : dict
        Name to dtype of what is kept of each projection.
    settings, inputs : dict
        What was asked for, and of what; both are compared when a scan goes on.
    image_shape, frames
        Of the images that were compared.
    """

    projections: int
    shape: tuple[int, int]
    quantities: dict[str, str]
    settings: dict[str, Any]
    inputs: dict[str, Any]
    image_shape: tuple[int, int]
    frames: int
    version: str = __version__

    def size_of(self, quantity: str) -> tuple[int, int]:
        """Return the shape of a quantity of one projection."""
        return (self.frames, 2) if quantity == "drift" else self.shape

    def attributes(self) -> dict[str, Any]:
        """Return all as numbers and texts."""
        return {
            "format": FORMAT, "version": self.version, "settings": json.dumps(self.settings),
            "inputs": json.dumps(self.inputs), "convention": CONVENTION, "axes": json.dumps(AXES),
            "image_shape": list(self.image_shape), "frames": self.frames, "projections": self.projections,
            "shape": list(self.shape), "quantities": json.dumps(self.quantities),
        }  # fmt: skip

    @classmethod
    def of(cls, attributes: Mapping[str, Any], name: str) -> Description:
        """Read what `attributes` wrote; a ValueError where a file is no scan of ours, or makes no sense."""
        try:
            return cls._read(attributes)
        except Exception as error:  # h5py's or Zarr's, of many kinds, about a broken file
            raise ValueError(
                f"{name} is no scan of shiftfield ({FORMAT}): {words_of(error)}."
            ) from error

    @classmethod
    def _read(cls, attributes: Mapping[str, Any]) -> Description:
        said = str(attributes["format"])
        if said != FORMAT:
            raise ValueError(f"its format is {said!r}")
        height, width = whole_numbers(attributes, "image_shape", 2, 1)
        rows, columns = whole_numbers(attributes, "shape", 2, 1)
        (projections,), (frames,) = (
            whole_numbers(attributes, name, 1, 1) for name in ("projections", "frames")
        )
        if projections > _MOST:
            raise ValueError(
                f"its projections are {projections:,}, and at most {_MOST:,} make sense"
            )
        quantities, settings, inputs = (
            json.loads(attributes[name]) for name in ("quantities", "settings", "inputs")
        )
        if not isinstance(inputs, dict):
            raise ValueError("its inputs are none")
        step = settings_in(attributes["settings"]).step
        if (rows, columns) != (-(-height // step), -(-width // step)):
            raise ValueError(
                f"its arrays have shape {(rows, columns)}, which its images do not make"
            )
        if not isinstance(quantities, dict) or not quantities.keys() >= {
            "x",
            "y",
            "valid",
            "score",
        }:
            raise ValueError("it lacks x, y, valid or score")
        for quantity, kind in quantities.items():
            if kind != QUANTITIES.get(quantity):
                raise ValueError(f"its {quantity!r} is no quantity of {kind}")
        return cls(
            projections, (rows, columns), quantities, settings, inputs, (height, width), frames,
            clipped(str(attributes["version"])),
        )  # fmt: skip

    def check_same(self, other: Description, name: str, done: NDArray[np.bool_]) -> None:
        """Raise a ValueError that names what differs, unless another description asks for the same numbers.

        Files of single projections that are not done may have come, or been mended, in the meantime.
        """
        for what in ("settings", "inputs"):
            mine, theirs = getattr(self, what), getattr(other, what)
            differ = [
                key for key in {**mine, **theirs} if not _same(mine.get(key), theirs.get(key), done)
            ]
            if differ:
                raise ValueError(
                    f"{name} holds another scan, with other {what}: {', '.join(sorted(differ))}; choose another "
                    "name, or overwrite it."
                )
        if self.version != other.version:
            raise ValueError(
                f"{name} was begun by shiftfield {other.version}, this is {self.version}; choose another name, "
                "or overwrite it."
            )


def _same(mine: Any, theirs: Any, done: NDArray[np.bool_]) -> bool:
    """Return whether two inputs or settings are the same, of single projections those that are done."""
    mine = json.loads(json.dumps(mine))  # as it comes back from a file
    if mine == theirs or not all(
        isinstance(one, dict) and isinstance(one.get("each"), list) for one in (mine, theirs)
    ):
        return bool(mine == theirs)
    pairs = list(zip(mine["each"], theirs["each"], strict=False))
    return (
        {**mine, "each": 0} == {**theirs, "each": 0}
        and len(pairs) == len(done) == len(mine["each"]) == len(theirs["each"])
        and all(
            a == b or (not finished and isinstance(b, dict) and a["address"] == b.get("address"))
            for (a, b), finished in zip(pairs, done, strict=True)
        )
    )


AXES = ("projection", "y", "x")


class Store(Protocol):
    """The file of one scan that is being made."""

    def done(self) -> NDArray[np.bool_]:
        """Return which projections are finished."""
        ...

    def write(self, number: int, quantities: Mapping[str, NDArray[Any]]) -> None:
        """Keep one projection; afterwards it is finished, also when the power fails."""
        ...

    def finish(self) -> None:
        """Say that all projections are written."""
        ...


def names_only(settings: Settings) -> dict[str, Any]:
    """Return the settings that change numbers: not where and with how much of the machine."""
    chosen = settings.as_dict()
    for name in ("device", "ncore", "memory"):
        del chosen[name]
    return chosen


def check_out(out: Any) -> Path:
    """Return the path of an output, or raise a ValueError that says what is wrong with it."""
    path = path_of(out, "out")
    if path.suffix.lower() not in KINDS:
        raise ValueError(f"out is {path}; its name must end in {', '.join(KINDS)}.")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"out is {path}; the folder {path.absolute().parent} does not exist.")
    return path


def tall(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the chunk (rows, columns) of a quantity: about a quarter of a million pixels, whole rows."""
    return max(1, min(shape[0], 262_144 // shape[1])), shape[1]


def axes_of(quantity: str) -> tuple[str, str, str]:
    """Return the names of a quantity's axes."""
    return ("projection", "frame", "xy") if quantity == "drift" else AXES


def fill_of(dtype: str) -> Any:
    """Return what stands where nothing is known yet."""
    return np.nan if np.dtype(dtype).kind == "f" else 0
