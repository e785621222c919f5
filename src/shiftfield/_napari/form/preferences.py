"""What a person set in napari's preferences for this plugin: machine and colours, for all docks.

The page itself is made by napari from `configurations` in the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari.settings import get_plugin_settings

from shiftfield.field.layers import SHIFT_COLORMAP

_OURS = "shiftfield"
_OUR_COLOURS = "blue - 0 + orange"


@dataclass(frozen=True)
class Preferences:
    """The machine's settings as `find_shift_field` takes them, and a colormap as a layer takes it."""

    device: str = "auto"
    ncore: int | None = None
    memory: str | None = None
    shift_colormap: Any = None
    remember: bool = True

    def machine(self) -> dict[str, Any]:
        """Return device, cores and memory."""
        return {"device": self.device, "ncore": self.ncore, "memory": self.memory}


def preferences() -> Preferences:
    """Return what is set now; the defaults where napari does not know the plugin."""
    try:
        found: Any = get_plugin_settings(_OURS)
    except KeyError:
        return Preferences(shift_colormap=SHIFT_COLORMAP)
    machine, display = found.machine, found.display
    colours = display.shift_colours
    return Preferences(
        device=machine.device,
        ncore=machine.threads or None,
        memory=machine.memory.strip() or None,
        shift_colormap=SHIFT_COLORMAP if colours == _OUR_COLOURS else colours,
        remember=display.remember,
    )
