"""Write docs/notebooks/*.ipynb with what their cells really print and draw; run it after a change of either.

The cells are in this file, as text, so that a change of them can be read in a diff.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"

NOTEBOOKS: dict[str, list[str]] = {
    "five_minutes": [
        "# Five minutes\n\nA flow behind a cylinder: two photographs of particles, a moment apart. "
        "Where did every piece of the first go?",
        "import shiftfield\nfrom shiftfield import samples\n\nreference, sample = samples.cylinder_flow()\nreference.shape",
        "One call. `window` is what is compared, `margin` the largest shift that is tried, both in px; "
        "`quality` checks every pixel. `step=2` computes every second pixel, to be quick.",
        "field = shiftfield.find_shift_field(reference, sample, window=31, margin=12, step=2, quality=True)\n"
        "field.valid.mean() > 0.7",
        "A field shows itself. White is no motion, blue and orange are the two directions; what is not believed "
        "is left out.",
        "field.picture()",
        "The numbers are NumPy arrays, px, match in the reference minus place in the sample: the particles move to "
        "the left, so that their match lies to the right, and `x` is positive.",
        "import numpy as np\n\nprint(f\"median x {np.median(field.x[field.valid]):.1f} px\")\n"
        "print(field.reasons(190, 340))",
        "Next: [speckle imaging](speckle_imaging.ipynb), [the viewer in a cell](viewer.ipynb).",
    ],
    "speckle_imaging": [
        "# Speckle imaging: from frames to transmission, dark field and phase\n\nA simulated scan, so that the truth is "
        "known: five diffuser positions, without the object (reference) and with it (sample).",
        "import numpy as np\n\nimport shiftfield\nfrom shiftfield import synthetic\n\n"
        "scan = synthetic.speckle_scan()\nscan.reference.shape, scan.sample.shape",
        "UMPA with dark field finds three pictures at once.",
        "field = shiftfield.find_shift_field(\n    scan.reference, scan.sample, method=\"umpa_dark\", window=7, margin=5\n)\n"
        "field.picture()",
        "How far from the truth?",
        "inside = field.valid\nfor name in (\"x\", \"y\", \"transmission\", \"dark_field\"):\n"
        "    error = getattr(field, name)[inside] - getattr(scan, name)[inside]\n"
        "    print(f\"{name:13s} rms error {np.sqrt(np.mean(error**2)):.2f}\")",
        "The shifts are the slope of the phase: integrating them gives the phase itself. Pixel size and distance are "
        "in metres, the energy in keV.",
        "found = shiftfield.phase(field, pixel_size=0.65e-6, distance=1.0, energy=20)\n"
        "known = found.phase[np.isfinite(found.phase)]\n"
        "print(f\"the phase spans {known.max() - known.min():.1f} rad\")",
        "Next: *What a field means* in the documentation, for metres of material, strain and flow.",
    ],
    "viewer": [
        "# The viewer in a cell\n\nA live napari viewer, also on a remote kernel without a screen: drag to pan, turn the "
        "wheel to zoom, move the slider, tick layers. What is below is a picture of it; run the cell to use it.",
        "from shiftfield import notebook\n\nnotebook.start_display()  # does nothing where there is a screen\n"
        "import napari\n\nviewer = napari.Viewer()\nlayers = viewer.open_sample(\"shiftfield\", \"cylinder_flow\")",
        "shown = notebook.embed(viewer, width=640, height=480)\nshown",
        "Scripts use the viewer as ever, and the picture follows.",
        "dock = viewer.window.add_plugin_dock_widget(\"shiftfield\", \"Local shifts\")[1]\n"
        "dock.window.value, dock.margin.value, dock.step.value = 31, 12, 2\ndock.spacing.value, dock.length.value = 24, 8\n"
        "dock.run()\n[layer.name for layer in dock.wait()]",
        "from PIL import Image\n\nshown.canvas.fit()\nImage.fromarray(shown.canvas.get_frame())",
        "Settings can be chosen by looking: fields on the left, what they find on the right.",
        "from shiftfield import samples\n\nchooser = notebook.choose(*samples.tensile_test()[:2], window=21, margin=8)\nchooser",
        "chooser.as_python()",
    ],
}  # fmt: skip


def notebook_of(cells: list[str]) -> nbformat.NotebookNode:
    """Return a notebook; a cell of text is one that begins as a sentence does, not as code."""
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    made.cells = [
        nbformat.v4.new_markdown_cell(text) if is_text(text) else nbformat.v4.new_code_cell(text)
        for text in cells
    ]
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    return made


def is_text(cell: str) -> bool:
    """Whether a cell is text: code would compile."""
    try:
        compile(cell, "cell", "exec")
    except SyntaxError:
        return True
    return cell.startswith("#")


def run(made: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run all cells in a kernel of its own; an error in one is raised."""
    return NotebookClient(made, timeout=120, kernel_name="python3").execute()


def main() -> None:
    # not the settings of whoever makes them
    os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")
    FOLDER.mkdir(exist_ok=True)
    chosen = sys.argv[1:] or list(NOTEBOOKS)
    for name in chosen:
        done = run(notebook_of(NOTEBOOKS[name]))
        for cell in done.cells:
            cell.metadata.pop("execution", None)  # times
        nbformat.write(done, FOLDER / f"{name}.ipynb")
        print(FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    main()
