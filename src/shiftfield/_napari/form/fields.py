"""Form fields made from `shiftfield.settings`: label, unit, default, range, choices, help.

No default, range or help text is written here.
"""

from __future__ import annotations

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox
from magicgui.widgets.bases import ValueWidget

from shiftfield.settings import Parameter, parameters

_ODD = ("window", "peak_size", "size")
_NOTHING_CHOSEN = "none"


def fields(settings: type[Any], *names: str) -> list[ValueWidget[Any]]:
    """Return one form field for each named parameter of a settings class, in the given order."""
    declared = parameters(settings)
    return [field(declared[name]) for name in names]


def field(parameter: Parameter) -> ValueWidget[Any]:
    """Return a combo box for a choice, a spin box for a whole number, a check box for a switch."""
    label = f"{parameter.label} ({parameter.unit})" if parameter.unit else parameter.label
    common: dict[str, Any] = {
        "name": parameter.name,
        "label": label,
        "tooltip": parameter.help,
        "value": parameter.default,
    }
    if isinstance(parameter.default, bool):
        return CheckBox(**common | {"label": "", "text": parameter.label})
    if parameter.choices:
        named = [(_NOTHING_CHOSEN if c is None else str(c), c) for c in parameter.choices]
        return ComboBox(choices=named, **common)
    if parameter.low is None or parameter.high is None:
        raise TypeError(
            f"{parameter.name} has neither choices nor a range, so it has no form field."
        )
    if isinstance(parameter.default, float):
        return FloatSpinBox(min=parameter.low, max=parameter.high, step=0.05, **common)
    step = 2 if parameter.name in _ODD else 1
    return SpinBox(min=int(parameter.low), max=int(parameter.high), step=step, **common)
