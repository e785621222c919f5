"""Drawing one probe: the window, the search area, the scores of all shifts, and cuts through their peak.

Numbers and words are `words`; nothing is computed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield import Probe
from shiftfield._napari.form.themed import X_COLOUR, Y_COLOUR, Plots, line
from shiftfield.peaks.surface import Three

_FOUND = "#ff4fa3"  # on greys and on viridis alike
_HEIGHT = 280  # px
_BEYOND = 1.6  # px that a fit is drawn on either side of the best shift


class ProbePlots(Plots):
    """Four plots of one pixel."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer, "Plots of the probed pixel")
        self.setFixedHeight(_HEIGHT)
        self._window = _Picture(self.plot(0, 0, "Window in the sample", image=True), "grey")
        self._area = _Picture(self.plot(0, 1, "Search area in the reference", image=True), "grey")
        self._map = _Picture(self.plot(1, 0, "Score of each shift", image=True), "viridis")
        self._cuts = self.plot(
            1, 1,
            f"Cuts: <span style='color:{X_COLOUR}'>x \u25cf</span> "
            f"<span style='color:{Y_COLOUR}'>y \u25a0</span>",
        )  # fmt: skip
        for picture in (self._window, self._area):
            picture.plot.hideAxis("left")
            picture.plot.hideAxis("bottom")
        for row in (0, 1):
            self.ci.layout.setRowStretchFactor(row, 1)
            self.ci.layout.setColumnStretchFactor(row, 1)
        self._found = self._area.plot.plot(pen=line(_FOUND, width=2))
        self._peak = self._map.plot.plot(
            pen=None, symbol="crosshair", symbolSize=13, symbolPen=line(_FOUND), symbolBrush=None
        )
        self._second = self._map.plot.plot(
            pen=None, symbol="o", symbolSize=9, symbolPen=line("#ffffff"), symbolBrush=None
        )
        self._along = [
            _Cut(self._cuts, X_COLOUR, "o", dashed=False),
            _Cut(self._cuts, Y_COLOUR, "s", dashed=True),
        ]
        self.show_probe(None)
        self.paint()

    def show_probe(self, probe: Probe | None, frame: int = 0) -> None:
        """Draw a probe; nothing for None."""
        if probe is None:
            for picture in (self._window, self._area, self._map):
                picture.image.clear()
            for item in (self._found, self._peak, self._second):
                item.setData([], [])
            for cut in self._along:
                cut.clear()
            return
        k = min(frame, len(probe.window) - 1)
        self._window.show(probe.window[k], (0.0, 0.0))
        self._area.show(probe.area[k], (0.0, 0.0))
        self._map.show(probe.scores, probe.first)
        self._mark(probe)
        self._cut(probe)

    def _mark(self, probe: Probe) -> None:
        place: list[tuple[float, float]] = [] if probe.best is None else [probe.best]
        if np.isfinite(probe.x):
            place = [(probe.x, probe.y)]
        self._peak.setData(np.array(place).reshape(-1, 2))
        self._second.setData(
            np.array([] if probe.second is None else [probe.second]).reshape(-1, 2)
        )
        if not place:
            self._found.setData([], [])
            return
        (x, y), (_, tall, wide) = place[0], probe.window.shape
        left, top = x - probe.first[0] - 0.5, y - probe.first[1] - 0.5
        self._found.setData(
            left + np.array([0, wide, wide, 0, 0]), top + np.array([0, 0, tall, tall, 0])
        )

    def _cut(self, probe: Probe) -> None:
        if probe.best is None:
            for cut in self._along:
                cut.clear()
            return
        column, row = (at - first for at, first in zip(probe.best, probe.first, strict=True))
        fits = (None, None) if probe.fit is None else (probe.fit.along_x, probe.fit.along_y)
        scores = probe.scores[row], probe.scores[:, column]
        for axis, cut in enumerate(self._along):
            shift = (probe.x, probe.y)[axis]
            cut.show(scores[axis], probe.first[axis], probe.best[axis], fits[axis], shift)
        known = np.concatenate(scores)
        known = known[np.isfinite(known)]
        low, high = float(known.min()), float(known.max())
        room = 0.08 * (high - low) or 0.1
        self._cuts.setYRange(low - room, high + room, padding=0)
        first, last = (
            min(probe.first),
            max(probe.first[0] + len(scores[0]), probe.first[1] + len(scores[1])) - 1,
        )
        self._cuts.setXRange(first, last, padding=0.03)


class _Picture:
    """One image with a centre of pixels at whole numbers."""

    def __init__(self, plot: Any, colours: str) -> None:
        self.plot, self.image = plot, pg.ImageItem(axisOrder="row-major")
        if colours != "grey":
            self.image.setColorMap(pg.colormap.get(colours))
        plot.addItem(self.image)

    def show(self, pixels: NDArray[np.float64], first: tuple[float, float]) -> None:
        known = pixels[np.isfinite(pixels)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        self.image.setImage(pixels, levels=(low, high if high > low else low + 1))
        height, width = pixels.shape
        left, top = first[0] - 0.5, first[1] - 0.5
        self.image.setRect(left, top, width, height)
        self.plot.setRange(xRange=(left, left + width), yRange=(top, top + height), padding=0)


class _Cut:
    """The scores along one axis, the fit through them, and where its peak is."""

    def __init__(self, plot: Any, colour: str, symbol: str, *, dashed: bool) -> None:
        self._scores = plot.plot(
            pen=line(colour, width=0.5),
            symbol=symbol,
            symbolSize=4,
            symbolBrush=colour,
            symbolPen=None,
        )
        self._fit = plot.plot(pen=line(colour, width=2.5, dashed=dashed))
        self._peak = pg.InfiniteLine(angle=90, pen=line(colour, dashed=dashed))
        plot.addItem(self._peak)

    def clear(self) -> None:
        self._scores.setData([], [])
        self._fit.setData([], [])
        self._peak.setVisible(False)

    def show(
        self, scores: NDArray[np.float64], first: int, best: int, fit: Three | None, shift: float
    ) -> None:
        self._scores.setData(first + np.arange(len(scores)), scores)
        t = np.linspace(-_BEYOND, _BEYOND, 33)
        drawn = ([], []) if fit is None else (best + t, fit[0] + fit[1] * t + fit[2] * t * t)
        self._fit.setData(*drawn)
        self._peak.setVisible(bool(np.isfinite(shift)))
        if np.isfinite(shift):
            self._peak.setPos(shift)
