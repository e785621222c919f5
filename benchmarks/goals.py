"""Whether a row reached its goals: worked out from its figures, never typed.

The goals themselves stand in `cases`.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.cases import Goal, Quote, Row


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal in words, the figure that is held against it, and whether it is reached (None: not known)."""

    goal: str
    figure: float | None
    reached: bool | None
    peer: int | None


def verdict(row: Row, goal: Goal, ours: float | None, theirs: list[float | None]) -> Verdict:
    """Judge one goal by the value of ours and of every peer, in the row's unit."""
    if goal.kind == "at_most":
        words = f"at most {goal.bound:g} {row.unit.name}"
        return Verdict(words, ours, None if ours is None else ours <= goal.bound, None)
    name, peer = row.peers[goal.peer].name, theirs[goal.peer]
    if goal.kind == "faster":
        words = f"not slower than {name}" if goal.bound == 1 else f"at least {goal.bound:g}x {name}"
        ratio = None if ours is None or peer is None else peer / ours
        return Verdict(words, ratio, None if ratio is None else ratio >= goal.bound, goal.peer)
    if goal.kind == "times":
        words = f"at most {goal.bound:g}x {name}"
        ratio = None if ours is None or peer is None else ours / peer
        return Verdict(words, ratio, None if ratio is None else ratio <= goal.bound, goal.peer)
    raise ValueError(f"A goal is {goal.kind!r}; allowed are 'at_most', 'faster' and 'times'.")


def quoted(quote: Quote, ours: float | None) -> Verdict:
    """Judge our figure against the lower of a program's published ones."""
    ratio = None if ours is None else quote.low / ours
    words = f"at least {quote.goal:g}x"
    return Verdict(words, ratio, None if ratio is None else ratio >= quote.goal, None)
