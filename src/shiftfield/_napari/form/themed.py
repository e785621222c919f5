"""Plots in the colours of napari's theme; what is drawn is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from napari.utils.theme import get_theme
from napari.viewer import Viewer
from qtpy.QtCore import QSize, Qt

X_COLOUR, Y_COLOUR = "#3d9be9", "#e5820b"  # at least 3:1 on napari's dark and light background
_WIDTH = 300  # px
_DASHED, _SOLID = pg.QtCore.Qt.PenStyle.DashLine, pg.QtCore.Qt.PenStyle.SolidLine


@dataclass(frozen=True)
class Colours:
    """Background and text of a theme, as "#rrggbb"."""

    background: str
    text: str
    faint: str


def colours(viewer: Viewer) -> Colours:
    """Return the colours of the viewer's theme."""
    theme = get_theme(viewer.theme)
    return Colours(*(str(one.as_hex()) for one in (theme.background, theme.text, theme.current)))


class Plots(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """A grid of plots that takes the colours of the viewer's theme, and follows it."""

    def __init__(self, viewer: Viewer, name: str) -> None:
        super().__init__()
        self._viewer = viewer
        self._titles: dict[Any, str] = {}
        self.setAccessibleName(name)
        for part in (self, self.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to do in it by keys
        self.ci.layout.setContentsMargins(2, 2, 2, 2)
        self.ci.layout.setSpacing(2)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size that a dock has room for."""
        return QSize(_WIDTH, _WIDTH)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return less than that."""
        return QSize(_WIDTH // 2, _WIDTH // 3)

    def plot(self, row: int, column: int, title: str = "", *, image: bool = False) -> Any:
        """Return a new plot; one for an image has square pixels and rows that go down."""
        plot = self.addPlot(row=row, col=column)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setStyle(tickLength=-4, tickTextOffset=2, hideOverlappingLabels=True)
            axis.enableAutoSIPrefix(False)  # else a label of 2e6 pixels ends in "(x1e-06)"
        if image:
            plot.setAspectLocked(True)
            plot.invertY(True)
            plot.setDefaultPadding(0.0)
        self.rename(plot, title)
        return plot

    def rename(self, plot: Any, title: str) -> None:
        """Give a plot another title."""
        self._titles[plot] = title
        if title:
            plot.setTitle(title, size="8pt", color=colours(self._viewer).text)

    def paint(self, *_: Any) -> None:
        """Take the colours of the theme."""
        now = colours(self._viewer)
        self.setBackground(now.background)
        for plot, title in self._titles.items():
            self.rename(plot, title)
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(pg.mkPen(now.text))
                axis.setTextPen(pg.mkPen(now.text))


def line(colour: str, *, width: float = 1.5, dashed: bool = False) -> Any:
    """Return a pen."""
    return pg.mkPen(colour, width=width, style=_DASHED if dashed else _SOLID)
