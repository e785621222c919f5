"""The dock "Workflow": the other docks as pages, in the order in which a newcomer needs them.

Pages are made when they are first shown; what one page has made is what the next offers first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from magicgui.widgets import Widget
from napari.layers import Layer
from napari.viewer import Viewer
from npe2 import PluginManager
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from shiftfield._napari.dock.dock import Dock
from shiftfield._napari.form.panel import Panel
from shiftfield._napari.layers.inputs import about, is_result
from shiftfield._napari.workflow.pages import MaskPage, OpenPage, SavePage

_ALIGN = (
    "This moves the picture only; the search starts from the pixels, so for large motion choose "
    "Start: global in Track."
)
_CHECKS = ("shiftfield.probe", "shiftfield.inspect_field", "shiftfield.how_made")
_TRACKERS = (
    ("Correlation", "shifts.local_shifts:LocalShifts"),
    ("UMPA", "shifts.umpa_shifts:UmpaShifts"),
    ("Scan", "scan.dock:ScanDock"),
)


@dataclass(frozen=True)
class Step:
    """One page: its name, what to do on it, and what makes it."""

    name: str
    text: str
    make: Callable[[], QWidget]


class Workflow(Panel):
    """Open, align, mask, track, check, phase or strain, save."""

    title = "Workflow"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._docks: dict[str, Dock] = {}
        self._hosted: list[Any] = []
        self._pages: dict[int, QWidget] = {}
        self._steps = self._all_steps()
        self._build()
        self.show_step(0)

    def _all_steps(self) -> list[Step]:
        return [
            Step("Open", "Open the reference and the sample: images, or stacks of frames.", self._open),
            Step("Align", _ALIGN, self._align),
            Step("Mask", "If some pixels must take no part, mark them; else go on.", self._mask),
            Step("Track", "Choose how, and press Run: the shift of every pixel.", self._track),
            Step("Check", "See how it was made and which pixels to believe.", self._check),
            Step("Phase / strain", "Choose what the shifts mean, and press Run.", self._physics),
            Step("Save", "Save the field, and what was made of it.", self._save),
        ]  # fmt: skip

    # -- going from page to page -----------------------------------------------------------------

    @property
    def step(self) -> int:
        """The number of the page that is shown, from 0."""
        return int(self._choice.currentIndex())

    def dock(self, name: str) -> Dock | None:
        """Return a hosted dock by the name of its class; None where its page was not shown yet."""
        return self._docks.get(name)

    def show_step(self, number: int) -> None:
        """Show a page; it is made now if it was not shown before."""
        if number not in self._pages:
            page = self._steps[number].make()
            self._pages[number] = page
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(self._pages[number])
        if self._choice.currentIndex() != number:
            self._choice.setCurrentIndex(number)
        self._text.setText(self._steps[number].text)
        self._back.setEnabled(number > 0)
        self._next.setEnabled(number < len(self._steps) - 1)
        self._hand_on()

    def _build(self) -> None:
        self._choice = QComboBox()
        self._choice.addItems([f"{n}. {step.name}" for n, step in enumerate(self._steps, 1)])
        self._choice.setAccessibleName("Step")
        self._choice.setToolTip("All steps; none has to be done before another is shown.")
        self._choice.currentIndexChanged.connect(self.show_step)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setAccessibleName("What to do here")
        self._stack = QStackedWidget()
        self._back = QPushButton("\u2039 &Back")
        self._next = QPushButton("&Next \u203a")
        self._back.setToolTip("The step before")
        self._next.setToolTip("The next step")
        self._back.clicked.connect(lambda: self.show_step(self.step - 1))
        self._next.clicked.connect(lambda: self.show_step(self.step + 1))
        row = QHBoxLayout()
        row.addWidget(self._back)
        row.addWidget(self._next)
        layout = QVBoxLayout(self)
        layout.addWidget(self._choice)
        layout.addWidget(self._text)
        layout.addWidget(self._stack, 1)
        layout.addLayout(row)
        layout.setContentsMargins(2, 2, 2, 2)

    # -- the pages -------------------------------------------------------------------------------

    def _open(self) -> QWidget:
        return OpenPage(self.viewer)

    def _align(self) -> QWidget:
        return self._host("maps.global_shift:GlobalShift")

    def _mask(self) -> QWidget:
        return MaskPage(self.viewer, lambda: self._pair()[1])

    def _track(self) -> QWidget:
        tabs = QTabWidget()
        tabs.setAccessibleName("How to track")
        for name, place in _TRACKERS:
            tabs.addTab(self._host(place), name)
        if self._are_stacks():
            tabs.setCurrentIndex(1)
        return tabs

    def _check(self) -> QWidget:
        tabs = QTabWidget()
        tabs.setAccessibleName("Checks")
        offered = {one.command: one for one in PluginManager.instance().iter_widgets()}
        for command in _CHECKS:
            if command in offered:
                made = offered[command].get_callable()(self.viewer)
                self._hosted.append(made)
                native = made.native if isinstance(made, Widget) else made
                tabs.addTab(native, offered[command].display_name)
        return tabs

    def _physics(self) -> QWidget:
        return self._host("physics.dock:PhysicsDock")

    def _save(self) -> QWidget:
        return SavePage(self.viewer)

    def _host(self, place: str) -> QWidget:
        """Make a dock by "module:Class"; it lives as long as this one."""
        module, _, name = place.partition(":")
        dock = getattr(import_module(f"shiftfield._napari.{module}"), name)(self.viewer)
        self._docks[name] = dock
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(dock.native)
        layout.addStretch()
        return page

    # -- what goes from page to page -------------------------------------------------------------

    def _pair(self) -> tuple[Layer | None, Layer | None]:
        """Return the reference and sample of the dock that was used last."""
        for name in ("LocalShifts", "UmpaShifts", "GlobalShift"):
            dock: Any = self._docks.get(name)
            if dock is not None and dock.reference.value is not None:
                return dock.reference.value, dock.sample.value
        return None, None

    def _are_stacks(self) -> bool:
        reference, _ = self._pair()
        pictures = (
            [one for one in self.viewer.layers if one.ndim == 3 and not is_result(one)]
            if reference is None
            else [reference]
        )
        return any(one.ndim == 3 for one in pictures)

    def _hand_on(self) -> None:
        """Let the docks offer first what earlier pages have made."""
        name = self._steps[self.step].name
        if name == "Track":
            self._hand_pair()
            self._hand_mask()
        if name == "Phase / strain":
            self._hand_field()

    def _hand_pair(self) -> None:
        align: Any = self._docks.get("GlobalShift")
        if align is None:
            return
        for name in ("LocalShifts", "UmpaShifts"):
            dock: Any = self._docks[name]
            for field in ("reference", "sample"):
                chosen = align[field].value
                if chosen is not None and chosen in dock[field].choices:
                    dock[field].value = chosen

    def _hand_mask(self) -> None:
        page = next((one for one in self._pages.values() if isinstance(one, MaskPage)), None)
        if page is None or page.made is None:
            return
        for name in ("LocalShifts", "UmpaShifts"):
            dock: Any = self._docks[name]
            if page.made in dock.mask.choices:
                dock.mask.value = page.made
                dock.more.value = True

    def _hand_field(self) -> None:
        dock: Any = self._docks["PhysicsDock"]
        newest = [layer for layer in dock.field.choices if "quantity" in about(layer)]
        if newest:
            dock.field.value = newest[0]

    # -- the end ---------------------------------------------------------------------------------

    def clear_up(self) -> None:
        """Take the docks out, so that they give up what they do."""
        for one in (*self._docks.values(), *self._hosted):
            getattr(one, "native", one).setParent(None)
