"""Mutation testing: one operator, number or condition of a module is changed at a time; its tests must notice.

Cosmic Ray (`pip install cosmic-ray`) makes the changes, in a copy in a temporary folder; what must hold is said
by the tests. Linux and macOS only: each mutant is tested in a fork, so that NumPy and pytest are imported once.

    python scripts/mutation.py stream/plan.py                             # with the tests of the table below
    python scripts/mutation.py stream/plan.py tests/test_plan.py          # with others
    python scripts/mutation.py stream/bands.py --sample 80 --seed 1       # of some mutants, drawn by chance
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib
import importlib.util
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = {  # fast ones: no compiler, no other process
    "scores.py": ["test_scores.py"],
    "peaks/fits.py": ["test_fits.py"],
    "peaks/locate.py": ["test_locating_peaks.py"],
    "peaks/surface.py": ["test_peak_surfaces.py"],
    "stream/pieces.py": ["test_pieces.py"],
    "stream/plan.py": ["test_plan.py"],
    "stream/bands.py": ["test_bands.py"],
    "stream/rows.py": ["test_rows.py"],
    "stream/strips.py": ["test_strips.py"],
}
# What an operator becomes. Cosmic Ray knows more, most of which no operand would survive.
BINARY = {
    "Add": "Sub Mul", "Sub": "Add", "Mul": "Div Add", "Div": "Mul", "FloorDiv": "Mul Div", "Mod": "FloorDiv",
    "Pow": "Mul", "BitAnd": "BitOr", "BitOr": "BitAnd", "BitXor": "BitOr",
}  # fmt: skip
NUMBERS = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
IMPORTED_ONCE = ("hypothesis", "numpy", "scipy.ndimage", "scipy.signal", "h5py", "pytest")
MEMORY = 6_000_000_000  # bytes that a mutant may take
PYTEST = """[pytest]
pythonpath = src tests
filterwarnings = error
markers =
    viewer: opens napari
    gpu: needs a CUDA device
"""


def operators() -> Iterator[tuple[str, object]]:
    """Yield the names and makers of mutations that are used."""
    from cosmic_ray.plugins import get_operator, operator_names

    for name in operator_names():
        short = name.split("/")[1]
        kind, _, change = short.partition("_")
        if kind == "ReplaceBinaryOperator":
            before, after = change.split("_")
            used = after in BINARY.get(before, "").split()
        elif kind == "ReplaceComparisonOperator":
            before, after = change.split("_")
            used = {before, after} <= set(NUMBERS) or {before, after} == {"Is", "IsNot"}
        else:
            used = not get_operator(name).arguments()
        if used:
            yield short, get_operator(name)()


def meaningless(code: str, name: str, at: tuple[int, int]) -> bool:
    """Whether a mutation changes no code that runs (an annotation, a bare star), or puts words in an order."""
    if code.splitlines()[at[0] - 1].startswith("*,", at[1]):
        return True
    for node in ast.walk(ast.parse(code)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.Compare) and not name.endswith(("_Eq_NotEq", "_NotEq_Eq")):
            words = (isinstance(side, ast.Constant) and isinstance(side.value, str)
                     for side in (node.left, *node.comparators))  # fmt: skip
            parts.append(node if name.startswith("ReplaceComparison") and any(words) else None)
        for part in parts:
            if part is not None:
                first, last = (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)
                if first <= at < last:
                    return True
    return False


def mutants(code: str) -> list[tuple[str, str]]:
    """Return the name and the code of every mutant that is Python at all."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    tree, found = get_ast(code), []
    for name, operator in operators():
        places = (at for node in ast_nodes(tree) for at in operator.mutation_positions(node))
        for number, (start, _) in enumerate(places):
            if meaningless(code, name, start):
                continue
            mutant = mutate_code(code, operator, number)
            with contextlib.suppress(SyntaxError):
                if ast.dump(ast.parse(mutant)) != ast.dump(ast.parse(code)):
                    found.append((f"{name} in line {start[0]}", mutant))
    return found


def run(folder: Path, module: Path, tests: list[str], limit: float, output: Path) -> int | None:
    """Run the tests in a fork; return their exit status, None when they ran past the limit (s)."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        status = 70
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            import pytest

            sys.path.insert(0, str(folder / "src"))
            status = int(
                pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-c", "pytest.ini", *tests])
            )
            name = ".".join(module.relative_to(folder / "src").with_suffix("").parts)
            loaded = sys.modules.get(name)
            if status == 0 and (loaded is None or loaded.__file__ != str(module)):
                print(f"{name} was not loaded from {module}: {loaded}")
                status = 71
        finally:
            os._exit(status)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def copy_into(folder: Path) -> None:
    """Copy the package and the tests of the core."""
    leave = shutil.ignore_patterns("__pycache__", "plugin", "notebook", "gpu")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=leave)
    (folder / "pytest.ini").write_text(PYTEST)


def main() -> int:
    """Print how many mutants of a module its tests kill, and what they do not notice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", help="below src/shiftfield, as stream/plan.py")
    parser.add_argument("tests", nargs="*", help="test files; those of the table in this script")
    parser.add_argument("--sample", type=int, help="how many mutants, drawn by chance; all")
    parser.add_argument("--seed", type=int, default=0, help="of that draw")
    parser.add_argument("--only", action="append", help="mutants whose name ends so, as 'line 23'")
    asked = parser.parse_args()
    names = asked.tests or [f"tests/{name}" for name in TESTS[asked.module]]

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    for name in IMPORTED_ONCE:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutation-") as made:
        folder = Path(made).resolve()
        copy_into(folder)
        os.chdir(folder)
        module, output = folder / "src" / "shiftfield" / asked.module, folder / "output"
        began = time.monotonic()
        status = run(folder, module, names, 300, output)
        took = time.monotonic() - began
        if status != 0:
            print(output.read_text())
            print(f"The tests fail (status {status}) before anything is changed.")
            return 1
        sys.dont_write_bytecode = True  # of the mutants; what is not changed is compiled by now
        Path(importlib.util.cache_from_source(str(module))).unlink(missing_ok=True)
        code = module.read_text()
        every = [one for one in mutants(code) if one[0].endswith(tuple(asked.only or [""]))]
        chosen = every
        if asked.sample and asked.sample < len(every):
            chosen = random.Random(asked.seed).sample(every, asked.sample)
        survived = []
        for name, mutant in chosen:
            module.write_text(mutant)
            if run(folder, module, names, 3 * took + 5, output) == 0:
                survived.append(name)
                changes = difflib.unified_diff(
                    code.splitlines(), mutant.splitlines(), name, "", n=0, lineterm=""
                )
                print(
                    "\n".join(line for line in changes if not line.startswith(("+++", "@@"))),
                    flush=True,
                )
        killed = len(chosen) - len(survived)
    print(
        f"{asked.module}: {len(every)} mutants, {len(chosen)} run, {killed} killed "
        f"({100 * killed / max(len(chosen), 1):.0f} %), {len(survived)} survived; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
