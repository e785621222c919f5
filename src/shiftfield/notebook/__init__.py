"""shiftfield in Jupyter: a live napari viewer in a cell, and settings chosen by looking.

`embed` and `choose` import what they need when they are called; importing this costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shiftfield.notebook.chooser import Chooser
    from shiftfield.notebook.embedding import EmbeddedViewer

__all__ = ["choose", "embed", "start_display"]


def start_display(width: int = 1280, height: int = 900) -> str:
    """Start a virtual display where there is none, so that a viewer can be made; return its name.

    A remote kernel has no screen. Call this before the first viewer is made; `embed` without a viewer does.

    Parameters
    ----------
    width, height : int
        Size of the display, px.

    Raises
    ------
    RuntimeError
        When there is none and none can be started; the sentence says what to install.
    """
    from shiftfield.notebook.display import display_name

    return display_name(width, height)


def embed(viewer: Any = None, *, width: int = 800, height: int = 600) -> EmbeddedViewer:
    """Show a napari viewer in the cell, live: drag to pan, wheel to zoom, sliders for slices, layers to tick.

    Parameters
    ----------
    viewer : napari.Viewer, optional
        None makes one, on a virtual display where there is no other.
    width, height : int
        Size of the picture, px.

    Returns
    -------
    EmbeddedViewer
        A widget; `.viewer` is the viewer, `.close()` lets go of it and leaves it open.

    Raises
    ------
    ImportError, RuntimeError
        When a package or a display is missing; the sentence says how to get it.
    ValueError
        When `viewer` is no napari viewer, or a size is not allowed.
    """
    from shiftfield.notebook.needed import need

    need("napari", "jupyter_rfb", "ipywidgets")
    from shiftfield.notebook.display import display_name

    if viewer is None:
        display_name(1280, 900)
    from shiftfield.notebook.embedding import EmbeddedViewer

    return EmbeddedViewer(viewer, width=width, height=height)


def choose(reference: Any, sample: Any, **settings: Any) -> Chooser:
    """Show the settings of a search beside a picture of what they find, renewed at every change.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        As in `find_shift_field`.
    **settings
        What to begin with, by the names of `find_shift_field`.

    Returns
    -------
    Chooser
        A widget; `.settings` are those chosen, `.field` what was found last, `.run()` searches the whole image.

    Raises
    ------
    ImportError
        When ipywidgets is missing; the sentence says how to get it.
    ValueError
        When an input or a setting is not allowed.
    """
    from shiftfield.notebook.needed import need

    need("ipywidgets")
    from shiftfield.notebook.chooser import Chooser

    return Chooser(reference, sample, **settings)
