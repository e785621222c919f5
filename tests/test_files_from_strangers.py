"""Files from strangers: whatever is broken is told in one sentence, nothing runs, hangs, or takes the memory.

The files are made by `strangers`; here is what must come of them, and of files that are being written.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from strangers.case import Case
from strangers.entries import ENTRIES
from strangers.every import all_cases
from strangers.whole import WHOLE, field

import shiftfield
from shiftfield import settings_file
from shiftfield.sources.zarrs import ZarrImages

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes and limits are POSIX's")

CASES = all_cases()
HERE = str(Path(__file__).parent)  # where the program lies
PATH = os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))
GROUPS = 2  # programs, one after another
HANGS = 30  # s without a word
GROWS = 500_000  # kB
SHAPES = (
    "The reference has shape",
    "The images are",
)  # told of the argument, whatever it came from


def told(numbers: list[int], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what came of each case; a program that crashes or hangs is told too, and another goes on."""
    while numbers:
        command = [sys.executable, "-m", "strangers", str(folder / str(numbers[0])), "{}"]
        with (
            (folder / "errors").open("w+") as errors,
            subprocess.Popen(
                command,
                env=os.environ | {"PYTHONPATH": PATH},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as program,
        ):
            assert program.stdin is not None
            program.stdin.write(json.dumps(numbers) + "\n")
            program.stdin.close()
            begun, found = None, None
            for line in lines(program):
                found = json.loads(line)
                begun = found["number"] if "type" not in found else None
                if begun is None:
                    numbers = numbers[1:]
                    yield found
            program.kill()
            if numbers:
                program.wait()
                errors.seek(0)
                assert begun is not None, errors.read()
                end = f"ended by {program.returncode}"
                yield {
                    "number": begun, "type": end, "text": errors.read()[-300:], "allowed": False,
                }  # fmt: skip
                numbers = numbers[1:]


def lines(program: subprocess.Popen[str]) -> Iterator[str]:
    """Yield the lines of a program until it ends, or says nothing for too long."""
    said: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert program.stdout is not None
        for line in program.stdout:
            said.put(line)
        said.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            line = said.get(timeout=HANGS)
        except queue.Empty:
            return
        if line is None:
            return
        yield line


def wrong_with(case: Case, found: dict[str, Any]) -> list[str]:
    """What is wrong with what came of a case."""
    text = found["text"]
    if found["type"] is None:
        said = [] if case.may_open else ["it was opened"]
    elif not found["allowed"]:
        said = ["the error is of another kind"]
    elif case.name.startswith("address"):
        said = [] if text and "\n" not in text else ["it is no sentence"]
    else:
        said = (
            []
            if 8 < len(text) < 600 and text.isprintable() and text[-1] == "."
            else ["no sentence"]
        )
        if "broken" not in text and case.entry != "settings" and not text.startswith(SHAPES):
            said.append("the file is not named")
    said += [f"{found['grown']} kB"] * (found.get("grown", 0) > GROWS)
    return said + [what for what in ("ran", "lost", "left_out") if found.get(what)]


def test_there_are_enough() -> None:
    assert len(CASES) >= 500
    assert len({case.name for case in CASES}) > 0.9 * len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, group: int) -> None:
    numbers = list(range(group, len(CASES), GROUPS))
    found = list(told(numbers, tmp_path))
    assert [one["number"] for one in found] == numbers
    wrong = [
        f"{CASES[one['number']].name}: {', '.join(said)} ({one['type']}: {one['text'][:300]})"
        for one in found
        if (said := wrong_with(CASES[one["number"]], one))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.filterwarnings("ignore:.*have no answer")
def test_what_is_whole_opens(tmp_path: Path) -> None:
    """So that the sentences above are not about everything."""
    for number, (make, entry, _) in enumerate(WHOLE.values()):
        (tmp_path / str(number)).mkdir()
        address = make(tmp_path / str(number))
        if "begun" not in repr(make):
            ENTRIES[entry](address)


def test_no_pickle_is_unpacked_whatever_zarr_says(tmp_path: Path) -> None:
    pickled = SimpleNamespace(filters=[SimpleNamespace(codec_id="pickle")], compressor=None)
    array = SimpleNamespace(shape=(9, 9), dtype=np.dtype("u2"), chunks=(9, 9), metadata=pickled)
    with pytest.raises(ValueError, match="packed by pickle"):
        ZarrImages(tmp_path, "a", array)


def program(code: str, *arguments: Path) -> subprocess.Popen[str]:
    head = "import sys, numpy as np, shiftfield; from shiftfield import ShiftField, Settings\n"
    head += "def field(n):\n    a = np.full((n, n), n, np.float32)\n"
    head += "    return ShiftField(a, a, a > 0, a, image_shape=(n, n))\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def test_killed_while_it_saves_a_field_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "field.h5"
    code = "n = 200\nwhile True:\n    field(n).save(sys.argv[1]); n += 1; print(n, flush=True)"
    for wait in np.random.default_rng(0).uniform(0, 0.05, 5):
        saving = program(code, path)
        assert saving.stdout is not None
        saving.stdout.readline()
        time.sleep(wait)
        saving.send_signal(signal.SIGKILL)
        saving.communicate()
        found = shiftfield.ShiftField.load(path)
        assert (found.x == found.shape[0]).all()


def test_a_full_disk_leaves_the_old_field(tmp_path: Path) -> None:
    path = tmp_path / "field.h5"
    code = """
import resource, signal
field(9).save(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
a = np.random.default_rng(0).random((99, 99), np.float32)
big = ShiftField(a, a, a > 0, a, image_shape=(99, 99))
try: big.save(sys.argv[1])
except OSError as error: print(error)
"""
    said, _ = program(code, path).communicate()
    assert said.strip() == f"{path} cannot be written: File too large."
    assert shiftfield.ShiftField.load(path).shape == (9, 9)
    assert [one.name for one in tmp_path.iterdir()] == ["field.h5"]


def test_a_full_disk_leaves_the_old_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    settings_file.write(path, {"window": 9})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        settings_file.write(path, {"window": 11})
    assert settings_file.read(path, ["window"]) == {"window": 9}
    assert [one.name for one in tmp_path.iterdir()] == ["settings.toml"]


def test_nothing_is_written_where_a_foreseen_name_leads(tmp_path: Path) -> None:
    """Who can write in the folder lays a link where a file is made before it is renamed: none is met."""
    for name in ("field.h5", "settings.toml"):
        (tmp_path / f".{name}.{os.getpid()}.part").symlink_to("elsewhere")
    field().save(tmp_path / "field.h5")
    settings_file.write(tmp_path / "settings.toml", {"window": 9})
    assert not (tmp_path / "elsewhere").exists()
