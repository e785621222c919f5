"""A table of figures held to goals; each is printed, and written to the file, as soon as it is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure and its goal.

    Attributes
    ----------
    name, unit : str
    value : float or None
        None where nothing was measured; `note` says why.
    goal : float or None
        The most it may be, or with `at_least` the least; None for a figure without a goal.
    spoilt : str
        What makes the figure worthless, such as a device that failed meanwhile.
    note : str
        What a reader wants to know besides.
    """

    name: str
    value: float | None
    unit: str
    goal: float | None = None
    at_least: bool = False
    spoilt: str = ""
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the figure is there, and as good as its goal."""
        if self.value is None or self.spoilt:
            return False
        if self.goal is None:
            return True
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def line(self) -> str:
        """Return the row of a Markdown table."""
        value = "-" if self.value is None else f"{self.value:.5g} {self.unit}"
        goal = "" if self.goal is None else f"{'>=' if self.at_least else '<='} {self.goal:g}"
        verdict = "" if self.goal is None and self.reached else _WORDS[self.reached]
        said = "; ".join(text for text in (self.spoilt, self.note) if text)
        return f"| {self.name} | {value} | {goal} | {verdict} | {said} |"


_WORDS = {True: "reached", False: "NOT REACHED"}
HEAD = "| what | figure | goal | | |\n|---|---|---|---|---|"


@dataclass
class Table:
    """The rows of a run."""

    about: dict[str, Any]
    file: Path | None = None
    say: Callable[[str], object] = print
    rows: list[Row] = field(default_factory=list)

    def add(self, rows: Iterable[Row]) -> None:
        """Print rows as they come, and keep them."""
        for row in rows:
            self.rows.append(row)
            self.say(row.line())
            self.save()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Let what fails here be a row that is not reached, and the rest go on."""
        try:
            yield
        except Exception as error:
            text = (str(error).strip() or repr(error)).splitlines()[0]
            self.add([Row(name, None, "", spoilt=f"{type(error).__name__}: {text}")])

    def save(self) -> None:
        """Write all that is known."""
        if self.file:
            rows = [{**asdict(row), "reached": row.reached} for row in self.rows]
            text = json.dumps({**self.about, "rows": rows}, indent=1)
            self.file.write_text(text + "\n", encoding="utf-8")

    @property
    def reached(self) -> bool:
        """Whether there are figures, and all are as good as their goals."""
        return bool(self.rows) and all(row.reached for row in self.rows)
