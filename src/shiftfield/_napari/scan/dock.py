"""The dock "Scan": the fields of a series of projections, into a file, with pause, cancel and resume.

The run is `find_shift_fields`; the form is `form`'s, the layers that arrive are `arriving`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any
from weakref import WeakMethod

import numpy as np
from magicgui.widgets.bases import Widget
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton, QWidget

from shiftfield import Cancelled, Scan, ScanError, __version__
from shiftfield._napari.dock.dock import Dock, Task
from shiftfield._napari.files.scan_layers import scan_layers
from shiftfield._napari.layers.opening import add_address_buttons, add_write_button
from shiftfield._napari.layers.placement import placement
from shiftfield._napari.layers.plain import plain
from shiftfield._napari.scan.arriving import Arriving
from shiftfield._napari.scan.form import (
    SIDES,
    Wanted,
    layer_of,
    read,
    scan_form,
    show_needed,
    watch,
)
from shiftfield._napari.scan.pausing import Gate
from shiftfield.field.layers import LayerTuple

_LOOK_MS = 500
_KNOWN_S = 2.0  # how long it is not looked at again what a file holds, while a slider moves
Answer = tuple[list[LayerTuple], int, int]


class ScanDock(Dock):
    """Series of projections: x shift and y shift with a slider, while they are found."""

    title = "Scan"
    run_tip = (
        "Find the fields of all projections, one after another, into the output file. Stopped at any "
        "moment, the same run goes on where it was."
    )

    def __init__(self, napari_viewer: Viewer) -> None:
        self._gate = Gate()
        self._known = "", "", 0.0  # the output, what was found in it, and when
        self._arriving: Arriving | None = None
        self._pause = QPushButton("Pause")
        super().__init__(napari_viewer)
        self._arrivals = QTimer(self.native)
        self._arrivals.setInterval(_LOOK_MS)
        self._arrivals.timeout.connect(self._look)
        self._life.at_end.append(WeakMethod(self._let_go))
        for name in (*SIDES, "dark", "flat"):
            add_address_buttons(self[name])
        add_write_button(self.out)
        self.samples_from.changed.connect(self._guess_axes)
        self.out.changed.connect(self._refresh_line)
        for side in SIDES:
            self[side].changed.connect(self._refresh_line)
            self[f"{side}_from"].changed.connect(self._refresh_line)
        watch(self, self._show_needed)
        self.more.apply()
        self.restore()
        self._show_needed()

    # -- the form ------------------------------------------------------------------------------

    def _form(self) -> Sequence[Widget]:
        return scan_form(self._viewer)

    def _beside_run(self) -> Sequence[QWidget]:
        self._pause.setEnabled(False)
        self._pause.setToolTip("Stop after the projections that are in work; nothing is lost.")
        self._pause.setAccessibleName("Pause or resume")
        self._pause.clicked.connect(self.pause_or_resume)
        return [self._pause]

    def _show_needed(self) -> None:
        if not self._gone:
            show_needed(self)

    def _guess_axes(self, *_: Any) -> None:
        layer = layer_of(self, "samples")
        if layer is not None and layer.ndim in (3, 4):
            self.axes.value = "projection y x" if layer.ndim == 3 else "projection frame y x"

    # -- pause and resume ------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """Whether a run waits to be resumed."""
        return self.running and self._gate.closed

    def pause_or_resume(self, *_: Any) -> None:
        """Hold the run after the projections that are in work; or let it go on."""
        if not self.running:
            return
        if self._gate.closed:
            self._gate.open()
        else:
            self._gate.close()
        self._pause.setText("Resume" if self._gate.closed else "Pause")
        if self.paused:
            self._say_paused()

    def _say_paused(self) -> None:
        following = self._arriving
        known = (
            ""
            if not following or not following.total
            else f" {following.done} of {following.total} projections are finished."
        )
        self.say(f"Paused.{known} Resume goes on; so does Run, also after napari was closed.")

    # -- a run ---------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Return what the layers of a run would say of how they were made."""
        return _about(read(self))

    def _prepare(self) -> Task:
        wanted = read(self)
        self._gate = Gate()
        self._arriving = Arriving(self._viewer, wanted.out, self._adjust(wanted))

        def show(answer: Answer) -> str:
            assert self._arriving is not None
            layers, done, total = answer
            self._arriving.show_all(layers, done, total)
            self._added.extend(self._arriving.layers)
            return f"Done: {done} of {total} projections are in {Path(wanted.out).name}."

        return Task(_compute(wanted, self._gate), show)

    def run(self) -> None:
        """Start with what the form says, or go on with a file that was begun; returns at once."""
        super().run()
        if self.running:
            self.overwrite.value = False  # else Run, after Cancel, would begin anew once more
            self._pause.setText("Pause")
            self._pause.setEnabled(True)
            self._arrivals.start()

    def _adjust(self, wanted: Wanted) -> Callable[[list[LayerTuple]], list[LayerTuple]]:
        """Return what puts the layers of the scan where the samples lie, and says how they are made."""
        layer = layer_of(self, "samples")
        place = {} if layer is None else placement(layer, (0,) * (layer.ndim - 2))
        about, step = _about(wanted), wanted.settings["step"]

        def adjust(layers: list[LayerTuple]) -> list[LayerTuple]:
            for _, arguments, _ in layers:
                metadata = arguments["metadata"]
                metadata["shiftfield"] = (
                    about | metadata["shiftfield"] | {"placement": plain(place)}
                )
                arguments.update(_in_three(place, step))
            return layers

        return adjust

    def _look(self) -> None:
        work, following = self._work, self._arriving
        if self._gone or work is None or following is None:
            self._arrivals.stop()
        elif work.total:  # before, the file may hold what is thrown away
            following.poll()

    def _poll(self) -> None:
        work = self._work
        waits = self.paused and work is not None and not work.finished and not work.cancelled
        if waits:
            self._say_paused()
        else:
            super()._poll()

    def _stop(self, error: BaseException | None) -> None:
        super()._stop(error)
        self._arrivals.stop()
        self._gate.open()
        self._pause.setText("Pause")
        self._pause.setEnabled(False)
        following = self._arriving
        if following is None or error is None:
            return
        following.leave()
        self._added.extend(following.layers)
        if isinstance(error, Cancelled):
            self.say(f"Cancelled. {self._kept()}".strip())

    def _kept(self) -> str:
        following = self._arriving
        if following is None or not following.total:
            return "What is finished is in the output file; Run goes on."
        return f"{following.done} of {following.total} projections are in the output file; Run goes on."

    def _let_go(self) -> None:
        """Let the thread of a closed dock come to its end."""
        if self._arriving is not None:
            self._arriving.leave()
        self._gate.open()

    def _describe(self) -> str:
        try:
            wanted = read(self)
        except ValueError as error:
            return str(error)
        return (
            begun(wanted.out)
            if not wanted.options["overwrite"]
            else "What the output holds is thrown away."
        )


def begun(out: str) -> str:
    """Return what is known of an output file, and what Run does with it."""
    from shiftfield.scans.result import is_scan

    if not Path(out).exists():
        return f"{Path(out).name} is made."
    try:
        if not is_scan(out):
            return f"{Path(out).name} exists and is no scan of shiftfield; choose another name."
        finished = Scan(out).done
    except (OSError, ValueError) as error:
        return str(error)
    count = int(np.count_nonzero(finished))
    if count == len(finished):
        return f"{Path(out).name} is complete: {count} projections; Run shows them."
    return f"{Path(out).name} was begun: {count} of {len(finished)} projections are finished; Run goes on."


def _about(wanted: Wanted) -> dict[str, Any]:
    return {
        "made_by": "find_shift_fields",
        "version": __version__,
        "settings": wanted.settings,
        "options": wanted.options,
        "out": str(Path(wanted.out).absolute()),
        "input": dict(wanted.names),
        "files": dict(wanted.files),
    }


def _in_three(place: dict[str, Any], step: int) -> dict[str, Any]:
    """Return the placement of (y, x), px of the sample, for (projection, y, x) of a field."""
    if not place:
        return {}
    rotate, affine = np.eye(3), np.eye(4)
    rotate[1:, 1:] = place["rotate"]
    affine[1:, 1:] = place["affine"]
    return {
        "scale": (1.0, *np.asarray(place["scale"]) * step),
        "translate": (0.0, *place["translate"]),
        "rotate": rotate,
        "shear": np.array([0.0, 0.0, *np.ravel(place["shear"])]),
        "affine": affine,
        "units": ("pixel", *place["units"]),
        "axis_labels": ("projection", *place["axis_labels"]),
    }


def _compute(wanted: Wanted, gate: Gate) -> Callable[[Callable[[int, int], None], Event], Answer]:
    def compute(progress: Callable[[int, int], None], cancel: Event) -> Answer:
        from shiftfield import find_shift_fields

        try:
            scan = find_shift_fields(
                wanted.references,
                wanted.samples,
                out=wanted.out,
                **wanted.options,
                **wanted.settings,
                progress=progress,
                cancel=gate.before(cancel),
            )
        except ScanError as error:
            raise ValueError(str(error)) from error
        return scan_layers(wanted.out)[0], int(np.count_nonzero(scan.done)), len(scan)

    return compute
