"""Scripts and command lines of what is made of fields: phase, strain and the like, and of scans.

Only texts are made here, from a layer's metadata; those of searches are made in `searches`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from shiftfield._napari.recipe.fields import SIDES, changed, field_lines, literal
from shiftfield._napari.recipe.pixels import must_be_there, pixel_lines
from shiftfield.settings import Settings

# The layers of a result, the one on top first, and what of the function's answer they show.
_SHOWN = {
    "phase": {"phase": ".phase", "refraction x": ".refraction_x", "refraction y": ".refraction_y"},
    "strain": {
        "strain exx": ".exx", "strain eyy": ".eyy", "strain exy": ".exy", "rotation": ".rotation",
    },
    "warp": {"sample on reference": ""},
}  # fmt: skip


def _result(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make the layers of a result."""
    function, given = about["made_by"], dict(about["settings"])
    shown = _SHOWN.get(function, {function: ""})
    if function == "phase" and not given.pop("angles", True):
        shown = {"phase": ".phase"}
    arguments = [f"{name}={value!r}" for name, value in given.items()]
    lines, first = field_lines(about), ["field"]
    if function == "warp":
        again = pixel_lines(about["input"], "sample")
        lines += again if not set(again) <= set(lines) else []
        first = ["sample", "field"]
    lines += [
        f"found = shiftfield.{function}({', '.join([*first, *arguments])})",
        f"placement = {literal(about['placement'])}",
    ]
    top = next(iter(shown))
    if len(shown) == 1:
        return [*lines, f"viewer.add_image(found{shown[top]}, name={top!r}, **placement)"]
    return [
        *lines,
        "images = {",
        *(f"    {name!r}: found{part}," for name, part in reversed(shown.items())),
        "}",
        "for name, image in images.items():",
        f"    viewer.add_image(image, name=name, visible=name == {top!r}, **placement)",
    ]


def _scan(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make, or go on with, a scan, and open it."""
    lines = []
    arguments = []
    for side in SIDES:
        given = about["files"][side]
        if given is None:
            name = about["input"][side]
            level = "[0]" if about["input"].get(f"{side}_multiscale") else ""
            lines += must_be_there(name, f"holds the {side}s")
            lines.append(f"{side}s = viewer.layers[{name!r}].data{level}")
        else:
            lines.append(f"{side}s = {given!r}")
        arguments.append(f"{side}s")
    options = {k: v for k, v in _options(about).items() if v not in (None, False)}
    chosen = {**options, **changed(about["settings"], Settings)}
    return [
        *lines,
        "scan = shiftfield.find_shift_fields(",
        *(f"    {one}," for one in arguments),
        f"    out={about['out']!r},",
        *(f"    {name}={value!r}," for name, value in chosen.items()),
        ")",
        "viewer.open(str(scan.path), plugin='shiftfield')",
    ]


def scan_command(about: Mapping[str, Any]) -> str:
    """Return the line for the shell that makes, or goes on with, a scan."""
    words = ["shiftfield", "scan"]
    for side in SIDES:
        given = about["files"][side]
        if given is None:
            raise ValueError(
                f"{about['input'][side]!r} is a layer, which a command line cannot name; choose its files, or "
                "Copy as Python."
            )
        words += [f"--{side}s", *([given] if isinstance(given, str) else given)]
    words += ["--out", about["out"]]
    for name, value in {**_options(about), **changed(about["settings"], Settings)}.items():
        option = f"--{name.replace('_', '-')}"
        if value is None or value is False:
            continue
        if isinstance(value, list) and name != "crop":
            raise ValueError(f"{option} takes one address; Copy as Python takes several.")
        words += (
            [option] if value is True else [option, *map(str, value if name == "crop" else [value])]
        )
    return shlex.join(words)


def _options(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a scan but the one that throws away: its result, once made, is what is wanted."""
    return {name: value for name, value in about["options"].items() if name != "overwrite"}


# The name of the function, what it makes in words, and what writes its script.
WRITERS: dict[str, tuple[str, Any]] = {
    "phase": ("The phase", _result),
    "strain": ("The strain", _result),
    "divergence": ("The divergence", _result),
    "vorticity": ("The vorticity", _result),
    "magnitude": ("The magnitude", _result),
    "warp": ("The sample on its reference", _result),
    "find_shift_fields": ("The scan", _scan),
}
