"""The dock "Global shift": one shift for the whole sample, by one map or by local points.

The shift comes from the library; here it is shown and, if wanted, the sample layer is moved by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, PushButton
from magicgui.widgets.bases import Widget
from napari.layers import Image
from napari.utils.notifications import show_info
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield import __version__
from shiftfield._napari.dock.dock import Task
from shiftfield._napari.dock.pair import PairDock, input_metadata
from shiftfield._napari.form.fields import fields
from shiftfield._napari.layers.inputs import SLICES, Pixels, said
from shiftfield._napari.layers.placement import differ, placement
from shiftfield._napari.layers.plain import plain
from shiftfield._napari.maps import moving
from shiftfield.settings import MAP, POINTS, DisplaySettings, GlobalSettings, PeakSettings

_POINT_FIELDS = ("window", "num_point", "global_value")


@dataclass(frozen=True)
class Found:
    """Shifts at points, px, and the one shift made of them.

    Attributes
    ----------
    rows, columns : ndarray, shape (N,)
        Places in the sample, px.
    x, y : ndarray, shape (N,)
        Shifts there, px; NaN for no answer.
    shift : tuple of float
        The global (x, y), px.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    shift: tuple[float, float]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which points have an answer."""
        return np.isfinite(self.x) & np.isfinite(self.y)


class GlobalShift(PairDock):
    """One shift: said in the viewer, shown at the points it comes from; the sample can be moved."""

    title = "Global shift"
    run_tip = (
        "Find one shift for the whole sample: the place of the match in the reference minus the "
        "place in the sample, px."
    )

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._approach.changed.connect(self._approach_changed)
        self._sample.changed.connect(self._show_move_back)
        self.move_back.changed.connect(self._move_back)
        self.method.changed.connect(self._enable)
        self.restore()
        self._approach_changed()
        self._enable()
        self._show_move_back()

    def _form(self) -> Sequence[Widget]:
        (self._approach,) = fields(GlobalSettings, "approach")
        return super()._form()

    def _search_form(self) -> Sequence[Widget]:
        return [
            self._approach,
            *fields(GlobalSettings, "window", "margin", "num_point", "global_value"),
            *fields(PeakSettings, "method", "size"),
            *fields(DisplaySettings, "length"),
            CheckBox(
                name="move",
                text="Move the sample onto the reference",
                tooltip="Change the layer's translate by the shift; the pixels stay as they are. "
                "Running again replaces the move.",
            ),
            PushButton(
                name="move_back",
                text="Move back",
                tooltip="Give the sample layer the translate it had before.",
                visible=False,
            ),
        ]

    @property
    def _first_axis(self) -> str:
        return SLICES if self._approach.value == POINTS else super()._first_axis

    def _axis_matters(self) -> bool:
        return self._approach.value == MAP and super()._axis_matters()

    def _approach_changed(self, *_: Any) -> None:
        for name in _POINT_FIELDS:
            self[name].visible = self._approach.value == POINTS
        self._show_axis()
        self._sample.reset_choices()
        self._refresh_line()

    def _enable(self, *_: Any) -> None:
        self.size.enabled = self.method.value == "poly_fit"

    def _show_move_back(self, *_: Any) -> None:
        sample = self._sample.value
        self.move_back.visible = sample is not None and moving.is_moved(sample)

    def _move_back(self, *_: Any) -> None:
        if self._sample.value is not None:
            moving.move_back(self._sample.value)
            self.say(f"{self._sample.value.name} is back where it was.")
        self._show_move_back()

    def about(self) -> dict[str, Any]:
        """Return what the layers of a run would say of how they are made."""
        reference, sample = self._pixels()
        layer = self._sample.value
        place = placement(layer, sample.index, translate=moving.home(layer))
        return self._about(reference, sample, place)

    def _about(self, reference: Pixels, sample: Pixels, place: dict[str, Any]) -> dict[str, Any]:
        settings, peak = self._settings()
        return {
            "made_by": "global_shift",
            "unit": "px",
            "version": __version__,
            "settings": settings.as_dict(),
            "peak": peak.as_dict(),
            "display": {"length": self.length.value},
            "placement": plain(place),
            "input": input_metadata(reference, sample),
        }

    def _settings(self) -> tuple[GlobalSettings, PeakSettings]:
        settings = GlobalSettings(
            approach=self._approach.value,
            window=self.window.value,
            margin=self.margin.value,
            num_point=self.num_point.value,
            global_value=self.global_value.value,
        )
        return settings, PeakSettings(method=self.method.value, size=self.size.value)

    def _prepare(self) -> Task:
        settings, peak = self._settings()
        reference, sample = self._pixels()
        layer = self._sample.value
        place = placement(layer, sample.index, translate=moving.home(layer))
        apart = differ(place, placement(self._reference.value, reference.index))
        length, wanted = self.length.value, self.move.value
        metadata = self._about(reference, sample, place)

        def show(found: Found) -> str:
            about = metadata | {"global_shift": {"x": found.shift[0], "y": found.shift[1]}}
            self._add(_layers(found, sample.shape[-2:], place, about, length))
            text = _answer(found)
            if wanted:
                text += f" {self._move(layer, found.shift)}"
                if apart:
                    text += (
                        f" It does not lie on {reference.name}: their scale, translate or rotate "
                        "was not the same before."
                    )
            show_info(text.replace("px (", "px\n(", 1))  # only the first line is shown at once
            return text

        return Task(_find(reference, sample, settings, peak), show, said(reference, sample))

    def _move(self, layer: Image, shift: tuple[float, float]) -> str:
        if layer not in self._viewer.layers:
            return f"{layer.name} is no longer there to be moved."
        moving.move(layer, shift)
        self._show_move_back()
        return f"{layer.name} was moved by it."


def _find(
    reference: Pixels, sample: Pixels, settings: GlobalSettings, peak: PeakSettings
) -> Callable[..., Found]:
    def compute(progress: Callable[[int, int], None], cancel: Event) -> Found:
        ref, sam = reference.array(), sample.array()
        if settings.approach == MAP:
            return _by_map(ref, sam, settings, peak)
        return _by_points(ref, sam, settings, peak, progress, cancel)

    return compute


def _by_map(ref: Any, sam: Any, settings: GlobalSettings, peak: PeakSettings) -> Found:
    from shiftfield import find_shift_based_correlation_map

    x, y = find_shift_based_correlation_map(
        ref, sam, settings.margin, method=peak.method, size=peak.size
    )
    if np.isnan(x) or np.isnan(y):
        raise ValueError("There is no answer: an image has no texture, or holds a NaN or inf.")
    row, column = ((n - 1) / 2 for n in sam.shape[-2:])
    return Found(np.array([row]), np.array([column]), np.array([x]), np.array([y]), (x, y))


def _by_points(
    ref: Any,
    sam: Any,
    settings: GlobalSettings,
    peak: PeakSettings,
    progress: Callable[[int, int], None],
    cancel: Event,
) -> Found:
    from shiftfield import find_global_shift_based_local_shifts
    from shiftfield.global_shift import combine, random_points

    x, y = find_global_shift_based_local_shifts(
        ref,
        sam,
        settings.window,
        settings.margin,
        num_point=settings.num_point,
        method=peak.method,
        size=peak.size,
        return_list=True,
        progress=progress,
        cancel=cancel,
    )
    rows, columns = random_points(sam.shape, settings.window, settings.margin, settings.num_point)
    shift = combine(x, settings.global_value), combine(y, settings.global_value)
    return Found(rows.astype(float), columns.astype(float), np.asarray(x), np.asarray(y), shift)


def _layers(
    found: Found,
    shape: tuple[int, ...],
    place: dict[str, Any],
    about: dict[str, Any],
    length: int,
) -> list[tuple[Any, dict[str, Any], str]]:
    """Return the points and, on top, the vectors of those with an answer."""
    size = max(max(shape) / 80, 1.0)
    where = np.stack([found.rows, found.columns], axis=1)
    features = {
        "x_shift_px": found.x,
        "y_shift_px": found.y,
        "length_px": np.hypot(found.x, found.y),
    }
    points = {
        "name": "points of the global shift",
        "features": features,
        "size": size,
        "face_color": ["#ff8000" if known else "#808080" for known in found.known],
        "border_color": "white",
        "border_width": 0.1,
        "metadata": {"shiftfield": {"quantity": "points", **about}},
        **place,
    }
    known = found.known
    motion = -np.stack([found.y, found.x], axis=1)[known]
    vectors = {
        "name": "motion, reference to sample",
        "features": {name: values[known] for name, values in features.items()},
        "length": length,
        "edge_width": size / 4,
        "edge_color": "#ffd000",
        "vector_style": "arrow",
        "metadata": {"shiftfield": {"quantity": "vectors", **about}},
        **place,
    }
    ends = np.stack([where[known] - motion, motion], axis=1)
    return [(where, points, "points"), (ends, vectors, "vectors")]


def _answer(found: Found) -> str:
    x, y = found.shift
    points = ""
    if found.x.size > 1:
        points = f"; from {np.count_nonzero(found.known)} of {found.x.size} points"
    return (
        f"Global shift x {x:+.3f}, y {y:+.3f} px "
        f"(match in the reference minus place in the sample{points})."
    )
