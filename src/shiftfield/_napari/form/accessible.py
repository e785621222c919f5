"""Names for screen readers, and underlined letters for the keyboard: what a control is called aloud.

A control is called by its label; what it is for is its tooltip.
"""

from __future__ import annotations

from typing import Any

from magicgui.widgets import Container


def name_for_readers(form: Container[Any]) -> None:
    """Give each control of a form its label as accessible name and its tooltip as description."""
    for field in form:
        text = field.label or getattr(field, "text", "") or field.name
        field.native.setAccessibleName(str(text))
        field.native.setAccessibleDescription(field.tooltip or "")
