"""`ShiftField`: the answer of one search, and the ways to look at it and to keep it.

The arrays are those of `arrays`; saving, drawing, layers, filling and reasons are one file each beside it.
"""

from __future__ import annotations

import html
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from shiftfield.arrays.on_device import is_lazy, is_on_device, to_host
from shiftfield.field.arrays import FieldArrays


class ShiftField(FieldArrays):
    """Dense shifts in px, (x, y) = (column, row), match in the reference minus place in the sample.

    Arrays are as the images were: NumPy's, CuPy's on a GPU, or dask's, not computed yet (`on_host` computes and
    copies).
    All arrays have shape `(ceil(H / step), ceil(W / step))`: element (i, j) belongs to sample
    pixel (i * step, j * step). Content of the sample that moved by +s against the reference reads -s.

    Attributes
    ----------
    x, y : ndarray of float32
        Shift along columns and rows, px; NaN where unknown.
    valid : ndarray of bool
        True where both shifts are known, and nothing speaks against them where quality was asked for.
    score : ndarray of float32
        Score at the best whole-pixel shift; 1 is a perfect match, NaN where unknown. Pearson
        coefficient for "pearson"; 1 - D / (variance of the sample window) for the UMPA methods,
        with D the cost of the model.
    transmission, dark_field : ndarray of float32 or None
        T and V of the UMPA model (1 is no absorption, 1 is no scattering); None when not asked for.
    uncertainty_x, uncertainty_y : ndarray of float32 or None
        One sigma of each shift, px; None when not asked for.
    second_peak : ndarray of float32 or None
        Best score away from the peak over the peak's own: near 1 where another shift fits as well. None when
        quality was not asked for.
    quality : ndarray of uint16 or None
        What speaks against a pixel, bits of `shiftfield.Quality`, 0 for nothing; None when not asked for.
    settings : Settings
        What was asked for.
    image_shape : tuple of int
        (H, W) of the sample, px.
    frames : int
        Number of frames that were compared.
    seconds : float
        Wall time of the search, s.
    version : str
        Version of shiftfield that made the field.
    """

    __slots__ = ()

    def on_host(self) -> ShiftField:
        """Return the same field with NumPy arrays: computed, copied from a GPU, or itself where it has them."""
        mine = self.quantities()
        if is_lazy(self.x):
            found = import_module("dask").compute(*mine.values())
            return replace(self, **dict(zip(mine, found, strict=True)))
        if not is_on_device(self.x):
            return self
        copies: dict[str, Any] = {name: to_host(one) for name, one in mine.items()}
        return replace(self, **copies)

    def summary(self) -> str:
        """Return a few lines for people: size, settings, time (s), valid part (%), median shift (px, (x, y))."""
        height, width = self.image_shape
        s = self.settings
        host = self.on_host()
        known = int(np.count_nonzero(host.valid))
        lines = [
            f"image       {height} x {width} px, {self.frames} frame{'s' * (self.frames > 1)}",
            f"search      {s.method}, window {s.window} px, margin {s.margin} px, {s.search}, step {s.step} px",
        ]
        if self.seconds > 0:
            rate = self.x.size / self.seconds
            lines.append(f"time        {self.seconds:.2f} s, {rate:,.0f} pixels a second")
        lines.append(
            f"valid       {100 * known / max(self.valid.size, 1):.1f} % of {self.valid.size:,} pixels"
        )
        from shiftfield.field.reasons import counts

        lines += [
            f"  against   {name}: {100 * share:.1f} %" for name, share in counts(host).items()
        ]
        if known:
            x, y = np.median(host.x[host.valid]), np.median(host.y[host.valid])
            lines.append(f"median      x {x:+.3f} px, y {y:+.3f} px (sample to reference)")
        return "\n".join(lines)

    def filled(self, method: str = "nearest") -> ShiftField:
        """Return the field with x and y known everywhere; valid pixels are not touched.

        What was filled in has the bit `Quality.FILLED`, and is still not valid.

        Parameters
        ----------
        method : {"nearest", "smooth"}
            The nearest valid shift, or a smooth surface between valid ones (Laplace, from coarse to fine).

        Raises
        ------
        ValueError
            When no pixel is valid, or for another method.
        """
        from shiftfield.field import filling

        return filling.filled(self.on_host(), method)

    def reasons(self, row: int, column: int) -> str:
        """Return a sentence that says why a pixel is or is not valid.

        Parameters
        ----------
        row, column : int
            Element of the arrays; with `step` it belongs to the sample's pixel (row * step, column * step).

        Raises
        ------
        ValueError
            When the field has no such pixel.
        """
        from shiftfield.field import reasons

        return reasons.sentence(self.on_host(), row, column)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the field to an HDF5 file; one that holds a field is replaced in one step.

        Raises
        ------
        FileExistsError
            When something else is there: it is not overwritten.
        OSError
            When the file cannot be written; the sentence says why.
        """
        from shiftfield.field import hdf5

        hdf5.save(self.on_host(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ShiftField:
        """Return the field that `save` wrote.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        ValueError
            When the file holds no shift field; the sentence says what is missing.
        """
        from shiftfield.field import hdf5

        return cls(**hdf5.read(path))

    def to_layers(
        self,
        *,
        spacing: int = 16,
        length: float = 1,
        score: bool = True,
        placement: Mapping[str, Any] | None = None,
    ) -> list[tuple[Any, dict[str, Any], str]]:
        """Return napari layer tuples (data, arguments, type), the lowest first: images, and vectors on top.

        The images hold the shift; vectors show the motion, from the reference to the sample, of valid pixels.

        Parameters
        ----------
        spacing : int
            Distance between vectors, px of the sample.
        length : float
            Factor by which vectors are drawn longer than the motion.
        score : bool
            Whether to add the score.
        placement : mapping, optional
            Transform of the sample in the viewer, for its last two axes, as napari takes it.
        """
        from shiftfield.field import layers

        return layers.to_layers(
            self.on_host(), spacing=spacing, length=length, score=score, placement=placement
        )

    def picture(self) -> Any:
        """Return a `PIL.Image.Image` of all quantities with their colour bars; what is not valid is grey."""
        from shiftfield.field import picture

        return picture.draw(self.on_host())

    def _repr_png_(self) -> bytes:
        from shiftfield.field import picture

        return picture.png(self.on_host())

    def _repr_html_(self) -> str:
        image = b64encode(self._repr_png_()).decode("ascii")
        text = html.escape(self.summary())
        return f'<pre>{text}</pre><img alt="shift field" src="data:image/png;base64,{image}">'

    def __repr__(self) -> str:
        names = ", ".join(self.quantities())
        if is_lazy(self.x):
            return f"<ShiftField {self.shape[0]} x {self.shape[1]}: {names}; not computed>"
        known = 100 * np.count_nonzero(self.on_host().valid) / max(self.valid.size, 1)
        return f"<ShiftField {self.shape[0]} x {self.shape[1]}: {names}; {known:.1f} % valid>"
