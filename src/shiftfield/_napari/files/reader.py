"""File > Open: a field that `ShiftField.save` wrote, and a scan of `find_shift_fields`, as layers.

What is not ours is left to other readers; what is ours and broken is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shiftfield.field.layers import PLACEMENT, LayerTuple

Read = Callable[[str | Sequence[str]], list[Any]]
_NOTHING: list[Any] = [(None,)]  # napari's word for a file that was dealt with and gives no layer


def get_reader(path: str | Sequence[str]) -> Read | None:
    """Return what reads `path`, or None where it is no file of ours; several files together are none."""
    from shiftfield.field.hdf5 import is_field
    from shiftfield.scans.result import is_scan

    if not isinstance(path, str):
        return None
    if is_field(path):
        return _telling(read_field)
    return _telling(read_scan) if is_scan(path) else None


def read_field(path: str) -> list[LayerTuple]:
    """Return the layers that the docks make of a field, where the sample of the search lay."""
    from shiftfield import ShiftField
    from shiftfield.field.hdf5 import load_placement
    from shiftfield.field.layers import drawable
    from shiftfield.settings import DisplaySettings

    field = ShiftField.load(path)
    stored = load_placement(path)
    placement = {name: stored[name] for name in PLACEMENT if name in stored}
    return field.to_layers(
        spacing=drawable(DisplaySettings().spacing, field.image_shape),
        length=DisplaySettings().length,
        score=bool(np.isfinite(field.score).any()),  # NaN where it was not saved
        placement={"axis_labels": ("y", "x")} | placement,
    )


def read_scan(path: str) -> list[LayerTuple]:
    """Return lazy layers of a scan, and tell how much of it is not finished."""
    from napari.utils.notifications import show_info

    from shiftfield._napari.files.scan_layers import scan_layers

    layers, missing = scan_layers(path)
    if missing:
        show_info(missing)
    return layers


def _telling(read: Callable[[str], list[LayerTuple]]) -> Read:
    """Return `read`, except that an error is shown in the viewer, which goes on with the other files."""

    def tell(path: str | Sequence[str]) -> list[Any]:
        from napari.utils.notifications import show_error

        try:
            return list(read(str(path)))
        except (OSError, ValueError, TypeError, KeyError, MemoryError) as error:
            text = str(error) or type(error).__name__
            show_error(text if str(path) in text else f"{path} cannot be opened: {text}")
            return _NOTHING

    return tell
