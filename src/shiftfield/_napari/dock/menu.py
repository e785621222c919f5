"""What the menu of a dock does: copy the run as a script or command, save, load and reset settings, help.

The texts are made by `recipe.searches`, the button and the dialogs by `tools`; an error is shown, never raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any, ClassVar, Protocol

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, LineEdit, SpinBox
from napari.layers import Layer
from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QTextBrowser, QToolButton, QVBoxLayout

from shiftfield._napari.form import tools
from shiftfield._napari.form.accessible import written
from shiftfield._napari.form.pickers import LayerPicker
from shiftfield._napari.recipe import searches as recipe
from shiftfield._napari.recipe.known import ran
from shiftfield.settings_file import read, write

_KEPT = (CheckBox, ComboBox, FloatSpinBox, LineEdit, SpinBox)
_NOT_KEPT = ("live", "more", "overwrite")  # what throws something away is asked for each time


class Owner(Protocol):
    """What the menu needs of its dock."""

    title: ClassVar[str]
    run_tip: ClassVar[str]
    papers: ClassVar[tuple[tuple[str, str], ...]]
    _viewer: Viewer

    @property
    def native(self) -> Any:
        """The widget of the toolkit."""

    def __iter__(self) -> Iterator[Any]:
        """Go through the fields."""

    def about(self) -> dict[str, Any]:
        """Return what the form says, as plain values."""

    def say(self, text: str) -> None:
        """Show a text in the status line."""

    def fail(self, error: BaseException) -> None:
        """Show an error in the status line and in the viewer."""


class DockMenu:
    """The menu of one dock."""

    def __init__(self, dock: Owner) -> None:
        self._dock = dock
        self._defaults = self.values()

    def button(self) -> QToolButton:
        """Return the button that opens the menu."""
        nothing = ("", "", lambda: None)
        return tools.menu_button(
            "\u2630",
            "Copy as a script or command, save and load settings, help",
            "More actions",
            [
                (
                    "Copy as Python",
                    "A script that makes the same layers with the same bits",
                    self.copy_python,
                ),
                (
                    "Copy as command line",
                    "The line for a shell, where inputs are files",
                    self.copy_command,
                ),
                nothing,
                ("Save settings ...", "Into a file that the command line reads too", self.save),
                ("Load settings ...", "From a file", self.load),
                ("Default settings", "As the dock came", self.reset),
                nothing,
                ("Help", "What each field means", self.help),
            ],
        )

    def values(self) -> dict[str, Any]:
        """Return the value of every field but the choice of layers."""
        return {str(field.name): field.value for field in self._fields()}

    def fill(self, values: dict[str, Any]) -> None:
        """Set fields; a value that a field does not take is left out."""
        for field in self._fields():
            if field.name not in values:
                continue
            try:
                field.value = values[field.name]
            except (ValueError, TypeError):
                continue

    def copy_python(self) -> None:
        """Put a script of what the form says on the clipboard."""
        self._copy(recipe.as_python, "A Python script is on the clipboard.")

    def copy_command(self) -> None:
        """Put a command line of what the form says on the clipboard."""
        self._copy(
            lambda about, *_: recipe.as_command(about), "A command line is on the clipboard."
        )

    def save(self) -> None:
        """Ask for a file and write the settings to it."""
        path = tools.ask_where_to_save(self._dock.native, f"{type(self._dock).__name__}.toml")
        if path is not None:
            self._try(lambda: write(path, self._changed()), f"The settings are in {path}.")

    def load(self) -> None:
        """Ask for a file and set the fields as it says; nothing is set where one value is not allowed."""
        path = tools.ask_what_to_load(self._dock.native)
        if path is not None:
            self._try(lambda: self._load(path), f"The settings are those of {path}.")

    def reset(self) -> None:
        """Give every field its default."""
        self.fill(self._defaults)
        self._dock.say("Default settings.")

    def help(self) -> None:
        """Show what each field means, in a window that stays open."""
        window = QDialog(self._dock.native)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.setWindowTitle(f"Help: {self._dock.title}")
        text = QTextBrowser()
        text.setOpenExternalLinks(True)
        text.setHtml(help_text(self._dock))
        layout = QVBoxLayout(window)
        layout.addWidget(text)
        window.resize(520, 560)
        window.show()

    def _changed(self) -> dict[str, Any]:
        """Return what a file keeps: what the run depends on; limits only where they are not the usual ones."""
        return {
            name: value
            for name, value in self.values().items()
            if not name.startswith("threshold_") or value != self._defaults[name]
        }

    def _load(self, path: Any) -> None:
        found = read(path, list(self._defaults))
        before = self.values()
        for field in self._fields():
            if field.name not in found:
                continue
            try:
                field.value = found[field.name]
            except (ValueError, TypeError) as error:
                self.fill(before)
                raise ValueError(
                    f"{path} sets {field.name} to {found[field.name]!r}, which is not allowed."
                ) from error

    def _fields(self) -> list[Any]:
        return [
            field
            for field in self._dock
            if isinstance(field, _KEPT)
            and not isinstance(field, LayerPicker)
            and field.name not in _NOT_KEPT
        ]

    def _copy(self, make: Callable[[dict[str, Any], list[Layer], bool], str], said: str) -> None:
        def act() -> str:
            about, layers = self._dock.about(), list(self._dock._viewer.layers)
            has_run = ran(about, layers)
            tools.copy(make(about, layers, has_run))
            return said if has_run else f"{said} These settings have not run yet."

        self._try(act, said)

    def _try(self, act: Callable[[], str | None], said: str) -> None:
        try:
            said = act() or said
        except (ValueError, OSError) as error:
            self._dock.fail(error)
        else:
            self._dock.say(said)


def help_text(dock: Owner) -> str:
    """Return the help of a dock as HTML: what it does, and each field with what it means."""
    rows = "".join(
        f"<tr><td><b>{escape(written(field))}</b></td><td>{escape(field.tooltip)}</td></tr>"
        for field in dock
        if field.tooltip
    )
    links = "".join(f'<li><a href="{url}">{escape(text)}</a></li>' for text, url in dock.papers)
    papers = f"<p>Papers:</p><ul>{links}</ul>" if links else ""
    return (
        f"<h3>{escape(dock.title)}</h3><p>{escape(type(dock).run_tip)}</p>"
        f'<table cellpadding="3">{rows}</table>{papers}'
    )
