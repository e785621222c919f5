"""Settings as a TOML file, written and read; the command line and the plugin share it.

What may be set, and what is allowed, is declared in `settings`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

_LARGEST = 1_000_000  # bytes; a few lines are expected


def write(path: Path, settings: Mapping[str, Any]) -> None:
    """Write settings as TOML; what is None, which TOML has not, is "none"."""
    lines = [f"{name} = {_text(value)}" for name, value in settings.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Return the settings that a file holds.

    Raises
    ------
    ValueError
        When it is no TOML file, or sets a name that is not `known`.
    OSError
        When it cannot be read.
    """
    if path.stat().st_size > _LARGEST:
        raise ValueError(
            f"{path} has {path.stat().st_size:,} bytes; a file of settings has a few lines."
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no TOML file: {error}.") from error
    wrong = sorted(found.keys() - set(known))
    if wrong:
        raise ValueError(f"{path} sets {', '.join(wrong)}; settings are {', '.join(known)}.")
    return {name: None if value == "none" else value for name, value in found.items()}


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return json.dumps("none" if value is None else value, ensure_ascii=False)
    return str(value).lower()
