"""Writes docs/benchmarks.md and the README's table from the figures of one run.

No figure on either page is typed by hand; what a figure means is said in `cases` and `goals`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- written by python -m benchmarks -->", "<!-- end -->"


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure with so many digits that count, never in powers of ten."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.{digits + 4}f}"


def page(results: dict[str, Any], pictures: list[str]) -> str:
    """Return the page."""
    parts = [
        _head(results["machine"]),
        _goals(results),
        _unreached(results),
        _quotes(results),
        _agreement(results["rows"]),
        _ceilings(results),
        _growth(results["growth"], pictures),
        _method(results),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def summary(results: dict[str, Any], readme: str) -> str:
    """Return the README with the short table between its two markers."""
    before, _, rest = readme.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{_short(results)}{_END}{after}"


def write(results: dict[str, Any], pictures: list[str], docs: Path, readme: Path) -> None:
    """Write both pages."""
    (docs / "benchmarks.md").write_text(page(results, pictures), encoding="utf-8")
    readme.write_text(summary(results, readme.read_text(encoding="utf-8")), encoding="utf-8")


def verdict_words(reached: bool | None) -> str:
    """Return "yes", "**no**" or, where there is no verdict, "not judged"."""
    return "not judged" if reached is None else "yes" if reached else "**no**"


def value(figure: dict[str, Any], unit: str) -> str:
    """Return a program's figure with its unit, or why there is none."""
    return figure["missing"] or f"{number(figure['value'])} {unit}"


def ratio(row: dict[str, Any], number_of_peer: int) -> float | None:
    """Return theirs / ours, or for a goal of "at most so many times" ours / theirs."""
    ours, theirs = row["ours"]["value"], row["peers"][number_of_peer]["value"]
    if ours is None or theirs is None:
        return None
    turned = any(
        goal["kind"] == "times" and goal["peer"] == number_of_peer for goal in row["goals"]
    )
    return float(ours / theirs if turned else theirs / ours)


def _head(machine: dict[str, Any]) -> str:
    versions = ", ".join(
        f"{name} {version}" for name, version in machine["versions"].items() if version
    )
    return f"""# Benchmarks

Written by `python -m benchmarks` from one run on {machine["date"]}{_commit(machine)}: {machine["processor"]},
{machine["cores"]} cores, {machine["system"]}, Python {machine["python"]};
{versions}.
Window 7 px, margin 10 px (441 shifts in 2-D) and float32 images of 512 x 512 px unless said; no GPU.
"""


def _commit(machine: dict[str, Any]) -> str:
    return f" at commit {machine['commit']}" if machine["commit"] else ""


def _goals(results: dict[str, Any]) -> str:
    lines = [
        line
        for row in results["rows"]
        for line in _lines_of(row)
    ]  # fmt: skip
    judged = [goal["reached"] for row in results["rows"] for goal in row["goals"]]
    judged += [quote["reached"] for quote in results["quotes"]]
    return f"""
## The table

{sum(each is True for each in judged)} of {len(judged)} goals are reached, those against UMPA++ below included.
Every figure is the median of several rounds; the range is that of the rounds. A ratio is the peer's figure over
ours; where the goal is "at most so many times", ours over the peer's.

| work | shiftfield | range | against | its figure | ratio | goal | reached |
|---|---:|---:|---|---:|---:|---|---|
{chr(10).join(lines)}
"""


def _lines_of(row: dict[str, Any]) -> list[str]:
    ours, unit = row["ours"], row["unit"]
    first = [row["name"], value(ours, unit), _range(ours)]
    whole = [goal for goal in row["goals"] if goal["peer"] is None]
    lines = []
    for n, peer in enumerate(row["peers"]):
        goals = [goal for goal in row["goals"] if goal["peer"] == n] + (whole if n == 0 else [])
        times = ratio(row, n)
        lines.append(
            [
                *(first if n == 0 else ["", "", ""]),
                peer["label"],
                value(peer, unit),
                "" if times is None else f"{number(times)}x",
                *_goal_cells(goals),
            ]
        )
    if not lines:
        lines.append([*first, "", "", "", *_goal_cells(whole)])
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _range(figure: dict[str, Any]) -> str:
    if figure["lowest"] is None:
        return ""
    return f"{number(figure['lowest'])} to {number(figure['highest'])}"


def _goal_cells(goals: list[dict[str, Any]]) -> list[str]:
    return [
        "; ".join(goal["goal"] for goal in goals),
        "; ".join(verdict_words(goal["reached"]) for goal in goals),
    ]


def _unreached(results: dict[str, Any]) -> str:
    """Say plainly what is not reached, and why where a bound is known."""
    judged = [(row["name"], goal) for row in results["rows"] for goal in row["goals"]]
    judged += [(f"{quote['row']}, against UMPA++", quote) for quote in results["quotes"]]
    lines = [
        f"* {name}: {goal['goal']}; it is {number(goal['figure'])}. {goal['why']}".rstrip()
        for name, goal in judged
        if goal["reached"] is False
    ]
    return "\n## Not reached\n\n" + "\n".join(lines) + "\n" if lines else ""


def _quotes(results: dict[str, Any]) -> str:
    if not results["quotes"]:
        return ""
    lines = [
        f"| {quote['row']} | {_span(quote)} us/px | {number(quote['ours'])} us/px | "
        f"{number(quote['figure'])}x | {quote['goal']} | {verdict_words(quote['reached'])} |"
        for quote in results["quotes"]
    ]
    return f"""
## UMPA++

UMPA++ (C++, GPL) is not run here. Its figures are quoted from issue 3 of this project: another run, two threads,
a descent that does not try every shift. The ratio takes the lower of them; ours tries all 441 shifts.

| work | UMPA++, as quoted | shiftfield, this run | ratio | goal | reached |
|---|---:|---:|---:|---|---|
{chr(10).join(lines)}
"""


def _span(quote: dict[str, Any]) -> str:
    low, high = quote["low"], quote["high"]
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _agreement(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"| {row['name']} | {peer['label']} | {_medians(peer)} | {peer['apart']:g} | "
        f"{'yes' if peer['agrees'] else '**no**'} | {peer['note']} |"
        for row in rows
        for peer in row["peers"]
        if peer["differences"]
    ]
    if not lines:
        return ""
    return f"""
## Do they find the same?

Median and 99th percentile of the differences between the two answers, on a small image of the same work, in px
for x and y; every shift is from the sample to its match in the reference.

| work | against | differences, median (99 %) | median allowed | agree | not quite the same |
|---|---|---|---:|---|---|
{chr(10).join(lines)}
"""


def _medians(peer: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {each['median']:.1e} ({each['largest']:.1e})"
        for name, each in sorted(peer["differences"].items(), key=_shifts_first)
    )


def _shifts_first(item: tuple[str, Any]) -> tuple[bool, str]:
    return item[0] not in ("x", "y"), item[0]


def _ceilings(results: dict[str, Any]) -> str:
    ceilings = results["ceilings"]
    if not ceilings:
        return ""
    columns = list(ceilings["fma"])
    head = " | ".join("one core" if n == "1" else f"{n} cores" for n in columns)
    lines = [_ceiling("float32 multiply-adds, 1e9/s", ceilings["fma"], columns)]
    for what, words in (("read", "read"), ("copy", "copied, read and written counted")):
        lines += [
            _ceiling(f"{level}, {words}, GB/s", rates, columns)
            for level, rates in ceilings[what].items()
        ]
    fractions = [
        f"| {row['name']} | {number(row['counts']['operations'])} | {row['fractions']['operations']:.0%} | "
        f"{number(row['counts']['slides'])} | "
        f"{number(row['counts']['l1_bytes'])} | {row['fractions']['l1']:.0%} | "
        f"{number(row['counts']['l2_bytes'])} | {row['fractions']['l2']:.0%} |"
        for row in results["rows"]
        if row["fractions"]
    ]
    return f"""
## Ceilings of the machine

Measured in the same run with plain Numba loops; the best of several.

| | {head} |
|---|{"---:|" * len(columns)}
{chr(10).join(lines)}

What our work needs for one pixel and one shift, counted by running the kernels' source with numbers that count
(`benchmarks/counting.py`), and what share of the ceiling of all its cores that makes in the measured time:
multiply-adds, and bytes copied within a cache. Slides move numbers to their neighbours, on the ports of the adds.
Halos of tiles, preparation and the sub-pixel fit are not counted: the machine does more than these shares.

| work | operations | of the ceiling | slides | L1 bytes | of the ceiling | L2 bytes | of the ceiling |
|---|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(fractions)}
"""


def _ceiling(name: str, rates: dict[str, float], columns: list[str]) -> str:
    return f"| {name} | {' | '.join(number(rates[n]) for n in columns)} |"


def _growth(growth: list[dict[str, Any]], pictures: list[str]) -> str:
    if not growth:
        return ""
    parts = [
        """
## Growth

Time of one pixel with an answer, on all cores, window 7 and margin 10 unless varied; algotom on smaller images.
All axes are logarithmic.
"""
    ]
    for plot, name in zip(growth, pictures, strict=True):
        lines = "; ".join(f"{line['label']}: {_ends(line)}" for line in plot["lines"])
        parts.append(
            f"![Time of one pixel against the {plot['words']}](pictures/{name})\n\n{lines}.\n"
        )
    return "\n".join(parts)


def _ends(line: dict[str, Any]) -> str:
    """Say the first and the last point of a line."""
    values, times = line["values"], line["us_per_px"]
    return f"{number(times[0])} us/px at {values[0]}, {number(times[-1])} at {values[-1]}"


def _method(results: dict[str, Any]) -> str:
    programs = [
        f"| {each['name']} | {each['version'] or 'not installed: `pip install ' + each['package'] + '`'} | "
        f"{each['licence']} |"
        for each in results["programs"]
    ]
    return f"""
## How it was measured

* Every program runs in a process of its own; the programs take turns, round by round, so that a busy moment of
  the machine meets all of them. Imports, compiling and one small image come before; short calls are repeated for
  0.2 s.
* Time is that of a pixel with an answer. algotom and mbipy are given smaller images (the middle 96 to 192 px of
  ours): on ours they would take many minutes. All programs may use all cores; mbipy, OpenPIV and scikit-image
  use one. Goals are held against algotom as it is called without `ncore`, as the goals' own figures were taken:
  that leaves one core idle. On all cores it has a line of its own.
* The first answer is timed around a whole process of `benchmarks/start.py`, interpreter and imports included,
  with a cache folder that is empty or was filled by one such process before.
* A cancelled search is asked to stop 0.3 s after it began; the time is that until none of its threads runs.
* Memory is the growth of the process's peak during a call beyond its input and what it returns, over its cores.
* Peers are the extra `bench` (`pip install ".[bench]"`); the package never imports them. OpenPIV is GPL: it is
  run here and is no part of what is shipped. scikit-image's `optical_flow_ilk` is left out: it tries no shifts.
* The table of comparisons is `benchmarks/cases.py`; it also drives `tests/test_benchmarks.py`.

| program | version | licence |
|---|---|---|
{chr(10).join(programs)}
"""


def _short(results: dict[str, Any]) -> str:
    machine = results["machine"]
    version = machine["versions"]["algotom"]
    rows = [
        (row, n, peer)
        for row in results["rows"]
        for n, peer in enumerate(row["peers"])
        if peer["label"] == "algotom" and peer["value"] is not None
    ]
    lines = [
        f"| {row['name']} | {value(row['ours'], row['unit'])} | {value(peer, row['unit'])} | "
        f"{number(ratio(row, n))}x |\n"
        for row, n, peer in rows
    ]
    where = f"{machine['cores']} cores ({machine['processor']})"
    return f"""Window 7 px, margin 10 px unless said, on {where}, {machine["date"]}, against
algotom {version} on the CPU in the same run; other programs, goals and how it was measured are in
[benchmarks](docs/benchmarks.md).

| work | shiftfield | algotom | ratio |
|---|---:|---:|---:|
{"".join(lines)}"""
