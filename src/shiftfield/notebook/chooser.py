"""Settings chosen by looking: fields from the declarations, a picture of what they find in a part of the image.

The search is `shiftfield.live.preview`'s on a worker, where older questions are dropped for newer ones.
"""

from __future__ import annotations

import html
from dataclasses import replace
from threading import Event
from typing import Any

from ipywidgets import (
    HTML,
    BoundedFloatText,
    BoundedIntText,
    Button,
    Checkbox,
    Dropdown,
    HBox,
    Image,
    IntSlider,
    Layout,
    VBox,
)

from shiftfield.field import ShiftField
from shiftfield.inputs.frames import Frames, pair
from shiftfield.live.latest import Latest, Request
from shiftfield.live.preview import Part, field_of_part, grid, part_to_read
from shiftfield.search.one_call import find_shift_field
from shiftfield.settings import Parameter, Settings, parameters

_FIELDS = (
    "method", "window", "margin", "step", "search", "peak", "peak_size", "weight", "refine", "shape_order",
    "uncertainty", "quality",
)  # fmt: skip
_PART = 256  # px; side of the part that is searched while choosing
_NONE = "none"  # a Dropdown takes None for "nothing chosen yet"
_STYLE = {"description_width": "105px"}


class Chooser(HBox):
    """What `shiftfield.notebook.choose` returns."""

    _latest: Latest[ShiftField] | None = None  # until it is made, and after `close`

    def __init__(self, reference: Any, sample: Any, **settings: Any) -> None:
        wrong = sorted(settings.keys() - parameters(Settings).keys())
        if wrong:
            raise ValueError(
                f"{', '.join(wrong)} is no setting; settings are {', '.join(parameters(Settings))}."
            )
        self._inputs = reference, sample
        self._reference, self._sample = pair(reference, sample)
        self._first = Settings(**settings)
        self._size = self._sample.size
        self._latest = Latest(told=self._answered)
        self._field: ShiftField | None = None
        declared = parameters(Settings)
        self._fields = {
            name: _widget(declared[name], getattr(self._first, name)) for name in _FIELDS
        }
        self._place = [
            self._slider(axis, length) for axis, length in zip("yx", self._size, strict=True)
        ]
        self._picture = Image(format="png", layout=Layout(max_width="760px"))
        self._words = HTML()
        self._call = HTML()
        self._whole = Button(
            description="Whole image", tooltip="Search the whole image", icon="play"
        )
        self._whole.on_click(lambda _: self._ask(whole=True))
        for widget in (*self._fields.values(), *self._place):
            widget.observe(self._changed, "value")
        form = VBox([*self._fields.values(), *self._place, self._whole, self._call])
        super().__init__([form, VBox([self._words, self._picture])])
        self._changed()

    @property
    def settings(self) -> Settings:
        """The settings that are chosen now; a ValueError says why they cannot be used together."""
        chosen = {name: _given(field.value) for name, field in self._fields.items()}
        return replace(self._first, **chosen)

    @property
    def field(self) -> ShiftField | None:
        """What was found last, of the part or of the whole; None before the first answer."""
        return self._field

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding."""
        return self._latest is not None and self._latest.busy

    def run(self) -> ShiftField:
        """Search the whole image with the chosen settings, as `find_shift_field` does; return the field."""
        self._field = find_shift_field(*self._inputs, **self.settings.as_dict())
        return self._field

    def as_python(self) -> str:
        """Return the call that finds the same."""
        usual = Settings().as_dict()
        words = [f"{n}={v!r}" for n, v in self.settings.as_dict().items() if v != usual[n]]
        return f"field = shiftfield.find_shift_field({', '.join(['reference', 'sample', *words])})"

    def close(self) -> None:
        """Call off what runs and take the widget out of the cell."""
        if self._latest is not None:
            self._latest.stop()
            self._latest = None
            super().close()

    def _slider(self, axis: str, length: int) -> IntSlider:
        high = max(length - _PART, 0)
        return IntSlider(
            value=high // 2, min=0, max=high, description=f"Part from {axis} (px)", style=_STYLE,
            tooltip=f"First {'row' if axis == 'y' else 'column'} of the part that is searched, px",
            disabled=high == 0,
        )  # fmt: skip

    def _changed(self, *_: Any) -> None:
        self._ask(whole=False)

    def _ask(self, *, whole: bool) -> None:
        if self._latest is None:
            return
        try:
            settings = self.settings
        except ValueError as error:
            self._latest.stop()
            self._say(str(error))
            return
        self._call.value = f"<code>{html.escape(self.as_python())}</code>"
        (top, left), (height, width) = (s.value for s in self._place), self._size
        part = Part(top, min(top + _PART, height), left, min(left + _PART, width))
        part = Part(0, height, 0, width) if whole else part
        self._say("Searching ...")
        inputs = self._reference, self._sample
        self._latest.ask(
            Request(lambda cancel: _find(inputs, part, settings, cancel), patience=0.3)
        )

    def _answered(self, request: Request[ShiftField]) -> None:
        """Show an answer; called on the worker."""
        if request.error is not None:
            self._say(str(request.error))
            return
        assert request.result is not None
        self._field = request.result
        self._picture.value = self._field._repr_png_()
        self._say(self._field.summary())

    def _say(self, text: str) -> None:
        self._words.value = f"<pre>{html.escape(text)}</pre>"


def _find(
    inputs: tuple[Frames, Frames], part: Part, settings: Settings, cancel: Event
) -> ShiftField:
    shape = inputs[0].size
    read = part_to_read(part, settings, shape)
    reference, sample = (
        frames.rows(read.top, read.bottom)[:, :, read.left : read.right] for frames in inputs
    )
    field = field_of_part(reference, sample, settings, cancel=cancel)
    rows, columns = grid(part, read, settings.step)
    images: dict[str, Any] = {
        name: image[rows, columns] for name, image in field.quantities().items()
    }
    return replace(field, **images, image_shape=part.size)


def _given(value: Any) -> Any:
    return None if value == _NONE else value


def _widget(declared: Parameter, value: Any) -> Any:
    """Return the field of a setting: label, unit, range, choices and help as they are declared."""
    label = f"{declared.label} ({declared.unit})" if declared.unit else declared.label
    common = {"description": label, "tooltip": declared.help, "style": _STYLE, "value": value}
    if isinstance(declared.default, bool):
        return Checkbox(**common, indent=True)
    if declared.choices:
        options = [
            (_NONE if choice is None else str(choice), _NONE if choice is None else choice)
            for choice in declared.choices
        ]
        common["value"] = _NONE if value is None else value
        return Dropdown(options=options, **common)
    kind = BoundedFloatText if isinstance(declared.default, float) else BoundedIntText
    return kind(min=declared.low, max=declared.high, **common)
