"""The lines that make a shift field: its search, its file, or the layers that hold it, as they are.

Only texts are made here; what is made of the field is said in `searches` and `results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pprint import pformat
from typing import Any

from shiftfield._napari.layers import masks
from shiftfield._napari.recipe.known import NOT_IN_CODE
from shiftfield._napari.recipe.pixels import must_be_there, pixel_lines
from shiftfield.settings import Settings, Thresholds, parameters

SIDES = ("reference", "sample")


def literal(value: Any) -> str:
    """Return a value as Python says it, in short lines."""
    return pformat(value, width=88, compact=True, sort_dicts=False)


def call(name: str, arguments: list[str]) -> list[str]:
    """Return the lines of a call, an argument a line."""
    return [f"{name}(", *(f"    {argument}," for argument in arguments), ")"]


def changed(values: Mapping[str, Any], declared: type[Any]) -> dict[str, Any]:
    """Return those values that are not the default and that a script must say."""
    defaults = {name: one.default for name, one in parameters(declared).items()}
    return {
        name: value
        for name, value in values.items()
        if name not in NOT_IN_CODE and defaults.get(name) != value
    }


def both(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make `reference` and `sample`."""
    return [*pixel_lines(about["input"], "reference"), *pixel_lines(about["input"], "sample"), ""]


def search_lines(about: Mapping[str, Any]) -> list[str]:
    """Return the lines of a search, to `field`."""
    masks, weights = _mask(about)
    settings = [f"{name}={value!r}" for name, value in changed(about["settings"], Settings).items()]
    limits = changed(about.get("thresholds", {}), Thresholds)
    if limits:
        inner = ", ".join(f"{name}={value!r}" for name, value in limits.items())
        settings.append(f"thresholds=shiftfield.Thresholds({inner})")
    return [
        *both(about),
        *masks,
        *call("field = shiftfield.find_shift_field", ["reference", "sample", *settings, *weights]),
    ]


def field_lines(about: Mapping[str, Any]) -> list[str]:
    """Return the lines that make the `field` of which something was made."""
    search, index = about.get("search"), about["field"]["index"]
    if search is None:
        return _from_layers(about["field"])
    if "path" not in search:
        return ["# The search of the field; changes made to its layers are not repeated.",
                *search_lines(search), ""]  # fmt: skip
    if search["scan"]:
        return [f"field = shiftfield.Scan({search['path']!r})[{index[0]}]", ""]
    return [f"field = shiftfield.ShiftField.load({search['path']!r})", ""]


def _from_layers(made: Mapping[str, Any]) -> list[str]:
    cut = "".join(f"[{number}]" for number in made["index"])
    lines = [
        "# The layers of the field, as they are now.",
        f"for name in {list(made['layers'].values())!r}:",
        "    if name not in viewer.layers:",
        "        raise ValueError(f'{name!r} must be in the viewer: run its search, or open its file, first.')",
        *(
            f"{name} = np.asarray(viewer.layers[{layer!r}].data{cut}, np.float32)"
            for name, layer in made["layers"].items()
        ),
    ]
    arrays = ", ".join(f"{name}={name}" for name in made["layers"])
    chosen = ", ".join(f"{k}={v!r}" for k, v in changed(made["settings"], Settings).items())
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


def _mask(about: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the lines that make a mask, and the arguments that hand it over."""
    mask = about.get("mask")
    if not mask:
        return [], []
    if mask["kind"] == "labels":
        level = "[0]" if mask.get("multiscale") else ""
        lines = [
            *must_be_there(mask["layer"], "is the mask"),
            f"marked = np.asarray(viewer.layers[{mask['layer']!r}].data{level}) != 0  # as it is now",
        ]
    else:
        lines = [
            f"polygons = {literal(mask['polygons'])}  # (row, column) px of the sample",
            f"shapes = Shapes([np.array(p) for p in polygons], shape_type={mask['shape_type']!r})",
            "marked = np.any(shapes.to_masks(sample.shape[-2:]), axis=0)",
        ]
    part = "marked" if mask["meaning"] == masks.TAKEN else "~marked"
    sides = [side for side, alone in zip(SIDES, (masks.REFERENCE, masks.SAMPLE), strict=True)
             if mask["of"] in (masks.BOTH, alone)]  # fmt: skip
    return [*lines, ""], [f"{side}_weights={part}" for side in sides]
