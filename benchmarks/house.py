"""How a package is built, counted from its text: lengths of files and functions, parameters, docstrings, circles.

`python -m benchmarks.house [FOLDER ...]` prints a row of Markdown for this package and for each other folder.
Nothing of a package is run. Docstrings do not count as length; `self` and `cls` do not count as parameters.
"""

from __future__ import annotations

import argparse
import ast
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

OURS = Path(__file__).parents[1] / "src" / "shiftfield"
_LONG, _MANY = 45, 5  # lines of a function, and its parameters
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class House:
    """The counts of one package."""

    name: str
    files: int
    file_lines: float  # median
    longest_file: int
    functions: int
    function_lines: float  # median
    short: float  # share of functions under 45 lines and with at most 5 parameters
    documented: float  # share of public functions and classes with a docstring
    in_circles: int  # files that import each other, in one way or another


def measure(folder: Path) -> House:
    """Count what is in a package's folder."""
    trees = {path: ast.parse(path.read_bytes()) for path in sorted(folder.rglob("*.py"))}
    lines = [len(path.read_bytes().splitlines()) for path in trees]
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, _Function)]
    bodies = [
        node.body
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef) and not _is_private(node)
    ]
    public = [
        node
        for body in bodies
        for node in body
        if isinstance(node, _Function | ast.ClassDef) and not _is_private(node)
    ]
    short = [f for f in functions if _lines(f) < _LONG and _parameters(f) <= _MANY]
    return House(
        name=folder.name,
        files=len(trees),
        file_lines=median(lines),
        longest_file=max(lines),
        functions=len(functions),
        function_lines=median(map(_lines, functions)),
        short=len(short) / len(functions),
        documented=sum(ast.get_docstring(node) is not None for node in public) / len(public),
        in_circles=len(_in_circles(folder, trees)),
    )


def _is_private(node: ast.AST) -> bool:
    return str(getattr(node, "name", "")).startswith("_")


def _lines(function: _Function) -> int:
    """Return the lines of a function without its docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return total
    first = function.body[0]
    return total - ((first.end_lineno or 0) - first.lineno + 1)


def _parameters(function: _Function) -> int:
    a = function.args
    names = [one.arg for one in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return sum(name not in ("self", "cls") for name in names) + bool(a.vararg) + bool(a.kwarg)


def _in_circles(folder: Path, trees: dict[Path, ast.Module]) -> set[str]:
    """Return the modules that need each other; imports within functions and for type checkers count."""
    modules = {_dotted(folder, path): tree for path, tree in trees.items()}
    needs = {name: _needed(name, tree, modules) - {name} for name, tree in modules.items()}
    found: set[str] = set()
    while True:
        try:
            tuple(TopologicalSorter(needs).static_order())
        except CycleError as error:
            circle = set(error.args[1])
            found |= circle
            one, *others = error.args[1]
            needs[others[0]] = needs[others[0]] - {
                one
            }  # the circle is cut, and others are looked for
            continue
        return found


def _dotted(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _needed(name: str, tree: ast.Module, modules: dict[str, ast.Module]) -> set[str]:
    """Return the modules of the same package that one imports; a folder counts where its own file is meant."""
    found = set()
    is_folder = any(other.startswith(f"{name}.") for other in modules)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = name.split(".")
            up = node.level - is_folder
            base = ".".join(start[: len(start) - up]) if node.level else ""
            place = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                full = f"{place}.{alias.name}"
                found.add(full if full in modules else place)
    return found & set(modules)


def row(house: House) -> str:
    """Return one line of the table."""
    cells = [
        house.name, house.files, f"{house.file_lines:g}", house.longest_file, house.functions,
        f"{house.function_lines:g}", f"{100 * house.short:.0f} %", f"{100 * house.documented:.0f} %",
        house.in_circles,
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


HEAD = (
    "| package | files | lines of a file, median | longest file | functions | lines of a function, median | "
    "under 45 lines and at most 5 parameters | public, with a docstring | files in circles |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="*", type=Path, help="the folder of another package")
    print(HEAD)
    for folder in (OURS, *parser.parse_args().folder):
        print(row(measure(folder)))


if __name__ == "__main__":
    main()
