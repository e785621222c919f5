"""The one table of comparisons: pieces of work, who does them, how answers are compared, what is the goal.

It is data only: `programs` turn a job into calls, `measure` times them, `agreement` compares answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

OURS = "shiftfield"
DEFAULT_CORES = -1


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work for one program; `side` is that of the square images, px.

    `cores` 0 is all, DEFAULT_CORES as many as the program takes when it is told nothing.

    `kind` is "field" (a shift at every `step`-th pixel), "points" (shifts at `points` random pixels)
    or "map" (coefficients of one `template` x `template` px piece at every place of the image).
    The borders must be whole steps, so that all programs answer at the same pixels.
    """

    program: str = OURS
    kind: str = "field"
    method: str = "pearson"
    search: str = "2d"
    weight: str | None = None
    frames: int = 1
    side: int = 512
    window: int = 7
    margin: int = 10
    step: int = 1
    points: int = 0
    template: int = 0
    cores: int = 0

    @property
    def edge(self) -> int:
        """Pixels along each border that get no answer."""
        return self.window // 2 + self.margin

    @property
    def answers(self) -> int:
        """Number of shifts, or of coefficients, that are found."""
        if self.kind == "points":
            return self.points
        if self.kind == "map":
            return (self.side - self.template + 1) ** 2
        return len(range(self.edge, self.side - self.edge, self.step)) ** 2

    @property
    def shifts(self) -> int:
        """Number of places that are tried for one shift."""
        if self.kind == "map":
            return 1
        along = 2 * self.margin + 1
        return 2 * along if self.search == "1d" else along**2

    def of_side(self, answers: int) -> Job:
        """Return the same work on an image of about `answers` x `answers` pixels with an answer."""
        if self.kind == "map":
            smaller = max(8, self.template * answers // self.side)
            return replace(self, side=smaller + answers, template=smaller)
        return replace(self, side=min(self.side, 2 * self.edge + answers * self.step))


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is compared with, on what; answers agree when they differ by at most `apart`, in the median.

    `apart` is in px for shifts, infinite where there is nothing to compare; `note` says where
    the work is not quite the same.
    """

    job: Job
    apart: float
    label: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        return self.label or self.job.program


@dataclass(frozen=True, slots=True)
class Goal:
    """What a row should reach: "at_most" a value, or against its peer number `peer` a number of times.

    "faster": the peer takes at least `bound` times as long. "times": ours is at most `bound` times the peer's.
    `why` is the bound that explains it where the goal is not reached; it is shown only then.
    """

    kind: str
    bound: float
    peer: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one figure of a row is: seconds (or bytes) times `scale`, for each answer, shift or call."""

    name: str
    scale: float
    each: str

    def value(self, seconds: float, job: Job) -> float:
        count = {"call": 1, "answer": job.answers, "shift": job.answers * job.shifts}[self.each]
        return seconds * self.scale / count


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `measure`: "time", "memory" (a core, beyond input and output), "cancel", "start".

    "start empty" and "start warm": seconds from a new process to its first answer, by state of the cache.
    """

    name: str
    ours: Job
    unit: Unit
    peers: tuple[Peer, ...] = ()
    goals: tuple[Goal, ...] = ()
    measure: str = "time"


@dataclass(frozen=True, slots=True)
class Quote:
    """Published figures of a program that is not run here, us/px, and by how much they should be beaten."""

    program: str
    row: str
    low: float
    high: float
    goal: float
    why: str = ""


PIXEL = Unit("us/px", 1e6, "answer")
POINT = Unit("us/point", 1e6, "answer")
SHIFT = Unit("ns/px/shift", 1e9, "shift")
CALL = Unit("ms", 1e3, "call")
SECONDS = Unit("s", 1.0, "call")
MEGABYTES = Unit("MB/core", 1e-6, "call")

_PAIR = Job()
_FIVE = Job(frames=5)
_TWENTY = Job(frames=20)
_LINES = Job(frames=5, search="1d")
_UMPA = Job(method="umpa", weight="hamming", frames=5)
_DARK = Job(method="umpa_dark", weight="hamming", frames=5)
_POINTS = Job(kind="points", points=30, window=41)
_GRID = Job(window=31, step=5)
_MAP = Job(kind="map", side=128, template=88)
_LARGE_MAP = Job(kind="map", side=1024, template=984)
_SMALL = Job(side=128)


def _algotom(job: Job, side: int = 128, apart: float = 1e-3) -> tuple[Peer, Peer]:
    """Return algotom as it is called without `ncore`, which leaves one core idle, and on all cores.

    On a smaller image: on ours it would take many minutes.
    """
    job = replace(job, program="algotom", side=min(side, job.side))
    return (
        Peer(replace(job, cores=DEFAULT_CORES), apart),
        Peer(job, float("inf"), "algotom, all cores"),
    )


def _mbipy(job: Job, apart: float, model: str) -> Peer:
    note = f"template from the sample, as ours, {model}; its shifts are 2 px too small, which is put right"
    return Peer(replace(job, program="mbipy", side=128), apart, note=note)


def _other(program: str, job: Job, apart: float, note: str = "") -> Peer:
    return Peer(replace(job, program=program), apart, note=note)


def _itself(label: str, job: Job) -> Peer:
    return Peer(job, float("inf"), label)


_TILES = (
    "Two thirds of a core's time are the loops over shifts; the shares of the ceilings below count only these. "
    "Adds, slides and stores share ports, so that they stop well short of the multiply-adds alone. The rest "
    "prepares tiles and fits peaks, once for each pixel."
)
_LINES_WHY = (
    "42 shifts take a fifth of the time; the rest is what each of the two searches does once for a pixel: "
    "scaling five frames twice, moments, the fit, in steps that take Python's lock."
)
_WINDOW = (
    "The operations grow 1.13 times; a tile of 64 rows has 20 more to multiply instead of 6, and sums of 16 "
    "and of 4 and 1 neighbours are more slides."
)
_CORES = (
    "The steps between the loops, a tenth of the time, take Python's lock in turn; and where the two processors "
    "of a shared machine are one core's threads, both ceilings below hardly grow with the second."
)
_COMPILING = (
    "Importing Numba takes a third of that; Numba's typing and lowering of ten functions, in Python, and LLVM "
    "the rest in equal parts. `shiftfield.warm_up()` does it beforehand."
)

ROWS = (
    Row(
        "one pair, 2-D Pearson",
        _PAIR,
        PIXEL,
        _algotom(_PAIR, 192),
        (Goal("faster", 1000, why=_TILES),),
    ),
    Row(
        "5 frames, 2-D Pearson",
        _FIVE,
        PIXEL,
        _algotom(_FIVE),
        (Goal("faster", 2500, why=_TILES),),
    ),
    Row(
        "20 frames, 2-D Pearson",
        _TWENTY,
        PIXEL,
        _algotom(_TWENTY, 96),
        (Goal("faster", 2500, why=_TILES),),
    ),
    Row(
        "5 frames, 1-D Pearson",
        _LINES,
        PIXEL,
        _algotom(_LINES, 192),
        (Goal("faster", 500, why=_LINES_WHY),),
    ),
    Row(
        "5 frames, UMPA, hamming",
        _UMPA,
        PIXEL,
        (
            *_algotom(_UMPA, apart=4e-3),
            _mbipy(_UMPA, 0.05, "but the reference is fitted to it, not it to the reference"),
        ),
        (Goal("faster", 1000, why=_TILES),),
    ),
    Row(
        "5 frames, UMPA with dark field, hamming",
        _DARK,
        PIXEL,
        (
            *_algotom(_DARK, apart=4e-3),
            _mbipy(_DARK, 0.15, "but with the mean of each window for the mean of the image"),
        ),
        (Goal("faster", 1000, why=_TILES),),
    ),
    Row("20 frames, UMPA, hamming", replace(_UMPA, frames=20), PIXEL),
    Row("20 frames, UMPA, hamming, window 21", replace(_UMPA, frames=20, window=21), PIXEL),
    Row(
        "20 frames, window 21 against window 7",
        replace(_TWENTY, window=21),
        PIXEL,
        (_itself("window 7", _TWENTY),),
        (Goal("times", 1.3, why=_WINDOW),),
    ),
    Row(
        "margin 40 (6561 shifts) against margin 10 (441)",
        replace(_PAIR, margin=40),
        SHIFT,
        (_itself("margin 10", _PAIR),),
        (Goal("times", 1.0),),
    ),
    Row(
        "one pair, all cores against one",
        _PAIR,
        PIXEL,
        (_itself("one core", replace(_PAIR, cores=1)),),
        (Goal("faster", 1.8, why=_CORES),),
    ),
    Row(
        "5 frames, all cores against one",
        _FIVE,
        PIXEL,
        (_itself("one core", replace(_FIVE, cores=1)),),
        (Goal("faster", 1.8, why=_CORES),),
    ),
    Row(
        "30 points, window 41",
        _POINTS,
        CALL,
        (
            *_algotom(_POINTS, side=512),
            _other("OpenCV", _POINTS, 0.3, "one matchTemplate a point, the peak in whole px"),
            _other(
                "scikit-image",
                _POINTS,
                0.2,
                "phase_cross_correlation of equal windows, to 0.01 px: two FFTs, no search area",
            ),
        ),
        (Goal("at_most", 10),),
    ),
    Row(
        "one pair, window 31, every 5th pixel",
        _GRID,
        POINT,
        (_other("OpenPIV", _GRID, 0.1, "FFT of each window, all shifts of it, a Gaussian peak"),),
    ),
    Row(
        "map of 88 x 88 px in 128 x 128",
        _MAP,
        CALL,
        (
            Peer(replace(_MAP, program="algotom"), 1e-4),
            _other("scikit-image", _MAP, 1e-4, "match_template"),
            _other("OpenCV", _MAP, 1e-4, "matchTemplate, float32"),
        ),
        (Goal("at_most", 5), Goal("faster", 1, peer=1)),
    ),
    Row(
        "map of 984 x 984 px in 1024 x 1024",
        _LARGE_MAP,
        CALL,
        (
            _other("scikit-image", _LARGE_MAP, 1e-4, "match_template"),
            _other("OpenCV", _LARGE_MAP, 1e-3, "matchTemplate, float32"),
        ),
        (Goal("faster", 1),),
    ),
    Row(
        "first answer of a new process, empty cache",
        _SMALL,
        SECONDS,
        goals=(Goal("at_most", 3, why=_COMPILING),),
        measure="start empty",
    ),
    Row(
        "first answer of a new process, warm cache",
        _SMALL,
        SECONDS,
        goals=(Goal("at_most", 1.2),),
        measure="start warm",
    ),
    Row(
        "from cancel to the end of all threads, 5 frames",
        replace(_FIVE, margin=40),
        SECONDS,
        goals=(Goal("at_most", 0.2),),
        measure="cancel",
    ),
    Row(
        "from cancel to the end of all threads, 20 frames of 2048 x 2048 px",
        replace(_TWENTY, margin=40, window=21, side=2048),
        SECONDS,
        goals=(Goal("at_most", 0.2),),
        measure="cancel",
    ),
    Row(
        "memory, 5 frames of 512 x 512 px",
        _FIVE,
        MEGABYTES,
        goals=(Goal("at_most", 64),),
        measure="memory",
    ),
    Row(
        "memory, 5 frames of 2048 x 2048 px",
        replace(_FIVE, side=2048),
        MEGABYTES,
        goals=(Goal("at_most", 64),),
        measure="memory",
    ),
)

# UMPA++ is GPL and is not run here: its figures are those that issue 3 of this project quotes, on two threads
# of another machine, for a descent that does not try every shift.
QUOTES = (
    Quote("UMPA++", "5 frames, UMPA, hamming", 7.2, 7.2, 10),
    Quote("UMPA++", "20 frames, UMPA, hamming", 15, 33, 10),
    Quote("UMPA++", "20 frames, UMPA, hamming, window 21", 262, 622, 100),
)
