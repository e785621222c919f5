"""What the pages in docs/ claim about the code: the tutorial runs, its tables match, what it names exists."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shiftfield
from shiftfield.settings import Parameter, Settings, Thresholds, parameters

TOP = Path(__file__).parents[1]
DOCS = TOP / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def python_blocks(name: str) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", page(name), re.DOTALL | re.MULTILINE))


def test_the_tutorial_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(python_blocks("tutorial"), "tutorial.md", "exec"), names)
    assert (tmp_path / "field.png").stat().st_size > 1000
    np.testing.assert_array_equal(names["again"].x, names["field"].x)
    assert np.nanmedian(names["error"]) < 0.1
    assert np.nanmin(names["found"].transmission) == pytest.approx(0.7, abs=0.02)
    assert len(recwarn) == 0


def test_the_start_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(python_blocks("index"), "index.md", "exec"), {})
    assert (tmp_path / "field.png").exists()


def test_the_settings_are_those_that_are_declared() -> None:
    """To renew the table, print `settings_row` of each of `parameters(Settings).values()`."""
    table = page("functions").split("<!-- settings:")[1].split("\n\n")[0].splitlines()
    assert table[3:] == [settings_row(p) for p in parameters(Settings).values()]


def test_the_thresholds_are_those_that_are_declared() -> None:
    table = page("quality").split("<!-- thresholds:")[1].split("\n\n")[0].splitlines()
    assert table[3:] == [settings_row(p) for p in parameters(Thresholds).values()]


def test_the_page_on_quality_runs(recwarn: pytest.WarningsRecorder) -> None:
    exec(compile(python_blocks("quality"), "quality.md", "exec"), {})
    assert all("no answer" in str(warning.message) for warning in recwarn)


def settings_row(parameter: Parameter) -> str:
    default = f"`{parameter.default!r}`".replace("'", '"')
    if parameter.choices:
        allowed = ", ".join(f"`{choice!r}`" for choice in parameter.choices).replace("'", '"')
    elif isinstance(parameter.default, float):
        allowed = f"{parameter.low} to {parameter.high}"
    elif parameter.low is not None:
        allowed = f"{parameter.low} and up"
    else:
        allowed = ""
    unit = f", {parameter.unit}" if parameter.unit else ""
    return f"| `{parameter.name}` | {default}{unit} | {allowed} | {parameter.help} |"


def test_the_physics_page_runs() -> None:
    """What its comments say of the results is so."""
    names: dict[str, Any] = {}
    exec(compile(python_blocks("physics"), "physics.md", "exec"), names)
    assert names["error"] < 0.01
    assert names["off"] < 0.01
    assert np.nanmedian(names["exx"]) == pytest.approx(0.01, abs=0.001)
    assert np.nanmedian(names["turns"]) == pytest.approx(0, abs=0.001)
    assert names["left_over"] < 0.03
    assert names["grey"].dtype == np.uint16


@pytest.mark.filterwarnings("ignore:.*no answer:UserWarning")
@pytest.mark.parametrize("name", ["speckle_imaging", "strain", "flow", "cluster", "from_algotom"])
def test_the_guides_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they say of the results is so."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(python_blocks(name), f"{name}.md", "exec"), names)
    if name == "speckle_imaging":
        assert names["errors"]["x"] < 0.1
        assert names["errors"]["transmission"] < 0.02
        assert np.hypot(*names["drift"]) < 0.5
    if name == "strain":
        assert 0 < names["stretch"] < 0.02
    if name == "flow":
        assert -3 < np.median(names["u"]) < -1
    if name == "cluster":
        assert names["scan"].done.all()


@pytest.mark.parametrize("name", sorted(path.stem for path in DOCS.glob("*.md")))
def test_files_that_a_page_names_exist(name: str) -> None:
    for path in re.findall(r"`((?:examples|tests|src|scripts|benchmarks)/[\w./-]+)`", page(name)):
        assert (TOP / path).exists(), path
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page(name)):
        assert (DOCS / path).exists(), path


def test_each_difference_from_algotom_has_its_test() -> None:
    """The table and the file name the same tests, in the same order."""
    rows = re.findall(r"\| `(test_\w+)` \|$", page("differences"), re.MULTILINE)
    tests = ast.parse((TOP / "tests" / "test_differences.py").read_text(encoding="utf-8")).body
    written = [node.name for node in tests if isinstance(node, ast.FunctionDef)]
    assert rows == [name for name in written if name.startswith("test_")]


def test_signatures_on_the_functions_page_are_the_functions() -> None:
    """Each section opens with the call in full: every parameter, in order, with its default."""
    text = page("functions")
    for name in (
        "normalize_image",
        "generate_correlation_map",
        "locate_peak",
        "find_shift_based_correlation_map",
        "find_local_shifts",
        "find_global_shift_based_local_shifts",
        "find_local_shifts_umpa",
    ):
        shown = text.split(f"\n## {name}\n\n```python\n")[1].split("\n```")[0]
        function = getattr(shiftfield, name)
        plain = [
            parameter.replace(annotation=parameter.empty)
            for parameter in inspect.signature(function).parameters.values()
        ]
        written = f"corl.{name}{inspect.Signature(plain)}".replace("'", '"')
        assert re.sub(r"\s+", " ", shown).replace("( ", "(").replace(", )", ")") == written
