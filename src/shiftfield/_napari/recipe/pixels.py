"""The pixels of a layer in a script: the lines that open its files, if need be, and cut what a run used of it.

Only texts are made here; what is done with the pixels is said in `searches` and `results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shiftfield._napari.layers.inputs import GREY_WEIGHTS
from shiftfield._napari.recipe.known import INPUTS


def pixel_lines(given: Mapping[str, Any], side: str, array: str = "") -> list[str]:
    """Return the lines that make an array of what was used of a layer.

    Parameters
    ----------
    given : mapping
        `about["input"]`: the layer's name by `side`, and what `inputs.Pixels` knows of it by `side_...`.
    side : str
        "reference", "sample" or "map".
    array : str
        What the array is called; `side` if empty.
    """
    array = array or side
    name, index = given[side], tuple(given.get(f"{side}_index") or ())
    cut = f"[{', '.join(map(str, index))}]" if index else ""
    level = "[0]" if given.get(f"{side}_multiscale") else ""
    lines = [
        *_opening(given, side),
        f"{array} = np.asarray(viewer.layers[{name!r}].data{level}{cut})",
    ]
    if given.get(f"{side}_grey"):
        terms = [
            f"np.float32({weight}) * {array}[..., {n}]" for n, weight in enumerate(GREY_WEIGHTS)
        ]
        lines.append(f"{array} = {' + '.join(terms)}")
    return lines


def must_be_there(name: str, why: str) -> list[str]:
    """Return the lines that refuse, in a sentence, to go on without a layer."""
    text = f"{name!r} {why}: it must be in the viewer."
    return [f"if {name!r} not in viewer.layers:", f"    raise ValueError({text!r})"]


def _opening(given: Mapping[str, Any], side: str) -> list[str]:
    """Return the lines that open what a layer came from, where it is not in the viewer."""
    name, origin = given[side], given.get(f"{side}_origin") or {}
    siblings, renamed = given.get(f"{side}_siblings", 1), []
    if "sample" in origin:
        if siblings > 1 and f"{side}_place" not in given and given.get(f"{side}_renamed"):
            raise ValueError(
                f"{name!r} is one of the {siblings} layers of the sample data {origin['sample'][1]!r}, and which "
                "one is not known, as it was renamed; open the sample data and run again."
            )
        call = f"viewer.open_sample({', '.join(map(repr, origin['sample']))})"
        renamed = _renamed(given, origin)
    elif "address" in origin:
        call = f"viewer.add_image(open_on_demand({origin['address']!r}), name={name!r})"
        siblings = 1
    elif "path" in origin and not is_stack_of_files(given, side):
        reader = f", plugin={origin['plugin']!r}" if origin.get("plugin") else ""
        several = ", stack=True" if isinstance(origin["path"], list) else ""
        call = f"viewer.open({origin['path']!r}{several}{reader})"
        if siblings == 1:
            renamed = [
                "    if len(opened) == 1:",
                f"        opened[0].name = {name!r}  # it may have been renamed",
            ]
    else:
        return must_be_there(name, "came from no single file")
    opened = "opened = " if renamed else ""
    lines = [f"if {name!r} not in viewer.layers:", f"    {opened}{call}", *renamed]
    if siblings > 1 and "path" in origin:
        lines += must_be_there(name, "is one of several layers of its file, and was renamed")
    return lines


def _renamed(given: Mapping[str, Any], origin: Mapping[str, Any]) -> list[str]:
    """Return the lines that name again all that was used of some sample data."""
    return [
        f"    opened[{given[f'{side}_place']}].name = {given[side]!r}"
        for side in INPUTS
        if f"{side}_place" in given and given.get(f"{side}_origin") == origin
    ]


def is_stack_of_files(given: Mapping[str, Any], side: str) -> bool:
    """Whether a layer holds more than the file that napari says it came from.

    Of several files opened as one stack napari keeps the first one's name.
    """
    path, shape = given[f"{side}_origin"]["path"], given.get(f"{side}_shape")
    if shape is None or isinstance(path, list):
        return False
    from shiftfield.sources import open_images

    try:
        there = open_images(path).shape
    except (OSError, ValueError, ImportError):
        return False  # a file that napari reads and the library does not
    return int(np.prod(there)) < int(np.prod(shape))
