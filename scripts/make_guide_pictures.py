"""Draw the pictures of the guides into docs/pictures, from searches of images whose truth is known.

Run it as `python scripts/make_guide_pictures.py`; nothing in it needs a display.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shiftfield import find_shift_field, phase, samples, strain, synthetic, vorticity
from shiftfield.field.colours import diverging
from shiftfield.synthetic import speckle

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_SIDE, _LINE, _GAP = 250, 18, 10
_UNKNOWN = (205, 205, 205)
Panel = tuple[
    str, Any, float | None
]  # title, numbers, half width of the colours (None: grey from least to most)


def panel(title: str, data: Any, limit: float | None) -> Image.Image:
    """Return numbers in colours under a title; unknown ones are light grey."""
    data = np.asarray(data, float)
    known = np.isfinite(data)
    if limit is None:
        low, high = np.percentile(data[known], (0.5, 99.5))
        shades = np.repeat(np.arange(256)[:, None], 3, axis=1)
    else:
        low, high = -limit, limit
        shades = np.round(255 * diverging())
    level = np.clip((np.where(known, data, low) - low) / max(high - low, 1e-9), 0, 1)
    drawn = shades[np.round(level * (len(shades) - 1)).astype(int)].astype(np.uint8)
    drawn[~known] = _UNKNOWN
    height = round(_SIDE * data.shape[0] / data.shape[1])
    sheet = Image.new("RGB", (_SIDE, height + 2 * _LINE), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    pen.text((0, 0), title, fill="black", font=font)
    sheet.paste(Image.fromarray(drawn).resize((_SIDE, height), Image.Resampling.BOX), (0, _LINE))
    pen.text((0, height + _LINE), f"{low:.3g} to {high:.3g}", fill="#606060", font=font)
    return sheet


def row(name: str, panels: list[Panel]) -> None:
    """Write panels side by side."""
    drawn = [panel(*one) for one in panels]
    width = sum(one.width for one in drawn) + _GAP * (len(drawn) - 1)
    sheet = Image.new("RGB", (width, max(one.height for one in drawn)), "white")
    left = 0
    for one in drawn:
        sheet.paste(one, (left, 0))
        left += one.width + _GAP
    sheet.quantize(128).save(FOLDER / f"{name}.png", optimize=True)
    print(FOLDER / f"{name}.png")


def wavy(shape: tuple[int, int] = (200, 200), noise: float = 0.04) -> tuple[Any, Any, Any]:
    """Return reference, sample and the true x shift: waves that become shorter to the right, in noise."""
    x = np.broadcast_to(np.arange(shape[1], dtype=float), shape)
    true = 1.5 * np.sin(2 * np.pi * x * x / (2.2 * 60 * shape[1] / 2))
    rng = np.random.default_rng(0)
    reference, sample = speckle(shape, seed=4), speckle(shape, seed=4, shift=(true, 0.0))
    spread = noise * reference.std() * 5
    return (
        (reference + spread * rng.standard_normal(shape)).astype(np.float32),
        (sample + spread * rng.standard_normal(shape)).astype(np.float32),
        true,
    )


def window() -> None:
    """Too small a window reads noise, too large a one smears."""
    reference, sample, true = wavy()
    panels: list[Panel] = [("the true x shift, px", true, 2)]
    for size in (5, 11, 31):
        found = find_shift_field(reference, sample, window=size, margin=4)
        panels.append((f"window {size} px", found.x, 2))
    row("guide-window", panels)


def margin() -> None:
    """A margin below the motion gives an answer at its border, which the checks find."""
    y, x = np.mgrid[:200, :200]
    true = 6.0 * np.exp(-((x - 100) ** 2 + (y - 100) ** 2) / (2 * 40.0**2))
    reference, sample = speckle((200, 200), seed=5), speckle((200, 200), seed=5, shift=(true, 0.0))
    panels: list[Panel] = [("the true x shift, px", true, 7)]
    for size in (8, 4):
        found = find_shift_field(reference, sample, window=11, margin=size)
        panels.append((f"margin {size} px", found.x, 7))
    found = find_shift_field(reference, sample, window=11, margin=4, quality=True)
    panels.append(("margin 4 px, checked", np.where(found.valid, found.x, np.nan), 7))
    row("guide-margin", panels)


def periodic() -> None:
    """A texture that repeats fits at several shifts."""
    y, x = np.mgrid[:200, :200]
    fabric = np.sin(2 * np.pi * x / 8) + np.sin(2 * np.pi * y / 8)
    rng = np.random.default_rng(1)
    blend = np.clip((x - 60) / 80, 0, 1)
    noise = speckle((200, 200), seed=6)
    moved = speckle((200, 200), seed=6, shift=(2.0, 0.0))
    turned = np.sin(2 * np.pi * (x + 2) / 8) + np.sin(2 * np.pi * y / 8)
    spread = 0.2 * rng.standard_normal((2, 200, 200))
    reference = (1 - blend) * fabric + 4 * blend * noise + spread[0]
    sample = (1 - blend) * turned + 4 * blend * moved + spread[1]
    found = find_shift_field(reference, sample, window=15, margin=10, quality=True)
    row(
        "guide-periodic",
        [
            ("reference: fabric, then speckle", reference, None),
            ("x shift, px (true: 2)", found.x, 10),
            ("second peak over the best", found.second_peak, None),
            ("x shift that is believed", np.where(found.valid, found.x, np.nan), 10),
        ],
    )


def refinement() -> None:
    """A peak fit leans towards whole pixels; the refinement does not."""
    true = np.broadcast_to(np.linspace(0, 2, 200), (120, 200))
    reference, sample = (
        speckle((120, 200), seed=7, sigma=1.0),
        speckle((120, 200), seed=7, sigma=1.0, shift=(true, 0.0)),
    )
    plain = find_shift_field(reference, sample, window=21, margin=4)
    fine = find_shift_field(reference, sample, window=21, margin=4, refine="icgn", shape_order=1)
    row(
        "guide-refinement",
        [
            ("true x shift, px: 0 to 2", true, 2),
            ("error of the peak fit, px", plain.x - true, 0.1),
            ("error of refine='icgn', px", fine.x - true, 0.1),
        ],
    )


def speckle_imaging() -> None:
    """A simulated scan: what was put in and what is found."""
    scan = synthetic.speckle_scan(noise=0.01)
    field = find_shift_field(scan.reference, scan.sample, method="umpa_dark", window=7, margin=5)
    found = phase(field, pixel_size=0.65e-6, distance=1.0, energy=20)
    row(
        "guide-speckle",
        [
            ("transmission", field.transmission, None),
            ("dark field", field.dark_field, None),
            ("x shift, px", field.x, 3),
            ("phase, rad", found.phase, None),
        ],
    )


def tensile_test() -> None:
    """The strain along the load."""
    first, *loads = samples.tensile_test()
    panels: list[Panel] = []
    for number, image in enumerate(loads, start=1):
        field = find_shift_field(
            first,
            image,
            window=31,
            margin=12,
            step=4,
            start="pyramid",
            refine="icgn",
            shape_order=1,
            quality=True,
        )
        panels.append((f"load {number}: exx, %", 100 * strain(field, window=31).exx, 2.0))
    row("guide-strain", panels)


def flow() -> None:
    """The vortices behind a cylinder."""
    reference, sample = samples.cylinder_flow()
    field = find_shift_field(reference, sample, window=31, margin=12, step=4, quality=True)
    row(
        "guide-flow",
        [
            ("x shift that is believed, px", np.where(field.valid, field.x, np.nan), 4),
            ("y shift that is believed, px", np.where(field.valid, field.y, np.nan), 1),
            ("vorticity, 1 / frame", vorticity(field, window=31), 0.02),
        ],
    )


PICTURES: list[Callable[[], None]] = [
    window, margin, periodic, refinement, speckle_imaging, tensile_test, flow,
]  # fmt: skip

if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pixels without an answer
        for picture in PICTURES:
            picture()
