"""Opens broken files one after another and tells what came of each, a line of JSON at a time.

Who reads those lines knows where a crash or a hang was.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import shiftfield
from strangers.case import Case
from strangers.entries import ENTRIES
from strangers.every import all_cases
from strangers.pickles import MARK
from strangers.whole import field

MEMORY = 5 << 30  # bytes of addresses that the program may take


def outcome(case: Case, folder: Path) -> dict[str, Any]:
    """Make one file, open it, and say what came of it."""
    resource = import_module("resource")  # not on Windows
    folder.mkdir(parents=True)
    address = case.make(folder)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    found: dict[str, Any] = {"type": None, "text": ""}
    try:
        ENTRIES[case.entry](address)
    except BaseException as error:
        found = {
            "type": type(error).__name__,
            "text": str(error),
            "allowed": isinstance(error, OSError | ValueError | shiftfield.ScanError),
        }
    found["seconds"] = time.monotonic() - began
    found["grown"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB
    found["ran"] = os.environ.pop(MARK, None) is not None
    precious = folder / "elsewhere/000001.h5"
    found["lost"] = (
        (folder / "elsewhere").exists() and "parts" in case.name and not precious.exists()
    )
    found["left_out"] = (folder / "elsewhere.txt").exists()
    shutil.rmtree(folder)
    return found


def main(folder: Path, numbers: list[int], options: dict[str, int]) -> None:
    resource = import_module("resource")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    field()
    cases = all_cases(**options)
    for number in numbers:
        print(json.dumps({"number": number}), flush=True)
        print(
            json.dumps({"number": number} | outcome(cases[number], folder / str(number))),
            flush=True,
        )


if __name__ == "__main__":
    sys.setrecursionlimit(1000)
    main(Path(sys.argv[1]), json.loads(sys.stdin.readline()), json.loads(sys.argv[2]))
