"""The form of the dock "Scan": inputs as layers or files, axes, corrections, output and settings.

What the form says becomes the arguments of `find_shift_fields` here; nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Container, LineEdit
from magicgui.widgets.bases import Widget
from napari.layers import Image, Layer
from napari.viewer import Viewer

from shiftfield._napari.form.pickers import LayerPicker, narrow
from shiftfield._napari.form.preferences import preferences
from shiftfield._napari.form.search_form import More, counting, search_fields, settings_of
from shiftfield._napari.layers.inputs import full_data, is_picture
from shiftfield._napari.layers.opening import AddressLine

FILES = "files"
SIDES = ("references", "samples")
AUTOMATIC = "automatic"
AXES = ("projection frame y x", "frame projection y x", "projection y x")
_SEARCH = ("method", "window", "margin", "weight", "step", "peak", "peak_size")
_MORE_SEARCH = (
    "search",
    "refine",
    "shape_order",
    "uncertainty",
    "quality",
    "start",
    "borders",
    "coverage",
)


@dataclass(frozen=True)
class Wanted:
    """What `find_shift_fields` is called with: arrays or addresses, and plain values."""

    references: Any
    samples: Any
    out: str
    options: dict[str, Any]
    settings: dict[str, Any]
    names: dict[str, str]
    files: dict[str, Any]  # addresses; None for a layer


def scan_form(viewer: Viewer) -> list[Widget]:
    """Return the fields, top to bottom."""
    hidden = [
        _line("dark", "Dark image", "Images without beam; they are averaged."),
        _line(
            "flat",
            "Flat image",
            "Images with beam, without diffuser and object; they are averaged.",
        ),
        LineEdit(
            name="crop",
            label="Crop (px)",
            tooltip="Rows and columns that are used: top, bottom, left, right; empty for all.",
        ),
        _reference_axes(),
        *search_fields(*_MORE_SEARCH),
        CheckBox(
            name="overwrite",
            text="Begin anew",
            tooltip="Replace the scan that the output file holds, instead of going on with it.",
        ),
    ]
    return [
        *_side(viewer, "references", "Reference", "without the sample: one set for all, or one for each"),
        *_side(viewer, "samples", "Sample", "of all projections"),
        _axes(),
        _line("out", "Output", "The file of the fields, .h5 or .zarr. One that was begun is gone on with."),
        CheckBox(
            name="align",
            text="Align frames",
            tooltip="Take out the drift of each frame against its reference before they are compared.",
        ),
        *search_fields(*_SEARCH),
        More(hidden),
        *hidden,
    ]  # fmt: skip


def _side(viewer: Viewer, name: str, label: str, what: str) -> list[Widget]:
    def fitting() -> Sequence[Layer]:
        return [layer for layer in viewer.layers if is_picture(layer) and not layer.rgb]

    return [
        LayerPicker(
            fitting,
            first=FILES,
            name=f"{name}_from",
            label=label,
            tooltip=f"A layer, or files: images {what}.",
        ),
        _line(
            name,
            f"{label} files",
            f"Images {what}: files, a folder, a pattern such as raw/*.tif, or scan.h5::/entry/data. Several "
            "have ' | ' between them, one for each place along the first axis.",
        ),
    ]


def _line(name: str, label: str, tooltip: str) -> AddressLine:
    return AddressLine(name=name, label=label, tooltip=tooltip)


def _axes() -> Widget:
    return narrow(
        ComboBox(
            name="axes",
            label="Sample axes",
            choices=list(AXES),
            tooltip="What the axes of the samples mean, in their order; frames are compared together (diffuser "
            "positions).",
        )
    )


def _reference_axes() -> Widget:
    return narrow(
        ComboBox(
            name="reference_axes",
            label="Reference axes",
            choices=[AUTOMATIC, *AXES, "frame y x", "y x"],
            tooltip="Those of the samples, without projection where there is one set for all, or others.",
        )
    )


def read(form: Container[Any]) -> Wanted:
    """Return what a form says; a ValueError says in one sentence what is missing or wrong."""
    references, samples = (_input(form, side) for side in SIDES)
    out = form["out"].addresses()
    if len(out) > 1:
        raise ValueError(f"Output is {' and '.join(out)}; it must be one file, .h5 or .zarr.")
    if not out:
        raise ValueError("There is no output file: name one that ends in .h5 or .zarr.")
    axes = form["reference_axes"].value
    options = {
        "axes": form["axes"].value,
        "reference_axes": None if axes == AUTOMATIC else axes,
        "dark": _one_or_more(form["dark"].addresses()),
        "flat": _one_or_more(form["flat"].addresses()),
        "crop": _crop(str(form["crop"].value or "")),
        "align": form["align"].value,
        "overwrite": form["overwrite"].value,
    }
    settings = settings_of(form, **preferences().machine()).as_dict()
    names = {side[:-1]: _name(form, side) for side in SIDES}
    files = {
        side[:-1]: given if layer_of(form, side) is None else None
        for side, given in zip(SIDES, (references, samples), strict=True)
    }
    return Wanted(references, samples, out[0], options, settings, names, files)


def layer_of(form: Container[Any], side: str) -> Image | None:
    """Return the layer that is chosen for a side; None where files are."""
    chosen = form[f"{side}_from"].value
    return chosen if isinstance(chosen, Image) else None


def _input(form: Container[Any], side: str) -> Any:
    layer = layer_of(form, side)
    if layer is not None:
        return full_data(layer)
    given = _one_or_more(form[side].addresses())
    if given is None:
        raise ValueError(f"There are no {side}: choose a layer, or files.")
    return given


def _name(form: Container[Any], side: str) -> str:
    layer = layer_of(form, side)
    return str(form[side].value) if layer is None else layer.name


def _one_or_more(addresses: list[str]) -> Any:
    return None if not addresses else addresses[0] if len(addresses) == 1 else addresses


def _crop(text: str) -> list[int] | None:
    words = text.replace(",", " ").split()
    if not words:
        return None
    if len(words) != 4 or not all(word.isdecimal() for word in words):
        raise ValueError(
            f"Crop is {text!r}; it must be four whole numbers: top, bottom, left, right."
        )
    return [int(word) for word in words]


def watch(form: Container[Any], show: Callable[[], None]) -> None:
    """Call `show` when a choice changes which fields count."""
    for name in (
        "references_from",
        "samples_from",
        "method",
        "search",
        "refine",
        "peak",
        "borders",
    ):
        form[name].changed.connect(lambda *_: show())


def show_needed(form: Container[Any]) -> None:
    """Show the lines for files where files are chosen; let only those settings be changed that count."""
    for side in SIDES:
        form[side].visible = layer_of(form, side) is None
    pearson = form["method"].value == "pearson"
    plane = not pearson or form["search"].value == "2d"
    for name, counts in {"search": pearson, **counting(form, plane)}.items():
        form[name].enabled = counts
