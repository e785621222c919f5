"""Options of the command line from the declarations in `settings`, and settings from options and TOML files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from shiftfield.settings import Parameter, Settings, Thresholds, parameters
from shiftfield.settings_file import read, write

_PREFIX = "threshold_"
THRESHOLDS = {_PREFIX + name: one for name, one in parameters(Thresholds).items()}


def add_settings(
    parser: argparse.ArgumentParser, settings: type[Any], leave_out: Collection[str] = ()
) -> None:
    """Add an option for each declared setting, and those that read and write all of them."""
    group = parser.add_argument_group("settings")
    add_options(group, {n: one for n, one in parameters(settings).items() if n not in leave_out})
    group.add_argument(
        "--settings", type=Path, metavar="FILE", help="read settings from a TOML file; options win"
    )
    group.add_argument(
        "--save-settings", type=Path, metavar="FILE", help="write the settings to a TOML file"
    )


def add_thresholds(parser: argparse.ArgumentParser) -> None:
    """Add an option for each thing that a valid pixel must pass, with `--quality`."""
    group = parser.add_argument_group("what a pixel must pass to be valid, with --quality")
    add_options(group, THRESHOLDS)


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a command prints."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only say what would be done, and how long it would take",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def thresholds_of(given: argparse.Namespace) -> Thresholds:
    """Return the thresholds that were given: the defaults, then the TOML file, then the options."""
    stored = _stored(given.settings, parameters(Settings))
    chosen = {name: stored[name] for name in THRESHOLDS if name in stored}
    chosen |= {
        name: getattr(given, name) for name in THRESHOLDS if getattr(given, name) is not None
    }
    return Thresholds(**{name.removeprefix(_PREFIX): value for name, value in chosen.items()})


def add_options(group: Any, declared: dict[str, Parameter]) -> None:
    """Add an option for each declared setting; None where it is not given."""
    for name, parameter in declared.items():
        if name == "start":  # a shell has no array to give
            parameter = replace(
                parameter, choices=tuple(c for c in parameter.choices if c != "given")
            )
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


def settings_of(given: argparse.Namespace, settings: type[Any], **more: Any) -> Any:
    """Return the settings that were given: the defaults, then `more`, then the TOML file, then the options.

    Raises
    ------
    ValueError
        When a value is not allowed, or the file has a name that is no setting.
    """
    known = parameters(settings)
    stored = _stored(given.settings, known)
    chosen = {**more, **{name: value for name, value in stored.items() if name in known}}
    for name in known:
        value = getattr(given, name, None)
        if value is not None:
            chosen[name] = None if value == "none" else value
    found = settings(**chosen)
    if given.save_settings:
        write(given.save_settings, found.as_dict())
    return found


def _stored(path: Path | None, known: dict[str, Parameter]) -> dict[str, Any]:
    """Return what a TOML file sets, if there is one; an error about a value names the file."""
    declared = known | THRESHOLDS
    found = read(path, list(declared)) if path else {}
    for name, value in found.items():
        try:
            declared[name].check(value)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return found


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
