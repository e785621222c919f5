"""Options of the command line from the declarations in `settings`, and settings from options and TOML files."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from shiftfield.settings import Parameter, parameters


def add_settings(
    parser: argparse.ArgumentParser, settings: type[Any], leave_out: Collection[str] = ()
) -> None:
    """Add an option for each declared setting, and those that read and write all of them."""
    group = parser.add_argument_group("settings")
    for name, parameter in parameters(settings).items():
        if name in leave_out:
            continue
        if isinstance(parameter.default, bool):
            group.add_argument(
                "--" + name.replace("_", "-"), dest=name, default=None,
                action=argparse.BooleanOptionalAction, help=_help(parameter),
            )  # fmt: skip
        else:
            group.add_argument(
                "--" + name.replace("_", "-"), dest=name, type=_reader(parameter),
                metavar=_metavar(parameter), help=_help(parameter),
            )  # fmt: skip
    group.add_argument(
        "--settings", type=Path, metavar="FILE", help="read settings from a TOML file; options win"
    )
    group.add_argument(
        "--save-settings", type=Path, metavar="FILE", help="write the settings to a TOML file"
    )


def settings_of(given: argparse.Namespace, settings: type[Any], **more: Any) -> Any:
    """Return the settings that were given: the defaults, then `more`, then the TOML file, then the options.

    Raises
    ------
    ValueError
        When a value is not allowed, or the file has a name that is no setting.
    """
    known = parameters(settings)
    chosen = {**more, **(_read(given.settings, known) if given.settings else {})}
    for name in known:
        value = getattr(given, name, None)
        if value is not None:
            chosen[name] = None if value == "none" else value
    found = settings(**chosen)
    if given.save_settings:
        write(given.save_settings, found.as_dict())
    return found


def write(path: Path, settings: dict[str, Any]) -> None:
    """Write settings as TOML; what is None, which TOML has not, is "none"."""
    lines = []
    for name, value in settings.items():
        text = (
            f'"{value or "none"}"'
            if value is None or isinstance(value, str)
            else str(value).lower()
        )
        lines.append(f"{name} = {text}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _read(path: Path, known: dict[str, Parameter]) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML file: {error}.") from error
    wrong = sorted(found.keys() - known.keys())
    if wrong:
        raise ValueError(f"{path} sets {', '.join(wrong)}; settings are {', '.join(known)}.")
    return {name: None if value == "none" else value for name, value in found.items()}


def _reader(parameter: Parameter) -> Callable[[str], Any]:
    """Return what turns the text of an option into its value; an error of it names what is allowed."""

    def read(text: str) -> Any:
        value: Any = text
        whole = parameter.choices and isinstance(parameter.default, int)
        if (parameter.low is not None or whole) and text != "none":
            try:
                value = float(text) if "." in text else int(text)
            except ValueError:
                value = text
        try:
            parameter.check(None if text == "none" else value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return read


def _metavar(parameter: Parameter) -> str:
    if parameter.choices:
        return "|".join("none" if choice is None else str(choice) for choice in parameter.choices)
    return parameter.unit.upper() or "N"


def _help(parameter: Parameter) -> str:
    default = "none" if parameter.default is None else parameter.default
    unit = f" {parameter.unit}" if parameter.unit and parameter.default is not None else ""
    return f"{parameter.help} (default: {default}{unit})".replace("%", "%%")
