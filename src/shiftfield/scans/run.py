"""`find_shift_fields`: a series of projections, one after another into a file that can be gone on with.

Two projections are in work at once, so that one is read, or written, while the other is computed.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield import machine
from shiftfield.dense.plans import check_room, plan_of, search_of
from shiftfield.inputs.frames import Frames
from shiftfield.scans.alignment import aligned, drift_of
from shiftfield.scans.axes import AXES, Series
from shiftfield.scans.correction import Correction
from shiftfield.scans.hdf5_store import HDF5Store
from shiftfield.scans.identity import check_apart
from shiftfield.scans.lock import alone
from shiftfield.scans.result import Scan, is_scan
from shiftfield.scans.store import (
    QUANTITIES,
    Description,
    OutputError,
    Store,
    check_out,
    names_only,
)
from shiftfield.scans.zarr_store import ZarrStore
from shiftfield.scores import METHODS
from shiftfield.search.one_call import USUAL, field_of, named
from shiftfield.settings import Settings, Thresholds, check_switch, check_thresholds, parameters
from shiftfield.stream.bands import LATENCY, Cancelled, Watch
from shiftfield.stream.plan import MemoryNeededError

_AT_ONCE = 2  # projections
_FAILURES = 10  # after so many something is wrong with all
_USUAL = "pixels have no answer"
# of the memory, for references that all share; of a projection's, for those that are moved
_THIRD = 3


class ScanError(RuntimeError):
    """Some projections have no field; the others are kept, and the same call tries the missing ones again."""


def find_shift_fields(
    references: Any,
    samples: Any,
    *,
    out: Any,
    axes: Sequence[str] | str = AXES,
    reference_axes: Sequence[str] | str | None = None,
    dark: Any = None,
    flat: Any = None,
    crop: Sequence[int] | None = None,
    align: bool = False,
    overwrite: bool = False,
    thresholds: Thresholds = USUAL,
    progress: Callable[[int, int], object] | None = None,
    cancel: Any = None,
    **settings: Any,
) -> Scan:
    """Find the shift field of every projection of a scan; px, (x, y), match in the reference minus place.

    Stopped or killed at any moment, the same call goes on where it was: finished projections are neither
    computed again nor lost, and the result has the same bits.

    Parameters
    ----------
    references : array_like, address, or list of addresses
        One set of frames for all projections, or one set for each.
    samples : array_like, address, or list of addresses
        All projections. An address names something in a file, see `shiftfield.sources`; a list has one for each
        place along the first axis, projections or frames.
    out : path
        The file: HDF5 (.h5) or Zarr (.zarr), compressed, one dataset for each quantity.
    axes : sequence of {"projection", "frame", "y", "x"}
        The axes of `samples` in their order, also of a list; without "frame" each projection is one image.
    reference_axes : sequence of str, optional
        Those of `references`; the same without "projection" when they have one axis less.
    dark, flat : array_like or address, shape (H, W) or (n, H, W), optional
        Images without beam; images with beam, without diffuser and object; the mean of n. References and
        samples become (pixels - dark) / (flat - dark).
    crop : (top, bottom, left, right), optional
        Rows and columns that are used, px.
    align : bool
        Take out the drift of each frame of the sample against its reference, one shift of the whole frame, before
        frames are compared together; the drift's median over frames is added to the shifts again, and all are
        kept as `drift`.
    overwrite : bool
        Replace the scan that `out` holds; what is no scan is never overwritten.
    thresholds : Thresholds
        What a pixel must pass with `quality`.
    progress : callable, optional
        Called as `progress(done, total)` with numbers of tiles of the projections that were not finished before,
        in the calling thread.
    cancel : callable or object with `is_set`, optional
        Asked several times a second; when true, `Cancelled` is raised.
    **settings
        As in `find_shift_field`, but `start` is a name. `memory` is for all that is in work together. There are
        no weights of pixels: `crop` leaves rows and columns out, and masked or NaN pixels have no answer.

    Returns
    -------
    Scan
        The file, opened; read when it is sliced.

    Raises
    ------
    ValueError
        When an input or a setting is not what it must be, or `out` holds something else.
    ScanError
        When some projections have no field, and why; the others are kept.
    OSError
        When the output cannot be written, or another process writes it; what was finished is kept.
    Cancelled
        When `cancel` asked for it; what was finished is kept.

    Examples
    --------
    >>> scan = find_shift_fields("flats.h5::/entry/data", "scan.h5::/entry/data", out="fields.h5",
    ...                          axes="frame projection y x", method="umpa_dark")  # doctest: +SKIP
    >>> scan[0].summary()  # doctest: +SKIP
    """
    _check_names(settings)
    check_thresholds(thresholds)
    check_switch("overwrite", overwrite)
    job = prepare(
        references, samples, axes=axes, reference_axes=reference_axes, dark=dark, flat=flat, crop=crop,
        align=align, settings=Settings(**settings), thresholds=thresholds,
    )  # fmt: skip
    path = check_out(out)
    check_apart(path, (*job.references.given, *job.samples.given, dark, flat))
    with alone(path):
        store = _open_store(path, job.description, overwrite=overwrite)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _Run(job, store, Watch(progress, cancel)).all()
        for text in sorted({str(w.message) for w in caught if _USUAL not in str(w.message)}):
            warnings.warn(text, UserWarning, stacklevel=2)
        store.finish()
    return Scan(path)


@dataclass(frozen=True)
class Job:
    """What is to be done, checked."""

    references: Series
    samples: Series
    correction: Correction
    settings: Settings
    thresholds: Thresholds
    align: bool
    description: Description
    shared: bool


def _check_names(settings: dict[str, Any]) -> None:
    """Raise a ValueError or TypeError about settings that a scan does not have, or not as one search has them."""
    known = parameters(Settings)
    for name in settings.keys() - known.keys():
        if name in ("reference_weights", "sample_weights"):
            raise ValueError(
                f"{name} was given; a scan takes no weights: crop leaves rows and columns out, and masked or NaN "
                "pixels have no answer."
            )
        raise TypeError(f"find_shift_fields has no {name!r}; its settings are {', '.join(known)}.")
    start = named(settings.get("start"))
    if start not in (None, "global", "pyramid"):
        raise ValueError(
            f"start is {start!r}; of a scan it is None, 'global' or 'pyramid', found for each."
        )


def prepare(
    references: Any, samples: Any, *, axes: Sequence[str] | str, reference_axes: Sequence[str] | str | None,
    dark: Any, flat: Any, crop: Sequence[int] | None, align: bool, settings: Settings,
    thresholds: Thresholds = USUAL,
) -> Job:  # fmt: skip
    """Open the inputs and check that all fits; no pixel of a projection is read."""
    check_switch("align", align)
    sam = Series(samples, axes, "The samples")
    ref = _references(references, axes, reference_axes)
    if ref.shape != sam.shape:
        raise ValueError(f"The references of a projection have shape {ref.shape} and its samples {sam.shape}; "
                         "they must be the same.")  # fmt: skip
    if len(ref) not in (1, len(sam)):
        raise ValueError(f"There are references for {len(ref)} projections and samples for {len(sam)}; there "
                         "must be one set for all, or one for each.")  # fmt: skip
    correction = Correction(sam.shape[1:], dark, flat, crop)
    first = [Frames(correction.of(series[0]), "The first projection") for series in (ref, sam)]
    _check_memory(settings, first[0], first[1], len(ref), len(sam))
    inputs: dict[str, Any] = {"samples": sam.identity(), "references": ref.identity(), "align": bool(align),
                              "crop": [[n.start, n.stop] for n in correction.crop]}  # fmt: skip
    if correction.active:
        inputs["correction"] = correction.digest()
    if settings.quality and thresholds != USUAL:
        inputs["thresholds"] = thresholds.as_dict()
    step = settings.step
    shape = -(-correction.size[0] // step), -(-correction.size[1] // step)
    description = Description(
        len(sam), shape, _quantities(settings, align=align), names_only(settings), inputs, correction.size,
        sam.shape[0],
    )  # fmt: skip
    return Job(ref, sam, correction, settings, thresholds, align, description, len(ref) == 1)


def _check_memory(
    settings: Settings, reference: Frames, sample: Frames, sets: int, projections: int
) -> None:
    """Raise a ValueError that names enough memory, unless what is in work, and shared references, fit."""
    at_once, share = min(_AT_ONCE, projections), None
    if settings.memory is not None:
        allowed = machine.parse_bytes(settings.memory)
        held = reference.nbytes if sets == 1 and _is_held(reference, allowed) else 0
        share = max(1, (allowed - held) // at_once)
    check_room(sample.size, settings)
    search = search_of(settings, sample.shape[0])
    try:
        plan_of(replace(settings, memory=share), search, (reference, sample))
    except MemoryNeededError as error:
        assert settings.memory is not None
        need = at_once * error.need + (reference.nbytes if sets == 1 else 0)
        beside = " and the references that all share" if sets == 1 else ""
        what = f"for {at_once} projection{'s' * (at_once > 1)} at a time{beside}"
        raise MemoryNeededError(settings.memory, need, what) from error


def _is_held(shared: Frames, allowed: int) -> bool:
    """Return whether the references that all projections share are, or will be, in memory."""
    return shared.in_memory or shared.nbytes <= allowed // _THIRD


def _references(data: Any, axes: Sequence[str] | str, own: Sequence[str] | str | None) -> Series:
    """Return the references with their own axes, or those of the samples, without "projection" if need be."""
    if own is not None:
        return Series(data, own, "The references")
    names = axes.replace(",", " ").split() if isinstance(axes, str) else list(axes)
    fewer = [name for name in names if name != "projection"]
    try:
        return Series(data, fewer, "The references")
    except ValueError as error:
        try:
            return Series(data, names, "The references")
        except ValueError:
            raise error from None


def _quantities(settings: Settings, *, align: bool) -> dict[str, str]:
    names = ["x", "y", "valid", "score", *METHODS[settings.method].gives]
    names += ["uncertainty_x", "uncertainty_y"] * settings.uncertainty
    names += ["second_peak", "quality"] * settings.quality
    names += ["drift"] * bool(align)
    return {name: QUANTITIES[name] for name in names}


def _open_store(path: Path, description: Description, *, overwrite: bool) -> Store:
    """Return the store of a scan: a new one, or the one that was begun before.

    Raises
    ------
    ValueError
        When the file is something else, or a scan of other settings or inputs, and is not to be overwritten.
    OutputError
        When it cannot be written.
    """
    if overwrite and path.exists() and not is_scan(path):
        raise ValueError(
            f"{path} is no scan of shiftfield, and is not overwritten; remove it, or choose another name."
        )
    if path.suffix.lower() == ".zarr":
        return ZarrStore(path, description, overwrite=overwrite)
    return HDF5Store(path, description, overwrite=overwrite)


@dataclass
class _Run:
    """The state of a scan while it runs."""

    job: Job
    store: Store
    watch: Watch
    stop: threading.Event = field(default_factory=threading.Event)
    failures: dict[int, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._parts: dict[int, tuple[int, int]] = {}
        self._told = -1
        self._cores = threading.BoundedSemaphore(
            self.job.settings.ncore or machine.available_cores()
        )
        self._shared: Frames | None = None
        self._settings, self._each = self.job.settings, 0

    def all(self) -> None:
        """Do what is not done; raise when something went wrong, with all finished work kept."""
        todo = np.flatnonzero(~self.store.done())
        self._shared = self._of_all()
        at_once = min(_AT_ONCE, max(len(todo), 1))
        self._each = max(1, self._allowed() // at_once)
        self._settings = replace(self.job.settings, memory=self._each)
        self._look(len(todo))
        with ThreadPoolExecutor(at_once, thread_name_prefix="shiftfield-scan") as pool:
            waiting = [int(n) for n in todo]
            running: dict[Future[None], int] = {}
            try:
                while waiting or running:
                    while waiting and len(running) < at_once:
                        number = waiting.pop(0)
                        running[pool.submit(self._one, number)] = number
                    ready, _ = wait(running, timeout=LATENCY, return_when=FIRST_COMPLETED)
                    for future in ready:
                        self._finish(running.pop(future), future)
                    self._look(len(todo))
                    if len(self.failures) >= _FAILURES:
                        break
            finally:
                self.stop.set()
        if self.failures:
            raise ScanError(self._words(len(todo)))

    def _finish(self, number: int, future: Future[None]) -> None:
        error = future.exception()
        if isinstance(error, OutputError) or (
            error is not None and not isinstance(error, ValueError | OSError)
        ):
            raise error
        if error is not None:
            self.failures[number] = error

    def _look(self, todo: int) -> None:
        """Tell how far all is; raise when the caller asked to stop."""
        self.watch.look()
        each = max((total for _, total in self._parts.values()), default=1)
        done = sum(done for done, _ in self._parts.values())
        if self.watch.progress is not None and done != self._told:
            self._told = done
            self.watch.progress(done, each * todo)

    def _words(self, todo: int) -> str:
        words = [
            f"projection {number}: {str(error).rstrip('.')}"
            for number, error in sorted(self.failures.items())
        ]
        tried = "" if len(self.failures) < _FAILURES else " and the rest was not tried"
        return (
            f"{len(self.failures)} of {todo} projections have no field{tried} (others are kept, the same call "
            f"tries these again): {'; '.join(words[:5])}."
        )

    def _allowed(self) -> int:
        """Return the bytes for all that is in work together, beside the references that all share."""
        held = self._shared.nbytes if self._shared is not None and self._shared.in_memory else 0
        return machine.allowed_memory(self.job.settings.memory) - held

    def _of_all(self) -> Frames | None:
        """Return the references that all projections share, in memory where they fit."""
        if not self.job.shared:
            return None
        frames = Frames(self.job.correction.of(self.job.references[0]), "The reference")
        frames.look = self.watch.look
        if _is_held(frames, machine.allowed_memory(self.job.settings.memory)):
            frames.hold()
        return frames

    def _one(self, number: int) -> None:
        """Find one field and keep it."""
        if self.stop.is_set():
            return
        job = self.job
        watch = Watch(
            lambda done, total: self._parts.__setitem__(number, (done, total)),
            self.stop,
            cores=self._cores,
        )
        sample = Frames(
            job.correction.of(job.samples[number]), f"The sample of projection {number}"
        )
        reference = self._shared or Frames(
            job.correction.of(job.references[number]), f"The reference of projection {number}"
        )
        drift = None
        if job.align:
            drift = drift_of(reference.data, sample.data, job.settings.margin)
            fits = 4 * prod(reference.shape) <= self._each // _THIRD
            reference = aligned(reference, drift, in_memory=fits)
        try:
            found = field_of(reference, sample, self._settings, watch, limits=job.thresholds)
        except Cancelled:
            return
        if not found.valid.any():
            raise ValueError("no pixel has an answer; is a frame empty, or all NaN?")
        quantities = found.quantities()
        if drift is not None:
            middle = np.median(drift, axis=0).astype(np.float32)
            quantities |= {"x": found.x + middle[0], "y": found.y + middle[1], "drift": drift}
        if not self.stop.is_set():
            self.store.write(number, quantities)
