"""A form field for a number with its unit, such as "0.65 um", "2 m" or "25 keV", checked by pint.

What kinds of quantity there are, and what they are worth in the library's units, is said here too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import pint
from magicgui.widgets import LineEdit

from shiftfield._napari.layers.inputs import is_pixel, symbol
from shiftfield.physics.wave import PLANCK_TIMES_LIGHT

# A number and the name of one unit: pint's own parser would also work out powers of powers.
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\W\d_]*)\s*")


@dataclass(frozen=True)
class Kind:
    """A kind of quantity: its name in a sentence, the library's unit, other units that mean the same.

    Attributes
    ----------
    name : str
        As in "a length".
    unit : str
        Of the number that the library takes.
    examples : str
        What a person may type.
    """

    name: str
    unit: str
    examples: str


LENGTH = Kind("a length", "m", "0.65 um, 0.2 mm or 2 m")
ENERGY = Kind("an energy or a wavelength", "keV", "25 keV, 12000 eV or 0.5 angstrom")


def parse(text: str, kind: Kind, label: str) -> float:
    """Return what a text says, in the unit of its kind.

    Parameters
    ----------
    text : str
        A positive number and a unit; the energy of photons may be said by their wavelength.
    kind : Kind
        What it must be.
    label : str
        What the quantity is called where something is wrong.

    Raises
    ------
    ValueError
        When it is no such quantity: in one sentence what was given and what is allowed.
    """
    found = _NUMBER.fullmatch(text)
    value = _in_unit(float(found[1]), found[2], kind) if found is not None and found[2] else None
    if value is None or not 0 < value < math.inf:
        given = repr(text) if text.strip() else "missing"
        raise ValueError(
            f"{label} is {given}; it must be {kind.name} above 0 with its unit, such as {kind.examples}."
        )
    return value


def _in_unit(number: float, unit: str, kind: Kind) -> float | None:
    """Return a number of some unit in the unit of a kind; None where it is of another kind."""
    registry: Any = pint.application_registry
    try:
        given = registry.Quantity(number, registry.parse_units(unit))
        if is_pixel(given.units):
            return None
        if kind is ENERGY and given.check("[length]"):
            return float(PLANCK_TIMES_LIGHT / given.to("m").magnitude)
        return float(given.to(kind.unit).magnitude)
    except (pint.PintError, ArithmeticError, ValueError):
        return None


def in_words(number: float, unit: Any) -> str:
    """Return "0.65 µm" for a number of a unit of pint."""
    return f"{number:.9g} {symbol(unit)}"


class QuantityField(LineEdit):
    """A line for a number with its unit.

    Parameters
    ----------
    kind : Kind
        What may be typed.
    tooltip : str
        What it means.
    example : str
        What is shown while nothing is typed; the first example of the kind if empty.
    **kwargs
        As of any field; `value` is the text to begin with.
    """

    def __init__(self, kind: Kind, *, tooltip: str = "", example: str = "", **kwargs: Any) -> None:
        self._kind = kind
        allowed = f"With its unit, such as {kind.examples}."
        super().__init__(tooltip=f"{tooltip} {allowed}".strip(), **kwargs)
        self._offered = str(self.value)
        self.native.setPlaceholderText(example or kind.examples.partition(",")[0])

    def number(self) -> float:
        """Return the quantity in the library's unit; a ValueError says in one sentence what is wrong."""
        return parse(str(self.value), self._kind, self.label)

    def offer(self, text: str) -> None:
        """Fill in `text`, unless a person has typed something."""
        if str(self.value) == self._offered:
            self.value = self._offered = text
