"""Who may import whom, and what importing the package costs; nothing about what the modules do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from benchmarks.rooms import PICTURE, levels, picture, rooms

PACKAGE = "shiftfield"
ROOT = Path(__file__).parents[1] / "src" / PACKAGE

# Low to high: a module imports only from lines above its own (or from within itself).
# A folder stands for all its modules, except those that have a line of their own.
LAYERS = [
    "scores strangers",
    "whole",
    "_version machine quality settings settings_file field.colours peaks.fits physics.wave",
    "arrays live probing",
    "field maps peaks synthetic samples",
    "maps.stacks",
    "sources.kinds",
    "sources.flat",
    "sources.hdf5 sources.series sources.zarrs",
    "sources",
    "peaks.locate",
    "peaks.surface",
    "probing.probed",
    "engine.base engine.device engine.kernels",
    "engine.coverage engine.gradients engine.images engine.limits engine.marks engine.side engine.splines",
    "engine.gpu.variant",
    "engine.gpu.device",
    "engine.gpu.layout engine.gpu.cuda_device",
    "engine.gpu.piece engine.gpu.devices",
    "engine.gpu.worker",
    "engine.refinement engine.reference_refinement",
    "engine.joint engine.weighted",
    "engine.cpu engine.reference engine.gpu.backend",
    "engine.gpu",
    "engine",
    "inputs",
    "maps.maker physics stream",
    "maps.correlation_map",
    "dense",
    "checks starts",
    "search",
    "correlation global_shift",
    "live.preview",
    "probing.block",
    "probing.prober",
    "probing.probe",
    "scans.identity",
    "scans.axes scans.correction scans.alignment scans.store",
    "scans.hdf5_store scans.lock scans.zarr_store",
    "scans.result",
    "scans.run",
    "scans",
    "doctor warm_up",
    "__init__",  # the public names
    "_napari.form",
    "_napari.files",
    "_napari.layers",
    "_napari.recipe",
    "_napari.dock",
    "_napari.inspection _napari.live _napari.maps _napari.physics _napari.probe _napari.scan _napari.workflow",
    "_napari.shifts",
    "_napari cli demo notebook",
    "__main__",
]

# Packages of others, and the only places that may import them.
FOREIGN = {
    "numpy": [""],
    "scipy": [""],
    "h5py": ["field.hdf5", "field.whole_file", "sources.hdf5", "scans.hdf5_store", "scans.result"],
    "PIL": ["field.picture", "samples"],
    "numba": ["engine.kernels"],
    "llvmlite": ["engine.kernels"],
    "cupy": ["engine.device", "engine.gpu.cuda_device"],
    "napari": ["_napari", "notebook.embedding"],
    "magicgui": ["_napari"],
    "qtpy": ["_napari"],
    "jupyter_rfb": ["notebook"],
    "ipywidgets": ["notebook"],
    "pyvirtualdisplay": ["notebook"],
    "npe2": ["_napari"],
    "pint": ["_napari"],
    "superqt": ["_napari", "notebook.threads"],
    "pyqtgraph": ["_napari"],
}

LEVEL = {name: level for level, line in enumerate(LAYERS) for name in line.split()}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below the package; "__init__" is the top."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "__init__"] = path
    return found


MODULES = modules()


def inside(module: str, place: str) -> bool:
    return place in ("", module) or module.startswith(f"{place}.")


def unit(module: str) -> str | None:
    """The name in LAYERS that a module belongs to: itself or the closest folder around it."""
    parts = module.split(".")
    folders = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((folder for folder in folders if folder in LEVEL), None)


def below(name: str) -> str:
    """A dotted name below the package; "__init__" is the package itself."""
    return name.removeprefix(PACKAGE).removeprefix(".") or "__init__"


def imports(module: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} is a relative import"
            assert node.module
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield node.lineno, full if below(full) in MODULES else node.module


def test_every_module_has_its_layer() -> None:
    """A new module must be placed in LAYERS."""
    assert [module for module in MODULES if unit(module) is None] == []


def test_there_is_no_circle() -> None:
    """Two files that need each other are one, or lack a third; imports for type checkers count."""
    needs = {
        module: {there for _, name in imports(module) if (there := below(name)) in MODULES}
        - {module}
        for module in MODULES
    }
    assert list(TopologicalSorter(needs).static_order())


def test_rooms_go_in_no_circle() -> None:
    """Nor do the folders: a stranger can read the house from the ground up."""
    assert max(levels(rooms()).values()) > 5


def test_the_picture_of_the_rooms_is_that_of_the_code() -> None:
    """Drawn anew by `python -m benchmarks.rooms`."""
    assert PICTURE.read_text(encoding="utf-8") == picture()


def test_every_layer_has_its_module() -> None:
    """A name in LAYERS that is no module any more must go."""
    known = {folder for module in MODULES for folder in (module, module.rpartition(".")[0])}
    assert [name for name in LEVEL if name not in known] == []


@pytest.mark.parametrize("module", MODULES)
def test_an_import_never_runs_up(module: str) -> None:
    here = unit(module)
    for line, name in imports(module):
        if name.partition(".")[0] != PACKAGE:
            continue
        there = unit(below(name))
        assert there is not None, f"{module}:{line} imports {name}, which is not in LAYERS"
        assert there == here or LEVEL[there] < LEVEL[here or ""], (
            f"{module}:{line} imports {name}: {there} is not below {here}"
        )


@pytest.mark.parametrize("module", MODULES)
def test_foreign_packages_stay_in_their_place(module: str) -> None:
    for line, name in imports(module):
        package = name.partition(".")[0]
        if package == PACKAGE or package in sys.stdlib_module_names:
            continue
        assert any(inside(module, place) for place in FOREIGN.get(package, [])), (
            f"{module}:{line} imports {package}, which belongs only in {FOREIGN.get(package)}"
        )


def output_of(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_loads_nothing_heavy() -> None:
    heavy = "numba cupy napari qtpy PyQt6 magicgui h5py scipy PIL dask zarr"
    loaded = output_of(
        f"import sys, {PACKAGE}; print(*[m for m in {heavy.split()} if m in sys.modules])"
    )
    assert loaded == ""


def test_importing_is_quick() -> None:
    """Less than 0.2 s after NumPy; the best of several, so that a busy machine is no failure."""
    code = (
        "import time, numpy; began = time.perf_counter(); "
        f"import {PACKAGE}; print(time.perf_counter() - began)"
    )
    assert min(float(output_of(code)) for _ in range(5)) < 0.2
