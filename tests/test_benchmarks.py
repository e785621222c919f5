"""The table of comparisons: programs find the same, goals are judged right, pages hold the figures.

Nothing is timed here; `python -m benchmarks` does that with the same table.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
from benchmarks import agreement, images, report
from benchmarks.cases import CALL, PIXEL, QUOTES, ROWS, SHIFT, Goal, Job, Peer, Quote, Row
from benchmarks.ceilings import Ceilings
from benchmarks.counts import counts, fractions
from benchmarks.goals import quoted, verdict
from benchmarks.measure import Worker
from benchmarks.programs import PROGRAMS, answer_of, call_of, installed

TOP = Path(__file__).parents[1]
COMPARED = [
    pytest.param(row, n, id=f"{row.name}, {peer.name}")
    for row in ROWS
    for n, peer in enumerate(row.peers)
    if isfinite(peer.apart)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images")
    images.make(path, side=128)
    return path


@pytest.mark.filterwarnings("ignore")  # what the peers say on the way is not the question
@pytest.mark.parametrize(("row", "n"), COMPARED)
def test_both_programs_find_the_same(row: Row, n: int, folder: Path) -> None:
    peer = row.peers[n]
    if not installed(peer.job.program):
        pytest.skip(f"pip install {PROGRAMS[peer.job.program].package}")
    jobs = agreement.pair(row, n, answers=14, margin=0 if row.ours.kind == "map" else 5)
    ours, theirs = (
        answer_of(job, call_of(replace(job, cores=1), *images.load(folder, job))()) for job in jobs
    )
    found = agreement.differences(ours, theirs)
    assert agreement.agree(found, peer.apart), found
    if row.ours.kind != "map":
        assert {"x", "y"} <= found.keys()


def test_answers_that_differ_do_not_agree(folder: Path) -> None:
    job = Job().of_side(10)
    answer = answer_of(job, call_of(job, *images.load(folder, job))())
    moved = {**answer, "x": answer["x"] + 0.5}
    assert not agreement.agree(agreement.differences(answer, moved), 0.4)
    assert agreement.differences(answer, moved)["x"].median == pytest.approx(0.5)
    assert agreement.agree(agreement.differences(answer, answer), 0.0)
    with pytest.raises(ValueError, match="shape"):
        agreement.differences(answer, {"x": answer["x"][1:]})


def test_the_table_is_consistent() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert {quote.row for quote in QUOTES} <= set(names)
    for row in ROWS:
        assert all(goal.kind == "at_most" or goal.peer < len(row.peers) for goal in row.goals)
        for job in (row.ours, *(peer.job for peer in row.peers)):
            assert job.edge % job.step == 0
            assert job.frames <= images.FRAMES
            assert (TOP / "benchmarks" / "programs" / f"{PROGRAMS[job.program].module}.py").exists()


def test_a_unit_divides_by_what_was_done() -> None:
    job = Job(side=46, window=7, margin=10)
    assert (job.answers, job.shifts) == (20 * 20, 441)
    assert PIXEL.value(4e-4, job) == pytest.approx(1.0)
    assert SHIFT.value(4e-4, job) == pytest.approx(1000 / 441)
    assert CALL.value(4e-4, job) == pytest.approx(0.4)
    assert replace(job, step=5, window=31, side=70).answers == 4 * 4
    assert replace(job, search="1d").shifts == 42


@pytest.mark.parametrize(
    ("goal", "ours", "theirs", "reached"),
    [
        (Goal("at_most", 10), 10.0, 5.0, True),
        (Goal("at_most", 10), 10.1, 500.0, False),
        (Goal("faster", 1000), 1.0, 1000.0, True),
        (Goal("faster", 1000), 1.0, 999.0, False),
        (Goal("times", 1.3), 1.3, 1.0, True),
        (Goal("times", 1.3), 1.4, 1.0, False),
        (Goal("faster", 1000), 1.0, None, None),
        (Goal("at_most", 10), None, 1.0, None),
    ],
)
def test_a_goal_is_judged_by_the_figures(
    goal: Goal, ours: float | None, theirs: float | None, reached: bool | None
) -> None:
    row = Row("a row", Job(), PIXEL, (Peer(Job("algotom"), 1.0),), (goal,))
    assert verdict(row, goal, ours, [theirs]).reached is reached


def test_a_quoted_program_is_judged_by_its_best_figure() -> None:
    quote = Quote("UMPA++", "a row", 20, 60, 10)
    assert quoted(quote, 2.0).reached is True
    assert quoted(quote, 2.1).reached is False
    assert quoted(quote, None).reached is None


def test_a_job_at_the_ceiling_reaches_all_of_it() -> None:
    """A machine that does exactly the counted operations and bytes in one second."""
    job = Job(frames=5, side=100)
    need, work = counts(job), job.answers * job.shifts / 1e9
    machine = Ceilings(
        fma={"2": need.operations * work},
        read={},
        copy={"L1": {"2": need.l1_bytes * work}, "L2": {"2": need.l2_bytes * work / 0.5}},
        sizes={},
    )
    reached = fractions(job, 1.0, machine, 2)
    assert (reached.operations, reached.l1, reached.l2) == pytest.approx((1.0, 1.0, 0.5))
    assert fractions(job, 4.0, machine, 2).operations == pytest.approx(0.25)


def test_more_work_counts_more() -> None:
    five, six = counts(Job(frames=5)), counts(Job(frames=6))
    assert (
        1 <= six.operations - five.operations < 1.1
    )  # a multiply-add for each frame, and the window's halo
    assert counts(Job(weight="hamming", window=21)).operations > counts(Job(window=21)).operations


def test_a_process_says_what_went_wrong(folder: Path) -> None:
    worker = Worker(folder)
    try:
        with pytest.raises(RuntimeError, match="there are 20"):
            worker.ask("timed", Job(frames=99))
        assert worker.ask("timed", Job(side=40)) > 0  # and goes on
    finally:
        worker.close()


def results() -> dict[str, Any]:
    """The committed figures."""
    text = (TOP / "benchmarks" / "results.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_pages_hold_the_committed_figures_and_no_others() -> None:
    """`python -m benchmarks --redraw` writes them again."""
    found = results()
    pictures = [f"benchmark-{plot['varied']}.png" for plot in found["growth"]]
    page = (TOP / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page == report.page(found, pictures)
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    assert readme == report.summary(found, readme)


def test_the_committed_figures_are_of_the_whole_table() -> None:
    found = results()
    assert [row["name"] for row in found["rows"]] == [row.name for row in ROWS]
    assert [quote["row"] for quote in found["quotes"]] == [quote.row for quote in QUOTES]


def test_a_peer_that_is_missing_is_said_plainly() -> None:
    found = results()
    peer = found["rows"][0]["peers"][0]
    peer.update(value=None, missing="not installed: pip install algotom", differences={})
    lines = report.page(found, [f"{n}.png" for n in range(len(found["growth"]))]).splitlines()
    (line,) = (
        text
        for text in lines
        if text.startswith(f"| {found['rows'][0]['name']} | ") and "pip" in text
    )
    assert "not installed: pip install algotom" in line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5123, "0.512"), (12.345, "12.3"), (207.4, "207"), (2777.7, "2778"),
        (0.0001234, "0.000123"), (1.234e-6, "0.0000012"), (0, "0"),
    ],
)  # fmt: skip
def test_figures_are_never_in_powers_of_ten(value: float, text: str) -> None:
    assert report.number(value) == text
