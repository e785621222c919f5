"""A probe in words: its numbers, line by line, and why the pixel is or is not believed."""

from __future__ import annotations

import numpy as np

from shiftfield import Probe, Quality
from shiftfield.field.reasons import WORDS

_OTHERS = {"transmission": "transmission", "dark_field": "dark field"}


def numbers(probe: Probe) -> list[tuple[str, str]]:
    """Return names and numbers, those that are known; shifts in px, match in the reference minus place."""
    found = [("row", str(probe.row)), ("column", str(probe.column))]
    for axis, sigma in (("x", probe.uncertainty_x), ("y", probe.uncertainty_y)):
        shift = getattr(probe, axis)
        text = "unknown" if np.isnan(shift) else f"{shift:+.3f}"
        found.append((f"{axis} (px)", text))
        if np.isfinite(sigma):
            found.append((f"uncertainty of {axis} (px)", f"{sigma:.3f}"))
    if probe.best is not None:
        found.append(("best whole shift (px)", "{:+d}, {:+d}".format(*probe.best)))
    for name in ("score", "second_peak"):
        if np.isfinite(getattr(probe, name)):
            found.append((name.replace("_", " "), f"{getattr(probe, name):.3f}"))
    for name, label in _OTHERS.items():
        if np.isfinite(getattr(probe, name)):
            found.append((label, f"{getattr(probe, name):.3f}"))
    return found


def lines(probe: Probe) -> str:
    """Return the numbers on a few lines for the dock."""
    known = dict(numbers(probe))
    text = [f"row {probe.row}, column {probe.column}"]
    for axis in ("x", "y"):
        sigma = known.get(f"uncertainty of {axis} (px)")
        shift = known[f"{axis} (px)"]
        unit = "" if shift == "unknown" else " px"
        give_or_take = f" \u00b1 {sigma}" if sigma else ""
        text.append(f"{axis} {shift}{give_or_take}{unit}")
    said = [f"score {known['score']}"] if "score" in known else []
    if "second peak" in known:
        said.append(f"second peak at {100 * probe.second_peak:.0f} % of it")
    said += [f"{name} {known[name]}" for name in _OTHERS.values() if name in known]
    return f"{text[0]}:  {text[1]},  {text[2]}\n" + ",  ".join(said)


def table(probe: Probe) -> str:
    """Return the numbers as a table for the clipboard, name and number with a tab between."""
    return "\n".join(f"{name}\t{number}" for name, number in numbers(probe))


def verdict(probe: Probe, bits: int | None, told: tuple[float, float] | None) -> str:
    """Return why the pixel is or is not believed.

    Parameters
    ----------
    probe : Probe
        What is seen at the pixel alone.
    bits : int or None
        What the quality layer of the search says; None where there is none.
    told : tuple of float or None
        The shift (x, y) that the layers show there, NaN where none; None where they say nothing.
    """
    against = probe.against if bits is None else Quality(bits)
    reasons = [words for bit, words in WORDS.items() if bit in against]
    if reasons:
        text = f"Not believed: {'; '.join(reasons)}."
    elif bits is None:
        text = "Nothing at this pixel speaks against it (neighbours and way back were not checked)."
    else:
        text = "Believed: nothing speaks against it."
    if told is not None and _differs(told, probe):
        x, y = told
        text += f" The layers say x {x:+.3f}, y {y:+.3f} px here: an image or a layer has changed since."
    return text


def _differs(told: tuple[float, float], probe: Probe) -> bool:
    """Whether layers show another shift than the probe finds; float32 engines may differ by a little."""
    there = np.array(told)
    return bool(np.isfinite(there).all() and not np.allclose(there, (probe.x, probe.y), atol=0.02))
