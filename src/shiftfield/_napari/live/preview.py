"""The live preview of a dock: what the viewer shows of the sample is searched while settings change.

It decides when and what to ask; the search is that of `shiftfield.live`, the layer `layer`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic
from typing import Any

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from shiftfield import Cancelled, ShiftField
from shiftfield._napari.layers.inputs import Pixels
from shiftfield._napari.layers.masks import Mask
from shiftfield._napari.live import pauseless
from shiftfield._napari.live.layer import LiveLayer
from shiftfield._napari.live.view_part import pixels_on_screen, visible_part
from shiftfield.live.latest import Latest, Request
from shiftfield.live.preview import Pace, Part, field_of_part, grid, part_to_read
from shiftfield.settings import Settings, Thresholds

_IN_TIME_S = 0.08  # for the first answer after a change
_PATIENCE_S = 2.0  # an answer that takes longer is called off for a newer request
_STILL_MS = 200  # without a change, before the preview is sharpened
_POLL_MS = 10
_TELL_S = 0.5  # between texts in the status line, whose layout takes time
_QUESTION = ("settings", "thresholds", "mask", "input", "placement")


@dataclass(frozen=True)
class Wanted:
    """What the form says: both inputs, the search, where results lie."""

    reference: Pixels
    sample: Pixels
    layer: Image
    settings: Settings
    thresholds: Thresholds
    mask: Mask | None
    place: dict[str, Any]
    about: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """An answer: the field of a part, and where its first pixel lies in the sample, px."""

    field: ShiftField
    origin: tuple[int, int]
    pixels: int  # that were searched
    wanted: Wanted


class Live:
    """Asks for previews while it is on; `stop` removes the layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose view is searched.
    parent : QObject
        With which the timers die.
    wanted : callable
        Returns what the form says; a ValueError says in a sentence why there is nothing to search.
    quantity : callable
        Returns the name of the quantity to show.
    say : callable
        Takes a text for the status line.
    """

    def __init__(
        self,
        viewer: Viewer,
        parent: QObject,
        wanted: Callable[[], Wanted],
        quantity: Callable[[], str],
        say: Callable[[str], None],
    ) -> None:
        self._viewer, self._wanted, self._quantity, self._say = viewer, wanted, quantity, say
        self._latest: Latest[Shown] = Latest()
        self._pace = Pace(_IN_TIME_S)
        self._layer = LiveLayer(viewer)
        self._on = False
        self._last: Shown | None = None
        self._said = 0.0
        self._asked: Any = None  # the question that was asked last, so that none is asked twice
        self._poll = _timer(parent, _POLL_MS, self._take)
        self._soon = _timer(parent, 0, self._ask, once=True)
        self._still = _timer(parent, _STILL_MS, self._sharpen, once=True)
        self.answers = 0

    @property
    def on(self) -> bool:
        """Whether previews are made."""
        return self._on

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding, or the preview will still become sharper."""
        waits = self._soon.isActive() or self._still.isActive()
        return self._on and (waits or self._latest.busy)

    def start(self) -> None:
        """Begin to follow the view."""
        if self._on:
            return
        self._on, self._asked = True, None
        pauseless.begin()
        camera, dims = self._viewer.scene.camera.events, self._viewer.dims.events
        for event in (camera.zoom, camera.center, dims.current_step, dims.order, dims.ndisplay):
            event.connect(self._view_changed)
        self.changed()

    def stop(self) -> None:
        """Call off what runs and take the layer away."""
        if not self._on:
            return
        self.leave()
        self._poll.stop()
        self._soon.stop()
        self._still.stop()

    def leave(self) -> None:
        """Let go of the viewer and take the layer away; no timer is touched, for Qt may have destroyed them."""
        if not self._on:
            return
        self._on = False
        pauseless.end()
        self._latest.stop()
        camera, dims = self._viewer.scene.camera.events, self._viewer.dims.events
        for event in (camera.zoom, camera.center, dims.current_step, dims.order, dims.ndisplay):
            event.disconnect(self._view_changed)
        self._layer.remove()

    def data_changed(self) -> None:
        """Ask anew though the question is the same."""
        self._asked = None
        self.changed()

    def changed(self, *_: Any) -> None:
        """Ask anew: at once when nothing else is asked, else when the event that led here is over."""
        if self._on and not self.busy:
            self._ask()
        else:
            self._view_changed()

    def _view_changed(self, *_: Any) -> None:
        """Ask anew when napari has drawn, and so knows what is seen; many changes at once are one."""
        if (
            self._on and not self._soon.isActive()
        ):  # to start it anew would put it off, as long as one drags
            self._soon.start()

    def show(self, *_: Any) -> None:
        """Show another quantity of the last answer."""
        if self._on and self._last is not None:
            self._draw(self._last)

    def _ask(self) -> None:
        self._request(None)

    def _request(self, step: int | None) -> None:
        """Ask for what is visible, with `step` px, or as fine as can be in time."""
        try:
            wanted = self._wanted()
            part = visible_part(wanted.layer, wanted.sample.shape[-2:])
        except ValueError as error:
            self._asked = None
            self._latest.stop()
            self._layer.hide()
            self._say(str(error))
            return
        if part is None:
            self._asked = None
            self._latest.stop()
            return
        frames = wanted.sample.shape[0] if len(wanted.sample.shape) == 3 else 1
        pixels = part.size[0] * part.size[1]
        question = (part, {name: wanted.about[name] for name in _QUESTION})
        if step is None and question == self._asked:
            return
        self._asked = question
        soon = self._pace.step(pixels, frames, wanted.settings)
        chosen = soon if step is None else step
        settings = replace(wanted.settings, step=chosen)
        patience = _PATIENCE_S if step is None else 0.0
        self._latest.ask(
            Request(lambda cancel: _find(wanted, part, settings, cancel), patience=patience)
        )
        self._still.stop()
        if not self._poll.isActive():
            self._poll.start()

    def _take(self) -> None:
        """Show the newest answer, if there is one."""
        request = self._latest.answer()
        if request is not None:
            self._show(request)
        if not self._latest.busy:
            self._poll.stop()

    def _show(self, request: Request[Shown]) -> None:
        if request.error is not None:
            if not isinstance(request.error, Cancelled):
                self._layer.hide()
                self._say(f"No preview: {request.error}")
            return
        shown = request.result
        assert shown is not None
        field = shown.field
        step = field.settings.step
        self._pace.learn(shown.pixels, field.frames, field.settings, request.seconds)
        self._last = shown
        self.answers += 1
        self._draw(shown)
        if step > self._sharpest(shown):
            self._still.start()

    def _draw(self, shown: Shown) -> None:
        wanted = shown.wanted
        self._layer.show(shown.field, self._quantity(), wanted.place, shown.origin, wanted.about)
        now = monotonic()
        if now - self._said > _TELL_S or not self._latest.busy:
            self._said = now
            self._say(_words(shown))

    def _sharpen(self) -> None:
        """Nothing has changed for a while: the same at a finer step."""
        if self._last is not None and self._on:
            finer = self._last.field.settings.step // 4
            self._request(max(finer, self._sharpest(self._last)))

    def _sharpest(self, shown: Shown) -> int:
        """Return the step beyond which the screen shows no more, px; never below that of the form."""
        asked = shown.wanted.settings.step
        return max(asked, int(1 / pixels_on_screen(self._viewer, shown.wanted.place)))


def _find(wanted: Wanted, part: Part, settings: Settings, cancel: Event) -> Shown:
    shape = wanted.sample.shape[-2], wanted.sample.shape[-1]
    read = part_to_read(part, settings, shape)
    weights = {
        name: mask[..., slice(read.top, read.bottom), slice(read.left, read.right)]
        for name, mask in (wanted.mask.weights() if wanted.mask else {}).items()
    }
    field = field_of_part(
        wanted.reference.part(*read.slices).array(),
        wanted.sample.part(*read.slices).array(),
        settings,
        thresholds=wanted.thresholds,
        weights=weights,
        cancel=cancel,
    )
    rows, columns = grid(part, read, settings.step)
    cut: dict[str, Any] = {name: image[rows, columns] for name, image in field.quantities().items()}
    origin = read.top + rows.start * settings.step, read.left + columns.start * settings.step
    return Shown(
        replace(field, **cut, image_shape=shape), origin, read.size[0] * read.size[1], wanted
    )


def _words(shown: Shown) -> str:
    field = shown.field
    step = field.settings.step
    known = 100 * field.valid.mean() if field.valid.size else 0.0
    coarse = f"every {step} px" if step > 1 else "every pixel"
    return (
        f"Live: {coarse} of the view, {known:.1f} % valid, {1000 * field.seconds:.0f} ms. "
        "Run searches the whole image."
    )


def _timer(parent: QObject, pause: int, slot: Callable[[], None], once: bool = False) -> QTimer:
    timer = QTimer(parent)
    timer.setInterval(pause)
    timer.setSingleShot(once)
    timer.timeout.connect(slot)
    return timer
