"""Scripts and command lines of what is made of fields: phase, strain and the like, and of scans.

Only texts are made here, from a layer's metadata; those of searches are made in `searches`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any

from shiftfield._napari.recipe.pixels import pixel_lines
from shiftfield.settings import Settings, parameters

_NOT_IN_CODE = ("device", "ncore", "memory")  # of the machine; they change no bit on the CPU
_SHOWN = {
    "phase": "phase",
    "refraction x": "refraction_x",
    "refraction y": "refraction_y",
    "strain exx": "exx",
    "strain eyy": "eyy",
    "strain exy": "exy",
    "rotation": "rotation",
}


def _field(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make `field` from the layers of a search, as they are now."""
    made = about["field"]
    cut = "".join(f"[{number}]" for number in made["index"])
    lines = ["# The layers of the field must be in the viewer."]
    lines += [
        f"{name} = np.asarray(viewer.layers[{layer!r}].data{cut}, np.float32)"
        for name, layer in made["layers"].items()
    ]
    arrays = ", ".join(f"{name}={name}" for name in made["layers"])
    settings = {
        name: value for name, value in made["settings"].items()
        if name not in _NOT_IN_CODE and parameters(Settings)[name].default != value
    }  # fmt: skip
    chosen = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return [
        *lines,
        "field = shiftfield.ShiftField(",
        f"    {arrays},",
        "    valid=np.isfinite(x) & np.isfinite(y), score=np.full_like(x, np.nan),",
        f"    settings=shiftfield.Settings({chosen}),",
        f"    image_shape={tuple(made['image_shape'])}, frames={made['frames']},",
        ")",
        "",
    ]


def _result(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make one layer of a result."""
    function, shown = about["made_by"], about.get("quantity", about["made_by"])
    given = dict(about["settings"])
    given.pop("angles", None)
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    first = ["field"]
    lines = _field(about)
    if function == "warp":
        lines += pixel_lines(about["input"], "sample")
        first = ["sample", "field"]
    call = f"shiftfield.{function}({', '.join([*first, *([arguments] if arguments else [])])})"
    part = f".{_SHOWN[shown]}" if function in ("phase", "strain") and shown in _SHOWN else ""
    if function == "strain" and not part:
        part, shown = ".exx", "strain exx"
    place = pformat(about["placement"], width=88, compact=True, sort_dicts=False)
    return [
        *lines,
        f"found = {call}{part}",
        f"placement = {place}",
        f"viewer.add_image(found, name={shown!r}, **placement)",
    ]


def _scan(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make, or go on with, a scan, and open it."""
    lines = []
    arguments = []
    for side in ("reference", "sample"):
        given = about["files"][side]
        if given is None:
            lines.append(f"{side}s = viewer.layers[{about['input'][side]!r}].data")
        else:
            lines.append(f"{side}s = {given!r}")
        arguments.append(f"{side}s")
    options = {k: v for k, v in _options(about).items() if v not in (None, False)}
    chosen = {**options, **_changed(about)}
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
    for side in ("reference", "sample"):
        given = about["files"][side]
        if given is None:
            raise ValueError(
                f"{about['input'][side]!r} is a layer, which a command line cannot name; choose its files, or "
                "Copy as Python."
            )
        words += [f"--{side}s", *([given] if isinstance(given, str) else given)]
    words += ["--out", about["out"]]
    for name, value in {**_options(about), **_changed(about)}.items():
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


def _changed(about: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {name: one.default for name, one in parameters(Settings).items()}
    return {
        name: value for name, value in about["settings"].items()
        if name not in _NOT_IN_CODE and defaults.get(name) != value
    }  # fmt: skip


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
