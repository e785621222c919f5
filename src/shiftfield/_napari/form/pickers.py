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
    fits; magicgui alone goes by the text and jumps to the first choice after a rename. Layers of
    which `last` is true are offered after the others, and none is kept that nobody has chosen
    once others fit.
    """

    def __init__(
        self,
        fitting: Callable[[], Sequence[Layer]],
        first: str = "",
        last: Callable[[Layer], bool] = lambda _: False,
        **kwargs: Any,
    ) -> None:
        self._fitting = fitting
        self._first = first
        self._last = last
        self._unasked: Any = None  # what stands here because nobody has chosen
        super().__init__(choices=self._named, **kwargs)
        self.changed.connect(self._was_chosen)
        self.native.activated.connect(self._was_chosen)  # what stood there already, too
        narrow(self)

    def reset_choices(self, *_: Any) -> None:
        """Offer what fits now; keep the chosen layer if it still fits."""
        before = self.value
        with self.changed.blocked():
            self._fill()
            offered = self.choices
            kept = before is not None and before in offered and not self._gives_way(before)
            if kept:
                self.value = before
            elif offered:
                self.value = offered[0]
        now = self.value
        if now is not before:
            self.changed.emit(now)
            if self.value is now:
                self._unasked = now

    def _gives_way(self, layer: Any) -> bool:
        """Whether a layer that nobody has chosen is one of the last, and others fit."""
        if layer is not self._unasked or not isinstance(layer, Layer) or not self._last(layer):
            return False
        return not all(map(self._last, self._fitting()))

    def _was_chosen(self, *_: Any) -> None:
        self._unasked = None

    def _fill(self) -> None:
        """Offer the fitting layers in the order of the layer list; magicgui would append new ones."""
        texts = [text for text, _ in self._named(self)]
        if texts != [self.native.itemText(n) for n in range(self.native.count())]:
            self.native.clear()
        super().reset_choices()

    def _named(self, _: Any) -> list[tuple[str, Any]]:
        named = [(layer.name, layer) for layer in sorted(self._fitting(), key=self._last)]
        return [(self._first, self._first), *named] if self._first else named
