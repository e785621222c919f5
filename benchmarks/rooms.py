"""The rooms of the package, its folders and the files at its top, and who imports whom, drawn from the imports.

`python -m benchmarks.rooms` draws docs/pictures/architecture.svg. An arrow that follows from others is left out;
one that passes other rooms is dashed. Nothing of the package is run.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "src" / "shiftfield"
PICTURE = TOP / "docs" / "pictures" / "architecture.svg"
SMALL = (
    "_version",
    "machine",
    "quality",
    "scores",
    "settings",
    "settings_file",
    "strangers",
    "whole",
)  # one box
SINGLE = (
    "__main__",
    "demo",
    "doctor",
    "samples",
    "warm_up",
)  # files that explain themselves: not drawn
WORDS = {  # what a box says below its name
    "_napari": "the plugin: docks, layers", "cli": "the command line", "notebook": "a viewer in a cell",

    "probing": "one pixel", "scans": "series of projections", "live": "soon, the newest only",
    "correlation": "algotom's dense calls", "global_shift": "one shift, by points", "search": "find_shift_field",
    "checks": "which pixels to believe", "starts": "from coarse to fine", "dense": "2-D, 1-D searches",
    "stream": "plan, bands, tiles, threads", "maps": "one template", "physics": "phase, strain",
    "inputs": "frames, weights", "engine": "one tile: CPU, GPU, reference", "peaks": "fractions of a px",
    "sources": "files by address", "field": "ShiftField, file, layers", "synthetic": "images with a truth",
    "settings": "quality, scores, machine", "arrays": "lists, GPU arrays",
}  # fmt: skip
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img"
     font-family="Helvetica, Arial, sans-serif"
     aria-label="The rooms of the package; an arrow points to what a room imports, always downwards">
<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#ffffff"/>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#7a8794"/></marker></defs>"""
BOX, GAP, STEP, EDGE = (150, 40), 14, 84, 16


def rooms() -> dict[str, set[str]]:
    """Return the rooms that each room imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        here = room(path.relative_to(PACKAGE).with_suffix("").parts)
        found[here] |= set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shiftfield"):
                parts = tuple((node.module or "").split(".")[1:])
                targets = [parts] if parts else [(alias.name,) for alias in node.names]
                found[here] |= {room(target) for target in targets} - {here}
    return {here: {there for there in others if there in found} for here, others in found.items()}


def room(parts: tuple[str, ...]) -> str:
    if parts[0] in SMALL:
        return "settings"
    return "public names" if parts[0] == "__init__" or not _is_module(parts[0]) else parts[0]


def _is_module(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


def levels(needs: dict[str, set[str]]) -> dict[str, int]:
    """Return how far each room is above the ground; an AssertionError where rooms go in a circle."""
    found: dict[str, int] = {}

    def level(name: str, above: tuple[str, ...] = ()) -> int:
        assert name not in above, f"a circle of rooms: {' -> '.join((*above, name))}"
        if name not in found:
            found[name] = 1 + max((level(one, (*above, name)) for one in needs[name]), default=-1)
        return found[name]

    for name in sorted(needs):
        level(name)
    return found


def reduced(needs: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows that do not follow from others."""

    def reach(name: str) -> set[str]:
        return needs[name].union(*(reach(one) for one in needs[name]))

    return {
        name: {one for one in others if not any(one in reach(other) for other in others - {one})}
        for name, others in needs.items()
    }


def picture() -> str:
    """Return the picture as SVG."""
    needs = {name: others - set(SINGLE) for name, others in rooms().items() if name not in SINGLE}
    level, arrows = levels(needs), reduced(needs)
    rows: dict[int, list[str]] = defaultdict(list)
    for name in sorted(needs):
        rows[level[name]].append(name)
    width = max(map(len, rows.values())) * (BOX[0] + GAP) - GAP + 2 * EDGE
    height = (max(rows) + 1) * STEP + EDGE
    place: dict[str, tuple[float, float]] = {}
    for number in sorted(rows):  # a room stands above the middle of what it needs
        wanted = {
            n: _middle([place[o][0] for o in arrows[n] if o in place], width) for n in rows[number]
        }
        row = sorted(rows[number], key=lambda n: (wanted[n], n))
        free = (width - 2 * EDGE - len(row) * BOX[0]) / (len(row) + 1)
        for n, name in enumerate(row):
            place[name] = (
                EDGE + free * (n + 1) + BOX[0] * (n + 0.5),
                EDGE + (max(rows) - number) * STEP,
            )
    lines = [_HEAD.format(width=width, height=height)]
    pairs = [(name, other) for name in sorted(needs) for other in sorted(arrows[name])]
    far = [pair for pair in pairs if level[pair[0]] - level[pair[1]] > 1]
    lines += [_arrow(place[a], place[b]) for a, b in pairs if (a, b) not in far]
    lines += [_box(name, *place[name]) for name in sorted(needs)]
    lines += [_arrow(place[a], place[b], 'stroke-dasharray="5 4" opacity="0.8"') for a, b in far]
    return "\n".join((*lines, "</svg>")) + "\n"


def _arrow(start: tuple[float, float], end: tuple[float, float], how: str = "") -> str:
    (x0, y0), (x1, y1) = start, end
    y0, y1 = y0 + BOX[1], y1 - 2
    bend = 0.45 * (y1 - y0)
    curve = (
        f"M{x0:.0f} {y0:.0f}C{x0:.0f} {y0 + bend:.0f} {x1:.0f} {y1 - bend:.0f} {x1:.0f} {y1:.0f}"
    )
    return f'<path d="{curve}" fill="none" stroke="#9aa7b4" stroke-width="1.3" {how} marker-end="url(#head)"/>'


def _box(name: str, x: float, y: float) -> str:
    words = WORDS.get(name, "")
    wide, tall = BOX
    frame = f'x="{x - wide / 2:.0f}" y="{y:.0f}" width="{wide}" height="{tall}" rx="5"'
    title = f'x="{x:.0f}" y="{y + (17 if words else 25):.0f}" font-size="14" font-weight="bold"'
    lines = [
        f'<rect {frame} fill="#eef4fb" stroke="#1f5fa8"/>',
        f'<text {title} text-anchor="middle" fill="#12355b">{name}</text>',
        f'<text x="{x:.0f}" y="{y + 32:.0f}" font-size="10.5" text-anchor="middle">{words}</text>',
    ]
    return "\n".join(lines if words else lines[:2])


def _middle(places: list[float], width: float) -> float:
    return sum(places) / len(places) if places else width / 2


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
