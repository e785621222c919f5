"""How a layer was made, from its metadata: a Python script and a command line that make it again.

Only texts are made here; a layer whose metadata says too little is refused in a sentence.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from napari.layers import Layer

from shiftfield._napari.recipe import results as recipe_of_results
from shiftfield._napari.recipe.fields import SIDES, both, call, changed, literal, search_lines
from shiftfield._napari.recipe.known import completed
from shiftfield._napari.recipe.pixels import is_stack_of_files, pixel_lines
from shiftfield.settings import MAP, PeakSettings, Settings, Thresholds


def as_python(about: Mapping[str, Any], layers: Sequence[Layer] = (), has_run: bool = True) -> str:
    """Return a script that makes the layers of one run again, with the same bits.

    Parameters
    ----------
    about : mapping
        `layer.metadata["shiftfield"]`, or what a form says.
    layers : sequence of Layer, optional
        Those of the viewer, which tell more of the inputs.
    has_run : bool
        Whether layers were made so; the heading says it.

    Raises
    ------
    ValueError
        When it does not say what was done.
    """
    writer = _WRITERS.get(str(about.get("made_by")))
    if writer is None:
        raise ValueError(
            "This layer does not say how it was made; only layers that a run has made do."
        )
    body = writer[1](completed(about, layers))
    version = f"shiftfield {about['version']}"
    if has_run:
        heading = f"as {version} made it in napari"
    else:
        heading = f"with these settings of {version}; not run yet"
    imports = {
        "Layer.create(": "from napari.layers import Layer",
        "Shapes(": "from napari.layers import Shapes",
        "open_on_demand(": "from shiftfield.sources.on_demand import open_on_demand",
        "random_points(": "from shiftfield.global_shift import random_points",
    }
    text = "\n".join(body)
    lines = [
        f'"""{_title(about)}, {heading}."""',
        "",
        "import napari",
        *["import numpy as np"] * ("np." in text),
        "import shiftfield",
        *(line for used, line in imports.items() if used in text),
        "",
        "viewer = napari.current_viewer() or napari.Viewer()",
        "",
        *body,
        "",
        'if __name__ == "__main__":',
        "    napari.run()",
        "",
    ]
    return "\n".join(lines)


def as_command(about: Mapping[str, Any]) -> str:
    """Return the line for the shell that makes the same numbers, as a file.

    Raises
    ------
    ValueError
        When there is none: an input came from no file, or only a slice of it was used.
    """
    if about.get("made_by") not in _COMMANDS:
        raise ValueError(
            "There is no command line for this; Copy as Python gives a script that makes the same layers."
        )
    return _COMMANDS[about["made_by"]](about)


def described(about: Mapping[str, Any]) -> str:
    """Return lines for people: what was done to which layers, with which settings."""
    lines = [f"{_title(about)}, by shiftfield {about.get('version', '?')}"]
    given = about.get("input", {})
    for side in SIDES:
        if side in given:
            lines.append(f"{side}: {_input_in_words(given, side)}")
    if "map" in given:
        lines.append(f"map: {given['map']}")
    for group in ("settings", "peak", "thresholds"):
        values = ", ".join(
            f"{name} {_shown(value)}" for name, value in about.get(group, {}).items()
        )
        if values:
            lines.append(f"{group}: {values}")
    if about.get("mask"):
        mask = about["mask"]
        lines.append(
            f"mask: pixels marked in {mask['layer']!r} {mask['meaning']}; it is of {mask['of']}"
        )
    if "seconds" in about:
        lines.append(f"time: {about['seconds']:.2f} s")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _title(about: Mapping[str, Any]) -> str:
    given = about.get("input", {})
    names = [given[side] for side in SIDES if side in given] or [
        given.get("map") or given.get("field", "")
    ]
    what = _WRITERS[about["made_by"]][0] if about.get("made_by") in _WRITERS else "A layer"
    if not any(names):
        return f"{what} of images that are not known"
    return f"{what} of {' and '.join(names[::-1])}".replace('"', "'").replace("\\", "/")


def _input_in_words(given: Mapping[str, Any], side: str) -> str:
    origin = given.get(f"{side}_origin") or {}
    place = f", slice {tuple(given[f'{side}_index'])}" if given.get(f"{side}_index") else ""
    path = origin.get("address") or origin.get("path")
    source = (", ".join(path) if isinstance(path, list) else path) or (
        f"sample data {origin['sample'][1]}" if "sample" in origin else "no file"
    )
    return f"{given[side]}{place} ({source})"


# -- the parts of a script -------------------------------------------------------------------------


def _field(about: Mapping[str, Any]) -> list[str]:
    return [
        *search_lines(about),
        f"placement = {literal(about['placement'])}",
        *call(
            "layers = field.to_layers",
            [f"{k}={v!r}" for k, v in about["display"].items()] + ["placement=placement"],
        ),
        "for data, arguments, kind in layers:",
        "    viewer.add_layer(Layer.create(data, arguments, kind))",
    ]


def _cut(box: Any) -> str:
    return "..., " + ", ".join(f"{a}:{b}" for a, b in box)


def _map(about: Mapping[str, Any]) -> list[str]:
    return [
        *both(about),
        f"area = reference[{_cut(about['area'])}]",
        f"template = sample[{_cut(about['template'])}]",
        "scores = shiftfield.generate_correlation_map(area, template)",
        f"placement = {literal(about['placement'])}  # zero shift lies at the world origin",
        "viewer.add_image(scores, name='correlation map', colormap='viridis', **placement)",
    ]


def _peak(about: Mapping[str, Any]) -> list[str]:
    given, s = about["input"], about["settings"]
    return [
        *pixel_lines(given, "map", "scores"),
        *call(
            "column, row = shiftfield.locate_peak",
            ["scores", f"method={s['method']!r}", f"dim={int(s['dim'])}", f"size={s['size']}",
             f"max_peak={s['extremum'] == 'maximum'}"],
        ),
        f"placement = {literal(about['placement'])}",
        f"viewer.add_points([[row, column]], name={'peak of ' + given['map']!r}, symbol='cross', **placement)",
    ]  # fmt: skip


def _global(about: Mapping[str, Any]) -> list[str]:
    s, peak = about["settings"], about["peak"]
    fit = [f"method={peak['method']!r}", f"size={peak['size']}"]
    if s["approach"] == MAP:
        found = call(
            "x, y = shiftfield.find_shift_based_correlation_map",
            ["reference", "sample", str(s["margin"]), *fit],
        )
        where = ["row, column = [[(n - 1) / 2] for n in sample.shape[-2:]]", "x, y = [x], [y]"]
    else:
        found = call(
            "x, y = shiftfield.find_global_shift_based_local_shifts",
            ["reference", "sample", str(s["window"]), str(s["margin"]), f"num_point={s['num_point']}",
             *fit, "return_list=True"],
        )  # fmt: skip
        where = call(
            "row, column = random_points",
            ["sample.shape", str(s["window"]), str(s["margin"]), str(s["num_point"])],
        )
    return [
        *both(about),
        *found,
        *where,
        "motion = -np.stack([y, x], axis=1)  # from the reference to the sample, px",
        "known = np.isfinite(motion).all(axis=1)",
        "place = np.stack([row, column], axis=1)",
        "vectors = np.stack([place - motion, motion], axis=1)[known]",
        f"placement = {literal(about['placement'])}",
        "viewer.add_points(place, name='points of the global shift', **placement)",
        f"look = dict(vector_style='arrow', length={about['display']['length']!r}, **placement)",
        "viewer.add_vectors(vectors, name='motion, reference to sample', **look)",
    ]


_WRITERS = {
    "find_shift_field": ("The shift field", _field),
    "generate_correlation_map": ("The correlation map", _map),
    "locate_peak": ("The peak", _peak),
    "global_shift": ("The global shift", _global),
    **recipe_of_results.WRITERS,
}


# -- command lines ---------------------------------------------------------------------------------


def _addresses(about: Mapping[str, Any]) -> list[str]:
    given = about["input"]
    found = []
    for side in SIDES:
        origin = given.get(f"{side}_origin") or {}
        path = origin.get("address") or origin.get("path")
        if path is None:
            raise ValueError(
                f"{given[side]!r} came from no file, which a command line needs: save the layer, open the file "
                "and run again. Copy as Python needs none."
            )
        if isinstance(path, list) or ("path" in origin and is_stack_of_files(given, side)):
            raise ValueError(
                f"{given[side]!r} is a stack of several files, which a command line cannot name one by one; put "
                "them into a folder of their own, open that and run again."
            )
        if given.get(f"{side}_grey"):
            raise ValueError(
                f"{given[side]!r} has colours, which a command line does not turn to grey; Copy as Python does."
            )
        if given.get(f"{side}_index"):
            raise ValueError(
                f"Of {given[side]!r} only one slice was used, which a command line cannot name; "
                "Copy as Python can."
            )
        found.append(path)
    return found


def _options(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    words: list[str] = []
    for name, value in values.items():
        option = f"--{prefix}{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
        else:
            words += [option, _shown(value)]
    return words


def _line(*words: str) -> str:
    return shlex.join(("shiftfield", *words))


def _field_command(about: Mapping[str, Any]) -> str:
    if about.get("mask"):
        raise ValueError(
            "The mask came from a layer, which a command line cannot name; Copy as Python can."
        )
    settings = dict(about["settings"])
    method = settings.pop("method")
    chosen = changed(settings, Settings)
    if method == "pearson":
        weight = chosen.pop("weight", None)
        if weight is not None:
            raise ValueError(
                f"`shiftfield local` takes no weight, and this was {weight!r}; Copy as Python does."
            )
        words = ["local"]
    else:
        words = ["umpa", *["--dark-field"] * (method == "umpa_dark")]
        chosen["weight"] = settings["weight"]
        chosen.pop("search", None)
    limits = changed(about.get("thresholds", {}), Thresholds)
    options = [*_options(chosen), *_options(limits, "threshold-")]
    return _line(*words, *_addresses(about), *options, "--out", "field.h5")


def _global_command(about: Mapping[str, Any]) -> str:
    s = about["settings"]
    peak = changed(about["peak"], PeakSettings)
    if peak:
        raise ValueError(
            f"A command line takes the usual peak fit only, and this was {peak}; Copy as Python takes any."
        )
    if s["approach"] == MAP:
        return _line("shift", *_addresses(about), "--margin", str(s["margin"]))
    chosen = {name: s[name] for name in ("window", "margin", "num_point", "global_value")}
    return _line("global", *_addresses(about), *_options(chosen))


_COMMANDS = {"find_shift_field": _field_command, "global_shift": _global_command,
             "find_shift_fields": recipe_of_results.scan_command}  # fmt: skip
