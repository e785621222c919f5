"""The last values of each dock, kept beside napari's own settings; nothing where napari keeps none.

They are TOML files, as the command line's; a file that cannot be read or written is no obstacle.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from napari.settings import get_settings

from shiftfield._napari.form.preferences import preferences
from shiftfield.settings_file import read, write

_log = logging.getLogger(__name__)


def last_values(dock: str, known: Collection[str]) -> dict[str, Any]:
    """Return the values that a dock had when it last ran; empty where none are known."""
    path = _path(dock)
    if path is None or not path.is_file() or not preferences().remember:
        return {}
    try:
        return read(path, known)
    except (OSError, ValueError) as error:
        _log.info("The last values of %s are not used: %s", dock, error)
        return {}


def remember(dock: str, values: Mapping[str, Any]) -> None:
    """Keep the values that a dock runs with."""
    path = _path(dock)
    if path is None or not preferences().remember:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, values)
    except OSError as error:
        _log.info("The values of %s are not kept: %s", dock, error)


def _path(dock: str) -> Path | None:
    """Return where a dock's values are kept; None where napari was told to keep nothing."""
    config = get_settings().config_path
    return Path(config).parent / "shiftfield" / f"{dock}.toml" if config else None
