"""Fixtures of the plugin's tests: images, a viewer, a dock opened as a person does, what was shown."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clicking import DOCKS, Pair, make_pair
from napari.components import ViewerModel
from napari.utils.notifications import Notification, notification_manager
from npe2 import PluginManager


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Docks open with their defaults, whatever another test ran."""
    shutil.rmtree(Path(os.environ["NAPARI_CONFIG"]).parent / "shiftfield", ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def plugins_are_known() -> None:
    """The viewer without a window does not look for plugins by itself."""
    PluginManager.instance().discover()


@pytest.fixture
def pair() -> Pair:
    return make_pair()


@pytest.fixture
def stacks() -> Pair:
    return make_pair(frames=4)


@pytest.fixture
def viewer() -> ViewerModel:
    """The viewer without its window: layers, dimensions, events. It takes no time to make."""
    return ViewerModel()


@pytest.fixture
def open_dock(viewer: ViewerModel, qtbot: Any) -> Callable[[str], Any]:
    """Make one of the plugin's docks, by the name in the menu."""

    def opened(name: str) -> Any:
        dock = DOCKS[name](viewer)
        qtbot.addWidget(dock.native)
        return dock

    return opened


@pytest.fixture
def window(make_napari_viewer: Callable[..., Any]) -> Any:
    """The viewer as a person sees it."""
    return make_napari_viewer(show=True)


@pytest.fixture
def open_in_window(window: Any) -> Callable[[str], Any]:
    """Open one of the plugin's docks through napari, by the name in the menu."""

    def opened(name: str) -> Any:
        return window.window.add_plugin_dock_widget("shiftfield", name)[1]

    return opened


@pytest.fixture
def told() -> Iterator[list[Notification]]:
    """The notifications that napari shows during the test."""
    shown: list[Notification] = []

    def keep(note: Notification) -> None:
        shown.append(note)

    notification_manager.notification_ready.connect(keep)
    yield shown
    notification_manager.notification_ready.disconnect(keep)
