"""Every script in examples/ runs as it is, and finds what its data were made with."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a script with `folder` as the current one; return its variables."""
    monkeypatch.chdir(folder)
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def normalize_image(found: dict[str, Any]) -> None:
    assert found["after"] < 0.3 * found["before"]
    assert found["flat"].mean() == pytest.approx(0, abs=1e-9)
    assert found["stack"].min() == 0


def generate_correlation_map(found: dict[str, Any]) -> None:
    assert found["scores"].shape == (21, 21)
    assert found["scores"].max() > 0.9
    assert (found["column"] - 10, found["row"] - 10) == (2, 0)


def locate_peak(found: dict[str, Any]) -> None:
    assert found["whole"] == (12, 8)
    for name in ("differences", "paraboloid", "valley"):
        assert found[name] == pytest.approx((12.3, 7.8), abs=0.02)


def find_shift_based_correlation_map(found: dict[str, Any]) -> None:
    assert (found["x"], found["y"]) == pytest.approx((2.3, -1.6), abs=0.05)
    assert (found["x_only"], found["zero"]) == pytest.approx((2.3, 0), abs=0.05)


def find_local_shifts(found: dict[str, Any]) -> None:
    scan, inside = found["scan"], found["inside"]
    for x, y in ((found["x_pair"], found["y_pair"]), (found["x_stack"], found["y_stack"])):
        assert np.median(np.hypot(x - scan.x, y - scan.y)[inside]) < 0.1
    assert np.median(found["x_rows"][20:-20, 20:-20]) == pytest.approx(0.4, abs=0.05)
    assert np.median(found["y_columns"][20:-20, 20:-20]) == pytest.approx(-0.3, abs=0.05)


def find_global_shift_based_local_shifts(found: dict[str, Any]) -> None:
    assert (found["x"], found["y"]) == pytest.approx((3.4, -2.2), abs=0.05)
    np.testing.assert_allclose(found["xs"], [3.4, 3.4, -5], atol=0.1)
    np.testing.assert_allclose(found["ys"], [-2.2, -2.2, 6], atol=0.1)


def find_local_shifts_umpa(found: dict[str, Any]) -> None:
    scan, inside = found["scan"], found["inside"]
    for name, true, tolerance in (
        ("x", scan.x, 0.05),
        ("y", scan.y, 0.05),
        ("transmission", scan.transmission, 0.01),
        ("dark", scan.dark_field, 0.05),
    ):
        assert np.median(np.abs(found[name] - true)[inside]) < tolerance, name


def find_shift_field(found: dict[str, Any]) -> None:
    """The flow goes about 2 px to the left, so that the match lies to the right."""
    field = found["field"]
    assert np.median(field.x[field.valid]) == pytest.approx(1.9, abs=0.3)
    np.testing.assert_array_equal(found["again"].x, field.x)
    assert (found["out"] / "field.png").stat().st_size > 1000


CHECKS: list[Callable[[dict[str, Any]], None]] = [
    normalize_image,
    generate_correlation_map,
    locate_peak,
    find_shift_based_correlation_map,
    find_local_shifts,
    find_global_shift_based_local_shifts,
    find_local_shifts_umpa,
    find_shift_field,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_example_finds_the_truth(
    check: Callable[[dict[str, Any]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(run(check.__name__, tmp_path, monkeypatch))


@pytest.mark.usefixtures("qapp")
def test_the_napari_session_makes_its_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    viewer = run("napari_session", tmp_path, monkeypatch)["viewer"]
    try:
        names = [layer.name for layer in viewer.layers]
        assert names[:2] == ["reference", "sample"]
        assert {"x shift", "y shift", "window 21: x shift", "window 21: y shift"} <= set(names)
        assert "x shift: x" in capsys.readouterr().out
        shift = viewer.layers["x shift"].data
        assert np.nanmedian(shift) == pytest.approx(1.9, abs=0.3)
    finally:
        viewer.close()


def test_every_script_is_tested() -> None:
    tested = {check.__name__ for check in CHECKS} | {"napari_session"}
    assert {script.stem for script in EXAMPLES.glob("*.py")} == tested
