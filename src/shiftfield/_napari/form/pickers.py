"""Combo boxes that offer only the layers that fit, and keep what was chosen.

What fits is decided by the caller; nothing here knows what is done with a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from magicgui.widgets import ComboBox
from napari.layers import Layer
from qtpy.QtWidgets import QComboBox


def narrow(box: ComboBox) -> ComboBox:
    """Let a combo box be narrower than its longest text, so that a long name widens no dock."""
    box.native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.native.setMinimumContentsLength(12)
    return box


class LayerPicker(ComboBox):
    """A combo box of layers; `fitting` returns those to offer, `first` is a text offered before them.

    The chosen layer stays chosen when layers come, go, are renamed or reordered, as long as it
    fits; magicgui alone goes by the text and jumps to the first choice after a rename.
    """

    def __init__(
        self, fitting: Callable[[], Sequence[Layer]], first: str = "", **kwargs: Any
    ) -> None:
        self._fitting = fitting
        self._first = first
        super().__init__(choices=self._named, **kwargs)
        narrow(self)

    def reset_choices(self, *_: Any) -> None:
        """Offer what fits now; keep the chosen layer if it still fits."""
        before = self.value
        with self.changed.blocked():
            self._fill()
            offered = self.choices
            if before is not None and before in offered:
                self.value = before
            elif offered:
                self.value = offered[0]
        if self.value is not before:
            self.changed.emit(self.value)

    def _fill(self) -> None:
        """Offer the fitting layers in the order of the layer list; magicgui would append new ones."""
        texts = [text for text, _ in self._named(self)]
        if texts != [self.native.itemText(n) for n in range(self.native.count())]:
            self.native.clear()
        super().reset_choices()

    def _named(self, _: Any) -> list[tuple[str, Any]]:
        named = [(layer.name, layer) for layer in self._fitting()]
        return [(self._first, self._first), *named] if self._first else named
