"""Layers whose pixels are looked at: a change of one is told, until nobody wants to know any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from napari.layers import Layer


class Watched:
    """Calls `changed` when the data of one of some layers change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._layers: list[Layer] = []

    def __contains__(self, layer: object) -> bool:
        return any(layer is mine for mine in self._layers)

    def these(self, layers: Iterable[Layer]) -> None:
        """Watch these layers and no others."""
        self.none()
        self._layers = list(layers)
        for layer in self._layers:
            layer.events.data.connect(self._tell)

    def none(self) -> None:
        """Let go of all layers."""
        for layer in self._layers:
            layer.events.data.disconnect(self._tell)
        self._layers = []

    def _tell(self, *_: Any) -> None:
        self._changed()
