"""The dock "How was it made?": what the chosen layer says of itself, and scripts that make it again.

The words and scripts are those of `searches` and `results`, from the layer's metadata alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari.utils.notifications import show_error
from napari.viewer import Viewer
from qtpy.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout

from shiftfield._napari.form.panel import Panel
from shiftfield._napari.form.tools import copy
from shiftfield._napari.layers.inputs import about
from shiftfield._napari.recipe import searches as recipe

_NOTHING = "Choose a layer that shiftfield has made; it says here how."


class HowMade(Panel):
    """Follows the active layer of a viewer."""

    title = "How was it made?"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._text = QPlainTextEdit(_NOTHING)
        self._text.setReadOnly(True)
        self._text.setAccessibleName("How the chosen layer was made")
        self._text.setToolTip("What the chosen layer was made of, by which settings.")
        self._python = self._button(
            "Cop&y as Python", "A script that makes the same layers again.", self._script
        )
        self._command = self._button(
            "Copy as &command line",
            "The line for a shell, where inputs are files.",
            recipe.as_command,
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self._text, 1)
        row = QHBoxLayout()
        row.addWidget(self._python)
        row.addWidget(self._command)
        layout.addLayout(row)
        self.viewer.layers.selection.events.active.connect(self._show)
        self._show()

    @property
    def text(self) -> str:
        """What is shown."""
        return str(self._text.toPlainText())

    def leave(self) -> None:
        """Let go of the viewer."""
        self.viewer.layers.selection.events.active.disconnect(self._show)

    def _button(self, text: str, tip: str, make: Callable[[Mapping[str, Any]], str]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._copy(make))
        return button

    def _script(self, said: Mapping[str, Any]) -> str:
        return recipe.as_python(said, list(self.viewer.layers))

    def _about(self) -> dict[str, Any] | None:
        layer = self.viewer.layers.selection.active
        said = {} if layer is None else about(layer)
        return said if "made_by" in said else None

    def _show(self, *_: Any) -> None:
        said = self._about()
        self._python.setEnabled(said is not None)
        self._command.setEnabled(said is not None)
        active = self.viewer.layers.selection.active
        if said is None and active is not None and about(active).get("settings"):
            said = about(active)  # of a file, which keeps the settings
        if said is None:
            self._text.setPlainText(_NOTHING)
            return
        self._text.setPlainText(f"{active.name}\n\n{recipe.described(said)}")

    def _copy(self, make: Callable[[Mapping[str, Any]], str]) -> None:
        said = self._about()
        if said is None:
            return
        try:
            copy(make(said))
        except ValueError as error:
            show_error(str(error))
