"""Settings as a TOML file, written and read; the command line and the plugin share it.

What may be set, and what is allowed, is declared in `settings`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from shiftfield.strangers import clipped
from shiftfield.whole import whole

# bytes; a few lines are expected, and TOML's parser takes the square of a name's dots
_LARGEST = 20_000
_LONGEST = 250  # characters of a setting


def write(path: Path, settings: Mapping[str, Any]) -> None:
    """Write settings as TOML, whole or not at all; None, which TOML does not have, is written as "none"."""
    if path.is_file() and path.stat().st_size and not _is_toml(path):
        raise FileExistsError(
            f"{path} holds something else than settings; remove it, or choose another name."
        )
    lines = [f"{name} = {_text(value)}" for name, value in settings.items()]
    with whole(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Return the settings that a file holds: texts, numbers and switches.

    Raises
    ------
    ValueError
        When it is no TOML file, or sets a name that is not `known`, or one to something else.
    OSError
        When it cannot be read.
    """
    if not path.is_file():  # a pipe would be waited for
        raise FileNotFoundError(f"There is no file {path}.")
    if path.stat().st_size > _LARGEST:
        raise ValueError(
            f"{path} has {path.stat().st_size:,} bytes; a file of settings has at most {_LARGEST:,}."
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no TOML file: {clipped(str(error))}.") from error
    wrong = sorted(found.keys() - set(known))
    if wrong:
        raise ValueError(
            f"{path} sets {clipped(', '.join(wrong))}; settings are {', '.join(known)}."
        )
    for name, value in found.items():
        if not isinstance(value, str | int | float) or len(str(value)) > _LONGEST:
            raise ValueError(f"{path} sets {name} to what is no number, switch or short text.")
    return {name: None if value == "none" else value for name, value in found.items()}


def _is_toml(path: Path) -> bool:
    try:
        tomllib.loads(path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST else "?")
    except (ValueError, RecursionError):
        return False
    return True


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return json.dumps("none" if value is None else value, ensure_ascii=False)
    return str(value).lower()
