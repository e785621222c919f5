"""The two plots of the dock "Inspect a field": bars of a histogram, and values along a line."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from napari.viewer import Viewer

from shiftfield._napari.form.themed import X_COLOUR, Y_COLOUR, Plots, line
from shiftfield._napari.inspection.numbers import Float, Histogram

_HEIGHT = 200  # px


class HistogramPlot(Plots):
    """Bars, and the median as a line."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer, "Histogram")
        self.setFixedHeight(_HEIGHT)
        self.plot_item = self.plot(0, 0)
        self.bars = pg.BarGraphItem(x0=[0], x1=[1], height=[0], brush=X_COLOUR, pen=None)
        self._median = pg.InfiniteLine(angle=90, pen=line(Y_COLOUR, width=2))
        self.plot_item.addItem(self.bars)
        self.plot_item.addItem(self._median)
        self.paint()

    def show_histogram(self, found: Histogram | None, name: str) -> None:
        """Draw a histogram of the quantity of that name; nothing for None."""
        self.plot_item.setLabel("bottom", name)
        known = found is not None and bool(np.isfinite(found.median))
        self._median.setVisible(known)
        self.bars.setVisible(known)
        if found is None or not known:
            return
        self.bars.setOpts(x0=found.edges[:-1], x1=found.edges[1:], height=found.counts)
        self._median.setPos(found.median)
        self.plot_item.setXRange(found.edges[0], found.edges[-1], padding=0.02)
        self.plot_item.setYRange(0, max(int(found.counts.max()), 1), padding=0.02)


class ProfilePlot(Plots):
    """Values along a line, with gaps where unknown."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer, "Line profile")
        self.setFixedHeight(_HEIGHT)
        self.plot_item = self.plot(0, 0)
        self.curve = self.plot_item.plot(pen=line(X_COLOUR, width=2), connect="finite")
        self.paint()

    def show_profile(self, lengths: Float, values: Float, unit: str, name: str) -> None:
        """Draw values of the quantity of that name over lengths; nothing where none is known."""
        self.curve.setData(lengths, values)
        self.plot_item.setLabel("bottom", f"along the line ({unit})")
        self.rename(self.plot_item, name)
        known = values[np.isfinite(values)]
        if known.size:
            low, high = float(known.min()), float(known.max())
            room = 0.05 * (high - low) or 0.5
            self.plot_item.setYRange(low - room, high + room, padding=0)
            self.plot_item.setXRange(float(lengths[0]), float(lengths[-1]), padding=0.02)
