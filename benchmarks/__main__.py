"""`python -m benchmarks`: run the table of comparisons, print it, write JSON, plots and the pages of the docs.

A run of all rows writes them where they belong; a quick one, or one of some rows, only where it is told to.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from shutil import copyfile
from typing import Any

from benchmarks import ceilings, growth, images, plots, report
from benchmarks.cases import QUOTES, ROWS, Goal, Job, Row
from benchmarks.counts import counts, fractions
from benchmarks.goals import quoted, verdict
from benchmarks.machine import machine
from benchmarks.measure import Effort, Figure, Workers, measure
from benchmarks.programs import PROGRAMS, cores_of, installed

_TOP = Path(__file__).parents[1]
_QUICK = Effort(rounds=1, peer_rounds=1, starts=1, empty_starts=1, answers=24)


def main() -> None:
    """Run what was asked for."""
    options = _options()
    if options.redraw:
        results = json.loads((_TOP / "benchmarks" / "results.json").read_text())
        _write(results, options.into or _TOP)
        return
    effort = _QUICK if options.quick else Effort()
    chosen = [row for row in ROWS if not options.only or _named(row, options.only)]
    if not chosen:
        raise SystemExit(f"No row has {options.only} in its name.")
    whole = not options.quick and not options.only
    results = run(chosen, effort, everything=whole or (options.quick and not options.only))
    into = options.into or (_TOP if whole else None)
    if into is not None:
        _write(results, into)


def run(rows: list[Row], effort: Effort, everything: bool) -> dict[str, Any]:
    """Measure rows, and with `everything` ceilings and growth too; print as figures arrive."""
    started = time.perf_counter()
    cores, quick = cores_of(Job()), effort.answers > 0
    _say_what_is_missing(rows)
    top = ceilings.measure(cores, quick) if everything else None
    if top is not None:
        print(_ceilings(top, cores), flush=True)
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images.make(folder, side=192 if quick else images.SIDE)
        with Workers(folder) as workers:
            for row in rows:
                found.append(_measured(row, measure(row, workers, effort), top, judge=not quick))
                print("\n".join(_lines(found[-1])), flush=True)
            lines = (
                growth.measure(workers, 1 if quick else 3, _told, effort.answers)
                if everything
                else []
            )
    by_name = {row["name"]: row["ours"]["value"] for row in found}
    results: dict[str, Any] = {
        "machine": machine(time.perf_counter() - started),
        "programs": [
            {"name": n, **asdict(p), "version": installed(n)} for n, p in PROGRAMS.items()
        ],
        "rows": found,
        "quotes": [
            {**asdict(q), "ours": by_name[q.row], **asdict(quoted(q, by_name[q.row]))}
            for q in QUOTES
            if q.row in by_name and not quick
        ],
        "ceilings": asdict(top) if top else None,
        "growth": lines,
    }
    for quote in results["quotes"]:
        print(
            f"{quote['row']:50s} {quote['program']} (quoted) {quote['low']:g} us/px: "
            f"{report.number(quote['figure'])}x; {quote['goal']}: {report.verdict_words(quote['reached'])}"
        )
    print(f"{time.perf_counter() - started:.0f} s in all")
    return results


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small images, one round: does it run?"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="WORDS", help="rows with one of these in the name"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="write everything below this folder"
    )
    parser.add_argument(
        "--redraw", action="store_true", help="write pages and plots from results.json"
    )
    return parser.parse_args()


def _named(row: Row, words: list[str]) -> bool:
    return any(each.lower() in row.name.lower() for each in words)


def _measured(
    row: Row, figures: list[Figure], top: ceilings.Ceilings | None, judge: bool
) -> dict[str, Any]:
    ours, theirs = figures[0], figures[1:]
    job = Job(**ours.job)
    countable = row.measure == "time" and job.kind == "field" and job.step == 1 and top is not None
    reached = None
    if countable and top is not None and ours.value is not None:
        seconds = ours.value / row.unit.value(1.0, job)
        reached = asdict(fractions(job, seconds, top, cores_of(job)))
    return {
        "name": row.name,
        "unit": row.unit.name,
        "measure": row.measure,
        "ours": asdict(ours),
        "peers": [asdict(figure) for figure in theirs],
        "goals": [_judged(row, goal, ours, theirs, judge) for goal in row.goals],
        "counts": asdict(counts(job)) if countable else None,
        "fractions": reached,
    }


def _judged(
    row: Row, goal: Goal, ours: Figure, theirs: list[Figure], judge: bool
) -> dict[str, Any]:
    """Return a goal's verdict; on small images there is none, for the goals are not about those."""
    judged = asdict(verdict(row, goal, ours.value, [figure.value for figure in theirs]))
    if not judge:
        judged["reached"] = None
    return {**judged, "kind": goal.kind, "bound": goal.bound, "why": goal.why}


def _lines(row: dict[str, Any]) -> list[str]:
    """Return what is printed of a row."""
    lines = [f"{row['name']:50s} {report.value(row['ours'], row['unit'])}"]
    for n, peer in enumerate(row["peers"]):
        times = report.ratio(row, n)
        same = "" if peer["agrees"] is None else "agrees" if peer["agrees"] else "DOES NOT AGREE"
        lines.append(
            f"    {peer['label']:46s} {report.value(peer, row['unit'])}"
            + (f"  {report.number(times)}x  {same}" if times else "")
        )
    for goal in row["goals"]:
        figure = "" if goal["figure"] is None else f" ({report.number(goal['figure'])})"
        lines.append(f"    goal {goal['goal']:41s} {report.verdict_words(goal['reached'])}{figure}")
    return lines


def _ceilings(top: ceilings.Ceilings, cores: int) -> str:
    key = str(cores)
    rates = [
        f"{level} {top.read[level][key]:.0f}, {top.copy[level][key]:.0f}" for level in top.read
    ]
    return (
        f"{cores} cores: {top.fma[key]:.0f} float32 multiply-adds, 1e9/s; "
        f"read, copied, GB/s: {'; '.join(rates)}"
    )


def _say_what_is_missing(rows: list[Row]) -> None:
    wanted = {peer.job.program for row in rows for peer in row.peers}
    missing = [
        PROGRAMS[name].package for name in PROGRAMS if name in wanted and not installed(name)
    ]
    if missing:
        print(f"Not installed, and so not compared with: pip install {' '.join(missing)}")


def _told(words: str) -> None:
    print(words, flush=True)


def _write(results: dict[str, Any], top: Path) -> None:
    """Write JSON, plots, docs page and README below a folder, the repository's or another."""
    pictures = top / "docs" / "pictures"
    for folder in (pictures, top / "benchmarks"):
        folder.mkdir(parents=True, exist_ok=True)
    if top.resolve() != _TOP:
        copyfile(_TOP / "README.md", top / "README.md")
    (top / "benchmarks" / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    names = plots.draw(results["growth"], pictures)
    report.write(results, names, top / "docs", top / "README.md")


if __name__ == "__main__":
    main()
