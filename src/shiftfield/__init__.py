"""Dense shift fields between images by local correlation: where every pixel of a sample lies in a reference.

The names below are loaded when they are first used, so that importing shiftfield costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shiftfield._version import __version__

if TYPE_CHECKING:
    from shiftfield.correlation import find_local_shifts, find_local_shifts_umpa
    from shiftfield.field import ShiftField
    from shiftfield.global_shift import find_global_shift_based_local_shifts
    from shiftfield.inputs.normalisation import normalize_image
    from shiftfield.maps.correlation_map import (
        find_shift_based_correlation_map,
        generate_correlation_map,
    )
    from shiftfield.peaks.locate import locate_peak
    from shiftfield.physics.derivatives import Strain, divergence, magnitude, strain, vorticity
    from shiftfield.physics.retrieval import Phase, phase
    from shiftfield.physics.statistics import window_statistics
    from shiftfield.physics.warping import warp
    from shiftfield.probing.probe import probe
    from shiftfield.probing.probed import Probe
    from shiftfield.quality import Quality
    from shiftfield.scans.result import Scan
    from shiftfield.scans.run import ScanError, find_shift_fields
    from shiftfield.search.one_call import find_shift_field
    from shiftfield.settings import Settings, Thresholds
    from shiftfield.stream.bands import Cancelled
    from shiftfield.warm_up import warm_up

_HOMES = {
    "Cancelled": "stream.bands",
    "Phase": "physics.retrieval",
    "Probe": "probing.probed",
    "Quality": "quality",
    "Scan": "scans.result",
    "ScanError": "scans.run",
    "Settings": "settings",
    "ShiftField": "field",
    "Strain": "physics.derivatives",
    "Thresholds": "settings",
    "divergence": "physics.derivatives",
    "find_global_shift_based_local_shifts": "global_shift",
    "find_local_shifts": "correlation",
    "find_local_shifts_umpa": "correlation",
    "find_shift_based_correlation_map": "maps.correlation_map",
    "find_shift_field": "search.one_call",
    "find_shift_fields": "scans.run",
    "generate_correlation_map": "maps.correlation_map",
    "locate_peak": "peaks.locate",
    "magnitude": "physics.derivatives",
    "normalize_image": "inputs.normalisation",
    "phase": "physics.retrieval",
    "probe": "probing.probe",
    "strain": "physics.derivatives",
    "vorticity": "physics.derivatives",
    "warm_up": "warm_up",
    "warp": "physics.warping",
    "window_statistics": "physics.statistics",
}

__all__ = [
    "Cancelled",
    "Phase",
    "Probe",
    "Quality",
    "Scan",
    "ScanError",
    "Settings",
    "ShiftField",
    "Strain",
    "Thresholds",
    "__version__",
    "divergence",
    "find_global_shift_based_local_shifts",
    "find_local_shifts",
    "find_local_shifts_umpa",
    "find_shift_based_correlation_map",
    "find_shift_field",
    "find_shift_fields",
    "generate_correlation_map",
    "locate_peak",
    "magnitude",
    "normalize_image",
    "phase",
    "probe",
    "strain",
    "vorticity",
    "warm_up",
    "warp",
    "window_statistics",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'shiftfield' has no attribute {name!r}")
    value = getattr(import_module(f"shiftfield.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
