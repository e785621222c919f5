"""The page "Compare" of the dock "Inspect a field": the warp on a worker, the slider, the clock that blinks.

The layers and the warping are those of `compare`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from shiftfield._napari.inspection.compare import Compared, Pair, warped
from shiftfield._napari.inspection.form import InspectForm
from shiftfield._napari.layers.results import Result
from shiftfield.live.latest import Latest, Request

_BLINK_MS = 400
_TEXT = (
    "Where the field is right, nothing moves between reference and sample; dark parts of the sample have no "
    "valid shift."
)


class Comparison:
    """Starts and ends a comparison; `say` takes a text, `fail` an error."""

    def __init__(
        self,
        viewer: Viewer,
        form: InspectForm,
        parent: QObject,
        say: Callable[[str], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._viewer, self._form, self._say, self._fail = viewer, form, say, fail
        self._warps: Latest[Pair] = Latest()
        self._compared = Compared(viewer)
        self._warping: Result | None = None
        self.clock = QTimer(parent)
        self.clock.setInterval(_BLINK_MS)
        self.clock.timeout.connect(self._tick)
        form.blink.toggled.connect(self._blink)
        form.mix.valueChanged.connect(self._mix)

    @property
    def shown(self) -> bool:
        """Whether both layers are in the viewer."""
        return self._compared.shown

    @property
    def busy(self) -> bool:
        """Whether the sample is being warped."""
        return self._warps.busy

    @property
    def blinking(self) -> bool:
        """Whether the clock changes between reference and sample."""
        return self.clock.isActive()

    def start(self, result: Result | None) -> None:
        """Warp the sample of a search back by its field."""
        try:
            if result is None:
                raise ValueError("There is no field in the viewer; run a search first.")
            work = warped(self._viewer, result)
        except ValueError as error:
            self._fail(error)
            return
        self._warping = result
        self._warps.ask(Request(work))
        self._say("Laying the sample onto the reference ...")

    def take(self) -> None:
        """Show what was warped, if it is done."""
        request = self._warps.answer()
        if request is None or self._warping is None:
            return
        if any(layer not in self._viewer.layers for layer in self._warping.layers.values()):
            self._say("")  # the field went while its sample was laid onto the reference
            return
        try:
            if request.error is not None:
                raise request.error
            assert request.result is not None
            self._compared.show(request.result, self._warping)
        except Exception as error:
            self._fail(error)
            return
        self._form.enable_comparison(True)
        self._mix()
        self._say(_TEXT)

    def look(self) -> None:
        """End when a person took one of the layers away."""
        if not self.shown and self._form.blink.isEnabled():
            self.stop()

    def stop(self) -> None:
        """Take both layers away."""
        self.leave()
        self.clock.stop()
        self._form.blink.setChecked(False)
        self._compared.remove()
        self._form.enable_comparison(False)

    def leave(self) -> None:
        """Call off what runs; no widget is touched."""
        self._warps.stop()

    def _mix(self, *_: Any) -> None:
        self._compared.mix(self._form.mix.value() / 100)

    def _blink(self, on: bool) -> None:
        if on:
            self.clock.start()
        else:
            self.clock.stop()

    def _tick(self) -> None:
        self._form.mix.setValue(0 if self._form.mix.value() > 50 else 100)
