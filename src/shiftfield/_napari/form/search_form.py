"""The part of a form that chooses a search: fields from the declarations, and settings from the fields.

A field that is disabled does not count; what it would ask for is what nobody asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from magicgui.widgets import CheckBox, Container
from magicgui.widgets.bases import ValueWidget, Widget

from shiftfield._napari.form.accessible import written
from shiftfield._napari.form.fields import field
from shiftfield.settings import Settings, Thresholds, parameters

_THRESHOLD = "threshold_"
_DECLARED = parameters(Settings)
_THRESHOLDS = parameters(Thresholds)
_STARTS = (None, "global", "pyramid")  # what needs nothing else
THRESHOLD_FIELDS = tuple(_THRESHOLD + name for name in _THRESHOLDS)
FILE_NAMES = (*_DECLARED, *THRESHOLD_FIELDS)  # what a file of settings may set


def search_fields(*names: str) -> list[ValueWidget[Any]]:
    """Return a field for each named setting; `threshold_...` are those of `Thresholds`."""
    return [_field(name) for name in names]


def _field(name: str) -> ValueWidget[Any]:
    if name.startswith(_THRESHOLD):
        declared = _THRESHOLDS[name.removeprefix(_THRESHOLD)]
        label = f"{declared.label} threshold"
        return field(replace(declared, name=name, label=label))
    declared = _DECLARED[name]
    return field(replace(declared, choices=_STARTS) if name == "start" else declared)


class More(CheckBox):
    """A switch that shows and hides the fields that few need."""

    def __init__(self, hidden: Sequence[Widget]) -> None:
        super().__init__(
            name="more",
            text="More settings",
            tooltip=f"Show {', '.join(map(written, hidden))}.",
        )
        self._hidden = hidden
        self.changed.connect(self.apply)

    def apply(self, *_: Any) -> None:
        """Show the fields, or hide them."""
        for widget in self._hidden:
            widget.visible = bool(self.value)


def settings_of(form: Container[Any], **fixed: Any) -> Settings:
    """Return what a form says of the search, with `fixed` settings that are no field."""
    return Settings(**values_of(form, _DECLARED) | fixed)


def thresholds_of(form: Container[Any]) -> Thresholds:
    """Return what a form says a valid pixel must pass."""
    found = values_of(form, THRESHOLD_FIELDS)
    return Thresholds(**{name.removeprefix(_THRESHOLD): value for name, value in found.items()})


def counting(form: Container[Any], plane: bool) -> dict[str, bool]:
    """Return which fields count, by name, with what others say; `plane`: both axes are searched together."""
    return {
        "peak_size": form["peak"].value == "poly_fit",
        "shape_order": plane and form["refine"].value == "icgn",
        "coverage": plane and form["borders"].value == "partial",
        **dict.fromkeys(("refine", "uncertainty", "quality", "start", "borders"), plane),
    }


def values_of(form: Container[Any], names: Any) -> dict[str, Any]:
    """Return the values of those named fields that a form has and that count."""
    return {
        name: form[name].value for name in names if name in fields_of(form) and form[name].enabled
    }


def fields_of(form: Container[Any]) -> list[str]:
    """Return the names of a form's fields."""
    return [str(widget.name) for widget in form]
