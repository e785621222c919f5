"""The examples in the docstrings of the public functions run and give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

import shiftfield

WITHOUT = {
    "divergence",
    "magnitude",
    "vorticity",
    "window_statistics",
    "find_shift_fields",
    "warm_up",
}
FUNCTIONS = sorted({x for x in shiftfield.__all__ if x.islower() and x[0] != "_"} - WITHOUT)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_example_gives_what_it_says(name: str) -> None:
    function = getattr(shiftfield, name)
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(function, name, import_module(function.__module__), globs={})
    assert example.examples, "it has no example"
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert runner.failures == 0
