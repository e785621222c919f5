"""A display for the tests that open the viewer, a plain word when there is none, and settings of their own."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

# Before napari is imported: its settings, and ours beside them, are not those of whoever runs the tests.
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp(prefix="shiftfield-")) / "settings.yaml")

_VIEWER_FIXTURES = {"qtbot", "qapp", "make_napari_viewer", "make_napari_viewer_proxy"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open a window, so that `-m "not viewer"` leaves them out."""
    for item in items:
        if _VIEWER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("viewer")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a viewer test without a display: Qt would end the whole run, a skip would hide it."""
    if item.get_closest_marker("viewer") is None or sys.platform in ("win32", "darwin"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        pytest.fail(
            "there is neither a display nor Xvfb: run scripts/install-system-libraries",
            pytrace=False,
        )
