"""Names for screen readers, and underlined letters for the keyboard: what a control is called aloud.

A control is called by what is written on or beside it; what it is for is its tooltip.
"""

from __future__ import annotations

from typing import Any

from magicgui.widgets import Container


def written(field: Any) -> str:
    """Return what a person reads on a field (a button, a check box), else beside it."""
    return str(getattr(field, "text", "") or field.label or field.name)


def name_for_readers(form: Container[Any]) -> None:
    """Give each control of a form what is written there as accessible name, its tooltip as description."""
    for field in form:
        field.native.setAccessibleName(written(field))
        field.native.setAccessibleDescription(field.tooltip or "")
