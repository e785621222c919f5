"""What the docks for dense fields share: masks, the live preview, drawing, the layers, the words.

The search is `shiftfield.find_shift_field`; the layers are `ShiftField.to_layers`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, ClassVar
from weakref import WeakMethod

import numpy as np
from magicgui.widgets import CheckBox, ComboBox
from magicgui.widgets.bases import Widget
from napari.layers import Layer
from napari.viewer import Viewer

from shiftfield import ShiftField, __version__
from shiftfield._napari.dock.dock import Task
from shiftfield._napari.dock.pair import PairDock, input_metadata
from shiftfield._napari.form.fields import fields
from shiftfield._napari.form.pickers import narrow
from shiftfield._napari.form.preferences import preferences
from shiftfield._napari.form.search_form import (
    THRESHOLD_FIELDS,
    More,
    counting,
    search_fields,
    settings_of,
    thresholds_of,
)
from shiftfield._napari.layers.inputs import said
from shiftfield._napari.layers.masks import NO_MASK, mask_fields, mask_layers, mask_of
from shiftfield._napari.layers.plain import plain
from shiftfield._napari.live.preview import Live, Wanted
from shiftfield._napari.shifts import density
from shiftfield.field.layers import MOST_VECTORS, NAMES, LayerTuple, drawable
from shiftfield.scores import METHODS
from shiftfield.settings import DisplaySettings, Settings

VECTOR_TEXT = "Vectors show the motion from reference to sample."
SIGN_TEXT = (
    "Shifts are the place of the match in the reference minus the place in the sample, px. "
    f"{VECTOR_TEXT}"
)
_MORE = ("refine", "shape_order", "uncertainty", "quality", *THRESHOLD_FIELDS, "start")
_BORDERS = ("borders", "coverage")
Answer = tuple[ShiftField, list[LayerTuple], str]


class FieldDock(PairDock):
    """A dock whose answer is a `ShiftField`."""

    method_fields: ClassVar[tuple[str, ...]]
    quantities: ClassVar[tuple[str, ...]]  # quantities that the live preview can show
    papers = (
        ("UMPA: Zdora et al., Phys. Rev. Lett. 118, 203903 (2017)", "https://doi.org/10.1103/PhysRevLett.118.203903"),
        ("Refinement: Pan, Li, Tong, Exp. Mech. 53, 1277 (2013)", "https://doi.org/10.1007/s11340-013-9717-6"),
    )  # fmt: skip

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._live = Live(self._viewer, self.native, self._wanted, self._live_quantity, self.say)
        self._life.at_end.append(WeakMethod(self._live.leave))
        for widget in self:
            if widget not in (self.live, self.live_shows, self.run_button, self.more):
                widget.changed.connect(self._enable)
                widget.changed.connect(self._live.changed)
        self.live.changed.connect(self._switch_live)
        self.live_shows.changed.connect(self._live.show)
        self.more.apply()
        self._enable()
        self.restore()

    @property
    def live_preview(self) -> Live:
        """The preview that the switch "Live" turns on."""
        return self._live

    # -- the form ------------------------------------------------------------------------------

    def _search_form(self) -> Sequence[Widget]:
        masks = mask_fields(lambda: mask_layers(self._viewer.layers))
        hidden = [*search_fields(*_MORE), *masks, *search_fields(*_BORDERS)]
        live = CheckBox(
            name="live",
            text="Live preview",
            tooltip="Search what the viewer shows while settings, layers or the view change.",
        )
        shows = ComboBox(
            name="live_shows",
            label="Live shows",
            choices=[(NAMES[name], name) for name in self.quantities],
            tooltip="What the live preview shows.",
            enabled=False,
        )
        score = CheckBox(
            name="score",
            text="Score layer",
            tooltip="Add the score: how well the best match fits; 1 is perfect.",
        )
        drawing = fields(DisplaySettings, "spacing", "length")
        return [
            *self._method_form(), More(hidden), *hidden, live, narrow(shows), *drawing, score,
        ]  # fmt: skip

    def _method_form(self) -> Sequence[Widget]:
        """Return the fields of the search."""
        return search_fields(*self.method_fields)

    @abstractmethod
    def _method(self) -> str:
        """Return the method that the form asks for."""

    def _settings(self) -> Settings:
        return settings_of(self, method=self._method(), **preferences().machine())

    def _enable(self, *_: Any) -> None:
        """Let only those fields be changed that count."""
        plane = self._searches_both_axes()
        masked = self.mask.value not in (None, NO_MASK)
        needs = counting(self, plane)
        needs |= {
            "mask": plane,
            **dict.fromkeys(THRESHOLD_FIELDS, plane and self.quality.value),
            **dict.fromkeys(("mask_means", "mask_of"), plane and masked),
            "coverage": needs["coverage"] or (plane and masked),
        }
        for name, needed in needs.items():
            self[name].enabled = needed

    def _searches_both_axes(self) -> bool:
        return True

    # -- a run ---------------------------------------------------------------------------------

    def _wanted(self) -> Wanted:
        """Return what the form says; a ValueError says in one sentence what is missing or wrong."""
        settings = self._settings()
        reference, sample = self._pixels()
        layer = self._sample.value
        chosen = self.mask.value if self.mask.enabled else None
        mask = mask_of(chosen, self.mask_means.value, self.mask_of.value, layer, sample)
        thresholds = thresholds_of(self)
        place = self._place(layer, sample)
        about = {
            "made_by": "find_shift_field",
            "version": __version__,
            "settings": settings.as_dict(),
            "thresholds": thresholds.as_dict(),
            "mask": None if mask is None else mask.about,
            "display": {
                "spacing": drawable(self.spacing.value, sample.shape[-2:]),
                "length": self.length.value,
                "score": self.score.value,
            },
            "placement": plain(place),
            "input": input_metadata(reference, sample),
        }
        return Wanted(reference, sample, layer, settings, thresholds, mask, place, about)

    def about(self) -> dict[str, Any]:
        """Return what the layers of a run would say of how they were made."""
        return self._wanted().about

    def _prepare(self) -> Task:
        wanted = self._wanted()
        spacing = wanted.about["display"]["spacing"]
        sentences = [VECTOR_TEXT, *said(wanted.reference, wanted.sample)]
        if METHODS[wanted.settings.method].gives:
            sentences.append("Images lie on one another: hide x shift to see those below.")
        if spacing > self.spacing.value:
            sentences.append(
                f"They are {spacing} px apart: more than {MOST_VECTORS:,} of them would stall the viewer."
            )

        def show(answer: Answer) -> str:
            field, layers, text = answer
            colours = preferences().shift_colormap
            for _, arguments, _ in layers:
                if arguments["metadata"]["shiftfield"]["quantity"] in ("x", "y"):
                    arguments["colormap"] = colours
            made = self._add(layers)
            density.follow_zoom(self._viewer, made[-1], field, spacing)
            return text

        return Task(_search(wanted), show, tuple(sentences))

    # -- the live preview ------------------------------------------------------------------------

    def _switch_live(self, *_: Any) -> None:
        self.live_shows.enabled = bool(self.live.value)
        if self.live.value:
            self._live.start()
        else:
            self._live.stop()
            self.say(self._describe())

    def _live_quantity(self) -> str:
        return str(self.live_shows.value)

    def _watch_layer(self, layer: Layer) -> None:
        super()._watch_layer(layer)
        for name in ("data", "labels_update"):
            if hasattr(layer.events, name):
                getattr(layer.events, name).connect(self._layer_changed)

    def _layer_changed(self, event: Any) -> None:
        """Ask for a new preview when one of the layers it is made of has changed."""
        if self._gone or not hasattr(self, "_live"):
            return
        if event.source in (self._reference.value, self._sample.value, self.mask.value):
            self._live.data_changed()


def _search(wanted: Wanted) -> Callable[..., Answer]:
    def compute(progress: Callable[[int, int], None], cancel: Event) -> Answer:
        from shiftfield import find_shift_field

        field = find_shift_field(
            wanted.reference.read(),
            wanted.sample.read(),
            **wanted.settings.as_dict(),
            thresholds=wanted.thresholds,
            **(wanted.mask.weights() if wanted.mask else {}),
            progress=progress,
            cancel=cancel,
        )
        display = wanted.about["display"]
        layers = field.to_layers(**display, placement=wanted.place)
        text = _answer(field)
        if field.valid.any() and len(layers[-1][0]) == 0:
            text += f" No vector is drawn: a spacing of {display['spacing']} px is too large here."
        for _, arguments, _ in layers:
            about = arguments["metadata"]["shiftfield"]
            arguments["metadata"]["shiftfield"] = wanted.about | about
        return field, layers, text

    return compute


def _answer(field: ShiftField) -> str:
    known = field.valid
    text = f"Done in {field.seconds:.1f} s: {100 * known.mean():.1f} % of {known.size:,} pixels"
    if field.quality is not None:
        text += " valid"
    if known.any():
        x, y = np.median(field.x[known]), np.median(field.y[known])
        # adding 0.0 turns -0.0 into 0.0
        text += f", median x {round(x, 2) + 0.0:+.2f}, y {round(y, 2) + 0.0:+.2f} px"
    return f"{text}."
