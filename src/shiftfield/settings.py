"""Every setting that a user may choose: default, range, unit and one-line help, declared once.

The widgets, the documentation tables and the checks read these declarations; nothing here computes.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from shiftfield.scores import METHODS

PEAK_METHODS = ("diff", "poly_fit")
WEIGHTS = ("hann", "bartlett", "blackman", "hamming", "nuttall", "parzen", "triang")
DEVICES = ("auto", "cpu", "gpu", "hybrid", "reference")
STARTS = (None, "global", "pyramid", "given")
POINTS, MAP = "local points", "whole map"  # approaches to a global shift
_LONGEST = 60  # characters of a value that are shown
GLOBAL_VALUES = ("mixed", "median", "mean")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting as a person meets it: name, label, default, unit, help, and what is allowed.

    `high` of a whole number is the most that a widget offers; calls may go beyond it.
    """

    name: str
    label: str
    default: Any
    unit: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()

    def check(self, value: Any) -> Any:
        """Return `value` as a plain number, switch or str, or raise a ValueError that says what is allowed."""
        if self.choices:
            return check_choice(self.name, value, self.choices)
        if isinstance(self.default, bool):
            return check_switch(self.name, value)
        if self.low is None:
            return value
        if value is None and self.default is None:
            return None
        if isinstance(self.default, float):
            return check_number(self.name, value, self.low, self.high, self.unit)
        return check_integer(self.name, value, int(self.low), self.unit)


def shown(value: Any) -> str:
    """Return a value as a part of a sentence: on one line, and not at length."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def check_integer(name: str, value: Any, low: int | None, unit: str = "") -> int:
    """Return `value` as an int of at least `low`, if any; raise a ValueError in one sentence otherwise."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole:
        whole = isinstance(value, numbers.Real) and float(value).is_integer()
        whole = whole and not isinstance(value, bool)
    if not whole or (low is not None and int(value) < low):
        least = "" if low is None else f" of at least {low}{' ' * bool(unit)}{unit}"
        raise ValueError(f"{name} is {shown(value)}; it must be a whole number{least}.")
    return int(value)


def check_switch(name: str, value: Any, *, or_number: bool = False) -> bool:
    """Return `value` as a bool; raise a ValueError in one sentence when it is none.

    0 and 1 are taken with `or_number`: scripts that were written for algotom give them.
    """
    number = or_number and isinstance(value, numbers.Integral) and value in (0, 1)
    if number or type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise ValueError(f"{name} is {shown(value)}; allowed are True and False.")


def check_choice(
    name: str, value: Any, choices: tuple[Any, ...], words: Mapping[Any, str] | None = None
) -> Any:
    """Return the one of some names and numbers that `value` is; raise a ValueError that lists them otherwise.

    `words` says more of a choice than its name.
    """
    plain = isinstance(value, str | numbers.Real | None) and not isinstance(value, bool)
    if plain and value in choices:
        return choices[choices.index(value)]
    *some, last = ((words or {}).get(one, repr(one)) for one in choices)
    raise ValueError(f"{name} is {shown(value)}; allowed are {', '.join(some)} and {last}.")


def check_number(name: str, value: Any, low: float, high: float | None, unit: str = "") -> float:
    """Return `value` as a float in [low, high]; raise a ValueError in one sentence otherwise."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not low <= float(value) <= (float("inf") if high is None else high):
        most = "" if high is None else f" and at most {high:g}"
        of = f"{' ' * bool(unit)}{unit}"
        raise ValueError(
            f"{name} is {shown(value)}; it must be a number of at least {low:g}{most}{of}."
        )
    return float(value)


def _declare(
    default: Any,
    label: str,
    help: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
) -> Any:
    metadata = {
        "label": label, "help": help, "unit": unit, "low": low, "high": high, "choices": choices,
    }  # fmt: skip
    return field(default=default, metadata=metadata)


def parameters(settings: type[Any]) -> dict[str, Parameter]:
    """Return the declared parameters of a settings class, by name and in order."""
    return {
        f.name: Parameter(name=f.name, default=f.default, **f.metadata)
        for f in fields(settings)
        if f.metadata and f.default is not MISSING
    }


def _declare_peak_fit() -> Any:
    return _declare(
        "diff",
        "Peak fit",
        "Sub-pixel peak: finite differences over 3x3 scores, or a least-squares paraboloid.",
        choices=PEAK_METHODS,
    )


def _declare_peak_size() -> Any:
    return _declare(
        3,
        "Peak size",
        "Side of the square of scores that 'poly_fit' fits its paraboloid to; odd, 3 to 9.",
        unit="px",
        low=1,
        high=9,
    )


def odd(size: int) -> int:
    """Return `size`, or the next odd number when it is even (4 -> 5)."""
    return 2 * (size // 2) + 1


class _Checked:
    """Checks every declared field when a settings object is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, parameter in parameters(type(self)).items():
            object.__setattr__(self, name, parameter.check(getattr(self, name)))

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as a plain dict of numbers, strings and None."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(_Checked):
    """How a dense shift field is found: the score, the window, the search, the peak, the machine.

    Lengths are in px, memory in bytes. Each field has its default, range, unit and help in its declaration.

    Raises
    ------
    ValueError
        When a value is not allowed, or two of them do not go together; one sentence says which.
    """

    method: str = _declare(
        "pearson",
        "Method",
        "Score that is maximised: Pearson correlation, UMPA (with transmission), "
        "or UMPA with dark field.",
        choices=tuple(METHODS),
    )
    window: int = _declare(
        7,
        "Window",
        "Side of the square window that is compared; even sizes are rounded up to odd.",
        unit="px",
        low=1,
        high=301,
    )
    margin: int = _declare(
        10,
        "Margin",
        "Largest shift that is tried, in each direction.",
        unit="px",
        low=1,
        high=200,
    )
    search: str = _declare(
        "2d",
        "Search",
        "2-D search, or two independent 1-D searches (frame stacks only; right only where the "
        "shift across the search is far below the speckle size).",
        choices=("2d", "1d"),
    )
    peak: str = _declare_peak_fit()
    peak_size: int = _declare_peak_size()
    weight: str | None = _declare(
        None,
        "Weight",
        "Weight of the pixels inside the window; None gives all the same weight.",
        choices=(None, *WEIGHTS),
    )
    step: int = _declare(
        1,
        "Step",
        "Compute every step-th pixel in each direction.",
        unit="px",
        low=1,
        high=64,
    )
    refine: str | None = _declare(
        None,
        "Refinement",
        "How the best whole-pixel shift is refined: by the peak fit (None), or by matching the "
        "interpolated window itself ('icgn', inverse-compositional Gauss-Newton).",
        choices=(None, "icgn"),
    )
    shape_order: int = _declare(
        0,
        "Shape order",
        "How a window may deform in the refinement: 0 moves it, 1 also stretches and shears it.",
        choices=(0, 1),
    )
    uncertainty: bool = _declare(
        False,
        "Uncertainty",
        "Estimate one sigma of each shift, px, from the noise and the texture in its window.",
    )
    quality: bool = _declare(
        False,
        "Quality",
        "Check each pixel (score, second peak, search border, texture, neighbours, way back) and "
        "let only those that pass be valid.",
    )
    start: str | None = _declare(
        None,
        "Start",
        "Where each pixel's search is centred: on no shift (None), on one shift of the whole image ('global'), "
        "on a field found from coarse to fine ('pyramid'), or on a shift or field that is given ('given').",
        choices=STARTS,
    )
    borders: str = _declare(
        "unknown",
        "Borders",
        "Near the edge of the image: no answer ('unknown'), or answers from partial windows ('partial').",
        choices=("unknown", "partial"),
    )
    coverage: float = _declare(
        0.5,
        "Coverage",
        "Least part of a window's weight that must be free of the mask and inside the image.",
        low=0.0,
        high=1.0,
    )
    device: str = _declare(
        "auto",
        "Device",
        "Where to compute; 'reference' is the slow float64 specification.",
        choices=DEVICES,
    )
    ncore: int | None = _declare(
        None,
        "Cores",
        "Threads to use; None takes all cores the process may use.",
        low=1,
        high=1024,
    )
    memory: str | int | None = _declare(
        None,
        "Memory",
        "Most memory for a search beyond its answer, such as '2 GB'; None lets the program choose.",
        unit="bytes",
    )

    def __post_init__(self) -> None:
        _Checked.__post_init__(self)
        object.__setattr__(self, "window", odd(self.window))
        object.__setattr__(self, "peak_size", peak_size(self.peak, self.peak_size))
        if self.search == "1d" and self.method != "pearson":
            raise ValueError(
                f"search is '1d' with method {self.method!r}; a 1-D search is only defined for 'pearson'."
            )
        self._check_1d()

    def _check_1d(self) -> None:
        for name, nothing in _ONLY_2D.items():
            if self.search == "1d" and getattr(self, name) != nothing:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r} with search '1d'; it needs search '2d'."
                )


_ONLY_2D = {
    "refine": None, "uncertainty": False, "quality": False, "start": None, "borders": "unknown",
}  # fmt: skip


def peak_size(method: str, size: int) -> int:
    """Return the side of the neighbourhood a peak fit uses: 3 for "diff", else odd and 3 to 9."""
    return 3 if method == "diff" else min(max(odd(size), 3), 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds(_Checked):
    """What a pixel must pass to be valid, where quality is asked for.

    Distances are in px, all others are ratios. Each field has its default, range and help in its declaration.

    Raises
    ------
    ValueError
        When a value is not allowed; one sentence says which.
    """

    score: float = _declare(
        0.5,
        "Score",
        "Least score, as a correlation coefficient (for UMPA the root of the score).",
        low=0.0,
        high=1.0,
    )
    second_peak: float = _declare(
        0.9,
        "Second peak",
        "Greatest second peak: the best score away from the peak, over the score of the peak.",
        low=0.0,
        high=1.0,
    )
    texture: float = _declare(
        0.15,
        "Texture",
        "Least standard deviation of the sample's window, over the median of all windows.",
        low=0.0,
        high=1.0,
    )
    way_back: float = _declare(
        0.5,
        "Way back",
        "Greatest distance between a pixel and where the way there and back ends.",
        unit="px",
        low=0.0,
        high=100.0,
    )
    residual: float = _declare(
        3.0,
        "Residual",
        "Greatest distance from the median of the neighbours, over their scatter plus the tolerance.",
        low=0.0,
        high=1000.0,
    )
    tolerance: float = _declare(
        0.2,
        "Tolerance",
        "Difference between neighbours that is always allowed.",
        unit="px",
        low=0.001,
        high=100.0,
    )


def check_thresholds(thresholds: Any) -> Thresholds:
    """Return thresholds, or raise a ValueError in one sentence when they are none."""
    if not isinstance(thresholds, Thresholds):
        raise ValueError(f"thresholds is {thresholds!r}; it must be a shiftfield.Thresholds.")
    return thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakSettings(_Checked):
    """How the peak of one correlation map is located."""

    method: str = _declare_peak_fit()
    dim: str = _declare(
        "2",
        "Fit",
        "Fit the peak in both axes together (2), or the row and the column through it (1).",
        choices=("2", "1"),
    )
    size: int = _declare_peak_size()
    extremum: str = _declare(
        "maximum",
        "Look for",
        "Look for the highest score of the map, or for the lowest.",
        choices=("maximum", "minimum"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalSettings(_Checked):
    """How one shift for a whole image is found from local shifts at a few points."""

    approach: str = _declare(
        POINTS,
        "Approach",
        "Median or mean of local shifts at a few points, or the peak of one map of the whole image.",
        choices=(POINTS, MAP),
    )
    window: int = _declare(
        41,
        "Window",
        "Side of the square window around each point; even sizes are rounded up to odd.",
        unit="px",
        low=1,
        high=1001,
    )
    margin: int = _declare(
        10, "Margin", "Largest shift that is tried, in each direction.", unit="px", low=1, high=500
    )
    num_point: int = _declare(
        30, "Points", "Number of random points; the same ones at every run.", low=1, high=100000
    )
    global_value: str = _declare(
        "mixed",
        "Global value",
        "Mean of the middle six shifts ('mixed'), their median, or their mean without the extremes.",
        choices=GLOBAL_VALUES,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings(_Checked):
    """How a shift field is drawn."""

    spacing: int = _declare(
        16, "Vector spacing", "Distance between the vectors that are drawn.", unit="px",
        low=1, high=1000,
    )  # fmt: skip
    length: int = _declare(
        1, "Vector length", "Factor by which the vectors are drawn longer than the motion.",
        unit="x", low=1, high=1000,
    )  # fmt: skip


DEFAULT = Settings()
