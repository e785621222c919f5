"""What the layers of a viewer tell that the metadata of one layer does not, put into a copy of that metadata.

No text is made here: `pixels`, `fields` and `results` write the lines, by what is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from napari.layers import Layer

from shiftfield._napari.layers.inputs import PREVIEW, full_data, origin
from shiftfield._napari.layers.inputs import about as said_by

INPUTS = ("reference", "sample", "map")  # whatever a run takes
NOT_IN_CODE = ("device", "ncore", "memory")  # of the machine; they change no bit on the CPU
_NOT_ASKED = (*NOT_IN_CODE, "overwrite")  # the last is forgotten by the form once it has run


def ran(about: Mapping[str, Any], layers: Iterable[Layer]) -> bool:
    """Whether one of some layers was made in just this way."""
    wanted = _asked(about, about)
    return any(
        wanted == _asked(said_by(layer), about) for layer in layers if PREVIEW not in layer.metadata
    )


def _asked(said: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    found = {name: said.get(name) for name in names}
    for group in ("settings", "options"):
        if group in found:
            given = (found[group] or {}).items()
            found[group] = {name: value for name, value in given if name not in _NOT_ASKED}
    return found


def completed(about: Mapping[str, Any], layers: Iterable[Layer]) -> dict[str, Any]:
    """Return `about` with what its script needs besides.

    `input` says, by side: "_siblings", how many layers its source has; "_renamed" and "_place", of sample data
    with another name: which of them it is; "_multiscale", of a scan's layers too. `search` says how a field
    was made.
    """
    known = {layer.name: layer for layer in layers}
    found = dict(about)
    given = dict(about.get("input", {}))
    for side in INPUTS:
        if side in given:
            layer = known.get(given[side])
            if layer is not None:
                given.setdefault(f"{side}_multiscale", bool(getattr(layer, "multiscale", False)))
            given |= _among_siblings(given, side, layer, known.values())
    found["input"] = given
    if "field" in about:
        found["search"] = _search(about["field"], known)
    return found


def _among_siblings(
    given: Mapping[str, Any], side: str, layer: Layer | None, layers: Iterable[Layer]
) -> dict[str, Any]:
    source = given.get(f"{side}_origin") or {}
    if "sample" not in source:
        several = sum(origin(one) == source for one in layers) if source else 0
        return {f"{side}_siblings": max(several, 1)}
    opened = _sample_data(source["sample"])
    found: dict[str, Any] = {f"{side}_siblings": len(opened)}
    if given[side] in (one.name for one in opened):
        return found
    found[f"{side}_renamed"] = True
    if len(opened) == 1:
        return found | {f"{side}_place": 0}
    same = [n for n, one in enumerate(opened) if layer is not None and _same(one, layer)]
    return found | ({f"{side}_place": same[0]} if same else {})


def _sample_data(sample: Any) -> list[Layer]:
    """Return the layers of sample data as they come; none where they cannot be opened now."""
    from napari.components import ViewerModel

    try:
        return list(ViewerModel().open_sample(*sample))
    except Exception:
        # a plugin that is gone, or one that downloads; plugins raise what they like
        return []


def _same(one: Layer, other: Layer) -> bool:
    if type(one) is not type(other):
        return False
    return np.array_equal(np.asarray(full_data(one)), np.asarray(full_data(other)))


def _search(field: Mapping[str, Any], known: Mapping[str, Layer]) -> dict[str, Any] | None:
    """Return how the field was made, as the layer of its x shift says; None where that is not known."""
    layer = known.get(field["layers"]["x"])
    said = {} if layer is None else said_by(layer)
    if layer is None or said.get("settings") != field["settings"]:
        return None
    if "input" in said and "projections" not in said:
        return completed(said, known.values())
    source = origin(layer)
    path = said.get("out") or (source.get("path") if source.get("plugin") == "shiftfield" else None)
    return {"path": path, "scan": "projections" in said} if path else None
