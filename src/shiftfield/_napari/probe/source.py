"""What probes of one search need: its images, settings and mask, taken from the viewer; run on a worker's thread.

What is known of the whole images is found with the first probe and kept for the next ones.
"""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
from napari.viewer import Viewer

from shiftfield import Cancelled, Probe
from shiftfield._napari.layers.results import Result, images_of, weights_of


class Source:
    """Makes probes of one search; a ValueError says in a sentence why it cannot.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers hold the images.
    result : Result
        The search.
    """

    def __init__(self, viewer: Viewer, result: Result) -> None:
        self.result, self.settings = result, result.settings
        if self.settings.search == "1d" and result.about["frames"] > 1:
            raise ValueError("This was a 1-D search; only pixels of a 2-D search can be probed.")
        self._images = images_of(viewer, result)
        self._weights = weights_of(viewer, result)
        self._prober: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layers whose pixels are used."""
        mask = self.result.about.get("mask")
        return *(used.name for used in self._images), *([mask["layer"]] if mask else [])

    def start(self, row: int, column: int) -> tuple[int, int]:
        """Return where a pixel's search is centred, whole px, (x, y).

        Where the search began from a field, that is what was found there.
        """
        if self.settings.start is None:
            return 0, 0
        x, y = (self.result.value(name, row, column) for name in ("x", "y"))
        return (round(x), round(y)) if np.isfinite(x) and np.isfinite(y) else (0, 0)

    def at(self, row: int, column: int, start: tuple[int, int], cancel: Event) -> Probe:
        """Return what the search sees at a pixel; for one worker's thread at a time."""

        def look() -> None:
            if cancel.is_set():
                raise Cancelled

        look()
        if self._prober is None:
            from shiftfield.probing.prober import Prober

            reference, sample = (used.read() for used in self._images)
            self._prober = Prober(
                reference, sample, self.settings, self.result.thresholds, self._weights
            )
        probe: Probe = self._prober.at(row, column, start, look)
        return probe
