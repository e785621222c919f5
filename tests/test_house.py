"""The measures that the package keeps to; `python -m benchmarks.house` prints them, beside those of others."""

from __future__ import annotations

from pathlib import Path

from benchmarks.house import OURS, measure


def test_files_and_functions_are_short() -> None:
    house = measure(OURS)
    assert house.file_lines < 200
    assert house.function_lines < 12
    assert house.short >= 0.9
    assert house.documented > 0.95
    assert house.in_circles == 0


def test_what_is_counted(tmp_path: Path) -> None:
    """Docstrings are no length, `self` is no parameter, and a circle through a third file is one."""
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("")
    (house / "a.py").write_text(
        'from house import b\n\n\ndef f(x):\n    """Two\n    lines."""\n    return x\n'
    )
    (house / "b.py").write_text("from house.c import C\n")
    (house / "c.py").write_text(
        "class C:\n    def many(self, a, b, c, d, e, *f):\n        from . import a\n"
    )
    found = measure(house)
    assert (found.files, found.functions, found.function_lines) == (4, 2, 2)
    assert found.short == 0.5
    assert found.documented == 1 / 3  # f, C, many
    assert found.in_circles == 3
