"""A shift field as one picture: a panel with a colour bar for each quantity, drawn with Pillow.

For notebooks and reports; the viewer draws the layers itself.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shiftfield.field.arrays import FieldArrays
from shiftfield.field.colours import diverging
from shiftfield.field.layers import IN_PX, NAMES, robust_limit, value_limits

if TYPE_CHECKING:
    from PIL.Image import Image

# px
_PANEL, _BAR, _GAP, _LINE = 360, 12, 14, 20
_UNKNOWN = (205, 205, 205)
_TITLES = {name: label + ", px" * (name in IN_PX) for name, label in NAMES.items()}


def draw(field: FieldArrays) -> Image:
    """Return all quantities side by side; unknown pixels, and shifts that are not valid, are grey."""
    from PIL import Image

    panels = [_panel(name, _shown(field, name)) for name in field.quantities() if name in _TITLES]
    width = sum(panel.width + _GAP for panel in panels) + _GAP
    sheet = Image.new("RGB", (width, max(panel.height for panel in panels) + 2 * _GAP), "white")
    left = _GAP
    for panel in panels:
        sheet.paste(panel, (left, _GAP))
        left += panel.width + _GAP
    return sheet


def png(field: FieldArrays) -> bytes:
    """Return the picture as the bytes of a PNG file."""
    stream = BytesIO()
    draw(field).save(stream, format="PNG")
    return stream.getvalue()


def _shown(field: FieldArrays, name: str) -> NDArray[np.float32]:
    data: NDArray[np.float32] = getattr(field, name)
    if name in ("x", "y") and field.quality is not None:
        return np.where(field.valid, data, np.float32(np.nan))
    return data


def _panel(name: str, data: NDArray[np.float32]) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    colours, low, high = _scale(name, data)
    height, width = data.shape
    zoom = _PANEL / max(height, width)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    drawn = Image.fromarray(_paint(data, colours, low, high)).resize(
        size, Image.Resampling.BOX if zoom < 1 else Image.Resampling.NEAREST
    )
    bar = Image.fromarray(np.tile(colours, (_BAR, 1, 1))).resize((max(size[0], 150), _BAR))
    panel = Image.new("RGB", (bar.width, size[1] + _BAR + 2 * _LINE + 6), "white")
    pen, font = ImageDraw.Draw(panel), ImageFont.load_default(13)
    pen.text((0, 0), _TITLES[name], fill="black", font=font)
    panel.paste(drawn, (0, _LINE))
    top = _LINE + size[1] + 4
    panel.paste(bar, (0, top))
    for place, value, anchor in ((0, low, "la"), (bar.width - 1, high, "ra")):
        pen.text((place, top + _BAR + 1), f"{value:.3g}", fill="black", font=font, anchor=anchor)
    return panel


def _scale(name: str, data: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
    if name in "xy":
        limit = robust_limit(data)
        return np.round(255 * diverging()).astype(np.uint8), -limit, limit
    grey = np.arange(256, dtype=np.uint8)
    return np.stack([grey] * 3, axis=1), *value_limits(data)


def _paint(
    data: NDArray[np.float32], colours: NDArray[np.uint8], low: float, high: float
) -> NDArray[np.uint8]:
    known = np.isfinite(data)
    level = np.clip((np.where(known, data, low) - low) / (high - low), 0, 1)
    painted = colours[np.round(level * (len(colours) - 1)).astype(np.intp)]
    painted[~known] = _UNKNOWN
    return painted
